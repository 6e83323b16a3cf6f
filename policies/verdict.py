"""Verdicts: what a clock says of an issue at one instant, with its reason as data.

Rules:

1. Same events, same pack, same ``now``: same verdict.
2. Exactly at the due instant is met. A pause that begins at or after the due instant changes nothing.
3. A goal that becomes shorter never asks for more than was promised before, and leaves at least the floor; one that
   becomes longer may relax the due instant, but a breach that has happened stays.
4. A history with a gap where the clock needs it gives ``indeterminate`` with the gap named, never a guess.
5. ``next_change_at`` is the first instant at which the verdict differs by the mere passing of time.
6. A pause that has lasted longer than its rule allows is forgotten: the clock stays paused, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from policies.business_calendar import ALWAYS, BusinessCalendar
from policies.clock import CUSTOMER, Clock, DurationText, Goal, Retarget
from policies.cycle import Cycle, Pause, cycles, merged
from policies.duration import Duration, ElapsedTime, WorkingTime
from policies.history import moments
from policies.issue import GapKind
from policies.severity import at_least_the_floor
from policies.threshold import WHOLE, BeforeDue, Share, Threshold

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from policies.cycle import Segment
    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.signals import Signal


class Status(StrEnum):
    """The nine verdicts. Past due and still running is ``overdue``; stopped after due is ``missed``."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    PAUSED = "paused"
    OVERDUE = "overdue"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    NOT_APPLICABLE = "not_applicable"
    INDETERMINATE = "indeterminate"

    @property
    def breached(self) -> bool:
        return self in _BREACHED

    @property
    def runs(self) -> bool:
        """The clock has started, and is neither paused nor stopped."""
        return self in _RUNS

    @property
    def final(self) -> bool:
        """Only a further event can change it."""
        return self in _FINAL


_RUNS = frozenset({Status.RUNNING, Status.AT_RISK, Status.OVERDUE})
_BREACHED = frozenset({Status.OVERDUE, Status.MISSED})
_FINAL = frozenset({Status.MET, Status.MISSED, Status.CANCELLED, Status.NOT_APPLICABLE, Status.INDETERMINATE})


class ReasonCode(StrEnum):
    WITHIN_GOAL = "within_goal"
    PAST_THRESHOLD = "past_threshold"
    PAST_DUE = "past_due"
    WAITING = "waiting"
    WAITING_TOO_LONG = "waiting_too_long"
    STOPPED_IN_TIME = "stopped_in_time"
    STOPPED_LATE = "stopped_late"
    ISSUE_CANCELLED = "issue_cancelled"
    NO_GOAL = "no_goal"
    NOT_STARTED = "not_started"
    HISTORY_GAP = "history_gap"
    BEFORE_FIRST_VERSION = "before_first_version"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is.

    Attributes:
        clause: the goal or rule of the pack it rests on, as its path in the pack (``clocks.resolution.goals[0]``).
        evidence: ids of the events it rests on, in order.
        detail: a gap, a cancellation word, a pause's reason; "" if there is nothing to add.
    """

    code: ReasonCode
    clause: str = ""
    evidence: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one cycle of one clock says at ``judged_at``.

    Attributes:
        cycle: 1 for the first; a reopened issue may start further ones.
        goal: the promise in force, as the pack spells it; None where there is none.
        due_at: None while it is not known; for a paused clock the earliest possible instant.
        used, left: working time of the goal's calendar; ``left`` is negative when late, None without a goal.
        gross: time used had nothing been paused.
        next_change_at: the first instant at which this verdict changes without any event; None if never.
        thresholds: when each mark the pack asks about was, or will be, reached: first the shares of the goal.
        forgotten_at: for a paused clock: when the pause lasted, or will have lasted, longer than its rule allows.
        provisional: the calendar does not cover all of the years it was asked for.
        calendar: id of the calendar the goal counts on.
        policy: ``id@version`` of the pack, with its ``digest``.
        calendar_digest: sixteen hex digits of the calendar that the goal counts on; "" without a goal.
    """

    clock: str
    cycle: int
    status: Status
    reason: Reason
    judged_at: datetime
    policy: str
    digest: str
    calendar: str = ""
    calendar_digest: str = ""
    goal: DurationText | None = None
    started_at: datetime | None = None
    due_at: datetime | None = None
    stopped_at: datetime | None = None
    used: timedelta = timedelta()
    left: timedelta | None = None
    gross: timedelta = timedelta()
    pauses: tuple[Pause, ...] = ()
    next_change_at: datetime | None = None
    thresholds: tuple[Threshold, ...] = ()
    forgotten_at: datetime | None = None
    provisional: bool = False

    @property
    def forgotten_since(self) -> datetime | None:
        """Since when the standing pause is forgotten; None if it is not, or the clock is not paused."""
        if self.status is not Status.PAUSED or self.forgotten_at is None or self.forgotten_at > self.judged_at:
            return None
        return self.forgotten_at


@dataclass(frozen=True, slots=True)
class Judged:
    """An issue with its verdicts.

    Attributes:
        pack: the version that judged it, where a pack has several; None: the one pack there is.
        signals: what the team should know of it beside its verdicts (see ``policies.signals``).
    """

    issue: Issue
    verdicts: tuple[Verdict, ...]
    pack: PolicyPack | None = None
    signals: tuple[Signal, ...] = ()

    def standing(self) -> tuple[Verdict, ...]:
        """The verdict that stands for each clock: that of its last cycle."""
        return tuple({verdict.clock: verdict for verdict in self.verdicts}.values())

    def of(self, clock: str) -> Verdict | None:
        """The standing verdict of a clock."""
        return next((verdict for verdict in self.standing() if verdict.clock == clock), None)

    @property
    def open(self) -> bool:
        """Some clock is still running."""
        return any(not verdict.status.final for verdict in self.standing())


def judge(issue: Issue, pack: PolicyPack, now: datetime, clocks: Collection[str] | None = None) -> tuple[Verdict, ...]:
    """The verdict of each cycle of each clock of the pack, in the pack's order. Pure.

    Args:
        issue: with its vocabulary applied and its roles cast.
        now: the instant judged at; what happened later is not seen.
        clocks: the names of those to judge; left out: all.
    """
    row = at_least_the_floor(moments(issue), issue, pack)
    found: list[Verdict] = []
    for name, clock in pack.clocks.items():
        if clocks is not None and name not in clocks:
            continue
        ran = cycles(clock, issue, row, now)
        if not ran:
            reason = Reason(ReasonCode.NOT_STARTED, f"clocks.{name}.start")
            found.append(_blank(name, pack, now, Status.NOT_APPLICABLE, reason))
        found += [_Judgement.of(name, cycle, pack, now).verdict(issue) for cycle in ran]
    return tuple(found)


def _blank(name: str, pack: PolicyPack, now: datetime, status: Status, reason: Reason) -> Verdict:
    return Verdict(
        clock=name, cycle=1, status=status, reason=reason, judged_at=now, policy=pack.name, digest=pack.digest
    )


_DIGITS = 16
_TICK = timedelta(microseconds=1)


class _Commitment(NamedTuple):
    """The promise in force, its place among the clock's goals, and when it runs out."""

    goal: Goal
    number: int
    calendar: BusinessCalendar
    due: datetime


@dataclass(slots=True)
class _Judgement:
    """One cycle of one clock, judged at ``now``.

    Attributes:
        end: when the clock stopped, else ``now``.
        paused: the stretches up to ``end`` in which it stood still.
    """

    name: str
    clock: Clock
    cycle: Cycle
    pack: PolicyPack
    now: datetime
    end: datetime
    paused: tuple[tuple[datetime, datetime], ...]

    @classmethod
    def of(cls, name: str, cycle: Cycle, pack: PolicyPack, now: datetime) -> _Judgement:
        end = cycle.stopped_at or cycle.cancelled_at or now
        return cls(name, pack.clocks[name], cycle, pack, now, end, merged(cycle.pauses, end))

    def verdict(self, issue: Issue) -> Verdict:
        commitment = self._commitment()
        if commitment is None:
            reason = Reason(ReasonCode.NO_GOAL, f"clocks.{self.name}.goals", self.cycle.start_evidence)
            return self._plain(Status.NOT_APPLICABLE, reason)
        calendar, due, cycle, end = commitment.calendar, commitment.due, self.cycle, self.end
        standing = self._standing_pause(due)
        gross = calendar.elapsed(cycle.started_at, end)
        left = calendar.elapsed(end, due) if end <= due else -calendar.elapsed(due, end)
        used, budget = gross, gross + left
        for since, until in self.paused:
            used -= calendar.elapsed(since, until)
            budget -= calendar.elapsed(since, min(until, due))
        thresholds = self._thresholds(commitment, standing, budget)
        forgotten_at, forgotten = self._forgotten(commitment, standing)
        status, reason = self._status(commitment, forgotten or standing, thresholds, too_long=forgotten is not None)
        if (gap := self._gap(issue, status)) is not None:
            status, reason = Status.INDETERMINATE, gap
        return Verdict(
            clock=self.name,
            cycle=cycle.number,
            status=status,
            reason=reason,
            judged_at=self.now,
            policy=self.pack.name,
            digest=self.pack.digest,
            calendar=calendar.id,
            calendar_digest=calendar.digest[:_DIGITS],
            goal=commitment.goal.promise,
            started_at=cycle.started_at,
            due_at=due,
            stopped_at=cycle.stopped_at,
            used=used,
            left=left,
            gross=gross,
            pauses=cycle.pauses,
            next_change_at=self._next_change(status, due, thresholds, forgotten_at),
            thresholds=thresholds,
            forgotten_at=forgotten_at if status is Status.PAUSED else None,
            provisional=not (calendar.covers(cycle.started_at) and calendar.covers(due)),
        )

    def _plain(self, status: Status, reason: Reason) -> Verdict:
        return Verdict(
            clock=self.name,
            cycle=self.cycle.number,
            status=status,
            reason=reason,
            judged_at=self.now,
            policy=self.pack.name,
            digest=self.pack.digest,
            started_at=self.cycle.started_at,
            stopped_at=self.cycle.stopped_at,
            pauses=self.cycle.pauses,
        )

    # ------------------------------------------------------------------------------------------------- the promise

    def _commitment(self) -> _Commitment | None:
        held: _Commitment | None = None
        for segment in self.cycle.segments:
            if held is not None and segment.since > held.due:
                break  # the breach has happened; a goal that changes afterwards does not undo it
            held = self._retargeted(held, segment)
        return held

    def _retargeted(self, held: _Commitment | None, segment: Segment) -> _Commitment | None:
        if segment.goal is None:
            return None
        goal = self.clock.goals[segment.goal]
        promise = goal.promise
        calendar = ALWAYS if isinstance(promise, ElapsedTime) else self.pack.calendar_of(goal)
        start = self.cycle.started_at
        due = self._due(calendar, start, promise)
        if segment.since > start:
            mode = self.clock.on_retarget
            if mode is Retarget.FROM_CHANGE:
                due = self._due(calendar, segment.since, promise)
            elif mode is Retarget.FROM_START_WITH_FLOOR and (held is None or due < held.due):
                floor = self.clock.floor
                on = ALWAYS if isinstance(floor, ElapsedTime) else calendar
                due = max(due, self._due(on, segment.since, floor))
                due = min(held.due, due) if held else due
        return _Commitment(goal, segment.goal, calendar, due)

    def _due(self, calendar: BusinessCalendar, anchor: datetime, promise: Duration) -> datetime:
        return self._shifted(calendar, anchor, calendar.due(anchor, promise))

    def _shifted(self, calendar: BusinessCalendar, anchor: datetime, due: datetime) -> datetime:
        """``due`` moved by the pauses that began ahead of it. An open pause leaves what was left, counted from now."""
        for since, until in self.paused:
            if since >= due:
                break
            moved = calendar.advance(due, calendar.elapsed(max(since, anchor), until))
            # A goal in days can be due at an opening, with no working time left since the closing before.
            due = max(moved, until)
        return due

    def _standing_pause(self, due: datetime) -> Pause | None:
        """The pause the clock stands in now, if it began ahead of the due instant."""
        if not self.cycle.pauses or self.cycle.stopped_at or self.cycle.cancelled_at:
            return None
        standing = [pause for pause in self.cycle.pauses if pause.until is None and pause.since < due]
        return min(standing, key=lambda pause: pause.since) if standing else None

    def _forgotten(
        self, commitment: _Commitment, standing: Pause | None
    ) -> tuple[datetime, Pause | None] | tuple[None, None]:
        """When the first pause to outlast its rule does so, and that pause once it has."""
        if standing is None:
            return None, None
        calendar = self.pack.calendar_of(commitment.goal)
        open_ = (pause for pause in self.cycle.pauses if pause.until is None and pause.since < commitment.due)
        limits = [(calendar.due(pause.since, pause.longest), pause) for pause in open_ if pause.longest is not None]
        if not limits:
            return None, None
        at, pause = min(limits, key=lambda limit: limit[0])
        return at, pause if at <= self.now else None

    # -------------------------------------------------------------------------------------------------- the verdict

    def _thresholds(self, commitment: _Commitment, standing: Pause | None, budget: timedelta) -> tuple[Threshold, ...]:
        calendar, start = commitment.calendar, self.cycle.started_at
        found: list[Threshold] = []
        for mark in self.pack.thresholds_of(self.name):
            if isinstance(mark, BeforeDue):
                at = self._before_due(commitment, mark.left)
            elif not isinstance(mark, Share):
                at = self.pack.calendar_of(commitment.goal).due(commitment.due, mark.late)
            elif mark.percent < WHOLE:
                at = self._shifted(calendar, start, calendar.advance(start, budget * mark.percent / WHOLE))
            else:
                # Counted from the due instant, which no pause moves any more.
                at = calendar.advance(commitment.due, budget * (mark.percent - WHOLE) / WHOLE)
            found.append(Threshold(mark.name, at))
        if standing is not None:
            # What lies behind an open pause is not known yet; where it took over from another, behind that one's beginning.
            begun = next((since for since, until in self.paused if since <= standing.since <= until), standing.since)
            found = [threshold for threshold in found if threshold.at <= begun]
        return tuple(found)

    def _before_due(self, commitment: _Commitment, left: ElapsedTime | WorkingTime) -> datetime:
        """When no more than this was left for the first time, by the due instant as it was known at that time."""
        resumed = self.cycle.started_at
        for known, (since, until) in enumerate(self.paused):
            if since >= commitment.due:
                break  # it puts nothing off, even if it did so for the longer goal in force when it began
            then = replace(self, paused=self.paused[:known])._commitment() or commitment  # noqa: SLF001  our own class
            at = max(self._ahead_of(then, left), resumed)
            if since >= at:
                return at
            resumed = until
        return max(self._ahead_of(commitment, left), resumed)

    def _ahead_of(self, commitment: _Commitment, left: ElapsedTime | WorkingTime) -> datetime:
        """The instant so long ahead of the due one; never ahead of the start."""
        start, due = self.cycle.started_at, commitment.due
        if isinstance(left, ElapsedTime):
            return max(start, due - left.length)
        calendar = self.pack.calendar_of(commitment.goal)
        return calendar.advance(start, max(timedelta(), calendar.elapsed(start, due) - left.length))

    def _status(
        self, commitment: _Commitment, standing: Pause | None, thresholds: Sequence[Threshold], *, too_long: bool
    ) -> tuple[Status, Reason]:
        cycle, due, detail = self.cycle, commitment.due, ""
        evidence: tuple[str, ...] = ()
        if cycle.stopped_at is not None:
            evidence = cycle.stop_evidence
            in_time = cycle.stopped_at <= due
            status = Status.MET if in_time else Status.MISSED
            code = ReasonCode.STOPPED_IN_TIME if in_time else ReasonCode.STOPPED_LATE
        elif cycle.cancelled_at is not None:
            status, code, evidence = Status.CANCELLED, ReasonCode.ISSUE_CANCELLED, cycle.cancelled_by
        elif standing is not None:
            # It began ahead of the due instant: what stood still can not have run out since.
            code = ReasonCode.WAITING_TOO_LONG if too_long else ReasonCode.WAITING
            status, evidence, detail = Status.PAUSED, standing.evidence, standing.reason
        elif self.now > due:
            status, code = Status.OVERDUE, ReasonCode.PAST_DUE
        elif any(name == f"{self.clock.at_risk}%" and at <= self.now for name, at in thresholds):
            status, code, detail = Status.AT_RISK, ReasonCode.PAST_THRESHOLD, f"{self.clock.at_risk}%"
        else:
            status, code = Status.RUNNING, ReasonCode.WITHIN_GOAL
        clause = f"clocks.{self.name}.goals[{commitment.number}]"
        return status, Reason(code, clause, (*cycle.start_evidence, *evidence), detail)

    def _gap(self, issue: Issue, status: Status) -> Reason | None:
        """The gap that keeps this clock from being judged, if there is one."""
        for gap in issue.gaps:
            if gap.kind is GapKind.COMMENTS and self.clock.stop == "first_response" and status is not Status.MET:
                # Comments that are missing could only hold an earlier reply: what is met stays met.
                needed = True
            elif gap.kind is GapKind.COMMENTS:
                # They could only hold an earlier end of a pause for the customer: what is broken stays broken.
                needed = not status.breached and any(pause.party == CUSTOMER for pause in self.cycle.pauses)
            elif gap.kind is GapKind.REPORT:
                # The report can only be earlier than the opening: what is broken stays broken.
                needed = not status.breached and self.clock.start == "reported"
            elif gap.kind is GapKind.LINKS:
                needed = False
            else:
                needed = self.clock.reads_history
            if needed:
                return Reason(ReasonCode.HISTORY_GAP, f"clocks.{self.name}", self.cycle.start_evidence, gap.detail)
        return None

    def _next_change(
        self, status: Status, due: datetime, thresholds: Sequence[Threshold], forgotten_at: datetime | None
    ) -> datetime | None:
        if status.final:
            return None
        if status is Status.PAUSED:
            return forgotten_at if forgotten_at is not None and forgotten_at > self.now else None
        coming = [at for _name, at in thresholds if at > self.now]
        if due >= self.now:
            coming.append(due + _TICK)
        return min(coming, default=None)
