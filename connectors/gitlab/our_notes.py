"""Our notes as they stand at this moment: what is to be edited, and what an unclear answer left behind.

Rules:

1. A note that is to stay internal is never put into a public one, and one that came out public is taken back.
2. What is edited is read first, many issues with one query: its text is what the receipt holds.
3. A note is found again by its author and its mark, the oldest where there are several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.gitlab import mapping, markdown
from connectors.gitlab.client import SchemaDiffers, TooComplex, project_path
from connectors.gitlab.connection import nodes
from connectors.gitlab.mutations import OUR_NOTES
from connectors.gitlab.payload import actor, number, one, text_of
from connectors.tracker import BadAnswer, NotFound, OutcomeUnknown, Rejected, ServerFailed, TrackerError
from policies.changes import Mark, UpsertComment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.server import Server
    from policies.changes import UpsertReport
    from policies.issue import Issue, IssueRef

PERHAPS_DONE = (OutcomeUnknown, ServerFailed, BadAnswer)
"""None of them tells whether it was done."""

AT_ONCE = 50
"""Issues whose notes come with one query."""


@dataclass(frozen=True, slots=True)
class OurNote:
    """Attributes: id: digits. gid: as GraphQL knows it. body: as stored."""

    id: str
    gid: str
    body: str
    internal: bool

    @classmethod
    def of(cls, payload: Payload) -> OurNote:
        """From either API. Internal notes are called confidential before 15."""
        found = number(payload.get("id") or "")
        gid = text_of(payload.get("id")) or f"gid://gitlab/Note/{found}"
        internal = payload.get("internal") is True or payload.get("confidential") is True
        return cls(found, gid, text_of(payload.get("body")), internal)


@dataclass(frozen=True, slots=True)
class _Page:
    """The notes of an issue as far as one query gave them. Attributes: whole: there are no more."""

    notes: dict[str, OurNote]
    whole: bool


class OurNotes:
    """Looks for notes of ours."""

    def __init__(self, client: GitLabClient, server: Server) -> None:
        self._client = client
        self._server = server
        self._pages: dict[str, _Page] = {}
        self._failures: dict[str, TrackerError] = {}

    def look_up(self, issues: Iterable[Issue]) -> None:
        """Read the notes of issues in which something will be edited, in as few requests as there are."""
        self._pages.clear()
        self._failures.clear()
        by_project: dict[str, list[IssueRef]] = {}
        for issue in issues:
            by_project.setdefault(issue.ref.project, []).append(issue.ref)
        for project, refs in by_project.items():
            for start in range(0, len(refs), AT_ONCE):
                self._look_up(project, refs[start : start + AT_ONCE])

    def _look_up(self, project: str, refs: Sequence[IssueRef]) -> None:
        ids = [f"gid://gitlab/WorkItem/{ref.id}" for ref in refs]
        ask = {"path": project, "ids": ids, "n": len(ids)}
        try:
            data = self._client.graphql("OurNotes", OUR_NOTES, ask, doing=f"read our notes in {project}")
        except TooComplex:
            if len(refs) > 1:
                middle = len(refs) // 2
                self._look_up(project, refs[:middle])
                self._look_up(project, refs[middle:])
            # A single one is asked for note by note.
            return
        except SchemaDiffers:
            raise
        except (NotFound, Rejected):
            # Which of them it is, is told when each is asked for by itself.
            return
        except TrackerError as error:
            self._failures.update(dict.fromkeys((ref.id for ref in refs), error))
            return
        for node in nodes(one(data.get("project")).get("workItems")):
            listed = one(mapping.widgets(node).get("NOTES", {}).get("notes"))
            if listed:
                notes = [OurNote.of(note) for note in nodes(listed)]
                whole = one(listed.get("pageInfo")).get("hasNextPage") is False
                self._pages[number(node.get("id"))] = _Page({note.id: note for note in notes}, whole)

    def standing(self, issue: Issue, change: UpsertComment) -> OurNote | None:
        """The note to edit, as it is stored; None where one is to be made.

        Raises:
            Rejected: it is public, and what is to be said is not.
            TrackerError: it could not be read.
        """
        known = change.standing(issue)
        if known is None:
            return None
        if issue.ref.id in self._failures:
            raise self._failures[issue.ref.id]
        page = self._pages.get(issue.ref.id)
        note = page.notes.get(known.comment) if page else None
        if note is None and page is not None and page.whole:
            # Somebody deleted it since it was read.
            return None
        if note is None:
            note = self._read(issue.ref, known.comment)
        if note is not None and change.internal and not note.internal:
            advice = "Delete that note; the next run writes an internal one"
            detail = "our note there is public, and GitLab can not make it internal"
            raise Rejected(detail, tracker=self._client.name, doing=f"comment on {issue.ref.key}", advice=advice)
        return note

    def _read(self, ref: IssueRef, note: str) -> OurNote | None:
        try:
            path = f"{issue_path(ref)}/notes/{note}"
            return OurNote.of(one(self._client.rest("GET", path, doing=f"read our note on {ref.key}")))
        except NotFound:
            # It was deleted, or the issue is gone: what follows tells which.
            return None

    def left(self, ref: IssueRef, change: UpsertComment) -> OurNote | None:
        """Our oldest note with the marker, after an answer that did not tell whether it was made."""
        own = self._server.account().id
        query = {"sort": "asc", "order_by": "created_at"}
        doing = f"look for our note on {ref.key}"
        for note in self._client.pages(f"{issue_path(ref)}/notes", doing=doing, query=query):
            mark = Mark.found_in(text_of(note.get("body")))
            ours = not note.get("system") and actor(note.get("author")).id == own
            if ours and mark is not None and mark.marker == change.marker:
                return OurNote.of(note)
        return None

    def checked(self, ref: IssueRef, made: Payload, change: UpsertComment) -> str:
        """The id of a note that was just made.

        Raises:
            Rejected: it was to be internal and is not; it has been taken back.
        """
        doing = f"comment on {ref.key}"
        note = OurNote.of(made)
        if not note.id:
            raise BadAnswer("GitLab did not say what it made", tracker=self._client.name, doing=doing)
        if change.internal and not note.internal:
            # A server from before 15 knows no internal notes and writes a public one instead.
            self._client.rest("DELETE", f"{issue_path(ref)}/notes/{note.id}", doing=doing)
            advice = "Write `internal_comments: false` for this tracker in the site file, or update GitLab"
            raise Rejected("this GitLab knows no internal notes", tracker=self._client.name, doing=doing, advice=advice)
        return note.id


def issue_path(ref: IssueRef) -> str:
    """``projects/acme%2Fcar/issues/7``."""
    return f"{project_path(ref.project)}/issues/{ref.key.rsplit('#', maxsplit=1)[-1]}"


def marked(change: UpsertComment | UpsertReport) -> str:
    """The document with its mark in front, where no reader sees it."""
    return f"<!-- {change.mark} -->\n{markdown.render(change.document)}"
