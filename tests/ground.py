"""What the contract runs on: a tracker with a project, people in it, and things that go wrong on demand.

What people do, and what is really there, goes past the connector; what is tested goes through it alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from connectors.tracker import (
    Capabilities,
    Connection,
    TrackerReader,
    TrackerWriter,
    Unreadable,
)
from connectors.work import Work, Worked
from policies.changes import (
    Change,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.document import BulletList, Document, Heading, Paragraph, Table, Text
from policies.issue import (
    Event,
    Issue,
    Role,
)
from policies.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Stored:
    """A comment as it really is at the tracker. Attributes: text: what is stored, in the tracker's own markup."""

    id: str
    author: str
    text: str
    internal: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An issue as it really is at the tracker."""

    title: str
    description: str
    open: bool
    labels: frozenset[str]
    priority: str | None
    assignee: str | None
    due: date | None
    links: tuple[str, ...]
    comments: tuple[Stored, ...]
    history: int


DUE = date(2026, 4, 1)


class Ground(Protocol):
    """One tracker, one project, the people in it, and what can go wrong.

    Attributes:
        project: fresh, with no issues. now: the present instant; the past is written by ``at``.
        own: account id the connector works with; ``token``: its secret; ``watching``: one that may only look.
        colleague: an account that may be assigned. past_a_page: how many issues do not fit a page.
        waits: seconds that were waited, in order.
    """

    project: str
    own: str
    token: str
    watching: str
    colleague: str
    past_a_page: int
    waits: list[float]

    @property
    def now(self) -> datetime: ...

    def connection(self, *, token: str | None = None, dead: bool = False) -> Connection: ...
    def reader(self, connection: Connection | None = None) -> TrackerReader: ...
    def writer(self, connection: Connection | None = None) -> TrackerWriter: ...

    # what people do; each gives or takes the issue's key
    def opens(self, title: str, *, labels: Sequence[str] = (), at: datetime | None = None) -> str: ...
    def says(
        self, key: str, text: str, *, internal: bool = False, by_us: bool = False, at: datetime | None = None
    ) -> None: ...
    def relabels(self, key: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None: ...
    def closes(self, key: str, *, at: datetime | None = None) -> None: ...
    def reopens(self, key: str) -> None: ...
    def releases(self, name: str, *, fixing: str, published: bool) -> None: ...

    # what goes wrong
    def garbles(self, key: str) -> None:
        """Whatever the tracker says of this issue makes no sense from now on."""

    def shows_only(self, entries: int) -> None:
        """The tracker shows only the latest entries of each issue's history, and says how many there are."""

    def refuses_next(self, *, status: int, retry_after: int | None = None, text: str = "") -> None:
        """The next request (with ``text`` in its body) is answered with this status; nothing is done."""

    def loses_next_answer(self, *, text: str = "", cut: bool = False) -> None:
        """The next request (with this text) is carried out; its answer is lost, or half of it is."""

    def shows_a_web_page(self) -> None:
        """From now on every request is answered with 200 and a page to log in."""

    # what is really there
    def really(self, key: str) -> Snapshot: ...
    def keys(self) -> tuple[str, ...]: ...
    def called(self) -> tuple[str, ...]:
        """Whom mentions called."""

    def received(self) -> int:
        """Requests the tracker has received so far."""


Promise = Callable[[Ground], None]
PROMISES: list[Promise] = []
"""Filled by the modules of promises; ``contract`` imports them all."""


def promise(function: Promise) -> Promise:
    """Note a function as one of the port's promises."""
    PROMISES.append(function)
    return function


@contextmanager
def reading(ground: Ground, connection: Connection | None = None) -> Iterator[TrackerReader]:
    reader = ground.reader(connection)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def writing(ground: Ground, connection: Connection | None = None) -> Iterator[TrackerWriter]:
    writer = ground.writer(connection)
    try:
        yield writer
    finally:
        writer.close()


def read(ground: Ground, key: str) -> Issue:
    """The issue as a new reader gives it."""
    with reading(ground) as reader:
        return reader.issue(key)


def perform(ground: Ground, issue: Issue | None, change: Change) -> Receipt:
    """The change carried out by a new writer."""
    with writing(ground) as writer:
        return performed(writer, issue, change, ground.now)


class Performs(Protocol):
    """What carries changes out: a writer, or the part of one that does."""

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]: ...


def performed(writer: Performs, issue: Issue | None, change: Change, now: datetime) -> Receipt:
    """The receipt of one change. Raises the TrackerError that it failed with."""
    (worked,) = writer.perform([Work(issue, (change,))], now)
    if worked.failure is not None:
        raise worked.failure
    (receipt,) = worked.receipts
    return receipt


def all_of(ground: Ground, since: datetime | None = None) -> list[Issue | Unreadable]:
    with reading(ground) as reader:
        return list(reader.changed_since(ground.project, since))


def readable(found: Sequence[Issue | Unreadable]) -> list[Issue]:
    strange = [one for one in found if isinstance(one, Unreadable)]
    assert not strange, f"could not be read: {strange}"
    return [one for one in found if isinstance(one, Issue)]


def capabilities(ground: Ground) -> Capabilities:
    with reading(ground) as reader:
        return reader.capabilities()


def own_events(issue: Issue, kind: type[Event]) -> list[Event]:
    return [event for event in issue.events if isinstance(event, kind) and event.actor.role is Role.OWN]


def document(*lines: str) -> Document:
    return Document(
        (
            Heading("Warranty clocks"),
            *(Paragraph((Text(line),)) for line in lines),
            BulletList(((Text("due ", strong=True), Text("2026-03-07 15:00 UTC", code=True)),)),
            Table(
                ("clock", "verdict"), (((Text("resolution"),), (Text("at risk", url="https://example.test/policy"),)),)
            ),
        )
    )


def note(*lines: str, internal: bool = False) -> UpsertComment:
    return UpsertComment("clocks", document(*lines), internal=internal)


def report(ground: Ground, *lines: str) -> UpsertReport:
    return UpsertReport(ground.project, "summary", "Warranty summary", document(*lines), "warranty-report")


def link() -> UpsertLink:
    return UpsertLink(
        global_id="warranty-flows:acme/car:v1.4.2",
        url="https://example.test/releases/v1.4.2",
        title="Release v1.4.2",
        relationship="patch release",
        proof="warranty-patch",
    )


def our_notes(ground: Ground, key: str, marker: str = "clocks") -> list[Stored]:
    return [one for one in ground.really(key).comments if f"warranty-flows:{marker}:" in one.text]


def leaves(text: str) -> set[str]:
    """Every value in a JSON text, at any depth, as words."""

    def values(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for child in node.values():
                yield from values(child)
        elif isinstance(node, list):
            for child in node:
                yield from values(child)
        else:
            yield str(node)

    return set(values(json.loads(text)))


def visible(text: str) -> str:
    """Words without the white space between them, which each markup sets its own way."""
    return re.sub(r"\s+", " ", text.replace("\u200b", "").replace("\u2060", "")).strip()


def possible(ground: Ground) -> list[Change]:
    """A change of every kind this tracker can do to an issue."""
    can = capabilities(ground)
    changes: list[Change] = [
        Relabel(add=("sla-at-risk", "sla-tier-L2"), remove=("sla-ok",)),
        SetDueDate(DUE),
        SetAssignee(ground.colleague),
        note("All is well."),
    ]
    if can.priorities:
        with reading(ground) as reader:
            first = reader.words(ground.project).priorities[0]
        changes += [SetPriority(first.id), SetPriority(first.name)]
    if can.web_links:
        changes += [link(), Relabel(add=(link().proof,))]
    return changes
