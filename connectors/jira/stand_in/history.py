"""The history of an issue as Jira's JSON.

Rules:

1. It comes newest first and capped on Cloud where the issue is expanded, complete and oldest first on Data Center;
   ``total`` always says how many entries there are.
2. Ids are what counts; the names beside them are in the language of who made the change.
"""

from __future__ import annotations

from typing import Any

from connectors.jira.stand_in.session import Session
from connectors.jira.stand_in.text import as_wiki
from connectors.jira.stand_in.words import FORMER_USER, here, named, stamp, user
from connectors.sandbox.nouns import History, Issue, Item, Project

Json = dict[str, Any]

EXPANDED_HISTORY = 40
"""How many history entries Cloud shows of an expanded issue."""

_FIELD_IDS = {
    "title": "summary", "type": "issuetype", "assignees": "assignee", "due": "duedate", "fix_versions": "fixVersions",
    "issue_link": "issuelinks", "web_link": "", "key": "issuekey",
}  # fmt: skip


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
        known = (home.key, name, value, locale)
        if known not in session.words:
            found = next((one for one in getattr(home, _WORDS[name]) if one.id == value), None)
            shown = None if found is None else named(session, _FIELD_IDS.get(name, name), found, locale)
            session.words[known] = (value, shown)
        return session.words[known]
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
