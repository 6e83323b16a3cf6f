"""Reads projects, words, issues with their whole history, and versions from Jira Cloud or Data Center.

Rules:

1. What the caller holds already costs nothing but its place in the search.
2. A search from an instant on is written in the account's time zone. Where only the cache says which one that is, the
   newest issue that the caller holds must be found again; if it is not, the zone is asked for.
3. Where the first answer shows that the token is another account's now, all that was begun begins again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from connectors.cache import Cache
from connectors.jira import pages
from connectors.jira.checks import findings
from connectors.jira.history import identifier
from connectors.jira.instants import instant, literal
from connectors.jira.jql import updated_from
from connectors.jira.mapping import FIELDS, Source, issue_of, project_of, release_of, word_of
from connectors.jira.server import AnotherAccount, JiraServer
from connectors.retry import Retry
from connectors.tracker import (
    NOTHING_KNOWN,
    BadAnswer,
    Capabilities,
    Connection,
    Finding,
    NotFound,
    PermissionRefused,
    Project,
    Rejected,
    Unreadable,
    Words,
)
from policies.issue import Actor, Issue, Release, Word

T = TypeVar("T")


class JiraReader:
    """The port's reader. Attributes: as ``TrackerReader``."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        self._server = JiraServer(connection, retry=retry, cache=cache)
        self.name = connection.name
        self.requests: Counter[str] = self._server.client.requests

    def capabilities(self) -> Capabilities:
        return Capabilities(server=self._server.title, web_links=True, priorities=True, internal_comments=True)

    def own_account(self) -> Actor:
        return self._server.account.actor

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        return findings(self._server, projects)

    def projects(self) -> tuple[Project, ...]:
        return self._again(self._projects)

    def _projects(self) -> tuple[Project, ...]:
        _ = self._server.account
        doing = "list the projects"
        found = self._all_projects(doing) if self._server.cloud else self._server.list("project", doing=doing)
        mapped = (project_of(entry, self._server.url) for entry in found)
        return tuple(project for project in mapped if project)

    def words(self, project: str) -> Words:
        return self._again(lambda: self._words(project))

    def _words(self, project: str) -> Words:
        _ = self._server.account
        self._server.project(project)
        statuses: dict[str, Word] = {}
        types: dict[str, Word] = {}
        entries = self._server.list(
            "project/{project}/statuses", doing=f"read the statuses of {project}", project=project
        )
        for entry in entries:
            type_ = word_of(entry)
            types[type_.id] = type_
            found = entry.get("statuses") if isinstance(entry, Mapping) else None
            for status in map(word_of, found if isinstance(found, list) else []):
                statuses[status.id] = status
        return Words(statuses=tuple(statuses.values()), priorities=self._server.priorities, types=tuple(types.values()))

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        yield from self._each_again(lambda: self._told(project, self._changed(project, since, known)))

    def ids(self, project: str) -> Iterator[str]:
        def read() -> Iterator[str]:
            _ = self._server.account
            return pages.ids(self._server, project, f"list the issues of {project}")

        yield from self._each_again(lambda: self._told(project, read()))

    def issue(self, key: str) -> Issue:
        return self._again(lambda: self._issue(key))

    def _issue(self, key: str) -> Issue:
        _ = self._server.account
        doing = f"read issue {key}"
        params: dict[str, str | int] = {"fields": ",".join(self._fields), "expand": "changelog"}
        payload = self._server.object("issue/{key}", doing=doing, params=params, key=key)
        found = next(self._with_history([payload], doing)) if self._server.cloud else payload
        issue = self._mapped(found)
        if isinstance(issue, Unreadable):
            raise BadAnswer(issue.reason, tracker=self.name, doing=doing)
        return issue

    def releases(self, project: str) -> tuple[Release, ...]:
        """The versions of the project; Jira does not say which issues they carry (their fix versions name them)."""
        return self._again(lambda: self._releases(project))

    def _releases(self, project: str) -> tuple[Release, ...]:
        _ = self._server.account
        doing = f"read the versions of {project}"
        try:
            entries = self._server.list("project/{project}/versions", doing=doing, project=project)
        except NotFound:
            # Then this says so in its own words.
            self._server.project(project)
            raise
        mapped = (release_of(entry, self.name, project, self._server.url) for entry in entries)
        return tuple(release for release in mapped if release)

    def close(self) -> None:
        self._server.client.close()

    # ------------------------------------------------------------------------------------------------------- in pieces

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        """The fields asked of every issue. Raises UnknownField."""
        return tuple(dict.fromkeys((*FIELDS, *self._server.fields.ids)))

    @cached_property
    def _source(self) -> Source:
        return replace(self._server.source, fields=self._server.fields)

    def _all_projects(self, doing: str) -> Iterator[Any]:
        start = 0
        while True:
            params: dict[str, str | int] = {"startAt": start, "maxResults": 50}
            answer = self._server.object("project/search", doing=doing, params=params)
            page = self._server.expect_list(answer, "values", doing)
            yield from page
            start += len(page)
            if not page or answer.get("isLast") is True or start >= self._server.number(answer, "total", start + 1):
                return

    def _again(self, read: Callable[[], T]) -> T:
        """What ``read`` gives (rule 3)."""
        try:
            return read()
        except AnotherAccount:
            self._forget()
            return read()

    def _each_again(self, read: Callable[[], Iterator[T]]) -> Iterator[T]:
        """What ``read`` gives, one by one (rule 3); nothing was given before its first answer."""
        try:
            yield from read()
        except AnotherAccount:
            self._forget()
            yield from read()

    def _forget(self) -> None:
        for name in ("_fields", "_source"):
            self.__dict__.pop(name, None)

    def _told(self, project: str, found: Iterator[T]) -> Iterator[T]:
        """The same; Jira rejects a query that names an unknown project, which is told in words of our own."""
        try:
            yield from found
        except Rejected:
            self._server.project(project)
            raise

    def _changed(
        self, project: str, since: datetime | None, known: Mapping[str, datetime]
    ) -> Iterator[Issue | Unreadable]:
        newest = max(known, key=lambda id_: known[id_], default=None)
        # An anonymous session would find an empty project, so the log-in comes first; then the fields to ask for.
        account = self._server.account_asked if since and newest is None else self._server.account
        seen: set[str] = set()
        yield from self._scan(project, since, account.zone, known, seen)
        if since and newest is not None and newest not in seen:
            # It was removed or moved, or else the search began too late (rule 2).
            zone = self._server.account_asked.zone
            if zone != account.zone:
                yield from self._scan(project, since, zone, known, seen)

    def _scan(
        self,
        project: str,
        since: datetime | None,
        zone: tzinfo | None,
        known: Mapping[str, datetime],
        seen: set[str],
    ) -> Iterator[Issue | Unreadable]:
        """What is new of the issues updated since; ``seen`` is what was found in this reading, and grows."""
        doing = f"read the issues of {project}"
        if not self._server.cloud:
            found = pages.changed_data_center(self._server, project, since, zone, self._fields, doing)
            for payload in found:
                if self._is_news(payload, known, seen):
                    yield self._mapped(payload)
            return
        jql = f"{updated_from(project, literal(since, zone) if since else '')} ORDER BY key ASC"
        found = pages.search_cloud(self._server, jql, self._fields, doing)
        news = (payload for payload in found if self._is_news(payload, known, seen))
        # One request brings the history of a thousand issues, so they are gathered first.
        while batch := list(islice(news, pages.ISSUES_PER_BULK)):
            for payload in self._with_history(batch, doing):
                yield self._mapped(payload)

    def _is_news(self, payload: Mapping[str, Any], known: Mapping[str, datetime], seen: set[str]) -> bool:
        """Whether an issue is neither given yet nor as the caller holds it."""
        number = identifier(payload.get("id"))
        if number and number in seen:
            return False
        seen.add(number)
        before = known.get(number)
        fields = payload.get("fields")
        if before is None or not isinstance(fields, Mapping):
            return True
        try:
            updated_at = instant(fields.get("updated"))
        except ValueError:
            return True
        # Where a database keeps whole seconds (some of Data Center's do), a second edit in one second does not show.
        return updated_at > before or not (self._server.cloud or updated_at.microsecond)

    def _with_history(self, payloads: Sequence[Mapping[str, Any]], doing: str) -> Iterator[Mapping[str, Any]]:
        """Cloud: the same issues with their whole history.

        What they came with is shortened, but says how many entries there are: the whole is checked against it.
        """
        ids = [identifier(payload.get("id")) for payload in payloads]
        found = pages.histories(self._server, [id_ for id_ in ids if id_], doing) if any(ids) else {}
        for id_, payload in zip(ids, payloads, strict=True):
            shortened = payload.get("changelog")
            said = self._server.number(shortened, "total", 0) if isinstance(shortened, Mapping) else 0
            whole = found.get(id_)
            changelog = None if whole is None else {"total": max(said, len(whole)), "histories": whole}
            yield {**payload, "changelog": changelog}

    def _mapped(self, payload: Mapping[str, Any]) -> Issue | Unreadable:
        return issue_of(self._with_comments(payload), self._source)

    def _with_comments(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same issue with all of its comments, where the search gave only some."""
        fields = payload.get("fields")
        key = identifier(payload.get("id")) or identifier(payload.get("key"))
        if not isinstance(fields, Mapping) or not key:
            return payload
        comment = fields.get("comment")
        if isinstance(comment, Mapping) and isinstance(delivered := comment.get("comments"), list):
            total = comment.get("total")
            if not isinstance(total, int) or total <= len(delivered):
                return payload
        try:
            whole = pages.comments(self._server, key, f"read the comments of {payload.get('key')}")
        except (NotFound, PermissionRefused):
            # What was delivered stays, and the mapping names the gap.
            return payload
        return {**payload, "fields": {**fields, "comment": whole}}
