"""How many requests reading Jira takes, counted on the sandbox over real HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.cache import SessionCache
from connectors.jira.tracker import JiraReader
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import NOTHING_KNOWN, Connection
from policies.issue import Issue, Word

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TOKEN = "budget-token-3f9a"
MANY = 10_000
LONG_THREADS = 3
OVERLAP = timedelta(minutes=10)


@dataclass
class Site:
    """Two projects on one Jira: ten thousand issues, and a handful; what was learned of it is kept."""

    sandbox: Sandbox
    dialect: str
    cache: SessionCache = field(default_factory=SessionCache)
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def cloud(self) -> bool:
        return self.dialect == "jira-cloud"

    def reader(self) -> JiraReader:
        """A new session, with what earlier ones learned."""
        user = "own@example.org" if self.cloud else ""
        connection = Connection(
            name="support", url=self.sandbox.url(self.dialect), token=SecretStr(TOKEN), user=user, timeout=(5, 60)
        )
        reader = JiraReader(connection, cache=self.cache)
        self.open.callback(reader.close)
        return reader

    def warm(self) -> None:
        """The first session ever."""
        assert self.run("FEW")[0]

    def run(
        self, project: str, since: datetime | None = None, known: Any = NOTHING_KNOWN
    ) -> tuple[list[Issue], Counter[str]]:
        """What one run reads of the issues of a project, and the requests it takes."""
        reader = self.reader()
        reader.capabilities()
        reader.own_account()
        found = [one for one in reader.changed_since(project, since, known) if isinstance(one, Issue)]
        return found, reader.requests


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    store = Store(Clock.fixed(START))
    store.create_user("u-own", "Own", username="own", email="own@example.org", zone="Asia/Shanghai")
    store.create_user("u-ann", "Ann", username="ann")
    store.create_token(TOKEN, "u-own")
    for key, issues in (("FEW", 5), ("MANY", MANY)):
        store.create_project(
            key,
            key,
            kind="jira",
            statuses=[Word("1", "Open", "new"), Word("5", "Done", "done")],
            priorities=[Word("1", "High")],
            types=[Word("10", "Bug")],
            resolutions=[],
        )
        for number in range(issues):
            issue = store.create_issue(key, f"Pump {number}", actor="u-ann", status="1", type_="10", priority="1")
            store.clock.advance(timedelta(seconds=3))
            if number < LONG_THREADS:
                for comment in range(25):
                    store.comment(issue.id, f"Comment {comment}", actor="u-ann")
    with Sandbox(store) as sandbox:
        yield sandbox


@pytest.fixture(params=["jira-cloud", "jira-dc"])
def site(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Site]:
    site = Site(sandbox, request.param)
    with site.open:
        yield site


def test_the_first_session_asks_three_things_and_the_second_none(site: Site) -> None:
    _, first = site.run("FEW")
    _, second = site.run("FEW")
    start = Counter({"GET serverInfo": 1, "GET myself": 1, "GET field": 1})
    assert first - second == start
    assert not second & start


def test_ten_thousand_issues(site: Site) -> None:
    site.warm()
    found, spent = site.run("MANY")
    assert len({issue.ref.id for issue in found}) == len(found) == MANY
    assert all(issue.gaps == () for issue in found)
    assert [len(issue.comments()) for issue in found if issue.events[-1].kind == "commented"] == [25] * LONG_THREADS
    if site.cloud:
        assert spent == {
            "POST search/jql": MANY // 100,
            "POST changelog/bulkfetch": MANY // 1000,
            "GET issue/{key}/comment": LONG_THREADS,
        }
        assert spent.total() - LONG_THREADS <= 130
    else:
        # A page further on is asked for by a date, so the zone is not taken from the cache.
        assert spent.pop("GET myself") == 1
        assert MANY // 200 <= spent["POST search"] == spent.total() <= 109


def test_a_hundred_changed_and_nothing_changed(site: Site, sandbox: Sandbox) -> None:
    site.warm()
    store = sandbox.store
    store.clock.advance(timedelta(days=1))
    cursor = store.clock.now()
    with store.lock:
        keys = [issue.key for issue in store.projects["MANY"].issues.values()][LONG_THREADS:][:100]
    store.relabel(keys[0], actor="u-ann", add=[f"cursor-{site.dialect}"])
    known = {issue.ref.id: issue.updated_at for issue in site.run("MANY", cursor)[0]}
    store.clock.advance(timedelta(hours=1))
    for key in keys:
        store.relabel(key, actor="u-ann", add=[f"touched-{site.dialect}"])
    found, spent = site.run("MANY", cursor - OVERLAP, known)
    assert sorted(issue.ref.key for issue in found) == sorted(keys)
    assert spent.total() == (2 if site.cloud else 1), dict(spent)
    held = known | {issue.ref.id: issue.updated_at for issue in found}
    store.clock.advance(timedelta(minutes=1))
    again, idle = site.run("MANY", max(held.values()) - OVERLAP, held)
    assert idle.total() == 1, dict(idle)
    # Data Center delivers the history with the search: nothing is saved by leaving an issue out.
    assert len(again) == (0 if site.cloud else 100)


def test_the_ids_of_ten_thousand_issues(site: Site) -> None:
    site.warm()
    reader = site.reader()
    found = list(reader.ids("MANY"))
    assert len(set(found)) == len(found) == MANY
    assert reader.requests.total() == (ceil(MANY / 5000) if site.cloud else 11), dict(reader.requests)


def test_the_versions_of_a_project_are_one_request(site: Site) -> None:
    site.warm()
    reader = site.reader()
    assert reader.releases("FEW") == ()
    assert reader.requests == {"GET project/{project}/versions": 1}
