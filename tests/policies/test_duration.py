"""Three kinds of time, and nothing that could be taken for two of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.duration import Duration, DurationError, ElapsedTime, WorkingDays, WorkingTime, parse_duration

DURATIONS = st.one_of(
    st.builds(ElapsedTime, st.integers(1, 1_000_000)),
    st.builds(WorkingTime, st.integers(1, 1_000_000)),
    st.builds(WorkingDays, st.integers(1, 10_000), until_close=st.booleans()),
)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24h", ElapsedTime(24 * 60)),
        ("30m", ElapsedTime(30)),
        ("90m", ElapsedTime(90)),
        ("8bh", WorkingTime(8 * 60)),
        ("30bm", WorkingTime(30)),
        ("5bd", WorkingDays(5)),
        (" 5bd ", WorkingDays(5)),
    ],
)
def test_each_spelling_is_a_type_of_its_own(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


def test_equal_amounts_of_different_kinds_are_not_equal() -> None:
    assert len({ElapsedTime(5), WorkingTime(5), WorkingDays(5), WorkingDays(5, until_close=True)}) == 4


@given(DURATIONS)
def test_what_a_duration_prints_is_read_back_as_the_same_duration(duration: Duration) -> None:
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (ElapsedTime(90), "90m"),
        (ElapsedTime(1440), "24h"),
        (WorkingTime(480), "8bh"),
        (WorkingTime(30), "30bm"),
        (WorkingDays(5), "5bd"),
        (WorkingDays(5, until_close=True), "5bd until close_of_business"),
    ],
)
def test_a_duration_prints_in_its_largest_whole_unit(duration: Duration, text: str) -> None:
    assert str(duration) == text


def test_lengths_are_real_amounts_of_time() -> None:
    assert ElapsedTime(90).length == timedelta(hours=1, minutes=30)
    assert WorkingTime(480).length == timedelta(hours=8)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("24", "a bare number"),
        ("8.5", "a bare number"),
        ("-3", "a bare number"),
        ("3d", "ambiguous"),
        ("3 days", "ambiguous"),
        ("1 day", "ambiguous"),
        ("3D", "ambiguous"),
        ("", "empty"),
        ("   ", "empty"),
        ("soon", "no duration"),
        ("8 bh", "no duration"),
        ("8BH", "no duration"),
        ("1h30m", "no duration"),
        ("1.5h", "no duration"),
        ("٣h", "no duration"),
        ("P3D", "no duration"),
        ("-8bh", "negative"),
        ("0h", "not positive"),
        ("0bd", "not positive"),
        ("1000000h", "'1000000h' is longer than a century"),
        ("100000000bm", "'100000000bm' is longer than a century"),
        ("9" * 10_000 + "bd", "longer than a century"),
    ],
)
def test_what_could_mean_two_things_or_nothing_is_refused_with_the_three_spellings(text: str, complaint: str) -> None:
    with pytest.raises(DurationError, match=complaint) as refused:
        parse_duration(text)
    message = str(refused.value)
    assert "24h" in message
    assert "8bh" in message
    assert "5bd" in message
    assert len(message) < 300


def test_the_message_says_what_was_found() -> None:
    with pytest.raises(DurationError, match="'3 days'"):
        parse_duration("3 days")


def test_working_days_may_run_until_closing() -> None:
    assert parse_duration("5bd", until="close_of_business") == WorkingDays(5, until_close=True)


@pytest.mark.parametrize("text", ["24h", "8bh"])
def test_only_working_days_run_until_closing(text: str) -> None:
    with pytest.raises(DurationError, match="only working days"):
        parse_duration(text, until="close_of_business")


def test_an_unknown_end_is_refused() -> None:
    with pytest.raises(DurationError, match="'lunch'"):
        parse_duration("5bd", until="lunch")


@pytest.mark.parametrize("kind", [ElapsedTime, WorkingTime, WorkingDays])
@pytest.mark.parametrize("amount", [0, -1])
def test_no_duration_can_be_built_that_is_not_positive(kind: type[Duration], amount: int) -> None:
    with pytest.raises(DurationError, match="not positive"):
        kind(amount)


@given(st.text(max_size=12))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    with suppress(DurationError):
        parse_duration(text)
