"""Records of the sandbox as Jira's JSON. Reads, never writes.

Rules:

1. What a real tracker said (``given``) is passed on as it was said, with the addresses turned to this server; what it
   did not say (``absent``) is left out.
2. An issue's history comes newest first and capped on Cloud where the issue is expanded, complete and oldest first on
   Data Center; ``total`` always says how many entries there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.jira.stand_in.session import Session
from connectors.jira.stand_in.text import as_document, as_wiki
from connectors.sandbox.nouns import Body, Comment, History, Issue, IssueLink, Item, Project, Version, WebLink
from policies.issue import Word

Json = dict[str, Any]

EXPANDED_HISTORY = 40
"""How many history entries Cloud shows of an expanded issue."""

FORMER_USER = "Former user"
"""What Cloud calls a deleted account."""

EMBEDDED_COMMENTS = 20
"""How many comments Cloud shows in a search result; the rest is read at ``/issue/{key}/comment``."""

CATEGORIES: dict[str, Json] = {
    "undefined": {"id": 1, "key": "undefined", "colorName": "medium-gray", "name": "No Category"},
    "new": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "indeterminate": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
_FOREIGN = re.compile(r"^https?://[^/]+(?:/[^/]+)?(/rest/(?:api|agile)/[^/]+)")
_STANDARD = (
    "summary", "status", "priority", "labels", "created", "updated", "duedate", "assignee", "reporter", "creator",
    "resolution", "resolutiondate", "issuetype", "fixVersions", "issuelinks", "comment", "description", "project",
    "components",
)  # fmt: skip
_FIELD_IDS = {
    "title": "summary", "type": "issuetype", "assignees": "assignee", "due": "duedate", "fix_versions": "fixVersions",
    "issue_link": "issuelinks", "web_link": "", "key": "issuekey",
}  # fmt: skip


def stamp(at: datetime) -> str:
    """``2026-11-21T10:00:00.000+0000``."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}+0000"


def body(session: Session, text: Body | None) -> Body | None:
    """A text in the form of the API's version."""
    return as_document(text) if session.api == "3" else as_wiki(text)


def here(session: Session, value: Any) -> Any:
    """Foreign JSON with every ``self`` turned to this server."""
    if isinstance(value, list):
        return [here(session, one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _FOREIGN.sub(session.rest, one) if name == "self" and isinstance(one, str) else here(session, one)
        for name, one in value.items()
    }


# --------------------------------------------------------------------------------------------------- people and words


def user(session: Session, id_: str) -> Json | None:
    """A person; None for nobody, for one the source did not name, and on Data Center for one who was deleted."""
    if id_ not in session.people:
        session.people[id_] = _user(session, id_)
    return session.people[id_]


def _user(session: Session, id_: str) -> Json | None:
    found = session.store.users.get(id_)
    if found is None or (found.deleted and not session.cloud):
        return None
    if found.deleted:
        return {
            "self": f"{session.rest}/user?accountId={found.id}", "accountId": found.id, "accountType": "unknown",
            "displayName": FORMER_USER, "active": False,
        }  # fmt: skip
    said = here(session, found.given)
    if session.cloud:
        kind = "app" if found.bot else "customer" if found.customer else "atlassian"
        own: Json = {"self": f"{session.rest}/user?accountId={found.id}", "accountId": found.id, "accountType": kind}
    else:
        own = {"self": f"{session.rest}/user?username={found.username}", "name": found.username, "key": found.id}
    own |= {"displayName": found.name, "active": found.active, "timeZone": found.zone}
    if found.email:
        own["emailAddress"] = found.email
    return {**own, **said}


def named(session: Session, kind: str, word: Word, locale: str | None = None) -> str:
    """What a word is called in a language, by default the account's."""
    chosen = session.locale if locale is None else locale
    return session.store.world.translations.get((chosen, kind, word.id), word.name) if chosen else word.name


def status(session: Session, word: Word) -> Json:
    category = {**CATEGORIES.get(word.group, CATEGORIES["undefined"])}
    category["self"] = f"{session.rest}/statuscategory/{category['id']}"
    return {
        "self": f"{session.rest}/status/{word.id}", "description": "", "iconUrl": f"{session.base}/images/status.png",
        "name": named(session, "status", word), "id": word.id, "statusCategory": category,
    }  # fmt: skip


def word(session: Session, kind: str, held: Word) -> Json:
    """A priority, issue type, resolution or component (``kind`` as in its address)."""
    shape: Json = {"self": f"{session.rest}/{kind}/{held.id}", "id": held.id, "name": named(session, kind, held)}
    if kind == "issuetype":
        shape |= {"description": "", "subtask": False}
    if kind == "priority":
        shape |= {"iconUrl": f"{session.base}/images/priority.png"}
    if kind == "resolution":
        shape |= {"description": ""}
    return shape


def version(session: Session, held: Version) -> Json:
    project = session.store.projects[held.project]
    shape: Json = {
        "self": f"{session.rest}/version/{held.id}", "id": held.id, "name": held.name, "archived": held.archived,
        "released": held.released, "projectId": project.id,
    }  # fmt: skip
    for name in ("released", "archived"):
        if shape[name] is None:
            del shape[name]
    if held.description:
        shape["description"] = held.description
    if held.release_date:
        shape["releaseDate"] = held.release_date.isoformat()
    return {**shape, **here(session, held.given)}


def project(session: Session, held: Project, *, full: bool = False) -> Json:
    shape: Json = {
        "self": f"{session.rest}/project/{held.id}", "id": str(held.id), "key": held.key, "name": held.name,
        "projectTypeKey": "service_desk" if held.service_desk else "software", "simplified": False,
    }  # fmt: skip
    shape |= here(session, held.given)
    if full:
        shape["issueTypes"] = [word(session, "issuetype", one) for one in held.types]
        shape["versions"] = [version(session, one) for one in held.versions.values()]
        shape["components"] = [word(session, "component", one) for one in held.components]
    return shape


# -------------------------------------------------------------------------------------------------------------- issue


def issue(session: Session, held: Issue, fields: Iterable[str], *, expand: str = "", search: bool = False) -> Json:
    """An issue with the asked fields (names, ``*all``, ``*navigable``, ``-name``).

    ``search``: as one of many: on Cloud its comments are capped.
    """
    shape: Json = {
        "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
        "id": held.id, "self": f"{session.rest}/issue/{held.id}", "key": held.key,
    }  # fmt: skip
    asked = list(fields)
    shape["fields"] = {
        name: value for name in _names(held, asked) if (value := _field(session, held, name, search=search)) is not _NO
    }
    if not shape["fields"] and asked == ["id"]:
        del shape["fields"]
    if "changelog" in expand.split(","):
        shape["changelog"] = changelog(session, held)
    return shape


_NO = object()


def _names(held: Issue, asked: list[str]) -> list[str]:
    every = list(dict.fromkeys([*_STANDARD, *held.given, *held.extra]))
    names: dict[str, None] = {}
    for name in asked or ["*all"]:
        if name == "*all":
            names |= dict.fromkeys(every)
        elif name == "*navigable":
            names |= dict.fromkeys(one for one in every if one not in {"comment", "description"})
        elif not name.startswith("-"):
            names[name] = None
    if all(name.startswith("-") for name in asked):
        names |= dict.fromkeys(every)
    return [name for name in names if f"-{name}" not in asked]


def _field(session: Session, held: Issue, name: str, *, search: bool) -> Any:
    if name in held.absent:
        return _NO
    if name == "comment":
        return comments(session, held, capped=search and session.cloud)
    if name == "issuelinks":
        own = [link(session, one, held) for one in held.links]
        return [*here(session, held.given.get(name) or []), *own]
    if name in {"description", "environment"} and name in held.given:
        return body(session, held.given[name])
    if name in held.given:
        return here(session, held.given[name])
    if name in _READ:
        return _READ[name](session, held)
    return body(session, held.extra[name]) if name == "environment" else held.extra.get(name, _NO)


def _word_of(kind: str, attribute: str, session: Session, held: Issue) -> Json | None:
    wanted = getattr(held, attribute)
    home = session.home(held)
    words = {"priority": home.priorities, "issuetype": home.types, "resolution": home.resolutions}[kind]
    found = next((one for one in words if one.id == wanted), None)
    return word(session, kind, found) if found else None


def _status_of(session: Session, held: Issue) -> Json | None:
    found = session.home(held).status(held.status)
    return status(session, found) if found else None


def _versions_of(session: Session, held: Issue) -> list[Json]:
    known = session.home(held).versions
    return [version(session, known[one]) for one in held.fix_versions]


def _components_of(session: Session, held: Issue) -> list[Json]:
    known = {one.id: one for one in session.home(held).components}
    return [word(session, "component", known[one]) for one in held.components if one in known]


_READ: dict[str, Callable[[Session, Issue], Any]] = {
    "summary": lambda _, held: held.title,
    "description": lambda session, held: body(session, held.description),
    "status": _status_of,
    "priority": partial(_word_of, "priority", "priority"),
    "issuetype": partial(_word_of, "issuetype", "type"),
    "resolution": partial(_word_of, "resolution", "resolution"),
    "resolutiondate": lambda _, held: stamp(held.resolved_at) if held.resolved_at else None,
    "labels": lambda _, held: list(held.labels),
    "created": lambda _, held: stamp(held.created),
    "updated": lambda _, held: stamp(held.updated),
    "duedate": lambda _, held: held.due.isoformat() if held.due else None,
    "assignee": lambda session, held: user(session, held.assignees[0]) if held.assignees else None,
    "reporter": lambda session, held: user(session, held.reporter),
    "creator": lambda session, held: user(session, held.creator),
    "fixVersions": _versions_of,
    "components": _components_of,
    "project": lambda session, held: project(session, session.home(held)),
}


def link(session: Session, held: IssueLink, seen_from: Issue) -> Json:
    """A link as one end sees it: the source sees its target as ``outwardIssue``."""
    name, inward, outward = session.store.world.link_types[held.type]
    at_source = held.source == seen_from.id
    other = session.store.issues[held.target if at_source else held.source]
    about = {
        "id": other.id, "key": other.key, "self": f"{session.rest}/issue/{other.id}",
        "fields": {"summary": other.title, "status": _status_of(session, other)},
    }  # fmt: skip
    return {
        "id": held.id,
        "self": f"{session.rest}/issueLink/{held.id}",
        "type": {"id": held.type, "name": name, "inward": inward, "outward": outward},
        "outwardIssue" if at_source else "inwardIssue": about,
    }


def web_link(session: Session, held: WebLink, on: Issue) -> Json:
    return {"id": held.id, "self": f"{session.rest}/issue/{on.key}/remotelink/{held.id}", **held.data}


# ----------------------------------------------------------------------------------------------------------- comments


def comments(session: Session, held: Issue, *, capped: bool) -> Json:
    """The comment field. ``total`` counts what this server can give, not what the source said it once had."""
    shown = held.comments[:EMBEDDED_COMMENTS] if capped else held.comments
    return {
        "comments": [comment(session, one, held) for one in shown],
        "self": f"{session.rest}/issue/{held.id}/comment",
        "maxResults": len(shown),
        "total": len(held.comments),
        "startAt": 0,
    }


def comment(session: Session, held: Comment, on: Issue, *, properties: bool = False) -> Json:
    shape: Json = {
        "self": f"{session.rest}/issue/{on.id}/comment/{held.id}", "id": held.id,
        "author": user(session, held.author), "body": body(session, held.body),
        "updateAuthor": user(session, held.editor or held.author),
        "created": stamp(held.created), "updated": stamp(held.updated),
    }  # fmt: skip
    if session.cloud or session.home(on).service_desk:
        shape["jsdPublic"] = not held.internal
    if held.visibility:
        shape["visibility"] = held.visibility
    for name in ("author", "updateAuthor"):
        if shape[name] is None:
            del shape[name]
    said = {name: value for name, value in held.given.items() if name not in {"self", "body"}}
    shape |= here(session, said)
    if properties and held.properties:
        shape["properties"] = [{"key": key, "value": value} for key, value in held.properties.items()]
    return shape


# ------------------------------------------------------------------------------------------------------------ history


def seen_history(session: Session, held: Issue) -> list[History]:
    """Oldest first, cut by a fault where one is at work."""
    return (
        held.history
        if session.keep is None
        else held.history[len(held.history) - min(session.keep, len(held.history)) :]
    )


def history_total(held: Issue) -> int:
    return len(held.history) if held.history_total is None else held.history_total


def changelog(session: Session, held: Issue) -> Json:
    """What ``expand=changelog`` gives."""
    shown = seen_history(session, held)
    if session.cloud:
        shown = list(reversed(shown[-EXPANDED_HISTORY:]))
    entries = [history(session, one, held) for one in shown]
    return {"startAt": 0, "maxResults": len(entries), "total": history_total(held), "histories": entries}


def history(session: Session, held: History, on: Issue, only: frozenset[str] | None = None) -> Json:
    """One entry; ``only`` keeps the items of some field ids."""
    kept = held.items if only is None else [item for item in held.items if _touched(item) in only]
    items = [shaped for item in kept for shaped in _items(session, item, on, held.actor)]
    shape: Json = {"id": str(held.id), "created": stamp(held.at), "items": items}
    if (author := user(session, held.actor)) is not None:
        shape["author"] = author
    if held.given is not None:
        shape |= here(session, held.given)
    elif held.metadata:
        shape["historyMetadata"] = held.metadata
    return shape


def touches(held: History, only: frozenset[str] | None) -> bool:
    """Whether an entry has an item of these field ids."""
    return bool(held.items) if only is None else any(_touched(item) in only for item in held.items)


def _touched(item: Item) -> str:
    """The id of an item's field; a loaded item of Data Center gives only its name."""
    if item.given is not None:
        return str(item.given.get("fieldId") or _IDS_BY_NAME.get(item.given["field"], item.given["field"]))
    return _FIELD_IDS.get(item.field, item.field)


_IDS_BY_NAME = {"Fix Version": "fixVersions", "Component": "components"}


def _items(session: Session, item: Item, on: Issue, actor: str) -> list[Json]:
    if item.given is not None:
        return [dict(item.given)]
    home = session.home(on)
    if item.field == "fix_versions":
        names = {one.id: one.name for one in home.versions.values()}
        return _one_each(session, "Fix Version", "fixVersions", item, names)
    if item.field == "components":
        return _one_each(session, "Component", "components", item, {one.id: one.name for one in home.components})
    if item.field in {"issue_link", "web_link"}:
        return [_linked(session, item)]
    if item.field in {"project", "key"}:
        return [_moved(session, item)]
    by = session.store.users.get(actor)
    locale = by.locale if by else ""
    before = _said(session, home, item.field, item.before, locale)
    after = _said(session, home, item.field, item.after, locale)
    name = _FIELD_IDS.get(item.field, item.field)
    kind = "custom" if name.startswith("customfield_") else "jira"
    return [_item(session, name, name, before, after, kind=kind)]


Side = tuple[str | None, str | None]


def _item(session: Session, name: str, id_: str, before: Side, after: Side, *, kind: str = "jira") -> Json:
    shape: Json = {"field": name, "fieldtype": kind}
    if session.cloud and id_:
        shape["fieldId"] = id_
    return {**shape, "from": before[0], "fromString": before[1], "to": after[0], "toString": after[1]}


def _one_each(session: Session, name: str, id_: str, item: Item, names: dict[str, str]) -> list[Json]:
    gone = [one for one in item.before if one not in item.after]
    come = [one for one in item.after if one not in item.before]
    lost = [_item(session, name, id_, (one, names.get(one)), (None, None)) for one in gone]
    return lost + [_item(session, name, id_, (None, None), (one, names.get(one))) for one in come]


def _linked(session: Session, item: Item) -> Json:
    def said(value: Json | None) -> Side:
        if value is None:
            return None, None
        if item.field == "issue_link":
            _, inward, outward = session.store.world.link_types[value["type"]]
            return value["key"], f"This issue {outward if value['outward'] else inward} {value['key']}"
        link = value["data"]
        app = (link.get("application") or {}).get("name") or "Web Link"
        return str(value["id"]), f'This issue links to "{link["object"]["title"]} ({app})"'

    name = "Link" if item.field == "issue_link" else "RemoteIssueLink"
    return _item(session, name, "issuelinks" if item.field == "issue_link" else "", said(item.before), said(item.after))


def _moved(session: Session, item: Item) -> Json:
    """Of an issue that went to another project: the project by id and name, the key by itself."""
    if item.field == "key":
        return _item(session, "Key", "issuekey", (None, item.before), (None, item.after))
    old, new = (session.store.projects[one] for one in (item.before, item.after))
    return _item(session, "project", "project", (str(old.id), old.name), (str(new.id), new.name))


_WORDS = {"status": "statuses", "priority": "priorities", "type": "types", "resolution": "resolutions"}


def _said(session: Session, home: Project, name: str, value: Any, locale: str) -> Side:
    """One side of an item: (from, fromString), its words in the language of who made the change."""
    if name in _WORDS:
        found = next((one for one in getattr(home, _WORDS[name]) if one.id == value), None)
        if found is None:
            return value, None
        return found.id, named(session, _FIELD_IDS.get(name, name), found, locale)
    if name == "labels":
        return "", " ".join(value)
    if name in {"assignees", "reporter"}:
        person = session.store.users.get(value if isinstance(value, str) else next(iter(value), ""))
        if person is None:
            return None, None
        id_ = person.id if session.cloud else person.username
        return id_, (FORMER_USER if session.cloud else id_) if person.deleted else person.name
    if name == "due":
        return (value.isoformat(), f"{value.isoformat()} 00:00:00.0") if value else (None, None)
    if name in {"title", "description"}:
        return None, as_wiki(value)
    return None, None if value is None else str(value)
