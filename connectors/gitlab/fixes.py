"""Merged merge requests, and which issues each of them fixes.

Rules:

1. A merge request fixes the issues of its project that GitLab says it closes, those that its description names with
   one of GitLab's closing words, here or in another project, and the Jira keys in its title, description or branch.
   What it closes is known from the issues (``closings``); where none says so, and it names one all the same, GitLab is
   asked: the words are a setting, and the issue may have been read before.
2. What was read is kept from run to run; read again is what was updated since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.gitlab.client import project_path
from connectors.gitlab.mapping import full_reference
from connectors.gitlab.payload import Malformed, instant, one, text_of
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.cache import Cache
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.closings import Closed
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
_NAMES_ELSEWHERE = re.compile(r"[\w.-]\#\d|/(?:issues|work_items)/\d")
_ADDRESS = re.compile(r"/(?P<path>.+?)/(?:-/)?(?:issues|work_items)/(?P<iid>\d+)$")
_JIRA_KEY = re.compile(r"\b[A-Z][A-Z0-9_]+-[1-9]\d*\b")
# Part of what is kept: another reading of the same words is another entry.
_KEY = "gitlab fixes 1"
_KEPT = timedelta(days=7)
# What is updated while a list is read may be dated before what the list ended with.
_OVERLAP = timedelta(minutes=2)
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class MergedRequest:
    """A merged merge request that may fix issues.

    Attributes:
        commits: any one of them in a release, and the release carries it.
        updated: as the server spells it.
        fixes: keys of the issues.
    """

    url: str
    commits: frozenset[str]
    merged_at: datetime | None
    updated: str
    fixes: tuple[str, ...]

    def packed(self) -> list[Any]:
        merged_at = self.merged_at.isoformat() if self.merged_at else ""
        return [self.url, sorted(self.commits), merged_at, self.updated, list(self.fixes)]

    @classmethod
    def unpacked(cls, packed: list[Any]) -> MergedRequest:
        url, commits, merged_at, updated, fixes = packed
        merged = datetime.fromisoformat(merged_at) if merged_at else None
        return cls(url, frozenset(commits), merged, updated, tuple(fixes))


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


class MergedRequests:
    """The merge requests of projects."""

    def __init__(self, client: GitLabClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    def of(self, project: str, newest: str | None, closed: Mapping[str, Closed]) -> list[MergedRequest]:
        """Those that fix something, oldest first.

        Args:
            newest: when the one that was updated last was, as the server says it; None where it does not say.
            closed: what GitLab says they close, by their numbers.
        """
        key = f"{_KEY} {project}"
        kept = one(self._cache.get(key))
        known: dict[str, list[Any]] = dict(one(kept.get("requests")))
        last, read = text_of(kept.get("last")), known
        if not kept or newest is None or kept.get("newest") != newest:
            last, read = self._updated_since(project, last, known, closed)
        read = self._with(project, read, [iid for iid, said in closed.items() if said.merged and iid not in read])
        if known != read or kept.get("newest") != newest:
            self._cache.put(key, {"newest": newest, "last": last, "requests": read}, _KEPT)
        found = [(iid, MergedRequest.unpacked(packed)) for iid, packed in read.items()]
        found.sort(key=lambda pair: int(pair[0]))
        everything = [_closing(request, closed.get(iid)) for iid, request in found]
        return [request for request in everything if request.fixes]

    def _with(self, project: str, known: dict[str, list[Any]], iids: list[str]) -> dict[str, list[Any]]:
        """What is known, and these besides: merge requests whose own words say nothing, found out by an issue since."""
        found = dict(known)
        for start in range(0, len(iids), _AT_ONCE):
            some = iids[start : start + _AT_ONCE]
            query = {"state": "merged", "scope": "all", "iids[]": some}
            path = f"{project_path(project)}/merge_requests"
            # One that can not be seen is not looked for again: it is known to be in no release.
            found |= {iid: MergedRequest("", frozenset(), None, "", ()).packed() for iid in some}
            try:
                for payload in self._client.pages(path, doing=f"read merge requests of {project}", query=query):
                    if (iid := str(payload.get("iid"))) in some:
                        fixes = fixed_issues(payload, project, self._client.url)
                        found[iid] = _request(payload, fixes).packed()
            except (NotFound, PermissionRefused):
                continue
        return found

    def _updated_since(
        self, project: str, last: str, known: dict[str, list[Any]], closed: Mapping[str, Closed]
    ) -> tuple[str, dict[str, list[Any]]]:
        """What is known, brought up to date, and when the last of them was updated."""
        query = {"state": "merged", "order_by": "created_at", "sort": "asc", "scope": "all"}
        if last:
            query["updated_after"] = (instant(last) - _OVERLAP).isoformat()
        path = f"{project_path(project)}/merge_requests"
        found = dict(known)
        try:
            for payload in self._client.pages(path, doing=f"read merge requests of {project}", query=query):
                iid, updated = str(payload.get("iid")), text_of(payload.get("updated_at"))
                last = _later(last, updated)
                if not iid.isdigit() or (
                    updated and iid in found and MergedRequest.unpacked(found[iid]).updated == updated
                ):
                    continue
                fixes = fixed_issues(payload, project, self._client.url)
                # What its own project's issues tell of it is known; of others, they say nothing.
                names_one = _NAMES_ELSEWHERE if iid in closed else _NAMES_ONE
                if not fixes and names_one.search(text_of(payload.get("description"))):
                    # Kept also where it closes nothing: it would be asked about again.
                    found[iid] = _request(payload, self._closed_by_other_words(project, payload)).packed()
                elif fixes or iid in closed:
                    found[iid] = _request(payload, fixes).packed()
                else:
                    found.pop(iid, None)
        except (NotFound, PermissionRefused):
            # Merge requests are switched off, or hidden: releases are still worth knowing.
            return last, known
        return last, found

    def _closed_by_other_words(self, project: str, payload: Payload) -> tuple[str, ...]:
        """What GitLab itself says is closed, asked where an issue is named but by no word we know: words are a setting."""
        path = f"{project_path(project)}/merge_requests/{payload.get('iid')}/closes_issues"
        doing = f"read what {project}!{payload.get('iid')} closes"
        try:
            closed = list(self._client.pages(path, doing=doing))
        except (NotFound, PermissionRefused, Rejected, BadAnswer):
            return ()
        # Issues of an external tracker come without an iid; their keys were found in the words.
        return tuple(_full_key(issue, project) for issue in closed if issue.get("iid"))


def _later(one_instant: str, another: str) -> str:
    try:
        return max(one_instant, another, key=lambda text: instant(text) if text else datetime.min.replace(tzinfo=UTC))
    except Malformed:
        return one_instant


def _full_key(issue: Payload, project: str) -> str:
    return text_of(one(issue.get("references")).get("full")) or f"{project}#{issue.get('iid')}"


def _closing(request: MergedRequest, said: Closed | None) -> MergedRequest:
    """With what GitLab says it closes."""
    if said is None or set(said.issues) <= set(request.fixes):
        return request
    return replace(request, fixes=tuple(dict.fromkeys((*request.fixes, *said.issues))))


def _request(payload: Payload, fixes: tuple[str, ...]) -> MergedRequest:
    shas = (text_of(payload.get(name)) for name in ("merge_commit_sha", "squash_commit_sha", "sha"))
    try:
        merged_at = instant(payload.get("merged_at"))
    except Malformed:
        merged_at = None
    commits = frozenset(shas) - {""}
    return MergedRequest(text_of(payload.get("web_url")), commits, merged_at, text_of(payload.get("updated_at")), fixes)
