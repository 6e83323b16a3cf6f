"""Goals as people write them: three kinds of time that never turn into one another by accident.

Rules:

1. ``24h`` and ``30m`` are elapsed time, ``8bh`` and ``30bm`` working time of a calendar, ``5bd`` working days of a
   calendar. Each is a type of its own, so a type checker sees where one is taken for another.
2. A bare number and the words "d" or "day" are refused: products disagree on what they mean (24 hours, eight working
   hours, or a date), and changed their minds.
3. A duration is positive and whole. ``parse_duration(str(duration)) == duration``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_MINUTES_IN_HOUR = 60
_MOST_DAYS = 36_500  # a century: a longer goal is a slip of the keyboard
_MOST_MINUTES = _MOST_DAYS * 24 * _MINUTES_IN_HOUR
_CLOSE = "close_of_business"
SPELLINGS = f"elapsed time as 24h or 30m, working time as 8bh or 30bm, working days as 5bd (5bd may run until {_CLOSE})"
_SPELLINGS = f"write {SPELLINGS}"
_WRITTEN = re.compile(r"(?P<amount>[0-9]+)(?P<unit>bh|bm|bd|h|m)(?: until (?P<until>[a-z_]+))?")


class DurationError(ValueError):
    """The text names no duration, or an ambiguous one. The message says what was found and how to write it."""


@dataclass(frozen=True, slots=True, order=True)
class ElapsedTime:
    """Real time, nights and holidays included: ``24h``, ``30m``.

    Attributes:
        minutes: at least 1.

    Raises:
        DurationError: not positive, or longer than a century.
    """

    minutes: int

    def __post_init__(self) -> None:
        _require(self.minutes, _MOST_MINUTES, "m")

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def __str__(self) -> str:
        return _in_largest_unit(self.minutes, "h", "m")


@dataclass(frozen=True, slots=True, order=True)
class WorkingTime:
    """Time in which a calendar is open: ``8bh``, ``30bm``.

    Attributes:
        minutes: at least 1.

    Raises:
        DurationError: not positive, or longer than a century.
    """

    minutes: int

    def __post_init__(self) -> None:
        _require(self.minutes, _MOST_MINUTES, "bm")

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def __str__(self) -> str:
        return _in_largest_unit(self.minutes, "bh", "bm")


@dataclass(frozen=True, slots=True, order=True)
class WorkingDays:
    """So many working days of a calendar later: ``5bd``.

    Attributes:
        days: at least 1.
        until_close: due at that day's closing instead of at the time of day of the start.

    Raises:
        DurationError: not positive, or longer than a century.
    """

    days: int
    until_close: bool = False

    def __post_init__(self) -> None:
        _require(self.days, _MOST_DAYS, "bd")

    def __str__(self) -> str:
        return f"{self.days}bd until {_CLOSE}" if self.until_close else f"{self.days}bd"


Duration = ElapsedTime | WorkingTime | WorkingDays


def parse_duration(text: str, *, until: str | None = None) -> Duration:
    """The duration a text names.

    Args:
        text: ``24h``, ``30m``, ``8bh``, ``30bm``, ``5bd`` or what ``str`` of a duration gives.
        until: ``close_of_business``, for working days only.

    Raises:
        DurationError: a bare number, ``3d``, ``3 days``, zero, a negative or fractional amount, anything else; or an
            ``until`` that is unknown or stands beside a duration that is not in working days.
    """
    found = str(text).strip()
    written = _WRITTEN.fullmatch(found)
    if written is None:
        raise DurationError(f"{found[:40]!r} is {_what_is_wrong(found)}: {_SPELLINGS}")
    amount = int(written["amount"][:20])  # more digits are far too long anyway; int() of thousands of them is slow
    unit = written["unit"]
    close = written["until"] or until
    if close is not None and close != _CLOSE:
        raise DurationError(f"{found[:40]!r} until {close[:40]!r}: the only other end known is {_CLOSE}")
    if unit == "bd":
        return WorkingDays(amount, until_close=close is not None)
    if close is not None:
        raise DurationError(f"{found[:40]!r} until {_CLOSE}: only working days (5bd) can run until closing")
    in_minutes = _MINUTES_IN_HOUR if unit.endswith("h") else 1
    _require(amount, _MOST_MINUTES // in_minutes, unit)  # told as it is written
    minutes = amount * in_minutes
    return WorkingTime(minutes) if unit.startswith("b") else ElapsedTime(minutes)


def _what_is_wrong(found: str) -> str:
    if not found:
        return "empty"
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", found):
        return "a bare number"
    if re.fullmatch(r"[0-9]+ ?(d|days?)", found, re.IGNORECASE):
        return "ambiguous (24 hours a day, or working days?)"
    if re.match(r"[-−]", found):
        return "negative"
    return "no duration"


def _require(amount: int, most: int, unit: str) -> None:
    if amount <= 0:
        raise DurationError(f"'{amount}{unit}' is not positive: {_SPELLINGS}")
    if amount > most:
        raise DurationError(f"'{amount}{unit}' is longer than a century: {_SPELLINGS}")


def _in_largest_unit(minutes: int, hour: str, minute: str) -> str:
    hours, rest = divmod(minutes, _MINUTES_IN_HOUR)
    return f"{minutes}{minute}" if rest else f"{hours}{hour}"
