"""Issues with their whole history through GraphQL work items: one query for a page of them.

Rules:

1. Each page is held against the account and the version that are known (``server``) before anything of it is given.
2. Many issues are read in several spans of the time in which they were made, some of them at once. When an issue was made
   never changes, so none is passed over, however many are updated meanwhile.
3. Every type of work item is an issue, custom types included, except those that plan or test: epics, objectives, key
   results, requirements, test cases.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from connectors.gitlab import closing_requests, documents, mapping
from connectors.gitlab.client import SchemaDiffers, TooComplex
from connectors.gitlab.closings import Closings
from connectors.gitlab.connection import further, nodes
from connectors.gitlab.long_lists import LongLists
from connectors.gitlab.names import Vocabulary, project_of
from connectors.gitlab.page_size import PageSize
from connectors.gitlab.payload import Malformed, instant, kind_of, number, one, text_of
from connectors.gitlab.threads import Threads
from connectors.gitlab.time_spans import EVER, spans
from connectors.read_ahead import ahead
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, ServerFailed, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from connectors.cache import Cache
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.server import Server
    from connectors.gitlab.threads import Thread
    from connectors.gitlab.time_spans import Span
    from policies.issue import Issue, Word

_FAILURES_BORNE = 2
_AT_ONCE = 4
# In hand: a span whose page is not in use yet, or that is at its end, keeps no other from being asked for.
_SOURCES = 8
# GitLab counts no further than that in one go.
_COUNTED = 10_000
NO_ISSUES = frozenset({"epic", "objective", "key_result", "requirement", "test_case"})


class WorkItems:
    """Reads a project's issues by GraphQL."""

    def __init__(self, client: GitLabClient, server: Server, cache: Cache, closings: Closings | None = None) -> None:
        self._client = client
        self._server = server
        self._known: dict[str, Vocabulary] = {}
        self._size = PageSize(cache)
        self._threads = Threads(client)
        self._lists = LongLists(client)
        self._closings = closings or Closings(client, server, cache)

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime]
    ) -> Iterator[Issue | Unreadable]:
        """Issues updated at or after ``since``; one that changes meanwhile comes again.

        They come least recently updated first, or where there are many, from several spans of time in which they were
        made at once. Nothing is given where ``known`` holds all there is.
        """
        doing = f"read issues of {project}"
        self._closings.begin(project, all_of_it=since is None)
        ask: dict[str, Any] = {"path": project, "since": since.isoformat() if since else None}
        in_all = {"most": _COUNTED} if self._server.counts() else {}
        data = self._page({**ask, **in_all, "after": None, "names": True}, doing)
        first = project_of(self._client, data, project)
        if 0 < len(known) < _COUNTED and _holds_all(known, one(first.get("newest"))):
            return
        names = self._known[project] = Vocabulary(self._client, project)
        names.take(first)
        widgets = self._server.widgets()
        for found, span in ahead(*self._sources(first, ask, project, doing), at_once=_AT_ONCE):
            path = text_of(found.get("fullPath")) or project
            listed = filter(span.holds, nodes(self._listed(found, doing)))
            threads = self._whole(project, path, filter(_is_issue, listed))
            yield from (self._mapped(thread, project, path) for thread in threads)
        # Where the schema lost a widget on the way, some of the pages did not tell what closes their issues.
        self._closings.end(project, all_of_it=since is None and self._server.widgets() == widgets)

    def _sources(
        self, first: Payload, ask: dict[str, Any], project: str, doing: str
    ) -> list[Iterator[tuple[Payload, Span]]]:
        """Pages of the project with its issues, from one source or from several that may be read at once."""
        made = spans(*(one(first.get(name)) for name in ("newest", "oldest", "youngest")))
        if len(made) == 1:
            return [self._pages(ask, EVER, project, doing, first)]
        # The first page is read once more with them: which of its issues were made when is nobody's order.
        return [
            chain.from_iterable(self._pages(ask, span, project, doing) for span in made[start::_SOURCES])
            for start in range(min(_SOURCES, len(made)))
        ]

    def _pages(
        self, ask: dict[str, Any], span: Span, project: str, doing: str, found: Payload | None = None
    ) -> Iterator[tuple[Payload, Span]]:
        """Page by page, the project with its issues of a span. Args: found: the first of them, where it was read already."""
        after: str | None = None
        while True:
            if found is None:
                page = {**ask, **span.asked, "after": after, "names": False}
                found = project_of(self._client, self._page(page, doing), project)
            yield found, span
            after = self._further(self._listed(found, doing), after, doing)
            if after is None:
                return
            found = None

    def ids(self, project: str) -> Iterator[str]:
        """Ids of all issues, oldest first, a hundred a request."""
        doing = f"list the issues of {project}"
        after: str | None = None
        while True:
            data = self._client.graphql("Ids", documents.IDS, {"path": project, "after": after}, doing=doing)
            self._server.verify(data, doing)
            connection = self._listed(project_of(self._client, data, project), doing)
            yield from (number(node.get("id")) for node in nodes(connection) if _is_issue(node))
            after = self._further(connection, after, doing)
            if after is None:
                return

    def types(self, project: str) -> tuple[Word, ...]:
        """The types that issues of this project can have, custom ones included."""
        doing = f"look at project {project}"
        data = self._client.graphql("Words", documents.WORDS, {"path": project}, doing=doing)
        self._server.verify(data, doing)
        listed = nodes(project_of(self._client, data, project).get("workItemTypes"))
        words = [kind_of(text_of(found.get("name"))) for found in listed if text_of(found.get("name"))]
        return tuple(word for word in words if word.id not in NO_ISSUES)

    def issue(self, project: str, iid: str) -> Issue:
        """One issue. Raises NotFound; BadAnswer where it can not be made sense of."""
        doing = f"read {project}#{iid}"
        ask = {"path": project, "iid": iid, "d": self._size.discussions}
        data = self._asked("WorkItem", documents.work_item, ask, doing)
        self._server.verify(data, doing)
        found = project_of(self._client, data, project)
        path = text_of(found.get("fullPath")) or project
        for thread in self._whole(project, path, nodes(found.get("workItems"))):
            made = self._mapped(thread, project, path)
            if isinstance(made, Unreadable):
                raise BadAnswer(made.reason, tracker=self._client.name, doing=doing)
            return made
        raise NotFound(f"no issue {project}#{iid}", tracker=self._client.name, doing=doing)

    # ---------------------------------------------------------------------------------------------------------- pages

    def _page(self, ask: dict[str, Any], doing: str) -> dict[str, Any]:
        """One page, as large as the server can bear."""
        failures = 0
        alone = "most" not in ask and not ask["names"]
        while True:
            asked = self._size.at_once(alone=alone)
            sizes = {"n": asked, "d": self._size.discussions}
            try:
                data = self._asked("WorkItems", partial(_document, ask), {**ask, **sizes}, doing)
            except (TooComplex, ServerFailed) as error:
                # A server that fails at a large page may bear a small one; one that is down fails at any size.
                failures += isinstance(error, ServerFailed)
                if failures > _FAILURES_BORNE or not self._size.halve(asked):
                    raise
            else:
                self._server.verify(data, doing)
                self._size.fit(asked, one(data.get("queryComplexity")), alone=alone)
                return data

    def _asked(
        self, name: str, document: Callable[[tuple[str, ...]], str], ask: dict[str, Any], doing: str
    ) -> dict[str, Any]:
        """The answer; without the widgets that not every server has where they are not as the probe found them."""
        widgets = self._server.widgets()
        try:
            return self._client.graphql(name, document(widgets), ask, doing=doing)
        except SchemaDiffers:
            if not widgets:
                raise
            self._server.without_widgets()
            return self._client.graphql(name, document(()), ask, doing=doing)

    def _listed(self, found: Payload, doing: str) -> Payload:
        connection = found.get("workItems")
        if isinstance(connection, dict):
            return connection
        raise PermissionRefused("its issues are hidden or switched off", tracker=self._client.name, doing=doing)

    def _further(self, connection: Payload, after: str | None, doing: str) -> str | None:
        return further(connection, after, tracker=self._client.name, doing=doing)

    # ---------------------------------------------------------------------------------------------------------- issue

    def _whole(self, project: str, path: str, nodes: Iterable[Payload]) -> list[Thread]:
        """Work items with their threads and all their lists to the end; what closes them is kept."""
        threads = self._threads.of(project, nodes)
        for thread in threads:
            thread.widgets = self._lists.whole(thread.node, thread.widgets, path, thread.gaps)
        told = ((thread.iid, thread.widgets.get("DEVELOPMENT")) for thread in threads)
        self._closings.keep(project, {iid: closing_requests.of_widget(widget) for iid, widget in told if widget})
        return threads

    def _mapped(self, thread: Thread, project: str, path: str) -> Issue | Unreadable:
        """Args: project: as it was asked for. path: as the server calls it, which is another after a move."""
        known = self._known.setdefault(project, Vocabulary(self._client, project))
        notes = thread.notes.values()
        names = known.names(notes, one(thread.widgets.get("LABELS", {}).get("labels")))
        try:
            return mapping.work_item(
                thread.node, thread.widgets, notes, names, self._client.name, path, tuple(thread.gaps)
            )
        except Malformed as error:
            return Unreadable(f"{path}#{thread.node.get('iid', '?')}", str(error))


def _document(ask: Mapping[str, Any], widgets: tuple[str, ...]) -> str:
    return documents.work_items(widgets, in_all="most" in ask, span="from" in ask or "until" in ask)


def _holds_all(known: Mapping[str, datetime], newest: Payload) -> bool:
    """Whether the held issues are all there are since then, and none was updated since it was read.

    Each further update is later than any held one, as those were read a while after theirs (``TrackerReader``).
    """
    last = next(iter(nodes(newest)), None)
    if last is None or newest.get("count") != len(known):
        return False
    at = known.get(number(last.get("id")))
    return at is not None and at == max(known.values()) and at == _instant(last.get("updatedAt"))


def _instant(text: object) -> datetime | None:
    try:
        return instant(text)
    except Malformed:
        return None


def _is_issue(node: Payload) -> bool:
    return kind_of(text_of(one(node.get("workItemType")).get("name"))).id not in NO_ISSUES
