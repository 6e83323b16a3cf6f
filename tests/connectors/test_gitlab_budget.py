"""How many requests a run sends to a GitLab, counted on the sandbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.cache import Cache, SessionCache
from connectors.gitlab.page_size import PageSize
from connectors.gitlab.server import Server
from connectors.gitlab.tracker import GitLabReader
from connectors.ledger import Ledger
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection, CredentialsRefused
from policies.issue import Issue, LabelsChanged, Release

PROJECT = "acme/car"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN = "token-of-the-bot"
MANY = 10_000


@dataclass
class Ground:
    """A GitLab, and what runs against it learned of it."""

    store: Store
    sandbox: Sandbox
    cache: Cache = field(default_factory=SessionCache)

    def reader(self, dialect: str = "gitlab", token: str = OWN) -> GitLabReader:
        connection = Connection(name="gl", url=self.sandbox.url(dialect), token=SecretStr(token))
        return GitLabReader(connection, retry=Retry(attempts=2, sleep=lambda _: None), cache=self.cache)

    def run(self, since: datetime | None, dialect: str = "gitlab", token: str = OWN) -> Run:
        """Everything that a run reads."""
        reader = self.reader(dialect, token)
        try:
            server, own = reader.capabilities().server, reader.own_account().id
            issues = [one for one in reader.changed_since(PROJECT, since) if isinstance(one, Issue)]
            released = reader.releases(PROJECT)
            return Run(issues, released, server, own, reader.own_account().id, reader.requests)
        finally:
            reader.close()


@dataclass
class Run:
    issues: list[Issue]
    releases: tuple[Release, ...]
    server: str
    own_at_first: str
    own: str
    requests: Counter[str]


@pytest.fixture
def ground() -> Iterator[Ground]:
    store = Store(clock=Clock.fixed(START))
    store.create_user("alice", "Alice Customer")
    store.create_user("bob", "Bob Support")
    store.create_user("warranty", "Warranty", bot=True)
    store.create_user("other", "Another bot", bot=True)
    store.create_token(OWN, "warranty")
    store.create_token("token-of-another", "other")
    store.create_project(PROJECT, "Car", kind="gitlab")
    with Sandbox(store) as sandbox:
        yield Ground(store, sandbox)


def issues(store: Store, many: int, at: datetime = START) -> list[str]:
    return [
        store.create_issue(PROJECT, f"Pump {n}", actor="alice", at=at + timedelta(seconds=n), labels=["vip"]).key
        for n in range(many)
    ]


def released(store: Store, fixed: str, n: int) -> None:
    """A merge request that fixes an issue, and a release that carries it."""
    words = f"Closes #{fixed.rpartition('#')[2]}"
    request = store.create_merge_request(PROJECT, f"Fix {n}", actor="bob", description=words)
    store.merge(PROJECT, request.iid, actor="bob")
    store.tag(PROJECT, f"v{n}", actor="bob")
    store.publish_release(PROJECT, f"v{n}", actor="bob")


def test_a_full_reading_stays_within_the_budget_of_260_requests_for_10_000_issues(ground: Ground) -> None:
    issues(ground.store, MANY)
    run = ground.run(None)
    assert len(run.issues) == MANY
    assert run.requests["POST graphql Probe"] == 1
    assert run.requests.total() <= 260
    assert {name for name in run.requests if not name.startswith("POST graphql")} == set()


def test_forty_changed_issues_are_one_request(ground: Ground) -> None:
    keys = issues(ground.store, 60)
    ground.run(None)
    later = START + timedelta(days=2)
    milestone = ground.store.create_milestone(PROJECT, "1.4.2")
    for key in keys[:40]:
        ground.store.relabel(key, add=["sla-ok"], remove=["vip"], actor="bob", at=later)
        ground.store.edit(key, {"milestone": milestone.id}, actor="bob", at=later)
        ground.store.edit(key, {"milestone": None}, actor="bob", at=later + timedelta(hours=1))
    reader = ground.reader()
    found = [one for one in reader.changed_since(PROJECT, later) if isinstance(one, Issue)]
    reader.close()
    assert len(found) == 40
    assert reader.requests == {"POST graphql WorkItems": 1}
    told = [event for event in found[0].events if isinstance(event, LabelsChanged)]
    assert [(event.added, event.removed) for event in told] == [(("vip",), ()), (("sla-ok",), ("vip",))]


def held(found: list[Issue]) -> dict[str, datetime]:
    return {issue.ref.id: issue.updated_at for issue in found}


def changed(ground: Ground, since: datetime, known: dict[str, datetime]) -> tuple[list[str], Counter[str]]:
    reader = ground.reader()
    try:
        found = [one.ref.key for one in reader.changed_since(PROJECT, since, known) if isinstance(one, Issue)]
        return found, reader.requests
    finally:
        reader.close()


def test_where_all_is_held_nothing_is_given_however_much_the_overlap_holds(ground: Ground) -> None:
    issues(ground.store, 230)
    known = held(ground.run(None).issues)
    assert changed(ground, START, known) == ([], {"POST graphql WorkItems": 1})


@pytest.mark.parametrize("what", ["updated", "another", "deleted", "unknown"])
def test_one_difference_to_what_is_held_and_all_of_the_overlap_is_given(ground: Ground, what: str) -> None:
    keys = issues(ground.store, 130)
    known = held(ground.run(None).issues)
    later = START + timedelta(hours=1)
    if what == "updated":
        ground.store.relabel(keys[70], add=["sla-ok"], actor="bob", at=later)
    elif what == "another":
        keys.append(ground.store.create_issue(PROJECT, "Hose torn", actor="alice", at=later).key)
    elif what == "deleted":
        known["999999"] = START + timedelta(seconds=3)
    else:
        known.popitem()
    found, _ = changed(ground, START, known)
    assert sorted(found) == sorted(keys)


def test_a_server_that_does_not_count_is_read_whole(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = issues(ground.store, 5)
    known = held(ground.run(None).issues)
    monkeypatch.setattr(Server, "counts", lambda _: False)
    found, requests = changed(ground, START, known)
    assert (sorted(found), requests) == (sorted(keys), {"POST graphql WorkItems": 1})


def test_a_run_over_what_did_not_change_is_one_request_for_issues_and_one_for_releases(ground: Ground) -> None:
    keys = issues(ground.store, 5)
    for n, key in enumerate(keys[:3], start=1):
        released(ground.store, key, n)
    first = ground.run(None)
    assert [release.carries[0][0] for release in first.releases] == keys[:3]
    idle = ground.run(START + timedelta(days=5))
    assert idle.requests == {"POST graphql WorkItems": 1, "POST graphql Releases": 1}
    assert (idle.releases, idle.server, idle.own) == (first.releases, first.server, "warranty")


def test_what_was_learned_is_as_good_out_of_the_ledger(ground: Ground, tmp_path: Path) -> None:
    keys = issues(ground.store, 3)
    for n, key in enumerate(keys, start=1):
        released(ground.store, key, n)
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        ground.cache = ledger.cache("site", "gl", START)
        first = ground.run(None)
        ground.cache = ledger.cache("site", "gl", START + timedelta(days=1))
        idle = ground.run(START + timedelta(days=5))
        ground.cache = ledger.cache("site", "gl", START + timedelta(days=31))
        anew = ground.run(START + timedelta(days=5))
    assert idle.requests == {"POST graphql WorkItems": 1, "POST graphql Releases": 1}
    assert idle.releases == anew.releases == first.releases
    assert anew.requests["POST graphql Probe"] == 1


def test_a_new_release_costs_what_is_new_about_it(ground: Ground) -> None:
    keys = issues(ground.store, 4)
    for n, key in enumerate(keys[:3], start=1):
        released(ground.store, key, n)
    ground.run(None)
    ground.store.clock.advance(timedelta(days=2))
    released(ground.store, keys[3], 4)
    run = ground.run(START + timedelta(days=5))
    assert [key for release in run.releases for key, _ in release.carries] == keys
    assert run.requests == {
        "POST graphql WorkItems": 1, "POST graphql Releases": 1, "GET merge_requests": 1, "GET repository/compare": 1,
    }  # fmt: skip


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_what_runs_learned_gives_the_same_releases_as_a_reading_from_nothing(ground: Ground, dialect: str) -> None:
    for n, key in enumerate(issues(ground.store, 4), start=1):
        ground.store.clock.advance(timedelta(hours=20))
        released(ground.store, key, n)
        assert ground.run(None, dialect).releases == Ground(ground.store, ground.sandbox).run(None, dialect).releases


def test_several_long_threads_are_read_on_with_one_query(ground: Ground) -> None:
    for key in issues(ground.store, 4):
        for n in range(55):
            ground.store.comment(key, f"Word {n}", actor="bob", at=START + timedelta(minutes=1 + n))
    run = ground.run(None)
    assert [len(issue.comments()) for issue in run.issues] == [55] * 4
    assert run.requests["POST graphql MoreDiscussions"] == 1


def test_another_account_behind_the_token_is_found_out_by_the_page(ground: Ground) -> None:
    key = issues(ground.store, 1)[0]
    ground.store.comment(key, "Ours.", actor="other", at=START + timedelta(hours=1))
    ground.run(None)
    run = ground.run(None, token="token-of-another")
    assert (run.own_at_first, run.own) == ("warranty", "other")
    assert [comment.actor.role.value for comment in run.issues[0].comments()] == ["own"]
    assert run.requests == {"POST graphql WorkItems": 1, "POST graphql Releases": 1}


def test_a_session_of_nobody_is_refused_and_not_read_as_a_project_without_issues(ground: Ground) -> None:
    issues(ground.store, 1)
    with pytest.raises(CredentialsRefused):
        ground.run(None, token="")
    ground.run(None)
    reader = ground.reader(token="")
    with pytest.raises(CredentialsRefused):
        list(reader.changed_since(PROJECT, None))
    with pytest.raises(CredentialsRefused):
        list(reader.ids(PROJECT))
    reader.close()


def test_another_version_is_looked_at_anew_by_the_next_session(ground: Ground) -> None:
    issues(ground.store, 1)
    before = ground.run(None)
    known = ground.cache.get("gitlab server")
    assert known is not None
    ground.cache.put("gitlab server", {**known, "version": "18.11.0"}, timedelta(days=1))
    found = ground.run(None)
    assert (found.server, found.requests["POST graphql Probe"]) == ("GitLab 18.11.0 (GraphQL)", 0)
    anew = ground.run(None)
    assert (anew.server, anew.requests["POST graphql Probe"]) == (before.server, 1)
    assert ground.run(None).requests["POST graphql Probe"] == 0


def test_rest_asks_who_it_is_in_each_run_and_looks_at_the_schema_once(ground: Ground) -> None:
    issues(ground.store, 1)
    ground.run(None, "gitlab-rest")
    idle = ground.run(START + timedelta(days=5), "gitlab-rest")
    assert idle.requests == {"GET user": 1, "GET issues": 1, "GET releases": 1}


@pytest.mark.parametrize("trouble", [Fault("status", status=403), Fault("login_page", times=2)])
def test_a_schema_that_could_not_be_looked_at_for_once_is_looked_at_by_the_next_session(
    ground: Ground, trouble: Fault
) -> None:
    issues(ground.store, 2)
    ground.store.faults.add(replace(trouble, method="POST", path="graphql"))
    assert ground.run(None).server.endswith("(REST)")
    assert ground.run(None).server.endswith("(GraphQL)")


def test_rest_reads_no_history_of_what_is_held_as_it_is(ground: Ground) -> None:
    keys = issues(ground.store, 3)
    reader = ground.reader("gitlab-rest")
    held = [one for one in reader.changed_since(PROJECT, START) if isinstance(one, Issue)]
    known = {one.ref.id: one.updated_at for one in held}
    before = reader.requests.total()
    assert list(reader.changed_since(PROJECT, START, known)) == []
    assert reader.requests.total() - before == 1
    ground.store.comment(keys[1], "One more.", actor="other", at=START + timedelta(hours=3))
    (news,) = reader.changed_since(PROJECT, START, known)
    assert isinstance(news, Issue)
    assert news.ref.key == held[1].ref.key
    reader.close()


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_ids_come_a_hundred_a_request(ground: Ground, dialect: str) -> None:
    issues(ground.store, 250)
    reader = ground.reader(dialect)
    reader.own_account()
    before = reader.requests.total()
    found = list(reader.ids(PROJECT))
    assert reader.requests.total() - before == 3
    assert found == [issue.id for issue in ground.store.projects[PROJECT].issues.values()]
    reader.close()


def test_a_page_grows_while_its_score_leaves_room_and_never_to_what_was_too_much() -> None:
    size = PageSize(SessionCache())
    assert (size.issues, size.discussions) == (40, 40)
    size.fit(40, {"score": 200, "limit": 250}, alone=False)
    assert size.issues == 40, "what was asked beside the page is in its score"
    size.fit(40, {"score": 150, "limit": 250})
    assert size.issues == 60
    size.fit(60, {"score": 170, "limit": 250})
    assert size.issues == 100, "one more issue costs one point, as two pages tell"
    assert size.halve(100)
    size.fit(50, {"score": 160, "limit": 250})
    assert size.issues == 99
    for score in ({"score": 249, "limit": 250}, {}, {"score": "many", "limit": 250}):
        size.fit(99, score)
        assert size.issues == 99


def test_a_page_that_had_to_be_halved_stays_small_in_the_next_run() -> None:
    cache = SessionCache()
    size = PageSize(cache)
    assert size.halve(size.issues)
    size.fit(size.issues, {})
    again = PageSize(cache)
    assert again.issues == 20
    again.fit(again.issues, {"score": 10, "limit": 250})
    assert again.issues == 39
    while again.halve(again.issues):
        pass
    again.fit(again.issues, {"score": 10, "limit": 250})
    assert (PageSize(cache).issues, PageSize(cache).discussions) == (1, 5)


def test_a_page_that_grew_begins_as_large_in_the_next_run_once_one_of_its_size_was_read() -> None:
    cache = SessionCache()
    size = PageSize(cache)
    size.fit(40, {"score": 100, "limit": 250})
    assert (size.issues, PageSize(cache).issues) == (90, 40), "nobody knows yet whether the server bears it"
    size.fit(90, {"score": 200, "limit": 250})
    again = PageSize(cache)
    assert (again.at_once(alone=True), again.at_once(alone=False)) == (90, 40), "room for what is asked beside it"
    assert again.halve(again.at_once(alone=False))
    assert again.issues == 20, "half of what was too much, not of what was not asked"


def test_a_large_page_that_comes_late_is_not_kept_in_place_of_the_half() -> None:
    cache = SessionCache()
    size = PageSize(cache)
    size.fit(40, {"score": 100, "limit": 250})
    assert size.halve(90)
    size.fit(45, {"score": 110, "limit": 250})
    size.fit(90, {"score": 200, "limit": 250})
    assert PageSize(cache).issues == 45


@pytest.mark.parametrize("kept", [20, [20], ["20", "39"], [0, 39], [40, 39], [40, 1000], {"issues": 20}, None])
def test_a_size_kept_by_another_version_is_no_size(kept: object) -> None:
    cache = SessionCache()
    cache.put("gitlab page", kept, timedelta(days=1))
    assert PageSize(cache).issues == 40


def test_a_server_that_is_down_leaves_the_size_of_pages_as_it_was() -> None:
    cache = SessionCache()
    size = PageSize(cache)
    size.halve(size.issues)
    size.halve(size.issues)
    assert PageSize(cache).issues == 40


def test_a_page_on_its_way_when_the_size_was_halved_says_nothing_of_the_half() -> None:
    cache = SessionCache()
    size = PageSize(cache)
    assert size.halve(40)
    for late in (40, 10):
        size.fit(late, {"score": 10, "limit": 250})
        assert (size.issues, PageSize(cache).issues) == (20, 40)
    assert size.halve(40), "said already"
    assert size.issues == 20
    size.fit(20, {"score": 200, "limit": 250})
    assert PageSize(cache).issues == 20


def test_a_server_that_gives_up_on_a_page_is_asked_for_half_of_it(ground: Ground) -> None:
    issues(ground.store, 45)
    ground.run(None)
    ground.store.faults.add(*[Fault("status", method="POST", path="graphql", status=502)] * 2)
    run = ground.run(None)
    assert len(run.issues) == 45
    assert run.requests["POST graphql WorkItems"] >= 4


def test_of_many_issues_none_is_passed_over_however_many_change_while_they_are_read(ground: Ground) -> None:
    issues(ground.store, 1100)
    reader = ground.reader()
    given: list[Issue] = []
    for found in reader.changed_since(PROJECT, None):
        assert isinstance(found, Issue)
        given.append(found)
        if len(given) % 100 == 1:
            ground.store.comment(f"{PROJECT}#{1100 - len(given)}", "Meanwhile", actor="bob")
            ground.store.comment(f"{PROJECT}#{len(given)}", "Meanwhile", actor="bob")
    reader.close()
    assert {one.ref.key for one in given} == {f"{PROJECT}#{number}" for number in range(1, 1101)}
    unchanged = Counter(one.ref.key for one in given if not one.comments())
    assert set(unchanged.values()) == {1}, "only what changed comes again"
