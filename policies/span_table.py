"""The working spans of some whole years with the working time before each, so that a question is one bisection."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING

from policies.day_table import END
from policies.microseconds import midnight
from policies.ranges import Range, merged
from policies.wall_clock import instants, stretches

if TYPE_CHECKING:
    from policies.day_table import DayTable
    from policies.wall_clock import OffsetAt


@dataclass(frozen=True, slots=True)
class SpanTable:
    """Half-open spans of UTC, in microseconds since 1970.

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

    def grown(self, first: int, last: int, days: DayTable, offset_at: OffsetAt) -> SpanTable:
        """The table with these years as well, and those between; sums and numbers to the left stay if it grows to the right.

        Args:
            first, last: years, inclusive.
        """
        if self.last < self.first:
            spans = _spans_of_years(first, last, days, offset_at)
        else:
            first, last = min(first, self.first), max(last, self.last)
            spans = [
                *_spans_of_years(first, self.first - 1, days, offset_at),
                *zip(self.starts, self.ends, strict=True),
                *_spans_of_years(self.last + 1, last, days, offset_at),
            ]
        spans = merged(spans)
        begin, end = _first_day(first), _first_day(last + 1)
        return SpanTable(
            first=first,
            last=last,
            low=midnight(begin),
            high=midnight(end),
            starts=tuple(start for start, _ in spans),
            ends=tuple(end for _, end in spans),
            before=(0, *accumulate(end - start for start, end in spans)),
            # An instant of these years may belong to a local day, or to a night shift, of the years beside them.
            days=tuple(day for day in range(begin - 2, min(end + 2, END)) if days.on(day)),
        )


def _spans_of_years(first: int, last: int, days: DayTable, offset_at: OffsetAt) -> list[Range]:
    if last < first:
        return []
    begin, end = _first_day(first), _first_day(last + 1)
    walls: list[Range] = []
    # Two days more on each side: a local day may begin 14 hours early or late, and a night shift ends a day later.
    for day in range(begin - 2, end + 2):
        beginning = midnight(day)
        walls.extend((beginning + opens, beginning + closes) for opens, closes in days.on(day))
    return instants(merged(walls), stretches(midnight(begin), midnight(end), offset_at))


def _first_day(year: int) -> int:
    return date(year, 1, 1).toordinal()
