"""What a body wants changed on an issue, checked as a whole before anything is written.

Rules:

1. All or nothing: every fault of a body is found and told at once (``errors``: field -> text), and then nothing is done.
2. A field stands in ``fields`` or in ``update``, not in both, and only where the project's screen has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.jira.stand_in.session import Refusal, Session
from connectors.jira.stand_in.text import fault_in
from connectors.sandbox.nouns import Body, Issue, Project
from policies.issue import Word

Json = dict[str, Any]

_PROPERTY_BYTES = 32768
_KEY_LENGTH = 255
_WORDS = {"priority": "priorities", "issuetype": "types", "resolution": "resolutions"}
_LISTS = {"labels": "labels", "fixVersions": "fix_versions", "components": "components"}


@dataclass(slots=True)
class Edit:
    """A checked body: what to hand to the store.

    Attributes:
        changes: as ``store.edit`` takes them.
        comments: (verb, comment id or "", body, options) in order.
        links: (source, target, type id).
    """

    changes: Json = field(default_factory=dict)
    comments: list[tuple[str, str, Body, Json]] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    metadata: Json | None = None

    def write(self, session: Session, issue: Issue, at: datetime) -> None:
        """Carry it out, under one instant."""
        store, actor = session.store, session.actor
        if self.changes:
            store.edit(issue.id, self.changes, actor=actor, at=at, metadata=self.metadata)
        for verb, id_, text, options in self.comments:
            if verb == "add":
                store.comment(issue.id, text, actor=actor, at=at, **options)
            elif verb == "edit":
                store.edit_comment(issue.id, id_, text, actor=actor, at=at)
            else:
                store.remove_comment(issue.id, id_, actor=actor, at=at)
        for source, target, type_ in self.links:
            store.link_issues(source, target, type_, actor=actor, at=at)
        for key, value in self.properties.items():
            store.set_property(issue.id, key, value, actor=actor, at=at)


def read_edit(session: Session, home: Project, said: Mapping[str, Any], issue: Issue | None) -> Edit:
    """The body of an edit, a transition or (``issue`` None) a creation. Raises Refusal(400) with all that is wrong."""
    edit, errors = Edit(), dict[str, str]()
    fields, update = _object(said, "fields"), _object(said, "update")
    for name in fields.keys() & update.keys():
        errors[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'"
    for name, value in fields.items():
        _collect(errors, name, lambda name=name, value=value: _set(session, home, edit, name, value))
    for name, operations in update.items():
        _collect(errors, name, lambda name=name, value=operations: _update(session, home, edit, name, value, issue))
    _collect(errors, "properties", lambda: edit.properties.update(_properties(said.get("properties"))))
    if errors:
        raise Refusal(400, errors=errors)
    metadata = said.get("historyMetadata")
    edit.metadata = metadata if isinstance(metadata, dict) else None
    return edit


class _Fault(Exception):
    """One field is wrong; the text says how."""


def _collect(errors: dict[str, str], name: str, work: Any) -> None:
    try:
        work()
    except _Fault as fault:
        errors.setdefault(name, str(fault))


def _object(said: Mapping[str, Any], name: str) -> Json:
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise Refusal(400, f"'{name}' must be an object.")
    return value


def _on_screen(home: Project, name: str) -> None:
    if home.screen is not None and name not in home.screen:
        raise _Fault(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")


def _set(session: Session, home: Project, edit: Edit, name: str, value: Any) -> None:
    """One member of ``fields`` (or a ``set`` of ``update``)."""
    _on_screen(home, name)
    if name == "summary":
        edit.changes["title"] = _summary(value)
    elif name in {"description", "environment"}:
        edit.changes[name] = text(session, value, name)
    elif name in _WORDS:
        found = _word(getattr(home, _WORDS[name]), value, name)
        edit.changes["type" if name == "issuetype" else name] = None if found is None else found.id
    elif name in {"assignee", "reporter"}:
        person = _person(session, value, name)
        edit.changes.update({"assignees": [person] if person else []} if name == "assignee" else {"reporter": person})
    elif name == "duedate":
        edit.changes["due"] = _date(value)
    elif name in _LISTS:
        if not isinstance(value, list):
            raise _Fault("data was not an array")
        edit.changes[_LISTS[name]] = list(dict.fromkeys(_element(home, name, one) for one in value))
    elif name.startswith("customfield_"):
        edit.changes[name] = value
    else:
        raise _Fault(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")


def _update(session: Session, home: Project, edit: Edit, name: str, operations: Any, issue: Issue | None) -> None:
    """One member of ``update``: a list of {verb: value}."""
    _on_screen(home, name)
    if not isinstance(operations, list) or not all(isinstance(one, dict) and len(one) == 1 for one in operations):
        raise _Fault("operations must be a list of objects with one verb each")
    for operation in operations:
        ((verb, value),) = operation.items()
        if name == "comment":
            edit.comments.append(_comment(session, verb, value, issue))
        elif name == "issuelinks":
            edit.links.append(_link(session, verb, value, issue))
        elif verb == "set":
            _set(session, home, edit, name, value)
        elif name in _LISTS and verb in {"add", "remove"}:
            attribute = _LISTS[name]
            held = edit.changes.get(attribute, getattr(issue, attribute) if issue else [])
            one = _element(home, name, value)
            rest = [other for other in held if other != one]
            edit.changes[attribute] = ([*held, one] if one not in held else held) if verb == "add" else rest
        else:
            raise _Fault(f"Operation '{verb}' is not supported by field '{name}'.")


def _summary(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Fault("You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise _Fault("The summary is invalid because it contains newline characters.")
    if len(value) > _KEY_LENGTH:
        raise _Fault("Summary must be less than 255 characters.")
    return value


def text(session: Session, value: Any, name: str) -> Body | None:
    """A text in the form of the API's version; anything else is a fault."""
    if value is None:
        return None
    if session.api == "3":
        if wrong := fault_in(value):
            what = (
                "Comment body is not valid!" if name == "comment" else "Operation value must be an Atlassian Document"
            )
            raise _Fault(f"{what} ({wrong})")
        return dict(value)
    if not isinstance(value, str):
        raise _Fault("Operation value must be a string")
    return value


def _word(words: list[Word], value: Any, name: str) -> Word | None:
    if value is None and name != "issuetype":
        return None
    if not isinstance(value, dict):
        raise _Fault(f"Could not find valid 'id' or 'name' in {name} object.")
    for member in ("id", "name"):
        if value.get(member) is not None:
            found = next((one for one in words if getattr(one, member) == str(value[member])), None)
            if found is None:
                raise _Fault(
                    f"The {name} selected is invalid."
                    if member == "id"
                    else f"{name} name '{value[member]}' is not valid"
                )
            return found
    raise _Fault(f"Could not find valid 'id' or 'name' in {name} object.")


def _person(session: Session, value: Any, name: str) -> str:
    if value is None or (isinstance(value, dict) and value and all(one is None for one in value.values())):
        return ""
    found = session.find_user(value)
    if found is None or not found.active:
        raise _Fault(f"User '{_named(value)}' does not exist or cannot be {name}.")
    if name == "assignee" and not session.token.may("assign"):
        raise _Fault("You do not have permission to assign issues.")
    return found.id


def _named(value: Any) -> str:
    return str(next(iter(value.values()), "")) if isinstance(value, dict) else str(value)


def _date(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Fault("Operation value must be a date of the form yyyy-MM-dd") from None


def _element(home: Project, name: str, value: Any) -> str:
    """One label, or the id of one version or component."""
    if name == "labels":
        if not isinstance(value, str) or not value:
            raise _Fault("The label must be a string.")
        if any(char.isspace() for char in value):
            raise _Fault(f"The label '{value}' contains spaces which is invalid.")
        if len(value) > _KEY_LENGTH:
            raise _Fault(f"The label '{value[:20]}...' exceeds the maximum length for single label of 255 characters.")
        return value
    known = [Word(one.id, one.name) for one in home.versions.values()] if name == "fixVersions" else home.components
    found = _word(known, value, "version" if name == "fixVersions" else "component")
    assert found is not None or value is None
    if found is None:
        raise _Fault("An entry of the list is empty.")
    return found.id


def _comment(session: Session, verb: str, value: Any, issue: Issue | None) -> tuple[str, str, Body, Json]:
    if not session.token.may("comment"):
        raise Refusal(403, "You do not have permission to comment on this issue.")
    if not isinstance(value, dict):
        raise _Fault("Comment must be an object.")
    id_ = str(value.get("id", ""))
    if verb not in {"add", "edit", "remove"}:
        raise _Fault(f"Operation '{verb}' is not supported by field 'comment'.")
    if verb != "add" and (issue is None or issue.comment(id_) is None):
        raise _Fault(f"Can not find a comment for the id: {id_}.")
    if verb == "remove":
        return verb, id_, "", {}
    return verb, id_, comment_text(session, value.get("body")), comment_options(value)


def comment_text(session: Session, value: Any) -> Body:
    """The body of a comment, which may not be empty."""
    if not value or (isinstance(value, dict) and not value.get("content")):
        raise _Fault("Comment body can not be empty!")
    found = text(session, value, "comment")
    assert found is not None
    return found


def comment_options(value: Mapping[str, Any]) -> Json:
    """Visibility and properties; ``sd.public.comment`` makes it internal."""
    properties = _properties(value.get("properties"))
    internal = properties.get("sd.public.comment", {})
    if not isinstance(value.get("visibility", None) or {}, dict):
        raise _Fault("visibility must be an object")
    return {
        "visibility": value.get("visibility"),
        "properties": properties,
        "internal": isinstance(internal, dict) and internal.get("internal") is True,
    }


def checked_comment(session: Session, said: Mapping[str, Any]) -> tuple[Body, Json]:
    """Body and options of a comment of its own. Raises Refusal(400)."""
    try:
        return comment_text(session, said.get("body")), comment_options(said)
    except _Fault as fault:
        raise Refusal(400, errors={"comment": str(fault)}) from None


def _properties(said: Any) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, list) or not all(isinstance(one, dict) and one.get("key") for one in said):
        raise _Fault("properties must be a list of objects with key and value")
    for one in said:
        if wrong := property_fault(str(one["key"]), one.get("value")):
            raise _Fault(wrong)
    return {str(one["key"]): one.get("value") for one in said}


def property_fault(key: str, value: Any) -> str:
    """What is wrong with an entity property, "" if nothing is."""
    if len(key) > _KEY_LENGTH:
        return "The property key must be at most 255 characters long."
    if len(json.dumps(value, ensure_ascii=False).encode()) > _PROPERTY_BYTES:
        return "The property value must be at most 32768 bytes long."
    return ""


def link_type(session: Session, said: Any) -> str:
    """The id of a link type named by id or name. Raises Refusal(404)."""
    said = said if isinstance(said, dict) else {}
    for id_, (name, _, _) in session.store.world.link_types.items():
        if str(said.get("id", "")) == id_ or str(said.get("name", "")).lower() == name.lower():
            return id_
    raise Refusal(404, f"No issue link type with name '{said.get('name')}' found.")


def _link(session: Session, verb: str, value: Any, issue: Issue | None) -> tuple[str, str, str]:
    if verb != "add" or not isinstance(value, dict) or issue is None:
        raise _Fault(f"Operation '{verb}' is not supported by field 'issuelinks'.")
    if not session.token.may("link"):
        raise _Fault("You do not have permission to link issues.")
    try:
        type_ = link_type(session, value.get("type"))
        if (end := value.get("outwardIssue")) is not None:
            return issue.id, session.issue(str(end.get("key") or end.get("id"))).id, type_
        end = value.get("inwardIssue") or {}
        return session.issue(str(end.get("key") or end.get("id"))).id, issue.id, type_
    except Refusal as refusal:
        raise _Fault(refusal.messages[0]) from None
