"""Replays: as then gives what was judged at that instant, as if what a candidate would say; neither sees the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.issue import LabelsChanged, SeverityChanged, State, StateChanged
from policies.replay import ReplayKind, as_if, as_then
from policies.verdict import Status
from policies.versions import PolicyBook
from tests.policies.build_issue import at, becomes, build_issue, build_pack, resolution
from tests.policies.random_issues import HOURS, issues, packs

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack

FEW = settings(max_examples=120, deadline=None)


def known_at(issue: Issue, now: datetime) -> Issue:
    """The issue as a tracker would have given it at an instant: what happened later is not there yet."""
    present: dict[str, Any] = {"state": issue.state, "severity": issue.severity, "labels": issue.labels}
    for event in reversed(issue.events):
        if event.at <= now:
            continue
        if isinstance(event, LabelsChanged):
            present["labels"] = present["labels"].difference(event.added).union(event.removed)
        elif isinstance(event, (StateChanged, SeverityChanged)):
            present[event.kind.removesuffix("_changed")] = event.before
    return replace(issue, events=tuple(event for event in issue.events if event.at <= now), **present)


def book_of(pack: PolicyPack, hour: float, applies_to: str) -> PolicyBook:
    """Two versions of a pack; the second is in force from an hour on and reopens otherwise."""
    clocks = {name: clock.model_copy(update={"at_risk": 50}) for name, clock in pack.clocks.items()}
    changed = {"version": 2, "effective_from": at(hour), "applies_to": applies_to, "clocks": clocks}
    return PolicyBook.of(pack, pack.with_calendars({}).model_copy(update=changed))


@FEW
@given(issues(), packs(), HOURS, HOURS, st.sampled_from(("new", "open")))
def test_as_then_gives_what_was_judged_at_that_instant_however_much_has_happened_since(
    issue: Issue, pack: PolicyPack, hour: float, begins: float, applies_to: str
) -> None:
    book, now = book_of(pack, begins, applies_to), at(hour)
    judged = book.judge(known_at(issue, now), now)
    replayed = as_then(issue, book, now).judged
    assert (replayed.verdicts, replayed.signals, replayed.pack) == (judged.verdicts, judged.signals, judged.pack)


@FEW
@given(issues(), packs(), HOURS)
def test_a_replay_replayed_gives_the_same_to_the_last_figure(issue: Issue, pack: PolicyPack, hour: float) -> None:
    book = PolicyBook.of(pack)
    first = as_then(issue, book, at(hour))
    as_then(issue, book, at(hour) + timedelta(days=30))
    assert as_then(issue, book, at(hour)) == first


@FEW
@given(issues(), packs(), HOURS)
def test_a_version_that_begins_later_changes_no_replay_of_before(issue: Issue, pack: PolicyPack, hour: float) -> None:
    now = at(hour)
    alone, with_later = (as_then(issue, book, now) for book in (PolicyBook.of(pack), book_of(pack, hour + 1, "new")))
    assert alone.judged == with_later.judged
    assert alone.digest == with_later.digest


@FEW
@given(issues(), packs(), HOURS)
def test_as_if_the_version_in_force_is_as_then(issue: Issue, pack: PolicyPack, hour: float) -> None:
    then, candidate = as_then(issue, PolicyBook.of(pack), at(hour)), as_if(issue, pack, at(hour))
    assert then.judged == candidate.judged
    assert (then.kind, candidate.kind) == (ReplayKind.AS_THEN, ReplayKind.AS_IF)


def test_as_if_judges_by_a_candidate_whatever_its_date() -> None:
    issue = build_issue(becomes(30, State.RESOLVED))
    candidate = resolution(goals=[{"within": "24h"}]).model_copy(update={"version": 9, "effective_from": at(10_000)})
    told = as_if(issue, candidate, at(40))
    assert [verdict.status for verdict in told.judged.verdicts] == [Status.MISSED]
    assert (told.policy, told.digest, told.calendar_digest) == ("trial@9", candidate.digest, candidate.calendar_digest)


def test_a_replay_says_which_it_is_when_it_is_and_under_which_digests() -> None:
    old, new = resolution(), resolution(goals=[{"within": "24h"}])
    book = PolicyBook.of(old, new.model_copy(update={"version": 2, "effective_from": at(100), "applies_to": "open"}))
    issue = build_issue(becomes(300, State.RESOLVED))
    before, after = as_then(issue, book, at(99)), as_then(issue, book, at(100))
    assert (before.kind, before.at, before.policy, after.policy) == (ReplayKind.AS_THEN, at(99), "trial@1", "trial@2")
    assert before.digest != after.digest
    assert before.calendar_digest == after.calendar_digest


def test_a_policy_and_its_calendars_have_digests_of_their_own() -> None:
    pack, other = resolution(), resolution(goals=[{"within": "24h"}])
    bare = pack.with_calendars({})
    assert (pack.digest == bare.digest, pack.calendar_digest == bare.calendar_digest) == (True, False)
    assert (pack.digest == other.digest, pack.calendar_digest == other.calendar_digest) == (False, True)


def test_a_verdict_keeps_the_digest_of_the_calendar_its_goal_counts_on() -> None:
    pack = build_pack(resolution={"stop": {"state": "closed"}, "goals": [{"within": "8bh"}]})
    (verdict,) = as_if(build_issue(), pack, at(1)).judged.verdicts
    assert (verdict.calendar, verdict.digest) == ("office", pack.digest)
    assert verdict.calendar_digest == pack.calendar_named("office").digest[:16]


def test_an_instant_without_an_offset_is_refused() -> None:
    naive = at(1).replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive datetime"):
        as_if(build_issue(), resolution(), naive)
    with pytest.raises(ValueError, match="naive datetime"):
        as_then(build_issue(), PolicyBook.of(resolution()), naive)
