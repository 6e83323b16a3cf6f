"""An issue's story for one reader: each event, each stretch of working time, each pause, and what the clocks say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from policies.business_calendar import ALWAYS
from policies.cycle import merged
from policies.duration import ElapsedTime
from policies.issue import (
    AssigneeChanged,
    CategoryChanged,
    Commented,
    ComponentsChanged,
    CoverageChanged,
    DueDateChanged,
    FixReleased,
    FixVersionsChanged,
    LabelsChanged,
    Moved,
    Opened,
    PriorityChanged,
    SeverityChanged,
    StateChanged,
    StatusChanged,
    TierChanged,
    TypeChanged,
)
from policies.ladder import rungs
from policies.verdict import Status, judge

if TYPE_CHECKING:
    from policies.business_calendar import BusinessCalendar
    from policies.issue import Event, Issue, Word
    from policies.pack import PolicyPack
    from policies.verdict import Verdict


class Kind(StrEnum):
    EVENT = "event"
    WORKING = "working"
    PAUSED = "paused"
    START = "start"
    STOP = "stop"
    DUE = "due"
    LEVEL = "level"
    FORGOTTEN = "forgotten"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story.

    Attributes:
        until: end of a stretch; None for an instant, and for a pause that is still open.
        clock: the clock it concerns; "" for an event of the issue.
        who: name or id of the person, for events. Foreign text: neutralise it where it is shown.
        text: what happened, in English; may hold foreign text.
        worked: working time of a stretch.
        evidence: the event's id.
    """

    at: datetime
    kind: Kind
    text: str
    until: datetime | None = None
    clock: str = ""
    who: str = ""
    worked: timedelta | None = None
    evidence: str = ""


_ORDER = {kind: number for number, kind in enumerate(Kind)}
_MOST_STRETCHES = 400


def timeline(
    issue: Issue, pack: PolicyPack, now: datetime, verdicts: Sequence[Verdict] | None = None
) -> tuple[Line, ...]:
    """The story up to ``now``, in order.

    Args:
        verdicts: what was made of the issue at ``now``; left out: what the pack makes of it.
    """
    lines = [_of_event(event) for event in issue.events if event.at <= now]
    for verdict in judge(issue, pack, now) if verdicts is None else verdicts:
        lines += _of_verdict(verdict, pack, _end(verdict, issue, now))
    lines.append(Line(now, Kind.NOW, "now"))
    return tuple(sorted(lines, key=lambda line: (line.at, _ORDER[line.kind], line.clock, line.evidence)))


def _end(verdict: Verdict, issue: Issue, now: datetime) -> datetime:
    """When the clock stopped, by its stop or because the issue was given up; else now."""
    if verdict.status is Status.CANCELLED:
        return max((event.at for event in issue.events if event.id in verdict.reason.evidence), default=now)
    return verdict.stopped_at or now


def _of_verdict(verdict: Verdict, pack: PolicyPack, end: datetime) -> Iterator[Line]:
    if verdict.started_at is None or verdict.goal is None or verdict.due_at is None:
        return
    name = verdict.clock
    calendar = _calendar(verdict, pack)
    cycle = f" (cycle {verdict.cycle})" if verdict.cycle > 1 else ""
    yield Line(verdict.started_at, Kind.START, f"starts{cycle}, promised within {verdict.goal}", clock=name)
    for pause in verdict.pauses:
        turn = f", {pause.party}'s turn" if pause.party else ""
        yield Line(pause.since, Kind.PAUSED, f"paused: {pause.reason}{turn}", pause.until, name)
    for since, until in _running(verdict, end):
        if calendar is ALWAYS:
            yield Line(since, Kind.WORKING, "runs", until, name, worked=until - since)
            continue
        for number, span in enumerate(calendar.spans(since, until)):
            if number >= _MOST_STRETCHES:
                worked = calendar.elapsed(span.start, until)
                yield Line(span.start, Kind.WORKING, "runs, day after day", until, name, worked=worked)
                break
            yield Line(span.start, Kind.WORKING, "runs", span.end, name, worked=span.length)
    yield from _escalations(verdict, pack, end)
    if verdict.status is not Status.PAUSED:
        yield Line(verdict.due_at, Kind.DUE, "due", clock=name)
    if verdict.stopped_at is not None:
        yield Line(verdict.stopped_at, Kind.STOP, f"stops: {verdict.status.value}", clock=name)


def _escalations(verdict: Verdict, pack: PolicyPack, end: datetime) -> Iterator[Line]:
    """The levels that were reached, and the pause that is forgotten, each at its instant."""
    for ladder in pack.ladders:
        if ladder.clock == verdict.clock:
            for rung in rungs(ladder.levels, verdict, end):
                text = f"escalation: {rung.level.mark.name}, {rung.level.tier} takes over"
                yield Line(rung.at, Kind.LEVEL, text, clock=verdict.clock)
    if verdict.forgotten_since is not None:
        tiers = [a.forgotten_pause.tier for a in pack.ladders if a.clock == verdict.clock and a.forgotten_pause]
        told = f", {tiers[0]} takes over" if tiers else ""
        text = f"the pause is forgotten: {verdict.reason.detail}{told}"
        yield Line(verdict.forgotten_since, Kind.FORGOTTEN, text, clock=verdict.clock)


def _calendar(verdict: Verdict, pack: PolicyPack) -> BusinessCalendar:
    if isinstance(verdict.goal, ElapsedTime):
        return ALWAYS
    return pack.calendar_named(verdict.calendar)


def _running(verdict: Verdict, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches in which the clock ran."""
    at = verdict.started_at
    assert at is not None
    for since, until in merged(verdict.pauses, end):
        if at < since:
            yield at, min(since, end)
        at = max(at, until)
    if at < end:
        yield at, end


def _of_event(event: Event) -> Line:
    who = event.actor.name or event.actor.id
    role = f" ({event.actor.role.value})" if who and event.actor.role.value != "unknown" else ""
    return Line(event.at, Kind.EVENT, _told(event), who=f"{who}{role}", evidence=event.id)


def _told(event: Event) -> str:
    match event:
        case Opened():
            return "opened"
        case Commented():
            return "public comment" if event.public else "internal comment"
        case StatusChanged():
            return f"status {_word(event.before)} -> {_word(event.after)}"
        case StateChanged():
            return f"state {event.before.value if event.before else '?'} -> {event.after.value}"
        case LabelsChanged() | ComponentsChanged() | FixVersionsChanged():
            changes = [*(f"+{name}" for name in event.added), *(f"-{name}" for name in event.removed)]
            return " ".join([event.kind.removesuffix("_changed").replace("_", " "), *changes])
        case PriorityChanged() | TypeChanged():
            return f"{event.kind.removesuffix('_changed')} {_word(event.before)} -> {_word(event.after)}"
        case SeverityChanged() | CategoryChanged() | CoverageChanged() | AssigneeChanged():
            return f"{event.kind.removesuffix('_changed')} {event.before or 'none'} -> {event.after or 'none'}"
        case TierChanged():
            return f"handed over {event.before or 'no tier'} -> {event.after or 'no tier'}"
        case DueDateChanged():
            return f"due date {event.before or 'none'} -> {event.after or 'none'}"
        case Moved():
            return f"moved {event.before} -> {event.after}"
        case FixReleased():
            return f"fix released in {event.release}"
        case _:
            assert_never(event)


def _word(word: Word | None) -> str:
    return word.name if word else "none"
