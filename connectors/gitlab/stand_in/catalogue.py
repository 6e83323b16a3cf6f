"""What the server keeps at hand about the store, so that a page costs what is on it and not what there is.

Rules:

1. Everything here follows from the log. Each request reads the entries that came since the last one, and what they
   touched is put right, or forgotten, before anything is answered.
2. Called under the store's lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.sandbox.nouns import Issue, MergeRequest, Project
    from connectors.sandbox.projection import Entry
    from connectors.sandbox.store import Store

Place = tuple["datetime", int]
"""When an issue was last updated, and its id."""

# What these write shows in no issue's history.
_ELSEWHERE = frozenset({"token", "token_revoked", "commit", "tag", "release", "release_changed", "release_removed"})
_OF_ISSUES = frozenset(
    {
        "issue", "loaded", "edited", "commented", "comment_edited", "comment_removed", "issues_linked",
        "issues_unlinked", "web_linked", "web_unlinked", "property", "moved", "removed", "value",
    }
)  # fmt: skip
_PREPARED = 2_000
_MANY = 64


class Catalogue:
    """Attributes: store: what it is about."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._forget()

    def _forget(self) -> None:
        self._read = 0
        self._places: dict[str, tuple[str, Place]] = {}
        self._orders: dict[str, list[Place]] = {}
        self._closing: dict[str, dict[int, list[MergeRequest]]] = {}
        self._prepared: dict[str, dict[Any, Any]] = {}

    def catch_up(self) -> None:
        """Take in what was written since the last time."""
        log = self.store.log
        if self._read > len(log):
            self._forget()
        touched: dict[str, None] = {}
        for entry in log[self._read :]:
            if entry.kind in _OF_ISSUES:
                touched.update(dict.fromkeys(_issues_of(entry)))
            elif entry.kind not in _ELSEWHERE:
                # A label, a milestone, a merge request: any issue of the project may tell of it.
                self._closing.clear()
                self._prepared.clear()
        self._read = len(log)
        self._place(touched)

    def _place(self, touched: dict[str, None]) -> None:
        anew = len(touched) > _MANY
        changed: set[str] = set()
        for id_ in touched:
            self._prepared.pop(id_, None)
            issue = self.store.issues.get(id_)
            after = None if issue is None else (issue.project, (issue.updated, int(id_)))
            before = self._places.pop(id_, None)
            if after is not None:
                self._places[id_] = after
            if after == before:
                continue
            if anew:
                changed.update(one[0] for one in (before, after) if one is not None)
                continue
            if before is not None:
                order = self._orders[before[0]]
                del order[bisect_left(order, before[1])]
            if after is not None:
                insort(self._orders.setdefault(after[0], []), after[1])
        for key in changed:
            self._orders[key] = sorted(self._places[one.id][1] for one in self.store.projects[key].issues.values())

    # ------------------------------------------------------------------------------------------------------- asking
    def by_update(
        self, project: Project, *, since: datetime | None = None, after: Place | None = None, descending: bool = False
    ) -> Iterator[Issue]:
        """The issues of a project in order of their last update.

        Args:
            since: those updated at this instant or later.
            after: those that come after this place, in the direction asked for.
        """
        order, issues = self._orders.get(project.key, []), self.store.issues
        low = 0 if since is None else bisect_left(order, (since, -1))
        high = len(order)
        if after is not None and descending:
            high = bisect_left(order, after)
        elif after is not None:
            low = max(low, bisect_right(order, after))
        places = range(high - 1, low - 1, -1) if descending else range(low, high)
        return (issues[str(order[n][1])] for n in places)

    def closing(self, issue: Issue) -> list[MergeRequest]:
        """The merge requests that close, or closed, an issue."""
        found = self._closing.get(issue.project)
        if found is None:
            found = self._closing[issue.project] = {}
            for request in self.store.projects[issue.project].merge_requests.values():
                for number in request.closes:
                    found.setdefault(number, []).append(request)
        return found.get(issue.number, [])

    def prepared(self, issue: Issue) -> dict[Any, Any]:
        """Room for what was worked out about an issue; emptied when the issue, or what it tells of, changes."""
        found = self._prepared.get(issue.id)
        if found is None:
            if len(self._prepared) >= _PREPARED:
                del self._prepared[next(iter(self._prepared))]
            found = self._prepared[issue.id] = {}
        return found


def _issues_of(entry: Entry) -> Iterator[str]:
    data = entry.data
    if entry.kind == "issue":
        yield data["id"]
    elif entry.kind == "loaded":
        yield data["issue"].id
    elif "source" in data:
        # Both ends of a link leave a line in their history.
        yield from data["history"]
    else:
        yield data["issue"]
