"""Clocks: the shape a pack gives them, and the cycles they ran through in an issue's history.

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
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from policies.conditions import Condition
from policies.duration import Duration, ElapsedTime, WorkingDays, parse_duration
from policies.history import Moment, spells
from policies.issue import Commented, FixReleased, Issue, Opened, Role, State

if TYPE_CHECKING:
    from collections.abc import Sequence

CUSTOMER = "customer"
"""The party whose public comment ends a pause."""

REPORTED = "reported_at"
"""Stands among the evidence for the field that says when an issue was reported: it has no event of its own."""

# -------------------------------------------------------------------------------------------------------------- shape


def _parsed(value: Any) -> Duration:
    return value if isinstance(value, Duration) else parse_duration(str(value))


def _elapsed(value: Any) -> ElapsedTime:
    found = _parsed(value)
    if not isinstance(found, ElapsedTime):
        raise ValueError(f"{found} is working time; write elapsed time: seven days are 168h")  # noqa: TRY004  see _percent
    return found


def _percent(value: Any) -> str:
    if isinstance(value, str) and value.strip().endswith("%"):
        return value.strip()[:-1].strip()
    # pydantic turns a ValueError into a located error; a TypeError would pass through it
    raise ValueError(f"{value!r} is no share of the goal; write it as 75%")


DurationText = Annotated[
    Duration,
    PlainValidator(_parsed),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[1-9][0-9]*(h|m|bh|bm|bd)( until close_of_business)?$",
            "examples": ["24h", "8bh", "5bd"],
        }
    ),
]
ElapsedText = Annotated[
    ElapsedTime,
    PlainValidator(_elapsed),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]*(h|m)$", "examples": ["168h", "30m"]}),
]
Percent = Annotated[
    int,
    BeforeValidator(_percent),
    Field(gt=0, le=1000),
    PlainSerializer(lambda share: f"{share}%"),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]*%$", "examples": ["75%"]}),
]


def _word_or_condition(value: Any) -> str:
    return "word" if isinstance(value, str) else "condition"


class Reopen(StrEnum):
    """What a reopening does to a clock that had stopped."""

    RESUME = "resume"
    NEW_CYCLE = "new_cycle"
    IGNORE = "ignore"


class Retarget(StrEnum):
    """What a goal that changes in flight does to the due instant."""

    FROM_START = "from_start"
    FROM_CHANGE = "from_change"
    FROM_START_WITH_FLOOR = "from_start_with_floor"


class Goal(BaseModel):
    """A promise: within which time, on which calendar, for which issues. The first goal whose ``when`` holds counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Condition | None = Field(None, description="the issues it is for; left out: all that no earlier goal took")
    within: DurationText = Field(description="24h elapsed, 8bh working hours, 5bd working days")
    until: Literal["close_of_business"] | None = Field(None, description="working days end at closing time")
    calendar: str | None = Field(None, description="id of a calendar; left out: the pack's")

    @model_validator(mode="after")
    def _fits(self) -> Goal:
        if self.until and not isinstance(self.within, WorkingDays):
            raise ValueError(f"`until: {self.until}` goes with working days (5bd), found {self.within}")
        return self

    @cached_property
    def promise(self) -> Duration:
        """Within which time, and until when in the day."""
        if self.until and isinstance(self.within, WorkingDays):
            return replace(self.within, until_close=True)
        return self.within


class PauseRule(BaseModel):
    """When a clock stands still, why, and whose turn it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Condition = Field(description="the clock stands still while this holds")
    reason: str = Field(min_length=1, description="why, as reports show it")
    party: str = Field(CUSTOMER, description="whose turn it is; a customer's public comment ends the pause")
    longest: DurationText | None = Field(
        None, description="a pause that lasts longer is forgotten: 72h, or working time of the goal's calendar (5bd)"
    )


class Clock(BaseModel):
    """One promise's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: dict[str, str] = Field(default_factory=dict, description="what people call it, by language (en, zh)")
    start: Annotated[
        Annotated[Literal["opened", "reported", "accepted"], Tag("word")] | Annotated[Condition, Tag("condition")],
        Discriminator(_word_or_condition),
    ] = Field(
        "opened",
        description="`opened`, `reported` (a call that precedes the ticket, where it is known; else the opening), "
        "`accepted` (left the state open), or a condition that becomes true",
    )
    stop: Annotated[
        Annotated[Literal["first_response", "patch_released"], Tag("word")] | Annotated[Condition, Tag("condition")],
        Discriminator(_word_or_condition),
    ] = Field(
        description="`first_response` (a person's public reply), `patch_released` (a published release has the fix), or "
        "a condition that becomes true"
    )
    receipt_is_enough: bool = Field(
        default=False,
        description="with `first_response`: that the report has arrived is all that is promised, so that a reply that "
        "says no more is no `hollow_response`",
    )
    pause: tuple[PauseRule, ...] = Field((), description="when it stands still; pauses that overlap count once")
    reopen: Reopen = Field(
        Reopen.RESUME,
        description="what a reopening does: within the verification window it goes on; later, or under `new_cycle`, "
        "it starts anew; `ignore`: the first stop stands",
    )
    verification_window: ElapsedText = Field(
        default_factory=lambda: ElapsedTime(7 * 24 * 60),
        description="reopened within it, the fix counts as failed",
        json_schema_extra={"default": "168h"},
    )
    at_risk: Percent = Field(
        75,
        lt=100,
        description="share of the promised time from which on it is at risk",
        json_schema_extra={"default": "75%"},
    )
    on_retarget: Retarget = Field(
        Retarget.FROM_START_WITH_FLOOR,
        description="from where a goal counts that came into force in flight; with a floor: never later than promised, "
        "never born breached",
    )
    floor: DurationText = Field(
        default_factory=lambda: ElapsedTime(60),
        description="the least time left after a goal became shorter",
        json_schema_extra={"default": "1h"},
    )
    goals: tuple[Goal, ...] = Field(min_length=1, description="its promises; the first whose `when` holds counts")

    @property
    def reads_history(self) -> bool:
        """Whether it rests on how fields changed, and not on the opening, comments and releases alone."""
        return (
            self.start not in {"opened", "reported"}
            or not isinstance(self.stop, str)
            or bool(self.pause)
            or any(goal.when is not None for goal in self.goals)
        )


# -------------------------------------------------------------------------------------------------------------- cycle


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
    opening = tuple(event.id for event in issue.events[:1] if isinstance(event, Opened))
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
