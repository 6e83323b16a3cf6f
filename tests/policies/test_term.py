"""How long a warranty runs, to the second and to the leap day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.coverage import Decision
from policies.term import (
    CalendarDays,
    CalendarDuration,
    CalendarMonths,
    Extension,
    Suspension,
    Term,
    TermError,
    day_start,
    later,
    parse_calendar_duration,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
DURATIONS: st.SearchStrategy[CalendarDuration] = st.one_of(
    st.builds(CalendarMonths, st.integers(1, 120)), st.builds(CalendarDays, st.integers(1, 3650))
)
EXTENSIONS = st.builds(Extension, st.one_of(DURATIONS, DAYS), st.sampled_from(["A1", "A2", "A3"]), DAYS)
SUSPENSIONS = st.builds(
    lambda since, days: Suspension(since, since + timedelta(days=days), "closed", "letter"), DAYS, st.integers(0, 400)
)
TERMS = st.builds(
    Term,
    begins=DAYS,
    duration=DURATIONS,
    extensions=st.lists(EXTENSIONS, max_size=5).map(tuple),
    suspensions=st.lists(SUSPENSIONS, max_size=5).map(tuple),
)


def ends(term: Term) -> date:
    last = term.last_day(date.max)
    assert last is not None
    return last


# ---------------------------------------------------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "duration", "written"),
    [
        ("12mo", CalendarMonths(12), "1y"),
        ("18mo", CalendarMonths(18), "18mo"),
        ("2y", CalendarMonths(24), "2y"),
        (" 365d ", CalendarDays(365), "365d"),
    ],
)
def test_each_spelling_is_a_calendar_duration(text: str, duration: CalendarDuration, written: str) -> None:
    assert parse_calendar_duration(text) == duration
    assert str(duration) == written


@pytest.mark.parametrize(
    "text", ["", "12", "12m", "12 months", "24h", "5bd", "-1y", "1.5y", "12MO", "9999999d", "１２mo"]
)
def test_what_is_no_calendar_duration_is_refused_with_the_spellings(text: str) -> None:
    with pytest.raises(TermError, match="write 12mo for months, 2y for years, 365d for calendar days"):
        parse_calendar_duration(text)


@pytest.mark.parametrize(("text", "why"), [("0mo", "not positive"), ("101y", "longer than a century"), ("0d", "not")])
def test_a_duration_is_positive_and_within_a_century(text: str, why: str) -> None:
    with pytest.raises(TermError, match=why):
        parse_calendar_duration(text)


@given(DURATIONS)
def test_a_duration_reads_what_it_writes(duration: CalendarDuration) -> None:
    assert parse_calendar_duration(str(duration)) == duration


@pytest.mark.parametrize(
    ("begins", "text", "last"),
    [
        (date(2026, 3, 1), "12mo", date(2027, 3, 1)),
        (date(2024, 2, 29), "1y", date(2025, 2, 28)),
        (date(2024, 2, 29), "4y", date(2028, 2, 29)),
        (date(2023, 2, 28), "1y", date(2024, 2, 28)),
        (date(2024, 1, 31), "1mo", date(2024, 2, 29)),
        (date(2025, 1, 31), "1mo", date(2025, 2, 28)),
        (date(2025, 8, 31), "6mo", date(2026, 2, 28)),
        (date(2025, 12, 15), "1mo", date(2026, 1, 15)),
        (date(2024, 2, 29), "365d", date(2025, 2, 28)),
        (date(2023, 3, 1), "365d", date(2024, 2, 29)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(begins: date, text: str, last: date) -> None:
    assert later(begins, [parse_calendar_duration(text)]) == last


@given(DAYS, st.integers(1, 600))
def test_months_later_is_never_another_month(begins: date, months: int) -> None:
    found = later(begins, [CalendarMonths(months)])
    assert (found.year - begins.year) * 12 + found.month - begins.month == months
    assert found.day == begins.day or (found.day < begins.day and (found + timedelta(days=1)).day == 1)


@given(DAYS, st.lists(DURATIONS, max_size=5), st.randoms(use_true_random=False))
def test_durations_add_up_in_any_order(begins: date, durations: list[CalendarDuration], random: object) -> None:
    shuffled = list(durations)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types its Random as object
    assert later(begins, shuffled) == later(begins, durations)


def test_two_extensions_by_a_month_are_one_by_two() -> None:
    one = Extension(CalendarMonths(1), "A1", date(2025, 1, 1))
    term = Term(begins=date(2025, 1, 31), duration=CalendarMonths(1), extensions=(one, one))
    assert ends(term) == date(2025, 4, 30)


# --------------------------------------------------------------------------------------------- extensions, suspensions


def test_a_term_that_has_not_begun_has_no_window() -> None:
    term = Term(begins=None, duration=CalendarMonths(12))
    assert term.last_day(date.max) is None
    assert term.window(SHANGHAI, datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert term.documents(date.max) == ()


def test_an_extension_by_a_duration_lengthens_the_end_its_document_found() -> None:
    named = Extension(date(2027, 12, 31), "A1", date(2026, 6, 1))
    after = Extension(CalendarMonths(6), "A2", date(2026, 7, 1))
    before = Extension(CalendarMonths(6), "A0", date(2026, 5, 1))
    plain = {"begins": date(2026, 1, 1), "duration": CalendarMonths(12)}
    assert ends(Term(**plain, extensions=(named, after))) == date(2028, 6, 30)  # type: ignore[arg-type]  # mixed values
    assert ends(Term(**plain, extensions=(named, before))) == date(2027, 12, 31)  # type: ignore[arg-type]  # as above


def test_a_suspension_moves_the_end_by_its_days() -> None:
    june = Suspension(date(2026, 6, 1), date(2026, 6, 30), "plant closed", "L7")
    assert ends(Term(begins=date(2026, 1, 1), duration=CalendarMonths(12), suspensions=(june,))) == date(2027, 1, 31)


def test_suspensions_that_overlap_count_once() -> None:
    term = Term(
        begins=date(2026, 1, 1),
        duration=CalendarMonths(12),
        suspensions=(
            Suspension(date(2026, 6, 1), date(2026, 6, 20), "", ""),
            Suspension(date(2026, 6, 11), date(2026, 6, 30), "", ""),
            Suspension(date(2026, 6, 15), date(2026, 6, 16), "", ""),
        ),
    )
    assert ends(term) == date(2027, 1, 31)


def test_a_suspension_outside_of_the_term_moves_nothing() -> None:
    plain = Term(begins=date(2026, 1, 1), duration=CalendarMonths(12))
    before = Suspension(date(2025, 1, 1), date(2025, 12, 31), "", "early")
    after = Suspension(date(2027, 1, 2), date(2027, 2, 1), "", "late")
    term = Term(begins=plain.begins, duration=plain.duration, suspensions=(before, after))
    assert ends(term) == ends(plain) == date(2027, 1, 1)
    assert term.documents(date.max) == ()


def test_a_suspension_that_began_before_delivery_counts_from_delivery() -> None:
    early = Suspension(date(2025, 12, 1), date(2026, 1, 10), "", "")
    assert ends(Term(begins=date(2026, 1, 1), duration=CalendarMonths(12), suspensions=(early,))) == date(2027, 1, 11)


def test_a_suspension_in_the_time_another_one_won_counts_too() -> None:
    first = Suspension(date(2026, 12, 1), date(2026, 12, 31), "", "")
    second = Suspension(date(2027, 1, 15), date(2027, 1, 20), "", "")
    term = Term(begins=date(2026, 1, 1), duration=CalendarMonths(12), suspensions=(second, first))
    assert ends(term) == date(2027, 2, 7)


def test_an_end_that_a_document_names_knows_the_suspensions_before_it() -> None:
    known = Suspension(date(2026, 6, 1), date(2026, 6, 30), "", "")
    new = Suspension(date(2027, 6, 1), date(2027, 6, 30), "", "")
    named = Extension(date(2027, 12, 31), "A1", date(2026, 9, 1))
    plain = Term(begins=date(2026, 1, 1), duration=CalendarMonths(12), extensions=(named,), suspensions=(known,))
    assert ends(plain) == date(2027, 12, 31)
    more = Term(begins=plain.begins, duration=plain.duration, extensions=(named,), suspensions=(known, new))
    assert ends(more) == date(2028, 1, 30)


def test_a_document_counts_from_its_date_on() -> None:
    term = Term(
        begins=date(2026, 1, 1),
        duration=CalendarMonths(12),
        extensions=(Extension(CalendarMonths(6), "A1", date(2026, 11, 2)),),
    )
    assert term.last_day(date(2026, 11, 1)) == date(2027, 1, 1)
    assert term.last_day(date(2026, 11, 2)) == date(2027, 7, 1)
    assert (term.documents(date(2026, 11, 1)), term.documents(date(2026, 11, 2))) == ((), ("A1",))
    eve = datetime(2026, 11, 1, 15, 59, 59, tzinfo=UTC)
    assert term.next_document(SHANGHAI, eve) == eve + timedelta(seconds=1)
    assert term.next_document(SHANGHAI, eve + timedelta(seconds=1)) is None


def test_documents_are_named_once_and_oldest_first() -> None:
    term = Term(
        begins=date(2026, 1, 1),
        duration=CalendarMonths(12),
        extensions=(
            Extension(CalendarMonths(1), "B", date(2026, 9, 1)),
            Extension(CalendarMonths(1), "A", date(2026, 10, 1)),
        ),
        suspensions=(
            Suspension(date(2026, 2, 1), date(2026, 2, 2), "", "C"),
            Suspension(date(2026, 3, 1), date(2026, 3, 2), "", "C"),
        ),
    )
    assert term.documents(date.max) == ("C", "B", "A")


@given(TERMS)
def test_the_order_of_extensions_and_suspensions_never_matters(term: Term) -> None:
    turned = Term(
        begins=term.begins,
        duration=term.duration,
        extensions=term.extensions[::-1],
        suspensions=term.suspensions[::-1],
    )
    assert ends(turned) == ends(term)
    assert turned.documents(date.max) == term.documents(date.max)


def test_every_order_of_a_tangled_term_gives_one_end() -> None:
    extensions = (
        Extension(CalendarMonths(6), "A1", date(2026, 5, 1)),
        Extension(date(2027, 8, 31), "A2", date(2026, 6, 1)),
        Extension(CalendarDays(45), "A3", date(2026, 6, 1)),
        Extension(CalendarMonths(1), "A4", date(2027, 1, 1)),
    )
    suspensions = (
        Suspension(date(2026, 2, 1), date(2026, 2, 20), "", ""),
        Suspension(date(2026, 2, 10), date(2026, 3, 1), "", ""),
        Suspension(date(2027, 9, 1), date(2027, 9, 30), "", ""),
    )
    found = {
        ends(Term(begins=date(2026, 1, 31), duration=CalendarMonths(12), extensions=one, suspensions=other))
        for one in permutations(extensions)
        for other in permutations(suspensions)
    }
    assert len(found) == 1


@given(TERMS, EXTENSIONS)
def test_an_extension_never_shortens(term: Term, more: Extension) -> None:
    longer = Term(
        begins=term.begins,
        duration=term.duration,
        extensions=(*term.extensions, more),
        suspensions=term.suspensions,
    )
    assert ends(longer) >= ends(term)


@given(TERMS, SUSPENSIONS)
def test_a_suspension_never_shortens_and_never_gives_more_than_its_days(term: Term, more: Suspension) -> None:
    longer = Term(
        begins=term.begins,
        duration=term.duration,
        extensions=term.extensions,
        suspensions=(*term.suspensions, more),
    )
    assert ends(longer) >= ends(term)
    if not term.suspensions:
        assert ends(longer) - ends(term) <= more.until - more.since + timedelta(days=1)


@given(DAYS, DURATIONS, st.lists(SUSPENSIONS, max_size=4))
def test_as_many_unsuspended_days_are_covered_as_were_promised(
    begins: date, duration: CalendarDuration, suspensions: list[Suspension]
) -> None:
    """An independent count, day by day."""
    promised = (later(begins, [duration]) - begins).days + 1
    day, counted = begins - timedelta(days=1), 0
    while counted < promised:
        day += timedelta(days=1)
        counted += not any(each.since <= day <= each.until for each in suspensions)
    term = Term(begins=begins, duration=duration, suspensions=tuple(suspensions))
    last = ends(term)
    # Suspended days right after the last counted one may belong to the term or not; nothing is promised on them.
    assert last >= day
    assert all(
        any(each.since <= day + timedelta(days=n + 1) <= each.until for each in suspensions)
        for n in range((last - day).days)
    )


@given(TERMS, SUSPENSIONS)
def test_the_same_suspension_twice_counts_once(term: Term, twice: Suspension) -> None:
    once = Term(begins=term.begins, duration=term.duration, suspensions=(*term.suspensions, twice))
    both = Term(begins=term.begins, duration=term.duration, suspensions=(*term.suspensions, twice, twice))
    assert ends(once) == ends(both)


def test_of_suspensions_on_one_day_the_strictest_holds() -> None:
    mild = Suspension(date(2026, 6, 1), date(2026, 6, 30), "closed", "")
    strict = Suspension(date(2026, 6, 10), date(2026, 6, 12), "unpaid", "", Decision.OUT)
    term = Term(begins=date(2026, 1, 1), duration=CalendarMonths(12), suspensions=(mild, strict))
    assert term.suspended_on(date(2026, 6, 9)) == mild
    assert term.suspended_on(date(2026, 6, 10)) == strict
    assert term.suspended_on(date(2026, 7, 1)) is None


def test_a_suspension_does_not_end_before_it_begins() -> None:
    with pytest.raises(TermError, match="ends before it begins"):
        Suspension(date(2026, 6, 2), date(2026, 6, 1), "", "")


# -------------------------------------------------------------------------------------------------------------- zones


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_the_last_second_of_the_last_day_is_covered_and_the_next_one_is_not(zone: str) -> None:
    term = Term(begins=date(2024, 2, 29), duration=CalendarMonths(12))
    window = term.window(ZoneInfo(zone), datetime(2026, 1, 1, tzinfo=UTC))
    assert window is not None
    assert datetime(2025, 2, 28, 23, 59, 59, tzinfo=ZoneInfo(zone)) in window
    assert datetime(2025, 3, 1, 0, 0, 0, tzinfo=ZoneInfo(zone)) not in window
    assert datetime(2024, 2, 29, 0, 0, 0, tzinfo=ZoneInfo(zone)) in window
    assert datetime(2024, 2, 28, 23, 59, 59, tzinfo=ZoneInfo(zone)) not in window


def test_a_day_whose_midnight_is_skipped_begins_with_its_first_instant() -> None:
    # Santiago went from 00:00 to 01:00 on 8 September 2024.
    santiago = ZoneInfo("America/Santiago")
    begins = day_start(date(2024, 9, 8), santiago)
    assert begins == datetime(2024, 9, 8, 4, tzinfo=UTC)
    assert begins.astimezone(santiago).hour == 1
    assert (begins - timedelta(microseconds=1)).astimezone(santiago).date() == date(2024, 9, 7)


@given(DAYS, st.sampled_from(["Asia/Shanghai", "America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut"]))
def test_a_day_begins_where_the_day_before_ends(day: date, zone: str) -> None:
    begins = day_start(day, ZoneInfo(zone))
    assert begins.astimezone(ZoneInfo(zone)).date() == day
    assert (begins - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)
