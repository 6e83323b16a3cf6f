"""Issues are planned while they are read, and what is planned is what would be planned once all are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from connectors.ledger import Ledger
from connectors.tracker import Capabilities, ServerFailed
from flows import collecting
from flows.assessing import assess
from flows.judging import judge_collected
from flows.planning import Planning
from flows.run import Run
from flows.site import Site
from flows.sitting import Sitting
from policies import plan
from policies.destination import Destination
from policies.issue import Release
from policies.pack import PolicyPack
from policies.plan import Decided
from policies.verdict import Judged
from tests.flows.workshop import NOW, at
from tests.memory_tracker import MemoryReader

if TYPE_CHECKING:
    from tests.flows.workshop import Workshop

Asked = list[tuple[str, Destination | None]]


@pytest.fixture
def sitting(workshop: Workshop) -> Iterator[Sitting]:
    with Ledger.open("sqlite://") as ledger:
        ledger.begin_run("one", "workshop", NOW)
        yield Sitting(Site.load(workshop.file), ledger, "one", NOW)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Of which issue it was decided, and where it would be written."""
    real = plan.decide
    found: Asked = []

    def decide(item: Judged, packs: Sequence[PolicyPack], where: Destination | None, now: datetime) -> Decided:
        found.append((item.issue.ref.key, where))
        return real(item, packs, where, now)

    monkeypatch.setattr(plan, "decide", decide)
    return found


def planned_at_last(sitting: Sitting) -> Run:
    with Ledger.open("sqlite://") as ledger:
        ledger.begin_run("one", "workshop", NOW)
        other = replace(sitting, ledger=ledger)
        collected = collecting.collect_all(other)
        return Planning(other).end(collected, judge_collected(other, collected))


def test_what_is_planned_while_it_is_read_is_what_is_planned_once_all_is_read(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    release = Release("north", "CAR", "1.1", "", at("07 10:00"), (("CAR-1", "a merge"),))
    monkeypatch.setattr(MemoryReader, "releases", lambda _, project: (release,) if project == "CAR" else ())
    assessed = assess(sitting)
    assert [key for key, _ in asked] == ["CAR-1", "CAR-2", "VAN-1", "CAR-1"], "anew only what its release changed"
    assert assessed.run == planned_at_last(sitting)
    assert any("1.1" in str(each.change) for each in assessed.run.plan.changes)
    changed = {(each.tracker, each.issue.id) for each in assessed.run.plan.changes if each.issue is not None}
    assert assessed.touched.keys() == changed
    assert all(issue.events for issue in assessed.touched.values()), "whole, for those who write"


def test_a_tracker_that_was_not_read_whole_gets_no_report_whatever_was_decided_before(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    def releases(_: MemoryReader, project: str) -> tuple[Release, ...]:
        if project == "CAR":
            raise ServerFailed("503 from the server")
        return ()

    monkeypatch.setattr(MemoryReader, "releases", releases)
    assessed = assess(sitting)
    assert [key for key, _ in asked] == ["CAR-1", "CAR-2", "VAN-1"]
    assert {each.tracker for each in assessed.run.plan.changes if each.issue is None} == {"south"}
    assert assessed.run == planned_at_last(sitting)


def test_what_was_decided_for_other_capabilities_than_the_last_is_decided_anew(sitting: Sitting, asked: Asked) -> None:
    planning = Planning(sitting)
    collected = collecting.collect_all(sitting)
    judgement = judge_collected(sitting, collected)
    for judged in judgement.judged:
        able = judged.issue.ref.tracker == "south"
        planning.take(judged, Capabilities(server="Memory", web_links=True, priorities=able, internal_comments=True))
    asked.clear()
    run = planning.end(collected, judgement)
    assert [(key, where and where.priorities) for key, where in asked] == [("CAR-1", True), ("CAR-2", True)]
    assert run == planned_at_last(sitting)


def test_a_defect_met_while_issues_are_read_shows_when_all_of_them_are(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tripping(*_: object) -> Decided:
        raise ZeroDivisionError

    monkeypatch.setattr(plan, "decide", tripping)
    with pytest.raises(ZeroDivisionError):
        assess(sitting)
    assert sitting.ledger.cursor("workshop", "north", "CAR") is not None, "what was read is kept"
