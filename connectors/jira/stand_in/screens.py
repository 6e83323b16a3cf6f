"""Which fields there are and which of them may be edited where: one table for ``field``, ``editmeta`` and every edit.

Rules:

1. What ``editmeta`` shows, an edit takes; what it does not show, an edit refuses.
2. A field that the server fills in itself (a service desk's SLAs and request type) is shown and never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.jira.stand_in import shapes
from connectors.jira.stand_in.session import Session
from connectors.jira.stand_in.words import word
from connectors.sandbox.nouns import Issue, Project

Json = dict[str, Any]

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("summary", "Summary", "string"), ("issuetype", "Issue Type", "issuetype"), ("status", "Status", "status"),
    ("priority", "Priority", "priority"), ("labels", "Labels", "array:string"), ("assignee", "Assignee", "user"),
    ("reporter", "Reporter", "user"), ("creator", "Creator", "user"), ("created", "Created", "datetime"),
    ("updated", "Updated", "datetime"), ("duedate", "Due date", "date"), ("resolution", "Resolution", "resolution"),
    ("resolutiondate", "Resolved", "datetime"), ("fixVersions", "Fix versions", "array:version"),
    ("versions", "Affects versions", "array:version"),
    ("components", "Components", "array:component"), ("description", "Description", "string"),
    ("environment", "Environment", "string"),
    ("comment", "Comment", "comments-page"), ("issuelinks", "Linked Issues", "array:issuelinks"),
    ("project", "Project", "project"),
)  # fmt: skip
SERVICE_DESK = "com.atlassian.servicedesk:"
"""How the types of fields begin that the service desk fills in."""

_NAMES = {id_: (name, kind) for id_, name, kind in FIELDS}
_SET, _LIST = frozenset({"set"}), frozenset({"add", "set", "remove"})
_VERBS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("summary", "description", "environment", "priority", "assignee", "reporter"), _SET),
    **dict.fromkeys(("duedate", "issuetype"), _SET),
    **dict.fromkeys(("labels", "fixVersions", "components"), _LIST),
    "comment": frozenset({"add", "edit", "remove"}),
    "issuelinks": frozenset({"add"}),
}
_ON_CLOSING = frozenset({"resolution", "assignee", "fixVersions", "comment"})
_REQUIRED = frozenset({"summary", "issuetype"})
_UNKNOWN_TYPE = "com.atlassian.jira.plugin.system.customfieldtypes:readonlyfield"


@dataclass(frozen=True, slots=True)
class Editable:
    """Attributes: verbs: what ``update`` may do; a field that knows ``set`` may stand in ``fields`` too."""

    name: str
    kind: str
    verbs: frozenset[str]


def edit_screen(session: Session, home: Project, issue: Issue | None) -> dict[str, Editable]:
    """The fields that may be edited, or given to a new issue (``issue`` None)."""
    found = {id_: Editable(*_NAMES[id_], verbs) for id_, verbs in _VERBS.items()}
    held = () if issue is None else (*issue.given, *issue.extra)
    for id_, (name, kind, custom) in custom_fields(session, held).items():
        if not custom.startswith(SERVICE_DESK):
            found[id_] = Editable(name, kind, _LIST if kind.startswith("array") else _SET)
    shown = {id_: one for id_, one in found.items() if home.screen is None or id_ in home.screen}
    return {
        id_: Editable(one.name, one.kind, one.verbs & home.operations.get(id_, one.verbs)) for id_, one in shown.items()
    }


def transition_screen(session: Session, home: Project, issue: Issue, *, closing: bool) -> dict[str, Editable]:
    """What may go with a transition: a comment always, and on the way to a done status what its screen asks."""
    on = {"comment"} | (_ON_CLOSING if closing else set())
    found = {id_: one for id_, one in edit_screen(session, home, issue).items() if id_ in on}
    return found | ({"resolution": Editable(*_NAMES["resolution"], _SET)} if closing else {})


def custom_fields(session: Session, held: Iterable[str]) -> Mapping[str, tuple[str, str, str]]:
    """Name, type and type's key of the custom fields that were made, and of those an issue holds without that."""
    loose = {id_: (id_, "any", _UNKNOWN_TYPE) for id_ in held if id_.startswith("customfield_")}
    return {**loose, **session.store.world.fields}


def field(id_: str, name: str, kind: str) -> Json:
    """A system field as ``/field`` shows it; ``kind`` is a type, with that of its items (``array:string``)."""
    return {
        "id": id_, "key": id_, "name": name, "custom": False, "orderable": True, "navigable": True,
        "searchable": True, "clauseNames": [id_.lower()], "schema": {**_typed(kind), "system": id_},
    }  # fmt: skip


def custom_field(id_: str, name: str, kind: str, custom: str) -> Json:
    number = _number(id_)
    return {
        "id": id_, "key": id_, "name": name, "custom": True, "orderable": True, "navigable": True,
        "searchable": True, "clauseNames": [f"cf[{number}]", name],
        "schema": {**_typed(kind), "custom": custom, "customId": number},
    }  # fmt: skip


def _number(id_: str) -> int:
    text = id_.removeprefix("customfield_")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _typed(kind: str) -> Json:
    kind, _, items = kind.partition(":")
    return {"type": kind} | ({"items": items} if items else {})


def edit_meta(session: Session) -> Json:
    """What may be edited on the issue's screen, how, and to what."""
    held = session.issue(session.path["key"])
    home = session.home(held)
    if not session.token.may("edit"):
        return {"fields": {}}
    return {"fields": shown(session, home, edit_screen(session, home, held))}


def shown(session: Session, home: Project, screen: Mapping[str, Editable]) -> Json:
    """A screen as Jira tells it: each field with its verbs and the values it may have."""
    answer = {}
    made = session.store.world.fields
    for id_, one in screen.items():
        schema = custom_field(id_, *made.get(id_, (id_, one.kind, _UNKNOWN_TYPE))) if id_ not in _NAMES else None
        answer[id_] = {
            "required": id_ in _REQUIRED, "schema": (schema or field(id_, one.name, one.kind))["schema"],
            "name": one.name, "key": id_, "operations": sorted(one.verbs),
        } | _allowed(session, home, id_)  # fmt: skip
    return answer


def _allowed(session: Session, home: Project, id_: str) -> Json:
    words = {"priority": home.priorities, "issuetype": home.types, "components": home.components}
    words["resolution"] = home.resolutions
    if id_ == "fixVersions":
        return {"allowedValues": [shapes.version(session, one) for one in home.versions.values()]}
    if id_ not in words:
        return {}
    kind = "component" if id_ == "components" else id_
    return {"allowedValues": [word(session, kind, one) for one in words[id_]]}
