"""Cycles: when a clock ran, paused and stopped in an issue's history.

Rules:

1. A cycle is rebuilt from events each time; nothing is counted up and stored.
2. A pause is an interval with its reason, its party and its evidence, never a sum.
3. A pause for a party ends when that party acts, whatever the status still says.
4. A cycle that stopped and was reopened within the verification window goes on, the time it stood closed left out
   (``resume``); later, or under ``new_cycle``, a new cycle starts and the old one's outcome stands.
5. Nothing that happened after ``now`` is seen.
6. In one instant a clock starts, resumes, pauses, stops and starts again, in this order.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from policies.clock import CUSTOMER, Clock, DurationText, Goal, PauseRule, Reopen
from policies.history import Moment, spells
from policies.issue import Commented, FixReleased, Issue, Opened, Role, State

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORTED = "reported_at"
"""Stands among the evidence for the field that says when an issue was reported: it has no event of its own."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which a clock stood still.

    Attributes:
        until: None while it is still open.
        party: whose turn it was (``customer``, ``third_party`` ...; "" while the issue stood closed).
        evidence: ids of the events that began and ended it.
        longest: what it may last before it is forgotten; None: for ever.
    """

    since: datetime
    until: datetime | None
    reason: str
    party: str
    evidence: tuple[str, ...] = ()
    longest: DurationText | None = None


class Segment(NamedTuple):
    """From ``since`` on the goal at index ``goal`` applies (None: no goal does)."""

    since: datetime
    goal: int | None
    evidence: tuple[str, ...] = ()


class Cycle(NamedTuple):
    """When a clock ran: one start, at most one stop, the pauses and goals in between.

    Attributes:
        number: 1 for the first, 2 for the one after a late reopening, and so on.
        cancelled_at, cancelled_by: when and by which events the issue was given up, if the clock was still running then.
    """

    number: int
    started_at: datetime
    start_evidence: tuple[str, ...] = ()
    stopped_at: datetime | None = None
    stop_evidence: tuple[str, ...] = ()
    pauses: tuple[Pause, ...] = ()
    segments: tuple[Segment, ...] = ()
    cancelled_at: datetime | None = None
    cancelled_by: tuple[str, ...] = ()


def cycles(clock: Clock, issue: Issue, row: Sequence[Moment], now: datetime) -> tuple[Cycle, ...]:
    """The cycles of a clock up to ``now``, oldest first; empty where it has not started.

    Args:
        row: the issue's moments (see ``history.moments``).
    """
    if row and row[-1].since > now:
        row = [moment for moment in row if moment.since <= now]
    started = _start(clock, issue, row)
    if started is None:
        return ()
    start, evidence = started
    paused, given_up = _standing_still(clock, issue, row, now)
    found: list[Cycle] = []
    closed: list[Pause] = []
    for stop, reopened in _stops(clock, issue, row, start, now):
        resumes = (
            stop is not None
            and reopened is not None
            and clock.reopen is Reopen.RESUME
            and reopened.since - stop.at <= clock.verification_window.length
        )
        if stop is not None and reopened is not None and resumes:
            closed.append(Pause(stop.at, reopened.since, "closed", "", (*stop.evidence, *reopened.evidence)))
            continue
        cancelled = given_up if stop is None else None
        cancelled_at = max(cancelled.since, start) if cancelled else None
        end = stop.at if stop else cancelled_at
        found.append(
            Cycle(
                number=len(found) + 1,
                started_at=start,
                start_evidence=evidence,
                stopped_at=stop.at if stop else None,
                stop_evidence=stop.evidence if stop else (),
                pauses=_within(start, end, (*closed, *paused)),
                segments=_segments(clock.goals, row, start, end),
                cancelled_at=cancelled_at,
                cancelled_by=cancelled.evidence if cancelled else (),
            )
        )
        if reopened is not None:
            start, evidence, closed = reopened.since, reopened.evidence, []
    return tuple(found)


class _Stop(NamedTuple):
    at: datetime
    evidence: tuple[str, ...]


def _start(clock: Clock, issue: Issue, row: Sequence[Moment]) -> tuple[datetime, tuple[str, ...]] | None:
    if not row:
        return None
    first_event = issue.events[0] if issue.events else None
    opening = (first_event.id,) if isinstance(first_event, Opened) else ()
    if clock.start == "opened":
        return issue.opened_at, opening
    if clock.start == "reported":
        # What is in the tracker has been reported: a later instant in the field is a slip.
        called = issue.reported_at is not None and issue.reported_at < issue.opened_at
        return (issue.reported_at, (REPORTED, *opening)) if called and issue.reported_at else (issue.opened_at, opening)
    holds = _accepted if isinstance(clock.start, str) else clock.start.holds
    first = next((moment for moment in row if holds(moment)), None)
    return (first.since, first.evidence) if first else None


def _accepted(moment: Moment) -> bool:
    return moment.state not in {None, State.OPEN}


def _stops(
    clock: Clock, issue: Issue, row: Sequence[Moment], start: datetime, now: datetime
) -> list[tuple[_Stop | None, Moment | None]]:
    """Each stop with the moment of its reopening; the last entry is the one that stands (None: still running)."""
    if isinstance(clock.stop, str):
        stop = (_first_response if clock.stop == "first_response" else _fix_released)(issue, start, now)
        return [(stop, None)]
    held, stops_at = False, clock.stop.test
    wanted: list[bool] = []
    for moment in row:
        # An issue that was resolved and is given up later stays resolved for this clock.
        held = stops_at(moment) or (held and moment.state is State.CANCELLED)
        wanted.append(held)
    stops: list[tuple[_Stop | None, Moment | None]] = []
    for entered, left in spells(row, wanted):
        if left is not None and left.since <= start:
            continue
        stop = _Stop(max(entered.since, start), entered.evidence)
        if clock.reopen is Reopen.IGNORE:
            return [(stop, None)]
        stops.append((stop, left))
    if not stops or stops[-1][1] is not None:
        stops.append((None, None))
    return stops


def _first_response(issue: Issue, start: datetime, now: datetime) -> _Stop | None:
    """The first public reply by a responder who is neither a bot nor ourselves nor the customer who reported."""
    for event in issue.events:
        if (
            isinstance(event, Commented)
            and start <= event.at <= now
            and event.public
            and event.actor.role is Role.RESPONDER
        ):
            return _Stop(event.at, (event.id,))
    return None


def _fix_released(issue: Issue, start: datetime, now: datetime) -> _Stop | None:
    for event in issue.events:
        if isinstance(event, FixReleased) and event.at <= now:
            return _Stop(max(event.at, start), (event.id,))
    return None


def _standing_still(
    clock: Clock, issue: Issue, row: Sequence[Moment], now: datetime
) -> tuple[list[Pause], Moment | None]:
    """Where the clock stands still whatever its cycle, and the moment since which the issue is given up."""
    pauses: list[Pause] = []
    for rule in clock.pause:
        pauses += _pauses(rule, issue, row, now)
    cancelled = State.CANCELLED  # looking it up costs more than the comparison
    for given_up, back in spells(row, [moment.state is cancelled for moment in row]):
        if back is None:
            return pauses, given_up
        pauses.append(Pause(given_up.since, back.since, "cancelled", "", (*given_up.evidence, *back.evidence)))
    return pauses, None


def _pauses(rule: PauseRule, issue: Issue, row: Sequence[Moment], now: datetime) -> list[Pause]:
    holds = rule.when.test
    stretches = spells(row, [holds(moment) for moment in row])
    words = _customers_words(issue, now) if stretches and rule.party == CUSTOMER else ()
    found: list[Pause] = []
    for begun, ended in stretches:
        until, evidence = (ended.since, ended.evidence) if ended else (None, ())
        first = bisect_right(words, begun.since, key=_instant)
        if first < len(words) and (until is None or words[first].at <= until):
            until, evidence = words[first].at, (words[first].id,)
        found.append(Pause(begun.since, until, rule.reason, rule.party, (*begun.evidence, *evidence), rule.longest))
    return found


def _customers_words(issue: Issue, now: datetime) -> tuple[Commented, ...]:
    """What customers said in public up to ``now``, in order."""
    return tuple(
        event
        for event in issue.events
        if isinstance(event, Commented) and event.at <= now and event.public and event.actor.role is Role.CUSTOMER
    )


def _instant(event: Commented) -> datetime:
    return event.at


def _within(start: datetime, end: datetime | None, pauses: Sequence[Pause]) -> tuple[Pause, ...]:
    """What of the pauses lies between a cycle's start and its end, oldest first."""
    if not pauses:
        return ()
    clipped = [found for pause in pauses if (found := _clipped(pause, start, end))]
    return tuple(sorted(clipped, key=lambda pause: (pause.since, pause.reason)))


def _clipped(pause: Pause, start: datetime, end: datetime | None) -> Pause | None:
    since = max(pause.since, start)
    until = pause.until if end is None else min(pause.until or end, end)
    if until is not None and until <= since:
        return None
    return pause if (since, until) == (pause.since, pause.until) else replace(pause, since=since, until=until)


def _segments(
    goals: Sequence[Goal], row: Sequence[Moment], start: datetime, end: datetime | None
) -> tuple[Segment, ...]:
    if goals[0].when is None:
        return (Segment(start, 0, row[0].evidence),)
    found: list[Segment] = []
    for moment in row:
        if end is not None and moment.since > end:
            break
        chosen = _goal_at(moment, goals)
        if found and found[-1].goal == chosen:
            continue
        # A cycle that started ahead of the opening has been under the goal of the opening from its start.
        segment = Segment(max(moment.since, start) if found else start, chosen, moment.evidence)
        if found and segment.since <= found[-1].since:
            found[-1] = segment
        else:
            found.append(segment)
    return tuple(found)


def _goal_at(moment: Moment, goals: Sequence[Goal]) -> int | None:
    """The index of the first goal that is for the issue as it was at a moment."""
    for number, goal in enumerate(goals):
        if goal.when is None or goal.when.test(moment):
            return number
    return None


def merged(pauses: Sequence[Pause], now: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The stretches that are paused by at least one pause, an open one taken up to ``now``; oldest first."""
    if not pauses:
        return ()
    found: list[tuple[datetime, datetime]] = []
    for since, until in sorted((pause.since, pause.until or now) for pause in pauses):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        elif since < until:
            found.append((since, until))
    return tuple(found)
