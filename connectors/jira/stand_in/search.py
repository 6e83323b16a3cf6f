"""Searching the Jira stand-in, and reading histories in bulk."""

from __future__ import annotations

import secrets
from typing import Any

from connectors.jira.stand_in import shapes
from connectors.jira.stand_in.jql import parse
from connectors.jira.stand_in.reads import with_properties
from connectors.jira.stand_in.session import Refusal, Session

Json = dict[str, Any]

MOST_SEARCHED = {"full": 100, "ids": 5000, "dc": 1000}
_MOST_KEPT_PAGES = 500
_GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_INVALID = "Invalid request payload. Refer to the REST API documentation and try again."
_JQL_MEMBERS = (
    "jql", "maxResults", "nextPageToken", "fields", "expand", "properties", "fieldsByKeys", "failFast",
    "reconcileIssues",
)  # fmt: skip


def search_removed(_: Session) -> Json:
    """Cloud: the old search is gone."""
    raise Refusal(410, _GONE)


def search_jql(session: Session) -> Json:
    """Cloud: by token, only the fields asked for, ids alone by default, and only with a restriction."""
    asked = _search_asked(session)
    query = parse(asked["jql"], session)
    if not query.bounded:
        raise Refusal(400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    names = asked["fields"] or ["id"]
    most = MOST_SEARCHED["ids" if set(names) <= {"id", "key"} and not asked["expand"] else "full"]
    size = min(asked["maxResults"], most) or most
    if asked["nextPageToken"]:
        ids = session.pages.get(asked["nextPageToken"])
        if ids is None:
            raise Refusal(400, "The nextPageToken is invalid or has expired.")
    else:
        ids = [one.id for one in query.run(session)]
    found = [session.store.issues[one] for one in ids[:size]]
    issues = [
        with_properties(
            shapes.issue(session, one, names, expand=asked["expand"], search=True), one, asked["properties"]
        )
        for one in found
    ]
    answer: Json = {"issues": issues, "isLast": len(ids) <= size}
    if len(ids) > size:
        answer["nextPageToken"] = _keep(session, ids[size:])
    return answer


def _keep(session: Session, rest: list[Any]) -> str:
    token = secrets.token_urlsafe(12)
    session.pages[token] = rest
    while len(session.pages) > _MOST_KEPT_PAGES:
        del session.pages[next(iter(session.pages))]
    return token


def _search_asked(session: Session) -> Json:
    """The parameters of /search/jql from query or body, as strings and lists."""
    if session.body is None:
        said: Json = {**session.query, "fields": session.many("fields"), "properties": session.many("properties")}
        said["expand"] = ",".join(session.many("expand"))
        said["maxResults"] = session.number("maxResults", 50)
    else:
        said = session.members(*_JQL_MEMBERS)
        if any(value is None for value in said.values()) or not isinstance(said.get("expand", ""), str):
            raise Refusal(400, _INVALID)
        said = {**said, **{name: _texts(said, name) for name in ("fields", "properties")}}
    if len(said.get("properties", [])) > 5:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "At most 5 properties can be requested.")
    reconcile = said.get("reconcileIssues") or []
    if isinstance(reconcile, list) and len(reconcile) > 50:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "At most 50 issues can be reconciled.")
    defaults: Json = {"jql": "", "maxResults": 50, "nextPageToken": "", "fields": [], "expand": "", "properties": []}
    return {**defaults, **said}


def _texts(said: Json, name: str) -> list[str]:
    """A list of texts in a body (or one, with commas). Raises Refusal(400) for anything else."""
    value = said.get(name) or []
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refusal(400, _INVALID)
    return value


def approximate_count(session: Session) -> Json:
    query = parse(str(session.members("jql", required=("jql",))["jql"]), session)
    if not query.bounded:
        raise Refusal(400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    return {"count": len(query.run(session))}


def search(session: Session) -> Json:
    """Data Center: by offset, with all the history that is asked for."""
    if session.body is None:
        said: Json = {**session.query}
        start, size = session.number("startAt", 0), session.number("maxResults", 50)
        names = session.many("fields") or ["*navigable"]
        expand = ",".join(session.many("expand"))
    else:
        said = session.members("jql", "startAt", "maxResults", "fields", "expand", "validateQuery", "fieldsByKeys")
        start, size = said.get("startAt") or 0, 50 if said.get("maxResults") is None else said["maxResults"]
        names, expand = _texts(said, "fields") or ["*navigable"], ",".join(_texts(said, "expand"))
    size = min(size, MOST_SEARCHED["dc"])
    found = parse(said.get("jql") or "", session).run(session)
    shown = [shapes.issue(session, one, names, expand=expand, search=True) for one in found[start : start + size]]
    return {"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found), "issues": shown}


def changelog_bulk(session: Session) -> Json:
    """Cloud: the whole history of up to 1000 issues, oldest first; an issue may be spread over pages."""
    said = session.members("issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken", required=("issueIdsOrKeys",))
    keys, only = said["issueIdsOrKeys"], said.get("fieldIds")
    if any(value is None for value in said.values()) or not isinstance(keys, list) or not 1 <= len(keys) <= 1000:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "issueIdsOrKeys must hold 1 to 1000 issues.")
    if only is not None and (len(only) > 10 or len(set(only)) != len(only)):  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "fieldIds must hold at most 10 different ids.")
    size = said.get("maxResults", 1000)
    if not isinstance(size, int) or not 1 <= size <= 10000:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "maxResults must be between 1 and 10000.")
    if said.get("nextPageToken"):
        rest = session.pages.get(said["nextPageToken"])
        if rest is None:
            raise Refusal(400, "The nextPageToken is invalid or has expired.")
    else:
        rest = _entries(session, keys, None if only is None else frozenset(only))
    logs: dict[str, list[Json]] = {}
    for id_, entry in rest[:size]:
        logs.setdefault(id_, []).append(entry)
    answer: Json = {"issueChangeLogs": [{"issueId": id_, "changeHistories": page} for id_, page in logs.items()]}
    if len(rest) > size:
        answer["nextPageToken"] = _keep(session, rest[size:])
    return answer


def _entries(session: Session, keys: list[object], only: frozenset[str] | None) -> list[tuple[str, Json]]:
    found = []
    for key in dict.fromkeys(str(one) for one in keys):
        try:
            held = session.issue(key)
        except Refusal:
            continue
        for one in shapes.seen_history(session, held):
            shape = shapes.history(session, one, held, only)
            if shape["items"]:
                found.append((held.id, shape))
    return found
