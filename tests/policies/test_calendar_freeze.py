"""Public holidays of some years, frozen into a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from policies.calendar_freeze import FrozenCalendar, PublicHolidays, frozen
from policies.local_span import CalendarError

NEW_YEAR, BRIDGE, SATURDAY = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 10)
OFF = {NEW_YEAR: "New Year's Day", BRIDGE: "Day off: a bridge", date(2027, 1, 1): "New Year's Day"}


def _works(day: date) -> bool:
    return day == SATURDAY or (day.weekday() < 5 and day not in OFF)


KNOWN = PublicHolidays(
    country="XX",
    name="Somewhere",
    weekend=frozenset({5, 6}),
    holidays=OFF,
    make_up_days={SATURDAY: BRIDGE},
    last_make_up_year=2026,
    first_year=2020,
    last_year=2030,
    works=_works,
    source="an almanac",
)


def freeze(
    known: PublicHolidays = KNOWN, first: int = 2026, last: int = 2027, through: int | None = None
) -> FrozenCalendar:
    return frozen(
        known,
        range(first, last + 1),
        id_="xx-office",
        zone="Europe/Berlin",
        hours=("09:00-12:00", "13:00-17:00"),
        read_on=date(2026, 11, 21),
        known_through=through,
    )


def test_a_make_up_day_works_the_hours_of_the_day_it_stands_for() -> None:
    made = freeze()
    assert made.shape.make_up_days == {SATURDAY: "fri"}
    assert made.in_place_of == {SATURDAY: BRIDGE}


def test_a_make_up_day_that_stands_for_no_known_day_works_the_weeks_first_hours() -> None:
    assert freeze(replace(KNOWN, make_up_days={SATURDAY: None})).shape.make_up_days == {SATURDAY: "mon"}
    off_on_sunday = replace(KNOWN, make_up_days={SATURDAY: date(2026, 1, 4)})
    assert freeze(off_on_sunday).shape.make_up_days == {SATURDAY: "mon"}


def test_a_year_whose_make_up_days_are_not_known_yet_is_left_out_whole() -> None:
    made = freeze()
    assert made.shape.holidays == [NEW_YEAR, BRIDGE]
    assert made.shape.valid_from == date(2026, 1, 1)
    assert made.shape.valid_through == date(2026, 12, 31)
    assert made.left_out == {2027: "its make-up working days are not known yet"}


def test_who_knows_better_may_say_through_which_year_all_is_known() -> None:
    made = freeze(through=2027)
    assert made.shape.valid_through == date(2027, 12, 31)
    assert made.left_out == {}


def test_a_year_with_an_estimated_date_is_left_out_and_all_behind_it() -> None:
    known = replace(KNOWN, last_make_up_year=None, make_up_days={}, estimated=frozenset({2026}), works=_no_saturday)
    made = freeze(known, 2025, 2027)
    assert made.shape.valid_through == date(2025, 12, 31)
    assert made.left_out == {2026: "some of its dates are estimated", 2027: "2026 before it is not known whole"}


def _no_saturday(day: date) -> bool:
    return day != SATURDAY and _works(day)


def test_a_first_year_that_is_not_known_whole_is_refused() -> None:
    with pytest.raises(CalendarError, match="XX: 2027 is not known whole: its make-up working days"):
        freeze(KNOWN, 2027, 2027)
    with pytest.raises(CalendarError, match="the source covers 2020 to 2030"):
        freeze(KNOWN, 2019, 2020)


def test_a_calendar_that_says_otherwise_than_its_source_is_refused() -> None:
    with pytest.raises(CalendarError, match=r"2026-01-10 does not work \(1 in all\)"):
        freeze(replace(KNOWN, works=_no_saturday))


def test_the_same_facts_give_the_same_text() -> None:
    assert freeze().text() == freeze(replace(KNOWN, holidays=dict(reversed(OFF.items())))).text()


def test_the_text_is_the_whole_calendar() -> None:
    assert freeze().text() == (
        "# Somewhere, office hours: public holidays and make-up working days, frozen; a live feed decides no deadline.\n"
        "# Written by `warranty calendars freeze`; written anew for other years, never by hand.\n"
        "# 2027 is left out: its make-up working days are not known yet. A clock that runs into it is provisional.\n"
        "id: xx-office\n"
        "title: Somewhere, office hours\n"
        "zone: Europe/Berlin\n"
        "weekly:\n"
        '  mon: ["09:00-12:00", "13:00-17:00"]\n'
        '  tue: ["09:00-12:00", "13:00-17:00"]\n'
        '  wed: ["09:00-12:00", "13:00-17:00"]\n'
        '  thu: ["09:00-12:00", "13:00-17:00"]\n'
        '  fri: ["09:00-12:00", "13:00-17:00"]\n'
        "holidays:\n"
        "  - 2026-01-01  # New Year's Day\n"
        "  - 2026-01-02  # Day off: a bridge\n"
        "make_up_days:\n"
        "  2026-01-10: fri  # works in place of 2026-01-02\n"
        "valid_from: 2026-01-01\n"
        "valid_through: 2026-12-31\n"
        "source: an almanac, read on 2026-11-21\n"
    )


def test_a_country_without_holidays_has_neither_list() -> None:
    bare = replace(KNOWN, name='St. "X" (Y)', holidays={}, make_up_days={}, works=lambda day: day.weekday() < 5)
    text = freeze(bare, 2026, 2026).text()
    assert "holidays:" not in text
    assert "make_up_days:" not in text
    assert '\ntitle: "St. \\"X\\" (Y), office hours"\n' in text


def test_a_make_up_day_without_a_known_day_off_says_nothing_of_one() -> None:
    assert "\n  2026-01-10: mon\n" in freeze(replace(KNOWN, make_up_days={SATURDAY: None})).text()
