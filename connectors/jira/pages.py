"""Page by page through Jira's searches without losing an issue, however the index changes meanwhile.

Rules:

1. Cloud (``search/jql``): tokens. The end is a missing token or ``isLast``; a token seen before ends in an error.
   The order is by key, which no edit changes.
2. Data Center (``search``): offsets, which shift when somebody edits. So the order is by update, each page starts at
   the minute where the last one ended, and only within one minute are offsets used, each a step back.
3. An issue is given once, by id.
4. A page further on is asked for by a date only in a zone that was asked for in this session: a zone that is no longer
   the account's would skip hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from connectors.jira.history import identifier
from connectors.jira.instants import instant, literal
from connectors.jira.jql import in_project, updated_from
from connectors.jira.server import JiraServer

CLOUD_PAGE = 100
DATA_CENTER_PAGE = 200
CLOUD_IDS_PAGE = 5_000
DATA_CENTER_IDS_PAGE = 1_000
HISTORIES_PAGE = 10_000
ISSUES_PER_BULK = 1_000
_COMMENTS_PAGE = 100
# So many issues may leave one minute between two pages of it before one could slip through.
_STEP_BACK = 20


def search_cloud(
    server: JiraServer, jql: str, fields: Sequence[str], doing: str, *, ids: bool = False
) -> Iterator[Mapping[str, Any]]:
    """The issues that match, each once. ``ids``: nothing but their ids, five thousand to a page."""
    seen: set[str] = set()
    tokens: set[str] = set()
    size: dict[str, Any] = {"maxResults": CLOUD_IDS_PAGE} if ids else {"maxResults": CLOUD_PAGE, "expand": "changelog"}
    body: dict[str, Any] = {"jql": jql, "fields": list(fields), **size}
    while True:
        answer = server.expect_object(server.client.call("POST", "search/jql", doing=doing, body=body), doing)
        yield from _fresh(server.expect_list(answer, "issues", doing), seen)
        token = answer.get("nextPageToken")
        if not token or answer.get("isLast") is True:
            return
        if not isinstance(token, str) or token in tokens:
            raise server.client.bad_answer("the search gives the same page token twice", doing)
        tokens.add(token)
        body["nextPageToken"] = token


def search_data_center(server: JiraServer, jql: str, fields: Sequence[str], doing: str) -> Iterator[Mapping[str, Any]]:
    """The issues that match a query with an order of its own, each once, by offsets: for short lists."""
    seen: set[str] = set()
    start = 0
    while True:
        page, total = _page(server, {"jql": jql, "startAt": start, "fields": list(fields)}, doing)
        yield from _fresh(page, seen)
        start += len(page)
        if not page or start >= total:
            return


def changed_data_center(
    server: JiraServer, project: str, since: datetime | None, zone: tzinfo | None, fields: Sequence[str], doing: str
) -> Iterator[Mapping[str, Any]]:
    """Issues of a project updated at or after ``since`` with their history, each once.

    Args:
        zone: the account's, as far as it is known.
    """
    seen: set[str] = set()
    minute = literal(since, zone) if since else ""
    start = 0
    while True:
        jql = f"{updated_from(project, minute)} ORDER BY updated ASC, key ASC"
        body = {"jql": jql, "startAt": start, "fields": list(fields), "expand": ["changelog"]}
        page, total = _page(server, body, doing)
        yield from _fresh(page, seen)
        if not page or start + len(page) >= total:
            return
        if (asked := server.account_asked.zone) != zone:
            zone, minute, start = asked, literal(since, asked) if since else "", 0
            continue
        last = _last_update(page)
        # Literals of one zone sort as text. Where the account's zone is not known, offsets must do.
        reached = literal(last, zone, timedelta()) if last and zone else ""
        if reached > minute:
            minute, start = reached, 0
        else:
            start += len(page) - min(_STEP_BACK, len(page) // 4)


def ids(server: JiraServer, project: str, doing: str) -> Iterator[str]:
    """The ids of all issues of a project."""
    jql = f"{in_project(project)} ORDER BY key ASC"
    found = (
        search_cloud(server, jql, ("id",), doing, ids=True) if server.cloud else _ids_page_by_page(server, jql, doing)
    )
    for issue in found:
        if number := identifier(issue.get("id")):
            yield number


def _ids_page_by_page(server: JiraServer, jql: str, doing: str) -> Iterator[Mapping[str, Any]]:
    """Data Center: by offsets, which shift when issues go: each page goes back a step, after many went to the start."""
    seen: set[str] = set()
    start = 0
    before = 0
    while True:
        page, total = _page(server, {"jql": jql, "startAt": start, "fields": ["id"]}, doing, DATA_CENTER_IDS_PAGE)
        yield from _fresh(page, seen)
        if start and total < before - _STEP_BACK:
            start = 0
        elif not page or start + len(page) >= total:
            return
        else:
            start += len(page) - min(_STEP_BACK, len(page) // 4)
        before = total


def histories(server: JiraServer, ids: Sequence[str], doing: str) -> dict[str, list[Any]]:
    """Cloud: the whole history of up to a thousand issues, by issue id; an issue without any has an empty list."""
    found: dict[str, list[Any]] = {id_: [] for id_ in ids}
    tokens: set[str] = set()
    body: dict[str, Any] = {"issueIdsOrKeys": list(ids), "maxResults": HISTORIES_PAGE}
    while True:
        answer = server.expect_object(server.client.call("POST", "changelog/bulkfetch", doing=doing, body=body), doing)
        for entry in server.expect_list(answer, "issueChangeLogs", doing):
            if isinstance(entry, Mapping):
                entries = entry.get("changeHistories")
                found.setdefault(identifier(entry.get("issueId")), []).extend(
                    entries if isinstance(entries, list) else []
                )
        token = answer.get("nextPageToken")
        if not token:
            return found
        if not isinstance(token, str) or token in tokens:
            raise server.client.bad_answer("the history gives the same page token twice", doing)
        tokens.add(token)
        body["nextPageToken"] = token


def comments(server: JiraServer, key: str, doing: str) -> dict[str, Any]:
    """All comments of an issue that the account may see, as ``{comments, total}``, the oldest first."""
    once: dict[str, Any] = {}
    start = 0
    while True:
        answer = server.object(
            "issue/{key}/comment",
            doing=doing,
            params={"startAt": start, "maxResults": _COMMENTS_PAGE, "orderBy": "created", "expand": "properties"},
            key=key,
        )
        page = server.expect_list(answer, "comments", doing)
        for place, comment in enumerate(page, start):
            number = identifier(comment.get("id")) if isinstance(comment, Mapping) else ""
            once[number or f"at {place}"] = comment
        start += len(page)
        total = server.number(answer, "total", start)
        if not page or start >= total:
            return {"comments": list(once.values()), "total": max(total, len(once))}


def _page(
    server: JiraServer, body: Mapping[str, Any], doing: str, size: int = DATA_CENTER_PAGE
) -> tuple[Sequence[Any], int]:
    whole = {**body, "maxResults": size}
    answer = server.expect_object(server.client.call("POST", "search", doing=doing, body=whole), doing)
    page = server.expect_list(answer, "issues", doing)
    return page, server.number(answer, "total", body["startAt"] + len(page))


def _fresh(page: Sequence[Any], seen: set[str]) -> Iterator[Mapping[str, Any]]:
    for entry in page:
        issue: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
        number = identifier(issue.get("id")) or identifier(issue.get("key"))
        if number and number in seen:
            continue
        seen.add(number)
        yield issue


def _last_update(page: Sequence[Any]) -> datetime | None:
    last = page[-1]
    fields = last.get("fields") if isinstance(last, Mapping) else None
    try:
        return instant(fields.get("updated")) if isinstance(fields, Mapping) else None
    except ValueError:
        return None
