"""What holds for every history: order, duplicates, pauses, and the instant of the next change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.business_calendar import BusinessCalendar
from policies.issue import Commented, DueDateChanged, LabelsChanged, SeverityChanged, State, StateChanged
from policies.local_span import hours
from policies.pack import PolicyPack
from policies.plan import Limits, PlannedChange, plan
from policies.verdict import Judged, Verdict, judge
from tests.policies.build_issue import (
    DELETED,
    at,
    becomes,
    build_destination,
    build_issue,
    resolution,
    severity,
)
from tests.policies.random_issues import HOURS, issues, packs

if TYPE_CHECKING:
    from datetime import datetime

    from policies.issue import Issue

FEW = settings(max_examples=60, deadline=None)
NOWS = st.integers(0, 24 * 30 * 2).map(lambda halves: at(halves / 2))
DESTINATION = build_destination()
TICK = timedelta(microseconds=1)


def planned(issue: Issue, pack: PolicyPack, now: datetime) -> tuple[PlannedChange, ...]:
    judged = Judged(issue, judge(issue, pack, now))
    return plan([judged], [pack], {"here": DESTINATION}, limits=Limits(), now=now).changes


def said(verdicts: tuple[Verdict, ...]) -> list[Any]:
    return [(verdict.clock, verdict.cycle, verdict.status, verdict.reason) for verdict in verdicts]


@FEW
@given(issues(), packs(), NOWS, st.randoms(use_true_random=False))
def test_neither_order_nor_duplicates_of_events_matter(issue: Issue, pack: PolicyPack, now: datetime, rng: Any) -> None:
    events = [*issue.events, *issue.events[::2]]
    rng.shuffle(events)
    again = replace(issue, events=tuple(events))
    assert again == issue
    assert judge(again, pack, now) == judge(issue, pack, now)


@FEW
@given(issues(), packs(), NOWS)
def test_judging_again_gives_the_same_whatever_was_judged_in_between(
    issue: Issue, pack: PolicyPack, now: datetime
) -> None:
    first = judge(issue, pack, now)
    judge(issue, pack, now + timedelta(days=9))
    assert judge(issue, pack, now) == first


@FEW
@given(issues(), packs(), NOWS, HOURS)
def test_an_event_that_concerns_no_clock_changes_nothing(
    issue: Issue, pack: PolicyPack, now: datetime, hour: float
) -> None:
    busy = issue.with_events(
        DueDateChanged(id="z-due", at=at(hour), before=None, after=None),
        Commented(id="z-comment", at=at(hour), actor=DELETED, comment="z", public=True),
    )
    assert judge(busy, pack, now) == judge(issue, pack, now)


@FEW
@given(issues(), packs(), NOWS)
def test_what_happens_later_changes_no_verdict_of_before(issue: Issue, pack: PolicyPack, now: datetime) -> None:
    present: dict[str, Any] = {"state": issue.state, "severity": issue.severity, "labels": issue.labels}
    for event in reversed(issue.events):
        if event.at <= now:
            continue
        if isinstance(event, LabelsChanged):
            present["labels"] = present["labels"].difference(event.added).union(event.removed)
        elif isinstance(event, (StateChanged, SeverityChanged)):
            present[event.kind.removesuffix("_changed")] = event.before
    past = replace(issue, events=tuple(event for event in issue.events if event.at <= now), **present)
    assert judge(past, pack, now) == judge(issue, pack, now)


@settings(max_examples=150, deadline=None)
@given(issues(), packs(), NOWS, st.floats(0.001, 0.999))
def test_until_the_next_change_nothing_changes_and_then_something_does(
    issue: Issue, pack: PolicyPack, now: datetime, share: float
) -> None:
    now = max(now, issue.events[-1].at)
    verdicts, changes = judge(issue, pack, now), planned(issue, pack, now)
    coming = min((v.next_change_at for v in verdicts if v.next_change_at is not None), default=None)
    if coming is None:
        between = [now + timedelta(days=400 * share)]
    else:
        between = [min(now + (coming - now) * share, coming - TICK), coming - TICK]
    if not raises(changes):
        for instant in between:
            assert said(judge(issue, pack, instant)) == said(verdicts)
            assert told(planned(issue, pack, instant)) == told(changes)
    if coming is not None:
        assert coming > now
        after = judge(issue, pack, coming)
        reached = [{share for share, when in v.thresholds if when <= coming} for v in after]
        before = [{share for share, when in v.thresholds if when <= now} for v in verdicts]
        assert said(after) != said(verdicts) or reached != before


def raises(changes: tuple[PlannedChange, ...]) -> bool:
    """A priority about to be raised counts from the instant of the plan: what follows from it may move with that."""
    return any(change.change.kind == "set_priority" for change in changes)


def told(changes: tuple[PlannedChange, ...]) -> list[Any]:
    return [change.change for change in changes]


SPELLS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=4)


def paused_by(spells: list[tuple[int, int]], retarget_at: float | None) -> Issue:
    """An issue that waits for the supplier in these spells of hours, merged where they touch."""
    hours_waiting = sorted({hour for since, length in spells for hour in range(since, since + length)})
    events: list[Any] = [] if retarget_at is None else [severity(retarget_at, "high", "normal")]
    for hour in hours_waiting:
        if hour - 1 not in hours_waiting:
            events.append(becomes(hour, State.WAITING_FOR_THIRD_PARTY, State.IN_PROGRESS))
        if hour + 1 not in hours_waiting:
            events.append(becomes(hour + 1, State.IN_PROGRESS, State.WAITING_FOR_THIRD_PARTY))
    return build_issue(*events, severity="high" if retarget_at is not None else "normal")


@FEW
@given(
    SPELLS,
    st.tuples(st.integers(0, 200), st.integers(1, 60)),
    st.sampled_from(("48h", "30bh", "5bd")),
    st.sampled_from((None, 0.5, 30.5)),
    st.sampled_from(("from_start", "from_change", "from_start_with_floor")),
)
def test_a_further_pause_never_hastens_a_due_instant(
    spells: list[tuple[int, int]], more: tuple[int, int], within: str, retarget_at: float | None, mode: str
) -> None:
    goals = [{"when": {"severity": "high"}, "within": "8h"}, {"within": within}]
    pack = resolution(goals=goals, on_retarget=mode)
    (before,) = judge(paused_by(spells, retarget_at), pack, at(1000))
    (after,) = judge(paused_by([*spells, more], retarget_at), pack, at(1000))
    assert before.due_at is not None
    assert after.due_at is not None
    assert after.due_at >= before.due_at


@FEW
@given(issues(), NOWS)
def test_a_calendar_that_is_always_open_is_the_wall_clock(issue: Issue, now: datetime) -> None:
    whole = hours("00:00-24:00")
    open_ = BusinessCalendar(
        id="office",
        zone="Asia/Shanghai",
        weekly={"mon": whole, "tue": whole, "wed": whole, "thu": whole, "fri": whole, "sat": whole, "sun": whole},
    )
    working, elapsed = resolution(goals=[{"within": "48bh"}]), resolution(goals=[{"within": "48h"}])
    working = working.with_calendars({"office": open_})
    facts = ("status", "due_at", "used", "gross", "left", "next_change_at", "thresholds", "pauses")
    for one, other in zip(judge(issue, working, now), judge(issue, elapsed, now), strict=True):
        assert [getattr(one, name) for name in facts] == [getattr(other, name) for name in facts]


@FEW
@given(issues(), packs(), NOWS)
def test_figures_agree_with_one_another(issue: Issue, pack: PolicyPack, now: datetime) -> None:
    for verdict in judge(issue, pack, now):
        assert timedelta() <= verdict.used <= verdict.gross
        if verdict.due_at is not None and verdict.left is not None and verdict.status.breached:
            assert verdict.left <= timedelta()
        for pause in verdict.pauses:
            assert pause.until is None or pause.since < pause.until
