"""Public holidays of some years, frozen into the calendar that deadlines are counted on.

Rules:

1. A year is frozen whole or not at all. Where working days are moved by decree, a year after the last one with a
   make-up day is not known yet; neither is one with an estimated holiday, nor one beyond what the source covers.
2. The years frozen are those from the first one asked for up to the first one not known. A clock that needs another
   year is provisional and says so.
3. What is frozen says of every day what its source says; where it does not, it is refused.
4. The same facts give the same text, letter for letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from policies.calendar_shape import CalendarShape
from policies.local_span import WEEKDAYS, CalendarError, Weekday

_MOST_DIFFERENCES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHolidays:
    """What a source knows of a country's years.

    Attributes:
        country: its code, with the subdivision where one is meant (``CN``, ``DE-BY``). name: for people.
        weekend: weekdays that do not work, 0 for Monday.
        holidays: dates that do not work -> their names.
        make_up_days: dates that work although the week says no -> the date off they work in place of, None if not told.
        last_make_up_year: the last year of which the source knows a make-up day; None where there never was any.
        estimated: years in which a date is only estimated.
        first_year, last_year: what the source covers.
        works: the source's own answer to "is this a working day?".
        source: which source, of which version.
    """

    country: str
    name: str
    weekend: frozenset[int]
    holidays: Mapping[date, str]
    make_up_days: Mapping[date, date | None] = field(default_factory=dict)
    last_make_up_year: int | None = None
    estimated: frozenset[int] = frozenset()
    first_year: int
    last_year: int
    works: Callable[[date], bool]
    source: str

    def lacks(self, year: int) -> str:
        """Why a year is not known whole, "" where it is."""
        if not self.first_year <= year <= self.last_year:
            return f"the source covers {self.first_year} to {self.last_year}"
        if self.last_make_up_year is not None and year > self.last_make_up_year:
            return "its make-up working days are not known yet"
        if year in self.estimated:
            return "some of its dates are estimated"
        return ""


@dataclass(frozen=True, slots=True)
class FrozenCalendar:
    """A calendar with what its file says beside the facts.

    Attributes:
        left_out: years that were asked for and are not known whole, with the reason.
    """

    shape: CalendarShape
    names: Mapping[date, str]
    in_place_of: Mapping[date, date | None]
    left_out: Mapping[int, str]

    def text(self) -> str:
        """The calendar's YAML file."""
        shape = self.shape
        lines = [f"# {shape.title}: public holidays and make-up working days, frozen; a live feed decides no deadline."]
        lines.append("# Written by `warranty calendars freeze`; written anew for other years, never by hand.")
        lines += [
            f"# {year} is left out: {reason}. A clock that runs into it is provisional."
            for year, reason in self.left_out.items()
        ]
        lines += [f"id: {shape.id}", f"title: {_scalar(shape.title)}", f"zone: {shape.zone}", "weekly:"]
        lines += [
            f"  {day}: [{', '.join(f'{_scalar(text)}' for text in texts)}]" for day, texts in shape.weekly.items()
        ]
        if shape.holidays:
            lines.append("holidays:")
            lines += [f"  - {day}  # {_comment(self.names[day])}" for day in shape.holidays]
        if shape.make_up_days:
            lines.append("make_up_days:")
            for day, named in shape.make_up_days.items():
                off = self.in_place_of[day]
                lines.append(f"  {day}: {named}" + (f"  # works in place of {off}" if off else ""))
        lines += [f"valid_from: {shape.valid_from}", f"valid_through: {shape.valid_through}"]
        lines.append(f"source: {_scalar(shape.source)}")
        return "\n".join(lines) + "\n"


def frozen(
    known: PublicHolidays,
    years: range,
    *,
    id_: str,
    zone: str,
    hours: tuple[str, ...],
    read_on: date,
    known_through: int | None = None,
) -> FrozenCalendar:
    """The calendar of those of the years that are known whole.

    Args:
        years: the years asked for, ascending.
        hours: of each working day (``09:00-12:00``).
        read_on: when the source was read; told in the file.
        known_through: years up to this one are taken as whole, whatever the source seems to lack.

    Raises:
        CalendarError: not even the first year is known whole; the hours or the zone make no sense; the source says
            otherwise of some day.
    """
    left_out = {
        year: reason
        for year in years
        if (reason := known.lacks(year)) and not (known_through is not None and year <= known_through)
    }
    whole = range(years.start, min(left_out, default=years.stop))
    if not whole:
        raise CalendarError(f"{known.country}: {years.start} is not known whole: {left_out[years.start]}")
    # What lies behind the first year that is not known is left out with it.
    left_out |= {year: left_out.get(year, f"{whole.stop} before it is not known whole") for year in years[len(whole) :]}
    weekly: dict[Weekday, list[str]] = {
        day: list(hours) for number, day in enumerate(WEEKDAYS) if number not in known.weekend
    }
    holidays = sorted(day for day in known.holidays if day.year in whole)
    make_up_days: dict[date, Weekday | list[str]] = {
        day: _weekday_of(known.make_up_days[day], weekly) for day in sorted(known.make_up_days) if day.year in whole
    }
    shape = CalendarShape(
        id=id_,
        title=f"{known.name}, office hours",
        zone=zone,
        weekly=weekly,
        holidays=holidays,
        make_up_days=make_up_days,
        valid_from=date(whole.start, 1, 1),
        valid_through=date(whole[-1], 12, 31),
        source=f"{known.source}, read on {read_on}",
    )
    _refuse_what_differs(shape, known)
    return FrozenCalendar(
        shape=shape,
        names={day: known.holidays[day] for day in holidays},
        in_place_of={day: known.make_up_days[day] for day in make_up_days},
        left_out=dict(sorted(left_out.items())),
    )


def _weekday_of(off: date | None, weekly: Mapping[Weekday, list[str]]) -> Weekday:
    """Whose hours a make-up day works: those of the day it stands for, else those of the week's first working day."""
    named = WEEKDAYS[off.weekday()] if off is not None else None
    return named if named is not None and named in weekly else next(iter(weekly))


def _refuse_what_differs(shape: CalendarShape, known: PublicHolidays) -> None:
    calendar = shape.build()
    assert shape.valid_from is not None
    assert shape.valid_through is not None
    days = (shape.valid_from + timedelta(number) for number in range((shape.valid_through - shape.valid_from).days + 1))
    differ = [day for day in days if calendar.is_working_day(day) is not known.works(day)]
    if differ:
        told = ", ".join(
            f"{day} {'works' if known.works(day) else 'does not work'}" for day in differ[:_MOST_DIFFERENCES]
        )
        raise CalendarError(
            f"{known.country}: one week with its holidays can not say what the source says: {told} ({len(differ)} in all)"
        )


def _scalar(text: str) -> str:
    """Text as YAML takes it: plain where that is safe, else quoted."""
    plain = text.replace(",", "").replace(" ", "").replace(".", "").replace("-", "").isalnum() and text[0].isalpha()
    if plain:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _comment(text: str) -> str:
    return " ".join(text.split())
