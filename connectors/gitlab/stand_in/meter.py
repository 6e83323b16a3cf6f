"""How often an account asked for a thing in the running minute, by the sandbox's clock.

Minutes begin where the clock's do, as at the vendor: what was used up comes back at once with the next full minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.sandbox.clock import Clock

PERIOD = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """Attributes: name: of the limit. limit: a minute. observed: so far, this time included. at: epoch seconds."""

    name: str
    limit: int
    observed: int
    at: int

    @property
    def exceeded(self) -> bool:
        return self.observed > self.limit

    @property
    def seconds_left(self) -> int:
        """Until the minute is over; never 0."""
        return PERIOD - self.at % PERIOD

    def headers(self) -> dict[str, str]:
        """The ``RateLimit-`` headers, and ``Retry-After`` where the limit is exceeded."""
        reset = self.at + self.seconds_left
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Name": self.name,
            "RateLimit-Observed": str(self.observed),
            "RateLimit-Remaining": str(max(0, self.limit - self.observed)),
            "RateLimit-Reset": str(reset),
            "RateLimit-ResetTime": format_datetime(datetime.fromtimestamp(reset, UTC), usegmt=True),
        }
        return told | ({"Retry-After": str(self.seconds_left)} if self.exceeded else {})


class Meter:
    """Counts per limit and account. Called under the store's lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = -1
        self._seen: dict[tuple[str, str], int] = {}

    def count(self, name: str, account: str, limit: int) -> Reading:
        """One more time."""
        at = int(self._clock.now().timestamp())
        if at // PERIOD != self._minute:
            self._minute = at // PERIOD
            self._seen.clear()
        observed = self._seen[name, account] = self._seen.get((name, account), 0) + 1
        return Reading(name, limit, observed, at)
