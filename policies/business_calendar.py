"""Working time: how much of it lies between two instants, and when a budget of it has run.

Rules:

1. An instant is working time when its local wall-clock time lies in the hours of the local day. This one sentence
   decides daylight saving too: a gap has no instants, so nothing is open inside it; what a fold repeats is open twice.
2. Hours belong to the day they open on. An overnight shift that opens before a holiday runs to its end; a shift that
   would open on the holiday does not happen.
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
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Literal, assert_never, get_args
from zoneinfo import ZoneInfo

from policies.duration import Duration, ElapsedTime, WorkingDays, WorkingTime
from policies.issue import utc

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

FIRST_YEAR = 1970
LAST_YEAR = 2199

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_END = date(LAST_YEAR + 1, 1, 1).toordinal()
_NO_TIME = timedelta(0)
_SPAN_TEXT = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?-([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")

_Range = tuple[int, int]
"""Half-open, microseconds: of a day, of local wall-clock time, or of UTC since 1970."""


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
        if not 0 <= self.opens < _DAY:
            raise CalendarError(f"hours {self} open outside the day: 00:00 up to 23:59:59 is possible")
        if self.closes <= self.opens:
            raise CalendarError(f"hours {self} close before they open")
        if self.closes - self.opens > _DAY:
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
        return cls(opens, closes if closes > opens else closes + _DAY)

    def __str__(self) -> str:
        return f"{_as_time(self.opens)}-{_as_time(self.closes if self.closes <= _DAY else self.closes - _DAY)}"


def hours(*texts: str) -> tuple[LocalSpan, ...]:
    """The hours of one day: ``hours("09:00-12:00", "13:00-18:00")``."""
    return tuple(LocalSpan.parse(text) for text in texts)


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


@dataclass(frozen=True, slots=True)
class _Table:
    """The working spans of some whole years, ready for bisection.

    Attributes:
        first, last: years, inclusive; ``last < first`` while nothing is compiled.
        low, high: the instants these years begin and end; no instant lies between them while nothing is compiled.
        starts, ends: of each span, ascending, never touching.
        before: working time before each span, and the whole as a last entry.
        days: ordinals of the working days of these years and of two days more on each side.
    """

    first: int = 0
    last: int = -1
    low: int = 1
    high: int = 0
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    before: tuple[int, ...] = (0,)
    days: tuple[int, ...] = ()

    def worked(self, instant: int) -> int:
        """Working time from the beginning of the table to the instant."""
        index = bisect_right(self.starts, instant)
        if index == 0:
            return 0
        # What ran before the next span, less what is left of this one: in a span's gap nothing is left.
        left = self.ends[index - 1] - instant
        return self.before[index] - left if left > 0 else self.before[index]


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
    _weeks: tuple[tuple[int, tuple[tuple[_Range, ...], ...]], ...] = field(init=False)
    _special: dict[int, tuple[_Range, ...]] = field(init=False)
    _unbroken: bool = field(init=False)
    _surely_covered: _Range = field(init=False)
    _table: _Table = field(init=False, default_factory=_Table)
    _kept: dict[int, tuple[tuple[_Range, ...], int | None]] = field(init=False, default_factory=dict)

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
        weeks = [(0, _ranges_of_week(self.weekly))]
        weeks += [(day.toordinal(), _ranges_of_week(week)) for day, week in self.weekly_from.items()]
        settle("_weeks", tuple(weeks))
        settle("_special", self._hours_of_special_days())
        every_day = ((0, _DAY),)
        settle(
            "_unbroken",
            all(ranges == every_day for _, week in self._weeks for ranges in week)
            and all(ranges == every_day for ranges in self._special.values()),
        )
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
        since, until = _microseconds(start), _microseconds(end)
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
        amount = (working.days * 86_400 + working.seconds) * _SECOND + working.microseconds
        if amount < 0:
            raise ValueError(f"working time runs forward only, not by {working}")
        return self._after(_microseconds(start), amount)

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
                return self._after(_microseconds(start), duration.minutes * _MINUTE)
            case ElapsedTime():
                return utc(start) + duration.length
            case WorkingDays():
                return self._due_in_days(start, duration)
        assert_never(duration)

    def is_open(self, at: datetime) -> bool:
        """True where the instant is working time."""
        instant = _microseconds(at)
        if self._unbroken:
            return True
        table = self._reaching(instant, instant + 1)
        index = bisect_right(table.starts, instant) - 1
        return index >= 0 and instant < table.ends[index]

    def next_opening(self, at: datetime) -> datetime:
        """The first instant of working time from this one on: itself, where it is working time.

        Raises:
            ValueError: a naive datetime.
            CalendarError: outside 1970 to 2199, or nothing opens any more.
        """
        return _instant(self._opening(_microseconds(at)))

    def is_working_day(self, day: date) -> bool:
        """True where hours open on this local date. The end of last night's shift does not make one."""
        return bool(self._hours_on(day.toordinal()))

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The working spans in [start, end), clipped to it, ascending."""
        since, until = _microseconds(start), _microseconds(end)
        if until <= since:
            return
        if self._unbroken:
            yield Span(_instant(since), _instant(until))
            return
        table = self._reaching(since, until)
        for index in range(bisect_right(table.ends, since), bisect_left(table.starts, until)):
            yield Span(_instant(max(since, table.starts[index])), _instant(min(until, table.ends[index])))

    def covers(self, at: datetime) -> bool:
        """True where the calendar's holiday data is complete for this instant's local date."""
        low, high = self._surely_covered
        if low <= _microseconds(at) < high:
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
        return _instant(self._resolve(_microseconds(local.replace(tzinfo=UTC))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BusinessCalendar) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"BusinessCalendar(id={self.id!r}, zone={self.zone!r}, digest={self.digest[:12]!r})"

    # -------------------------------------------------------------------------------------------------- working days

    def _due_in_days(self, start: datetime, duration: WorkingDays) -> datetime:
        begin = self._opening(_microseconds(start))
        today, time_of_day = self._working_day_of(begin)
        table = self._reaching(begin, begin + 1)
        number = bisect_right(table.days, today) - 1 + duration.days
        day, spans, offset = self._working_day(table, number, begin)
        while not spans:  # its hours lie in a gap of the zone
            number += 1
            day, spans, offset = self._working_day(table, number, begin)
        if duration.until_close:
            return _instant(spans[-1][1])
        wall = (day - _EPOCH_ORDINAL) * _DAY + time_of_day
        wanted = self._resolve(wall) if offset is None else wall - offset
        for opening, closing in spans:
            if opening <= wanted <= closing:
                return _instant(wanted)
        boundaries = [(abs(wanted - closing), 0, closing) for _, closing in spans]
        boundaries += [(abs(wanted - opening), 1, opening) for opening, _ in spans]
        return _instant(min(boundaries)[2])

    def _working_day_of(self, instant: int) -> tuple[int, int]:
        """The day an open instant belongs to (ordinal) and its time of that day; a night shift exceeds 24 hours."""
        wall = self.local(_instant(instant))
        today = wall.toordinal()
        time_of_day = ((wall.hour * 60 + wall.minute) * 60 + wall.second) * _SECOND + wall.microsecond
        for opens, closes in self._hours_on(today):
            if opens <= time_of_day < closes:
                return today, time_of_day
        return today - 1, time_of_day + _DAY

    def _working_day(self, table: _Table, number: int, since: int) -> tuple[int, tuple[_Range, ...], int | None]:
        """A working day of the table by its number: its ordinal, its working spans, and the offset from UTC around it.

        The offset is None where it changes within two days.
        """
        while number >= len(table.days):  # the table grows to the right, which leaves the numbers as they are
            table = self._further(table, since)
        day = table.days[number]
        kept = self._kept.get(day)
        if kept is None:
            midnight = (day - _EPOCH_ORDINAL) * _DAY
            walls = [(midnight + opens, midnight + closes) for opens, closes in self._hours_on(day)]
            stretches = self._offsets(midnight - 2 * _DAY, midnight + 4 * _DAY)
            offset = stretches[0][2] if len(stretches) == 1 else None
            kept = self._kept[day] = tuple(_merged(_instants(walls, stretches))), offset
        return day, *kept

    def _resolve(self, wall: int) -> int:
        stretches = self._offsets(wall - 2 * _DAY, wall + 2 * _DAY)
        index = 0
        while wall - stretches[index][2] >= stretches[index][1]:  # the last one ends two days later
            index += 1
        low, _, offset = stretches[index]
        return wall - offset if wall - offset >= low else wall - stretches[index - 1][2]

    # ------------------------------------------------------------------------------------------------------ the table

    def _opening(self, instant: int) -> int:
        if self._unbroken:
            return instant
        table = self._reaching(instant, instant + 1)
        index = bisect_right(table.ends, instant)
        while index == len(table.starts):
            table = self._further(table, instant)
            index = bisect_right(table.ends, instant)
        return max(instant, table.starts[index])

    def _after(self, since: int, amount: int) -> datetime:
        if amount == 0 or self._unbroken:
            return _EPOCH + timedelta(0, 0, since + amount)
        table = self._table
        if since < table.low or since > table.high:
            table = self._reaching(since, since)
        goal = table.worked(since) + amount
        while goal > table.before[-1]:  # the table grows to the right, which leaves the sums as they are
            table = self._further(table, since)
        index = bisect_left(table.before, goal) - 1
        return _EPOCH + timedelta(0, 0, table.starts[index] + goal - table.before[index])

    def _reaching(self, since: int, until: int) -> _Table:
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

    def _further(self, table: _Table, since: int) -> _Table:
        """The table with as many years more as it has."""
        if table.last >= LAST_YEAR:
            start = _instant(since).isoformat()
            raise CalendarError(f"calendar {self.id}: not enough working time from {start} to the end of {LAST_YEAR}")
        return self._grown(table, table.first, min(LAST_YEAR, 2 * table.last - table.first + 1))

    def _grown(self, table: _Table, first: int, last: int) -> _Table:
        if table.last < table.first:
            spans = self._spans_of_years(first, last)
        else:
            first, last = min(first, table.first), max(last, table.last)
            spans = [
                *self._spans_of_years(first, table.first - 1),
                *zip(table.starts, table.ends, strict=True),
                *self._spans_of_years(table.last + 1, last),
            ]
        spans = _merged(spans)
        begin, end = _ordinal_of_year(first), _ordinal_of_year(last + 1)
        grown = _Table(
            first=first,
            last=last,
            low=(begin - _EPOCH_ORDINAL) * _DAY,
            high=(end - _EPOCH_ORDINAL) * _DAY,
            starts=tuple(start for start, _ in spans),
            ends=tuple(end for _, end in spans),
            before=(0, *accumulate(end - start for start, end in spans)),
            # An instant of these years may belong to a local day, or to a night shift, of the years beside them.
            days=tuple(day for day in range(begin - 2, min(end + 2, _END)) if self._hours_on(day)),
        )
        # One assignment of a finished value: another thread sees the old table or the new one, both right.
        object.__setattr__(self, "_table", grown)
        return grown

    def _spans_of_years(self, first: int, last: int) -> list[_Range]:
        if last < first:
            return []
        begin, end = _ordinal_of_year(first), _ordinal_of_year(last + 1)
        walls: list[_Range] = []
        # Two days more on each side: a local day may begin 14 hours early or late, and a night shift ends a day later.
        for day in range(begin - 2, end + 2):
            midnight = (day - _EPOCH_ORDINAL) * _DAY
            walls.extend((midnight + opens, midnight + closes) for opens, closes in self._hours_on(day))
        return _instants(_merged(walls), self._offsets((begin - _EPOCH_ORDINAL) * _DAY, (end - _EPOCH_ORDINAL) * _DAY))

    def _offsets(self, low: int, high: int) -> list[tuple[int, int, int]]:
        """The stretches (from, until, offset from UTC) of constant offset that make up [low, high) of UTC."""

        def offset_at(instant: int) -> int:
            offset = self.local(_instant(instant)).utcoffset()
            assert offset is not None
            return offset // timedelta(microseconds=1)

        stretches: list[tuple[int, int, int]] = []
        since, offset = low, offset_at(low)
        for earlier, later in pairwise([*range(low, high, _DAY), high]):
            if (changed := offset_at(later)) == offset:
                continue
            same, other = earlier, later
            while other - same > 1:
                middle = (same + other) // 2
                if offset_at(middle) == offset:
                    same = middle
                else:
                    other = middle
            stretches.append((since, other, offset))
            since, offset = other, changed
        if since < high:
            stretches.append((since, high, offset))
        return stretches

    def _hours_on(self, day: int) -> tuple[_Range, ...]:
        """What opens on a day (proleptic ordinal): ascending ranges after its midnight, breaks cut out."""
        special = self._special.get(day)
        return self._usual_hours_on(day) if special is None else special

    def _usual_hours_on(self, day: int) -> tuple[_Range, ...]:
        index = len(self._weeks) - 1
        while day < self._weeks[index][0]:
            index -= 1
        return self._weeks[index][1][(day - 1) % 7]  # ordinal 1 is a Monday

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

    def _hours_of_special_days(self) -> dict[int, tuple[_Range, ...]]:
        """The days whose hours are not simply those of the week."""
        own: dict[int, tuple[_Range, ...]] = {day.toordinal(): () for day in self.holidays}
        own |= {day.toordinal(): _ranges(spans) for day, spans in self.exceptions.items()}
        cuts: dict[int, list[_Range]] = {}
        for at, spans in self.breaks.items():
            for shift in (-1, 0, 1):  # a break also cuts the shift of last night, and may itself last past midnight
                cut = cuts.setdefault(at.toordinal() + shift, [])
                cut += [(span.opens - shift * _DAY, span.closes - shift * _DAY) for span in spans]
        for day, taken in cuts.items():
            own[day] = _without(own[day] if day in own else self._usual_hours_on(day), taken)
        return {day: own[day] for day in sorted(own) if own[day] != self._usual_hours_on(day)}

    def _check_that_it_opens(self) -> None:
        first = max(date(FIRST_YEAR, 1, 1), self.valid_from or date.min)
        last = min(date(LAST_YEAR, 12, 31), self.valid_through or date.max)
        if any(self._hours_on(day) for day in range(first.toordinal(), last.toordinal() + 1)):
            return
        raise CalendarError(f"calendar {self.id} has no working time between {first} and {last}")

    def _covered_in_any_zone(self) -> _Range:
        """Instants whose local date is covered whatever the offset: a local date is at most a day off that of UTC."""
        low = _EPOCH_ORDINAL if self.valid_from is None else self.valid_from.toordinal() + 1
        high = _END if self.valid_through is None else self.valid_through.toordinal()
        return (low - _EPOCH_ORDINAL) * _DAY, (high - _EPOCH_ORDINAL) * _DAY

    def _digest(self) -> str:
        def written(ranges: tuple[_Range, ...]) -> list[list[int]]:
            return [list(each) for each in ranges]

        definition = {
            "id": self.id,
            "zone": self.zone,
            "weeks": [[day, [written(ranges) for ranges in week]] for day, week in self._weeks],
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "special": {str(day): written(ranges) for day, ranges in self._special.items()},
            "valid": [None if day is None else day.isoformat() for day in (self.valid_from, self.valid_through)],
        }
        canonical = json.dumps(definition, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


# --------------------------------------------------------------------------------------------------- integer arithmetic


def _microseconds(at: datetime) -> int:
    try:
        since = at - _EPOCH
    except TypeError:
        return _microseconds(utc(at))  # which refuses a naive datetime and says why
    return (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(0, 0, microseconds)


def _year_of(instant: int) -> int:
    return date.fromordinal(instant // _DAY + _EPOCH_ORDINAL).year


def _ordinal_of_year(year: int) -> int:
    return date(year, 1, 1).toordinal()


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    """Ascending, and never touching one another."""
    merged: list[_Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _without(ranges: Iterable[_Range], taken: Iterable[_Range]) -> tuple[_Range, ...]:
    left = list(ranges)
    for cut_start, cut_end in taken:
        pieces = [piece for start, end in left for piece in ((start, min(end, cut_start)), (max(start, cut_end), end))]
        left = [(start, end) for start, end in pieces if start < end]
    return tuple(left)


def _instants(walls: list[_Range], stretches: list[tuple[int, int, int]]) -> list[_Range]:
    """The instants, as ranges of UTC, whose wall-clock time lies in the walls."""
    found: list[_Range] = []
    for low, high, offset in stretches:
        for opens, closes in walls:
            start, end = max(opens - offset, low), min(closes - offset, high)
            if start < end:
                found.append((start, end))
    return found


def _ranges(spans: Iterable[LocalSpan]) -> tuple[_Range, ...]:
    return tuple(_merged((span.opens, span.closes) for span in spans))


def _ranges_of_week(week: Mapping[Weekday, Iterable[LocalSpan]]) -> tuple[tuple[_Range, ...], ...]:
    return tuple(_ranges(week.get(day, ())) for day in WEEKDAYS)


def _time_of_day(text: str, parts: tuple[str | None, ...]) -> int:
    hour, minute, second = (int(part or 0) for part in parts)
    time_of_day = hour * _HOUR + minute * _MINUTE + second * _SECOND
    if minute * _MINUTE >= _HOUR or second * _SECOND >= _MINUTE or time_of_day > _DAY:
        raise CalendarError(f"{text!r} holds a time that does not exist: 00:00 to 24:00 is a day")
    return time_of_day


def _as_time(microseconds: int) -> str:
    hour, rest = divmod(microseconds, _HOUR)
    minute, rest = divmod(rest, _MINUTE)
    return f"{hour:02}:{minute:02}" + (f":{rest // _SECOND:02}" if rest else "")


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
