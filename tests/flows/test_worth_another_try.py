"""Which failures of reading are worth another try within seconds, when Prefect runs the flow."""

from __future__ import annotations

import pytest

from connectors.tracker import (
    BadAnswer,
    CredentialsRefused,
    NotFound,
    RateLimited,
    ServerFailed,
    TrackerError,
    Unreachable,
)
from flows.enforce import passes_by_itself


@pytest.mark.parametrize(
    ("failure", "worth_it"),
    [
        (ServerFailed("503"), True),
        (Unreachable("no connection"), True),
        (BadAnswer("a log-in page"), True),
        (RateLimited("429"), True),
        (RateLimited("429", retry_after=10), True),
        (RateLimited("429", retry_after=1800), False),
        (RateLimited("429", retry_after=5, quota=True), False),
        (RateLimited("429", quota=True), False),
        (CredentialsRefused("401"), False),
        (NotFound("404"), False),
    ],
)
def test_only_what_is_over_in_seconds_is_tried_again(failure: TrackerError, worth_it: bool) -> None:
    assert passes_by_itself(failure) is worth_it
