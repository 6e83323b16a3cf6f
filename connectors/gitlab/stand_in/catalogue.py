"""What the server keeps at hand about the store, so that a page costs what is on it and not what there is.

Rules:

1. Everything here follows from the log. Each request reads the entries that came since the last one, and what they
   touched is put right, or forgotten, before anything is answered.
2. Called under the store's lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from sys import maxsize
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from connectors.sandbox.nouns import Issue, MergeRequest, Project
    from connectors.sandbox.projection import Entry
    from connectors.sandbox.store import Store

Place = tuple["datetime", int]
"""When an issue was last updated, or made, and its id."""

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
        # By id: the project, and the place by update and by creation. By project: the places in order.
        self._places: dict[str, tuple[str, tuple[Place, Place]]] = {}
        self._updated: dict[str, list[Place]] = {}
        self._made: dict[str, list[Place]] = {}
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
            after = None
            if issue is not None:
                after = issue.project, ((issue.updated, int(id_)), (issue.created, int(id_)))
            before = self._places.pop(id_, None)
            if after is not None:
                self._places[id_] = after
            if after == before:
                continue
            if anew:
                changed.update(one[0] for one in (before, after) if one is not None)
                continue
            for nth, orders in enumerate((self._updated, self._made)):
                _put(orders, before and (before[0], before[1][nth]), after and (after[0], after[1][nth]))
        for key in changed:
            places = [self._places[one.id] for one in self.store.projects[key].issues.values()]
            self._updated[key] = sorted(updated for _, (updated, _) in places)
            self._made[key] = sorted(made for _, (_, made) in places)

    # ------------------------------------------------------------------------------------------------------- asking
    def by_update(
        self,
        project: Project,
        *,
        since: datetime | None = None,
        after: Place | None = None,
        descending: bool = False,
        made: tuple[datetime | None, datetime | None] = (None, None),
    ) -> Iterator[Issue]:
        """The issues of a project in order of their last update.

        Args:
            since: those updated at this instant or later.
            after: those that come after this place, in the direction asked for.
            made: from when to when those were made that are looked for, None for no bound. There are others among what is
                given, but none behind the last of these.
        """
        order = self._updated.get(project.key, [])
        low, high = _between(order, since, after, descending=descending)
        begin, end = made
        if end is not None:
            by_creation = self._made.get(project.key, [])
            first = 0 if begin is None else bisect_left(by_creation, (begin, -1))
            looked_for = by_creation[first : bisect_right(by_creation, (end, maxsize))]
            last = max((self._places[str(id_)][1][0] for _, id_ in looked_for), default=None)
            high = low if last is None else min(high, bisect_right(order, last))
        return self._issues(order, low, high, descending=descending)

    def by_creation(self, project: Project, *, after: Place | None = None, descending: bool = False) -> Iterator[Issue]:
        """The issues of a project in the order in which they were made. Args: after: as ``by_update``'s."""
        order = self._made.get(project.key, [])
        low, high = _between(order, None, after, descending=descending)
        return self._issues(order, low, high, descending=descending)

    def _issues(self, order: Sequence[Place], low: int, high: int, *, descending: bool) -> Iterator[Issue]:
        issues = self.store.issues
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


def _put(orders: dict[str, list[Place]], before: tuple[str, Place] | None, after: tuple[str, Place] | None) -> None:
    """An issue's place in its project's order is another one. Args: before, after: project and place; None for none."""
    if before == after:
        return
    if before is not None:
        order = orders[before[0]]
        del order[bisect_left(order, before[1])]
    if after is not None:
        insort(orders.setdefault(after[0], []), after[1])


def _between(
    order: Sequence[Place], since: datetime | None, after: Place | None, *, descending: bool
) -> tuple[int, int]:
    low, high = 0 if since is None else bisect_left(order, (since, -1)), len(order)
    if after is not None and descending:
        high = bisect_left(order, after)
    elif after is not None:
        low = max(low, bisect_right(order, after))
    return low, high


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
