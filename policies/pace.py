"""Which of two promises gives more time, although one counts hours and the other working days.

Rules:

1. Two promises of one unit on one calendar are compared by their figures, and that is exact. (Two counts of working
   days are so only if both, or neither, run until closing.)
2. All others are started side by side at many instants of a year, and their due instants are compared: 3 days of 24
   hours beat 5 working days from any start, and lose to 2 working days only over a weekend. The starts are five hours
   apart: in 35 days they meet every hour of every weekday, and in a year every season and holiday.
3. ``always`` and ``sometimes`` are kept apart, and an example start is given with both due instants. Nothing is
   averaged: a promise that is slower only over a holiday is slower sometimes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from policies.business_calendar import ALWAYS, BusinessCalendar
from policies.duration import Duration, ElapsedTime, WorkingDays
from policies.local_span import CalendarError

if TYPE_CHECKING:
    from policies.clock import Goal
    from policies.pack import PolicyPack

_STEP = timedelta(hours=5)
_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Promise:
    """So much time of a calendar. Elapsed time counts on no calendar but ``ALWAYS``."""

    duration: Duration
    calendar: BusinessCalendar

    def __str__(self) -> str:
        return str(self.duration)

    def due(self, start: datetime) -> datetime:
        return self.calendar.due(start, self.duration)


def promise_of(goal: Goal, pack: PolicyPack) -> Promise:
    """What a goal of the pack promises."""
    return Promise(goal.promise, ALWAYS if isinstance(goal.promise, ElapsedTime) else pack.calendar_of(goal))


def within(duration: Duration, calendar: BusinessCalendar) -> Promise:
    """A time that is no goal's."""
    return Promise(duration, ALWAYS if isinstance(duration, ElapsedTime) else calendar)


class Slower(StrEnum):
    ALWAYS = "always"
    SOMETIMES = "sometimes"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether the first of two promises is due after the second.

    Attributes:
        example: a start where it is, with the due instants of the first and the second; None where figures decided.
    """

    slower: Slower
    example: tuple[datetime, datetime, datetime] | None = None

    def told(self, zone_of: Promise) -> str:
        """The example in words, in a promise's zone; "" where there is none."""
        if self.example is None:
            return ""
        start, first, second = (zone_of.calendar.local(at).strftime("%a %Y-%m-%d %H:%M") for at in self.example)
        return f"begun {start}, the first is due {first}, the second {second}"


def starts_in(horizon: tuple[date, date]) -> tuple[datetime, ...]:
    """Instants to start promises at: a year from the first day of a horizon on, five hours apart."""
    first = datetime.combine(horizon[0], time(), tzinfo=UTC)
    return tuple(first + _STEP * number for number in range(_YEAR // _STEP))


class Pace:
    """Compares promises from the starts of one year, each pair once."""

    def __init__(self, horizon: tuple[date, date]) -> None:
        self._starts = starts_in(horizon)
        self._known: dict[tuple[Promise, Promise], Comparison] = {}

    def compare(self, first: Promise, second: Promise) -> Comparison:
        """Whether the first is due after the second, from the same start: always, sometimes or never."""
        pair = (first, second)
        if pair not in self._known:
            self._known[pair] = compare(first, second, self._starts)
        return self._known[pair]


def compare(first: Promise, second: Promise, starts: Sequence[datetime]) -> Comparison:
    """Whether the first is due after the second from these starts: from all, from some or from none."""
    exact = _by_figures(first, second)
    if exact is not None:
        return Comparison(Slower.ALWAYS if exact else Slower.NEVER)
    tried = later = 0
    example: tuple[datetime, datetime, datetime] | None = None
    for start in starts:
        try:
            one, other = first.due(start), second.due(start)
        except (CalendarError, OverflowError):
            continue  # a promise of many years runs out of the years that a calendar knows
        tried += 1
        if one > other:
            later += 1
            example = example or (start, one, other)
    if not later:
        return Comparison(Slower.NEVER)
    return Comparison(Slower.ALWAYS if later == tried else Slower.SOMETIMES, example)


def same(first: Promise, second: Promise) -> bool:
    """The same figure on the same calendar."""
    return first.duration == second.duration and first.calendar == second.calendar


def _by_figures(first: Promise, second: Promise) -> bool | None:
    one, other = first.duration, second.duration
    if first.calendar != second.calendar or type(one) is not type(other):
        return None
    if isinstance(one, WorkingDays) and isinstance(other, WorkingDays):
        return one.days > other.days if one.until_close == other.until_close else None
    return one > other  # type: ignore[operator]  # of one type, as just seen
