"""What the references in a project's system notes stand for: label ids and milestone numbers, with their present names.

Rules:

1. The first hundred of each come with the first page of issues; more are asked for only when a note names an unknown one.
2. Nothing is kept from run to run: a label may have another name since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.gitlab import documents, mapping
from connectors.gitlab.connection import further, nodes
from connectors.gitlab.note import Told
from connectors.gitlab.payload import number, one, text_of
from connectors.gitlab.system_notes import LabelsNote, MilestoneNote
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.note import Note
    from connectors.gitlab.payload import Payload

OUT_OF_REACH = (NotFound, PermissionRefused, Rejected, BadAnswer)
_START = ""


def project_of(client: GitLabClient, data: Payload, project: str) -> Payload:
    """The project in an answer. Raises NotFound."""
    found = data.get("project")
    if isinstance(found, dict):
        return found
    raise NotFound(f"no project {project!r}", tracker=client.name, doing=f"read project {project}")


@dataclass(slots=True)
class Vocabulary:
    """A project's labels and milestones, as far as they were read.

    Attributes:
        labels: id (digits) to title. ids: title to global ids.
        milestones: iid to title.
    """

    client: GitLabClient
    project: str
    labels: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    milestones: dict[str, str] = field(default_factory=dict)
    _labels_after: str | None = _START
    _milestones_after: str | None = _START

    def take(self, found: Payload) -> None:
        """The first of each, as they came with a page of issues."""
        if isinstance(found.get("labels"), dict):
            self._take_labels(one(found["labels"]))
        if isinstance(found.get("milestones"), dict):
            self._take_milestones(one(found["milestones"]))

    def names(self, notes: Iterable[Note], borne: Payload) -> mapping.Names:
        """What the notes' references stand for. Args: borne: the labels of the issue, whose titles are told there."""
        if self._labels_after is not None or self._milestones_after is not None:
            meanings = [note.meaning for note in notes if isinstance(note, Told)]
            named = _ids(
                name for said in meanings if isinstance(said, LabelsNote) for name in said.added + said.removed
            )
            if named:
                self._find_labels(named - {number(label.get("id")) for label in nodes(borne)})
            self._find_milestones(_ids(said.reference or "" for said in meanings if isinstance(said, MilestoneNote)))
        return mapping.Names(self.labels, self.milestones)

    def _find_labels(self, wanted: set[str]) -> None:
        while self._labels_after is not None and wanted - self.labels.keys():
            self._more_labels()

    def _find_milestones(self, wanted: set[str]) -> None:
        while self._milestones_after is not None and wanted - self.milestones.keys():
            self._more_milestones()

    def read_labels(self) -> None:
        """All labels a project's issues can bear, those of its groups included."""
        while self._labels_after is not None:
            self._more_labels()

    def _more_labels(self) -> None:
        ask = {"path": self.project, "after": self._labels_after or None}
        data = self.client.graphql("Labels", documents.LABELS, ask, doing=f"read the labels of {self.project}")
        self._take_labels(one(project_of(self.client, data, self.project).get("labels")))

    def _take_labels(self, connection: Payload) -> None:
        for label in nodes(connection):
            gid, title = text_of(label.get("id")), text_of(label.get("title"))
            self.labels[number(gid)] = title
            self.ids.setdefault(title, []).append(gid)
        self._labels_after = self._further(connection, self._labels_after, "labels")

    def _more_milestones(self) -> None:
        ask = {"path": self.project, "after": self._milestones_after or None}
        doing = f"read the milestones of {self.project}"
        try:
            data = self.client.graphql("Milestones", documents.MILESTONES, ask, doing=doing)
        except OUT_OF_REACH:
            # Their names are then unknown, and said to be.
            self._milestones_after = None
            return
        self._take_milestones(one(project_of(self.client, data, self.project).get("milestones")))

    def _take_milestones(self, connection: Payload) -> None:
        for milestone in nodes(connection):
            self.milestones[str(milestone.get("iid"))] = text_of(milestone.get("title"))
        self._milestones_after = self._further(connection, self._milestones_after, "milestones")

    def _further(self, connection: Payload, after: str | None, what: str) -> str | None:
        return further(connection, after, tracker=self.client.name, doing=f"read the {what} of {self.project}")


def _ids(references: Iterable[str]) -> set[str]:
    """Those that are numbers; the others are names themselves."""
    return {reference for reference in references if reference.isdigit()}


def look_up_labels(client: GitLabClient, project: str) -> Vocabulary:
    """All labels a project's issues can bear, those of its groups included."""
    found = Vocabulary(client, project)
    found.read_labels()
    return found
