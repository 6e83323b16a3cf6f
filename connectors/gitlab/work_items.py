"""Issues with their whole history through GraphQL work items: one query for a page of them.

Rules:

1. A page that the server finds too dear, or is too slow for, is asked again at half the size; nothing is skipped.
2. A long thread is read on; what of it stays out of reach is a gap of that issue and stops no other.
3. Labels and milestones are looked up once a project, and only when a note names one that is not known yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.gitlab import documents, mapping
from connectors.gitlab.client import TooComplex, project_path
from connectors.gitlab.payload import Malformed, number, objects, one, text_of
from connectors.tracker import (
    BadAnswer,
    NotFound,
    PermissionRefused,
    Rejected,
    ServerFailed,
    Unreadable,
)
from policies.issue import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload
    from policies.issue import Issue

# About 165 of the 250 points that a query may cost.
_ISSUES = 50
_DISCUSSIONS = 40
_FEWEST_DISCUSSIONS = 5
_MORE_DISCUSSIONS = 100
_FAILURES_BORNE = 2

_OUT_OF_REACH = (NotFound, PermissionRefused, Rejected, BadAnswer)


@dataclass(slots=True)
class Vocabulary:
    """A project's labels and milestones, as far as they were looked up.

    Attributes:
        labels: id (digits) to title. ids: title to global ids.
        milestones: iid to title; None while not looked up.
    """

    labels: dict[str, str] | None = None
    ids: dict[str, list[str]] = field(default_factory=dict)
    milestones: dict[str, str] | None = None


def look_up_labels(client: GitLabClient, project: str) -> Vocabulary:
    """All labels a project's issues can bear, those of its groups included."""
    found = Vocabulary(labels={})
    after: str | None = None
    while True:
        doing = f"read the labels of {project}"
        data = client.graphql("Labels", documents.LABELS, {"path": project, "after": after}, doing=doing)
        connection = one(_project(client, data, project).get("labels"))
        for label in mapping.nodes(connection):
            gid, title = text_of(label.get("id")), text_of(label.get("title"))
            assert found.labels is not None
            found.labels[number(gid)] = title
            found.ids.setdefault(title, []).append(gid)
        after = _further(connection)
        if after is None:
            return found


class WorkItems:
    """Reads a project's issues by GraphQL."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client
        self._known: dict[str, Vocabulary] = {}
        self._issues = _ISSUES
        self._discussions = _DISCUSSIONS

    def changed_since(self, project: str, since: datetime | None) -> Iterator[Issue | Unreadable]:
        """Issues updated at or after ``since``, least recently updated first; one that changes meanwhile comes again."""
        doing = f"read issues of {project}"
        ask = {"path": project, "since": since.isoformat() if since else None}
        after: str | None = None
        while True:
            data = self._page({**ask, "after": after}, doing)
            found = _project(self._client, data, project)
            path = text_of(found.get("fullPath")) or project
            connection = found.get("workItems")
            if not isinstance(connection, dict):
                raise PermissionRefused("its issues are hidden or switched off", tracker=self._client.name, doing=doing)
            for node in mapping.nodes(connection):
                yield self._mapped(node, path)
            following = _further(connection)
            if following is None:
                return
            if following == after:
                raise BadAnswer("the next page is the same page", tracker=self._client.name, doing=doing)
            after = following

    def issue(self, project: str, iid: str) -> Issue:
        """One issue. Raises NotFound; BadAnswer where it can not be made sense of."""
        doing = f"read {project}#{iid}"
        ask = {"path": project, "iid": iid, "d": self._discussions}
        data = self._client.graphql("WorkItem", documents.WORK_ITEM, ask, doing=doing)
        found = _project(self._client, data, project)
        for node in mapping.nodes(found.get("workItems")):
            made = self._mapped(node, text_of(found.get("fullPath")) or project)
            if isinstance(made, Unreadable):
                raise BadAnswer(made.reason, tracker=self._client.name, doing=doing)
            return made
        raise NotFound(f"no issue {project}#{iid}", tracker=self._client.name, doing=doing)

    # ---------------------------------------------------------------------------------------------------------- pages

    def _page(self, ask: dict[str, Any], doing: str) -> dict[str, Any]:
        """One page, as large as the server can bear; what it bore is kept for the pages that follow."""
        failures = 0
        while True:
            sizes = {"n": self._issues, "d": self._discussions}
            try:
                return self._client.graphql("WorkItems", documents.WORK_ITEMS, {**ask, **sizes}, doing=doing)
            except (TooComplex, ServerFailed) as error:
                # A server that fails at a large page may bear a small one; one that is down fails at any size.
                failures += isinstance(error, ServerFailed)
                if failures > _FAILURES_BORNE or self._issues == 1:
                    raise
                self._issues = max(1, self._issues // 2)
                if self._issues == 1:
                    self._discussions = _FEWEST_DISCUSSIONS

    # ---------------------------------------------------------------------------------------------------------- issue

    def _mapped(self, node: Payload, project: str) -> Issue | Unreadable:
        key = f"{project}#{node.get('iid', '?')}"
        gaps: list[Gap] = []
        notes = self._notes(node, project, gaps)
        try:
            return mapping.work_item(
                self._all_labels(node, project),
                notes,
                self._names(project, node, notes),
                self._client.name,
                project,
                tuple(gaps),
            )
        except Malformed as error:
            return Unreadable(key, str(error))

    def _notes(self, node: Payload, project: str, gaps: list[Gap]) -> list[Payload]:
        """All notes of a work item, each once."""
        widget = mapping.widgets(node).get("NOTES")
        if widget is None:
            gaps.append(Gap(GapKind.COMMENTS, "GitLab gave no notes with this issue"))
            return []
        iid = text_of(node.get("iid"))
        found: dict[str, Payload] = {}
        cut_short = False
        try:
            discussions = one(widget.get("discussions"))
            while True:
                for discussion in mapping.nodes(discussions):
                    notes = one(discussion.get("notes"))
                    cut_short = cut_short or bool(one(notes.get("pageInfo")).get("hasNextPage"))
                    found.update((text_of(note.get("id")), note) for note in mapping.nodes(notes))
                after = _further(discussions)
                if after is None:
                    break
                discussions = self._more(project, iid, after)
            if cut_short:
                # A thread of more than twenty replies: the plain list has them all.
                for note in self._plain_notes(project, iid):
                    found.setdefault(text_of(note.get("id")), note)
        except _OUT_OF_REACH as error:
            gaps.append(Gap(GapKind.HISTORY, f"not all notes could be read: {error.detail}"))
        return list(found.values())

    def _more(self, project: str, iid: str, after: str) -> Payload:
        ask = {"path": project, "iid": iid, "after": after, "d": _MORE_DISCUSSIONS}
        doing = f"read the thread of {project}#{iid}"
        data = self._client.graphql("MoreDiscussions", documents.MORE_DISCUSSIONS, ask, doing=doing)
        return one(self._notes_widget(data, project, iid).get("discussions"))

    def _plain_notes(self, project: str, iid: str) -> Iterator[Payload]:
        after: str | None = None
        while True:
            ask = {"path": project, "iid": iid, "after": after}
            data = self._client.graphql("Notes", documents.NOTES, ask, doing=f"read the notes of {project}#{iid}")
            connection = one(self._notes_widget(data, project, iid).get("notes"))
            yield from mapping.nodes(connection)
            after = _further(connection)
            if after is None:
                return

    def _notes_widget(self, data: Payload, project: str, iid: str) -> Payload:
        for node in mapping.nodes(_project(self._client, data, project).get("workItems")):
            return mapping.widgets(node).get("NOTES", {})
        raise NotFound(f"{project}#{iid} is gone", tracker=self._client.name)

    def _all_labels(self, node: Payload, project: str) -> Payload:
        """The node, with all its labels where it bears more than a page of them."""
        labels = one(mapping.widgets(node).get("LABELS")).get("labels")
        if not one(one(labels).get("pageInfo")).get("hasNextPage"):
            return node
        doing = f"read the labels of {project}#{node.get('iid')}"
        path = f"{project_path(project)}/issues/{node.get('iid')}"
        names = one(self._client.rest("GET", path, doing=doing)).get("labels") or []
        whole = {"type": "LABELS", "labels": {"nodes": [{"id": "", "title": name} for name in names]}}
        others = [widget for widget in objects(node.get("widgets")) if widget.get("type") != "LABELS"]
        return {**node, "widgets": [*others, whole]}

    # ---------------------------------------------------------------------------------------------------------- names

    def _names(self, project: str, node: Payload, notes: list[Payload]) -> mapping.Names:
        known = self._known.setdefault(project, Vocabulary())
        borne = {
            number(label.get("id")) for label in mapping.nodes(one(mapping.widgets(node).get("LABELS")).get("labels"))
        }
        if known.labels is None and mapping.label_references(notes) - borne:
            known.labels = look_up_labels(self._client, project).labels
        if known.milestones is None and mapping.milestone_references(notes):
            known.milestones = self._milestones(project)
        return mapping.Names(known.labels or {}, known.milestones or {})

    def _milestones(self, project: str) -> dict[str, str]:
        path = f"{project_path(project)}/milestones"
        try:
            listed = list(self._client.pages(path, doing=f"read the milestones of {project}"))
        except _OUT_OF_REACH:
            # Their names are then unknown, and said to be.
            return {}
        return {str(milestone.get("iid")): text_of(milestone.get("title")) for milestone in listed}


def _project(client: GitLabClient, data: Payload, project: str) -> Payload:
    found = data.get("project")
    if isinstance(found, dict):
        return found
    raise NotFound(f"no project {project!r}", tracker=client.name, doing=f"read project {project}")


def _further(connection: Payload) -> str | None:
    """Where the next page begins; None on the last one."""
    page = one(connection.get("pageInfo"))
    return text_of(page.get("endCursor")) or None if page.get("hasNextPage") else None
