"""Issues that were deleted, moved or hidden are found once a day, and never taken for gone on a doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.ledger import Ledger
from connectors.tracker import ServerFailed
from flows.exit_codes import Exit
from tests.flows.workshop import at
from tests.memory_tracker import MemoryReader

if TYPE_CHECKING:
    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

FIRST = at("09 12:00")
SOON = at("09 13:00")
NEXT_DAY = at("10 12:30")


def cached() -> set[str]:
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        return {issue.ref.key for tracker in ("north", "south") for issue in ledger.issues("workshop", tracker)}


def deleted(workshop: Workshop, key: str) -> None:
    workshop.north.projects["CAR"].remove(workshop.north.find(key))


def test_a_deleted_issue_is_forgotten_the_next_day_and_told_once(workshop: Workshop, warranty: Command) -> None:
    warranty("plan", now=FIRST)
    deleted(workshop, "CAR-1")
    assert warranty("plan", "--json", now=SOON).document["gone"] == []
    assert "CAR-1" in cached()
    said = warranty("plan", "--json", now=NEXT_DAY)
    assert said.code == Exit.FINE
    assert said.document["gone"] == [
        {"tracker": "north", "key": "CAR-1", "why": "deleted, or hidden from this account"}
    ]
    assert {issue["key"] for issue in said.document["issues"]} == {"CAR-2", "VAN-1"}
    assert "CAR-1" not in cached()
    assert warranty("plan", "--json", now=NEXT_DAY + timedelta(days=2)).document["gone"] == []


def test_it_is_shown_to_people_too(workshop: Workshop, warranty: Command) -> None:
    warranty("plan", now=FIRST)
    deleted(workshop, "CAR-1")
    shown = warranty("plan", now=NEXT_DAY).out
    assert "No longer there, and forgotten" in shown
    assert "deleted, or hidden from this account" in shown


def test_a_moved_issue_is_named_with_its_new_place(workshop: Workshop, warranty: Command) -> None:
    warranty("plan", now=FIRST)
    workshop.north.moves(workshop.north.find("CAR-1"), "BUS")
    (gone,) = warranty("plan", "--json", now=NEXT_DAY).document["gone"]
    assert gone["why"] == "moved to BUS as BUS-1"


def test_an_index_that_lags_hides_nothing(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    warranty("plan", now=FIRST)
    monkeypatch.setattr(MemoryReader, "ids", lambda _self, _project: iter(()))
    said = warranty("plan", "--json", now=NEXT_DAY)
    assert said.document["gone"] == []
    assert cached() == {"CAR-1", "CAR-2", "VAN-1"}


def test_where_most_issues_seem_gone_none_is_forgotten_and_the_run_is_amber(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
    warranty("plan", now=FIRST)
    monkeypatch.setattr(MemoryReader, "ids", lambda _self, _project: iter(()))
    said = warranty("plan", "--json", now=NEXT_DAY)
    assert said.code == Exit.PARTLY
    assert (
        "13 of 14 issues read before are no longer listed, and none was forgotten"
        in said.document["faults"]["north/CAR"]
    )
    assert len(cached()) == 15
    assert len(said.document["issues"]) == 15


def test_a_listing_that_fails_is_told_and_made_up_for_by_the_next_run(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    warranty("plan", now=FIRST)
    deleted(workshop, "CAR-1")

    def failing(_self: MemoryReader, project: str) -> tuple[str, ...]:
        raise ServerFailed(f"503 while listing {project}")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryReader, "ids", failing)
        said = warranty("plan", "--json", now=NEXT_DAY)
        assert said.code == Exit.PARTLY
        assert "503 while listing CAR" in said.document["faults"]["north/CAR"]
    assert [gone["key"] for gone in warranty("plan", "--json", now=NEXT_DAY).document["gone"]] == ["CAR-1"]
