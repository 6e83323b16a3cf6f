"""How long a warranty runs: calendar durations, what prolongs them and what makes them stand still.

Rules:

1. The day of delivery or acceptance is covered and not counted: 12 months from 1 March last until the end of 1 March.
2. A month later is the same day of that month, or the month's last day; 29 February plus a year is 28 February. Months
   are added up before they are added to a date, so it never matters how they were split.
3. An extension by a duration lengthens whatever end its document found; one that names a new end sets it, never
   earlier than what was promised already. The latest end counts, in whatever order documents are listed.
4. A suspended day does not count: the end moves by as many days as were suspended while the term ran, overlapping
   suspensions once. An end that a document names is moved only by suspensions that begin on its date or later: those
   before it were known to who signed it.
5. A document counts from its date on: a replay of an earlier instant does not know it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from policies.coverage import Decision, Window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_MONTHS_IN_YEAR = 12
_MOST_MONTHS = 100 * _MONTHS_IN_YEAR  # a century: a longer warranty is a slip of the keyboard
_MOST_DAYS = 36_525
_WRITTEN = re.compile(r"(?P<amount>[0-9]{1,6})(?P<unit>mo|y|d)")
_DAY = timedelta(days=1)
SPELLINGS = "write 12mo for months, 2y for years, 365d for calendar days"


class TermError(ValueError):
    """The text names no calendar duration. The message says what was found and how to write it."""


@dataclass(frozen=True, slots=True, order=True)
class CalendarMonths:
    """``12mo``; ``2y`` is 24 of them. Attributes: months: at least 1, at most a century."""

    months: int

    def __post_init__(self) -> None:
        _require(self.months, _MOST_MONTHS, "mo")

    def __str__(self) -> str:
        years, rest = divmod(self.months, _MONTHS_IN_YEAR)
        return f"{self.months}mo" if rest else f"{years}y"


@dataclass(frozen=True, slots=True, order=True)
class CalendarDays:
    """``365d``: days of the calendar, Sundays and holidays included. Attributes: days: at least 1, at most a century."""

    days: int

    def __post_init__(self) -> None:
        _require(self.days, _MOST_DAYS, "d")

    def __str__(self) -> str:
        return f"{self.days}d"


CalendarDuration = CalendarMonths | CalendarDays


def _require(amount: int, most: int, unit: str) -> None:
    if not 0 < amount <= most:
        what = "longer than a century" if amount > 0 else "not positive"
        raise TermError(f"'{amount}{unit}' is {what}: {SPELLINGS}")


def parse_calendar_duration(text: str) -> CalendarDuration:
    """The calendar duration a text names: ``12mo``, ``2y``, ``365d``.

    Raises:
        TermError: anything else; a unit of working or elapsed time among them.
    """
    found = str(text).strip()
    written = _WRITTEN.fullmatch(found)
    if written is None:
        raise TermError(f"{found[:40]!r} is no calendar duration: {SPELLINGS}")
    amount = int(written["amount"])
    match written["unit"]:
        case "d":
            return CalendarDays(amount)
        case "y":
            return CalendarMonths(amount * _MONTHS_IN_YEAR)
        case _:
            return CalendarMonths(amount)


def later(day: date, durations: Iterable[CalendarDuration]) -> date:
    """The day that lies the durations later: all months at once first, then all days."""
    months = days = 0
    for duration in durations:
        if isinstance(duration, CalendarMonths):
            months += duration.months
        else:
            days += duration.days
    years, month = divmod(day.year * _MONTHS_IN_YEAR + day.month - 1 + months, _MONTHS_IN_YEAR)
    last = calendar.monthrange(years, month + 1)[1]
    return date(years, month + 1, min(day.day, last)) + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Extension:
    """Attributes: by: so much longer, or the new last day. document: the paper that grants it. signed: its date."""

    by: CalendarDuration | date
    document: str
    signed: date


@dataclass(frozen=True, slots=True)
class Suspension:
    """The term stands still.

    Attributes:
        since, until: first and last suspended day.
        during: what holds for a report made on one of these days, if all else speaks for it.

    Raises:
        TermError: it ends before it begins.
    """

    since: date
    until: date
    reason: str
    document: str
    during: Decision = Decision.IN

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise TermError(f"a suspension from {self.since} to {self.until} ends before it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Attributes: begins: day of delivery or acceptance; None while that has not happened."""

    begins: date | None
    duration: CalendarDuration
    extensions: tuple[Extension, ...] = ()
    suspensions: tuple[Suspension, ...] = ()

    def last_day(self, known: date) -> date | None:
        """The last covered day by the documents signed until ``known``; None while the term has not begun."""
        if self.begins is None:
            return None
        begins = self.begins
        signed = [each for each in self.extensions if each.signed <= known]
        more = [(each.signed, each.by) for each in signed if not isinstance(each.by, date)]
        ends = [
            _moved(
                later(begins, [self.duration, *(by for _signed, by in more)]),
                begins,
                self.suspensions,
            )
        ]
        for named in signed:
            if isinstance(named.by, date):
                following = [by for day, by in more if day >= named.signed]
                standing = [each for each in self.suspensions if each.since >= named.signed]
                ends.append(_moved(later(named.by, following), begins, standing))
        return max(ends)

    def documents(self, known: date) -> tuple[str, ...]:
        """The papers that the end rests on, oldest first."""
        end = self.last_day(known)
        papers = [(each.signed, each.document) for each in self.extensions if each.signed <= known]
        papers += [
            (each.since, each.document)
            for each in self.suspensions
            if end is not None and self.begins is not None and each.until >= self.begins and each.since <= end
        ]
        return tuple(dict.fromkeys(document for _day, document in sorted(papers) if document))

    def window(self, zone: ZoneInfo, now: datetime) -> Window | None:
        """The covered days as known at ``now``; None while the term has not begun."""
        last = self.last_day(now.astimezone(zone).date())
        if self.begins is None or last is None:
            return None
        return Window(self.begins, last, day_start(self.begins, zone), day_start(last + _DAY, zone), zone.key)

    def suspended_on(self, day: date) -> Suspension | None:
        """The suspension that holds on a day; the one that leaves least of the cover where there are several."""
        held = [each for each in self.suspensions if each.since <= day <= each.until]
        return min(held, key=lambda each: (_LEAST.index(each.during), each.since, each.document), default=None)

    def next_document(self, zone: ZoneInfo, now: datetime) -> datetime | None:
        """When the next document, signed for a day to come, begins to count."""
        coming = (day_start(each.signed, zone) for each in self.extensions)
        return min((at for at in coming if at > now), default=None)


_LEAST = (Decision.OUT, Decision.DISPUTED, Decision.UNKNOWN, Decision.GOODWILL, Decision.IN)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a day begins in a zone; where midnight is skipped, the first instant after it."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _moved(last: date, begins: date, suspensions: Iterable[Suspension]) -> date:
    """``last`` moved by the suspended days of the running term."""
    for since, until in _once(suspensions):
        first = max(since, begins)
        if first > last:
            break
        if first <= until:
            last += until - first + _DAY
    return last


def _once(suspensions: Iterable[Suspension]) -> Iterator[tuple[date, date]]:
    """Suspended stretches in order, those that overlap as one."""
    held: tuple[date, date] | None = None
    for since, until in sorted((each.since, each.until) for each in suspensions):
        if held is not None and since <= held[1]:
            held = (held[0], max(held[1], until))
            continue
        if held is not None:
            yield held
        held = (since, until)
    if held is not None:
        yield held
