"""Pauses as intervals, and those that last longer than their rule allows.

The first tests are named after the rules of pauses, one by one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from policies.changes import UpsertComment, described
from policies.cycle import Pause
from policies.duration import ElapsedTime
from policies.issue import Actor, AssigneeChanged, Gap, GapKind, State
from policies.plan import Limits, Plan, plan
from policies.timeline import Kind, timeline
from policies.verdict import Judged, ReasonCode, Status, judge
from tests.policies.applied_changes import applied
from tests.policies.build_issue import (
    AGENT,
    CUSTOMER,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    reply,
    resolution,
    verdict_of,
)

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack

HERE = build_destination()
CUSTOMERS, SUPPLIERS, WORK = State.WAITING_FOR_CUSTOMER, State.WAITING_FOR_THIRD_PARTY, State.IN_PROGRESS
HOUR = timedelta(hours=1)
DAY = 24.0


def allowing(
    customer: str | None = "72h", supplier: str | None = None, within: str = "48h", **words: Any
) -> PolicyPack:
    """A resolution clock whose pauses may last so long, and a ladder that tells L2 of those that last longer."""
    rules = [
        {**rule, "longest": longest} for rule, longest in zip(RESOLUTION["pause"], (customer, supplier), strict=True)
    ]
    told = {
        "do": "escalate",
        "clock": "resolution",
        "levels": [{"at": "100%", "tier": "L3"}],
        "forgotten_pause": {"tier": "L2", **words},
    }
    clock = {**RESOLUTION, "pause": rules, "goals": [{"within": within}]}
    return build_pack((told, {"do": "comment"}), resolution=clock)


def planned(issue: Issue, pack: PolicyPack, hour: float) -> Plan:
    judged = Judged(issue, judge(issue, pack, at(hour)))
    return plan([judged], [pack], {"here": HERE}, limits=Limits(), now=at(hour))


def lines(issue: Issue, pack: PolicyPack, hour: float) -> list[str]:
    found = (line for each in planned(issue, pack, hour).changes for line in described(each.change))
    return [line for line in found if not line.startswith("comment ")]


def after_a_run(issue: Issue, pack: PolicyPack, hour: float) -> Issue:
    for each in planned(issue, pack, hour).changes:
        issue = applied(issue, each.change, at(hour), HERE)
    return issue


def given_to(issue: Issue, account: str, hour: float) -> Issue:
    before = issue.assignee.id if issue.assignee else None
    event = AssigneeChanged(id=f"by-hand-{hour}", at=at(hour), actor=AGENT, before=before, after=account)
    return replace(issue.with_events(event), assignee=Actor(id=account))


PARKED = build_issue(becomes(1, CUSTOMERS))
TOLD = ["assign to bob", "add label warranty::forgotten-pause"]

# ---------------------------------------------------------------------------------------------------------- the rules


def test_a_pause_is_an_interval_with_reason_party_and_evidence_and_never_a_sum() -> None:
    issue = build_issue(becomes(2, CUSTOMERS), becomes(5, WORK, CUSTOMERS), becomes(6, SUPPLIERS, WORK))
    assert verdict_of(issue, allowing(), 10).pauses == (
        Pause(
            at(2),
            at(5),
            "awaiting customer",
            "customer",
            ("state-2-waiting_for_customer", "state-5-in_progress"),
            ElapsedTime(72 * 60),
        ),
        Pause(at(6), None, "awaiting supplier", "third_party", ("state-6-waiting_for_third_party",)),
    )


def test_a_pause_still_open_is_a_pause_and_the_due_instant_shown_is_the_earliest_possible() -> None:
    found = [verdict_of(PARKED, allowing(), hour) for hour in (1, 2, 10)]
    assert [verdict.status for verdict in found] == [Status.PAUSED] * 3
    assert [verdict.due_at for verdict in found] == [at(48), at(49), at(57)]


def test_a_pause_ends_when_the_awaited_party_acts_whatever_the_status_still_says() -> None:
    answered = build_issue(becomes(1, CUSTOMERS), reply(5, CUSTOMER))
    assert verdict_of(answered, allowing(), 6).status is Status.RUNNING
    assert verdict_of(answered, allowing("4h"), 6).forgotten_at is None
    by_us = build_issue(becomes(1, CUSTOMERS), reply(5, AGENT))
    assert verdict_of(by_us, allowing(), 6).status is Status.PAUSED


def test_a_pause_never_unbreaches() -> None:
    late = build_issue(becomes(50, CUSTOMERS))
    verdict = verdict_of(late, allowing("1h"), 60)
    assert (verdict.status, verdict.due_at, verdict.forgotten_at) == (Status.OVERDUE, at(48), None)


def test_pause_time_is_clipped_to_working_time() -> None:
    # Eight working hours from Monday at nine; paused from Monday at five until Tuesday at ten: two working hours.
    issue = build_issue(becomes(8, CUSTOMERS), becomes(25, WORK, CUSTOMERS))
    verdict = verdict_of(issue, allowing(within="8bh"), 26)
    assert (verdict.due_at, verdict.used, verdict.gross) == (at(26), 8 * HOUR, 10 * HOUR)


def test_pauses_that_overlap_count_once() -> None:
    # While the supplier is awaited the state names one; a label names the other.
    rules = [*RESOLUTION["pause"], {"when": {"state": ["waiting_for_third_party"]}, "reason": "again", "party": "x"}]
    issue = build_issue(becomes(2, SUPPLIERS), becomes(6, WORK, SUPPLIERS))
    verdict = verdict_of(issue, resolution(pause=rules), 10)
    assert (len(verdict.pauses), verdict.used) == (2, 6 * HOUR)


def test_a_pause_longer_than_a_set_time_raises_its_own_escalation() -> None:
    assert lines(PARKED, allowing(), 72.9) == []
    assert lines(PARKED, allowing(), 73) == TOLD


def test_reports_show_both_figures_with_and_without_pauses() -> None:
    verdict = verdict_of(PARKED, allowing(), 11)
    assert (verdict.used, verdict.gross) == (HOUR, 11 * HOUR)


# ---------------------------------------------------------------------------------------------------- since when it is


@pytest.mark.parametrize(
    ("longest", "within", "hour"),
    [
        ("72h", "48h", 73),
        ("72h", "5bd", 73),
        ("8bh", "5bd", 25),
        ("8bh", "48h", 25),
        ("2bd", "5bd", 49),
        ("5bd", "48h", 7 * DAY + 1),
    ],
)
def test_what_a_pause_may_last_is_counted_on_the_goals_calendar(longest: str, within: str, hour: float) -> None:
    assert verdict_of(PARKED, allowing(longest, within=within), 2).forgotten_at == at(hour)


def test_a_forgotten_pause_is_the_next_change_of_a_paused_clock_while_it_lies_ahead() -> None:
    found = [verdict_of(PARKED, allowing(), hour) for hour in (2, 72.9, 73, 500)]
    assert [verdict.next_change_at for verdict in found] == [at(73), at(73), None, None]
    assert [verdict.forgotten_at for verdict in found] == [at(73)] * 4
    assert {verdict.status for verdict in found} == {Status.PAUSED}
    waiting, too_long = ReasonCode.WAITING, ReasonCode.WAITING_TOO_LONG
    assert [verdict.reason.code for verdict in found] == [waiting, waiting, too_long, too_long]


def test_a_pause_without_a_longest_is_never_forgotten() -> None:
    verdict = verdict_of(PARKED, allowing(None), 5000)
    assert (verdict.forgotten_at, verdict.next_change_at, verdict.reason.code) == (None, None, ReasonCode.WAITING)


def test_each_pause_counts_from_its_own_beginning() -> None:
    handed_on = build_issue(becomes(1, CUSTOMERS), becomes(60, SUPPLIERS, CUSTOMERS))
    verdict = verdict_of(handed_on, allowing("72h", "24h"), 61)
    assert (verdict.forgotten_at, verdict.reason.detail) == (at(84), "awaiting supplier")
    again = build_issue(becomes(1, CUSTOMERS), becomes(60, WORK, CUSTOMERS), becomes(61, CUSTOMERS, WORK))
    assert verdict_of(again, allowing(within="480h"), 62).forgotten_at == at(133)


def test_of_two_pauses_at_once_the_first_to_outlast_its_rule_counts_and_is_named() -> None:
    rules = [
        {**RESOLUTION["pause"][0], "longest": "72h"},
        {"when": {"state": "waiting_for_customer"}, "reason": "nobody home", "party": "x", "longest": "10h"},
    ]
    verdict = verdict_of(PARKED, resolution(pause=rules), 20)
    assert (verdict.forgotten_at, verdict.reason.detail) == (at(11), "nobody home")


def test_a_clock_that_can_not_be_judged_forgets_nothing() -> None:
    gap = Gap(GapKind.COMMENTS, "1 of 2")
    verdict = verdict_of(replace(PARKED, gaps=(gap,)), allowing(), 500)
    assert (verdict.status, verdict.forgotten_at) == (Status.INDETERMINATE, None)


def test_a_clock_that_stopped_or_was_given_up_forgets_nothing() -> None:
    for after in (State.RESOLVED, State.CANCELLED):
        verdict = verdict_of(build_issue(becomes(1, CUSTOMERS), becomes(90, after, CUSTOMERS)), allowing(), 100)
        assert verdict.forgotten_at is None


# ------------------------------------------------------------------------------------------------- its own escalation


def test_its_label_goes_when_the_pause_ends_and_the_assignee_stays() -> None:
    told = after_a_run(PARKED, allowing(), 80)
    assert told.labels == {"warranty::forgotten-pause"}
    assert lines(told, allowing(), 90) == []
    ended = replace(told.with_events(becomes(91, WORK, CUSTOMERS)), state=WORK)
    assert lines(ended, allowing(), 92) == ["remove label warranty::forgotten-pause"]
    answered = told.with_events(reply(91, CUSTOMER))
    assert lines(answered, allowing(), 92) == ["remove label warranty::forgotten-pause"]


def test_it_is_told_once_in_a_pause_even_when_a_person_reassigns_and_again_in_the_next() -> None:
    pack = allowing(within="960h")
    told = given_to(after_a_run(PARKED, pack, 80), "amy", 81)
    assert lines(told, pack, 90) == []
    ended = replace(told.with_events(becomes(91, WORK, CUSTOMERS)), state=WORK)
    ended = after_a_run(ended, pack, 92)
    again = replace(ended.with_events(becomes(100, CUSTOMERS, WORK)), state=CUSTOMERS)
    assert lines(again, pack, 171) == []
    assert lines(again, pack, 172) == TOLD


def test_whoever_is_in_the_tier_or_above_it_keeps_the_issue() -> None:
    for account in ("ben", "eve"):
        parked = build_issue(becomes(1, CUSTOMERS), assignee=Actor(id=account))
        assert lines(parked, allowing(), 80) == [TOLD[1]]


def test_of_two_clocks_the_higher_tier_is_assigned_and_one_forgotten_pause_keeps_the_label() -> None:
    pause = [{**RESOLUTION["pause"][0], "longest": "10h"}]
    clocks = {
        "resolution": {**RESOLUTION, "pause": pause},
        "plan": {**RESOLUTION, "pause": []},
        "analysis": {**RESOLUTION, "pause": []},
    }
    actions = (
        {
            "do": "escalate",
            "clock": "resolution",
            "levels": [{"at": "100%", "tier": "L3"}],
            "forgotten_pause": {"tier": "L2"},
        },
        {"do": "escalate", "clock": "plan", "levels": [{"at": "50%", "tier": "L3"}], "forgotten_pause": {"tier": "L3"}},
    )
    pack = build_pack(actions, **clocks)
    assert lines(PARKED, pack, 12) == TOLD
    told = after_a_run(PARKED, pack, 12)
    assert lines(told, pack, 25) == ["assign to eve", "add label warranty::tier::L3"]


def test_the_comment_says_so_without_anything_that_changes_by_time() -> None:
    words: dict[str, Any] = {"text": {"en": "Ask the customer again.", "zh": "请再次联系客户。"}}

    def said(hour: float) -> str:
        found = planned(PARKED, allowing(**words), hour).changes
        return next((str(each.change.document) for each in found if isinstance(each.change, UpsertComment)), "")

    assert said(72.9) == ""
    assert "paused for too long since 2026-03-05 10:00 CST, passed to L2. Ask the customer again." in said(73)
    assert "waiting for too long: awaiting customer" in said(73)
    assert said(73) == said(500)


def test_without_a_ladder_the_verdict_alone_says_so() -> None:
    rules = [{**RESOLUTION["pause"][0], "longest": "10h"}]
    pack = build_pack(({"do": "comment"},), resolution={**RESOLUTION, "pause": rules})
    assert verdict_of(PARKED, pack, 20).reason.code is ReasonCode.WAITING_TOO_LONG
    assert lines(PARKED, pack, 20) == []


def test_explain_shows_the_forgotten_pause_with_its_instant() -> None:
    def told(hour: float) -> list[Any]:
        return [(each.at, each.text) for each in timeline(PARKED, allowing(), at(hour)) if each.kind is Kind.FORGOTTEN]

    assert told(72) == []
    assert told(80) == [(at(73), "the pause is forgotten: awaiting customer, L2 takes over")]
    (alone,) = (each for each in timeline(PARKED, _without_a_ladder(), at(80)) if each.kind is Kind.FORGOTTEN)
    assert alone.text == "the pause is forgotten: awaiting customer"


def _without_a_ladder() -> PolicyPack:
    return resolution(pause=[{**RESOLUTION["pause"][0], "longest": "72h"}])
