"""What opens on each day: the hours of the week, and of the days that differ from it.

Rules:

1. Hours belong to the day they open on. An overnight shift that opens before a holiday runs to its end; a shift that
   would open on the holiday does not happen.
2. Days are proleptic ordinals, hours are ranges of microseconds after the day's midnight by the wall clock, ascending and
   never touching; they exceed 24 hours where a shift ends on the next day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from policies.local_span import WEEKDAYS, LocalSpan, Weekday
from policies.microseconds import DAY
from policies.ranges import Range, merged, without

FIRST_YEAR = 1970
LAST_YEAR = 2199
"""The years that calendars know."""

END = date(LAST_YEAR + 1, 1, 1).toordinal()
"""The first day that none knows."""

_Week = Mapping[Weekday, Iterable[LocalSpan]]


@dataclass(frozen=True, slots=True)
class DayTable:
    """The hours of every day.

    Attributes:
        weeks: the first day each week holds on, ascending from 0, with its hours from Monday to Sunday.
        special: the days whose hours are not simply those of the week, ascending.
    """

    weeks: tuple[tuple[int, tuple[tuple[Range, ...], ...]], ...]
    special: dict[int, tuple[Range, ...]]

    @classmethod
    def of(
        cls,
        weekly: _Week,
        weekly_from: Mapping[date, _Week],
        holidays: Collection[date],
        exceptions: Mapping[date, Iterable[LocalSpan]],
        breaks: Mapping[date, Iterable[LocalSpan]],
    ) -> DayTable:
        """The table of a calendar's definition; see ``BusinessCalendar`` for its words. Weeks must ascend by date."""
        weeks = [(0, _ranges_of_week(weekly))]
        weeks += [(day.toordinal(), _ranges_of_week(week)) for day, week in weekly_from.items()]
        usual = cls(tuple(weeks), {})
        own: dict[int, tuple[Range, ...]] = {day.toordinal(): () for day in holidays}
        own |= {day.toordinal(): _ranges(spans) for day, spans in exceptions.items()}
        cuts: dict[int, list[Range]] = {}
        for at, spans in breaks.items():
            for shift in (-1, 0, 1):  # a break also cuts the shift of last night, and may itself last past midnight
                cut = cuts.setdefault(at.toordinal() + shift, [])
                cut += [(span.opens - shift * DAY, span.closes - shift * DAY) for span in spans]
        for day, taken in cuts.items():
            own[day] = without(own[day] if day in own else usual.on(day), taken)
        return cls(usual.weeks, {day: own[day] for day in sorted(own) if own[day] != usual.on(day)})

    def on(self, day: int) -> tuple[Range, ...]:
        """What opens on a day."""
        special = self.special.get(day)
        if special is not None:
            return special
        weeks = self.weeks
        index = len(weeks) - 1
        while day < weeks[index][0]:
            index -= 1
        return weeks[index][1][(day - 1) % 7]  # ordinal 1 is a Monday

    @property
    def unbroken(self) -> bool:
        """It is open round the clock, for ever."""
        every_day = ((0, DAY),)
        return all(ranges == every_day for _, week in self.weeks for ranges in week) and all(
            ranges == every_day for ranges in self.special.values()
        )


def _ranges(spans: Iterable[LocalSpan]) -> tuple[Range, ...]:
    return tuple(merged((span.opens, span.closes) for span in spans))


def _ranges_of_week(week: _Week) -> tuple[tuple[Range, ...], ...]:
    return tuple(_ranges(week.get(day, ())) for day in WEEKDAYS)
