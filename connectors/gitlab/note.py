"""One note of an issue, out of GraphQL or of REST: what a person wrote, or what GitLab tells happened.

Rules:

1. A system note is never a comment and never a first response; what it means is read once, here.
2. A note that can not be read is a gap, and stops no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from connectors.gitlab import markdown, system_notes
from connectors.gitlab.payload import Malformed, actor, instant, number, one, text_of
from policies.issue import Commented, Gap, GapKind
from policies.revised import maker

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gitlab.payload import Payload
    from policies.issue import Actor


# Instants are in UTC already.
_commented = maker(Commented)


class Told(NamedTuple):
    """What a system note tells."""

    at: datetime
    actor: Actor
    meaning: system_notes.Meaning


Note: TypeAlias = Commented | Told | Gap | None
"""None: a system note that says nothing that is kept."""


def of_graphql(note: Payload) -> Note:
    """A note of a discussion."""
    made = note.get("createdAt")
    if note.get("system") is True:
        action = text_of(one(note.get("systemNoteMetadata")).get("action"))
        return _told(note, made, system_notes.read(text_of(note.get("body")), action))
    return _comment(note, made, note.get("updatedAt"), public=note.get("internal") is not True)


def of_rest(note: Payload) -> Note:
    """A note of an issue's list."""
    made = note.get("created_at")
    if note.get("system") is True:
        return _told(note, made, system_notes.read(text_of(note.get("body"))))
    # Called "confidential" before 15.
    internal = note.get("internal") is True or note.get("confidential") is True
    return _comment(note, made, note.get("updated_at"), public=not internal)


def _told(note: Payload, made: object, meaning: system_notes.Meaning | None) -> Told | Gap | None:
    try:
        at = instant(made)
    except Malformed as error:
        return Gap(GapKind.HISTORY, f"note {number(note.get('id'))}: {error}")
    return Told(at, actor(note.get("author")), meaning) if meaning is not None else None


def _comment(note: Payload, made: object, updated: object, *, public: bool) -> Commented | Gap:
    id_, body = number(note.get("id")), note.get("body")
    if not isinstance(body, str):
        body = ""
    try:
        at = instant(made)
        edited = instant(updated) if updated and updated != made else at
    except Malformed as error:
        return Gap(GapKind.COMMENTS, f"note {id_}: {error}")
    return _commented(
        id=f"note:{id_}",
        at=at,
        actor=actor(note.get("author")),
        comment=id_,
        public=public,
        text=markdown.words(body) if markdown.ours(body) else body,
        edited_at=edited if edited > at else None,
    )
