"""The contract's ground over a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import SecretStr

from connectors.retry import Retry
from connectors.tracker import Connection
from tests.ground import Snapshot, Stored
from tests.notebook_tracker.notebook_markup import plain
from tests.notebook_tracker.notebook_reader import NotebookReader
from tests.notebook_tracker.notebook_server import PAGE, Answer, NotebookServer, Trouble
from tests.notebook_tracker.notebook_store import NotebookStore
from tests.notebook_tracker.notebook_writer import NotebookWriter

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
LOG_IN = "<!doctype html><html><body>Log in to your notebook</body></html>"


class NotebookGround:
    """Attributes: as ``Ground``."""

    project = "CAR"
    own = "warranty"
    token = "notebook-token-93ad"
    watching = "notebook-token-w51c"
    colleague = "bob"
    past_a_page = PAGE + 5

    def __init__(self, folder: Path) -> None:
        self.waits: list[float] = []
        self.url = f"http://localhost{folder.as_posix()}"
        self.store = NotebookStore(folder, NOW)
        self.server = NotebookServer(self.store, self.url)
        self.store.add_project(self.project)
        for person in ("ann", "bob"):
            self.store.add_account(person)
        self.store.add_account(self.own, self.token)
        self.store.add_account(self.own, self.watching, writes=False)

    @property
    def now(self) -> datetime:
        return self.store.now

    def connection(self, *, token: str | None = None, dead: bool = False) -> Connection:
        url = f"{self.url}/nothing" if dead else self.url
        return Connection(name="notebook", url=url, token=SecretStr(token or self.token))

    def _retry(self) -> Retry:
        return Retry(attempts=4, sleep=self.waits.append)

    def reader(self, connection: Connection | None = None) -> NotebookReader:
        return NotebookReader(connection or self.connection(), self._retry())

    def writer(self, connection: Connection | None = None) -> NotebookWriter:
        return NotebookWriter(connection or self.connection(), self._retry())

    # ---- what people do
    def opens(self, title: str, *, labels: Sequence[str] = (), at: datetime | None = None) -> str:
        return self.store.open(self.project, title, by="ann", labels=labels, at=at)

    def says(
        self, key: str, text: str, *, internal: bool = False, by_us: bool = False, at: datetime | None = None
    ) -> None:
        self.store.comment(key, text, by=self.own if by_us else "ann", internal=internal, at=at)

    def relabels(self, key: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        self.store.change(key, {"labels": {"add": add, "remove": remove}}, by="ann")

    def closes(self, key: str, *, at: datetime | None = None) -> None:
        self.store.change(key, {"status": "Done"}, by="bob", at=at)

    def reopens(self, key: str) -> None:
        self.store.change(key, {"status": "Open"}, by="ann")

    def releases(self, name: str, *, fixing: str, published: bool) -> None:
        self.store.change(fixing, {"fix_versions": {"add": [name]}}, by="bob")
        self.store.publish(self.project, name, published=published)

    # ---- what goes wrong
    def garbles(self, key: str) -> None:
        self.server.garbled.add(key)

    def shows_only(self, entries: int) -> None:
        self.server.keeps = entries

    def refuses_next(self, *, status: int, retry_after: int | None = None, text: str = "") -> None:
        self.server.troubles.append(Trouble(text, instead=Answer(status, "{}", retry_after)))

    def loses_next_answer(self, *, text: str = "", cut: bool = False) -> None:
        self.server.troubles.append(Trouble(text, cut=cut))

    def shows_a_web_page(self) -> None:
        self.server.troubles.append(Trouble(instead=Answer(200, LOG_IN), lasting=True))

    # ---- what is really there
    def really(self, key: str) -> Snapshot:
        stands = self.store.stands(key)
        comments = stands["comments"].items()
        return Snapshot(
            title=stands["title"],
            description=plain(stands["text"]),
            open=stands["status"] == "s1",
            labels=frozenset(stands["labels"]),
            priority=stands["priority"],
            assignee=stands["assignee"],
            due=date.fromisoformat(stands["due"]) if stands["due"] else None,
            links=tuple(sorted(stands["links"])),
            comments=tuple(Stored(number, one["by"], one["text"], one["internal"]) for number, one in comments),
            history=len([entry for entry in self.store.log(key) if entry["what"] != "comment"]),
        )

    def keys(self) -> tuple[str, ...]:
        return tuple(self.store.keys(self.project))

    def called(self) -> tuple[str, ...]:
        return tuple(self.store.called)

    def received(self) -> int:
        return len(self.server.received)

    def writes(self) -> list[str]:
        """The requests that were no question."""
        return [one for one in self.server.received if not one.startswith("GET")]
