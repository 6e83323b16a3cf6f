"""Handovers: the issue changes tier where its assignee becomes somebody of another tier."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.cases import CaseFile, run_cases
from policies.conditions import Condition
from policies.history import moments
from policies.issue import Actor, AssigneeChanged, Event, Issue, TierChanged
from policies.loader import load_phrases
from policies.roster import Membership, Roster
from policies.timeline import timeline
from tests.policies.build_issue import AGENT, at, build_issue, resolution, verdict_of

ROSTER = Roster(tiers={"L1": (Membership("amy", until=at(10)), "cai"), "L2": (Membership("amy", since=at(10)), "bob")})


def handed(hour: float, before: str | None, after: str | None) -> AssigneeChanged:
    return AssigneeChanged(id=f"given-{hour}", at=at(hour), actor=AGENT, before=before, after=after)


def issue(*changes: AssigneeChanged) -> Issue:
    last = changes[-1].after if changes else None
    return ROSTER.cast(build_issue(*changes, assignee=Actor(id=last) if last else None))


SEVERAL = issue(handed(1, None, "cai"), handed(2, "cai", "amy"), handed(3, "amy", "bob"), handed(3.5, "bob", "cai"))


def handovers(found: Issue) -> list[tuple[str | None, str | None]]:
    return [(event.before, event.after) for event in found.events if isinstance(event, TierChanged)]


def test_to_somebody_of_another_tier_is_a_handover_and_within_a_tier_is_none() -> None:
    found = issue(handed(1, None, "cai"), handed(2, "cai", "amy"), handed(3, "amy", "bob"), handed(4, "bob", None))
    assert handovers(found) == [(None, "L1"), ("L1", "L2"), ("L2", None)]
    event = next(event for event in found.events if isinstance(event, TierChanged))
    assert (event.id, event.at, event.actor.id) == ("given-1/tier", at(1), "amy")


def test_the_tier_of_both_is_the_one_they_were_in_at_that_instant() -> None:
    # At hour 12 Amy is of the second tier, yet the issue was given to her as one of the first.
    assert handovers(issue(handed(1, None, "amy"), handed(12, "amy", "bob"))) == [(None, "L1"), ("L1", "L2")]
    assert handovers(issue(handed(1, None, "cai"), handed(12, "cai", "amy"))) == [(None, "L1"), ("L1", "L2")]


def test_who_only_changes_tier_hands_nothing_over() -> None:
    assert handovers(issue(handed(1, None, "amy"))) == [(None, "L1")]


def test_somebody_of_no_tier_is_no_tier() -> None:
    assert handovers(issue(handed(1, "cai", "vendor"), handed(2, "vendor", None))) == [("L1", None)]


def test_casting_again_or_by_another_roster_leaves_no_handover_behind() -> None:
    found = issue(handed(1, "cai", "bob"))
    assert ROSTER.cast(found) == found
    assert handovers(Roster().cast(found)) == []


def test_each_moment_knows_the_tier_that_had_the_issue() -> None:
    found = issue(handed(1, "cai", "amy"), handed(3, "amy", "bob"), handed(4, "bob", None))
    row = moments(found)
    assert [(moment.since, moment.assignee, moment.tier) for moment in row] == [
        (at(0), "cai", "L1"),
        (at(1), "amy", "L1"),
        (at(3), "bob", "L2"),
        (at(4), None, None),
    ]
    second = Condition.model_validate({"tier": "L2"})
    assert [second.holds(moment) for moment in row] == [False, False, True, False]


def test_a_handover_is_told_and_follows_the_change_it_was_derived_from() -> None:
    told = [line.text for line in timeline(issue(handed(1, "cai", "bob"), handed(2, "bob", None)), resolution(), at(9))]
    assert "handed over L1 -> L2" in told
    assert "handed over L2 -> no tier" in told
    assert told.index("assignee cai -> bob") < told.index("handed over L1 -> L2")


@given(st.permutations(SEVERAL.events))
def test_the_order_of_events_does_not_matter(events: list[Event]) -> None:
    assert ROSTER.cast(replace(SEVERAL, events=tuple(events))) == SEVERAL


def test_a_clock_may_pause_while_another_tier_has_the_issue() -> None:
    pack = resolution(pause=[{"when": {"tier": "L2"}, "reason": "second tier", "party": "L2"}])
    verdict = verdict_of(issue(handed(1, "cai", "bob"), handed(3, "bob", "cai")), pack, 5)
    assert (verdict.used, verdict.gross) == (timedelta(hours=3), timedelta(hours=5))


def test_a_pack_case_hands_an_issue_from_tier_to_tier_by_naming_the_tier() -> None:
    pack = resolution(pause=[{"when": {"tier": ["L2", "L3"]}, "reason": "behind the first tier", "party": "L2"}])
    case = {
        "name": "the clock stands still while the second tier has the issue",
        "opened": "2026-03-02T09:00:00+08:00",
        "assignee": "L1",
        "events": [
            {"at": "2026-03-02T10:00:00+08:00", "assignee": "L2"},
            {"at": "2026-03-02T12:00:00+08:00", "assignee": "somebody"},
        ],
        "now": "2026-03-02T13:00:00+08:00",
        "expect": {"resolution": {"status": "running", "due": "2026-03-04T11:00:00+08:00"}},
    }
    waiting = {**case, "now": "2026-03-02T11:00:00+08:00", "expect": {"resolution": {"status": "paused"}}}
    file = CaseFile.model_validate({"cases": [case, waiting]})
    assert [result.differences for result in run_cases(pack, file, load_phrases("en"))] == [(), ()]
