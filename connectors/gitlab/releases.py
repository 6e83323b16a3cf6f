"""Releases, and which of them carries the fix of which issue.

Rules:

1. A merge request is carried by the first release whose tag holds its merge, squash or head commit; "first" by the
   instant of release.
2. It fixes the issues that its description names with one of GitLab's closing words, here or in another project
   (where it names them otherwise, GitLab is asked), and the Jira keys in its title, description or branch.
3. Nothing is asked that can not change the answer: merge requests that name no issue are left out, and a release is
   compared only while one that may be in it has no release yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from connectors.gitlab.client import project_path
from connectors.gitlab.mapping import full_reference
from connectors.gitlab.payload import Malformed, instant, objects, one, text_of
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected
from policies.issue import Release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload

# GitLab's default pattern: docs.gitlab.com/user/project/issues/managing_issues, "Default closing pattern".
_REFERENCE = r"(?:https?://\S+?/(?:-/)?(?:issues|work_items)/\d+|(?:[\w.-]+(?:/[\w.-]+)*)?\#\d+)"
_CLOSING = re.compile(
    rf"""\b(?:[Cc]los(?:e[sd]?|ing)|[Ff]ix(?:e[sd]|ing)?|[Rr]esolv(?:e[sd]?|ing)|[Ii]mplement(?:s|ed|ing)?):?\ +
        (?:issues?\ +)?(?P<named>{_REFERENCE}(?:(?:\ *,?\ +and\ +|\ *,?\ *)(?:issues?\ +)?{_REFERENCE})*)""",
    re.VERBOSE,
)
_ONE_REFERENCE = re.compile(_REFERENCE)
# Without what may stand before: a search for that from every letter of a long text would take minutes.
_NAMES_ONE = re.compile(r"#\d|/(?:issues|work_items)/\d")
_ADDRESS = re.compile(r"/(?P<path>.+?)/(?:-/)?(?:issues|work_items)/(?P<iid>\d+)$")
_JIRA_KEY = re.compile(r"\b[A-Z][A-Z0-9_]+-[1-9]\d*\b")
# Clocks of a build machine and of the server may differ.
_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Request:
    """A merged merge request that names issues."""

    url: str
    commits: frozenset[str]
    merged_at: datetime | None
    fixes: tuple[str, ...]


def fixed_issues(request: Payload, project: str, url: str) -> tuple[str, ...]:
    """Keys of the issues that a merge request fixes, GitLab's own first, each once.

    Args:
        request: REST payload of the merge request.
        project: full path of its project.
        url: base address of this GitLab; an address of another one is not ours to name.
    """
    found: dict[str, None] = {}
    title, description, branch = (text_of(request.get(name)) for name in ("title", "description", "source_branch"))
    for sentence in _CLOSING.finditer(f"{title}\n{description}"):
        for reference in _ONE_REFERENCE.findall(sentence["named"]):
            key = _key(reference, project, url)
            if key:
                found[key] = None
    for text in (title, description, branch):
        found.update((key, None) for key in _JIRA_KEY.findall(text))
    return tuple(found)


def _key(reference: str, project: str, url: str) -> str:
    if "://" not in reference:
        return full_reference(reference, project)
    parts, ours = urlsplit(reference), urlsplit(url)
    if parts.netloc.lower() != ours.netloc.lower() or not parts.path.startswith(ours.path.rstrip("/")):
        return ""
    address = _ADDRESS.fullmatch(parts.path.removeprefix(ours.path.rstrip("/")))
    return f"{address['path']}#{address['iid']}" if address else ""


def read_releases(client: GitLabClient, project: str) -> tuple[Release, ...]:
    """All releases of a project, oldest first, each with what it carries.

    A release of the future keeps its future instant; one whose tag is gone carries nothing.

    Raises:
        TrackerError: the project can not be read.
    """
    path = project_path(project)
    listed = list(client.pages(f"{path}/releases", doing=f"read releases of {project}"))
    dated = sorted(((_released_at(payload), payload) for payload in listed), key=_by_instant)
    requests = list(_merged(client, project)) if dated else []
    releases: list[Release] = []
    before = ""
    for at, payload in dated:
        tag = text_of(payload.get("tag_name"))
        cut = _cut_at(payload) or at
        open_ = [have for have in requests if cut is None or have.merged_at is None or have.merged_at <= cut + _SLACK]
        carried: list[_Request] = []
        if tag and payload.get("commit", {}) is not None:
            commits = _commits(client, project, before, tag, open_) if open_ else frozenset()
            if commits is not None:
                before = tag
                carried = [have for have in open_ if have.commits & commits]
                requests = [have for have in requests if have not in carried]
        releases.append(
            Release(
                tracker=client.name,
                project=project,
                name=tag or text_of(payload.get("name")),
                url=text_of(one(payload.get("_links")).get("self")) or _address(client, project, tag),
                published_at=at,
                carries=tuple((key, request.url) for request in carried for key in request.fixes),
            )
        )
    return tuple(releases)


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


def _merged(client: GitLabClient, project: str) -> Iterator[_Request]:
    query = {"state": "merged", "order_by": "created_at", "sort": "asc", "scope": "all"}
    path = f"{project_path(project)}/merge_requests"
    try:
        for payload in client.pages(path, doing=f"read merge requests of {project}", query=query):
            fixes = fixed_issues(payload, project, client.url) or _closed_by_other_words(client, project, payload)
            if fixes:
                yield _request(payload, fixes)
    except (NotFound, PermissionRefused):
        # Merge requests are switched off, or hidden: releases are still worth knowing.
        return


def _closed_by_other_words(client: GitLabClient, project: str, payload: Payload) -> tuple[str, ...]:
    """What GitLab itself says is closed, asked where an issue is named but by no word we know: words are a setting."""
    if not _NAMES_ONE.search(text_of(payload.get("description"))):
        return ()
    path = f"{project_path(project)}/merge_requests/{payload.get('iid')}/closes_issues"
    doing = f"read what {project}!{payload.get('iid')} closes"
    try:
        closed = list(client.pages(path, doing=doing))
    except (NotFound, PermissionRefused, Rejected, BadAnswer):
        return ()
    # Issues of an external tracker come without an iid; their keys were found in the words.
    return tuple(_full_key(issue, project) for issue in closed if issue.get("iid"))


def _full_key(issue: Payload, project: str) -> str:
    return text_of(one(issue.get("references")).get("full")) or f"{project}#{issue.get('iid')}"


def _request(payload: Payload, fixes: tuple[str, ...]) -> _Request:
    shas = (text_of(payload.get(name)) for name in ("merge_commit_sha", "squash_commit_sha", "sha"))
    try:
        merged_at = instant(payload.get("merged_at"))
    except Malformed:
        merged_at = None
    return _Request(text_of(payload.get("web_url")), frozenset(shas) - {""}, merged_at, fixes)


def _commits(
    client: GitLabClient, project: str, before: str, tag: str, wanted: list[_Request]
) -> frozenset[str] | None:
    """Commits of the tag that the one before does not hold; for a first tag, as many as tell of all that is wanted.

    None where the tag is gone or its code is not shown: the release stands, what it carries is not known.
    """
    doing = f"read what release {tag} of {project} holds"
    path = f"{project_path(project)}/repository"
    try:
        if before:
            compared = one(client.rest("GET", f"{path}/compare", doing=doing, query={"from": before, "to": tag}))
            return frozenset(text_of(commit.get("id")) for commit in objects(compared.get("commits")))
        found: set[str] = set()
        missing = list(wanted)
        for commit in client.pages(f"{path}/commits", doing=doing, query={"ref_name": tag}):
            sha = text_of(commit.get("id"))
            found.add(sha)
            missing = [request for request in missing if sha not in request.commits]
            if not missing:
                break
    except (NotFound, PermissionRefused, Rejected, BadAnswer):
        return None
    return frozenset(found)
