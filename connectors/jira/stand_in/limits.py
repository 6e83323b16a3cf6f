"""How often one issue may be written (Jira Cloud), by the sandbox's clock.

    store.write_limits = ((3, timedelta(minutes=1)),)     # narrower, for a test
    store.write_limits = ()                               # switched off

The other refusals for going too fast (``jira-burst-based``, ``jira-quota-tenant-based``, ``jira-quota-global-based``)
are faults: ``Fault("status", status=429, retry_after=7, reason="jira-burst-based")``.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from connectors.jira.stand_in.session import Refusal

_REASON = "jira-per-issue-on-write"

Limits = tuple[tuple[int, timedelta], ...]


class WriteLimits:
    """What was written to each issue lately. A refused request counts too little to be kept."""

    def __init__(self) -> None:
        self._written: dict[str, deque[datetime]] = {}

    def check(self, issue: str, now: datetime, limits: Limits) -> None:
        """Raises Refusal(429) with the seconds to wait where one more write is one too many."""
        written = self._written.get(issue, deque[datetime]())
        for most, period in limits:
            # A clock that was set back has nothing to say about what lies ahead of it.
            recent = [at for at in written if now - period < at <= now]
            if len(recent) >= most:
                raise _too_many(recent[-most] + period, now, most)

    def written(self, issue: str, now: datetime, limits: Limits) -> None:
        """Take a write into account."""
        kept = self._written.setdefault(issue, deque())
        kept.append(now)
        while len(kept) > max((most for most, _ in limits), default=0):
            kept.popleft()


def _too_many(until: datetime, now: datetime, most: int) -> Refusal:
    headers = {
        "Retry-After": str(max(1, math.ceil((until - now).total_seconds()))),
        "RateLimit-Reason": _REASON,
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": f"{until:%Y-%m-%dT%H:%MZ}",
    }
    return Refusal(429, "Rate limit exceeded.", headers=headers)
