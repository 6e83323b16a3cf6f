"""Rules of the clocks that hold across several of their parts, one test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from policies.business_calendar import BusinessCalendar
from policies.cycle import cycles
from policies.history import moments
from policies.issue import Commented, Issue, Release, Role, State
from policies.local_span import hours
from policies.pack import PolicyPack
from policies.verdict import Status, judge
from tests.policies.build_issue import (
    AGENT,
    CUSTOMER,
    FIRST_RESPONSE,
    RESOLUTION,
    at,
    becomes,
    build_issue,
    build_pack,
    labels,
    office,
    reply,
    resolution,
    severity,
    verdict_of,
)

if TYPE_CHECKING:
    from policies.issue import Event

WAITING, RESOLVED, WORK = State.WAITING_FOR_CUSTOMER, State.RESOLVED, State.IN_PROGRESS


def counting_on(calendar: BusinessCalendar, within: str) -> PolicyPack:
    return resolution(goals=[{"within": within}]).with_calendars({"office": calendar})


# ---------------------------------------------------------------------------------------------------------- calendars


def test_a_clock_that_needs_a_year_its_calendar_does_not_cover_is_provisional() -> None:
    known = replace(office(), valid_from=date(2026, 1, 1), valid_through=date(2026, 3, 31))
    issue = build_issue()
    assert not verdict_of(issue, counting_on(known, "10bd"), 1).provisional
    assert verdict_of(issue, counting_on(known, "30bd"), 1).provisional
    later = replace(known, valid_from=date(2026, 3, 3))
    assert verdict_of(issue, counting_on(later, "10bd"), 1).provisional


def test_the_zone_that_counts_is_the_contracts_and_not_the_readers() -> None:
    elsewhere = replace(office(), zone="America/New_York")
    issue = build_issue()  # 09:00 in Shanghai, 20:00 of the day before in New York
    assert verdict_of(issue, counting_on(office(), "2bh"), 1).due_at == at(2)
    assert verdict_of(issue, counting_on(elsewhere, "2bh"), 1).due_at == at(15)
    local = [replace(event, at=event.at.astimezone(office().local(event.at).tzinfo)) for event in issue.events]
    assert judge(replace(issue, events=tuple(local)), counting_on(elsewhere, "2bh"), at(1)) == judge(
        issue, counting_on(elsewhere, "2bh"), at(1)
    )


def test_working_days_that_start_on_a_day_off_count_from_the_opening_of_the_next_working_day() -> None:
    saturday = build_issue(opened_at=at(5 * 24 + 3))
    assert verdict_of(saturday, counting_on(office(), "1bd"), 130).due_at == at(8 * 24)


# --------------------------------------------------------------------------------------------------------------- stop


@pytest.mark.parametrize(
    ("stop", "event"),
    [
        ({"label": "workaround::given"}, labels(5, added=("workaround::given",))),
        ({"label": "plan::delivered"}, labels(5, added=("plan::delivered",))),
        ({"state": "verified"}, becomes(5, State.VERIFIED)),
    ],
)
def test_a_workaround_a_plan_and_a_verification_are_states_or_labels_that_become_true(stop: Any, event: Any) -> None:
    found = verdict_of(build_issue(event), resolution(stop=stop), 6)
    assert (found.status, found.stopped_at, found.reason.evidence[-1:]) == (Status.MET, at(5), (event.id,))


# ------------------------------------------------------------------------------------------------------------- reopen


def test_reopened_within_the_window_the_fix_has_failed_and_the_time_closed_is_left_out() -> None:
    issue = build_issue(becomes(10, RESOLVED), becomes(30, WORK, RESOLVED))
    found = verdict_of(issue, resolution(), 31)
    assert (found.status, found.cycle, found.used, found.due_at) == (Status.RUNNING, 1, timedelta(hours=11), at(68))


def test_reopened_later_a_new_cycle_begins_and_the_verdict_of_the_old_one_stands() -> None:
    issue = build_issue(becomes(10, RESOLVED), becomes(10 + 7 * 24 + 1, WORK, RESOLVED))
    old, new = judge(issue, resolution(), at(200))
    assert (old.cycle, old.status, old.stopped_at) == (1, Status.MET, at(10))
    assert (new.cycle, new.status, new.started_at) == (2, Status.RUNNING, at(179))


def test_a_first_response_ignores_a_reopening() -> None:
    issue = build_issue(reply(2), becomes(10, RESOLVED), becomes(30, WORK, RESOLVED))
    (found,) = judge(issue, build_pack(first_response=FIRST_RESPONSE), at(40))
    assert (found.status, found.stopped_at) == (Status.MET, at(2))


# ------------------------------------------------------------------------------------------------------------ retarget


@pytest.mark.parametrize("changed", [1, 5, 20, 30, 47])
@pytest.mark.parametrize("goal", [2, 10, 24, 40])
def test_a_shorter_goal_is_never_due_later_than_promised_and_never_born_breached(changed: int, goal: int) -> None:
    goals = [{"when": {"severity": "urgent"}, "within": f"{goal}h"}, {"within": "48h"}]
    issue = build_issue(severity(changed, "urgent", "normal"))
    found = verdict_of(issue, resolution(goals=goals), changed)
    assert found.due_at == min(at(48), max(at(goal), at(changed + 1)))
    assert found.status in {Status.RUNNING, Status.AT_RISK}


# ------------------------------------------------------------------------------------------------------ order of events


def test_events_stand_in_one_total_order_of_instant_rank_and_id_whatever_order_they_come_in() -> None:
    events: tuple[Event, ...] = (
        reply(3, CUSTOMER, name="comment-100"),
        reply(3, AGENT, name="comment-99"),
        becomes(3, WORK),
        labels(3, added=("x",)),
        reply(2, AGENT, name="z"),
    )
    wanted = ["opened", "z", "labels-3", "state-3-in_progress", "comment-99", "comment-100"]
    for order in permutations(events):
        assert [event.id for event in build_issue(*order).events] == wanted
    assert [event.id for event in build_issue(*events, *events).events] == wanted


def ran(issue: Issue, hour: float, **changed: Any) -> Any:
    return cycles(resolution(**changed).clocks["resolution"], issue, moments(issue), at(hour))


def test_in_one_instant_a_clock_starts_before_it_stops() -> None:
    (cycle,) = ran(build_issue(becomes(5, RESOLVED)), 6, start={"not": {"state": "open"}})
    assert (cycle.started_at, cycle.stopped_at) == (at(5), at(5))


def test_in_one_instant_a_clock_resumes_before_it_pauses() -> None:
    back = [becomes(1, WAITING), becomes(5, WORK, WAITING), becomes(5, WAITING, WORK)]
    (cycle,) = ran(build_issue(*back), 6)
    assert [(pause.since, pause.until) for pause in cycle.pauses] == [(at(1), None)]


def test_in_one_instant_a_pause_ends_before_the_clock_stops() -> None:
    (cycle,) = ran(build_issue(becomes(1, WAITING), becomes(5, RESOLVED, WAITING)), 6)
    assert ([(pause.since, pause.until) for pause in cycle.pauses], cycle.stopped_at) == ([(at(1), at(5))], at(5))


def test_in_one_instant_a_clock_stops_before_it_starts_again() -> None:
    issue = build_issue(becomes(5, RESOLVED), becomes(197, WORK, RESOLVED))
    old, new = ran(issue, 200)
    assert (old.stopped_at, new.started_at, new.stopped_at) == (at(5), at(197), None)
    at_once = build_issue(becomes(5, RESOLVED), becomes(197, WORK, RESOLVED), becomes(197, RESOLVED, WORK))
    (only,) = ran(at_once, 200)
    assert only.stopped_at == at(5)


# ---------------------------------------------------------------------------------------------------------- construction


def test_naive_datetimes_are_refused_at_construction() -> None:
    naive = datetime(2026, 3, 2, 9)  # noqa: DTZ001  that it lacks a zone is what is tried
    with pytest.raises(ValueError, match="offset"):
        Commented(id="c", at=naive, actor=AGENT, comment="c", public=True, text="")
    with pytest.raises(ValueError, match="offset"):
        build_issue(opened_at=naive)
    with pytest.raises(ValueError, match="offset"):
        build_issue(reported_at=naive)
    with pytest.raises(ValueError, match="offset"):
        Release(tracker="here", project="CAR", name="1", published_at=naive)


# ------------------------------------------------------------------------------------------------------------- verdicts


def test_what_was_given_up_has_a_column_of_its_own_and_is_neither_met_nor_missed() -> None:
    found = verdict_of(build_issue(becomes(5, State.CANCELLED)), resolution(), 100)
    assert (found.status, found.reason.evidence) == (Status.CANCELLED, ("opened", "state-5-cancelled"))


def test_no_goal_is_not_a_goal_of_nothing() -> None:
    pack = resolution(goals=[{"when": {"severity": "urgent"}, "within": "48h"}])
    found = verdict_of(build_issue(), pack, 100)
    assert (found.status, found.goal, found.due_at, found.left) == (Status.NOT_APPLICABLE, None, None, None)
    assert found.reason.code.value


def test_hours_of_a_calendar_are_half_open() -> None:
    span = hours("09:00-12:00")
    calendar = BusinessCalendar(id="morning", zone="UTC", weekly={"mon": span})
    assert calendar.is_open(datetime.fromisoformat("2026-03-02T09:00:00+00:00"))
    assert not calendar.is_open(datetime.fromisoformat("2026-03-02T12:00:00+00:00"))


def test_a_person_who_is_no_responder_stops_no_clock() -> None:
    pack = build_pack(first_response=FIRST_RESPONSE, resolution=RESOLUTION)
    issue = build_issue(reply(2, replace(AGENT, role=Role.UNKNOWN)), reply(3, replace(AGENT, role=Role.BOT)))
    assert verdict_of(issue, pack, 4).stopped_at is None
