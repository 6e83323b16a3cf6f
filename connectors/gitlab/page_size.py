"""How much one query for a page of issues asks for.

Rules:

1. A page that the server finds too dear, or fails over, is asked again at half the size; nothing is skipped.
2. The page grows while the server's own score leaves room, up to what it was once too large at.
3. A half, or a larger size than is kept, is kept for the runs to come once a page of it was read: a page that was on its
   way already when it was halved says nothing of the half, and is no larger size.
4. A page beside which more is asked never grows, and is small.
"""

from __future__ import annotations

import threading
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
# Of the server's limit: a refused query is a request lost.
_ROOM = 0.9
_KEPT = timedelta(days=1)
_KEY = "gitlab page"


class PageSize:
    """Attributes: issues: of a page beside which nothing is asked (``at_once``). discussions: of each of them."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        # The size, and the largest that was not yet too large.
        self.issues, self._most = self._kept = _size_kept(cache.get(_KEY))
        self.discussions = _FEWEST_DISCUSSIONS if self.issues == 1 else _DISCUSSIONS
        self._halved = False
        # The last page that was scored: its size and its score.
        self._scored = (0, 0)

    def at_once(self, *, alone: bool) -> int:
        """How many issues to ask for now. Args: alone: nothing is asked beside the page."""
        return self.issues if alone else min(self.issues, _ISSUES)

    def halve(self, asked: int) -> bool:
        """So many issues were too many: ask for less. False where there is no less."""
        if asked == 1:
            return False
        with self._lock:
            if self.issues < asked:
                # Another page that was on its way at the same time said so already.
                return True
            self._most = asked - 1
            half = asked // 2
            if half == 1:
                # Before the issues: who is about to ask for one shall not ask for all of its discussions.
                self.discussions = _FEWEST_DISCUSSIONS
            self.issues = half
            self._halved = True
            return True

    def fit(self, asked: int, complexity: Payload, *, alone: bool = True) -> None:
        """A page of so many issues was read: grow, where its score leaves room for more.

        Args:
            alone: nothing was asked beside the page; else its score says too little of the pages to come.
        """
        with self._lock:
            if self._halved and asked != self.issues:
                return
            # Only now is it known that the size was the reason, and not a server that is down.
            if self._halved or (alone and self._kept[0] < asked <= self._most):
                self._halved = False
                self._kept = asked, self._most
                self._cache.put(_KEY, self._kept, _KEPT)
            self._grow(asked, complexity, alone=alone)

    def _grow(self, asked: int, complexity: Payload, *, alone: bool) -> None:
        score, limit = one(complexity).get("score"), one(complexity).get("limit")
        if not alone or not isinstance(score, int) or not isinstance(limit, int) or not 0 < score < limit * _ROOM:
            return
        before, its_score = self._scored
        if (asked - before) * (score - its_score) > 0:
            # Two pages tell what one more issue costs; one alone tells too much, as a query has costs that do not grow.
            grown = asked + (limit * _ROOM - score) * (asked - before) / (score - its_score)
            self.issues = max(self.issues, min(self._most, int(grown)))
        self._scored = asked, score


def _size_kept(found: object) -> tuple[int, int]:
    """A size and the largest one, as they were kept; those to begin with where none were."""
    match found:
        case [int(issues), int(most)] if 1 <= issues <= most <= _MOST:
            return issues, most
    return _ISSUES, _MOST
