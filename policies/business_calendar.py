"""Working time: how much of it lies between two instants, and when a budget of it has run.

Rules:

1. An instant is working time when its local wall-clock time lies in the hours of the local day. This one sentence
   decides daylight saving too: a gap has no instants, so nothing is open inside it; what a fold repeats is open twice.
2. Hours belong to the day they open on (see ``day_table``).
3. Spans are half-open. A budget that runs out exactly at a closing is due at the closing, not at the next opening.
4. Arithmetic is on integer microseconds of UTC. The zone is asked in ``BusinessCalendar.local`` and nowhere else.
5. Instants are aware; a naive datetime is refused. Results are in UTC.
6. Nothing searches for ever: the calendar knows 1970 to 2199, and one without working time is refused when built.
7. The table of spans is compiled year by year as it is needed and kept. It follows from the definition alone, so from
   the outside every method is a pure function.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from policies.day_table import END, FIRST_YEAR, LAST_YEAR, DayTable
from policies.duration import Duration, ElapsedTime, WorkingDays, WorkingTime
from policies.issue import utc
from policies.local_span import WEEKDAYS, CalendarError, LocalSpan, Weekday, hours
from policies.microseconds import DAY, EPOCH, EPOCH_ORDINAL, MINUTE, SECOND, instant, microseconds, midnight
from policies.ranges import Range, merged
from policies.span_table import SpanTable
from policies.wall_clock import instants, resolved, stretches

_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch of time between two instants, in UTC.

    Raises:
        ValueError: a naive datetime, or an end that is not after the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", utc(self.start))
        object.__setattr__(self, "end", utc(self.end))
        if self.end <= self.start:
            raise ValueError(f"a span ends after its start, not at {self.end.isoformat()}")

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BusinessCalendar:
    """When work is done. Two calendars with the same definition are equal.

    Attributes:
        id: what packs call it.
        zone: IANA name of the contract's time zone.
        weekly: hours of each weekday (``mon`` ... ``sun``); a weekday that is absent does not work.
        weekly_from: hours of the week from a date on, in place of all earlier ones.
        holidays: dates that do not work.
        exceptions: dates whose hours replace those of the week: make-up working days, short days.
        breaks: spans cut out on a date.
        valid_from, valid_through: the local dates between which the holiday data is complete; None for no limit.
        title, source: for people; no part of the digest.

    Raises:
        CalendarError: unknown zone or weekday, a date that is both a holiday and an exception, an exception without
            hours, a date outside 1970 to 2199, or no working time at all.
    """

    id: str
    zone: str
    weekly: Mapping[Weekday, Iterable[LocalSpan]]
    weekly_from: Mapping[date, Mapping[Weekday, Iterable[LocalSpan]]] = field(default_factory=dict)
    holidays: Collection[date] = ()
    exceptions: Mapping[date, Iterable[LocalSpan]] = field(default_factory=dict)
    breaks: Mapping[date, Iterable[LocalSpan]] = field(default_factory=dict)
    valid_from: date | None = None
    valid_through: date | None = None
    title: str = ""
    source: str = ""
    digest: str = field(init=False)
    _tz: ZoneInfo = field(init=False)
    _days: DayTable = field(init=False)
    _unbroken: bool = field(init=False)
    _surely_covered: Range = field(init=False)
    _table: SpanTable = field(init=False, default_factory=SpanTable)
    _kept: dict[int, tuple[tuple[Range, ...], int | None]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        def settle(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        settle("_tz", _zone(self.id, self.zone))
        settle("weekly", self._checked_week(self.weekly))
        settle("weekly_from", {day: self._checked_week(self.weekly_from[day]) for day in sorted(self.weekly_from)})
        settle("holidays", frozenset(self.holidays))
        settle("exceptions", {day: tuple(sorted(set(self.exceptions[day]))) for day in sorted(self.exceptions)})
        settle("breaks", {day: tuple(sorted(set(self.breaks[day]))) for day in sorted(self.breaks)})
        self._check_dates()
        days = DayTable.of(self.weekly, self.weekly_from, self.holidays, self.exceptions, self.breaks)
        settle("_days", days)
        settle("_unbroken", days.unbroken)
        self._check_that_it_opens()
        settle("_surely_covered", self._covered_in_any_zone())
        settle("digest", self._digest())

    # ----------------------------------------------------------------------------------------------------- questions

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time in [start, end); zero where the end is not after the start.

        Raises:
            ValueError: a naive datetime.
            CalendarError: outside 1970 to 2199.
        """
        since, until = microseconds(start), microseconds(end)
        if until <= since:
            return _NO_TIME
        if self._unbroken:
            return timedelta(0, 0, until - since)
        table = self._table
        if since < table.low or until > table.high:
            table = self._reaching(since, until)
        return timedelta(0, 0, table.worked(until) - table.worked(since))

    def advance(self, start: datetime, working: timedelta) -> datetime:
        """The instant at which this much working time has run since the start: the closing where it runs out there.

        No working time at all gives the start itself, open or not.

        Raises:
            ValueError: a naive datetime, or a negative amount.
            CalendarError: outside 1970 to 2199, or not that much working time left there.
        """
        amount = (working.days * 86_400 + working.seconds) * SECOND + working.microseconds
        if amount < 0:
            raise ValueError(f"working time runs forward only, not by {working}")
        return self._after(microseconds(start), amount)

    def due(self, start: datetime, duration: Duration) -> datetime:
        """The instant a goal is due that starts at an instant.

        Working days start at the start if that is working time, else at the next opening, and are due at the same
        local time of day so many working days later; where that day's hours lack this time, at that day's nearest
        closing or opening (the closing when both are as near). ``until_close`` makes it that day's last closing.

        Raises:
            ValueError: a naive datetime.
            CalendarError: outside 1970 to 2199, or not that much working time left there.
        """
        match duration:
            case WorkingTime():
                return self._after(microseconds(start), duration.minutes * MINUTE)
            case ElapsedTime():
                return utc(start) + duration.length
            case WorkingDays():
                return self._due_in_days(start, duration)
        assert_never(duration)

    def is_open(self, at: datetime) -> bool:
        """True where the instant is working time."""
        moment = microseconds(at)
        if self._unbroken:
            return True
        table = self._reaching(moment, moment + 1)
        index = bisect_right(table.starts, moment) - 1
        return index >= 0 and moment < table.ends[index]

    def next_opening(self, at: datetime) -> datetime:
        """The first instant of working time from this one on: itself, where it is working time.

        Raises:
            ValueError: a naive datetime.
            CalendarError: outside 1970 to 2199, or nothing opens any more.
        """
        return instant(self._opening(microseconds(at)))

    def is_working_day(self, day: date) -> bool:
        """True where hours open on this local date. The end of last night's shift does not make one."""
        return bool(self._days.on(day.toordinal()))

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The working spans in [start, end), clipped to it, ascending."""
        since, until = microseconds(start), microseconds(end)
        if until <= since:
            return
        if self._unbroken:
            yield Span(instant(since), instant(until))
            return
        table = self._reaching(since, until)
        for index in range(bisect_right(table.ends, since), bisect_left(table.starts, until)):
            yield Span(instant(max(since, table.starts[index])), instant(min(until, table.ends[index])))

    def covers(self, at: datetime) -> bool:
        """True where the calendar's holiday data is complete for this instant's local date."""
        low, high = self._surely_covered
        if low <= microseconds(at) < high:
            return True
        day = self.local(at).date()
        return (self.valid_from is None or day >= self.valid_from) and (
            self.valid_through is None or day <= self.valid_through
        )

    def local(self, at: datetime) -> datetime:
        """The same instant in the calendar's zone, aware.

        Raises:
            ValueError: a naive datetime.
        """
        return utc(at).astimezone(self._tz)

    def resolve_local(self, local: datetime) -> datetime:
        """The instant, in UTC, of a local wall-clock time.

        A time inside a gap moves forward by the length of the gap; a time that a fold repeats is its first occurrence.

        Args:
            local: naive, because the calendar's zone is meant.

        Raises:
            ValueError: the datetime is aware.
            CalendarError: outside 1970 to 2199.
        """
        if local.tzinfo is not None:
            raise ValueError(f"{local.isoformat()!r} has an offset already: a local time of zone {self.zone} is naive")
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise CalendarError(f"calendar {self.id} knows the years {FIRST_YEAR} to {LAST_YEAR}, not {local.year}")
        return instant(resolved(microseconds(local.replace(tzinfo=UTC)), self._offset_at))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BusinessCalendar) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"BusinessCalendar(id={self.id!r}, zone={self.zone!r}, digest={self.digest[:12]!r})"

    # -------------------------------------------------------------------------------------------------- working days

    def _due_in_days(self, start: datetime, duration: WorkingDays) -> datetime:
        begin = self._opening(microseconds(start))
        today, time_of_day = self._working_day_of(begin)
        table = self._reaching(begin, begin + 1)
        number = bisect_right(table.days, today) - 1 + duration.days
        day, spans, offset = self._working_day(table, number, begin)
        while not spans:  # its hours lie in a gap of the zone
            number += 1
            day, spans, offset = self._working_day(table, number, begin)
        if duration.until_close:
            return instant(spans[-1][1])
        wall = (day - EPOCH_ORDINAL) * DAY + time_of_day
        wanted = resolved(wall, self._offset_at) if offset is None else wall - offset
        for opening, closing in spans:
            if opening <= wanted <= closing:
                return instant(wanted)
        boundaries = [(abs(wanted - closing), 0, closing) for _, closing in spans]
        boundaries += [(abs(wanted - opening), 1, opening) for opening, _ in spans]
        return instant(min(boundaries)[2])

    def _working_day_of(self, at: int) -> tuple[int, int]:
        """The day an open instant belongs to (ordinal) and its time of that day; a night shift exceeds 24 hours."""
        wall = self.local(instant(at))
        today = wall.toordinal()
        time_of_day = ((wall.hour * 60 + wall.minute) * 60 + wall.second) * SECOND + wall.microsecond
        for opens, closes in self._days.on(today):
            if opens <= time_of_day < closes:
                return today, time_of_day
        return today - 1, time_of_day + DAY

    def _working_day(self, table: SpanTable, number: int, since: int) -> tuple[int, tuple[Range, ...], int | None]:
        """A working day of the table by its number: its ordinal, its working spans, and the offset from UTC around it.

        The offset is None where it changes within two days.
        """
        while number >= len(table.days):  # the table grows to the right, which leaves the numbers as they are
            table = self._further(table, since)
        day = table.days[number]
        kept = self._kept.get(day)
        if kept is None:
            beginning = midnight(day)
            walls = [(beginning + opens, beginning + closes) for opens, closes in self._days.on(day)]
            offsets = stretches(beginning - 2 * DAY, beginning + 4 * DAY, self._offset_at)
            offset = offsets[0][2] if len(offsets) == 1 else None
            kept = self._kept[day] = tuple(merged(instants(walls, offsets))), offset
        return day, *kept

    # ------------------------------------------------------------------------------------------------------ the table

    def _opening(self, since: int) -> int:
        if self._unbroken:
            return since
        table = self._reaching(since, since + 1)
        index = bisect_right(table.ends, since)
        while index == len(table.starts):
            table = self._further(table, since)
            index = bisect_right(table.ends, since)
        return max(since, table.starts[index])

    def _after(self, since: int, amount: int) -> datetime:
        if amount == 0 or self._unbroken:
            return EPOCH + timedelta(0, 0, since + amount)
        table = self._table
        if since < table.low or since > table.high:
            table = self._reaching(since, since)
        goal = table.worked(since) + amount
        while goal > table.before[-1]:  # the table grows to the right, which leaves the sums as they are
            table = self._further(table, since)
        index = bisect_left(table.before, goal) - 1
        return EPOCH + timedelta(0, 0, table.starts[index] + goal - table.before[index])

    def _reaching(self, since: int, until: int) -> SpanTable:
        """A table that holds these instants."""
        table = self._table
        if table.low <= since and until <= table.high:
            return table
        first, last = _year_of(since), _year_of(max(since, until - 1))
        if first < FIRST_YEAR or last > LAST_YEAR:
            raise CalendarError(
                f"calendar {self.id} knows the years {FIRST_YEAR} to {LAST_YEAR}, not {first} to {last}"
            )
        return self._grown(table, first, last)

    def _further(self, table: SpanTable, since: int) -> SpanTable:
        """The table with as many years more as it has."""
        if table.last >= LAST_YEAR:
            start = instant(since).isoformat()
            raise CalendarError(f"calendar {self.id}: not enough working time from {start} to the end of {LAST_YEAR}")
        return self._grown(table, table.first, min(LAST_YEAR, 2 * table.last - table.first + 1))

    def _grown(self, table: SpanTable, first: int, last: int) -> SpanTable:
        grown = table.grown(first, last, self._days, self._offset_at)
        # One assignment of a finished value: another thread sees the old table or the new one, both right.
        object.__setattr__(self, "_table", grown)
        return grown

    def _offset_at(self, at: int) -> int:
        """The zone's offset from UTC at an instant."""
        offset = self.local(instant(at)).utcoffset()
        assert offset is not None
        return offset // timedelta(microseconds=1)

    # --------------------------------------------------------------------------------------------------- construction

    def _checked_week(self, week: Mapping[Weekday, Iterable[LocalSpan]]) -> dict[Weekday, tuple[LocalSpan, ...]]:
        if unknown := sorted(set(week) - set(WEEKDAYS)):
            raise CalendarError(f"calendar {self.id}: {unknown[0]!r} is no weekday; they are {', '.join(WEEKDAYS)}")
        return {day: tuple(sorted(set(week[day]))) for day in WEEKDAYS if week.get(day)}

    def _check_dates(self) -> None:
        if both := sorted(set(self.holidays) & set(self.exceptions)):
            raise CalendarError(f"calendar {self.id}: {both[0]} is a holiday and a working exception at once")
        for day, spans in self.exceptions.items():
            if not spans:
                raise CalendarError(f"calendar {self.id}: the exception on {day} has no hours; make it a holiday")
        for day in (*self.holidays, *self.exceptions, *self.breaks, *self.weekly_from):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise CalendarError(f"calendar {self.id}: {day} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")

    def _check_that_it_opens(self) -> None:
        first = max(date(FIRST_YEAR, 1, 1), self.valid_from or date.min)
        last = min(date(LAST_YEAR, 12, 31), self.valid_through or date.max)
        if any(self._days.on(day) for day in range(first.toordinal(), last.toordinal() + 1)):
            return
        raise CalendarError(f"calendar {self.id} has no working time between {first} and {last}")

    def _covered_in_any_zone(self) -> Range:
        """Instants whose local date is covered whatever the offset: a local date is at most a day off that of UTC."""
        low = EPOCH_ORDINAL if self.valid_from is None else self.valid_from.toordinal() + 1
        high = END if self.valid_through is None else self.valid_through.toordinal()
        return (low - EPOCH_ORDINAL) * DAY, (high - EPOCH_ORDINAL) * DAY

    def _digest(self) -> str:
        def written(ranges: tuple[Range, ...]) -> list[list[int]]:
            return [list(each) for each in ranges]

        definition = {
            "id": self.id,
            "zone": self.zone,
            "weeks": [[day, [written(ranges) for ranges in week]] for day, week in self._days.weeks],
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "special": {str(day): written(ranges) for day, ranges in self._days.special.items()},
            "valid": [None if day is None else day.isoformat() for day in (self.valid_from, self.valid_through)],
        }
        canonical = json.dumps(definition, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _year_of(at: int) -> int:
    return date.fromordinal(at // DAY + EPOCH_ORDINAL).year


def _zone(calendar: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: the name of a folder, such as "Europe"
        raise CalendarError(f"calendar {calendar}: {name!r} is no IANA time zone, such as Asia/Shanghai") from error


ALWAYS = BusinessCalendar(
    id="always",
    zone="UTC",
    weekly=dict.fromkeys(WEEKDAYS, hours("00:00-24:00")),
    title="Round the clock",
)
"""24 hours on seven days."""
