"""What GitLab itself says closes the issues of a project, kept for its releases.

Rules:

1. It comes with the issues. What was told of an issue stands until the issue is read again, from run to run.
2. Where what was kept is lost while only what changed is read, all of it is read anew: it is never half known.
3. Of other projects' merge requests the issue knows, and nothing is kept: their own project's words tell of them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from connectors.gitlab import closing_requests, documents
from connectors.gitlab.client import SchemaDiffers
from connectors.gitlab.connection import further, nodes
from connectors.gitlab.long_lists import LongLists
from connectors.gitlab.mapping import widgets
from connectors.gitlab.names import project_of
from connectors.gitlab.paths import project_path
from connectors.gitlab.payload import one, text_of
from connectors.gitlab.server import Generation
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.cache import Cache
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.closing_requests import Closing
    from connectors.gitlab.server import Server
    from policies.issue import Gap

_ADDRESS = re.compile(r"/(?P<path>.+?)/(?:-/)?merge_requests/(?P<iid>\d+)")
_KEY = "gitlab closings 1"
_KEPT = timedelta(days=30)


class Closed(NamedTuple):
    """What a merge request closes. Attributes: merged: when that was said. issues: keys, in order."""

    merged: bool
    issues: tuple[str, ...]


class Closings:
    """Of the issues of projects; kept by the issue's number, then the merge request's."""

    def __init__(self, client: GitLabClient, server: Server, cache: Cache) -> None:
        self._client = client
        self._server = server
        self._cache = cache
        self._held: dict[str, dict[str, Any]] = {}
        self._lost: set[str] = set()
        self._lists = LongLists(client)

    def begin(self, project: str, *, all_of_it: bool) -> None:
        """Issues are about to be read: all of them, or those that changed."""
        if not all_of_it and self._of(project).get("whole") is not True:
            self._lost.add(project)

    def keep(self, project: str, told: Mapping[str, Iterable[Closing]]) -> None:
        """What issues, by their numbers, say closes them; to be kept before the issues are handed on."""
        held = self._of(project)
        known: dict[str, dict[str, bool]] = held["issues"]
        news = {iid: self._own(project, closings) for iid, closings in told.items() if iid.isdecimal()}
        news = {iid: own for iid, own in news.items() if own != known.get(iid, {})}
        if news:
            known.update(news)
            held["issues"] = {iid: own for iid, own in known.items() if own}
            # A first reading that is cut off begins anew, so it is kept once, at its end, and not page by page.
            if held["whole"]:
                self._cache.put(f"{_KEY} {project}", held, _KEPT)

    def end(self, project: str, *, all_of_it: bool) -> None:
        """The reading came to its end."""
        held = self._of(project)
        if all_of_it and not held["whole"]:
            held["whole"] = True
            self._cache.put(f"{_KEY} {project}", held, _KEPT)

    def of(self, project: str) -> dict[str, Closed]:
        """By the number of a merge request of the project, which of its issues it closes.

        Raises:
            TrackerError: what was lost can not be read.
        """
        if project in self._lost:
            self.keep(project, dict(self._everything(project)))
            self.end(project, all_of_it=True)
            self._lost.discard(project)
        found: dict[str, list[int]] = {}
        merged: set[str] = set()
        for iid, own in self._of(project)["issues"].items():
            for request, done in own.items():
                found.setdefault(request, []).append(int(iid))
                if done:
                    merged.add(request)
        return {
            request: Closed(request in merged, tuple(f"{project}#{iid}" for iid in sorted(iids)))
            for request, iids in found.items()
        }

    def _of(self, project: str) -> dict[str, Any]:
        if project not in self._held:
            kept = one(self._cache.get(f"{_KEY} {project}"))
            self._held[project] = {"whole": kept.get("whole") is True, "issues": dict(one(kept.get("issues")))}
        return self._held[project]

    def _own(self, project: str, closings: Iterable[Closing]) -> dict[str, bool]:
        own: dict[str, bool] = {}
        for each in closings:
            found = _ADDRESS.fullmatch(unquote(_path(each.url)).removeprefix(_path(self._client.url).rstrip("/")))
            if found and found["path"].casefold() == project.casefold():
                own[found["iid"]] = each.merged
        return own

    # ------------------------------------------------------------------------------------------------- all of it anew

    def _everything(self, project: str) -> Iterator[tuple[str, tuple[Closing, ...]]]:
        if self._server.generation() is Generation.WORK_ITEMS and "DEVELOPMENT" in self._server.widgets():
            try:
                yield from self._by_graphql(project)
            except SchemaDiffers:
                pass
            else:
                return
        doing = f"read what closes the issues of {project}"
        query = {"state": "all", "order_by": "created_at", "sort": "asc", "scope": "all"}
        for payload in self._client.pages(f"{project_path(project)}/issues", doing=doing, query=query):
            if payload.get("merge_requests_count") != 0:
                iid = str(payload.get("iid"))
                yield iid, self._asked(project, iid)

    def _asked(self, project: str, iid: str) -> tuple[Closing, ...]:
        """What REST says closes one issue; nothing where it does not say."""
        path = f"{project_path(project)}/issues/{iid}/closed_by"
        try:
            listed = closing_requests.as_widget(self._client.pages(path, doing=f"read what closes {project}#{iid}"))
        except (NotFound, PermissionRefused, Rejected, BadAnswer):
            # Merge requests are switched off, or hidden.
            return ()
        return closing_requests.of_widget(listed)

    def _by_graphql(self, project: str) -> Iterator[tuple[str, tuple[Closing, ...]]]:
        doing = f"read what closes the issues of {project}"
        after: str | None = None
        while True:
            ask = {"path": project, "after": after}
            data = self._client.graphql("Closings", documents.CLOSINGS, ask, doing=doing)
            self._server.verify(data, doing)
            connection = one(project_of(self._client, data, project).get("workItems"))
            for node in nodes(connection):
                gaps: list[Gap] = []
                widget = self._lists.whole(node, widgets(node), project, gaps).get("DEVELOPMENT")
                if widget is not None:
                    yield text_of(node.get("iid")), closing_requests.of_widget(widget)
            after = further(connection, after, tracker=self._client.name, doing=doing)
            if after is None:
                return


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        # No address at all: "http://[".
        return ""
