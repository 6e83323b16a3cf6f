"""The ids of labels by name, which GraphQL writes by.

Rules:

1. Looked up once a session and project, and never kept longer: an id that has another name since would put the wrong
   label on an issue before its answer told.
2. A label that is not there is made, once.
3. Threads may share them: who asks for what another one is just looking up or making waits for that, and has its
   answer or its failure.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from connectors.gitlab.mutations import MAKE_LABEL
from connectors.gitlab.names import look_up_labels
from connectors.gitlab.payload import one, text_of
from connectors.retry import Kind
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from connectors.gitlab.client import GitLabClient

_COLOUR = "#6699cc"
_Key = TypeVar("_Key", bound="Hashable")
_T = TypeVar("_T")


class LabelIds:
    """Of one session."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client
        self._turn = threading.Lock()
        # By project; by project and name. What is on its way stands there, too; what failed does not.
        self._ids: dict[str, Future[dict[str, list[str]]]] = {}
        self._made: dict[tuple[str, str], Future[list[str]]] = {}

    def to_add(self, project: str, names: Iterable[str]) -> list[str]:
        """One global id for each name. Raises TrackerError where a label can not be made."""
        return [self._id(project, name) for name in names]

    def to_remove(self, project: str, names: Iterable[str]) -> list[str]:
        """All global ids of these names that there are."""
        known = self._of(project)
        return [gid for name in names for gid in known.get(name, [])]

    def name(self, project: str, gid: str) -> str:
        """Whose id it is at present; "" for no label's."""
        known = dict(self._of(project))  # another thread may add one meanwhile
        return next((name for name, gids in known.items() if gid in gids), "")

    def forget(self, project: str) -> None:
        """Look them up anew when next asked: a label was renamed or deleted since."""
        with self._turn:
            self._ids.pop(project, None)
            for made in [made for made in self._made if made[0] == project]:
                del self._made[made]

    def _of(self, project: str) -> dict[str, list[str]]:
        known = self._ids.get(project)
        if known is not None:
            return known.result()
        return self._once(self._ids, project, lambda: look_up_labels(self._client, project).ids)

    def _id(self, project: str, name: str) -> str:
        known = self._of(project)
        if name not in known:
            known[name] = self._once(self._made, (project, name), lambda: self._make(project, name))
        # One name can stand for a label of the project and one of its group; the project's own comes first.
        return min(known[name], key=lambda gid: "ProjectLabel" not in gid)

    def _once(self, held: dict[_Key, Future[_T]], key: _Key, ask: Callable[[], _T]) -> _T:
        asked: Future[_T] = Future()
        with self._turn:
            standing = held.setdefault(key, asked)
        if standing is not asked:
            return standing.result()
        try:
            answer = ask()
        except BaseException as failure:
            with self._turn:
                if held.get(key) is asked:
                    del held[key]
            asked.set_exception(failure)
            raise
        asked.set_result(answer)
        return answer

    def _make(self, project: str, name: str) -> list[str]:
        doing = f"make the label {name} in {project}"
        label = {"projectPath": project, "title": name, "color": _COLOUR}
        try:
            # A second one of the same name is refused, so asking again makes no second label.
            data = self._client.graphql("LabelCreate", MAKE_LABEL, {"label": label}, doing=doing, kind=Kind.IDEMPOTENT)
        except NotFound as error:
            # Its labels were just read: it is there.
            raise PermissionRefused(error.detail, tracker=self._client.name, doing=doing) from None
        answer = one(data.get("labelCreate"))
        said = self._client.objections(answer)
        if said:
            again = look_up_labels(self._client, project).ids
            if name not in again:
                raise Rejected(said, tracker=self._client.name, doing=doing)
            return again[name]
        made = one(answer.get("label"))
        if text_of(made.get("title")) != name or not text_of(made.get("id")):
            raise BadAnswer("GitLab did not make the label that was asked for", tracker=self._client.name, doing=doing)
        return [text_of(made.get("id"))]
