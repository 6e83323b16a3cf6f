"""What a clock says at an instant: statuses, due instants, pauses, goals that change, gaps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.issue import Gap, GapKind, State
from policies.verdict import Judged, ReasonCode, Status, judge
from tests.policies.build_issue import (
    AGENT,
    BOT,
    COLLEAGUE,
    CUSTOMER,
    DELETED,
    FIRST_RESPONSE,
    OWN,
    RESOLUTION,
    STRANGER,
    at,
    becomes,
    build_issue,
    build_pack,
    labels,
    reply,
    resolution,
    severity,
    verdict_of,
)

TICK = timedelta(microseconds=1)
WORK, RESOLVED, CANCELLED = State.IN_PROGRESS, State.RESOLVED, State.CANCELLED
WAITING, SUPPLIER = State.WAITING_FOR_CUSTOMER, State.WAITING_FOR_THIRD_PARTY
PACK = resolution()
HIGH_OR_NORMAL = [{"when": {"severity": "high"}, "within": "48h"}, {"within": "96h"}]
DAY = 24


def judged_at(issue: Any, pack: Any, now: datetime) -> Status:
    return judge(issue, pack, now)[-1].status


# ---------------------------------------------------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    ("now", "status", "reason"),
    [
        (at(0), Status.RUNNING, ReasonCode.WITHIN_GOAL),
        (at(36) - TICK, Status.RUNNING, ReasonCode.WITHIN_GOAL),
        (at(36), Status.AT_RISK, ReasonCode.PAST_THRESHOLD),
        (at(48), Status.AT_RISK, ReasonCode.PAST_THRESHOLD),
        (at(48) + TICK, Status.OVERDUE, ReasonCode.PAST_DUE),
    ],
)
def test_a_running_clock_changes_to_the_microsecond(now: datetime, status: Status, reason: ReasonCode) -> None:
    (verdict,) = judge(build_issue(), PACK, now)
    assert (verdict.status, verdict.reason.code) == (status, reason)


def test_stopped_exactly_when_due_is_met_and_a_second_later_is_missed() -> None:
    in_time, late = build_issue(becomes(48, RESOLVED)), build_issue(becomes(48 + 1 / 3600, RESOLVED))
    assert verdict_of(in_time, PACK, 500).status is Status.MET
    assert verdict_of(late, PACK, 500).status is Status.MISSED
    assert verdict_of(late, PACK, 500).left == timedelta(seconds=-1)


def test_a_verdict_carries_what_it_rests_on() -> None:
    verdict = verdict_of(build_issue(becomes(10, RESOLVED)), PACK, 500)
    assert verdict.reason.clause == "clocks.resolution.goals[0]"
    assert verdict.reason.evidence == ("opened", "state-10-resolved")
    assert (verdict.policy, verdict.digest, verdict.calendar) == ("trial@1", PACK.digest, "always")
    assert (verdict.started_at, verdict.stopped_at, verdict.due_at) == (at(0), at(10), at(48))
    assert (verdict.used, verdict.gross, verdict.left) == (timedelta(hours=10),) * 2 + (timedelta(hours=38),)
    assert verdict.next_change_at is None


def test_an_issue_given_up_is_cancelled_and_not_missed() -> None:
    verdict = verdict_of(build_issue(becomes(10, CANCELLED)), PACK, 500)
    assert (verdict.status, verdict.reason.code) == (Status.CANCELLED, ReasonCode.ISSUE_CANCELLED)
    assert verdict.reason.evidence == ("opened", "state-10-cancelled")


def test_a_clock_that_has_not_begun_and_one_without_a_goal_do_not_apply() -> None:
    waiting = verdict_of(build_issue(), resolution(start="accepted"), 500)
    assert (waiting.status, waiting.reason.code) == (Status.NOT_APPLICABLE, ReasonCode.NOT_STARTED)
    none = verdict_of(build_issue(), resolution(goals=[{"when": {"severity": "high"}, "within": "1h"}]), 500)
    assert (none.status, none.reason.code, none.left) == (Status.NOT_APPLICABLE, ReasonCode.NO_GOAL, None)


def test_ahead_of_the_opening_nothing_has_begun() -> None:
    issue = build_issue(becomes(5, WAITING), reply(6), becomes(7, RESOLVED, WAITING))
    assert verdict_of(issue, PACK, -1).status is Status.NOT_APPLICABLE


def test_what_happened_later_than_now_is_not_seen() -> None:
    issue = build_issue(becomes(5, WAITING), becomes(7, RESOLVED, WAITING), severity=None)
    assert verdict_of(issue, PACK, 4) == verdict_of(build_issue(), PACK, 4)


def test_each_cycle_has_its_verdict_and_the_last_one_stands() -> None:
    issue = build_issue(becomes(10, RESOLVED), becomes(500, WORK, RESOLVED))
    verdicts = judge(issue, PACK, at(600))
    assert [(verdict.cycle, verdict.status) for verdict in verdicts] == [(1, Status.MET), (2, Status.OVERDUE)]
    judged = Judged(issue, verdicts)
    assert judged.standing() == (verdicts[1],)
    assert judged.of("resolution") == verdicts[1]
    assert judged.of("unknown") is None
    assert judged.open


# ---------------------------------------------------------------------------------------------------- first response


@pytest.mark.parametrize("person", [BOT, OWN, CUSTOMER, COLLEAGUE, STRANGER, DELETED])
def test_only_a_responder_answers(person: Any) -> None:
    pack = build_pack(first_response=FIRST_RESPONSE)
    assert verdict_of(build_issue(reply(1, person)), pack, 500).status is Status.OVERDUE
    met = verdict_of(build_issue(reply(1, person), reply(2, AGENT, name="answer")), pack, 500)
    assert (met.status, met.reason.evidence) == (Status.MET, ("opened", "answer"))


def test_a_hidden_note_is_no_answer() -> None:
    pack = build_pack(first_response=FIRST_RESPONSE)
    assert verdict_of(build_issue(reply(1, public=False)), pack, 500).status is Status.OVERDUE


def test_opened_by_an_agent_the_next_public_reply_counts() -> None:
    pack = build_pack(first_response=FIRST_RESPONSE)
    assert verdict_of(build_issue(reply(1), reporter=AGENT), pack, 500).status is Status.MET


# ------------------------------------------------------------------------------------------------------------ pauses


def test_a_pause_still_open_is_paused_with_the_earliest_possible_due_instant() -> None:
    issue = build_issue(becomes(10, WAITING))
    verdict = verdict_of(issue, PACK, 1000)
    assert (verdict.status, verdict.reason.detail) == (Status.PAUSED, "awaiting customer")
    assert verdict.due_at == at(1000 + 38)
    assert (verdict.used, verdict.gross) == (timedelta(hours=10), timedelta(hours=1000))
    assert verdict.next_change_at is None


def test_two_pauses_in_one_minute_both_count() -> None:
    second = 1 / 3600
    issue = build_issue(
        becomes(1, WAITING),
        becomes(1 + 10 * second, WORK, WAITING),
        becomes(1 + 20 * second, WAITING, WORK),
        becomes(1 + 30 * second, WORK, WAITING),
    )
    assert verdict_of(issue, PACK, 2).due_at == at(48) + timedelta(seconds=20)


def test_pauses_that_overlap_count_once() -> None:
    pack = resolution(pause=[*RESOLUTION["pause"], {"when": {"label": "hold"}, "reason": "on hold"}])
    issue = build_issue(
        becomes(10, SUPPLIER), labels(12, added=("hold",)), becomes(16, WORK, SUPPLIER), labels(20, removed=("hold",))
    )
    verdict = verdict_of(issue, pack, 21)
    assert len(verdict.pauses) == 2
    assert verdict.due_at == at(58)
    assert verdict.used == timedelta(hours=11)


def test_the_customers_reply_ends_the_pause_and_the_clock_runs() -> None:
    issue = build_issue(becomes(10, WAITING), reply(14, CUSTOMER))
    verdict = verdict_of(issue, PACK, 15)
    assert (verdict.status, verdict.due_at) == (Status.RUNNING, at(52))


def test_a_pause_that_begins_when_due_or_later_changes_nothing() -> None:
    for hour in (48, 49):
        verdict = verdict_of(build_issue(becomes(hour, WAITING)), PACK, 60)
        assert (verdict.status, verdict.due_at) == (Status.OVERDUE, at(48))


def test_a_pause_that_begins_a_second_before_the_due_instant_keeps_that_second() -> None:
    issue = build_issue(becomes(48 - 1 / 3600, WAITING), becomes(60, WORK, WAITING))
    assert verdict_of(issue, PACK, 59).status is Status.PAUSED
    assert verdict_of(issue, PACK, 60).due_at == at(60) + timedelta(seconds=1)


def test_a_pause_over_the_weekend_takes_only_working_time_from_a_goal_in_days() -> None:
    pack = resolution(goals=[{"within": "5bd"}])
    friday = 4 * DAY
    issue = build_issue(becomes(friday + 8, WAITING), becomes(7 * DAY + 1, WORK, WAITING))
    assert verdict_of(build_issue(), pack, 1).due_at == at(7 * DAY)
    assert verdict_of(issue, pack, 7 * DAY + 2).due_at == at(7 * DAY + 2)


def test_a_clock_that_is_paused_from_an_opening_on_is_never_overdue() -> None:
    # Five days from Monday 09:00 are due at Monday 09:00; nothing is left of them since Friday's closing.
    pack = resolution(goals=[{"within": "5bd"}])
    issue = build_issue(becomes(6 * DAY, WAITING))
    for hour in (7 * DAY - 1, 7 * DAY, 7 * DAY + 1, 7 * DAY + 9, 7 * DAY + 20, 20 * DAY):
        assert verdict_of(issue, pack, hour).status is Status.PAUSED


def test_reopened_three_times_the_closed_time_is_left_out() -> None:
    issue = build_issue(
        becomes(10, RESOLVED),
        becomes(20, WORK, RESOLVED),
        becomes(30, RESOLVED, WORK),
        becomes(45, WORK, RESOLVED),
        becomes(50, RESOLVED, WORK),
        becomes(51, WORK, RESOLVED),
    )
    verdict = verdict_of(issue, PACK, 52)
    assert (verdict.cycle, verdict.due_at, verdict.used) == (1, at(48 + 26), timedelta(hours=26))


# ------------------------------------------------------------------------------------------------ goals that change


def retargeted(hour: float, before: str, after: str, now: float, *more: Any, **words: Any) -> tuple[Status, Any]:
    pack = resolution(goals=HIGH_OR_NORMAL, floor="4h", **words)
    verdict = verdict_of(build_issue(severity(hour, after, before), *more), pack, now)
    return verdict.status, verdict.due_at


def test_a_goal_that_becomes_shorter_counts_from_the_start() -> None:
    assert retargeted(10, "normal", "high", 11) == (Status.RUNNING, at(48))


def test_a_goal_that_becomes_shorter_leaves_the_floor() -> None:
    assert retargeted(60, "normal", "high", 61) == (Status.AT_RISK, at(64))


def test_a_goal_that_becomes_shorter_never_asks_for_more_than_was_promised() -> None:
    assert retargeted(94, "normal", "high", 95) == (Status.AT_RISK, at(96))


def test_a_goal_that_becomes_longer_relaxes() -> None:
    assert retargeted(10, "high", "normal", 50) == (Status.RUNNING, at(96))


def test_a_breach_that_has_happened_stays_when_the_goal_becomes_longer() -> None:
    assert retargeted(48, "high", "normal", 50) == (Status.RUNNING, at(96))
    assert retargeted(48 + 1 / 3600, "high", "normal", 50) == (Status.OVERDUE, at(48))


def test_a_breach_stays_when_there_is_no_goal_any_more() -> None:
    pack = resolution(goals=[{"when": {"severity": "high"}, "within": "48h"}])
    assert verdict_of(build_issue(severity(49, None, "high")), pack, 60).status is Status.OVERDUE
    assert verdict_of(build_issue(severity(47, None, "high")), pack, 60).status is Status.NOT_APPLICABLE


def test_from_the_start_asks_what_the_new_goal_says_even_where_that_is_past() -> None:
    assert retargeted(60, "normal", "high", 61, on_retarget="from_start") == (Status.OVERDUE, at(48))


def test_from_the_change_gives_the_whole_new_goal() -> None:
    assert retargeted(60, "normal", "high", 61, on_retarget="from_change") == (Status.RUNNING, at(108))


def test_a_changed_goal_keeps_the_pauses() -> None:
    paused = (becomes(10, WAITING), becomes(20, WORK, WAITING))
    assert retargeted(30, "normal", "high", 31, *paused) == (Status.RUNNING, at(58))
    assert retargeted(30, "normal", "high", 31, *paused, on_retarget="from_change") == (Status.RUNNING, at(78))


def test_a_pause_across_the_change_counts_from_the_change_where_the_goal_does() -> None:
    paused = (becomes(10, WAITING), becomes(40, WORK, WAITING))
    assert retargeted(30, "normal", "high", 41, *paused, on_retarget="from_change") == (Status.RUNNING, at(88))
    assert retargeted(30, "normal", "high", 41, *paused) == (Status.RUNNING, at(78))


def test_a_goal_that_changes_during_an_open_pause_stays_paused() -> None:
    assert retargeted(90, "normal", "high", 200, becomes(10, WAITING))[0] is Status.PAUSED


# -------------------------------------------------------------------------------------------------------------- gaps


@pytest.mark.parametrize(
    ("kind", "events", "response", "solved"),
    [
        (GapKind.HISTORY, (), Status.OVERDUE, Status.INDETERMINATE),
        (GapKind.CREATION, (reply(1),), Status.MET, Status.INDETERMINATE),
        (GapKind.LINKS, (), Status.OVERDUE, Status.OVERDUE),
        (GapKind.COMMENTS, (), Status.INDETERMINATE, Status.OVERDUE),
        (GapKind.COMMENTS, (reply(1),), Status.MET, Status.OVERDUE),
        (GapKind.COMMENTS, (reply(100),), Status.INDETERMINATE, Status.OVERDUE),
        (GapKind.COMMENTS, (becomes(1, WAITING),), Status.INDETERMINATE, Status.INDETERMINATE),
        (GapKind.COMMENTS, (becomes(1, SUPPLIER),), Status.INDETERMINATE, Status.PAUSED),
        (GapKind.COMMENTS, (becomes(1, WAITING), becomes(9, WORK, WAITING)), Status.INDETERMINATE, Status.OVERDUE),
    ],
)
def test_a_gap_leaves_undecided_what_needs_it(
    kind: GapKind, events: tuple[Any, ...], response: Status, solved: Status
) -> None:
    pack = build_pack(first_response=FIRST_RESPONSE, resolution=RESOLUTION)
    issue = build_issue(*events, gaps=(Gap(kind, "1 of 2 entries"),))
    judged = Judged(issue, judge(issue, pack, at(500)))
    assert [verdict.status for verdict in judged.standing()] == [response, solved]
    for verdict in judged.standing():
        if verdict.status is Status.INDETERMINATE:
            assert (verdict.reason.code, verdict.reason.detail) == (ReasonCode.HISTORY_GAP, "1 of 2 entries")
            assert verdict.next_change_at is None


# ------------------------------------------------------------------------------------------- what comes by itself


def test_the_next_change_is_the_first_threshold_to_come_then_the_instant_past_due() -> None:
    ladder = {
        "do": "escalate",
        "clock": "resolution",
        "levels": [{"at": "50%", "tier": "L2"}, {"at": "150%", "tier": "L3"}],
    }
    pack = build_pack((ladder,))
    found = [verdict_of(build_issue(), pack, hour).next_change_at for hour in (0, 24, 36, 48, 49, 72)]
    assert found == [at(24), at(36), at(48) + TICK, at(48) + TICK, at(72), None]


def test_thresholds_count_the_promised_time_without_the_pauses() -> None:
    issue = build_issue(becomes(10, WAITING), becomes(20, WORK, WAITING))
    verdict = verdict_of(issue, PACK, 30)
    assert dict(verdict.thresholds) == {"75%": at(46)}
    assert (verdict.due_at, verdict.next_change_at) == (at(58), at(46))


def test_behind_an_open_pause_no_threshold_is_known() -> None:
    assert verdict_of(build_issue(becomes(10, WAITING)), PACK, 30).thresholds == ()
    assert dict(verdict_of(build_issue(becomes(40, WAITING)), PACK, 50).thresholds) == {"75%": at(36)}


def test_a_whole_goal_in_days_is_used_up_when_it_is_due_and_not_at_the_closing_before() -> None:
    ladder = {"do": "escalate", "clock": "resolution", "levels": [{"at": "100%", "tier": "L3"}]}
    pack = build_pack((ladder,), resolution={**RESOLUTION, "goals": [{"within": "5bd"}]})
    verdict = verdict_of(build_issue(), pack, 1)
    assert dict(verdict.thresholds)["100%"] == verdict.due_at == at(7 * DAY)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(TypeError):
        judge(build_issue(), PACK, datetime(2026, 3, 3))  # noqa: DTZ001 - naive on purpose
