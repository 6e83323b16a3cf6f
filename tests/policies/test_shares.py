"""Whose time it was: the shares part the whole, and both figures follow from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.issue import Actor, AssigneeChanged, Gap, GapKind, State
from policies.roster import Membership, Roster
from policies.shares import Share, added_up, holders, time_spent, with_pauses, without_pauses
from policies.verdict import Status, judge
from tests.policies.build_issue import (
    AGENT,
    CUSTOMER,
    at,
    becomes,
    build_issue,
    labels,
    reply,
    resolution,
    verdict_of,
)
from tests.policies.random_issues import HOURS, issues, packs

if TYPE_CHECKING:
    from datetime import datetime

    from policies.issue import Event, Issue
    from policies.pack import PolicyPack

ROSTER = Roster(
    tiers={"L1": ("amy",), "L2": ("bob", Membership("cai", since=at(40))), "L3": (Membership("cai", until=at(40)),)}
)
FEW = settings(max_examples=150, deadline=None)
NOWS = st.integers(0, 24 * 30 * 2).map(lambda halves: at(halves / 2))
WAITING, SUPPLIER = State.WAITING_FOR_CUSTOMER, State.WAITING_FOR_THIRD_PARTY


def handed(hour: float, before: str | None, after: str | None) -> AssigneeChanged:
    return AssigneeChanged(id=f"handed-{hour}-{after}", at=at(hour), actor=AGENT, before=before, after=after)


def shares(issue: Issue, hour: float, pack: PolicyPack | None = None) -> list[tuple[str, float, float]]:
    """(party, working hours, elapsed hours) of the first clock, a star after a party whose turn it was in a pause."""
    used = pack or resolution()
    return [
        (share.party + "*" * share.paused, share.working / timedelta(hours=1), share.elapsed / timedelta(hours=1))
        for share in time_spent(issue, verdict_of(issue, used, hour), used)
    ]


def cast(*events: Event, assignee: str | None = None, **facts: Any) -> Issue:
    return ROSTER.cast(build_issue(*events, assignee=Actor(id=assignee) if assignee else None, **facts))


# ----------------------------------------------------------------------------------------------------------- examples


def test_each_tier_has_the_time_in_which_it_had_the_issue() -> None:
    issue = cast(handed(2, None, "amy"), handed(5, "amy", "bob"), handed(9, "bob", "out"), assignee="out")
    assert shares(issue, 10) == [("L1", 3, 3), ("L2", 4, 4), ("other", 1, 1), ("unassigned", 2, 2)]


def test_a_pause_is_its_partys_and_what_was_nobodys_turn_is_told_by_its_reason() -> None:
    issue = cast(
        becomes(2, WAITING),
        becomes(5, State.IN_PROGRESS, WAITING),
        becomes(6, SUPPLIER, State.IN_PROGRESS),
        becomes(8, State.RESOLVED, SUPPLIER),
        becomes(9, State.IN_PROGRESS, State.RESOLVED),
        assignee="amy",
    )
    assert shares(issue, 11) == [("L1", 5, 5), ("customer*", 3, 3), ("third_party*", 2, 2), ("closed*", 1, 1)]


def test_a_pause_ends_with_the_customers_word_and_the_time_after_it_is_ours() -> None:
    issue = cast(becomes(2, WAITING), reply(5, CUSTOMER), assignee="amy")
    assert shares(issue, 9) == [("L1", 6, 6), ("customer*", 3, 3)]


def test_a_calendar_counts_by_its_id_too_where_its_file_has_another_name() -> None:
    pack = resolution(goals=[{"within": "5bd"}])
    renamed = pack.with_calendars({"office": replace(pack.calendar_named("office"), id="head-office")})
    assert verdict_of(build_issue(), renamed, 26).calendar == "head-office"
    assert shares(build_issue(), 26, renamed) == [("unassigned", 10, 10), ("off_hours", 0, 16)]


def test_time_outside_the_goals_calendar_is_off_hours_and_a_pause_is_its_partys_by_night_too() -> None:
    pack = resolution(goals=[{"within": "5bd"}])
    # Monday 09:00 to Tuesday 11:00; paused from Monday 17:00 to Tuesday 10:00. Lunch and evenings are off.
    issue = cast(becomes(8, WAITING), becomes(25, State.IN_PROGRESS, WAITING), assignee="amy")
    assert shares(issue, 26, pack) == [("L1", 8, 8), ("customer*", 2, 17), ("off_hours", 0, 1)]


def test_of_pauses_that_overlap_the_one_that_began_first_has_the_time() -> None:
    pack = resolution(
        pause=[
            {"when": {"label": "vendor"}, "reason": "vendor", "party": "vendor"},
            {"when": {"state": "waiting_for_customer"}, "reason": "awaiting customer"},
        ]
    )
    issue = cast(
        becomes(2, WAITING),
        labels(3, added=("vendor",)),
        becomes(5, State.IN_PROGRESS, WAITING),
        labels(8, removed=("vendor",)),
        assignee="amy",
    )
    assert shares(issue, 9, pack) == [("L1", 3, 3), ("customer*", 3, 3), ("vendor*", 3, 3)]


def test_the_tier_is_that_of_the_day_the_issue_was_given() -> None:
    issue = cast(handed(1, None, "cai"), handed(42, "cai", None), handed(43, None, "cai"), assignee="cai")
    assert shares(issue, 44) == [("L2", 1, 1), ("L3", 41, 41), ("unassigned", 2, 2)]


def test_the_time_ends_where_the_clock_stopped_or_the_issue_was_given_up() -> None:
    assert shares(cast(becomes(5, State.RESOLVED), assignee="amy"), 40) == [("L1", 5, 5)]
    assert shares(cast(becomes(6, State.CANCELLED), assignee="amy"), 40) == [("L1", 6, 6)]
    assert shares(cast(state=State.CANCELLED), 40) == []


def test_a_gap_in_the_history_names_nobody() -> None:
    gap = (Gap(GapKind.HISTORY, "entries not delivered"),)
    issue = cast(reply(3), assignee="amy", gaps=gap)
    pack = resolution(stop="first_response", pause=[])
    assert shares(issue, 9, pack) == [("unknown", 3, 3)]
    assert [holder.party for holder in holders(issue)] == ["unknown"]


def test_where_comments_are_missing_nobody_says_whose_turn_a_pause_was() -> None:
    gap = (Gap(GapKind.COMMENTS, "comments not delivered"),)
    issue = cast(becomes(50, WAITING), assignee="amy", gaps=gap)
    assert verdict_of(issue, resolution(), 60).status is Status.OVERDUE
    assert shares(issue, 60) == [("L1", 50, 50), ("unknown*", 10, 10)]


@pytest.mark.parametrize("gap", [GapKind.HISTORY, GapKind.CREATION])
def test_what_could_not_be_judged_has_no_shares(gap: GapKind) -> None:
    issue = cast(assignee="amy", gaps=(Gap(gap, "gone"),))
    assert verdict_of(issue, resolution(), 5).status is Status.INDETERMINATE
    assert shares(issue, 5) == []


def test_between_the_report_and_the_opening_nobody_had_it() -> None:
    pack = resolution(start="reported")
    assert shares(cast(assignee="amy", reported_at=at(-2)), 5, pack) == [("L1", 5, 5), ("unassigned", 2, 2)]
    given_up = cast(state=State.CANCELLED, reported_at=at(-2))
    assert shares(given_up, 5, pack) == [("unassigned", 2, 2)]


def test_without_a_promise_nothing_is_shared_out() -> None:
    pack = resolution(goals=[{"when": {"severity": "urgent"}, "within": "1h"}])
    assert shares(cast(assignee="amy"), 5, pack) == []
    never = resolution(start={"state": "accepted"})
    assert shares(cast(assignee="amy"), 5, never) == []


def test_shares_of_several_clocks_add_up_by_party_and_pauses_stand_apart() -> None:
    hour = timedelta(hours=1)
    found = added_up(
        [
            Share("off_hours", timedelta(), hour),
            Share("L2", hour, hour, paused=True),
            Share("customer", hour, 2 * hour, paused=True),
            Share("L2", hour, hour),
            Share("L1", hour, hour),
            Share("L2", hour, hour),
            Share("other", timedelta(), timedelta()),
        ]
    )
    assert [(share.party, share.paused, share.elapsed / hour) for share in found] == [
        ("L1", False, 1),
        ("L2", False, 2),
        ("customer", True, 2),
        ("L2", True, 1),
        ("off_hours", False, 1),
    ]
    assert (without_pauses(found), with_pauses(found)) == (3 * hour, 5 * hour)


# --------------------------------------------------------------------------------------------------------- properties

_GIVEN = st.lists(st.tuples(HOURS, st.sampled_from(("amy", "bob", "cai", "out", None))), max_size=5)


@st.composite
def handed_about(draw: st.DrawFn) -> Issue:
    """A random history in which the issue is also given from one to another."""
    issue = draw(issues())
    held: str | None = draw(st.sampled_from(("amy", None)))
    events: list[Event] = []
    for number, (hour, after) in enumerate(sorted(draw(_GIVEN), key=lambda each: each[0])):
        events.append(AssigneeChanged(id=f"given-{number}", at=at(hour), actor=AGENT, before=held, after=after))
        held = after
    gaps = draw(st.sampled_from(((), (), (Gap(GapKind.COMMENTS, "gone"),), (Gap(GapKind.HISTORY, "gone"),))))
    given_ = replace(issue.with_events(*events), assignee=Actor(id=held) if held else None, gaps=gaps)
    return ROSTER.cast(given_)


@FEW
@given(handed_about(), packs(), NOWS)
def test_the_shares_add_up_to_the_whole_and_to_both_figures(issue: Issue, pack: PolicyPack, now: datetime) -> None:
    for verdict in judge(issue, pack, now):
        found = time_spent(issue, verdict, pack)
        if verdict.goal is None or verdict.status is Status.INDETERMINATE:
            assert found == ()
            continue
        assert without_pauses(found) == verdict.used
        assert with_pauses(found) == verdict.gross
        assert all(timedelta() <= share.working <= share.elapsed for share in found)
        if verdict.status is not Status.CANCELLED:
            whole = (verdict.stopped_at or now) - (verdict.started_at or now)
            assert sum((share.elapsed for share in found), timedelta()) == whole


@FEW
@given(handed_about(), packs(), NOWS, st.randoms(use_true_random=False))
def test_neither_order_nor_duplicates_of_events_matter_to_the_shares(
    issue: Issue, pack: PolicyPack, now: datetime, rng: Any
) -> None:
    events = [*issue.events, *issue.events[::2]]
    rng.shuffle(events)
    again = ROSTER.cast(replace(issue, events=tuple(events)))
    for verdict, same in zip(judge(issue, pack, now), judge(again, pack, now), strict=True):
        assert time_spent(again, same, pack) == time_spent(issue, verdict, pack)


@FEW
@given(handed_about(), packs(), NOWS, HOURS)
def test_the_shares_of_a_clock_that_has_stopped_stay_as_they_are(
    issue: Issue, pack: PolicyPack, now: datetime, later: float
) -> None:
    for verdict in judge(issue, pack, now):
        if verdict.status in {Status.MET, Status.MISSED}:
            found = next(
                (
                    each
                    for each in judge(issue, pack, now + timedelta(hours=later))
                    if (each.clock, each.cycle, each.stopped_at) == (verdict.clock, verdict.cycle, verdict.stopped_at)
                ),
                None,
            )
            if found is not None and found.goal == verdict.goal:
                assert time_spent(issue, found, pack) == time_spent(issue, verdict, pack)
