"""The server behind the tracker in memory: plain lists, events, and a small dangerous markup.

Rules:

1. People and connectors act on it; each act leaves an event, and its state is what was done.
2. A line of a text that begins with ``/`` is an order, ``@name`` calls somebody, and a backslash takes the next
   character as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from connectors.tracker import CredentialsRefused, NotFound, PermissionRefused, TrackerError
from policies.issue import (
    NOBODY,
    Actor,
    AssigneeChanged,
    DueDateChanged,
    Event,
    FixVersionsChanged,
    LabelsChanged,
    Opened,
    PriorityChanged,
    StatusChanged,
    Word,
)

if TYPE_CHECKING:
    from pydantic import SecretStr

T = TypeVar("T")

OPEN = Word("1", "Open", "new")
CLOSED = Word("2", "Closed", "done")
PRIORITIES = (Word("1", "High"), Word("2", "Medium"), Word("3", "Low"))
BUG = Word("1", "Bug")


# -------------------------------------------------------------------------------------------------------------- server


@dataclass(slots=True)
class Note:
    """A comment as it is stored. Attributes: raw: in the tracker's markup."""

    id: str
    author: str
    raw: str
    at: datetime
    internal: bool = False
    edited_at: datetime | None = None


@dataclass(slots=True)
class Record:
    """An issue as it is stored."""

    id: str
    key: str
    project: str
    title: str
    description: str
    reporter: str
    opened_at: datetime
    updated_at: datetime
    status: Word = OPEN
    priority: Word | None = PRIORITIES[1]
    labels: set[str] = field(default_factory=set)
    assignee: str | None = None
    due: date | None = None
    fix_versions: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    garbled: bool = False
    former_key: str = ""


@dataclass(slots=True)
class Trouble:
    """Something to go wrong, ``times`` times, with requests whose name and text match.

    Attributes:
        after: the server acts first, then it goes wrong.
        error: what the client makes of it.
    """

    error: Callable[[], TrackerError]
    name: str = ""
    text: str = ""
    after: bool = False
    times: int = 1


class MemoryServer:
    """The tracker. Attributes: requests: names, in order. called: who was called by a mention. keep: history shown."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.people: dict[str, Actor] = {}
        self.tokens: dict[str, str] = {}
        self.watching: set[str] = set()
        self.projects: dict[str, list[Record]] = {}
        self.versions: dict[str, list[tuple[str, datetime | None]]] = {}
        self.requests: list[str] = []
        self.troubles: list[Trouble] = []
        self.called: list[str] = []
        self.keep: int | None = None
        self._last_id = 100

    def next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    def tick(self) -> datetime:
        """The instant of the next act; each act takes a second."""
        self.now += timedelta(seconds=1)
        return self.now

    def request(self, token: SecretStr, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        """One request: ``act`` gets the account. Raises what was asked for, CredentialsRefused, PermissionRefused."""
        self.requests.append(name)
        trouble = next((one for one in self.troubles if one.name in name and one.text in text), None)
        if trouble is not None:
            trouble.times -= 1
            if not trouble.times:
                self.troubles.remove(trouble)
            if not trouble.after:
                raise trouble.error()
        account = self.tokens.get(token.get_secret_value())
        if account is None:
            raise CredentialsRefused("401 from the server", doing=name)
        if token.get_secret_value() in self.watching and not name.startswith("GET"):
            raise PermissionRefused("403 from the server", doing=name)
        answer = act(account)
        if trouble is not None:
            raise trouble.error()
        return answer

    def find(self, key: str) -> Record:
        for record in (one for records in self.projects.values() for one in records):
            if key in {record.key, record.id, record.former_key}:
                return record
        raise NotFound(f"no issue {key!r}")

    def records(self, project: str) -> list[Record]:
        if project not in self.projects:
            raise NotFound(f"no project {project!r}")
        return self.projects[project]

    def moves(self, record: Record, project: str) -> None:
        """To another project: a new key, the same id; the old key leads there."""
        self.records(record.project).remove(record)
        there = self.projects.setdefault(project, [])
        record.former_key, record.project, record.key = record.key, project, f"{project}-{len(there) + 1}"
        there.append(record)

    # acts, by people and by connectors; each leaves its event
    def open(self, project: str, title: str, *, by: str, description: str = "", at: datetime | None = None) -> Record:
        at = at or self.tick()
        records = self.records(project)
        key = f"{project}-{len(records) + 1}"
        record = Record(self.next_id(), key, project, title, description, by, at, at)
        record.history.append(Opened(id=f"{record.id}:opened", at=at, actor=self.actor(by)))
        records.append(record)
        return record

    def _happened(self, record: Record, at: datetime | None, event: Callable[[dict[str, Any]], Event], by: str) -> None:
        at = at or self.tick()
        record.updated_at = max(record.updated_at, at)
        record.history.append(event({"id": self.next_id(), "at": at, "actor": self.actor(by)}))

    def relabel(
        self, record: Record, add: Iterable[str], remove: Iterable[str], *, by: str, at: datetime | None = None
    ) -> None:
        added, removed = set(add) - record.labels, set(remove) & record.labels
        if not added and not removed:
            return
        record.labels = (record.labels | added) - removed
        came, went = tuple(sorted(added)), tuple(sorted(removed))
        self._happened(record, at, lambda head: LabelsChanged(**head, added=came, removed=went), by)

    def set_status(self, record: Record, status: Word, *, by: str, at: datetime | None = None) -> None:
        before, record.status = record.status, status
        if before != status:
            self._happened(record, at, lambda head: StatusChanged(**head, before=before, after=status), by)

    def set_priority(self, record: Record, priority: Word, *, by: str) -> None:
        before, record.priority = record.priority, priority
        if before != priority:
            self._happened(record, None, lambda head: PriorityChanged(**head, before=before, after=priority), by)

    def set_assignee(self, record: Record, assignee: str, *, by: str) -> None:
        before, record.assignee = record.assignee, assignee
        if before != assignee:
            self._happened(record, None, lambda head: AssigneeChanged(**head, before=before, after=assignee), by)

    def set_due(self, record: Record, due: date | None, *, by: str) -> None:
        before, record.due = record.due, due
        if before != due:
            self._happened(record, None, lambda head: DueDateChanged(**head, before=before, after=due), by)

    def set_fix_version(self, record: Record, name: str, *, by: str) -> None:
        record.fix_versions.append(name)
        self._happened(record, None, lambda head: FixVersionsChanged(**head, added=(name,)), by)

    def comment(self, record: Record, raw: str, *, by: str, internal: bool = False, at: datetime | None = None) -> Note:
        at = at or self.tick()
        note = Note(self.next_id(), by, raw, at, internal)
        record.notes.append(note)
        record.updated_at = max(record.updated_at, at)
        self._obey(record, raw, by)
        return note

    def edit_comment(self, record: Record, note: Note, raw: str, *, by: str) -> None:
        if note.raw != raw:
            note.raw, note.edited_at = raw, self.tick()
            record.updated_at = note.edited_at
            self._obey(record, raw, by)

    def edit_report(self, record: Record, title: str, description: str) -> None:
        if (record.title, record.description) != (title, description):
            record.title, record.description, record.updated_at = title, description, self.tick()

    def link(self, record: Record, global_id: str, url: str) -> None:
        record.links[global_id] = url

    def _obey(self, record: Record, raw: str, by: str) -> None:
        """What the markup makes the tracker do: orders at the start of a line, mentions anywhere."""
        for line in raw.splitlines():
            if line.strip() == "/close":
                self.set_status(record, CLOSED, by=by)
            elif line.startswith("/label "):
                self.relabel(record, [line.removeprefix("/label ").strip()], [], by=by)
        self.called += re.findall(r"(?<!\\)@(\w+)", raw)

    def actor(self, account: str) -> Actor:
        return self.people.get(account, NOBODY)


def shown(raw: str) -> str:
    """What a person sees of a text in the tracker's markup."""
    return re.sub(r"\\(.)", r"\1", raw)
