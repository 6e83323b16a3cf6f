"""Searching the Jira stand-in, and reading histories in bulk.

Rules:

1. A search is made once, when its first page is asked; a token stands for the ids that were found, and a place in them.
   What is shown of an issue is how it is when its page is asked.
2. ``store.index_lag`` behind the present, the index does not know what was created and written since, but for the
   issues named in ``reconcileIssues`` (Cloud).
3. Who is not logged in, where that is allowed, finds nothing and is not told why.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from connectors.jira.stand_in import history, shapes
from connectors.jira.stand_in.jql import parse
from connectors.jira.stand_in.reads import with_properties
from connectors.jira.stand_in.session import Refusal, Session
from connectors.sandbox.nouns import History, Issue

Json = dict[str, Any]

MOST_SEARCHED = {"full": 100, "ids": 5000, "dc": 1000}
_MOST_KEPT_PAGES = 500
_GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
_RELATIVE = re.compile(r"\bnow\s*\(|\d[wdhm]\b", re.IGNORECASE)
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
    if session.anonymous:
        return {"issues": [], "isLast": True}
    query = parse(asked["jql"], session)
    if not query.bounded:
        raise Refusal(400, _UNBOUNDED)
    names = asked["fields"] or ["id"]
    most = MOST_SEARCHED["ids" if set(names) <= {"id", "key"} and not asked["expand"] else "full"]
    size = min(asked["maxResults"], most) or most
    if asked["nextPageToken"]:
        ids, place = _kept(session, asked["nextPageToken"])
    else:
        ids, place = [one.id for one in query.run(session, asked["reconcileIssues"])], 0
    found = _still_there(session, ids[place : place + size])
    issues = [
        with_properties(
            shapes.issue(session, one, names, expand=asked["expand"], search=True), one, asked["properties"]
        )
        for one in found
    ]
    answer: Json = {"issues": issues, "isLast": len(ids) <= place + size}
    if session.store.stuck_pages and asked["nextPageToken"]:
        return {**answer, "isLast": False, "nextPageToken": asked["nextPageToken"]}
    if len(ids) > place + size:
        answer["nextPageToken"] = _keep(session, ids, place + size)
    return answer


def _still_there(session: Session, ids: list[str]) -> list[Issue]:
    seen = {one.key for one in session.projects()}
    found = (session.store.issues.get(one) for one in ids)
    return [one for one in found if one is not None and one.project in seen]


def _kept(session: Session, token: object) -> tuple[list[Any], int]:
    """All that was found, and where the page begins. Raises Refusal(400)."""
    found: tuple[list[Any], int] | None = session.pages.get(token) if isinstance(token, str) else None
    if found is None:
        raise Refusal(400, "The nextPageToken is invalid or has expired.")
    return found


def _keep(session: Session, found: list[Any], place: int) -> str:
    token = secrets.token_urlsafe(12)
    session.pages[token] = (found, place)
    while len(session.pages) > _MOST_KEPT_PAGES:
        del session.pages[next(iter(session.pages))]
    return token


def _search_asked(session: Session) -> Json:
    """The parameters of /search/jql from query or body, as strings and lists."""
    if session.body is None:
        said: Json = {**session.query, "fields": session.many("fields"), "properties": session.many("properties")}
        said["expand"] = ",".join(session.many("expand"))
        said["maxResults"] = session.number("maxResults", 50)
        said["reconcileIssues"] = [int(one) if one.isdecimal() else one for one in session.many("reconcileIssues")]
    else:
        said = session.members(*_JQL_MEMBERS)
        if any(value is None for value in said.values()) or not isinstance(said.get("expand", ""), str):
            raise Refusal(400, _INVALID)
        said = {**said, **{name: _texts(said, name) for name in ("fields", "properties")}}
    if len(said.get("properties", [])) > 5:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "At most 5 properties can be requested.")
    defaults: Json = {"jql": "", "maxResults": 50, "nextPageToken": "", "fields": [], "expand": "", "properties": []}
    return {**defaults, **said, "reconcileIssues": _reconciled(said.get("reconcileIssues", []))}


def _reconciled(said: list[Any]) -> frozenset[str]:
    """The issues, by their numeric ids, that a search must see as they are. Raises Refusal(400)."""
    if not all(isinstance(one, int) for one in said):
        raise Refusal(400, _INVALID)
    if len(said) > 50:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "At most 50 issues can be reconciled.")
    return frozenset(str(one) for one in said)


def _texts(said: Json, name: str) -> list[str]:
    """A list of texts in a body (or one, with commas). Raises Refusal(400) for anything else."""
    value = said.get(name) or []
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refusal(400, _INVALID)
    return value


def approximate_count(session: Session) -> Json:
    said = str(session.members("jql", required=("jql",))["jql"])
    if session.anonymous:
        return {"count": 0}
    query = parse(said, session)
    if not query.bounded:
        raise Refusal(400, _UNBOUNDED)
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
    found = _found(session, said.get("jql") or "")
    page = _still_there(session, found[start : start + size])
    shown = [shapes.issue(session, one, names, expand=expand, search=True) for one in page]
    return {"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found), "issues": shown}


def _found(session: Session, jql: str) -> list[str]:
    """The ids a query finds now. Found again only after a write: an offset is asked for many times."""
    if session.anonymous:
        return []
    if _RELATIVE.search(jql) or session.store.index_lag:
        return [one.id for one in parse(jql, session).run(session)]
    key = f"{session.token.user} {session.token.projects} {len(session.store.log)} {jql}"
    if key not in session.found:
        session.found.clear()
        session.found[key] = [one.id for one in parse(jql, session).run(session)]
    return session.found[key]


def changelog_bulk(session: Session) -> Json:
    """Cloud: the whole history of up to 1000 issues, oldest first; an issue may be spread over pages."""
    said = session.members("issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken", required=("issueIdsOrKeys",))
    keys, only = said["issueIdsOrKeys"], said.get("fieldIds")
    if any(value is None for value in said.values()) or not isinstance(keys, list) or not 1 <= len(keys) <= 1000:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "issueIdsOrKeys must hold 1 to 1000 issues.")
    if only is not None and (len(only) > 10 or len(set(only)) != len(only)):  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "fieldIds must hold at most 10 different ids.")
    wanted = None if only is None else frozenset(str(one) for one in only)
    size = said.get("maxResults", 1000)
    if not isinstance(size, int) or not 1 <= size <= 10000:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "maxResults must be between 1 and 10000.")
    if said.get("nextPageToken"):
        found, place = _kept(session, said["nextPageToken"])
    else:
        found, place = _entries(session, keys, wanted), 0
    logs: dict[str, list[Json]] = {}
    for held, entry in found[place : place + size]:
        logs.setdefault(held.id, []).append(history.history(session, entry, held, wanted))
    answer: Json = {"issueChangeLogs": [{"issueId": id_, "changeHistories": page} for id_, page in logs.items()]}
    if len(found) > place + size:
        answer["nextPageToken"] = _keep(session, found, place + size)
    return answer


def _entries(session: Session, keys: list[object], only: frozenset[str] | None) -> list[tuple[Issue, History]]:
    found = []
    for key in dict.fromkeys(str(one) for one in keys):
        try:
            held = session.issue(key)
        except Refusal:
            continue
        found += [(held, one) for one in history.seen_history(session, held) if history.touches(one, only)]
    return found
