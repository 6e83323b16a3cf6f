"""What is known of a GitLab while several of its pages are read at once, and while it is brought up to date meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.cache import SessionCache
from connectors.gitlab import documents, time_spans
from connectors.gitlab.client import GitLabClient
from connectors.gitlab.server import Generation, Server
from connectors.gitlab.stand_in import app
from connectors.gitlab.stand_in import server as stand_in
from connectors.gitlab.stand_in.terms import Terms
from connectors.gitlab.tracker import GitLabReader
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection, CredentialsRefused
from policies.issue import Issue

PROJECT = "acme/car"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN = "token-of-the-bot"
BOT = {"id": "gid://gitlab/User/9", "username": "bot"}
WIDGETS = tuple(documents.WIDGETS)


def fields(**named: tuple[str, ...]) -> dict[str, Any]:
    return {
        "fields": [{"name": name, "args": [{"name": each} for each in arguments]} for name, arguments in named.items()]
    }


SCHEMA = {
    "currentUser": BOT,
    "metadata": {"version": "19.2.0"},
    "project": fields(workItems=("updatedAfter", "sort", "types", "iids", "createdAfter", "createdBefore")),
    "notes": fields(discussions=("filter",)),
    "mutation": fields(workItemUpdate=(), createNote=(), updateNote=()),
    "listed": fields(count=("limit",)),
    **{name.lower(): fields(any=()) for name in WIDGETS},
}


class Probed(GitLabClient):
    """A client whose one look at the schema is answered by hand. Attributes: looks: how many there were."""

    def __init__(self, answer: Callable[[], dict[str, Any]]) -> None:
        super().__init__(Connection(name="gl", url="https://gl.example", token=SecretStr("x")))
        self.answer = answer
        self.looks = 0

    def graphql(self, name: str, document: str, variables: Any, **_: Any) -> dict[str, Any]:
        assert name == "Probe"
        assert name in document
        assert not variables
        self.looks += 1
        return self.answer()


def page(version: str) -> dict[str, Any]:
    return {"currentUser": BOT, "metadata": {"version": version}}


def test_another_version_leaves_a_session_as_it_is_and_nothing_of_it_for_the_next() -> None:
    cache, client = SessionCache(), Probed(lambda: SCHEMA)
    server = Server(client, cache)
    assert (server.generation(), server.widgets(), server.counts()) == (Generation.WORK_ITEMS, WIDGETS, True)
    for version in ("19.2.0", "19.2.1", "19.2.0", "19.2.1"):
        server.verify(page(version), "read")
        assert (server.generation(), server.widgets(), server.counts()) == (Generation.WORK_ITEMS, WIDGETS, True)
    server.without_widgets()
    server.words()
    assert (server.widgets(), cache.get("gitlab server"), client.looks) == ((), None, 1)
    assert Server(client, cache).widgets() == WIDGETS
    assert client.looks == 2


def test_what_was_not_to_be_read_by_graphql_is_not_kept_by_a_page_that_comes_late() -> None:
    cache, client = SessionCache(), Probed(lambda: SCHEMA)
    server = Server(client, cache)
    server.generation()
    server.fall_back()
    server.without_widgets()
    assert (server.generation(), cache.get("gitlab server")) == (Generation.REST, None)


def test_while_the_schema_is_looked_at_nobody_is_told_half_of_it() -> None:
    free: list[bool] = []
    told: list[tuple[Generation | None, tuple[str, ...]]] = []

    def looked_at() -> dict[str, Any]:
        told.append((server._generation, server._widgets))
        other = threading.Thread(target=lambda: free.append(server._lock.acquire(blocking=False)))
        other.start()
        other.join()
        return SCHEMA

    server = Server(Probed(looked_at), SessionCache())
    assert server.widgets() == WIDGETS
    assert (free, told) == ([False], [(None, ())])


def test_a_look_that_nobody_is_logged_in_for_says_nothing_of_the_server() -> None:
    client = Probed(lambda: {**SCHEMA, "currentUser": None})
    server = Server(client, SessionCache())
    for _ in range(2):
        with pytest.raises(CredentialsRefused):
            server.generation()
    client.answer = lambda: SCHEMA
    assert server.generation() is Generation.WORK_ITEMS


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """360 issues with a weight; each ninth of them is fixed by a merge request of one release."""
    store = Store(clock=Clock.fixed(START))
    store.create_user("alice", "Alice Customer")
    store.create_user("warranty", "Warranty", bot=True)
    store.create_token(OWN, "warranty")
    store.create_project(PROJECT, "Car", kind="gitlab")
    for n in range(360):
        store.create_issue(PROJECT, f"Pump {n}", actor="alice", at=START + timedelta(seconds=n), weight=3)
    store.clock.advance(timedelta(hours=1))
    for n in range(0, 360, 9):
        request = store.create_merge_request(PROJECT, f"Fix {n}", actor="alice", closes=[n + 1])
        store.merge(PROJECT, request.iid, actor="alice")
    store.tag(PROJECT, "v1", actor="alice")
    store.publish_release(PROJECT, "v1", actor="alice")
    with Sandbox(store, apps={"paid": app(store, "19.2", Terms(tier="premium"))}) as running:
        yield running


@pytest.mark.parametrize("nodes", [1, 2], ids=["upgraded", "two nodes of different versions"])
def test_an_upgrade_in_the_middle_of_a_reading_costs_no_facts(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, nodes: int
) -> None:
    answers = count()

    def version(_: object) -> str:
        n = next(answers)
        return f"19.2.{n % 2 if nodes > 1 else int(n > 3)}-ee"

    monkeypatch.setattr(stand_in.Server, "version", property(version))
    monkeypatch.setattr(time_spans, "_ISSUES_OF_A_SPAN", 40)
    cache = SessionCache()
    connection = Connection(name="gl", url=sandbox.url("paid"), token=SecretStr(OWN))
    reader = GitLabReader(connection, retry=Retry(attempts=1), cache=cache)
    try:
        found = [one for one in reader.changed_since(PROJECT, None) if isinstance(one, Issue)]
        (release,) = reader.releases(PROJECT)
    finally:
        reader.close()
    assert len(found) == 360
    assert {issue.fields for issue in found} == {(("weight", "3"),)}
    assert len(release.carries) == 40
    assert reader.requests["POST graphql Probe"] == 1
    assert cache.get("gitlab server") is None
