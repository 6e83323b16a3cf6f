"""Clocks: the shape a pack gives a promise: when it starts, stops and pauses, and within which time."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

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

CUSTOMER = "customer"
"""The party whose public comment ends a pause."""


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
