"""A calendar as its YAML file states it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from policies.business_calendar import BusinessCalendar
from policies.local_span import CalendarError, LocalSpan, Weekday, hours


def _hours_text(text: str) -> str:
    LocalSpan.parse(text)
    return text


def _no_number(value: object) -> object:
    if isinstance(value, int | float):  # pydantic would take it for seconds since 1970
        raise ValueError(f"{value} is no date: write it as 2026-05-01")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


HoursText = Annotated[str, AfterValidator(_hours_text)]
"""Hours such as ``09:00-12:00``, checked."""

Day = Annotated[date, BeforeValidator(_no_number)]
"""A date as YAML writes it, ``2026-05-01``; never a number."""


class CalendarShape(BaseModel):
    """A calendar as its YAML file states it.

    ``make_up_days`` gives each working exception the hours of a named weekday or hours of its own; see
    ``BusinessCalendar`` for the other fields.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="what packs call it; the name of its file")
    zone: str = Field(description="IANA zone of the contract")
    weekly: dict[Weekday, list[HoursText]] = Field(
        description="hours of each weekday (mon ... sun); one that is absent does not work"
    )
    title: str = Field("", description="for people")
    weekly_from: dict[Day, dict[Weekday, list[HoursText]]] = Field(
        {}, description="hours of the week from a date on, in place of all earlier ones"
    )
    holidays: list[Day] = Field([], description="dates that do not work")
    make_up_days: dict[Day, Weekday | list[HoursText]] = Field(
        {},
        description="dates that work although their weekday does not: the weekday whose hours they take, or hours of their own",
    )
    breaks: dict[Day, list[HoursText]] = Field({}, description="hours cut out of a date")
    valid_from: Day | None = Field(None, description="the first date whose holidays are known; left out: no limit")
    valid_through: Day | None = Field(None, description="the last date whose holidays are known; left out: no limit")
    source: str = Field("", description="where the holidays were taken from")

    def build(self) -> BusinessCalendar:
        """The calendar this describes.

        Raises:
            CalendarError: as ``BusinessCalendar`` does; or a make-up day takes the hours of a weekday without any.
        """
        return BusinessCalendar(
            id=self.id,
            title=self.title,
            zone=self.zone,
            weekly=_parsed_week(self.weekly),
            weekly_from={day: _parsed_week(week) for day, week in self.weekly_from.items()},
            holidays=self.holidays,
            exceptions={day: hours(*self._texts_of(day, named)) for day, named in self.make_up_days.items()},
            breaks={day: hours(*texts) for day, texts in self.breaks.items()},
            valid_from=self.valid_from,
            valid_through=self.valid_through,
            source=self.source,
        )

    def _texts_of(self, day: date, named: Weekday | list[HoursText]) -> list[HoursText]:
        if isinstance(named, list):
            return named
        in_force = max((since for since in self.weekly_from if since <= day), default=None)
        week = self.weekly if in_force is None else self.weekly_from[in_force]
        if texts := week.get(named):
            return texts
        raise CalendarError(f"calendar {self.id}: the make-up day {day} takes the hours of {named!r}, which has none")


def _parsed_week(week: Mapping[Weekday, list[HoursText]]) -> dict[Weekday, tuple[LocalSpan, ...]]:
    return {day: hours(*texts) for day, texts in week.items()}
