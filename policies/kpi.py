"""Targets over many reports: the shape a pack gives them. They are declared and linted; no verdict reads them.

kpis:
  answered_within_a_day:
    of: first_response          # a clock of the pack; measured_elsewhere: a survey, a release count ...
    when: {category: defect}    # which reports; left out: all
    within: 24h                 # left out: each within its own goal
    share: ">= 80%"
    review: quarter
    source: section 4
  trainings:
    of: measured_elsewhere
    count: ">= 3"
    review: year
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from policies.clock import DurationText
from policies.conditions import Condition

ELSEWHERE = "measured_elsewhere"
"""Stands for the clock where the figure does not come from the issues."""

_SHARE = re.compile(r"(>=|<=)\s*([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%")
_COUNT = re.compile(r"(>=|<=)\s*([0-9]{1,6})")
_WHOLE = 100


class Bound(StrEnum):
    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Share:
    """Attributes: percent: 0 to 100."""

    bound: Bound
    percent: float

    def __str__(self) -> str:
        return f"{self.bound.value} {self.percent:g}%"


@dataclass(frozen=True, slots=True)
class Count:
    """So many in each period of review."""

    bound: Bound
    number: int

    def __str__(self) -> str:
        return f"{self.bound.value} {self.number}"


def _share(value: Any) -> Share:
    if isinstance(value, Share):
        return value
    written = _SHARE.fullmatch(str(value).strip())
    if written is None:
        raise ValueError(f"a share such as '>= 80%' or '<= 5%', found {str(value)[:40]!r}")
    if float(written[2]) > _WHOLE:
        raise ValueError(f"a share of at most 100%, found {written[2]}%")
    return Share(Bound(written[1]), float(written[2]))


def _count(value: Any) -> Count:
    if isinstance(value, Count):
        return value
    written = _COUNT.fullmatch(str(value).strip())
    if written is None:
        raise ValueError(f"a count such as '>= 3', found {str(value)[:40]!r}")
    return Count(Bound(written[1]), int(written[2]))


def _period(value: Any) -> Any:
    """``each quarter`` is ``quarter``."""
    return value.removeprefix("each ") if isinstance(value, str) else value


ShareText = Annotated[
    Share,
    PlainValidator(_share),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(>=|<=) ?[0-9]{1,3}(\.[0-9]{1,3})? ?%$", "examples": [">= 80%", "<= 5%"]}
    ),
]
CountText = Annotated[
    Count,
    PlainValidator(_count),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^(>=|<=) ?[0-9]{1,6}$", "examples": [">= 3"]}),
]
_Period = Literal["month", "quarter", "year"]
_Periodical = Literal["month", "quarter", "year", "each month", "each quarter", "each year"]
Period = Annotated[_Period, BeforeValidator(_period, json_schema_input_type=_Periodical)]


class Kpi(BaseModel):
    """A target over a population of reports, or over something that the trackers do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: dict[str, str] = Field(default_factory=dict, description="what people call it, by language (en, zh)")
    of: str = Field(description=f"the clock it counts, or `{ELSEWHERE}`")
    when: Condition | None = Field(None, description="the reports it counts; left out: all of the clock's")
    within: DurationText | None = Field(
        None, description="the time it counts against; left out: each report against its own goal"
    )
    share: ShareText | None = Field(None, description="the share to reach or to stay under: '>= 80%', '<= 5%'")
    count: CountText | None = Field(None, description="the number to reach in each period: '>= 3'")
    review: Period = Field(description="how often it is looked at, and the period it is taken over")
    source: str = Field("", description="where it was agreed: the document and its section")

    @model_validator(mode="after")
    def _fits(self) -> Kpi:
        if (self.share is None) == (self.count is None):
            raise ValueError("exactly one of `share` and `count`")
        if self.of == ELSEWHERE and (self.within is not None or self.when is not None):
            raise ValueError(f"`within` and `when` go with a clock; `of: {ELSEWHERE}` has neither")
        return self
