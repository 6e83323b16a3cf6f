"""How fast a host is asked: one budget for each host, shared by all connections and threads of the process.

Rules:

1. A budget is kept by waiting before a request, so that the tracker seldom has to refuse one. What it refuses all the
   same is ``connectors.retry``'s.
2. What is scarce has a budget of its own (the notes of gitlab.com), beside that of requests.
3. This machine's own addresses have none: nobody else is slowed down there.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import ModuleType

    from pyrate_limiter import Rate

REQUESTS = "requests"
NOTES = "notes"

_MILLISECONDS = 1000


class RateBudget:
    """Waits until something may be sent. Threads may share it; they are served one after another.

    Args:
        limits: what is counted -> how many of it a span of time allows, in milliseconds.
        sleep: waits that many seconds.
        clock: seconds, from any beginning, never backwards.
    """

    def __init__(
        self,
        limits: Mapping[str, Rate],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = {what: _limiter().InMemoryBucket([rate]) for what, rate in limits.items()}
        self._most = {what: rate.limit for what, rate in limits.items()}
        self._turns = {what: threading.Lock() for what in limits}
        self._sleep = sleep
        self._clock = clock

    def take(self, what: str, count: int = 1) -> float:
        """Wait until ``count`` more of it may be sent. What no limit is set for is not waited for.

        Returns:
            Seconds waited.
        """
        bucket = self._buckets.get(what)
        if bucket is None or count < 1:
            return 0.0
        waited = 0.0
        with self._turns[what]:
            while True:
                # More at once than the span allows is let through when the span is empty.
                item = _limiter().RateItem(what, self._now(), weight=min(count, self._most[what]))
                bucket.leak(item.timestamp)
                if bucket.put(item):
                    return waited
                told = bucket.waiting(item)
                wait = max(1, told if isinstance(told, int) else 1) / _MILLISECONDS
                self._sleep(wait)
                waited += wait

    def _now(self) -> int:
        return int(self._clock() * _MILLISECONDS)


NO_BUDGET = RateBudget({})

_kept: dict[tuple[str, tuple[tuple[str, int, int], ...]], RateBudget] = {}
_keeping = threading.Lock()


def budget_of(url: str, *, per_second: int, notes_per_minute: int = 0) -> RateBudget:
    """The budget of the host of an address; the same one for everybody who asks with the same limits.

    Args:
        per_second: requests; 0 for no limit.
        notes_per_minute: notes to be made; 0 for no limit.
    """
    host = _host(url)
    if _is_here(host):
        return NO_BUDGET
    limiter = _limiter()
    limits: dict[str, Rate] = {}
    if per_second:
        limits[REQUESTS] = limiter.Rate(per_second, limiter.Duration.SECOND)
    if notes_per_minute:
        limits[NOTES] = limiter.Rate(notes_per_minute, limiter.Duration.MINUTE)
    named = host, tuple((what, rate.limit, rate.interval) for what, rate in sorted(limits.items()))
    with _keeping:
        return _kept.setdefault(named, RateBudget(limits))


def _limiter() -> ModuleType:
    """The library, which loads a great deal for processes that share a budget: who needs none starts without it."""
    return import_module("pyrate_limiter")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
