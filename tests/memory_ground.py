"""The contract's ground over the tracker in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from pydantic import SecretStr

from connectors.retry import Retry
from connectors.tracker import BadAnswer, Connection, OutcomeUnknown, RateLimited, ServerFailed, TrackerError
from policies.issue import Actor
from tests.ground import Snapshot, Stored
from tests.memory_server import CLOSED, OPEN, MemoryServer, Trouble, shown
from tests.memory_tracker import MemoryReader, MemoryWriter

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


class MemoryGround:
    """Attributes: as ``Ground``. A subclass may open a reader, writer or server of its own."""

    project = "CAR"
    own = "warranty-bot"
    token = "memory-token-5f2c"
    watching = "memory-token-w4t7"
    colleague = "bob"
    past_a_page = MemoryReader.page + 5
    reader_of: Callable[[MemoryServer, Connection, Retry], MemoryReader] = MemoryReader
    writer_of: Callable[[MemoryServer, Connection, Retry], MemoryWriter] = MemoryWriter
    server_of: Callable[[datetime], MemoryServer] = MemoryServer

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.server = type(self).server_of(NOW)
        self.server.projects[self.project] = []
        self.server.people = {name: Actor(name, name.title()) for name in ("ann", "bob", self.own)}
        self.server.tokens = dict.fromkeys((self.token, self.watching), self.own)
        self.server.watching = {self.watching}

    @property
    def now(self) -> datetime:
        return self.server.now

    def connection(self, *, token: str | None = None, dead: bool = False) -> Connection:
        url = "memory://tracker/dead" if dead else "memory://tracker"
        return Connection(name="memory", url=url, token=SecretStr(token or self.token))

    def _retry(self) -> Retry:
        return Retry(attempts=4, sleep=self.waits.append)

    def reader(self, connection: Connection | None = None) -> MemoryReader:
        return type(self).reader_of(self.server, connection or self.connection(), self._retry())

    def writer(self, connection: Connection | None = None) -> MemoryWriter:
        return type(self).writer_of(self.server, connection or self.connection(), self._retry())

    # ---- what people do
    def opens(self, title: str, *, labels: Sequence[str] = (), at: datetime | None = None) -> str:
        record = self.server.open(self.project, title, by="ann", at=at)
        record.labels = set(labels)
        return record.key

    def says(
        self, key: str, text: str, *, internal: bool = False, by_us: bool = False, at: datetime | None = None
    ) -> None:
        who = self.own if by_us else "ann"
        self.server.comment(self.server.find(key), text, by=who, internal=internal, at=at)

    def relabels(self, key: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        self.server.relabel(self.server.find(key), add, remove, by="ann")

    def closes(self, key: str, *, at: datetime | None = None) -> None:
        self.server.set_status(self.server.find(key), CLOSED, by="bob", at=at)

    def reopens(self, key: str) -> None:
        self.server.set_status(self.server.find(key), OPEN, by="ann")

    def releases(self, name: str, *, fixing: str, published: bool) -> None:
        self.server.set_fix_version(self.server.find(fixing), name, by="bob")
        at = self.server.tick() if published else None
        self.server.versions.setdefault(self.project, []).append((name, at))

    # ---- what goes wrong
    def garbles(self, key: str) -> None:
        self.server.find(key).garbled = True

    def shows_only(self, entries: int) -> None:
        self.server.keep = entries

    def refuses_next(self, *, status: int, retry_after: int | None = None, text: str = "") -> None:
        kind = RateLimited if status == 429 else ServerFailed
        seconds = None if retry_after is None else float(retry_after)
        self.server.troubles.append(Trouble(partial(kind, f"{status} from the server", retry_after=seconds), text=text))

    def loses_next_answer(self, *, text: str = "", cut: bool = False) -> None:
        lost: Callable[[], TrackerError] = partial(BadAnswer if cut else OutcomeUnknown, "no whole answer came")
        self.server.troubles.append(Trouble(lost, text=text, after=True))

    def shows_a_web_page(self) -> None:
        self.server.troubles.append(Trouble(partial(BadAnswer, "a web page came back"), times=1_000))

    # ---- what is really there
    def really(self, key: str) -> Snapshot:
        record = self.server.find(key)
        return Snapshot(
            title=record.title,
            description=shown(record.description),
            open=record.status == OPEN,
            labels=frozenset(record.labels),
            priority=record.priority.id if record.priority else None,
            assignee=record.assignee,
            due=record.due,
            links=tuple(sorted(record.links)),
            comments=tuple(Stored(note.id, note.author, note.raw, note.internal) for note in record.notes),
            history=len(record.history),
        )

    def keys(self) -> tuple[str, ...]:
        return tuple(record.key for record in self.server.projects[self.project])

    def called(self) -> tuple[str, ...]:
        return tuple(self.server.called)

    def received(self) -> int:
        return len(self.server.requests)
