"""The tracker of a sweep: a GitLab of the sandbox with many issues, a fifth of them overdue, in a process of its own.

It is built once and forked for each contestant, so that everybody finds the same and nobody another one's traces.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from tests.bench.sweep_wire import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PROJECT, TOKEN, BOT = "acme/car", "sweep-token-0f5c91", "warranty-bot"
OVERDUE_EVERY = 5
GOAL_DAYS = 20
EVENTS = 12
"""Of each issue, beside its opening."""


@dataclass(frozen=True, slots=True)
class Tracker:
    """One contestant's own. Attributes: url: of the GitLab."""

    url: str
    _commands: Connection

    def touch(self, issues: int) -> None:
        """Somebody closes so many of the overdue issues."""
        self._ask("touch", issues)

    def requests(self) -> Counter[str]:
        """What it was asked since the last time this was asked."""
        found = self._ask("requests", None)
        assert isinstance(found, Counter)
        return found

    def overdue(self) -> int:
        """How many issues bear the label that says so."""
        found = self._ask("overdue", None)
        assert isinstance(found, int)
        return found

    def _ask(self, command: str, value: object) -> object:
        self._commands.send((command, value))
        return self._commands.recv()


def built(issues: int) -> Store:
    """A store with so many issues, each fifth of them open beyond its goal."""
    store = Store(Clock.fixed(NOW))
    chosen = random.Random(20260601)  # noqa: S311 - the same issues every time
    for name in (BOT, "ann", "amy"):
        store.create_user(name, name.title(), email=f"{name}@acme.test", bot=name == BOT)
    store.create_token(TOKEN, BOT)
    store.create_project(PROJECT, "car", kind="gitlab")
    # Numbers rise with time, as in any tracker.
    ages = sorted(
        (timedelta(days=GOAL_DAYS + 1, minutes=chosen.randrange(0, 40 * 24 * 60)) for _ in range(issues)), reverse=True
    )
    for number, age in enumerate(ages):
        overdue = number % OVERDUE_EVERY == 0
        at = NOW - age
        key = store.create_issue(PROJECT, f"Report {number}", actor="ann", at=at).key
        for event in range(EVENTS - 1):
            at += timedelta(minutes=chosen.randrange(1, 60))
            if event % 3 == 2:
                name = f"area-{event}"
                store.relabel(key, actor="amy", add=[name], at=at)
            else:
                store.comment(key, "What we found so far, in a line or two.", actor=("ann", "amy")[event % 2], at=at)
        if not overdue:
            store.edit(key, {"status": store.projects[PROJECT].statuses[-1].id}, actor="amy", at=at)
    return store


@contextmanager
def served(store: Store, latency: float = 0.0) -> Iterator[Tracker]:
    """The store behind HTTP on loopback, in a process forked for it. Args: latency: seconds each request is on its way."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(store, theirs, ours), daemon=True)
    process.start()
    theirs.close()  # else this side would wait for ever for a process that has died
    try:
        with wire(ours.recv(), latency, ours) as url:
            yield Tracker(url, ours)
        ours.send(("end", None))
    finally:
        ours.close()
        process.join()


def _serve(store: Store, commands: Connection, other_end: Connection) -> None:
    other_end.close()  # else the parent's end would never be the last one
    # What was built lives to the end: else one contestant's run or another's is held up while all of it is looked through.
    gc.freeze()
    with Sandbox(store) as sandbox:
        commands.send(sandbox.url("gitlab"))
        while True:
            try:
                command, value = commands.recv()
            except EOFError:
                return
            if command == "end":
                return
            commands.send(_done(store, command, value))


def _done(store: Store, command: str, value: object) -> object:
    if command == "touch":
        assert isinstance(value, int)
        issues = [issue for issue in store.projects[PROJECT].issues.values() if _overdue(issue.labels)]
        closed = store.projects[PROJECT].statuses[-1].id
        for issue in issues[:value]:
            store.edit(issue.key, {"status": closed}, actor="amy")
    elif command == "requests":
        counted = Counter(f"{request.method} {_kind(request.path)}" for request in store.requests)
        store.requests.clear()
        return counted
    elif command == "overdue":
        return sum(_overdue(issue.labels) for issue in store.projects[PROJECT].issues.values())
    return None


def _overdue(labels: object) -> bool:
    return isinstance(labels, list | tuple | set | frozenset) and any(str(name).endswith("overdue") for name in labels)


def _kind(path: str) -> str:
    """``issues/notes`` for ``/gitlab/api/v4/projects/9/issues/7/notes?page=2``."""
    parts = [part for part in path.split("?", maxsplit=1)[0].split("/") if part.isalpha() or "_" in part]
    return "/".join(part for part in parts if part not in {"gitlab", "api", "projects"}) or "/"
