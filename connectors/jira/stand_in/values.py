"""The values a body may hold, each checked and turned into what the store takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from connectors.jira.stand_in.session import Refusal, Session
from connectors.jira.stand_in.text import fault_in
from connectors.sandbox.nouns import Body, Project
from policies.issue import Word

Json = dict[str, Any]

LONGEST_TEXT = 32767
"""Characters of a comment, description or environment.

The vendor does not say what is counted of a document, so here it is all of its JSON, which is never less.
"""

_PROPERTY_BYTES = 32768
_KEY_LENGTH = 255
_COMMENT = frozenset({"id", "body", "visibility", "properties", "parentId", "public", "jsdPublic"})


class Wrong(Exception):
    """A value is wrong; the text says how."""


def summary(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise Wrong("The summary is invalid because it contains newline characters.")
    if len(value) > _KEY_LENGTH:
        raise Wrong("Summary must be less than 255 characters.")
    return value


def text(session: Session, value: Any, name: str) -> Body | None:
    """A text in the form of the API's version; anything else is wrong."""
    if value is None:
        return None
    if session.api == "3":
        if fault := fault_in(value):
            what = (
                "Comment body is not valid!" if name == "comment" else "Operation value must be an Atlassian Document"
            )
            raise Wrong(f"{what} ({fault})")
        if len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) > LONGEST_TEXT:
            raise Wrong("CONTENT_LIMIT_EXCEEDED")
        return dict(value)
    if not isinstance(value, str):
        raise Wrong("Operation value must be a string")
    if len(value) > LONGEST_TEXT:
        raise Wrong("The entered text is too long. It exceeds the allowed limit of 32,767 characters.")
    return value


def word(words: list[Word], value: Any, name: str) -> Word | None:
    if value is None and name != "issuetype":
        return None
    if not isinstance(value, dict):
        raise Wrong(f"Could not find valid 'id' or 'name' in {name} object.")
    for member in ("id", "name"):
        if value.get(member) is not None:
            found = next((one for one in words if getattr(one, member) == str(value[member])), None)
            if found is None:
                raise Wrong(
                    f"The {name} selected is invalid."
                    if member == "id"
                    else f"{name} name '{value[member]}' is not valid"
                )
            return found
    raise Wrong(f"Could not find valid 'id' or 'name' in {name} object.")


def person(session: Session, value: Any, name: str) -> str:
    """Account id, "" for nobody. One who is deactivated cannot be chosen."""
    if value is None or (isinstance(value, dict) and value and all(one is None for one in value.values())):
        return ""
    found = session.find_user(value)
    if found is None:
        raise Wrong(f"User '{_named(value)}' does not exist.")
    if not found.active:
        raise Wrong(f"User '{_named(value)}' cannot be assigned issues.")
    if name == "assignee" and not session.token.may("assign"):
        raise Wrong("You do not have permission to assign issues.")
    return found.id


def _named(value: Any) -> str:
    return str(next(iter(value.values()), "")) if isinstance(value, dict) else str(value)


def day(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Wrong("Operation value must be a date of the form yyyy-MM-dd") from None


def element(home: Project, name: str, value: Any) -> str:
    """One label, or the id of one version or component."""
    if name == "labels":
        return label(value)
    known = [Word(one.id, one.name) for one in home.versions.values()] if name == "fixVersions" else home.components
    found = word(known, value, "version" if name == "fixVersions" else "component")
    if found is None:
        raise Wrong("An entry of the list is empty.")
    return found.id


def label(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong("The label must be a string.")
    if any(char.isspace() for char in value):
        raise Wrong(f"The label '{value}' contains spaces which is invalid.")
    if len(value) > _KEY_LENGTH:
        raise Wrong(f"The label '{value[:20]}...' exceeds the maximum length for single label of 255 characters.")
    return value


# ------------------------------------------------------------------------------------------------ comments, properties


def comment_text(session: Session, value: Any) -> Body:
    """The body of a comment, which may not be empty."""
    if not value or (isinstance(value, dict) and not value.get("content")):
        raise Wrong("Comment body can not be empty!")
    found = text(session, value, "comment")
    assert found is not None
    return found


def comment_options(value: Mapping[str, Any]) -> Json:
    """Visibility and properties; ``sd.public.comment`` makes it internal."""
    if unknown := sorted(value.keys() - _COMMENT):
        raise Wrong(f'Unrecognized field "{unknown[0]}"; known properties: {sorted(_COMMENT)}')
    said = properties(value.get("properties"))
    internal = said.get("sd.public.comment", {})
    if not isinstance(value.get("visibility", None) or {}, dict):
        raise Wrong("visibility must be an object")
    return {
        "visibility": value.get("visibility"),
        "properties": said,
        "internal": isinstance(internal, dict) and internal.get("internal") is True,
    }


def checked_comment(session: Session, said: Mapping[str, Any]) -> tuple[Body, Json]:
    """Body and options of a comment of its own. Raises Refusal(400)."""
    try:
        return comment_text(session, said.get("body")), comment_options(said)
    except Wrong as wrong:
        raise Refusal(400, errors={"comment": str(wrong)}) from None


def properties(said: Any) -> dict[str, Any]:
    """Entity properties, from a list of key and value."""
    if said is None:
        return {}
    if not isinstance(said, list) or not all(_is_property(one) for one in said):
        raise Wrong("properties must be a list of objects with key and value")
    for one in said:
        if fault := property_fault(one["key"], one["value"]):
            raise Wrong(fault)
    return {one["key"]: one["value"] for one in said}


def _is_property(said: Any) -> bool:
    if not isinstance(said, dict) or said.keys() != {"key", "value"} or said["value"] is None:
        return False
    return isinstance(said["key"], str) and bool(said["key"])


def property_fault(key: str, value: Any) -> str:
    """What is wrong with an entity property, "" if nothing is."""
    if len(key) > _KEY_LENGTH:
        return "The property key must be at most 255 characters long."
    if len(json.dumps(value, ensure_ascii=False).encode()) > _PROPERTY_BYTES:
        return "The property value must be at most 32768 bytes long."
    return ""


_METADATA_TEXTS = (
    "type", "description", "descriptionKey", "activityDescription", "activityDescriptionKey", "emailDescription",
    "emailDescriptionKey",
)  # fmt: skip


def history_metadata(said: Any) -> Json | None:
    """What the writer says about its change: texts, people (``generator``) and ``extraData`` of texts."""
    if said is None:
        return None
    if not isinstance(said, dict):
        raise Wrong("historyMetadata must be an object")
    extra = said.get("extraData") or {}
    plain = [said.get(name) for name in _METADATA_TEXTS]
    if not isinstance(extra, dict) or not _texts([*plain, *extra.values()]):
        raise Wrong("the members of historyMetadata and of its extraData must be texts")
    for name in ("actor", "cause", "generator"):
        if not isinstance(said.get(name) or {}, dict):
            raise Wrong(f"{name} of historyMetadata must be an object")
    return said


def _texts(values: Iterable[Any]) -> bool:
    return all(one is None or isinstance(one, str) for one in values)
