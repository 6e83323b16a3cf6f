"""On what terms a server serves: the plan it is licensed for, and how much one caller may ask of it in a minute.

    app(store)                               # GitLab Free, its own master: no limits
    app(store, "19.2", Terms(tier="premium"))
    app(store, "19.2", GITLAB_COM)           # 2,000 requests and 60 notes a minute, as on gitlab.com

Sources: doc/user/gitlab_com/rate_limits.md, doc/administration/settings/rate_limit_on_notes_creation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tier = Literal["free", "premium"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a server grants.

    Attributes:
        tier: ``premium`` has weights, blocking links, several assignees, exclusive scoped labels and custom fields.
        requests_a_minute: per account, counted in ``RateLimit-`` headers on every answer; None: no limit, no headers.
        notes_a_minute: notes created per account (an edited note is none); None: no limit.
    """

    tier: Tier = "free"
    requests_a_minute: int | None = None
    notes_a_minute: int | None = None

    @property
    def paid(self) -> bool:
        return self.tier != "free"


GITLAB_COM = Terms(requests_a_minute=2_000, notes_a_minute=60)
"""The limits of gitlab.com for an account, on its free plan."""
