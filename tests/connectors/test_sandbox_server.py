"""The sandbox's server: real HTTP, and what goes wrong on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.sandbox.faults import Fault, Kind
from connectors.sandbox.server import TRUNCATED_HISTORY, Sandbox
from connectors.sandbox.store import Store


class Counter:
    """A dialect that counts what it was asked to do."""

    def __init__(self) -> None:
        self.done = 0

    def app(self) -> Starlette:
        async def count(request: Request) -> JSONResponse:
            self.done += 1
            return JSONResponse({"done": self.done, "keep": request.scope.get(TRUNCATED_HISTORY)})

        return Starlette(routes=[Route("/things/{id}", count, methods=["GET", "POST"])])


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def sandbox(counter: Counter) -> Iterator[Sandbox]:
    with Sandbox(Store(), apps={"count": counter.app()}) as sandbox:
        yield sandbox


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def test_it_starts_on_a_free_port_and_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Sandbox(Store()) as one, Sandbox(Store()) as two:
        assert one.port != two.port
    assert set(threading.enumerate()) == before


def test_a_taken_port_is_said_at_once(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(Store(), port=sandbox.port).start()


def test_it_can_be_stopped_twice_and_started_again() -> None:
    sandbox = Sandbox(Store()).start()
    with pytest.raises(RuntimeError, match="already running"):
        sandbox.start()
    sandbox.stop()
    sandbox.stop()
    sandbox.start()
    sandbox.stop()


def test_an_unknown_dialect_is_named(sandbox: Sandbox, client: requests.Session) -> None:
    with pytest.raises(LookupError, match="there are"):
        sandbox.url("bugzilla")
    answer = client.get(f"http://127.0.0.1:{sandbox.port}/bugzilla/x")
    assert answer.status_code == 404
    assert "jira-cloud" in answer.text


def test_each_request_is_noted_without_its_headers(sandbox: Sandbox, client: requests.Session) -> None:
    client.post(
        f"{sandbox.url('count')}/things/1?a=b", json={"k": "v"}, headers={"Authorization": "Bearer very-secret"}
    )
    (noted,) = sandbox.store.requests
    assert (noted.mount, noted.method, noted.path, noted.query) == ("count", "POST", "/things/1", "a=b")
    assert (noted.body, noted.status) == ({"k": "v"}, 200)
    assert "very-secret" not in repr(noted)


@pytest.mark.parametrize(("kind", "done"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_is_no_answer(
    sandbox: Sandbox, client: requests.Session, counter: Counter, kind: Kind, done: int
) -> None:
    sandbox.store.faults.add(Fault(kind))
    with pytest.raises(requests.ConnectionError):
        client.post(f"{sandbox.url('count')}/things/1")
    assert counter.done == done
    assert sandbox.store.requests[-1].status is None
    assert client.post(f"{sandbox.url('count')}/things/1").status_code == 200


def test_a_refused_request_says_when_to_come_back_and_does_nothing(
    sandbox: Sandbox, client: requests.Session, counter: Counter
) -> None:
    sandbox.store.faults.add(Fault("status", status=429, retry_after=7, reason="jira-burst-based", times=2))
    url = f"{sandbox.url('count')}/things/1"
    first = client.get(url)
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert first.headers["RateLimit-Reason"] == "jira-burst-based"
    assert [client.get(url).status_code, client.get(url).status_code, counter.done] == [429, 200, 1]


def test_half_an_answer_is_no_json(sandbox: Sandbox, client: requests.Session, counter: Counter) -> None:
    sandbox.store.faults.add(Fault("truncated_json"))
    answer = client.get(f"{sandbox.url('count')}/things/1")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert counter.done == 1


def test_a_login_page_is_html_with_status_200(sandbox: Sandbox, client: requests.Session, counter: Counter) -> None:
    sandbox.store.faults.add(Fault("login_page"))
    answer = client.get(f"{sandbox.url('count')}/things/1")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert counter.done == 0


def test_latency_is_felt(sandbox: Sandbox, client: requests.Session) -> None:
    sandbox.store.faults.add(Fault("latency", seconds=0.2))
    start = time.monotonic()
    assert client.get(f"{sandbox.url('count')}/things/1").ok
    assert time.monotonic() - start >= 0.2


def test_a_truncated_history_is_told_to_the_dialect(sandbox: Sandbox, client: requests.Session) -> None:
    sandbox.store.faults.add(Fault("truncated_history", keep=3))
    assert client.get(f"{sandbox.url('count')}/things/1").json()["keep"] == 3


def test_a_fault_waits_for_its_own_request(sandbox: Sandbox, client: requests.Session) -> None:
    sandbox.store.faults.add(Fault("status", method="POST", path=r"/things/2\?deep", body="needle"))
    url = sandbox.url("count")
    assert client.get(f"{url}/things/2?deep").ok
    assert client.post(f"{url}/things/2?deep", data="hay").ok
    assert client.post(f"{url}/things/1?deep", data="needle").ok
    assert client.post(f"{url}/things/2?deep", data="a needle").status_code == 500
    assert sandbox.store.faults.waiting() == 0
