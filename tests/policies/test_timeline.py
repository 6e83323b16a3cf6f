"""An issue's story: every event told, every stretch a clock ran, and where it stood still."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from policies.coverage import Decision
from policies.issue import (
    Actor,
    AssigneeChanged,
    CategoryChanged,
    Commented,
    ComponentsChanged,
    CoverageChanged,
    DueDateChanged,
    FixReleased,
    FixVersionsChanged,
    LabelsChanged,
    Moved,
    PriorityChanged,
    SeverityChanged,
    State,
    StateChanged,
    StatusChanged,
    TierChanged,
    TypeChanged,
    Word,
)
from policies.timeline import Kind, Line, timeline
from policies.verdict import judge
from tests.policies.build_issue import (
    AGENT,
    CUSTOMER,
    FIRST_RESPONSE,
    RESOLUTION,
    STRANGER,
    at,
    becomes,
    build_issue,
    build_pack,
    reply,
    resolution,
)

if TYPE_CHECKING:
    from policies.issue import Event, Issue
    from policies.pack import PolicyPack

HOUR = timedelta(hours=1)
WAITING = State.WAITING_FOR_CUSTOMER


def story(issue: Issue, hour: float, pack: PolicyPack | None = None) -> list[Line]:
    return list(timeline(issue, pack or resolution(), at(hour)))


def of(kind: Kind, lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.kind is kind]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Commented(id="e", at=at(1), actor=AGENT, comment="1", public=True), "public comment"),
        (Commented(id="e", at=at(1), actor=AGENT, comment="1", public=False), "internal comment"),
        (StatusChanged(id="e", at=at(1), before=None, after=Word("2", "Doing")), "status none -> Doing"),
        (StateChanged(id="e", at=at(1), before=None, after=State.ACCEPTED), "state ? -> accepted"),
        (StateChanged(id="e", at=at(1), before=State.OPEN, after=State.ACCEPTED), "state open -> accepted"),
        (LabelsChanged(id="e", at=at(1), added=("vip",), removed=("late", "old")), "labels +vip -late -old"),
        (PriorityChanged(id="e", at=at(1), before=Word("3", "Low"), after=None), "priority Low -> none"),
        (TypeChanged(id="e", at=at(1), before=None, after=Word("1", "Bug")), "type none -> Bug"),
        (SeverityChanged(id="e", at=at(1), before=None, after="high"), "severity none -> high"),
        (CategoryChanged(id="e", at=at(1), before="defect", after=None), "category defect -> none"),
        (CoverageChanged(id="e", at=at(1), before=Decision.IN, after=Decision.OUT), "coverage in -> out"),
        (AssigneeChanged(id="e", at=at(1), before=None, after="amy"), "assignee none -> amy"),
        (TierChanged(id="e", at=at(1), before="L1", after=None), "handed over L1 -> no tier"),
        (TierChanged(id="e", at=at(1), before=None, after="L2"), "handed over no tier -> L2"),
        (DueDateChanged(id="e", at=at(1), before=None, after=date(2026, 3, 9)), "due date none -> 2026-03-09"),
        (DueDateChanged(id="e", at=at(1), before=date(2026, 3, 9), after=None), "due date 2026-03-09 -> none"),
        (FixVersionsChanged(id="e", at=at(1), added=("1.5",), removed=("1.4",)), "fix versions +1.5 -1.4"),
        (ComponentsChanged(id="e", at=at(1), added=("radio",), removed=("engine",)), "components +radio -engine"),
        (Moved(id="e", at=at(1), before="OLD-1", after="CAR-1"), "moved OLD-1 -> CAR-1"),
        (FixReleased(id="e", at=at(1), release="1.4.2"), "fix released in 1.4.2"),
    ],
)
def test_each_kind_of_event_is_told_in_words(event: Event, told: str) -> None:
    (line,) = (line for line in story(build_issue(event), 2) if line.evidence == "e")
    assert (line.text, line.at, line.kind) == (told, at(1), Kind.EVENT)


def test_a_person_is_named_with_the_role_where_both_are_known() -> None:
    nameless = Actor(id="amy7")
    issue = build_issue(reply(1), reply(2, nameless), reply(3, Actor(id="")))
    assert [line.who for line in of(Kind.EVENT, story(issue, 4))] == [
        "Chen (customer)",
        "Amy (responder)",
        "amy7",
        "",
    ]
    assert of(Kind.EVENT, story(build_issue(reply(1, STRANGER)), 4))[-1].who == "nobody-knows"


def test_what_happens_later_is_no_part_of_the_story() -> None:
    assert [line.text for line in of(Kind.EVENT, story(build_issue(reply(5)), 4))] == ["opened"]


def test_a_clock_that_never_started_or_has_no_goal_has_no_lines() -> None:
    accepted = resolution(start="accepted")
    assert {line.kind for line in story(build_issue(), 4, accepted)} == {Kind.EVENT, Kind.NOW}
    urgent_only = resolution(goals=[{"when": {"severity": "urgent"}, "within": "4h"}])
    assert {line.kind for line in story(build_issue(), 4, urgent_only)} == {Kind.EVENT, Kind.NOW}


def test_a_pause_parts_the_stretches_in_which_a_clock_ran() -> None:
    issue = build_issue(
        becomes(2, WAITING), becomes(5, State.IN_PROGRESS, WAITING), becomes(9, State.RESOLVED, State.IN_PROGRESS)
    )
    lines = story(issue, 20)
    assert [(line.at, line.until, line.worked) for line in of(Kind.WORKING, lines)] == [
        (at(0), at(2), 2 * HOUR),
        (at(5), at(9), 4 * HOUR),
    ]
    (paused,) = of(Kind.PAUSED, lines)
    assert (paused.at, paused.until, paused.text) == (at(2), at(5), "paused: awaiting customer, customer's turn")
    assert [line.at for line in of(Kind.DUE, lines)] == [at(51)]
    assert [(line.at, line.text) for line in of(Kind.STOP, lines)] == [(at(9), "stops: met")]


def test_a_clock_that_waits_from_its_start_has_not_run_and_is_due_nobody_knows_when() -> None:
    lines = story(build_issue(becomes(0, WAITING)), 4)
    assert of(Kind.WORKING, lines) == []
    assert of(Kind.DUE, lines) == []
    (paused,) = of(Kind.PAUSED, lines)
    assert paused.until is None


def test_time_while_an_issue_stood_closed_is_nobodys_turn_and_a_second_cycle_says_that_it_is_one() -> None:
    back = build_issue(becomes(5, State.RESOLVED), becomes(7, State.IN_PROGRESS, State.RESOLVED))
    assert [line.text for line in of(Kind.PAUSED, story(back, 9))] == ["paused: closed"]
    late = build_issue(becomes(5, State.RESOLVED), becomes(400, State.IN_PROGRESS, State.RESOLVED))
    starts = [line.text for line in of(Kind.START, story(late, 401))]
    assert starts == ["starts, promised within 48h", "starts (cycle 2), promised within 48h"]


def test_a_clock_of_working_time_runs_while_its_calendar_is_open() -> None:
    pack = build_pack(resolution={**RESOLUTION, "goals": [{"within": "5bd"}]})
    working = of(Kind.WORKING, story(build_issue(), 26, pack))
    assert [(line.at, line.until) for line in working] == [
        (at(0), at(3)),
        (at(4), at(9)),
        (at(24), at(26)),
    ]
    assert [line.worked for line in working] == [3 * HOUR, 5 * HOUR, 2 * HOUR]


def test_years_of_working_days_are_folded_into_one_last_line() -> None:
    pack = build_pack(resolution={**RESOLUTION, "goals": [{"within": "5bd"}]})
    hours = 24 * 7 * 60
    working = of(Kind.WORKING, story(build_issue(), hours, pack))
    assert len(working) == 401
    assert (working[-1].text, working[-1].until) == ("runs, day after day", at(hours))
    assert sum((line.worked or timedelta() for line in working), timedelta()) == 60 * 40 * HOUR


def test_a_clock_that_was_given_up_runs_no_further() -> None:
    lines = story(build_issue(becomes(6, State.CANCELLED)), 30)
    assert [(line.at, line.until) for line in of(Kind.WORKING, lines)] == [(at(0), at(6))]


def test_the_verdicts_that_are_handed_in_are_the_ones_told() -> None:
    issue, pack = build_issue(reply(1)), build_pack(first_response=FIRST_RESPONSE, resolution=RESOLUTION)
    only = [verdict for verdict in judge(issue, pack, at(2)) if verdict.clock == "first_response"]
    told = timeline(issue, pack, at(2), only)
    assert {line.clock for line in told} == {"", "first_response"}
    assert timeline(issue, pack, at(2)) == timeline(issue, pack, at(2), judge(issue, pack, at(2)))


def test_lines_of_one_instant_stand_in_the_order_of_their_kinds() -> None:
    lines = [line for line in story(build_issue(reply(0, CUSTOMER)), 0) if line.at == at(0)]
    assert [line.kind for line in lines] == [Kind.EVENT, Kind.EVENT, Kind.START, Kind.NOW]
