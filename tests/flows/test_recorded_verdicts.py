"""Verdicts in the ledger: before the change that follows from them, and all of them whatever happens to the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pytest

from connectors.ledger import Ledger
from connectors.work import Work, Worked
from flows.exit_codes import Exit
from tests.flows.conftest import Command
from tests.flows.workshop import Workshop, at
from tests.memory_tracker import MemoryWriter

Perform = Callable[[MemoryWriter, Sequence[Work], datetime], Iterator[Worked]]


def judged(workshop: Workshop) -> dict[str, int]:
    """Key -> how many verdicts the ledger has of the issue."""
    with Ledger.open(f"sqlite:///{workshop.folder}/.warranty/workshop.db") as ledger:
        found: dict[str, int] = {}
        for one in ledger.verdicts("workshop"):
            found[one.issue.key] = found.get(one.issue.key, 0) + 1
        return found


@pytest.fixture
def many(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Forty issues that wait too long, and forty that were answered and are left alone, written to by four writers."""
    monkeypatch.setattr("flows.writing.LANE_FROM", 10)
    for number in range(40):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
        answered = workshop.north.open("CAR", f"Door {number} sticks", by="carla", at=at("06 10:00"))
        workshop.north.comment(answered, "We are looking into it", by="lena", at=at("06 11:00"))
    return workshop


def watched(monkeypatch: pytest.MonkeyPatch, before: Callable[[Sequence[Work]], None]) -> None:
    real: Perform = MemoryWriter.perform

    def perform(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        before(work)
        return real(self, work, now)

    monkeypatch.setattr(MemoryWriter, "perform", perform)


def test_nothing_is_written_to_an_issue_whose_verdicts_are_not_in_the_ledger(
    many: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: list[str] = []

    def look(work: Sequence[Work]) -> None:
        known = judged(many)
        missing.extend(piece.issue.ref.key for piece in work if piece.issue and piece.issue.ref.key not in known)

    watched(monkeypatch, look)
    said = warranty("apply", "--json").document
    assert {receipt["outcome"] for receipt in said["receipts"]} == {"performed"}
    assert missing == []
    assert set(judged(many)) == {issue["key"] for issue in said["issues"]}


def test_a_run_that_is_killed_before_its_verdicts_are_recorded_leaves_them_to_the_next_one(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record_verdicts", killed)
        assert warranty("apply").code == Exit.INTERRUPTED
    assert judged(workshop) == {}
    assert warranty("plan").code == Exit.FINE
    assert set(judged(workshop)) == {"CAR-1", "CAR-2", "VAN-1"}


@pytest.mark.parametrize("line", [("plan",), ("apply", "--expect", "0123456789abcdef")], ids=["plan", "refused"])
def test_all_is_recorded_where_nothing_is_written(workshop: Workshop, warranty: Command, line: tuple[str, ...]) -> None:
    warranty(*line)
    assert set(judged(workshop)) == {"CAR-1", "CAR-2", "VAN-1"}


def test_a_verdict_is_recorded_once(many: Workshop, warranty: Command) -> None:
    warranty("apply")
    first = judged(many)
    warranty("apply")
    assert judged(many) == first
