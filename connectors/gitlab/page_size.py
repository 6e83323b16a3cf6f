"""How much one query for a page of issues asks for.

Rules:

1. A page that the server finds too dear, or fails over, is asked again at half the size; nothing is skipped.
2. The page grows while the server's own score leaves room, up to what it was once too large at.
3. A size that had to be halved is kept for the runs to come.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.gitlab.payload import one

if TYPE_CHECKING:
    from connectors.cache import Cache
    from connectors.gitlab.payload import Payload

_ISSUES = 40
_DISCUSSIONS = 40
_FEWEST_DISCUSSIONS = 5
_MOST = 100
# Of the server's limit: what a page holds is not known before, and a refused query is a request lost.
_ROOM = 0.8
_KEPT = timedelta(days=1)
_KEY = "gitlab page"


class PageSize:
    """Attributes: issues: asked for at once. discussions: of each of them."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        kept = cache.get(_KEY)
        self.issues = kept if isinstance(kept, int) and 1 <= kept < _ISSUES else _ISSUES
        self.discussions = _FEWEST_DISCUSSIONS if self.issues == 1 else _DISCUSSIONS
        # What was halved was too large as it stood.
        self._most = 2 * self.issues - 1 if self.issues < _ISSUES else _MOST
        self._halved = False

    def halve(self, asked: int) -> bool:
        """So many issues were too many: ask for less. False where there is no less."""
        if asked == 1:
            return False
        if self.issues < asked:
            # Another page that was on its way at the same time said so already.
            return True
        self._most = self.issues - 1
        self.issues //= 2
        if self.issues == 1:
            self.discussions = _FEWEST_DISCUSSIONS
        self._halved = True
        return True

    def fit(self, asked: int, complexity: Payload) -> None:
        """A page of so many issues was read: grow, where its score leaves room for more."""
        if self._halved:
            # Only now is it known that the size was the reason, and not a server that is down.
            self._halved = False
            self._cache.put(_KEY, self.issues, _KEPT)
        score, limit = one(complexity).get("score"), one(complexity).get("limit")
        if isinstance(score, int) and isinstance(limit, int) and 0 < score < limit * _ROOM:
            # A query has costs that do not grow with the page, so this never overshoots.
            self.issues = max(self.issues, min(self._most, int(asked * limit * _ROOM / score)))
