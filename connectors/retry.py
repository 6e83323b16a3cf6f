"""What may be asked again, when, and for how long.

Rules:

1. A request that may have been carried out is never sent again if a second one would leave a second thing behind.
2. A wait that the tracker asks for is kept to the second: never shortened, no jitter. If it is longer than a run may
   stand still, or what is used up is a quota, nothing is slept: the error goes up at once, the run ends amber, and the
   next one goes on.
3. The client libraries' own retries are off; this is the only place that repeats.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypeVar

import stamina

from connectors.tracker import BadAnswer, OutcomeUnknown, RateLimited, ServerFailed, TrackerError, Unreachable

T = TypeVar("T")

_log = logging.getLogger(__name__)
# Stamina logs that it waits, but the waits are ours and are logged here with their cause. A handler that does nothing
# keeps its bare line off the terminal and leaves it to those who set up logging for it.
logging.getLogger("stamina").addHandler(logging.NullHandler())

_FIRST_WAIT = 0.5
_LONGEST_BACKOFF = 20.0


class Kind(StrEnum):
    """What a second sending of the same request would do.

    ``read`` changes nothing; ``idempotent`` leaves the same state (an edit by id, a label delta, an upsert by global
    id); ``create`` makes a second thing.
    """

    READ = "read"
    IDEMPOTENT = "idempotent"
    CREATE = "create"


_REPEATABLE: dict[Kind, tuple[type[TrackerError], ...]] = {
    Kind.READ: (RateLimited, ServerFailed, Unreachable, OutcomeUnknown, BadAnswer),
    Kind.IDEMPOTENT: (RateLimited, ServerFailed, Unreachable, OutcomeUnknown),
    # In both cases nothing was carried out.
    Kind.CREATE: (RateLimited, Unreachable),
}


class Retry:
    """Calls again what may be called again. One may be shared by threads: a call keeps its own count.

    Attributes:
        attempts: calls in all, the first included.
        patience_seconds: of waiting, and of time since the first call, after which the last error goes up.
        longest_wait_seconds: a single wait above it is not begun.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        *,
        attempts: int = 5,
        patience_seconds: float = 180.0,
        longest_wait_seconds: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts must be 1 or more, not {attempts}")
        if patience_seconds <= 0:
            raise ValueError(f"patience_seconds must be above 0, not {patience_seconds}")
        self.attempts = attempts
        self.patience_seconds = patience_seconds
        self.longest_wait_seconds = longest_wait_seconds
        self.sleep = sleep

    def call(self, fn: Callable[[], T], *, kind: Kind) -> T:
        """The value of ``fn()``, asked again as ``kind`` allows.

        Raises:
            TrackerError: the last one, as ``fn`` raised it.
        """
        waits = _Waits(self, kind)
        for attempt in stamina.retry_context(on=waits, attempts=self.attempts, timeout=self.patience_seconds):
            with attempt:
                waits.pass_by()
                return fn()
        raise AssertionError("stamina ends with a value or an error")


class _Waits:
    """The waits of one call. Stamina asks it after each error, and begins the next attempt if it allows one."""

    def __init__(self, retry: Retry, kind: Kind) -> None:
        self._retry = retry
        self._kind = kind
        self._due = 0.0
        self._waited = 0.0
        self._errors = 0
        self._bad_answers = 0

    def __call__(self, error: Exception) -> bool | float:
        """Zero seconds (the wait is ``pass_by``'s) where the call may be repeated, False where not."""
        self._errors += 1
        if not isinstance(error, _REPEATABLE[self._kind]):
            return False
        if isinstance(error, RateLimited) and error.quota:
            # The first request after the wait would use up what others wait for.
            return False
        if isinstance(error, BadAnswer):
            # A cut-off answer comes whole the next time; a log-in page does not, and once is enough to tell.
            self._bad_answers += 1
            if self._bad_answers > 1:
                return False
        wait = self._wait_after(error)
        if wait > self._retry.longest_wait_seconds or self._waited + wait > self._retry.patience_seconds:
            return False
        self._due = wait
        if self._errors < self._retry.attempts:
            _log.info(
                "asking again in %.1f s (attempt %d of %d): %s", wait, self._errors + 1, self._retry.attempts, error
            )
        return 0.0

    def _wait_after(self, error: Exception) -> float:
        asked = error.retry_after if isinstance(error, RateLimited | ServerFailed) else None
        if asked is not None:
            return max(0.0, asked)
        backoff = min(_LONGEST_BACKOFF, _FIRST_WAIT * 2.0 ** min(self._errors - 1, 16))
        # Between half and the whole, so that flows that failed together do not come back together.
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def pass_by(self) -> None:
        """Wait what is due before this attempt."""
        wait, self._due = self._due, 0.0
        if wait and not stamina.is_testing():
            self._retry.sleep(wait)
        self._waited += wait


def retry_after_seconds(header: str, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (RFC 9110, 10.2.3: seconds or an HTTP date), None if unreadable.

    Args:
        header: the value as received.
        now: aware; a date is counted from here, and one in the past is no wait.
    """
    text = header.strip()
    if not text or len(text) > 64:  # noqa: PLR2004 - no date or number of seconds is that long
        return None
    try:
        # Whole seconds by the RFC; some proxies send a fraction.
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if 0 <= seconds < float("inf") else None
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        # An HTTP date is always GMT; the parser leaves out the zone for "-0000".
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
