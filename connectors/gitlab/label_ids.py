"""The ids of labels by name, which GraphQL writes by.

Rules:

1. Looked up once a session and project, and never kept longer: an id that has another name since would put the wrong
   label on an issue before its answer told.
2. A label that is not there is made, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.gitlab.client import AlreadyThere, project_path
from connectors.gitlab.names import look_up_labels
from connectors.gitlab.payload import number, one, text_of
from connectors.retry import Kind
from connectors.tracker import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.gitlab.client import GitLabClient

_COLOUR = "#6699cc"


class LabelIds:
    """Of one session."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client
        self._ids: dict[str, dict[str, list[str]]] = {}

    def to_add(self, project: str, names: Iterable[str]) -> list[str]:
        """One global id for each name. Raises TrackerError where a label can not be made."""
        return [self._id(project, name) for name in names]

    def to_remove(self, project: str, names: Iterable[str]) -> list[str]:
        """All global ids of these names that there are."""
        known = self._of(project)
        return [gid for name in names for gid in known.get(name, [])]

    def name(self, project: str, gid: str) -> str:
        """Whose id it is at present; "" for no label's."""
        return next((name for name, gids in self._of(project).items() if gid in gids), "")

    def forget(self, project: str) -> None:
        """Look them up anew when next asked: a label was renamed or deleted since."""
        self._ids.pop(project, None)

    def _of(self, project: str) -> dict[str, list[str]]:
        if project not in self._ids:
            self._ids[project] = look_up_labels(self._client, project).ids
        return self._ids[project]

    def _id(self, project: str, name: str) -> str:
        known = self._of(project)
        if name not in known:
            known[name] = [self._made(project, name)]
        # One name can stand for a label of the project and one of its group; the project's own comes first.
        return min(known[name], key=lambda gid: "ProjectLabel" not in gid)

    def _made(self, project: str, name: str) -> str:
        doing = f"make the label {name} in {project}"
        body = {"name": name, "color": _COLOUR}
        path = f"{project_path(project)}/labels"
        try:
            # A second one of the same name is refused, so asking again makes no second label.
            made = one(self._client.rest("POST", path, doing=doing, body=body, kind=Kind.IDEMPOTENT))
        except AlreadyThere:
            again = look_up_labels(self._client, project).ids
            if name not in again:
                raise
            self._ids[project] = again
            return again[name][0]
        if text_of(made.get("name")) != name or not made.get("id"):
            raise BadAnswer("GitLab made another label than was asked for", tracker=self._client.name, doing=doing)
        return f"gid://gitlab/ProjectLabel/{number(made.get('id'))}"
