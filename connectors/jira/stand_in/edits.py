"""What a body wants changed on an issue, checked as a whole before anything is written.

Rules:

1. All or nothing: every fault of a body is found and told at once (``errors``: field -> text; verbs that a field does
   not know in ``errorMessages``), and then nothing is done.
2. A field stands in ``fields`` or in ``update``, not in both, and only where the screen has it.
3. The changed fields of one request are one entry of the history. Links are entries of their own, and comments none,
   as at the vendor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.jira.stand_in import values
from connectors.jira.stand_in.screens import Editable, edit_screen
from connectors.jira.stand_in.session import Refusal, Session
from connectors.jira.stand_in.values import Wrong
from connectors.sandbox.nouns import Body, Issue, Project

Json = dict[str, Any]

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


def read_edit(
    session: Session,
    home: Project,
    said: Mapping[str, Any],
    issue: Issue | None,
    *,
    screen: Mapping[str, Editable] | None = None,
) -> Edit:
    """The body of an edit, a transition or (``issue`` None) a creation. Raises Refusal(400) with all that is wrong.

    ``screen``: the fields it may touch, where that is not the screen for editing.
    """
    reading = _Reading(session, home, issue, edit_screen(session, home, issue) if screen is None else screen)
    fields, update = _object(said, "fields"), _object(said, "update")
    for name in fields.keys() & update.keys():
        reading.errors[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'"
    for name, value in fields.items():
        reading.collect(name, lambda name=name, value=value: reading.do(name, "set", value))
    for name, operations in update.items():
        reading.collect(name, lambda name=name, value=operations: reading.update(name, value))
    edit = reading.edit
    reading.collect("properties", lambda: edit.properties.update(values.properties(said.get("properties"))))
    reading.collect("historyMetadata", lambda: reading.note(said.get("historyMetadata")))
    if reading.errors or reading.messages:
        raise Refusal(400, *reading.messages, errors=reading.errors)
    return edit


def _object(said: Mapping[str, Any], name: str) -> Json:
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise Refusal(400, f"'{name}' must be an object.")
    return value


class _Unsupported(Exception):
    """A field does not know a verb; the vendor tells it not by field but in a message."""


@dataclass(slots=True)
class _Reading:
    """An edit on the way from a body, with what was found wrong so far."""

    session: Session
    home: Project
    issue: Issue | None
    screen: Mapping[str, Editable]
    edit: Edit = field(default_factory=Edit)
    errors: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def collect(self, name: str, work: Any) -> None:
        try:
            work()
        except Wrong as wrong:
            self.errors.setdefault(name, str(wrong))
        except _Unsupported as unsupported:
            self.messages.append(str(unsupported))

    def note(self, said: Any) -> None:
        self.edit.metadata = values.history_metadata(said)

    def update(self, name: str, operations: Any) -> None:
        """One member of ``update``: a list of {verb: value}."""
        self._on_screen(name)
        if not isinstance(operations, list) or not all(isinstance(one, dict) and len(one) == 1 for one in operations):
            raise Wrong("operations must be a list of objects with one verb each")
        for operation in operations:
            ((verb, value),) = operation.items()
            self.do(name, verb, value)

    def do(self, name: str, verb: str, value: Any) -> None:
        """One verb on one field; a member of ``fields`` is a ``set``."""
        shown = self._on_screen(name)
        if verb not in shown.verbs:
            raise _Unsupported(
                f"Field with id '{name}' and name '{shown.name}' does not support operation '{verb}' "
                f"Supported operation(s) are: '{','.join(sorted(shown.verbs))}'"
            )
        if name == "comment":
            self.edit.comments.append(self._comment(verb, value))
        elif name == "issuelinks":
            self.edit.links.append(self._link(value))
        elif verb == "set":
            self._set(name, value)
        else:
            self._add_or_remove(name, verb, value)

    def _on_screen(self, name: str) -> Editable:
        if name not in self.screen:
            raise Wrong(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")
        return self.screen[name]

    def _set(self, name: str, value: Any) -> None:
        changes = self.edit.changes
        if name == "summary":
            changes["title"] = values.summary(value)
        elif name in {"description", "environment"}:
            changes[name] = values.text(self.session, value, name)
        elif name in _WORDS:
            found = values.word(getattr(self.home, _WORDS[name]), value, name)
            changes["type" if name == "issuetype" else name] = None if found is None else found.id
        elif name in {"assignee", "reporter"}:
            person = values.person(self.session, value, name)
            changes.update({"assignees": [person] if person else []} if name == "assignee" else {"reporter": person})
        elif name == "duedate":
            changes["due"] = values.day(value)
        elif name in _LISTS:
            if not isinstance(value, list):
                raise Wrong("data was not an array")
            changes[_LISTS[name]] = list(dict.fromkeys(values.element(self.home, name, one) for one in value))
        else:
            changes[name] = value

    def _add_or_remove(self, name: str, verb: str, value: Any) -> None:
        attribute = _LISTS.get(name, name)
        one = values.element(self.home, name, value) if name in _LISTS else value
        held = self.edit.changes.get(attribute, self._held(name))
        rest = [other for other in held if other != one]
        self.edit.changes[attribute] = ([*held, one] if one not in held else held) if verb == "add" else rest

    def _held(self, name: str) -> list[Any]:
        if self.issue is None:
            return []
        if name in _LISTS:
            found: list[Any] = getattr(self.issue, _LISTS[name])
            return found
        value = self.issue.extra.get(name, self.issue.given.get(name))
        return value if isinstance(value, list) else []

    def _comment(self, verb: str, value: Any) -> tuple[str, str, Body, Json]:
        if not self.session.token.may("comment"):
            raise Wrong("You do not have permission to comment on this issue.")
        if not isinstance(value, dict):
            raise Wrong("Comment must be an object.")
        if verb == "add":
            return verb, "", values.comment_text(self.session, value.get("body")), values.comment_options(value)
        id_ = str(value.get("id", ""))
        held = None if self.issue is None else self.issue.comment(id_)
        if held is None or ("remove", id_) in {one[:2] for one in self.edit.comments}:
            raise Wrong(f"Can not find a comment for the id: {id_}.")
        if held.author != self.session.actor and not self.session.token.may("admin"):
            raise Wrong(f"You do not have the permission to {'edit' if verb == 'edit' else 'delete'} this comment.")
        if verb == "remove":
            return verb, id_, "", {}
        return verb, id_, values.comment_text(self.session, value.get("body")), values.comment_options(value)

    def _link(self, value: Any) -> tuple[str, str, str]:
        if not isinstance(value, dict) or self.issue is None:
            raise Wrong("A link needs a type and an issue.")
        if not self.session.token.may("link"):
            raise Wrong("You do not have permission to link issues.")
        outward = value.get("outwardIssue") is not None
        end = value.get("outwardIssue") if outward else value.get("inwardIssue")
        try:
            type_ = link_type(self.session, value.get("type"))
            other = self.session.issue(str(end.get("key") or end.get("id")) if isinstance(end, dict) else "")
        except Refusal as refusal:
            raise Wrong(refusal.messages[0]) from None
        if other is self.issue:
            raise Wrong("You cannot link an issue to itself.")
        return (self.issue.id, other.id, type_) if outward else (other.id, self.issue.id, type_)


def link_type(session: Session, said: Any) -> str:
    """The id of a link type named by id or name. Raises Refusal(404)."""
    said = said if isinstance(said, dict) else {}
    for id_, (name, _, _) in session.store.world.link_types.items():
        if str(said.get("id", "")) == id_ or str(said.get("name", "")).lower() == name.lower():
            return id_
    raise Refusal(404, f"No issue link type with name '{said.get('name')}' found.")
