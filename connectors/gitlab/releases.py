"""Releases, and which of them carries the fix of which issue.

Rules:

1. A merge request is carried by the first release whose tag holds its merge, squash or head commit; "first" by the
   instant of release.
2. Nothing is asked that can not change the answer: a release is compared only while a merge request that may be in it
   has no release yet, and never twice for the same tag, commits and merge requests, in this run or a later one.
3. With nothing new, a project costs one request over GraphQL, and two over REST.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connectors.gitlab import documents
from connectors.gitlab.client import SchemaDiffers, project_path
from connectors.gitlab.closings import Closings
from connectors.gitlab.connection import further, nodes
from connectors.gitlab.fixes import MergedRequests
from connectors.gitlab.names import project_of
from connectors.gitlab.payload import Malformed, instant, objects, one, several, text_of
from connectors.gitlab.server import Generation
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected
from policies.issue import Release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectors.cache import Cache
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.fixes import MergedRequest
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.server import Server

# Clocks of a build machine and of the server may differ.
_SLACK = timedelta(days=1)
_KEY = "gitlab releases 1"
_KEPT = timedelta(days=7)
_NO_REQUESTS = "none"


class Releases:
    """The releases of projects."""

    def __init__(self, client: GitLabClient, server: Server, cache: Cache, closings: Closings | None = None) -> None:
        self._client = client
        self._server = server
        self._cache = cache
        self._closings = closings or Closings(client, server, cache)
        self._merged = MergedRequests(client, cache)

    def of(self, project: str) -> tuple[Release, ...]:
        """All releases of a project, oldest first, each with what it carries.

        A release of the future keeps its future instant; one whose tag is gone carries nothing.

        Raises:
            TrackerError: the project can not be read.
        """
        listed, newest = self._listed(project)
        dated = sorted(((_released_at(payload), payload) for payload in listed), key=_by_instant)
        requests: list[MergedRequest] = []
        if dated and newest != _NO_REQUESTS:
            requests = self._merged.of(project, newest, self._closings.of(project))
        key = f"{_KEY} {project}"
        kept: Mapping[str, Any] = one(self._cache.get(key))
        holds = _Holds(self._client, project, kept)
        releases: list[Release] = []
        for at, payload in dated:
            tag = text_of(payload.get("tag_name"))
            cut = _cut_at(payload) or at
            open_ = [
                have for have in requests if cut is None or have.merged_at is None or have.merged_at <= cut + _SLACK
            ]
            carried: list[MergedRequest] = []
            if tag and payload.get("commit", {}) is not None:
                commits = holds.of(tag, text_of(one(payload.get("commit")).get("id")), open_)
                if commits is not None:
                    carried = [have for have in open_ if have.commits & commits]
                    requests = [have for have in requests if have not in carried]
            releases.append(
                Release(
                    tracker=self._client.name,
                    project=project,
                    name=tag or text_of(payload.get("name")),
                    url=text_of(one(payload.get("_links")).get("self")) or _address(self._client, project, tag),
                    published_at=at,
                    carries=tuple((issue, request.url) for request in carried for issue in request.fixes),
                )
            )
        if holds.told != kept:
            self._cache.put(key, holds.told, _KEPT)
        return tuple(releases)

    def _listed(self, project: str) -> tuple[list[Payload], str | None]:
        """Payloads of the releases as REST spells them, and when the merge request updated last was."""
        if self._server.generation() is Generation.WORK_ITEMS:
            try:
                return self._by_graphql(project)
            except SchemaDiffers:
                # Of releases alone: the issues are read as before.
                pass
        path = f"{project_path(project)}/releases"
        return list(self._client.pages(path, doing=f"read releases of {project}")), None

    def _by_graphql(self, project: str) -> tuple[list[Payload], str | None]:
        doing = f"read releases of {project}"
        found: list[Payload] = []
        newest: str | None = None
        after: str | None = None
        while True:
            data = self._client.graphql("Releases", documents.RELEASES, {"path": project, "after": after}, doing=doing)
            self._server.verify(data, doing)
            there = project_of(self._client, data, project)
            if after is None:
                newest = _newest(there)
            connection = one(there.get("releases"))
            found.extend(_as_rest(node) for node in nodes(connection))
            after = further(connection, after, tracker=self._client.name, doing=doing)
            if after is None:
                return found, newest


class _Holds:
    """Which of the commits that matter a tag holds and the one before does not.

    Attributes:
        told: by tag: its commit, the commit before, what was found of those asked about, and what was not; to be kept.
    """

    def __init__(self, client: GitLabClient, project: str, kept: Mapping[str, Any]) -> None:
        self._client = client
        self._project = project
        self._kept = kept
        self._before: tuple[str, str] = ("", "")
        self.told: dict[str, Any] = {}

    def of(self, tag: str, sha: str, requests: list[MergedRequest]) -> frozenset[str] | None:
        """Commits of these requests that are in the tag; to be asked for in the order of release.

        None where the tag is gone or its code is not shown: the release stands, what it carries is not known.
        """
        wanted = frozenset(commit for request in requests for commit in request.commits)
        if not wanted:
            self._before = (tag, sha)
            return frozenset()
        kept = one(self._kept.get(tag))
        entry = {"sha": sha, "before": list(self._before)}
        inside, outside = frozenset(several(kept.get("in"))), frozenset(several(kept.get("out")))
        same = sha and all(kept.get(name) == value for name, value in entry.items())
        if not (same and wanted <= inside | outside):
            found = self._asked(tag, requests)
            if found is None:
                return None
            inside, outside = found & wanted, wanted - found
        self.told[tag] = {**entry, "in": sorted(inside), "out": sorted(outside)}
        self._before = (tag, sha)
        return inside

    def _asked(self, tag: str, requests: list[MergedRequest]) -> frozenset[str] | None:
        """Commits that the one before does not hold; for a first tag, as many as tell of all that is wanted."""
        doing = f"read what release {tag} of {self._project} holds"
        path = f"{project_path(self._project)}/repository"
        before, _ = self._before
        try:
            if before:
                query = {"from": before, "to": tag}
                compared = one(self._client.rest("GET", f"{path}/compare", doing=doing, query=query))
                return frozenset(text_of(commit.get("id")) for commit in objects(compared.get("commits")))
            found: set[str] = set()
            missing = requests
            for commit in self._client.pages(f"{path}/commits", doing=doing, query={"ref_name": tag}):
                sha = text_of(commit.get("id"))
                found.add(sha)
                missing = [request for request in missing if sha not in request.commits]
                if not missing:
                    break
        except (NotFound, PermissionRefused, Rejected, BadAnswer):
            return None
        return frozenset(found)


def _newest(project: Payload) -> str | None:
    """When the merge request updated last was."""
    listed = nodes(project.get("mergeRequests"))
    return text_of(listed[0].get("updatedAt")) or None if listed else _NO_REQUESTS


def _as_rest(node: Payload) -> Payload:
    commit = node.get("commit")
    return {
        "tag_name": node.get("tagName"),
        "name": node.get("name"),
        "released_at": node.get("releasedAt"),
        "created_at": node.get("createdAt"),
        "commit": None if commit is None else {"id": one(commit).get("sha")},
        "_links": {"self": one(node.get("links")).get("selfUrl")},
    }


def _address(client: GitLabClient, project: str, tag: str) -> str:
    return f"{client.url}/{project}/-/releases/{quote(tag, safe='')}"


def _by_instant(dated: tuple[datetime | None, Payload]) -> tuple[bool, float, str]:
    at, payload = dated
    return (at is None, at.timestamp() if at else 0.0, text_of(payload.get("tag_name")))


def _released_at(payload: Payload) -> datetime | None:
    for member in ("released_at", "created_at"):
        try:
            return instant(payload.get(member))
        except Malformed:
            continue
    return None


def _cut_at(payload: Payload) -> datetime | None:
    """When the tagged commit was made: nothing merged later can be in it."""
    commit = one(payload.get("commit"))
    try:
        return instant(commit.get("committed_date") or commit.get("created_at"))
    except Malformed:
        return None
