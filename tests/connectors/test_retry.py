"""Retries by the kind of request; no test sleeps."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from connectors.retry import Kind, Retry, retry_after_seconds
from connectors.tracker import (
    BadAnswer,
    CredentialsRefused,
    NotFound,
    OutcomeUnknown,
    PermissionRefused,
    RateLimited,
    Rejected,
    ServerFailed,
    TrackerError,
    Unreachable,
)

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


class Script:
    """Raises the errors in turn, then answers; counts its calls."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def patient(waits: list[float], *, attempts: int = 4, patience: float = 180.0, longest: float = 60.0) -> Retry:
    return Retry(attempts=attempts, patience_seconds=patience, longest_wait_seconds=longest, sleep=waits.append)


REPEATED = {
    Kind.READ: {RateLimited, ServerFailed, Unreachable, OutcomeUnknown, BadAnswer},
    Kind.IDEMPOTENT: {RateLimited, ServerFailed, Unreachable, OutcomeUnknown},
    Kind.CREATE: {RateLimited, Unreachable},
}
ERRORS: tuple[type[TrackerError], ...] = (
    CredentialsRefused,
    PermissionRefused,
    NotFound,
    Rejected,
    RateLimited,
    ServerFailed,
    Unreachable,
    OutcomeUnknown,
    BadAnswer,
)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("error", ERRORS)
def test_each_kind_of_request_is_repeated_only_after_errors_that_cannot_leave_a_second_thing(
    kind: Kind, error: type[TrackerError]
) -> None:
    waits: list[float] = []
    script = Script(error("no"))
    if error in REPEATED[kind]:
        assert patient(waits).call(script, kind=kind) == "answer"
        assert (script.calls, len(waits)) == (2, 1)
    else:
        with pytest.raises(error):
            patient(waits).call(script, kind=kind)
        assert (script.calls, waits) == (1, [])


@pytest.mark.parametrize("kind", list(Kind))
def test_an_error_that_is_no_trackers_goes_up_at_once(kind: Kind) -> None:
    script = Script(KeyError("a fault of ours"))
    with pytest.raises(KeyError):
        patient([]).call(script, kind=kind)
    assert script.calls == 1


def test_a_wait_the_tracker_asks_for_is_kept_to_the_second() -> None:
    waits: list[float] = []
    script = Script(RateLimited("slow down", retry_after=41.0), ServerFailed("busy", retry_after=7.0))
    assert patient(waits).call(script, kind=Kind.READ) == "answer"
    assert waits == [41.0, 7.0]


def test_a_wait_longer_than_a_run_may_stand_still_is_not_begun() -> None:
    waits: list[float] = []
    script = Script(RateLimited("quota used up", retry_after=1847.0))
    with pytest.raises(RateLimited) as caught:
        patient(waits).call(script, kind=Kind.READ)
    assert (script.calls, waits, caught.value.retry_after) == (1, [], 1847.0)


def test_waits_that_together_go_over_the_patience_are_not_begun() -> None:
    waits: list[float] = []
    script = Script(*(RateLimited("slow down", retry_after=40.0) for _ in range(9)))
    with pytest.raises(RateLimited):
        patient(waits, attempts=9, patience=100.0).call(script, kind=Kind.IDEMPOTENT)
    assert (script.calls, waits) == (3, [40.0, 40.0])


def test_the_last_error_goes_up_when_the_attempts_are_used_up_and_nothing_is_slept_after_it() -> None:
    waits: list[float] = []
    script = Script(*(Unreachable(f"try {n}") for n in range(1, 9)))
    with pytest.raises(Unreachable, match="try 4"):
        patient(waits).call(script, kind=Kind.CREATE)
    assert (script.calls, len(waits)) == (4, 3)


def test_without_a_word_from_the_tracker_the_waits_grow() -> None:
    waits: list[float] = []
    script = Script(*(ServerFailed("500") for _ in range(7)))
    assert patient(waits, attempts=8).call(script, kind=Kind.READ) == "answer"
    bounds = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))


def test_a_bad_answer_is_asked_for_once_more_and_no_further() -> None:
    script = Script(*(BadAnswer("a log-in page") for _ in range(3)))
    with pytest.raises(BadAnswer):
        patient([]).call(script, kind=Kind.READ)
    assert script.calls == 2


def test_calls_do_not_share_their_count() -> None:
    waits: list[float] = []
    retry = patient(waits, attempts=2)
    for _ in range(3):
        assert retry.call(Script(Unreachable("no")), kind=Kind.READ) == "answer"
    assert len(waits) == 3


def test_staminas_testing_mode_waits_for_nothing() -> None:
    waits: list[float] = []
    with stamina.set_testing(testing=True, attempts=2, cap=True), pytest.raises(ServerFailed):
        patient(waits).call(Script(*(ServerFailed("500") for _ in range(5))), kind=Kind.READ)
    assert waits == []


@pytest.mark.parametrize(
    "build", [lambda: Retry(attempts=0), lambda: Retry(patience_seconds=0.0)], ids=["attempts", "patience"]
)
def test_a_retry_that_would_never_call_is_refused(build: Callable[[], Retry]) -> None:
    with pytest.raises(ValueError, match="must be"):
        build()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("Fri, 06 Mar 2026 12:02:00 GMT", 120.0),
        ("Friday, 06-Mar-26 12:02:00 GMT", 120.0),
        ("Fri Mar  6 12:02:00 2026", 120.0),
        ("Fri, 06 Mar 2026 12:02:00 -0000", 120.0),
        ("Fri, 06 Mar 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("9" * 500, None),
        ("Fri, 99 Mar 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text())
def test_no_retry_after_however_odd_raises(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0 <= seconds < math.inf
