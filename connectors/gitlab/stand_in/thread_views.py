"""What happened to an issue as GraphQL's notes and discussions (see ``history`` for what there is to tell)."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from connectors.gitlab.stand_in.connections import connection, page, page_size
from connectors.gitlab.stand_in.execution import Shared
from connectors.gitlab.stand_in.gids import gid, moment
from connectors.gitlab.stand_in.history import SYNTHETIC, Note, label_body, label_named, latest, thread
from connectors.gitlab.stand_in.project_views import ProjectViews, View

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.call import Call
    from connectors.sandbox.nouns import Issue, Project

_FIRST = "MQ"
_ICONS = {
    "assignee": "user",
    "closed": "issue-close",
    "confidential": "eye-slash",
    "cross_reference": "comment-dots",
    "description": "pencil",
    "issue_type": "pencil",
    "label": "label",
    "milestone": "milestone",
    "opened": "issues",
    "relate": "link",
    "start_date_or_due_date": "calendar",
    "title": "pencil",
    "unrelate": "unlink",
    "visible": "eye",
    "weight": "weight",
}
_NOTE_MODELS = {
    "comment": "Note",
    "system": "Note",
    "label": "LabelNote",
    "state": "StateNote",
    "milestone": "MilestoneNote",
    "weight": "WeightNote",
}


class ThreadViews(ProjectViews):
    """The thread of an issue, for one caller."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        # A discussion's notes are paged by their number, not by their value: the first one's is the same everywhere.
        ends = {"startCursor": _FIRST, "endCursor": _FIRST}
        self._only_page = Shared({"hasNextPage": False, "hasPreviousPage": False, **ends})

    def thread(self, issue: Issue) -> list[Note]:
        store, prepared = self.call.store, self.call.server.catalogue.prepared(issue)
        if "thread" not in prepared:
            prepared["thread"] = thread(issue, store.projects[issue.project], store.users, self.closing(issue))
        notes: list[Note] = prepared["thread"]
        return notes

    def _thread(self, issue: Issue, asked: dict[str, Any], *, merged: bool) -> list[Note]:
        notes = latest(self.thread(issue), self.call.keep)
        kinds = asked.get("filter", "ALL_NOTES")
        shown = []
        for note in notes:
            hidden = note.comment is not None and note.comment.internal and not self.call.insider()
            synthetic = note.kind in SYNTHETIC
            wanted = kinds == "ALL_NOTES" or (note.kind == "comment") == (kinds == "ONLY_COMMENTS")
            if wanted and not hidden and (merged or not synthetic):
                shown.append(note)
        return shown

    def discussions(self, issue: Issue, asked: dict[str, Any], *, merged: bool) -> View:
        """Threads of one note each. Args: merged: events are shown as synthetic notes among them."""

        def shape(note: Note) -> View:
            return self.discussion(issue, note)

        rows = self._thread(issue, asked, merged=merged)
        return connection(rows, shape, asked, _place, descending=asked.get("sort") == "CREATED_DESC")

    def discussion(self, issue: Issue, note: Note) -> View:
        def id_(_info: Any) -> str:
            return gid("Discussion" if note.kind != "comment" else "IndividualNoteDiscussion", note.discussion)

        return {
            "id": id_,
            "replyId": id_,
            "createdAt": moment(note.at),
            "resolvable": False,
            "resolved": False,
            "notes": lambda _info, **asked: self._only(issue, note, asked),
        }

    def _only(self, issue: Issue, note: Note, asked: dict[str, Any]) -> View:
        """The page of a thread of one note."""

        def shape(one: Note) -> View:
            return self.note(issue, one)

        after = asked.get("after")
        if after not in {None, "", _FIRST} or not page_size(asked):
            return connection([note], shape, asked, _place)
        if after:
            return page([], shape, _place, more=False, preceded=True, count=lambda: 1)
        return {"count": 1, "nodes": [self.note(issue, note)], "pageInfo": self._only_page}

    def notes(self, issue: Issue, asked: dict[str, Any], *, merged: bool) -> View:
        rows = self._thread(issue, asked, merged=merged)
        return connection(rows, lambda note: self.note(issue, note), asked, _place, descending=True)

    def note(self, issue: Issue, note: Note) -> View:
        project = self.call.store.projects[issue.project]
        body = label_body(note, project) if note.kind == "label" else note.body
        edited = note.comment if note.comment and note.comment.editor else None
        synthetic = note.kind in SYNTHETIC
        id_ = note.discussion if synthetic else note.id
        written = moment(note.at)
        touched = note.comment.updated if note.comment else note.at
        return {
            "id": gid(_NOTE_MODELS[note.kind], id_),
            "body": body,
            "bodyHtml": lambda _info: self._html(project, note, body),
            "createdAt": written,
            "updatedAt": written if touched is note.at else moment(touched),
            "lastEditedAt": moment(edited.updated) if edited else None,
            "lastEditedBy": self.user(edited.editor) if edited else None,
            "system": note.kind != "comment",
            "internal": bool(note.comment and note.comment.internal),
            "imported": False,
            "systemNoteIconName": _ICONS.get(note.action),
            "systemNoteMetadata": (
                {"id": gid("SystemNoteMetadata", id_), "action": note.action} if note.action else None
            ),
            "author": self.user(note.author),
            "url": lambda _info: f"{self.call.shapes.issue_page(issue)}#note_{note.id}",
            "discussion": lambda _info: self.discussion(issue, note),
        }

    def _html(self, project: Project, note: Note, body: str) -> str:
        shown = escape(body)
        for name in (*note.added, *note.removed):
            label = label_named(project, name, note.at)
            if label is not None:
                shown = shown.replace(f"~{label.id}", f'<span class="gl-label">{escape(label.name)}</span>')
        return f"<p>{shown}</p>"


def _place(note: Note) -> tuple[datetime, int]:
    return note.at, note.id
