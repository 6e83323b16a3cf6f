"""A Jira project for tests of reading and writing: real HTTP on the sandbox, in one dialect, and who works in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from pydantic import SecretStr

from connectors.cache import Cache
from connectors.jira.tracker import JiraReader, JiraWriter
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Request, Store
from connectors.tracker import Connection, Unreadable
from connectors.work import Work, Worked
from policies.changes import Change, UpsertComment, UpsertReport
from policies.document import Document, Heading, Paragraph, Text
from policies.issue import Issue, Word
from policies.receipt import Receipt
from tests.ground import performed

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TOKEN, WEAK = "sandbox-token", "weak-token"
WORDS: dict[str, Any] = {
    "statuses": [Word("1", "Open", "new"), Word("3", "处理中", "indeterminate"), Word("5", "Done", "done")],
    "priorities": [Word("1", "High"), Word("2", "Low")],
    "types": [Word("10", "Bug"), Word("11", "Task")],
    "resolutions": [Word("1", "Fixed")],
}

_keys = count(1)


@dataclass
class Place:
    """A fresh project in one dialect."""

    sandbox: Sandbox
    dialect: str
    project: str
    waits: list[float] = field(default_factory=list)
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def store(self) -> Store:
        return self.sandbox.store

    @property
    def cloud(self) -> bool:
        return self.dialect == "jira-cloud"

    @property
    def now(self) -> datetime:
        return self.store.clock.now()

    def connection(self, token: str = TOKEN) -> Connection:
        user = "own@example.org" if self.cloud else ""
        return Connection(name="support", url=self.sandbox.url(self.dialect), token=SecretStr(token), user=user)

    def reader(self, token: str = TOKEN) -> JiraReader:
        reader = JiraReader(self.connection(token), retry=Retry(attempts=3, sleep=self.waits.append))
        self.open.callback(reader.close)
        return reader

    def writer(self, token: str = TOKEN, cache: Cache | None = None) -> JiraWriter:
        writer = JiraWriter(self.connection(token), retry=Retry(attempts=3, sleep=self.waits.append), cache=cache)
        self.open.callback(writer.close)
        return writer

    def issue(self, title: str = "Pump leaks", **more: Any) -> str:
        given = {"actor": "u-ann", "status": "1", "type_": "10", "priority": "2", **more}
        return self.store.create_issue(self.project, title, **given).key

    def read(self, key: str) -> Issue:
        return self.reader().issue(key)

    def all(self, since: datetime | None = None) -> list[Issue | Unreadable]:
        return list(self.reader().changed_since(self.project, since))

    def perform(self, key: str | None, change: Change, token: str = TOKEN) -> Receipt:
        return performed(self.writer(token), self.read(key) if key else None, change, self.now)

    def together(self, key: str, *changes: Change, token: str = TOKEN) -> Worked:
        """The answer to all changes of an issue, as it is read now, by a new writer."""
        (worked,) = self.writer(token).perform([Work(self.read(key), changes)], self.now)
        return worked

    def edits(self, key: str) -> list[Request]:
        """The edits of an issue that the server has seen."""
        id_ = self.read(key).ref.id
        with self.store.lock:
            return [one for one in self.store.requests if one.method == "PUT" and one.path.endswith(f"/issue/{id_}")]


def served() -> Iterator[Sandbox]:
    """A sandbox with people and tokens, and no project."""
    store = Store(Clock.fixed(START))
    for id_, name, zone in (("u-ann", "ann", "UTC"), ("u-bob", "bob", "UTC"), ("u-own", "own", "Asia/Shanghai")):
        store.create_user(id_, name.title(), username=name, email=f"{name}@example.org", zone=zone)
    store.create_token(TOKEN, "u-own")
    store.create_token(WEAK, "u-own", permissions={"browse", "comment", "edit"})
    with Sandbox(store) as sandbox:
        yield sandbox


@contextmanager
def opened(sandbox: Sandbox, dialect: str) -> Iterator[Place]:
    """A new project in a dialect; its readers and writers are closed in the end, and faults forgotten."""
    key = f"P{next(_keys)}"
    sandbox.store.create_project(key, f"Project {key}", kind="jira", service_desk=True, **WORDS)
    found = Place(sandbox, dialect, key)
    with found.open:
        yield found
    sandbox.store.faults.clear()


def note(*lines: str, marker: str = "sla", internal: bool = False) -> UpsertComment:
    return UpsertComment(marker, Document(tuple(Paragraph((Text(line),)) for line in lines)), internal=internal)


def report(place: Place, line: str) -> UpsertReport:
    return UpsertReport(place.project, "summary", "Warranty summary", Document((Heading(line),)), "warranty-report")
