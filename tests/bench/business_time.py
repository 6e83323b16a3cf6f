"""Working time on the shipped Chinese calendar, against a day loop and against a bare search on integers."""

from __future__ import annotations

import random
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from policies.business_calendar import BusinessCalendar, CalendarShape
from policies.duration import WorkingTime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CALLS = 10_000
FILE = Path(__file__).resolve().parents[2] / "policies" / "calendars" / "cn-office.yaml"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORTY_HOURS = WorkingTime(40 * 60)
NINETY_DAYS = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to the answers. Attributes: seconds: of its fastest round; right: answers equal to ours."""

    name: str
    seconds: float
    right: int


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured. Attributes: contestants: ours first; remark: a line below the table."""

    title: str
    calls: int
    contestants: tuple[Contestant, ...]
    remark: str = ""


def due_in_working_hours() -> Bench:
    calendar, loop, bare, starts = _calendar(), DayLoop(_file()), BareSearch(_calendar()), _starts()
    forty = 40 * 3_600_000_000
    whole = [_integer(start) for start in starts]
    return _measured(
        "due in 40 working hours, cn-office",
        ("ours", lambda: [calendar.due(start, FORTY_HOURS) for start in starts], 5),
        ("day loop", lambda: [loop.due(start, FORTY_HOURS.length) for start in starts], 1),
        ("bare bisection on integers", lambda: [bare.due(start, forty) for start in whole], 5),
    )


def elapsed_over_ninety_days() -> Bench:
    calendar, loop, bare, starts = _calendar(), DayLoop(_file()), BareSearch(_calendar()), _starts()
    spans = [(start, start + NINETY_DAYS) for start in starts]
    whole = [(_integer(start), _integer(end)) for start, end in spans]
    return _measured(
        "working time elapsed over 90 days, cn-office",
        ("ours", lambda: [calendar.elapsed(start, end) for start, end in spans], 5),
        ("day loop", lambda: [loop.elapsed(start, end) for start, end in spans], 1),
        (
            "bare bisection on integers",
            lambda: [bare.elapsed(start, end) for start, end in whole],
            5,
        ),
    )


# -------------------------------------------------------------------------------------------------------------- rivals


class DayLoop:
    """The obvious way: one local day after the other. It shares no code with the calendar."""

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

    def _spans(self, day: date) -> list[tuple[datetime, datetime]]:
        if day in self.holidays:
            return []
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        hours = self.make_up.get(day, self.week[day.weekday()])
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


class BareSearch:
    """The least that can be done: a table of integers, a bisection, no datetime, no zone, no check."""

    def __init__(self, calendar: BusinessCalendar) -> None:
        spans = list(calendar.spans(datetime(2023, 12, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)))
        self.starts = [_integer(span.start) for span in spans]
        self.ends = [_integer(span.end) for span in spans]
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


# ----------------------------------------------------------------------------------------------------------- measuring


def _measured(title: str, *ways: tuple[str, Callable[[], Sequence[object]], int]) -> Bench:
    answers: list[Sequence[object]] = []
    contestants = []
    for name, run, rounds in ways:
        times = []
        found: Sequence[object] = ()
        for _ in range(rounds):
            before = time.perf_counter()
            found = run()
            times.append(time.perf_counter() - before)
        answers.append(found)
        right = sum(_integer(one) == _integer(ours) for one, ours in zip(found, answers[0], strict=True))
        contestants.append(Contestant(name, min(times), right))
    remark = f"ours takes {contestants[0].seconds / contestants[-1].seconds:.1f} times the bare bisection"
    return Bench(title, CALLS, tuple(contestants), remark)


def _integer(answer: object) -> int:
    """An answer in microseconds, whatever it was given in."""
    if isinstance(answer, datetime):
        answer = answer - EPOCH
    if isinstance(answer, timedelta):
        return answer // timedelta(microseconds=1)
    assert isinstance(answer, int)
    return answer


def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
    return loaded


def _calendar() -> BusinessCalendar:
    return CalendarShape.model_validate(_file()).build()


def _starts() -> list[datetime]:
    chosen = random.Random(20260307)  # noqa: S311 - the same instants in every run
    first = datetime(2024, 1, 1, tzinfo=UTC)
    return [first + timedelta(seconds=chosen.randrange(950 * 86_400)) for _ in range(CALLS)]
