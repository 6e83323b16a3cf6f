"""Opening hours of one day by the wall clock, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from policies.microseconds import DAY, HOUR, MINUTE, SECOND

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_SPAN_TEXT = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?-([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")


class CalendarError(ValueError):
    """The definition makes no sense, or an instant lies outside the years a calendar knows."""


@dataclass(frozen=True, slots=True, order=True)
class LocalSpan:
    """Opening hours of one day by the wall clock.

    Attributes:
        opens: microseconds after the day's midnight, below 24 hours.
        closes: microseconds after the same midnight; beyond 24 hours for a shift that ends on the next day.

    Raises:
        CalendarError: reversed, empty, longer than 24 hours, or opening outside the day.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < DAY:
            raise CalendarError(f"hours {self} open outside the day: 00:00 up to 23:59:59 is possible")
        if self.closes <= self.opens:
            raise CalendarError(f"hours {self} close before they open")
        if self.closes - self.opens > DAY:
            raise CalendarError(f"hours {self} are longer than a day")

    @classmethod
    def parse(cls, text: str) -> LocalSpan:
        """Hours such as ``09:00-12:00``; ``18:00-24:00`` ends the day; ``22:00-06:00`` ends on the next day.

        Raises:
            CalendarError: not of this form, a time that does not exist, or the same opening and closing.
        """
        written = _SPAN_TEXT.fullmatch(text.strip())
        if written is None:
            raise CalendarError(f"{text[:40]!r} are no hours: write them as 09:00-12:00 or 09:00:30-12:00:00")
        opens, closes = _time_of_day(text, written.groups()[:3]), _time_of_day(text, written.groups()[3:])
        if opens == closes:
            raise CalendarError(f"{text!r} opens and closes at the same time: write a whole day as 00:00-24:00")
        return cls(opens, closes if closes > opens else closes + DAY)

    def __str__(self) -> str:
        return f"{_as_time(self.opens)}-{_as_time(self.closes if self.closes <= DAY else self.closes - DAY)}"


def hours(*texts: str) -> tuple[LocalSpan, ...]:
    """The hours of one day: ``hours("09:00-12:00", "13:00-18:00")``."""
    return tuple(LocalSpan.parse(text) for text in texts)


def _time_of_day(text: str, parts: tuple[str | None, ...]) -> int:
    hour, minute, second = (int(part or 0) for part in parts)
    time_of_day = hour * HOUR + minute * MINUTE + second * SECOND
    if minute * MINUTE >= HOUR or second * SECOND >= MINUTE or time_of_day > DAY:
        raise CalendarError(f"{text!r} holds a time that does not exist: 00:00 to 24:00 is a day")
    return time_of_day


def _as_time(microseconds: int) -> str:
    hour, rest = divmod(microseconds, HOUR)
    minute, rest = divmod(rest, MINUTE)
    return f"{hour:02}:{minute:02}" + (f":{rest // SECOND:02}" if rest else "")
