"""Other ways to working time on the shipped Chinese calendar: a day loop, a bare search on integers, libraries.

The day loop is the referee: one local day after the other, it shares no code with the calendar. No library here can
say that a Saturday works, so each is also held to a referee who knows no make-up working days: what it can express.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import businesstimedelta  # type: ignore[import-untyped]  # it ships no types
import holidays
import numpy as np
import pytz  # type: ignore[import-untyped]  # what businesstimedelta takes for a zone; no types either
import workclock

from tests.bench.contest import whole

if TYPE_CHECKING:
    from policies.business_calendar import BusinessCalendar

MORNING, EVENING = (time(9), time(12)), (time(13), time(18))
WEEKDAYS = [0, 1, 2, 3, 4]
NEXT_HOLIDAY = date(2027, 1, 1)
"""Behind the last holiday of the file; businesstimedelta breaks where it finds no further one."""


class DayLoop:
    """The obvious way: one local day after the other."""

    def __init__(self, file: dict[str, Any]) -> None:
        self.zone = ZoneInfo(file["zone"])
        self.holidays = set(file["holidays"])
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        self.week = [[self._hours(text) for text in file["weekly"].get(name, ())] for name in names]
        self.make_up = {day: self.week[names.index(name)] for day, name in file["make_up_days"].items()}

    @staticmethod
    def _hours(text: str) -> tuple[timedelta, timedelta]:
        opens, closes = (datetime.strptime(part, "%H:%M").replace(tzinfo=UTC) for part in text.split("-"))
        return timedelta(hours=opens.hour, minutes=opens.minute), timedelta(hours=closes.hour, minutes=closes.minute)

    def _hours_of(self, day: date) -> list[tuple[timedelta, timedelta]]:
        return [] if day in self.holidays else self.make_up.get(day, self.week[day.weekday()])

    def _spans(self, day: date) -> list[tuple[datetime, datetime]]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        hours = self._hours_of(day)
        return [((midnight + opens).astimezone(UTC), (midnight + closes).astimezone(UTC)) for opens, closes in hours]

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        day, total = start.astimezone(self.zone).date(), timedelta(0)
        last = end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self._spans(day):
                if opens < end and start < closes:
                    total += min(closes, end) - max(opens, start)
            day += timedelta(1)
        return total

    def due(self, start: datetime, left: timedelta) -> datetime:
        day = start.astimezone(self.zone).date()
        while True:
            for opens, closes in self._spans(day):
                since = max(opens, start)
                if since < closes:
                    if closes - since >= left:
                        return since + left
                    left -= closes - since
            day += timedelta(1)

    def working_day_after(self, day: date, days: int) -> date:
        """So many working days after a day; a day that does not work begins at the next one that does."""
        while True:
            if self._hours_of(day):
                if days == 0:
                    return day
                days -= 1
            day += timedelta(1)

    def working_days(self, first: date, until: date) -> int:
        """Working days in [first, until)."""
        return sum(bool(self._hours_of(first + timedelta(number))) for number in range((until - first).days))


class BareSearch:
    """The least that can be done: a table of integers, a bisection, no datetime, no zone, no check."""

    def __init__(self, calendar: BusinessCalendar) -> None:
        spans = list(calendar.spans(datetime(2023, 12, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)))
        self.starts = [whole(span.start) for span in spans]
        self.ends = [whole(span.end) for span in spans]
        self.before = [0]
        for start, end in zip(self.starts, self.ends, strict=True):
            self.before.append(self.before[-1] + end - start)

    def worked(self, instant: int) -> int:
        index = bisect_right(self.starts, instant) - 1
        return self.before[index] + min(instant, self.ends[index]) - self.starts[index]

    def elapsed(self, start: int, end: int) -> int:
        return self.worked(end) - self.worked(start)

    def due(self, start: int, amount: int) -> int:
        goal = self.worked(start) + amount
        index = bisect_left(self.before, goal) - 1
        return self.starts[index] + goal - self.before[index]


class BareDays:
    """Working days as sorted integers and a bisection."""

    def __init__(self, loop: DayLoop) -> None:
        first = date(2023, 12, 1).toordinal()
        ordinals = range(first, first + 4 * 366)
        self.days = [day for day in ordinals if loop.working_days(*map(date.fromordinal, (day, day + 1)))]

    def after(self, day: int, days: int) -> int:
        return self.days[bisect_left(self.days, day) + days]

    def between(self, first: int, until: int) -> int:
        return bisect_left(self.days, until) - bisect_left(self.days, first)


def workclock_schedule(file: dict[str, Any]) -> workclock.Schedule:
    """workclock: a core in Rust."""
    off = workclock.Holidays(file["holidays"])
    return workclock.Schedule((workclock.WorkDay(*MORNING), workclock.WorkDay(*EVENING), off), time_zone=file["zone"])


def businesstimedelta_rules(file: dict[str, Any]) -> Any:
    """businesstimedelta: pure Python, one period after the other."""
    zone = pytz.timezone(file["zone"])
    working = [
        businesstimedelta.WorkDayRule(start_time=opens, end_time=closes, working_days=WEEKDAYS, tz=zone)
        for opens, closes in (MORNING, EVENING)
    ]
    off = businesstimedelta.HolidayRule({*file["holidays"], NEXT_HOLIDAY}, tz=zone)
    return businesstimedelta.Rules([*working, off])


def numpy_calendar(file: dict[str, Any]) -> np.busdaycalendar:
    """numpy: whole days, in C."""
    return np.busdaycalendar(holidays=np.array(file["holidays"], dtype="datetime64[D]"))


def chinese_holidays() -> holidays.HolidayBase:
    """The package holidays: whole days, pure Python; it does know make-up working days."""
    return holidays.country_holidays("CN", years=range(2023, 2028))
