"""GitLab behind the port: ``GitLabReader`` and ``GitLabWriter``.

Rules:

1. GraphQL work items where the server has them, REST where it has not; both give the same facts and leave the same.
2. A write states the end: it may be sent again, except the making of a note or an issue, which is looked for by its
   mark before it is tried a second time.
3. What GitLab has no place for (a priority, a link to another web site) is refused, not put somewhere else.
"""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.cache import SessionCache
from connectors.gitlab.checks import Checks
from connectors.gitlab.client import GitLabClient, SchemaDiffers, project_path
from connectors.gitlab.closings import Closings
from connectors.gitlab.history import CLOSED, OPENED
from connectors.gitlab.mapping import with_own
from connectors.gitlab.payload import kind_of, text_of
from connectors.gitlab.releases import Releases
from connectors.gitlab.rest_issues import TYPES, RestIssues
from connectors.gitlab.server import Generation, Server
from connectors.gitlab.work_items import WorkItems
from connectors.gitlab.writes import Writes
from connectors.tracker import NOTHING_KNOWN, Capabilities, NotFound, Project, Unreadable, Words
from policies.issue import Issue

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.cache import Cache
    from connectors.retry import Retry
    from connectors.tracker import Connection, Finding
    from connectors.work import Work, Worked
    from policies.issue import Actor, Release, Word

# Lists come from the database itself; only what a long transaction holds back shows late.
_LAG = timedelta(minutes=2)
_KEY = re.compile(r"(?P<project>[^\s#]+)#(?P<iid>\d+)")


class GitLabReader:
    """Reads a GitLab. Attributes: as the port's ``TrackerReader``."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        kept = cache or SessionCache()
        self._client = GitLabClient(connection, retry=retry)
        self._server = Server(self._client, kept)
        closings = Closings(self._client, self._server, kept)
        self._work_items = WorkItems(self._client, self._server, kept, closings)
        self._rest = RestIssues(self._client, closings)
        self._releases = Releases(self._client, self._server, kept, closings)
        self.name = connection.name
        self.requests: Counter[str] = self._client.requests

    def capabilities(self) -> Capabilities:
        return Capabilities(
            server=self._server.words(), web_links=False, priorities=False, internal_comments=True, lag=_LAG
        )

    def own_account(self) -> Actor:
        return self._server.account()

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        yield from Checks(self._client, self._server).check(projects)

    def projects(self) -> tuple[Project, ...]:
        query = {"membership": "true", "archived": "false", "order_by": "id", "sort": "asc", "simple": "true"}
        # What has its issues switched off has nothing to be read.
        query["with_issues_enabled"] = "true"
        return tuple(
            Project(
                text_of(found.get("path_with_namespace")),
                str(found.get("id")),
                text_of(found.get("name")),
                text_of(found.get("web_url")),
            )
            for found in self._client.pages("projects", doing="list the projects", query=query)
        )

    def words(self, project: str) -> Words:
        """Statuses are the same in every project; types are the project's own."""
        types: tuple[Word, ...] = ()
        if self._server.generation() is Generation.WORK_ITEMS:
            # A server that does not tell of types has the plain ones.
            with contextlib.suppress(SchemaDiffers):
                types = self._work_items.types(project)
        if not types:
            # The project is looked up all the same, to be there.
            self._client.rest("GET", project_path(project), doing=f"look at project {project}")
        return Words(statuses=(OPENED, CLOSED), priorities=(), types=types or tuple(kind_of(name) for name in TYPES))

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        self._server.account()
        if self._server.generation() is Generation.WORK_ITEMS:
            try:
                yield from map(self._ours, self._work_items.changed_since(project, since, known))
            except SchemaDiffers:
                # Parts of the work item schema are marked experiment and may go in any release.
                self._server.fall_back()
            else:
                return
        yield from map(self._ours, self._rest.changed_since(project, since, known))

    def _ours(self, found: Issue | Unreadable) -> Issue | Unreadable:
        # The page that brought it may have told of another account than was known before.
        return with_own(found, self._server.account().id) if isinstance(found, Issue) else found

    def ids(self, project: str) -> Iterator[str]:
        self._server.account()
        if self._server.generation() is Generation.WORK_ITEMS:
            try:
                yield from self._work_items.ids(project)
            except SchemaDiffers:
                self._server.fall_back()
            else:
                return
        yield from self._rest.ids(project)

    def issue(self, key: str) -> Issue:
        named = _KEY.fullmatch(key)
        if named is None:
            raise NotFound(f"{key!r} names no issue; GitLab's are like 'group/project#7'", tracker=self.name)
        self._server.account()
        if self._server.generation() is Generation.WORK_ITEMS:
            try:
                found = self._work_items.issue(named["project"], named["iid"])
                return with_own(found, self._server.account().id)
            except SchemaDiffers:
                self._server.fall_back()
        return with_own(self._rest.issue(named["project"], named["iid"]), self._server.account().id)

    def releases(self, project: str) -> tuple[Release, ...]:
        self._server.account()
        return self._releases.of(project)

    def close(self) -> None:
        self._client.close()


class GitLabWriter:
    """Writes to a GitLab. Attributes: as the port's ``TrackerWriter``."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        self._client = GitLabClient(connection, retry=retry)
        self._writes = Writes(self._client, Server(self._client, cache or SessionCache()), retry)
        self.name = connection.name
        self.requests: Counter[str] = self._client.requests

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        return self._writes.perform(work, now)

    def close(self) -> None:
        self._client.close()
