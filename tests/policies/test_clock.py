"""The cycles a clock ran through: starts, stops, pauses, goals, reopenings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from policies.clock import Clock
from policies.cycle import Cycle, Pause, cycles, merged
from policies.duration import ElapsedTime
from policies.history import moments
from policies.issue import Issue, State
from tests.policies.build_issue import (
    AGENT,
    COLLEAGUE,
    CUSTOMER,
    FIRST_RESPONSE,
    OWN,
    RESOLUTION,
    at,
    becomes,
    build_issue,
    labels,
    released,
    reply,
    severity,
)

OPEN, ACCEPTED, WORK = State.OPEN, State.ACCEPTED, State.IN_PROGRESS
WAITING, SUPPLIER = State.WAITING_FOR_CUSTOMER, State.WAITING_FOR_THIRD_PARTY
RESOLVED, CLOSED, CANCELLED = State.RESOLVED, State.CLOSED, State.CANCELLED


def ran(issue: Issue, hour: float = 1000, **words: Any) -> tuple[Cycle, ...]:
    clock = Clock.model_validate({**RESOLUTION, **words})
    return cycles(clock, issue, moments(issue), at(hour))


def stretches(cycle: Cycle) -> list[tuple[datetime, datetime | None, str]]:
    return [(pause.since, pause.until, pause.reason) for pause in cycle.pauses]


# --------------------------------------------------------------------------------------------------- start and stop


def test_a_clock_starts_at_the_opening_and_stops_at_its_condition() -> None:
    (cycle,) = ran(build_issue(becomes(5, RESOLVED)))
    assert (cycle.started_at, cycle.start_evidence) == (at(0), ("opened",))
    assert (cycle.stopped_at, cycle.stop_evidence) == (at(5), ("state-5-resolved",))


def test_nothing_that_happened_after_now_is_seen() -> None:
    issue = build_issue(becomes(5, WAITING), becomes(6, RESOLVED, WAITING), reply(7), released(8))
    (cycle,) = ran(issue, 4)
    assert (cycle.stopped_at, cycle.pauses) == (None, ())
    assert ran(issue, 4, **FIRST_RESPONSE)[0].stopped_at is None
    assert ran(issue, 7.9, stop="patch_released")[0].stopped_at is None
    assert ran(issue, -0.1) == ()


def test_an_accepted_start_is_the_first_state_that_is_not_open() -> None:
    assert ran(build_issue(reply(1)), start="accepted") == ()
    (cycle,) = ran(build_issue(becomes(2, ACCEPTED), becomes(3, RESOLVED, ACCEPTED)), start="accepted")
    assert (cycle.started_at, cycle.start_evidence, cycle.stopped_at) == (at(2), ("state-2-accepted",), at(3))


def test_an_issue_resolved_at_once_starts_and_stops_in_one_instant() -> None:
    (cycle,) = ran(build_issue(becomes(2, RESOLVED)), start="accepted")
    assert (cycle.started_at, cycle.stopped_at) == (at(2), at(2))


def test_a_start_by_condition_leaves_out_a_stop_ahead_of_it() -> None:
    issue = build_issue(becomes(1, RESOLVED), becomes(2, WORK, RESOLVED), labels(3, added=("vip",)))
    (cycle,) = ran(issue, start={"label": "vip"})
    assert (cycle.number, cycle.started_at, cycle.stopped_at) == (1, at(3), None)


def test_a_start_while_the_stop_holds_already_is_a_stop_at_the_start() -> None:
    issue = build_issue(becomes(1, RESOLVED), labels(3, added=("vip",)), labels=frozenset({"vip"}))
    (cycle,) = ran(issue, start={"label": "vip"})
    assert (cycle.started_at, cycle.stopped_at) == (at(3), at(3))


def test_the_fix_is_released_at_the_publication_and_not_when_the_issue_is_done() -> None:
    (cycle,) = ran(build_issue(becomes(1, RESOLVED), released(9)), stop="patch_released", pause=[])
    assert (cycle.stopped_at, cycle.stop_evidence) == (at(9), ("release-1.4.2",))


def test_resolved_then_given_up_stays_resolved() -> None:
    (cycle,) = ran(build_issue(becomes(1, RESOLVED), becomes(2, CANCELLED, RESOLVED)))
    assert (cycle.stopped_at, cycle.cancelled_at) == (at(1), None)


def test_an_issue_given_up_ends_the_cycle_and_what_comes_after_is_no_part_of_it() -> None:
    issue = build_issue(
        becomes(1, CANCELLED), labels(2, added=("hold",)), labels(3, removed=("hold",)), severity(4, "high", "normal")
    )
    rule = {"when": {"label": "hold"}, "reason": "on hold"}
    goals = [{"when": {"severity": "high"}, "within": "1h"}, {"within": "48h"}]
    (cycle,) = ran(issue, pause=[rule], goals=goals)
    assert (cycle.cancelled_at, cycle.cancelled_by) == (at(1), ("state-1-cancelled",))
    assert cycle.pauses == ()
    assert [segment.goal for segment in cycle.segments] == [1]


def test_an_issue_taken_up_again_goes_on_the_time_given_up_left_out() -> None:
    (cycle,) = ran(build_issue(becomes(1, CANCELLED), becomes(5, WORK, CANCELLED)))
    assert cycle.cancelled_at is None
    assert stretches(cycle) == [(at(1), at(5), "cancelled")]


# ------------------------------------------------------------------------------------------------------------ pauses


def test_two_pauses_in_one_minute_are_two_pauses() -> None:
    second = 1 / 3600
    issue = build_issue(
        becomes(1, WAITING),
        becomes(1 + 10 * second, WORK, WAITING),
        becomes(1 + 20 * second, WAITING, WORK),
        becomes(1 + 30 * second, WORK, WAITING),
    )
    (cycle,) = ran(issue)
    assert len(cycle.pauses) == 2
    assert sum(((p.until or at(0)) - p.since for p in cycle.pauses), timedelta()) == timedelta(seconds=20)


def test_a_pause_still_open_has_no_end() -> None:
    (cycle,) = ran(build_issue(becomes(1, SUPPLIER)))
    (pause,) = cycle.pauses
    assert (pause.until, pause.party, pause.evidence) == (None, "third_party", ("state-1-waiting_for_third_party",))


@pytest.mark.parametrize("customer", [CUSTOMER, COLLEAGUE])
def test_a_customers_public_word_ends_a_pause_whatever_the_status_still_says(customer: Any) -> None:
    answer = reply(3, customer, name="answer")
    (cycle,) = ran(build_issue(becomes(1, WAITING), answer, reply(4, customer)))
    assert stretches(cycle) == [(at(1), at(3), "awaiting customer")]
    assert cycle.pauses[0].evidence == ("state-1-waiting_for_customer", "answer")


@pytest.mark.parametrize("answer", [reply(3, AGENT), reply(3, OWN), reply(3, CUSTOMER, public=False)])
def test_nobody_elses_word_and_no_hidden_one_ends_a_pause(answer: Any) -> None:
    (cycle,) = ran(build_issue(becomes(1, WAITING), answer))
    assert cycle.pauses[0].until is None


def test_our_own_comment_ends_no_pause_even_where_we_reported() -> None:
    (cycle,) = ran(build_issue(becomes(1, WAITING), reply(3, OWN), reporter=OWN))
    assert cycle.pauses[0].until is None


def test_a_customers_word_does_not_end_a_pause_for_somebody_else() -> None:
    (cycle,) = ran(build_issue(becomes(1, SUPPLIER), reply(3, CUSTOMER)))
    assert cycle.pauses[0].until is None


def test_in_one_instant_the_customers_word_comes_before_the_pause() -> None:
    (cycle,) = ran(build_issue(becomes(1, WAITING), reply(1, CUSTOMER)))
    assert cycle.pauses[0].until is None


def test_in_one_instant_a_pause_that_ends_and_begins_is_one_pause() -> None:
    issue = build_issue(becomes(1, WAITING), becomes(2, WORK, WAITING), becomes(2, WAITING, WORK))
    assert [(p.since, p.until) for p in ran(issue)[0].pauses] == [(at(1), None)]


def test_a_pause_that_would_begin_as_the_clock_stops_is_none() -> None:
    rule = {"when": {"label": "hold"}, "reason": "on hold"}
    (cycle,) = ran(build_issue(labels(5, added=("hold",)), becomes(5, RESOLVED)), pause=[rule])
    assert (cycle.stopped_at, cycle.pauses) == (at(5), ())


def test_a_pause_ends_where_the_clock_stops_and_begins_with_the_clock() -> None:
    rule = {"when": {"label": "hold"}, "reason": "on hold"}
    issue = build_issue(becomes(2, ACCEPTED), becomes(5, RESOLVED, ACCEPTED), labels=frozenset({"hold"}))
    (cycle,) = ran(issue, start="accepted", pause=[rule])
    assert stretches(cycle) == [(at(2), at(5), "on hold")]


def test_overlapping_pauses_are_merged_to_stretches() -> None:
    def pause(since: float, until: float | None) -> Pause:
        return Pause(at(since), at(until) if until is not None else None, "", "")

    pauses = (pause(5, 8), pause(1, 3), pause(2, 4), pause(4, 4.5), pause(7, None), pause(12, 13))
    assert merged(pauses, at(10)) == ((at(1), at(4.5)), (at(5), at(10)), (at(12), at(13)))
    assert merged((), at(10)) == ()
    assert merged((pause(11, None),), at(10)) == ()


# ---------------------------------------------------------------------------------------------------------- reopening


def test_reopened_three_times_within_the_window_is_one_cycle_the_closed_time_left_out() -> None:
    issue = build_issue(
        becomes(10, RESOLVED),
        becomes(20, WORK, RESOLVED),
        becomes(30, RESOLVED, WORK),
        becomes(45, WORK, RESOLVED),
        becomes(50, CLOSED, WORK),
        becomes(51, WORK, CLOSED),
    )
    (cycle,) = ran(issue)
    assert cycle.stopped_at is None
    assert stretches(cycle) == [(at(10), at(20), "closed"), (at(30), at(45), "closed"), (at(50), at(51), "closed")]


def test_the_window_is_closed_after_its_last_instant() -> None:
    in_time = build_issue(becomes(10, RESOLVED), becomes(10 + 168, WORK, RESOLVED))
    late = build_issue(becomes(10, RESOLVED), becomes(10 + 168 + 1 / 3600, WORK, RESOLVED))
    assert [cycle.number for cycle in ran(in_time)] == [1]
    assert [cycle.number for cycle in ran(late)] == [1, 2]


def test_a_new_cycle_starts_at_the_reopening_with_no_pauses_of_the_old_one() -> None:
    issue = build_issue(
        becomes(1, WAITING), becomes(2, WORK, WAITING), becomes(3, RESOLVED, WORK), becomes(4, WORK, RESOLVED)
    )
    first, second = ran(issue, reopen="new_cycle")
    assert (first.stopped_at, len(first.pauses)) == (at(3), 1)
    assert (second.started_at, second.start_evidence) == (at(4), ("state-4-in_progress",))
    assert (second.stopped_at, second.pauses) == (None, ())


def test_resumed_and_later_reopened_too_late_is_a_second_cycle() -> None:
    issue = build_issue(
        becomes(1, RESOLVED), becomes(2, WORK, RESOLVED), becomes(3, RESOLVED, WORK), becomes(500, WORK, RESOLVED)
    )
    first, second = ran(issue)
    assert (first.stopped_at, stretches(first)) == (at(3), [(at(1), at(2), "closed")])
    assert (second.number, second.started_at) == (2, at(500))


def test_with_reopenings_ignored_the_first_stop_stands() -> None:
    issue = build_issue(becomes(1, RESOLVED), becomes(2, WORK, RESOLVED))
    (cycle,) = ran(issue, reopen="ignore")
    assert cycle.stopped_at == at(1)


# --------------------------------------------------------------------------------------------------------- segments


def test_each_stretch_of_a_goal_is_a_segment() -> None:
    goals = [{"when": {"severity": "high"}, "within": "48h"}, {"when": {"severity": "normal"}, "within": "5bd"}]
    issue = build_issue(
        severity(1, "high", "normal"), severity(2, None, "high"), severity(3, "high", None), becomes(4, RESOLVED)
    )
    (cycle,) = ran(issue, goals=goals)
    assert [(segment.since, segment.goal) for segment in cycle.segments] == [
        (at(0), 1),
        (at(1), 0),
        (at(2), None),
        (at(3), 0),
    ]


def test_goals_ahead_of_the_start_and_after_the_stop_are_no_segments() -> None:
    goals = [{"when": {"severity": "high"}, "within": "48h"}, {"within": "5bd"}]
    issue = build_issue(
        severity(1, "high", "normal"),
        becomes(2, ACCEPTED),
        becomes(3, RESOLVED, ACCEPTED),
        severity(4, "normal", "high"),
    )
    (cycle,) = ran(issue, goals=goals, start="accepted")
    assert [(segment.since, segment.goal) for segment in cycle.segments] == [(at(2), 0)]


# ------------------------------------------------------------------------------------------------------------- shape


@pytest.mark.parametrize(
    "wrong",
    [
        {"verification_window": "7bd"},
        {"verification_window": 7},
        {"at_risk": 75},
        {"at_risk": "100%"},
        {"floor": "1d"},
        {"goals": []},
        {"goals": [{"within": "24h", "until": "close_of_business"}]},
        {"stop": "answered"},
        {"start": {}},
        {"reopen": "always"},
    ],
)
def test_a_clock_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Clock.model_validate({**RESOLUTION, **wrong})


def test_a_clock_is_written_as_it_is_read() -> None:
    clock = Clock.model_validate({**RESOLUTION, "at_risk": "60%", "verification_window": "24h"})
    assert clock.verification_window == ElapsedTime(24 * 60)
    assert Clock.model_validate(clock.model_dump(mode="json", by_alias=True, exclude_none=True)) == clock


@pytest.mark.parametrize(
    ("words", "reads"),
    [
        ({**FIRST_RESPONSE}, False),
        ({**FIRST_RESPONSE, "start": "accepted"}, True),
        ({**FIRST_RESPONSE, "goals": [{"when": {"severity": "high"}, "within": "4h"}]}, True),
        ({**FIRST_RESPONSE, "pause": RESOLUTION["pause"]}, True),
        ({**FIRST_RESPONSE, "stop": "patch_released"}, False),
        ({**RESOLUTION, "pause": []}, True),
    ],
)
def test_a_clock_knows_whether_it_rests_on_how_fields_changed(words: dict[str, Any], reads: bool) -> None:
    assert Clock.model_validate(words).reads_history is reads
