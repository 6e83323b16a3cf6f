"""The budget of a host: never more in a span than it allows, shared by everybody, and no longer a wait than needed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pyrate_limiter import Rate

from connectors.gitlab.client import GitLabClient
from connectors.jira.client import JiraClient
from connectors.rate_budget import NO_BUDGET, NOTES, REQUESTS, RateBudget, budget_of
from connectors.retry import Retry
from connectors.tracker import Connection


@dataclass
class Time:
    """A clock that only sleeping and the test move."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def budget(time: Time, limit: int = 3, milliseconds: int = 1000) -> RateBudget:
    return RateBudget({REQUESTS: Rate(limit, milliseconds)}, sleep=time.sleep, clock=lambda: time.now)


def test_what_fits_is_not_waited_for() -> None:
    time = Time()
    mine = budget(time)
    assert [mine.take(REQUESTS) for _ in range(3)] == [0, 0, 0]
    assert not time.slept


def test_one_more_than_fits_waits_until_the_first_has_passed() -> None:
    time = Time()
    mine = budget(time)
    for _ in range(3):
        mine.take(REQUESTS)
    time.now = 0.4
    assert mine.take(REQUESTS) == pytest.approx(0.6, abs=0.01)


@given(st.lists(st.floats(min_value=0, max_value=0.5), max_size=40))
def test_no_span_holds_more_than_its_limit_whatever_the_pauses_between(pauses: list[float]) -> None:
    time = Time()
    mine = budget(time)
    sent: list[float] = []
    for pause in pauses:
        time.now += pause
        mine.take(REQUESTS)
        sent.append(time.now)
    for number, at in enumerate(sent):
        assert sum(1 for other in sent[number:] if other - at < 0.999) <= 3


def test_what_no_limit_is_set_for_is_not_waited_for() -> None:
    time = Time()
    mine = budget(time)
    for _ in range(50):
        assert mine.take(NOTES) == 0


def test_several_at_once_count_as_several() -> None:
    time = Time()
    mine = budget(time)
    mine.take(REQUESTS, 2)
    assert mine.take(REQUESTS, 2) == pytest.approx(1.0, abs=0.01)


def test_more_at_once_than_a_span_allows_is_let_through_when_the_span_is_empty() -> None:
    time = Time()
    mine = budget(time)
    assert mine.take(REQUESTS, 10) == 0
    assert mine.take(REQUESTS) > 0


def test_nothing_counts_as_nothing() -> None:
    time = Time()
    mine = budget(time, limit=1)
    mine.take(REQUESTS)
    assert mine.take(REQUESTS, 0) == 0


def test_threads_share_it() -> None:
    time = Time()
    mine = budget(time, limit=5)
    seconds: Counter[int] = Counter()
    guard = threading.Lock()

    def sends() -> None:
        for _ in range(10):
            mine.take(REQUESTS)
            with guard:
                seconds[int(time.now)] += 1

    threads = [threading.Thread(target=sends) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(seconds.values()) == 40
    assert time.now >= 7, "forty at five a second take seven waits"


def test_everybody_who_asks_for_a_host_with_the_same_limits_gets_the_same_budget() -> None:
    first = budget_of("https://acme.atlassian.net", per_second=10)
    assert budget_of("https://ACME.atlassian.net/wiki", per_second=10) is first
    assert budget_of("https://other.atlassian.net", per_second=10) is not first
    assert budget_of("https://acme.atlassian.net", per_second=20) is not first


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8089/jira", "http://localhost:1", "http://[::1]/x", "http://a.localhost"]
)
def test_this_machine_has_no_budget(url: str) -> None:
    assert budget_of(url, per_second=1) is NO_BUDGET


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1.example.com", "https://localhost.example.com", "//", "http://[", ""]
)
def test_an_address_that_only_looks_like_this_machine_has_one(url: str) -> None:
    assert budget_of(url, per_second=1) is not NO_BUDGET


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is taken from any budget from now on."""
    taken: Counter[str] = Counter()

    def noted(_self: RateBudget, what: str, count: int = 1) -> float:
        taken[what] += count
        return 0.0

    monkeypatch.setattr(RateBudget, "take", noted)
    return taken


@responses.activate
def test_each_request_and_each_new_note_of_a_gitlab_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = counted(monkeypatch)
    responses.get("https://gl.example/api/v4/user", json={"id": 1})
    responses.post("https://gl.example/api/v4/projects/9/issues/7/notes", json={"id": 1}, status=201)
    client = GitLabClient(Connection(name="gl", url="https://gl.example", token=SecretStr("token-0123")))
    client.rest("GET", "user", doing="ask")
    client.rest("POST", "projects/9/issues/7/notes", doing="comment", body={"body": "x"})
    assert taken == {REQUESTS: 2, NOTES: 1}


@responses.activate
def test_a_request_that_is_sent_again_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = counted(monkeypatch)
    responses.get("https://jira.example/rest/api/2/serverInfo", status=503, json={})
    responses.get("https://jira.example/rest/api/2/serverInfo", json={"deploymentType": "Cloud"})
    connection = Connection(name="jira", url="https://jira.example", token=SecretStr("token-0123"))
    JiraClient(connection, retry=Retry(sleep=lambda _: None)).call("GET", "serverInfo", doing="ask")
    assert taken[REQUESTS] == 2


@pytest.mark.parametrize(
    ("url", "asked", "kept"),
    [
        ("https://gitlab.com", None, {REQUESTS: 30, NOTES: 50}),
        ("https://gl.example", None, {REQUESTS: 30, NOTES: 250}),
        ("https://gl.example", 5, {REQUESTS: 5, NOTES: 250}),
        ("https://gl.example", 0, {NOTES: 250}),
    ],
)
def test_notes_are_scarcer_on_gitlab_com_and_a_site_may_say_its_own_pace(
    monkeypatch: pytest.MonkeyPatch, url: str, asked: int | None, kept: dict[str, int]
) -> None:
    made: list[dict[str, int]] = []
    real = RateBudget.__init__

    def noted(self: RateBudget, limits: Mapping[str, Rate]) -> None:
        made.append({what: rate.limit for what, rate in limits.items()})
        real(self, limits)

    monkeypatch.setattr(RateBudget, "__init__", noted)
    GitLabClient(Connection(name="gl", url=url, token=SecretStr("token-0123"), requests_per_second=asked))
    assert made == [kept]
