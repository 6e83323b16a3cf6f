"""Working time on the shipped Chinese calendar, against libraries and against a bare search on integers."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import businesstimedelta  # type: ignore[import-untyped]  # it ships no types
import numpy as np
from ruamel.yaml import YAML

from policies.business_calendar import BusinessCalendar
from policies.calendar_shape import CalendarShape
from policies.duration import WorkingDays, WorkingTime
from tests.bench.contest import Way, contest, whole
from tests.bench.rivals import (
    BareDays,
    BareSearch,
    DayLoop,
    businesstimedelta_rules,
    chinese_holidays,
    numpy_calendar,
    workclock_schedule,
)

if TYPE_CHECKING:
    from tests.bench.contest import Bench

FILE = Path(__file__).resolve().parents[2] / "policies" / "calendars" / "cn-office.yaml"
FORTY_HOURS = WorkingTime(40 * 60)
TEN_DAYS = WorkingDays(10)
NINETY_DAYS = timedelta(days=90)
NO_MAKE_UP = "make-up days"
DATES = "hours, make-up days; one array"
HOURS = "hours"
SHIFT = timedelta(hours=8)


def due_in_working_hours(calls: int) -> Bench:
    """The instant at which 40 working hours have run."""
    file = _file()
    calendar, bare, starts = _calendar(file), BareSearch(_calendar(file)), _starts(calls)
    length, forty, bare_starts = FORTY_HOURS.length, 40 * 3_600_000_000, [whole(start) for start in starts]
    clock, rules = workclock_schedule(file), businesstimedelta_rules(file)
    delta = businesstimedelta.BusinessTimeDelta(rules, hours=40)
    loops = DayLoop(file), DayLoop(_simply(file))
    referee, simply = ([loop.due(start, length) for start in starts] for loop in loops)
    ways = (
        Way(name="ours", run=lambda n: [calendar.due(start, FORTY_HOURS) for start in starts[:n]]),
        Way(name="workclock (Rust)", run=lambda n: [clock.add(start, length) for start in starts[:n]], note=NO_MAKE_UP),
        Way(
            name="businesstimedelta",
            run=lambda n: [start + delta for start in starts[:n]],
            share=20,
            rounds=1,
            pure=True,
            note=NO_MAKE_UP,
        ),
        Way(name="day loop", run=lambda n: [loops[0].due(start, length) for start in starts[:n]], share=10, rounds=1),
        Way(name="bare search on integers", run=lambda n: [bare.due(start, forty) for start in bare_starts[:n]]),
    )
    return contest("due in 40 working hours", calls, referee, simply, ways)


def elapsed_over_ninety_days(calls: int) -> Bench:
    """The working time within 90 days."""
    file = _file()
    calendar, bare = _calendar(file), BareSearch(_calendar(file))
    spans = [(start, start + NINETY_DAYS) for start in _starts(calls)]
    bare_spans = [(whole(start), whole(end)) for start, end in spans]
    clock, rules = workclock_schedule(file), businesstimedelta_rules(file)
    loops = DayLoop(file), DayLoop(_simply(file))
    referee, simply = ([loop.elapsed(*span) for span in spans] for loop in loops)
    ways = (
        Way(name="ours", run=lambda n: [calendar.elapsed(start, end) for start, end in spans[:n]]),
        Way(
            name="workclock (Rust)",
            run=lambda n: [clock.between(start, end) for start, end in spans[:n]],
            note=NO_MAKE_UP,
        ),
        Way(
            name="businesstimedelta",
            run=lambda n: [rules.difference(start, end).timedelta for start, end in spans[:n]],
            share=100,
            rounds=1,
            pure=True,
            note=NO_MAKE_UP,
        ),
        Way(name="day loop", run=lambda n: [loops[0].elapsed(*span) for span in spans[:n]], share=20, rounds=1),
        Way(name="bare search on integers", run=lambda n: [bare.elapsed(start, end) for start, end in bare_spans[:n]]),
    )
    return contest("working time elapsed over 90 days", calls, referee, simply, ways)


def due_in_working_days(calls: int) -> Bench:
    """The date ten working days later; ours answers with an instant, of which the local date is taken."""
    file = _file()
    calendar, loops, known = _calendar(file), (DayLoop(file), DayLoop(_simply(file))), chinese_holidays()
    days = _days(calls)
    starts = [_ten_o_clock(day) for day in days]
    array, numpys = np.array(days, dtype="datetime64[D]"), numpy_calendar(file)
    bare, ordinals = BareDays(loops[0]), [day.toordinal() for day in days]
    referee, simply = ([loop.working_day_after(day, 10).toordinal() for day in days] for loop in loops)

    def after(day: date) -> int:
        begin = known.get_nth_working_day(day, 0)
        return known.get_nth_working_day(begin, 10).toordinal()

    def offset(n: int) -> list[int]:
        found = np.busday_offset(array[:n], 10, roll="forward", busdaycal=numpys)
        return [int(day) + date(1970, 1, 1).toordinal() for day in found.astype("int64")]

    ways = (
        Way(
            name="ours",
            run=lambda n: [calendar.local(calendar.due(start, TEN_DAYS)).toordinal() for start in starts[:n]],
        ),
        Way(name="numpy.busday_offset (C)", run=offset, note=DATES),
        Way(
            name="holidays",
            run=lambda n: [after(day) for day in days[:n]],
            share=10,
            rounds=1,
            pure=True,
            note=HOURS,
        ),
        Way(name="bare search on days", run=lambda n: [bare.after(day, 10) for day in ordinals[:n]]),
    )
    return contest("due in 10 working days", calls, referee, simply, ways)


def working_days_in_ninety(calls: int) -> Bench:
    """Working days among 90; ours counts working time from midnight to midnight, eight hours a day."""
    file = _file()
    calendar, loops, known = _calendar(file), (DayLoop(file), DayLoop(_simply(file))), chinese_holidays()
    spans = [(day, day + NINETY_DAYS) for day in _days(calls)]
    midnights = [tuple(_ten_o_clock(day) - timedelta(hours=10) for day in span) for span in spans]
    begin = np.array([first for first, _ in spans], dtype="datetime64[D]")
    end, numpys = np.array([until for _, until in spans], dtype="datetime64[D]"), numpy_calendar(file)
    bare, ordinals = BareDays(loops[0]), [(first.toordinal(), until.toordinal()) for first, until in spans]
    referee, simply = ([loop.working_days(*span) for span in spans] for loop in loops)
    ways = (
        Way(name="ours", run=lambda n: [calendar.elapsed(first, until) // SHIFT for first, until in midnights[:n]]),
        Way(
            name="numpy.busday_count (C)",
            run=lambda n: [int(found) for found in np.busday_count(begin[:n], end[:n], busdaycal=numpys)],
            note=DATES,
        ),
        Way(
            name="holidays",
            run=lambda n: [known.get_working_days_count(first, until - timedelta(1)) for first, until in spans[:n]],
            share=20,
            rounds=1,
            pure=True,
            note=HOURS,
        ),
        Way(name="bare search on days", run=lambda n: [bare.between(*span) for span in ordinals[:n]]),
    )
    return contest("working days among 90 days", calls, referee, simply, ways)


# ----------------------------------------------------------------------------------------------------------- questions


def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
    return loaded


def _simply(file: dict[str, Any]) -> dict[str, Any]:
    """The same calendar without make-up working days."""
    return {**file, "make_up_days": {}}


def _calendar(file: dict[str, Any]) -> BusinessCalendar:
    return CalendarShape.model_validate(file).build()


def _starts(calls: int) -> list[datetime]:
    chosen = random.Random(20260307)  # noqa: S311 - the same instants in every run
    first = datetime(2024, 1, 1, tzinfo=UTC)
    return [first + timedelta(seconds=chosen.randrange(950 * 86_400)) for _ in range(calls)]


def _days(calls: int) -> list[date]:
    return [start.date() for start in _starts(calls)]


def _ten_o_clock(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)  # Shanghai keeps eight hours ahead all year
