"""Working time against oracles that share no code with it, and the cases that broke real engines."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from policies.business_calendar import ALWAYS, BusinessCalendar, Span
from policies.calendar_shape import CalendarShape
from policies.duration import ElapsedTime, WorkingDays, WorkingTime
from policies.local_span import WEEKDAYS, CalendarError, LocalSpan, Weekday, hours

SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "calendars"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

OFFICE: Mapping[Weekday, tuple[LocalSpan, ...]] = dict.fromkeys(WEEKDAYS[:5], hours("09:00-12:00", "13:00-18:00"))


def office(zone: str = "Asia/Shanghai", **more: object) -> BusinessCalendar:
    return BusinessCalendar(id="office", zone=zone, weekly=OFFICE, **more)  # type: ignore[arg-type]


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    """An instant from a local wall-clock time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shipped(name: str) -> BusinessCalendar:
    loaded = YAML(typ="safe").load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
    return CalendarShape.model_validate(loaded).build()


# ------------------------------------------------------------------------------------------------ independent oracles

# Plain data the oracles read for themselves: minutes of the day, (opens, closes), closes beyond 1440 on the next day.
Minutes = tuple[tuple[int, int], ...]
PATTERNS: dict[str, dict[int, Minutes]] = {
    "office": dict.fromkeys(range(5), ((540, 720), (780, 1080))),
    "nights": dict.fromkeys(range(4), ((1320, 1800),)),
    "small hours": dict.fromkeys(range(7), ((30, 165), (170, 400))),
    "late": dict.fromkeys(range(7), ((0, 120), (1380, 1440))),
    "patchy": {0: ((600, 660),), 2: ((0, 1440),), 5: ((1430, 1450), (1439, 1600))},
}
DST_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Sao_Paulo", "Australia/Lord_Howe")
# A week around each change of the clocks of 2018 (both ways; Sao Paulo changes at midnight, Lord Howe by half an hour).
CHANGES = {
    "Europe/Berlin": ("2018-03-24", "2018-10-27"),
    "America/New_York": ("2018-03-10", "2018-11-03"),
    "Australia/Sydney": ("2018-10-06", "2018-03-31"),
    "America/Sao_Paulo": ("2018-11-03", "2018-02-17"),
    "Australia/Lord_Howe": ("2018-10-06", "2018-03-31"),
}


def from_pattern(
    name: str, zone: str, holidays: frozenset[date] = frozenset(), make_up: frozenset[date] = frozenset()
) -> BusinessCalendar:
    def spans(minutes: Minutes) -> tuple[LocalSpan, ...]:
        return tuple(LocalSpan(opens * 60_000_000, closes * 60_000_000) for opens, closes in minutes)

    return BusinessCalendar(
        id=name,
        zone=zone,
        weekly={WEEKDAYS[day]: spans(minutes) for day, minutes in PATTERNS[name].items()},
        holidays=holidays,
        exceptions={day: spans(((600, 900),)) for day in make_up},
    )


def oracle_is_open(
    name: str,
    instant: datetime,
    zone: ZoneInfo,
    holidays: frozenset[date] = frozenset(),
    make_up: frozenset[date] = frozenset(),
) -> bool:
    """By the wall clock alone: is this local time in the hours of today, or of a shift that began yesterday?"""
    local = instant.astimezone(zone)
    now = local.hour * 60 + local.minute
    for day, time_of_day in ((local.date(), now), (local.date() - timedelta(1), now + 1440)):
        if day in make_up:
            opening: Minutes = ((600, 900),)
        elif day in holidays:
            opening = ()
        else:
            opening = PATTERNS[name].get(day.weekday(), ())
        if any(opens <= time_of_day < closes for opens, closes in opening):
            return True
    return False


def oracle_elapsed(
    name: str,
    start: datetime,
    end: datetime,
    zone: str,
    *,
    holidays: frozenset[date] = frozenset(),
    make_up: frozenset[date] = frozenset(),
    step: timedelta = MINUTE,
) -> timedelta:
    info, total = ZoneInfo(zone), timedelta(0)
    while start < end:
        if oracle_is_open(name, start, info, holidays, make_up):
            total += step
        start += step
    return total


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("zone", DST_ZONES)
@pytest.mark.parametrize("change", [0, 1], ids=["into summer time", "out of summer time"])
def test_a_week_in_which_the_clocks_change_has_the_working_time_a_minute_loop_counts(
    name: str, zone: str, change: int
) -> None:
    start = at(f"{CHANGES[zone][change]}T12:00", zone).astimezone(UTC)
    end = start + timedelta(days=2)
    assert ZoneInfo(zone).utcoffset(start.astimezone(ZoneInfo(zone))) != ZoneInfo(zone).utcoffset(
        end.astimezone(ZoneInfo(zone))
    )
    calendar = from_pattern(name, zone)
    assert calendar.elapsed(start, end) == oracle_elapsed(name, start, end, zone)
    for minute in range(0, 48 * 60, 7):
        instant = start + minute * MINUTE
        assert calendar.is_open(instant) == oracle_is_open(name, instant, ZoneInfo(zone))


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(PATTERNS)),
    zone=st.sampled_from((*DST_ZONES, "Asia/Shanghai", "UTC", "Asia/Kathmandu", "Pacific/Apia")),
    start=st.datetimes(datetime(2011, 1, 1), datetime(2026, 1, 1)).map(  # noqa: DTZ001 - made aware at once
        lambda naive: naive.replace(second=0, microsecond=0, tzinfo=UTC)
    ),
    minutes=st.integers(0, 5 * 1440),
    data=st.data(),
)
def test_elapsed_is_what_a_minute_loop_counts_with_holidays_and_make_up_days(
    name: str, zone: str, start: datetime, minutes: int, data: st.DataObject
) -> None:
    days = [start.date() + timedelta(shift) for shift in range(-1, 7)]
    holidays = data.draw(st.frozensets(st.sampled_from(days), max_size=2))
    make_up = data.draw(st.frozensets(st.sampled_from(days), max_size=2)) - holidays
    end = start + minutes * MINUTE
    counted = oracle_elapsed(name, start, end, zone, holidays=holidays, make_up=make_up)
    assert from_pattern(name, zone, holidays, make_up).elapsed(start, end) == counted


def test_seconds_are_kept_where_a_second_loop_counts_them() -> None:
    calendar = from_pattern("office", "Europe/Berlin")
    start, end = at("2018-10-29T11:59:17", "Europe/Berlin"), at("2018-10-29T13:20:43", "Europe/Berlin")
    counted = oracle_elapsed("office", start.astimezone(UTC), end, "Europe/Berlin", step=timedelta(seconds=1))
    assert calendar.elapsed(start, end) == counted == timedelta(seconds=43 + 20 * 60 + 43)


def test_microseconds_are_kept() -> None:
    start = utc("2026-03-02T09:59:59.999999")  # 17:59:59.999999 in Shanghai
    assert office().elapsed(start, start + HOUR) == timedelta(microseconds=1)
    assert office().advance(start, timedelta(microseconds=2)) == utc("2026-03-03T01:00:00.000001")


# ---------------------------------------------------------------------------------------------------------- arithmetic

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
CALENDARS = [from_pattern(name, zone) for name in PATTERNS for zone in ("Europe/Berlin", "America/Sao_Paulo")]
CALENDARS += [office(), ALWAYS]
SOME_CALENDAR = st.sampled_from(CALENDARS)


@settings(deadline=None)
@given(SOME_CALENDAR, st.lists(INSTANTS, min_size=3, max_size=3))
def test_elapsed_is_additive(calendar: BusinessCalendar, instants: list[datetime]) -> None:
    first, middle, last = sorted(instants)
    assert calendar.elapsed(first, last) == calendar.elapsed(first, middle) + calendar.elapsed(middle, last)


@settings(deadline=None)
@given(SOME_CALENDAR, INSTANTS, st.integers(1, 400 * 60))
def test_due_inverts_elapsed(calendar: BusinessCalendar, start: datetime, minutes: int) -> None:
    due = calendar.due(start, WorkingTime(minutes))
    assert calendar.elapsed(start, due) == minutes * MINUTE
    # the earliest such instant: the last moment before it was working time
    assert calendar.is_open(due - timedelta(microseconds=1))


@settings(deadline=None)
@given(SOME_CALENDAR, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=200)))
def test_elapsed_never_exceeds_the_wall_clock_nor_falls_below_zero(
    calendar: BusinessCalendar, start: datetime, length: timedelta
) -> None:
    assert timedelta(0) <= calendar.elapsed(start, start + length) <= length


@settings(deadline=None)
@given(SOME_CALENDAR, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_the_spans_between_two_instants_add_up_to_the_elapsed_time(
    calendar: BusinessCalendar, start: datetime, length: timedelta
) -> None:
    spans = list(calendar.spans(start, start + length))
    assert sum((span.length for span in spans), timedelta(0)) == calendar.elapsed(start, start + length)
    assert all(earlier.end < later.start for earlier, later in pairwise(spans))
    assert all(start <= span.start < span.end <= start + length for span in spans)


@settings(deadline=None)
@given(SOME_CALENDAR, INSTANTS)
def test_the_next_opening_is_the_first_open_instant(calendar: BusinessCalendar, instant: datetime) -> None:
    opening = calendar.next_opening(instant)
    assert opening >= instant
    assert calendar.is_open(opening)
    assert calendar.elapsed(instant, opening) == timedelta(0)
    assert calendar.is_open(instant) == (opening == instant)


@given(INSTANTS, INSTANTS)
def test_round_the_clock_is_the_wall_clock(one: datetime, other: datetime) -> None:
    assert ALWAYS.elapsed(one, other) == max(other - one, timedelta(0))
    assert ALWAYS.is_open(one)
    assert ALWAYS.advance(one, timedelta(hours=40)) == one + timedelta(hours=40)
    assert ALWAYS.due(one, WorkingTime(90)) == ALWAYS.due(one, ElapsedTime(90)) == one + 90 * MINUTE


def test_round_the_clock_counts_instants_not_wall_time_when_its_arguments_are_local() -> None:
    # Two datetimes of one zone subtract by the wall clock in Python; the day of a change has 23 or 25 hours.
    start, end = at("2018-03-25T00:00", "Europe/Berlin"), at("2018-03-26T00:00", "Europe/Berlin")
    assert ALWAYS.elapsed(start, end) == 23 * HOUR
    assert ALWAYS.due(start, ElapsedTime(24 * 60)) == at("2018-03-26T01:00", "Europe/Berlin")
    assert office("Europe/Berlin").due(start, ElapsedTime(24 * 60)) == at("2018-03-26T01:00", "Europe/Berlin")


def test_a_calendar_open_round_the_clock_in_a_zone_that_changes_its_clocks_counts_every_hour_once() -> None:
    everywhere = BusinessCalendar(id="x", zone="Europe/Berlin", weekly=ALWAYS.weekly)
    with_a_gap = BusinessCalendar(
        id="x", zone="Europe/Berlin", weekly=ALWAYS.weekly, breaks={date(2018, 6, 1): hours("12:00-13:00")}
    )
    start, end = utc("2018-01-01T00:00"), utc("2019-01-01T00:00")
    assert everywhere.elapsed(start, end) == end - start
    assert with_a_gap.elapsed(start, end) == end - start - HOUR


def test_results_are_in_utc_whatever_the_arguments_were_in() -> None:
    start = datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=8)))
    for result in (
        office().due(start, WorkingTime(60)),
        office().due(start, ElapsedTime(60)),
        office().due(start, WorkingDays(1)),
        office().next_opening(start),
        office().advance(start, timedelta(0)),
        ALWAYS.next_opening(start),
        next(office().spans(start, start + HOUR)).start,
    ):
        assert result.tzinfo is UTC


def test_no_time_elapses_backwards() -> None:
    start = at("2026-03-02T10:00")
    assert office().elapsed(start, start) == timedelta(0)
    assert office().elapsed(start, start - timedelta(days=5)) == timedelta(0)
    assert list(office().spans(start, start - HOUR)) == []


def test_advancing_by_nothing_gives_the_start_open_or_not() -> None:
    closed = at("2026-03-01T03:00")
    assert office().advance(closed, timedelta(0)) == closed


def test_advancing_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="runs forward only"):
        office().advance(at("2026-03-02T10:00"), -MINUTE)


@pytest.mark.parametrize("calendar", [office(), ALWAYS])
def test_a_naive_datetime_is_refused_everywhere(calendar: BusinessCalendar) -> None:
    naive, aware = datetime(2026, 3, 2, 10), utc("2026-03-02T10:00")  # noqa: DTZ001 - it is what must be refused
    with pytest.raises(ValueError, match="naive datetime"):
        calendar.elapsed(naive, aware)
    with pytest.raises(ValueError, match="naive datetime"):
        calendar.elapsed(aware, naive)
    with pytest.raises(ValueError, match="naive datetime"):
        calendar.due(naive, WorkingTime(60))
    with pytest.raises(ValueError, match="naive datetime"):
        calendar.due(naive, ElapsedTime(60))
    with pytest.raises(ValueError, match="naive datetime"):
        calendar.due(naive, WorkingDays(1))
    for question in (calendar.is_open, calendar.next_opening, calendar.local, calendar.covers):
        with pytest.raises(ValueError, match="naive datetime"):
            question(naive)
    with pytest.raises(ValueError, match="naive datetime"):
        Span(naive, aware)


def test_a_span_that_does_not_end_after_its_start_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after its start"):
        Span(utc("2026-03-02T10:00"), utc("2026-03-02T10:00"))


# ------------------------------------------------------------------------------------------ cases that broke engines


def test_a_lunch_break_across_the_due_instant_moves_it_past_lunch() -> None:
    assert office().due(at("2026-03-02T11:30"), WorkingTime(60)) == at("2026-03-02T13:30")


def test_a_budget_that_runs_out_at_closing_is_due_at_closing_not_at_the_next_opening() -> None:
    assert office().due(at("2026-03-02T11:00"), WorkingTime(60)) == at("2026-03-02T12:00")
    assert office().due(at("2026-03-06T17:00"), WorkingTime(60)) == at("2026-03-06T18:00")
    assert office().due(at("2026-03-06T17:00"), WorkingTime(61)) == at("2026-03-09T09:01")


def test_closing_and_opening_instants_are_half_open() -> None:
    assert office().is_open(at("2026-03-02T09:00"))
    assert not office().is_open(at("2026-03-02T12:00"))
    assert office().next_opening(at("2026-03-02T12:00")) == at("2026-03-02T13:00")
    assert office().next_opening(at("2026-03-06T18:00")) == at("2026-03-09T09:00")


def test_an_overnight_shift_runs_past_midnight_and_belongs_to_the_day_it_opens_on() -> None:
    nights = BusinessCalendar(
        id="nights", zone="Asia/Shanghai", weekly={"mon": hours("22:00-06:00")}, holidays=[date(2026, 3, 9)]
    )
    assert nights.is_open(at("2026-03-03T05:59"))
    assert not nights.is_open(at("2026-03-03T06:00"))
    assert nights.elapsed(at("2026-03-02T00:00"), at("2026-03-04T00:00")) == 8 * HOUR
    assert nights.is_working_day(date(2026, 3, 2))
    assert not nights.is_working_day(date(2026, 3, 3))
    # the shift of the holiday does not happen, not even after midnight
    assert nights.elapsed(at("2026-03-09T00:00"), at("2026-03-11T00:00")) == timedelta(0)


def test_an_overnight_shift_that_began_before_a_holiday_runs_to_its_end() -> None:
    nights = BusinessCalendar(
        id="nights", zone="UTC", weekly=dict.fromkeys(WEEKDAYS, hours("22:00-06:00")), holidays=[date(2026, 3, 10)]
    )
    assert nights.elapsed(utc("2026-03-10T00:00"), utc("2026-03-11T12:00")) == 6 * HOUR


def test_an_overnight_shift_runs_into_the_new_year() -> None:
    nights = BusinessCalendar(id="nights", zone="UTC", weekly=dict.fromkeys(WEEKDAYS, hours("22:00-06:00")))
    spans = list(nights.spans(utc("2025-12-31T12:00"), utc("2026-01-01T12:00")))
    assert spans == [Span(utc("2025-12-31T22:00"), utc("2026-01-01T06:00"))]
    assert nights.due(utc("2025-12-31T22:00"), WorkingTime(240)) == utc("2026-01-01T02:00")


def test_a_make_up_saturday_works_and_a_plain_one_does_not() -> None:
    calendar = office(exceptions={date(2026, 2, 28): hours("09:00-12:00", "13:00-18:00")})
    assert calendar.is_working_day(date(2026, 2, 28))
    assert not calendar.is_working_day(date(2026, 3, 7))
    assert calendar.due(at("2026-02-27T17:00"), WorkingTime(8 * 60)) == at("2026-02-28T17:00")
    assert calendar.due(at("2026-02-27T10:00"), WorkingDays(1)) == at("2026-02-28T10:00")


def test_a_holiday_on_a_weekend_changes_nothing() -> None:
    start, end = at("2026-02-27T00:00"), at("2026-03-10T00:00")
    assert office(holidays=[date(2026, 3, 1)]).elapsed(start, end) == office().elapsed(start, end)


def test_a_working_exception_replaces_the_hours_of_the_week() -> None:
    calendar = office(exceptions={date(2026, 3, 2): hours("10:00-11:00")})
    assert calendar.elapsed(at("2026-03-02T00:00"), at("2026-03-03T00:00")) == HOUR


def test_breaks_are_cut_out_across_spans_and_out_of_last_nights_shift() -> None:
    calendar = BusinessCalendar(
        id="x",
        zone="UTC",
        weekly={"mon": hours("17:00-19:00", "20:00-04:00")},
        breaks={date(2026, 3, 2): hours("18:00-21:00"), date(2026, 3, 3): hours("01:00-02:00")},
    )
    found = [(span.start.hour, span.end.hour) for span in calendar.spans(utc("2026-03-02"), utc("2026-03-04"))]
    assert found == [(17, 18), (21, 1), (2, 4)]


def test_a_day_whose_hours_are_all_cut_out_is_no_working_day() -> None:
    assert not office(breaks={date(2026, 3, 2): hours("08:00-19:00")}).is_working_day(date(2026, 3, 2))


def test_hours_of_the_week_may_change_from_a_date_on() -> None:
    calendar = office(
        "UTC", weekly_from={date(2026, 3, 4): {"wed": hours("10:00-11:00")}, date(2026, 3, 18): dict(OFFICE)}
    )
    assert calendar.elapsed(utc("2026-03-02"), utc("2026-03-09")) == 17 * HOUR
    assert calendar.elapsed(utc("2026-03-09"), utc("2026-03-16")) == HOUR
    assert calendar.elapsed(utc("2026-03-16"), utc("2026-03-23")) == 24 * HOUR


def test_unsorted_duplicate_overlapping_and_adjacent_hours_are_one_definition() -> None:
    tidy = BusinessCalendar(id="x", zone="UTC", weekly={"mon": hours("09:00-18:00")})
    messy = BusinessCalendar(
        id="x",
        zone="UTC",
        weekly={"mon": hours("12:00-18:00", "09:00-12:00", "09:00-12:00", "10:00-13:00"), "tue": ()},
    )
    assert messy == tidy
    assert messy.digest == tidy.digest
    assert hash(messy) == hash(tidy)
    assert messy.elapsed(utc("2026-03-02"), utc("2026-03-03")) == 9 * HOUR


@pytest.mark.parametrize("zone", DST_ZONES)
def test_forty_working_hours_over_a_change_of_the_clocks_end_at_the_same_time_of_day(zone: str) -> None:
    calendar = office(zone)
    for change in CHANGES[zone]:
        thursday = at(f"{change}T09:00", zone) - timedelta(days=2)
        start = calendar.next_opening(thursday)
        due = calendar.due(start, WorkingTime(40 * 60))
        assert calendar.elapsed(start, due) == 40 * HOUR
        assert due == thursday.replace(hour=18) + timedelta(days=6)
        assert calendar.local(due).strftime("%a %H:%M") == "Wed 18:00"
        assert calendar.local(start).utcoffset() != calendar.local(due).utcoffset()


def test_a_night_shift_has_an_hour_less_or_more_when_the_clocks_change() -> None:
    nights = BusinessCalendar(id="x", zone="Europe/Berlin", weekly={"sat": hours("22:00-06:00")})
    assert nights.elapsed(utc("2018-03-24T12:00"), utc("2018-03-25T12:00")) == 7 * HOUR
    assert nights.elapsed(utc("2018-10-27T12:00"), utc("2018-10-28T12:00")) == 9 * HOUR


def test_nothing_is_open_inside_a_gap_and_what_remains_of_the_hours_is() -> None:
    calendar = BusinessCalendar(
        id="x",
        zone="America/Los_Angeles",
        weekly={"sun": hours("02:15-02:45", "02:50-03:15"), "mon": hours("09:00-17:00")},
    )
    day = list(calendar.spans(utc("2006-04-02T08:00"), utc("2006-04-03T08:00")))
    assert day == [Span(utc("2006-04-02T10:00"), utc("2006-04-02T10:15"))]


# --------------------------------------------------------------------------------------------------------- local time


@pytest.mark.parametrize(
    ("zone", "local", "resolved"),
    [
        ("Europe/Berlin", "2022-03-27T01:05:12", "2022-03-27T01:05:12"),
        ("Europe/Berlin", "2022-03-27T02:05:12", "2022-03-27T03:05:12"),
        ("Australia/Sydney", "2021-10-03T02:34:06", "2021-10-03T03:34:06"),
        ("America/New_York", "2021-03-14T02:53:34", "2021-03-14T03:53:34"),
        ("Australia/Lord_Howe", "2018-10-07T02:10", "2018-10-07T02:40"),
    ],
)
def test_a_local_time_inside_a_gap_moves_forward_by_the_gap(zone: str, local: str, resolved: str) -> None:
    calendar = office(zone)
    instant = calendar.resolve_local(datetime.fromisoformat(local))
    assert calendar.local(instant).replace(tzinfo=None) == datetime.fromisoformat(resolved)


def test_a_local_time_that_a_fold_repeats_is_its_first_occurrence() -> None:
    resolved = office("Europe/Berlin").resolve_local(datetime.fromisoformat("2018-10-28T02:30"))
    assert resolved == utc("2018-10-28T00:30")


@settings(deadline=None)
@given(st.sampled_from(DST_ZONES), st.datetimes(datetime(2017, 1, 1), datetime(2020, 1, 1)))  # noqa: DTZ001 - local
def test_local_times_resolve_as_the_standard_library_resolves_them(zone: str, local: datetime) -> None:
    assert office(zone).resolve_local(local) == local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_an_aware_datetime_is_no_local_time() -> None:
    with pytest.raises(ValueError, match="has an offset already"):
        office().resolve_local(utc("2026-03-02T10:00"))


def test_an_instant_in_the_zone_of_the_calendar_is_the_same_instant() -> None:
    local = office().local(utc("2026-03-02T01:00"))
    assert local == utc("2026-03-02T01:00")
    assert local.isoformat() == "2026-03-02T09:00:00+08:00"


# ------------------------------------------------------------------------------------------------------- working days


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-03-02T10:00", 1, "2026-03-03T10:00"),
        ("2026-03-02T10:00", 5, "2026-03-09T10:00"),
        ("2026-03-06T17:59:59", 1, "2026-03-09T17:59:59"),
        ("2026-03-02T08:00", 1, "2026-03-03T09:00"),  # before opening: from the opening
        ("2026-03-02T12:30", 1, "2026-03-03T13:00"),  # at lunch: from the next opening
        ("2026-03-02T18:00", 1, "2026-03-04T09:00"),  # at closing: from the next day's opening
        ("2026-03-07T15:00", 1, "2026-03-10T09:00"),  # on a Saturday: from Monday's opening
    ],
)
def test_working_days_keep_the_local_time_of_day(start: str, days: int, due: str) -> None:
    assert office().due(at(start), WorkingDays(days)) == at(due)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-03-02T10:00", 1, "2026-03-03T18:00"),
        ("2026-03-02T08:00", 5, "2026-03-09T18:00"),
        ("2026-03-02T19:00", 1, "2026-03-04T18:00"),
        ("2026-03-07T15:00", 1, "2026-03-10T18:00"),
    ],
)
def test_working_days_until_close_are_due_at_the_last_closing_of_the_day(start: str, days: int, due: str) -> None:
    assert office().due(at(start), WorkingDays(days, until_close=True)) == at(due)


@pytest.mark.parametrize(
    ("monday", "tuesday"),
    [
        ("17:30", "16:00"),  # Tuesday closes earlier
        ("08:15", "10:00"),  # Tuesday opens later
        ("12:40", "13:00"),  # at Tuesday's lunch, nearer to its end
        ("12:20", "12:00"),  # nearer to its beginning
        ("12:30", "12:00"),  # as near to both: the closing
        ("15:00", "15:00"),
    ],
)
def test_where_the_day_lacks_the_time_the_nearest_closing_or_opening_is_due(monday: str, tuesday: str) -> None:
    calendar = BusinessCalendar(
        id="x", zone="Asia/Shanghai", weekly={"mon": hours("08:00-18:00"), "tue": hours("10:00-12:00", "13:00-16:00")}
    )
    assert calendar.due(at(f"2026-03-02T{monday}"), WorkingDays(1)) == at(f"2026-03-03T{tuesday}")


def test_working_days_skip_holidays_and_take_make_up_days() -> None:
    calendar = shipped("cn-office")
    # 2026-02-14 is a make-up Saturday, then the Spring Festival until the 23rd, then a make-up Saturday on the 28th.
    assert calendar.due(at("2026-02-13T10:00"), WorkingDays(1)) == at("2026-02-14T10:00")
    assert calendar.due(at("2026-02-13T10:00"), WorkingDays(2)) == at("2026-02-24T10:00")
    assert calendar.due(at("2026-02-13T10:00"), WorkingDays(6)) == at("2026-02-28T10:00")


def test_working_days_of_a_night_shift_count_the_day_the_shift_opened_on() -> None:
    nights = BusinessCalendar(id="x", zone="UTC", weekly=dict.fromkeys(WEEKDAYS[:5], hours("22:00-06:00")))
    # 02:00 on Saturday is Friday's shift; the next working day is Monday, whose shift has its 02:00 on Tuesday.
    assert nights.due(utc("2026-03-07T02:00"), WorkingDays(1)) == utc("2026-03-10T02:00")
    assert nights.due(utc("2026-03-07T02:00"), WorkingDays(1, until_close=True)) == utc("2026-03-10T06:00")


def test_working_days_keep_the_time_of_day_when_the_clocks_change() -> None:
    assert office("Europe/Berlin").due(at("2018-03-23T10:00", "Europe/Berlin"), WorkingDays(1)) == at(
        "2018-03-26T10:00", "Europe/Berlin"
    )


def test_a_working_day_whose_time_of_day_falls_into_a_gap_is_due_within_its_hours() -> None:
    calendar = BusinessCalendar(id="x", zone="Europe/Berlin", weekly=dict.fromkeys(WEEKDAYS, hours("01:00-02:45")))
    # 02:30 does not exist on the 25th; the hours of that day end where the gap begins.
    assert calendar.due(at("2018-03-24T02:30", "Europe/Berlin"), WorkingDays(1)) == utc("2018-03-25T01:00")


def test_a_day_whose_hours_all_fall_into_a_gap_is_passed_over() -> None:
    calendar = BusinessCalendar(id="x", zone="Europe/Berlin", weekly=dict.fromkeys(WEEKDAYS, hours("02:10-02:45")))
    assert calendar.due(at("2018-03-24T02:30", "Europe/Berlin"), WorkingDays(1)) == at(
        "2018-03-26T02:30", "Europe/Berlin"
    )


def test_round_the_clock_a_working_day_is_a_day() -> None:
    assert ALWAYS.due(utc("2026-03-06T10:00"), WorkingDays(3)) == utc("2026-03-09T10:00")
    assert ALWAYS.due(utc("2026-03-06T10:00"), WorkingDays(3, until_close=True)) == utc("2026-03-10T00:00")


@settings(deadline=None)
@given(st.sampled_from([calendar for calendar in CALENDARS if calendar.id != "patchy"]), INSTANTS, st.integers(1, 30))
def test_one_working_day_more_is_due_on_the_next_working_day(
    calendar: BusinessCalendar, start: datetime, days: int
) -> None:
    fewer, more = calendar.due(start, WorkingDays(days)), calendar.due(start, WorkingDays(days + 1))
    assert start < fewer < more
    assert calendar.due(start, WorkingDays(days, until_close=True)) >= fewer


# ------------------------------------------------------------------------------------------------- refused definitions


def test_a_calendar_without_working_time_is_refused_when_it_is_built() -> None:
    with pytest.raises(CalendarError, match="calendar x has no working time"):
        BusinessCalendar(id="x", zone="UTC", weekly={})
    with pytest.raises(CalendarError, match="no working time"):
        BusinessCalendar(id="x", zone="UTC", weekly={"mon": ()})
    with pytest.raises(CalendarError, match="no working time"):
        office(valid_from=date(2026, 3, 7), valid_through=date(2026, 3, 8))
    with pytest.raises(CalendarError, match="no working time"):
        BusinessCalendar(
            id="x",
            zone="UTC",
            weekly={},
            exceptions={date(2026, 3, 2): hours("09:00-10:00")},
            breaks={date(2026, 3, 2): hours("09:00-10:00")},
        )


def test_a_budget_that_never_runs_out_is_an_error_not_an_endless_search() -> None:
    once = BusinessCalendar(id="once", zone="UTC", weekly={}, exceptions={date(2026, 3, 2): hours("09:00-10:00")})
    start = utc("2026-01-01T00:00")
    assert once.due(start, WorkingTime(60)) == utc("2026-03-02T10:00")
    with pytest.raises(CalendarError, match="not enough working time from 2026-01-01"):
        once.due(start, WorkingTime(61))
    with pytest.raises(CalendarError, match="not enough working time"):
        once.next_opening(utc("2026-03-02T10:00"))
    with pytest.raises(CalendarError, match="not enough working time from 2026-03-02T09:00"):
        once.due(start, WorkingDays(1))
    assert not once.is_open(utc("2026-03-02T10:00"))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "/etc/localtime", "CST+8"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(CalendarError, match="no IANA time zone"):
        office(zone)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("9-18", "are no hours"),
        ("9:00-18:00", "are no hours"),
        ("09:00", "are no hours"),
        ("lunch", "are no hours"),
        ("", "are no hours"),
        ("09:00-09:00", "same time"),
        ("25:00-26:00", "does not exist"),
        ("09:60-10:00", "does not exist"),
        ("09:00:60-10:00", "does not exist"),
        ("09:00-24:01", "does not exist"),
        ("24:00-06:00", "outside the day"),
    ],
)
def test_hours_that_make_no_sense_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(CalendarError, match=complaint):
        hours(text)


@pytest.mark.parametrize(("opens", "closes"), [(10, 9), (10, 10), (-1, 10), (0, 25 * 3_600_000_000)])
def test_reversed_empty_and_endless_spans_are_refused(opens: int, closes: int) -> None:
    with pytest.raises(CalendarError):
        LocalSpan(opens, closes)


@pytest.mark.parametrize("text", ["09:00-12:00", "00:00-24:00", "22:00-06:00", "09:00:01-09:00:02", "18:00-24:00"])
def test_hours_print_as_they_are_written(text: str) -> None:
    assert str(LocalSpan.parse(text)) == text


def test_contradictory_dates_are_refused() -> None:
    day = date(2026, 3, 2)
    with pytest.raises(CalendarError, match="2026-03-02 is a holiday and a working exception"):
        office(holidays=[day], exceptions={day: hours("09:00-10:00")})
    with pytest.raises(CalendarError, match="the exception on 2026-03-02 has no hours"):
        office(exceptions={day: ()})
    with pytest.raises(CalendarError, match="2200-01-01 lies outside the years 1970 to 2199"):
        office(holidays=[date(2200, 1, 1)])


def test_an_unknown_weekday_is_refused() -> None:
    with pytest.raises(CalendarError, match="'monday' is no weekday"):
        BusinessCalendar(id="x", zone="UTC", weekly={"monday": hours("09:00-10:00")})  # type: ignore[dict-item]


@pytest.mark.parametrize("instant", ["1969-12-31T23:59:59", "2200-01-01T00:00:01"])
def test_an_instant_outside_the_known_years_is_refused(instant: str) -> None:
    with pytest.raises(CalendarError, match="knows the years 1970 to 2199"):
        office().is_open(utc(instant))
    with pytest.raises(CalendarError, match="knows the years 1970 to 2199"):
        office().resolve_local(datetime.fromisoformat(instant))


# ----------------------------------------------------------------------------------------------------------- the table


def test_the_first_and_the_last_year_work() -> None:
    calendar = office("UTC")
    assert calendar.elapsed(utc("1970-01-01T00:00"), utc("1970-01-02T00:00")) == 8 * HOUR
    assert calendar.due(utc("1970-01-01T00:00"), WorkingTime(60)) == utc("1970-01-01T10:00")
    assert calendar.elapsed(utc("2199-12-31T00:00"), utc("2200-01-01T00:00")) == 8 * HOUR
    assert calendar.due(utc("2199-12-31T17:00"), WorkingTime(60)) == utc("2199-12-31T18:00")
    with pytest.raises(CalendarError, match="not enough working time"):
        calendar.due(utc("2199-12-31T17:00"), WorkingTime(61))


def test_only_the_years_asked_for_are_compiled() -> None:
    calendar = office()
    calendar.elapsed(at("2026-03-02T00:00"), at("2026-04-02T00:00"))
    assert (calendar._table.first, calendar._table.last) == (2026, 2026)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(INSTANTS, st.integers(1, 5000)), min_size=2, max_size=6))
def test_what_was_asked_before_changes_no_answer(questions: list[tuple[datetime, int]]) -> None:
    used = office("America/Sao_Paulo")
    for start, minutes in questions:
        assert used.due(start, WorkingTime(minutes)) == office("America/Sao_Paulo").due(start, WorkingTime(minutes))
        end = start + timedelta(days=400)
        assert used.elapsed(start, end) == office("America/Sao_Paulo").elapsed(start, end)


def test_a_span_over_new_year_stays_whole_however_the_years_were_compiled() -> None:
    calendar = from_pattern("nights", "Europe/Berlin")
    for year in (2024, 2026, 2025):  # neighbours are joined in any order
        calendar.is_open(utc(f"{year}-06-01T00:00"))
    spans = list(calendar.spans(utc("2024-12-30T12:00"), utc("2025-01-02T12:00")))
    assert [span.length for span in spans] == [8 * HOUR] * 3


def test_threads_that_grow_the_table_at_once_get_the_same_answers() -> None:
    calendar, fresh = office(), office()
    starts = [utc(f"{year}-05-04T03:00") for year in range(1980, 2060, 3)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: calendar.due(start, WorkingTime(90_000)), starts))
    assert found == [fresh.due(start, WorkingTime(90_000)) for start in starts]


def test_a_calendar_survives_pickling() -> None:
    calendar = shipped("cn-office")
    calendar.is_open(at("2026-03-02T10:00"))
    copied = pickle.loads(pickle.dumps(calendar))  # noqa: S301 - our own bytes
    assert copied == calendar
    assert copied.is_open(at("2026-03-02T10:00"))


# ---------------------------------------------------------------------------------------------------------- the digest


def test_the_digest_covers_what_decides_and_nothing_else() -> None:
    plain = office()
    assert len(plain.digest) == 64
    assert office(title="other", source="other").digest == plain.digest
    others = [
        office("Asia/Taipei"),
        office(holidays=[date(2026, 5, 1)]),
        office(exceptions={date(2026, 2, 28): hours("09:00-18:00")}),
        office(breaks={date(2026, 3, 2): hours("09:00-10:00")}),
        office(weekly_from={date(2026, 3, 2): {"mon": hours("09:00-10:00")}}),
        office(valid_through=date(2026, 12, 31)),
        office(valid_from=date(2024, 1, 1)),
        BusinessCalendar(id="other", zone="Asia/Shanghai", weekly=OFFICE),
    ]
    assert len({plain.digest, *(other.digest for other in others)}) == 1 + len(others)
    assert all(other != plain for other in others)


def test_using_a_calendar_does_not_change_its_digest() -> None:
    used = office()
    used.is_open(at("2026-03-02T10:00"))
    assert used.digest == office().digest


# ----------------------------------------------------------------------------------------------------------- from YAML


def shape(**more: object) -> CalendarShape:
    return CalendarShape.model_validate(
        {"id": "x", "zone": "Asia/Shanghai", "weekly": {"mon": ["09:00-12:00"], "fri": ["10:00-11:00"]}, **more}
    )


def test_a_make_up_day_takes_the_hours_of_a_weekday_or_its_own() -> None:
    calendar = shape(make_up_days={date(2026, 3, 7): "fri", date(2026, 3, 8): ["13:00-15:00"]}).build()
    assert calendar.elapsed(at("2026-03-07T00:00"), at("2026-03-08T00:00")) == HOUR
    assert calendar.elapsed(at("2026-03-08T00:00"), at("2026-03-09T00:00")) == 2 * HOUR


def test_a_make_up_day_takes_the_hours_in_force_on_it() -> None:
    calendar = shape(
        weekly_from={date(2026, 3, 1): {"fri": ["10:00-15:00"]}}, make_up_days={date(2026, 3, 7): "fri"}
    ).build()
    assert calendar.elapsed(at("2026-03-07T00:00"), at("2026-03-08T00:00")) == 5 * HOUR


def test_a_make_up_day_cannot_take_the_hours_of_a_weekday_without_any() -> None:
    with pytest.raises(CalendarError, match="2026-03-07 takes the hours of 'sun', which has none"):
        shape(make_up_days={date(2026, 3, 7): "sun"}).build()


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekly": {"monday": ["09:00-12:00"]}},
        {"weekly": {"mon": ["9 to 5"]}},
        {"holidays": [20260101]},
        {"holidays": ["tomorrow"]},
        {"timezone": "UTC"},
        {"make_up_days": {"2026-03-07": "someday"}},
    ],
)
def test_a_file_that_says_something_else_is_refused_where_it_says_it(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        shape(**wrong)
    assert refused.value.errors()[0]["loc"][0] == next(iter(wrong))


def test_coverage_is_by_the_local_date() -> None:
    calendar = office(valid_from=date(2024, 1, 1), valid_through=date(2026, 12, 31))
    assert calendar.covers(at("2026-12-31T23:59"))
    assert not calendar.covers(at("2027-01-01T00:00"))
    assert calendar.covers(at("2024-01-01T00:00"))
    assert not calendar.covers(at("2023-12-31T23:59"))
    assert office().covers(utc("2150-01-01T00:00"))


def test_the_shipped_calendar_round_the_clock_is_the_built_in_one() -> None:
    assert shipped("always") == ALWAYS


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2024-02-04", True),
        ("2024-02-12", False),
        ("2025-01-26", True),
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2026-02-28", True),
        ("2026-10-10", True),
        ("2026-10-11", False),
        ("2026-11-20", True),
    ],
)
def test_the_shipped_chinese_calendar_knows_holidays_and_make_up_days(day: str, works: bool) -> None:
    assert shipped("cn-office").is_working_day(date.fromisoformat(day)) is works


def test_the_shipped_chinese_calendar_does_not_claim_a_year_it_has_no_data_for() -> None:
    calendar = shipped("cn-office")
    assert calendar.covers(at("2026-12-31T12:00"))
    assert not calendar.covers(at("2027-01-04T12:00"))
    assert "holidays 0.109" in calendar.source


def test_every_make_up_day_of_the_shipped_chinese_calendar_is_on_a_weekend() -> None:
    calendar = shipped("cn-office")
    assert len(calendar.exceptions) == 19
    assert all(day.weekday() >= 5 for day in calendar.exceptions)


# ------------------------------------------------------------------------------------------- where years and zones turn


def test_the_first_opening_of_a_year_is_found_from_the_last_evening_of_the_one_before() -> None:
    berlin = office("Europe/Berlin")
    evening = at("2026-12-31T20:00", "Europe/Berlin")
    assert berlin.next_opening(evening) == at("2027-01-01T09:00", "Europe/Berlin")
    assert berlin.next_opening(evening) == office("Europe/Berlin").next_opening(evening)


@pytest.mark.parametrize("days", [1, 5, 260, 261])
def test_working_days_count_on_across_the_years(days: int) -> None:
    calendar = office()
    start = at("2026-12-31T10:00")  # a Thursday
    found = calendar.local(calendar.due(start, WorkingDays(days)))
    weeks, rest = divmod(days, 5)
    assert found.date() == date(2026, 12, 31) + timedelta(weeks=weeks, days=(0, 1, 4, 5, 6)[rest])


def test_a_night_shift_of_new_year_s_eve_belongs_to_the_old_year() -> None:
    night = BusinessCalendar(id="night", zone="Asia/Shanghai", weekly=dict.fromkeys(WEEKDAYS, hours("22:00-06:00")))
    start = at("2027-01-01T01:30")  # the shift of the day before
    assert night.due(start, WorkingDays(1)) == at("2027-01-02T01:30")
    assert night.due(start, WorkingDays(1, until_close=True)) == at("2027-01-02T06:00")


def test_a_local_time_two_days_ahead_of_a_change_of_the_clocks_is_itself() -> None:
    """The zone is asked for two days on each side: the change may lie on the very edge."""
    berlin = office("Europe/Berlin")
    assert berlin.resolve_local(datetime(2026, 3, 27, 1)) == utc("2026-03-27T00:00")  # noqa: DTZ001  local
    assert berlin.resolve_local(datetime(2026, 3, 31, 1)) == utc("2026-03-30T23:00")  # noqa: DTZ001  local


@pytest.mark.parametrize(
    ("instant", "covered"),
    [
        ("2025-12-31T15:59:59", False),
        ("2025-12-31T16:00:00", True),  # 2026 has begun in Shanghai
        ("2026-07-01T00:00:00", True),
        ("2026-12-31T15:59:59", True),
        ("2026-12-31T16:00:00", False),
    ],
)
def test_what_is_covered_is_decided_by_the_local_date(instant: str, *, covered: bool) -> None:
    whole = office(valid_from=date(2026, 1, 1), valid_through=date(2026, 12, 31))
    assert whole.covers(utc(instant)) is covered
    assert office().covers(utc(instant))


def test_a_calendar_shows_its_name_and_not_its_hundreds_of_dates() -> None:
    assert repr(office(holidays=[date(2026, 5, 1)])).startswith("BusinessCalendar(id='office', zone='Asia/Shanghai',")
