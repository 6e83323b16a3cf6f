"""Ladders: the levels an escalation goes through, and which of them an issue has reached.

Rules:

1. A run that comes late finds the highest level reached and no other: the one whose instant is the latest, of one
   instant the one written last.
2. A clock that is paused, stopped or not judged has reached nothing: what came due meanwhile is not queued.
3. A level has a key for good, (issue, clock, cycle, level): by it, it is told at most once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from policies.clock import DurationText, Percent
from policies.duration import Duration, ElapsedTime, WorkingDays, WorkingTime, parse_duration
from policies.threshold import AfterDue, BeforeDue, Mark, Share

if TYPE_CHECKING:
    from policies.verdict import Verdict


def _no_days(value: Any) -> ElapsedTime | WorkingTime:
    found = value if isinstance(value, Duration) else parse_duration(str(value))
    if isinstance(found, WorkingDays):
        # pydantic turns a ValueError into a located error; a TypeError would pass through it
        raise ValueError(f"{found} before due: write elapsed time (4h) or working time (2bh)")  # noqa: TRY004
    return found


HoursText = Annotated[
    ElapsedTime | WorkingTime,
    PlainValidator(_no_days),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]*(h|m|bh|bm)$", "examples": ["4h", "2bh"]}),
]
Words = dict[Literal["en", "zh"], str]


class Level(BaseModel):
    """One rung of a ladder: exactly one of ``at``, ``before_due`` and ``after_due`` says when it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Percent | None = Field(None, description="share of the promised time that is used up")
    before_due: HoursText | None = Field(None, description="so long before it is due: 4h elapsed, 2bh working hours")
    after_due: DurationText | None = Field(None, description="so long after it was due: 1h, 4bh, 1bd")
    tier: str = Field(description="support tier that takes over")
    text: Words = Field(default_factory=dict, description="what the comment says while it stands there, by language")

    @model_validator(mode="after")
    def _one_place(self) -> Level:
        if sum(place is not None for place in (self.at, self.before_due, self.after_due)) != 1:
            raise ValueError("name exactly one of `at: 75%`, `before_due: 4h` and `after_due: 1bd`")
        return self

    @property
    def mark(self) -> Mark:
        if self.at is not None:
            return Share(self.at)
        if self.before_due is not None:
            return BeforeDue(self.before_due)
        assert self.after_due is not None
        return AfterDue(self.after_due)


class ForgottenPause(BaseModel):
    """Who is told of a pause that lasts longer than its rule's ``longest``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tier: str = Field(description="support tier that takes over")
    text: Words = Field(default_factory=dict, description="what the comment says while it lasts, by language")


@dataclass(frozen=True, slots=True)
class EscalationKey:
    """Names one escalation for good.

    Attributes:
        issue: the tracker's own id of the issue, which survives a move.
        level: the mark's name (``75%``, ``1bd after due``), or ``forgotten pause``.
    """

    issue: str
    clock: str
    cycle: int
    level: str

    def __str__(self) -> str:
        return f"{self.issue}/{self.clock}/{self.cycle}/{self.level}"


@dataclass(frozen=True, slots=True)
class Rung:
    """A level that a clock has reached, and when."""

    level: Level
    at: datetime


def rungs(levels: Sequence[Level], verdict: Verdict, until: datetime) -> Iterator[Rung]:
    """The levels whose instant came up to ``until``, in the order of the ladder, whatever the clock does now."""
    instants = dict(verdict.thresholds)
    for level in levels:
        at = instants.get(level.mark.name)
        if at is not None and at <= until:
            yield Rung(level, at)


def highest(levels: Sequence[Level], verdict: Verdict | None, now: datetime) -> Rung | None:
    """The level that stands: the highest one reached while the clock runs."""
    if verdict is None or not verdict.status.runs:
        return None
    found: Rung | None = None
    for rung in rungs(levels, verdict, now):
        if found is None or rung.at >= found.at:
            found = rung
    return found
