"""The contract's ground over the sandbox: real connectors, real HTTP on loopback, one server for all."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pydantic import SecretStr

from connectors import registry
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.nouns import Body, Issue
from connectors.sandbox.server import App, Message, Receive, Sandbox, Scope, Send
from connectors.sandbox.store import Store
from connectors.tracker import Connection, TrackerReader, TrackerWriter
from policies.issue import Word
from tests.ground import Snapshot, Stored

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
BOT, MAIL, TOKEN, WATCHING = "warranty-bot", "bot@acme.test", "sandbox-token-5f2c", "sandbox-token-w4t7"
STATUSES = (Word("1", "Open", "new"), Word("3", "处理中", "indeterminate"), Word("6", "Closed", "done"))
PRIORITIES = (Word("1", "Highest"), Word("2", "Medium"), Word("3", "Low"))


@dataclass(frozen=True, slots=True)
class SetUp:
    """One way to speak to a tracker. Attributes: mount: the sandbox's name for it. past_a_page: as of ``Ground``."""

    kind: str
    mount: str
    past_a_page: int
    user: str = ""


SET_UPS: Mapping[str, SetUp] = {
    "Jira Cloud": SetUp("jira", "jira-cloud", past_a_page=105, user=MAIL),
    "Jira Data Center": SetUp("jira", "jira-dc", past_a_page=105),
    "GitLab GraphQL": SetUp("gitlab", "gitlab", past_a_page=55),
    "GitLab 16.3": SetUp("gitlab", "gitlab-16", past_a_page=22),
    # Several requests for each issue: past the page of 20 that GitLab gives unasked.
    "GitLab REST": SetUp("gitlab", "gitlab-rest", past_a_page=22),
}


class Garbling:
    """Between server and client: what is said of some issues makes no sense.

    Attributes:
        titles: of those issues.
        received: requests that came through (the store notes one only after it was answered).
    """

    def __init__(self) -> None:
        self.titles: set[str] = set()
        self.received = 0

    def around(self, app: App) -> App:
        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            self.received += 1
            if not self.titles:
                await app(scope, receive, send)
                return
            held: list[Message] = []

            async def hold(message: Message) -> None:
                held.append(message)

            await app(scope, receive, hold)
            body = b"".join(message.get("body", b"") for message in held)
            body = json.dumps(self._garbled(json.loads(body))).encode() if body else b""
            headers = [pair for pair in held[0]["headers"] if pair[0].lower() != b"content-length"]
            await send({**held[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        return outer

    def _garbled(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._garbled(each) for each in node]
        if not isinstance(node, dict):
            return node
        strange = bool(self.titles & {node.get("title"), node.get("summary")})
        when = {"created", "created_at", "createdAt"} if strange else set()
        return {name: "once upon a time" if name in when else self._garbled(each) for name, each in node.items()}


class Served:
    """The sandbox all grounds share: one server, one store, a fresh project for each."""

    def __init__(self) -> None:
        self.store = Store(Clock.fixed(NOW))
        self.garbling = Garbling()
        self.sandbox = Sandbox(self.store, apps={name: self._app(name) for name in self._mounts()})
        self.numbers = count(1)
        people = ((BOT, MAIL, True), ("ann", "ann@example.test", False), ("bob", "bob@acme.test", False))
        for name, mail, bot in people:
            self.store.create_user(name, name.title(), email=mail, bot=bot, customer=name == "ann")
        self.store.create_token(TOKEN, BOT)
        self.store.create_token(WATCHING, BOT, permissions={"browse"})

    @staticmethod
    def _mounts() -> list[str]:
        return [set_up.mount for set_up in SET_UPS.values()]

    def _app(self, mount: str) -> App:
        """Loaded when it is first asked, so that one dialect that does not load does not stop the others."""
        loaded: list[App] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if not loaded:
                dialect = next(kind.stand_ins[mount] for kind in registry.KINDS.values() if mount in kind.stand_ins)
                factory = getattr(importlib.import_module(dialect.module), dialect.factory)
                loaded.append(self.garbling.around(factory(self.store, **dialect.options)))
            await loaded[0](scope, receive, send)

        return app


class SandboxGround:
    """Attributes: as ``Ground``."""

    own = BOT
    token = TOKEN
    watching = WATCHING
    colleague = "bob"

    def __init__(self, served: Served, set_up: SetUp) -> None:
        self._served = served
        self._store = served.store
        self._set_up = set_up
        self.past_a_page = set_up.past_a_page
        self.waits: list[float] = []
        self._store.faults.clear()
        served.garbling.titles.clear()
        number = next(served.numbers)
        if set_up.kind == "jira":
            self.project = f"P{number}"
            self._store.create_project(
                self.project,
                f"Project {number}",
                kind="jira",
                statuses=STATUSES,
                priorities=PRIORITIES,
                types=(Word("1", "Bug"), Word("2", "Task")),
                resolutions=(Word("1", "Fixed"),),
                service_desk=True,
            )
        else:
            self.project = f"acme/p{number}"
            self._store.create_project(self.project, f"p{number}", kind="gitlab")

    @property
    def now(self) -> datetime:
        return self._store.clock.now()

    def connection(self, *, token: str | None = None, dead: bool = False) -> Connection:
        url = f"http://127.0.0.1:1/{self._set_up.mount}" if dead else self._served.sandbox.url(self._set_up.mount)
        secret = SecretStr(token or self.token)
        return Connection(name="acme", url=url, token=secret, user=self._set_up.user, timeout=(5.0, 20.0))

    def _retry(self) -> Retry:
        return Retry(attempts=4, sleep=self.waits.append)

    def reader(self, connection: Connection | None = None) -> TrackerReader:
        return registry.open_reader(self._set_up.kind, connection or self.connection(), retry=self._retry())

    def writer(self, connection: Connection | None = None) -> TrackerWriter:
        return registry.open_writer(self._set_up.kind, connection or self.connection(), retry=self._retry())

    # ---- what people do
    def _issue(self, key: str) -> Issue:
        found = self._store.issue(key)
        assert found is not None
        return found

    @property
    def _jira(self) -> bool:
        return self._set_up.kind == "jira"

    def opens(self, title: str, *, labels: Sequence[str] = (), at: datetime | None = None) -> str:
        priority = "2" if self._jira else None
        return self._store.create_issue(self.project, title, actor="ann", labels=labels, priority=priority, at=at).key

    def says(
        self, key: str, text: str, *, internal: bool = False, by_us: bool = False, at: datetime | None = None
    ) -> None:
        self._store.comment(key, text, actor=BOT if by_us else "ann", internal=internal, at=at)

    def relabels(self, key: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        self._store.relabel(key, actor="ann", add=add, remove=remove)

    def closes(self, key: str, *, at: datetime | None = None) -> None:
        self._store.transition(key, "6" if self._jira else "closed", actor="bob", at=at)

    def reopens(self, key: str) -> None:
        self._store.transition(key, "1" if self._jira else "opened", actor="ann")

    def releases(self, name: str, *, fixing: str, published: bool) -> None:
        store, day = self._store, timedelta(days=1)
        if self._jira:
            version = store.create_version(self.project, name)
            store.edit(fixing, {"fix_versions": [version.id]}, actor="bob")
            if published:
                store.release_version(version, on=self.now.date(), actor="bob")
            return
        number = self._issue(fixing).number
        request = store.create_merge_request(
            self.project, "Mend it", actor="bob", description=f"Closes #{number}", closes=[number]
        )
        store.merge(self.project, request.iid, actor="bob")
        store.tag(self.project, name, actor="bob")
        at = None if published else self.now + 30 * day
        store.publish_release(self.project, name, actor="bob", released_at=at)

    # ---- what goes wrong
    def garbles(self, key: str) -> None:
        self._served.garbling.titles.add(self._issue(key).title)

    def shows_only(self, entries: int) -> None:
        self._store.faults.add(Fault("truncated_history", keep=entries, times=None))

    def refuses_next(self, *, status: int, retry_after: int | None = None, text: str = "") -> None:
        self._store.faults.add(Fault("status", status=status, retry_after=retry_after, body=text))

    def loses_next_answer(self, *, text: str = "", cut: bool = False) -> None:
        self._store.faults.add(Fault("truncated_json" if cut else "drop_after", body=text))

    def shows_a_web_page(self) -> None:
        self._store.faults.add(Fault("login_page", times=None))

    # ---- what is really there
    def really(self, key: str) -> Snapshot:
        with self._store.lock:
            issue = self._issue(key)
            return Snapshot(
                title=issue.title,
                description=_stored(issue.description or ""),
                open=issue.status in {"1", "opened"},
                labels=frozenset(issue.labels),
                priority=issue.priority,
                assignee=next(iter(issue.assignees), None),
                due=issue.due,
                links=tuple(sorted(issue.web_links)),
                comments=tuple(
                    Stored(comment.id, comment.author, _stored(comment.body), comment.internal)
                    for comment in issue.comments
                ),
                history=len(issue.history),
            )

    def keys(self) -> tuple[str, ...]:
        return tuple(issue.key for issue in self._store.projects[self.project].issues.values())

    def called(self) -> tuple[str, ...]:
        texts = [comment.text for key in self.keys() for comment in self.really(key).comments]
        return tuple(name for text in texts for name in self._mentions(text))

    def _mentions(self, text: str) -> list[str]:
        if self._jira:
            # A node of an Atlassian document, or [~name] without a backslash in wiki markup.
            return re.findall(r'"type": "mention"|(?<!\\)\[~[^\]]+\]', text)
        # GitLab looks for references in the finished page, and not inside code.
        return re.findall(r"(?<![\w`])@\w+", re.sub(r"(`+).*?\1", "", text))

    def received(self) -> int:
        return self._served.garbling.received


def _stored(body: Body) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
