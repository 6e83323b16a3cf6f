"""What is changed while a project is read, behind a page that is already read, is found by the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.ledger import Ledger
from policies.issue import Issue
from tests.flows.workshop import at
from tests.memory_tracker import MemoryReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop


def comments(key: str) -> list[str]:
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        issue = ledger.issue("workshop", "north", key)
        assert issue is not None
        return [comment.text for comment in issue.comments()]


def test_a_change_behind_a_page_already_read_is_found_however_long_the_reading_took(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MemoryReader.changed_since

    def slowly(self: MemoryReader, project: str, *rest: Any) -> Iterator[Any]:
        first, second = (workshop.north.find(key) for key in ("CAR-1", "CAR-2"))
        for found in real(self, project, *rest):
            yield found
            if isinstance(found, Issue) and found.ref.key == "CAR-1":
                workshop.north.comment(first, "Behind the reader", by="lena", at=at("09 12:01"))
                workshop.north.comment(second, "Before the reader", by="lena", at=at("09 12:55"))

    monkeypatch.setattr("flows.collecting.instant.now", lambda: at("09 12:00"))
    with monkeypatch.context() as patch:
        patch.setattr(MemoryReader, "changed_since", slowly)
        warranty("plan", now=at("09 12:00"))
    assert "Behind the reader" not in comments("CAR-1")

    monkeypatch.setattr("flows.collecting.instant.now", lambda: at("09 13:00"))
    warranty("plan", now=at("09 13:00"))
    assert "Behind the reader" in comments("CAR-1")
    assert "Before the reader" in comments("CAR-2")
