"""One note of an issue, out of GraphQL or of REST: what a person wrote, or what GitLab tells happened.

Rule: a system note is never a comment and never a first response; what it means is read once, here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connectors.gitlab import system_notes
from connectors.gitlab.payload import actor, number, one, text_of

if TYPE_CHECKING:
    from connectors.gitlab.payload import Payload
    from policies.issue import Actor


class Note(NamedTuple):
    """Attributes.

    id: in digits; the hash of a synthetic note.
    meaning: what a system note says; None for a person's, and for one that says nothing that is kept.
    created, updated: as the payload spells them.
    """

    id: str
    body: str
    system: bool
    internal: bool
    author: Actor
    created: object
    updated: object
    meaning: system_notes.Meaning | None

    @classmethod
    def of_graphql(cls, note: Payload) -> Note:
        """A note of a discussion."""
        body = text_of(note.get("body"))
        meaning: system_notes.Meaning | None = None
        if system := note.get("system") is True:
            meaning = system_notes.read(body, text_of(one(note.get("systemNoteMetadata")).get("action")))
        return cls(
            number(note.get("id")),
            body,
            system,
            note.get("internal") is True,
            actor(note.get("author")),
            note.get("createdAt"),
            note.get("updatedAt"),
            meaning,
        )

    @classmethod
    def of_rest(cls, note: Payload) -> Note:
        """A note of an issue's list."""
        body, system = text_of(note.get("body")), note.get("system") is True
        return cls(
            number(note.get("id")),
            body,
            system,
            # Called "confidential" before 15.
            note.get("internal") is True or note.get("confidential") is True,
            actor(note.get("author")),
            note.get("created_at"),
            note.get("updated_at"),
            system_notes.read(body) if system else None,
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Ids of the labels it names."""
        meaning = self.meaning
        if not isinstance(meaning, system_notes.LabelsNote):
            return ()
        return tuple(name for name in (*meaning.added, *meaning.removed) if name.isdigit())

    @property
    def milestone(self) -> str:
        """Number of the milestone it names; "" for none."""
        meaning = self.meaning
        reference = (meaning.reference or "") if isinstance(meaning, system_notes.MilestoneNote) else ""
        return reference if reference.isdigit() else ""
