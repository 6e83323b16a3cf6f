"""The notes of work items, read to the end of every thread.

Rules:

1. What came with the page is not asked for again; of what is left, several issues' threads come with one query.
2. What stays out of reach is a gap of that issue and stops no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.gitlab import documents, mapping, note
from connectors.gitlab.client import TooComplex
from connectors.gitlab.connection import further, nodes
from connectors.gitlab.names import OUT_OF_REACH, project_of
from connectors.gitlab.payload import one, text_of
from connectors.tracker import NotFound, TrackerError
from policies.issue import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.note import Note
    from connectors.gitlab.payload import Payload

# Issues and discussions of each, about 210 and 150 of the 250 points that a query may cost. Most threads that do not
# end with the page are not much longer.
_FIRST = (4, 20)
_THEN = (1, 100)


@dataclass(slots=True)
class Thread:
    """The notes of one work item.

    Attributes:
        widgets: those of the work item, by type.
        notes: by id, oldest first.
        gaps: what of them could not be read.
    """

    node: Payload
    widgets: Mapping[str, Payload] = field(init=False)
    notes: dict[str, Note] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    _after: str | None = None
    _cut_short: bool = False

    def __post_init__(self) -> None:
        self.widgets = mapping.widgets(self.node)

    @property
    def iid(self) -> str:
        return text_of(self.node.get("iid"))

    @property
    def after(self) -> str | None:
        """Where it goes on; None at its end."""
        return self._after

    @property
    def cut_short(self) -> bool:
        """A discussion may hold more replies than were given with it."""
        return self._cut_short

    def take(self, discussions: Payload) -> None:
        """A page of its discussions."""
        found: list[object] = []
        for discussion in nodes(discussions):
            replies = discussion.get("notes")
            if isinstance(replies, dict):
                listed = replies.get("nodes")
                if isinstance(listed, list):
                    found += listed
                    self._cut_short = self._cut_short or len(listed) >= documents.REPLIES
        self.add(found)
        self._after = further(discussions, self._after)

    def add(self, notes: Iterable[object]) -> None:
        held = self.notes
        for found in notes:
            if isinstance(found, dict):
                id_ = text_of(found.get("id"))
                if id_ not in held:
                    held[id_] = note.of_graphql(found)

    def give_up(self, error: TrackerError) -> None:
        self._after, self._cut_short = None, False
        self.gaps.append(Gap(GapKind.HISTORY, f"not all notes could be read: {error.detail}"))


class Threads:
    """Reads threads on."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client
        self._together = True

    def of(self, project: str, nodes: Iterable[Payload]) -> list[Thread]:
        """The threads of these work items, whole or with a gap."""
        threads = [self._begun(node) for node in nodes]
        issues, discussions = _FIRST if self._together else _THEN
        while waiting := [thread for thread in threads if thread.after is not None]:
            for start in range(0, len(waiting), issues):
                self._read_on(project, waiting[start : start + issues], discussions)
            issues, discussions = _THEN
        for thread in threads:
            if thread.cut_short:
                self._read_replies(project, thread)
        return threads

    def _begun(self, node: Payload) -> Thread:
        thread = Thread(node)
        widget = thread.widgets.get("NOTES")
        if widget is None:
            thread.gaps.append(Gap(GapKind.COMMENTS, "GitLab gave no notes with this issue"))
        else:
            thread.take(one(widget.get("discussions")))
        return thread

    def _read_on(self, project: str, threads: list[Thread], discussions: int) -> None:
        ask: dict[str, object] = {"path": project, "d": discussions}
        for place, thread in enumerate(threads):
            ask |= {f"i{place}": thread.iid, f"a{place}": thread.after}
        named = ", ".join(f"#{thread.iid}" for thread in threads)
        document = documents.more_discussions(len(threads))
        try:
            doing = f"read the threads of {project}{named}"
            data = self._client.graphql("MoreDiscussions", document, ask, doing=doing)
        except OUT_OF_REACH as error:
            if len(threads) == 1:
                threads[0].give_up(error)
                return
            # One of them is the reason, and takes none of the others with it; or it is too much at once for this server.
            self._together = not isinstance(error, TooComplex)
            for thread in threads:
                self._read_on(project, [thread], discussions)
            return
        for place, thread in enumerate(threads):
            try:
                thread.take(
                    one(self._widget({"project": data.get(f"t{place}")}, project, thread.iid).get("discussions"))
                )
            except OUT_OF_REACH as error:
                thread.give_up(error)

    def _read_replies(self, project: str, thread: Thread) -> None:
        """Of a discussion of many notes: the plain list has them all."""
        try:
            thread.add(self._plain(project, thread.iid))
        except OUT_OF_REACH as error:
            thread.give_up(error)

    def _plain(self, project: str, iid: str) -> Iterator[Payload]:
        after: str | None = None
        while True:
            ask = {"path": project, "iid": iid, "after": after}
            data = self._client.graphql("Notes", documents.NOTES, ask, doing=f"read the notes of {project}#{iid}")
            connection = one(self._widget(data, project, iid).get("notes"))
            yield from nodes(connection)
            after = further(connection, after, tracker=self._client.name)
            if after is None:
                return

    def _widget(self, data: Payload, project: str, iid: str) -> Payload:
        for node in nodes(project_of(self._client, data, project).get("workItems")):
            return mapping.widgets(node).get("NOTES", {})
        raise NotFound(f"{project}#{iid} is gone", tracker=self._client.name)
