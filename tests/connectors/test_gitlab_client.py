"""What each answer of a GitLab server, and each missing answer, becomes, over REST and over GraphQL."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from pydantic import SecretStr
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from connectors.gitlab.answers import LastAnswer
from connectors.gitlab.client import AlreadyThere, GitLabClient, SchemaDiffers, TooComplex, project_path
from connectors.retry import Kind, Retry
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import (
    BadAnswer,
    Connection,
    CredentialsRefused,
    NotFound,
    OutcomeUnknown,
    PermissionRefused,
    RateLimited,
    Rejected,
    ServerFailed,
    TrackerError,
    Unreachable,
)

TOKEN = "glpat-s3cret-token-value"
URL = "https://gl.example/sub"
API = f"{URL}/api/v4"
LOGIN = b"<!DOCTYPE html><html><body>Log in</body></html>"


@dataclass
class Scripted:
    """A server that answers what it was told to, over real HTTP. Attributes: seen: method, path with query, body."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    authorization: set[str] = field(default_factory=set)

    def says(self, status: int, body: object, **headers: str) -> None:
        given = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, given, raw))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        query = scope["query_string"].decode()
        self.seen.append((scope["method"], f"{path}?{query}" if query else path, message.get("body", b"")))
        self.authorization.update(text.decode() for name, text in scope["headers"] if name == b"authorization")
        status, headers, body = self.answers.pop(0)
        listed = [(name.encode(), text.encode()) for name, text in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Crowded:
    """A server that answers nobody before so many ask at once, and each what it asked. Attributes: places: of callers."""

    crowd: int = 1
    waiting: int = 0
    places: set[tuple[str, int]] = field(default_factory=set)
    here: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = json.loads((await receive())["body"])
        number = asked["variables"]["a"] if "variables" in asked else int(asked["body"])
        self.places.add(tuple(scope["client"]))
        self.waiting += 1
        if self.waiting >= self.crowd:
            self.here.set()
        await asyncio.wait_for(self.here.wait(), timeout=10)
        status = 503 if number % 2 else 200
        body = {"message": f"no {number}"} if number % 2 else {"data": {"x": number}}
        listed = [(b"content-type", b"application/json"), (b"retry-after", b"%d" % number)]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@pytest.fixture
def crowded() -> Iterator[tuple[Crowded, GitLabClient]]:
    crowd = Crowded()
    with Sandbox(Store(), apps={"gitlab": crowd}) as sandbox:
        made = client(url=sandbox.url("gitlab"))
        yield crowd, made
        made.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[Scripted, str]]:
    script = Scripted()
    with Sandbox(Store(), apps={"gitlab": script}) as sandbox:
        yield script, sandbox.url("gitlab")


@pytest.fixture
def server(scripted: tuple[Scripted, str]) -> Iterator[tuple[Scripted, GitLabClient]]:
    script, url = scripted
    script.answers.clear()
    script.seen.clear()
    made = client(url=url)
    yield script, made
    made.close()


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(*, attempts: int = 1, url: str = URL, waits: list[float] | None = None, token: str = TOKEN) -> GitLabClient:
    connection = Connection(name="support", url=url, token=SecretStr(token))
    return GitLabClient(connection, retry=Retry(attempts=attempts, sleep=(waits if waits is not None else []).append))


def by_rest(one: GitLabClient, kind: Kind = Kind.READ) -> object:
    return one.rest("POST", "projects/9/issues/7/notes", doing="do it", body={"body": "x"}, kind=kind)


def by_graphql(one: GitLabClient, kind: Kind = Kind.READ) -> object:
    return one.graphql("Probe", "query Probe($a: Int) { x(a: $a) }", {"a": 1}, doing="do it", kind=kind)


Way = Callable[[GitLabClient, Kind], object]
WAYS = [by_rest, by_graphql]


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_does_not_stay_in_memory_until_garbage_is_looked_for(
    server: tuple[Scripted, GitLabClient], monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    script, one = server
    seen: list[weakref.ref[Any]] = []
    told = GitLabClient._seen

    def watched(self: GitLabClient, response: Any, *more: Any, **named: Any) -> None:
        seen.append(weakref.ref(response))
        told(self, response, *more, **named)

    monkeypatch.setattr(GitLabClient, "_seen", watched)
    script.says(200, {"data": {"x": 1}})
    way(one, Kind.READ)
    assert [ref() for ref in seen] == [None]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"message": "401 Unauthorized"}, CredentialsRefused),
        (401, {"errors": [{"message": "Invalid token"}]}, CredentialsRefused),
        (403, {"error": "insufficient_scope", "error_description": "needs api", "scope": "api"}, PermissionRefused),
        (404, {"message": "404 Project Not Found"}, NotFound),
        (404, LOGIN, NotFound),
        (400, {"message": {"name": ["has already been taken"]}}, Rejected),
        (409, {"message": ["Another open merge request already exists"]}, AlreadyThere),
        (409, {"message": "Resource lock"}, ServerFailed),
        (422, {"error": "unprocessable"}, Rejected),
        (429, b"Retry later", RateLimited),
        (500, {"message": "500 Internal Server Error"}, ServerFailed),
        (502, LOGIN, ServerFailed),
        (503, b"", ServerFailed),
        (200, LOGIN, BadAnswer),
        (200, b'{"data": {"x": ', BadAnswer),
        (200, b"\xff\xfe", BadAnswer),
    ],
)
def test_each_refusal_is_its_own_error(
    server: tuple[Scripted, GitLabClient], way: Way, status: int, body: object, expected: type[TrackerError]
) -> None:
    script, one = server
    script.says(status, body)
    if status == 200:
        script.says(status, body)
    with pytest.raises(expected) as caught:
        way(one, Kind.CREATE)
    told = str(caught.value)
    assert told.startswith("support: ")
    assert "while trying to do it" in told
    assert "\n" not in told
    assert "<html" not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("way", WAYS)
def test_no_error_repeats_the_token(
    server: tuple[Scripted, GitLabClient], way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    script, one = server
    caplog.set_level(logging.DEBUG)
    for status in (400, 401, 403, 500, 200):
        script.says(status, {"message": f"you sent {TOKEN}", "errors": [{"message": f"you sent {TOKEN}"}]})
        try:
            way(one, Kind.CREATE)
        except TrackerError as error:
            shown = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error.args)
            assert TOKEN not in shown
    assert f"Bearer {TOKEN}" in script.authorization
    ours = [record for record in caplog.records if record.name.startswith("connectors")]
    assert not any(TOKEN in record.getMessage() for record in ours)


@pytest.mark.parametrize("way", WAYS)
def test_a_login_page_is_named_as_such(server: tuple[Scripted, GitLabClient], way: Way) -> None:
    script, one = server
    script.says(200, LOGIN, content_type="text/html")
    with pytest.raises(BadAnswer, match="web page"):
        way(one, Kind.CREATE)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_from_the_answer(
    server: tuple[Scripted, GitLabClient], way: Way, headers: dict[str, str], asked: float | None
) -> None:
    script, one = server
    script.says(429, {"message": "slow down"}, **headers)
    with pytest.raises(RateLimited) as caught:
        way(one, Kind.READ)
    assert caught.value.retry_after == asked


def test_the_end_of_the_limit_is_counted_on_the_servers_own_clock(mocked: responses.RequestsMock) -> None:
    headers = {"RateLimit-Reset": "1772445615", "Date": "Mon, 02 Mar 2026 10:00:00 GMT"}
    mocked.post(f"{API}/projects/9/issues/7/notes", status=429, headers=headers)
    with pytest.raises(RateLimited) as caught:
        by_rest(client())
    assert caught.value.retry_after == 15.0


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"RateLimit-Reset": "1772445615", "Date": "Mon, 02 Mar 2026 10:00:00 -0000"}, 15.0),
        ({"Retry-After": "Mon, 02 Mar 2026 10:00:07 GMT", "Date": "Mon, 02 Mar 2026 10:00:00 -0000"}, 7.0),
        ({"RateLimit-Reset": "\u00b2", "Date": "Mon, 02 Mar 2026 10:00:00 GMT"}, None),
        ({"RateLimit-Reset": "9" * 5000, "Date": "Mon, 02 Mar 2026 10:00:00 GMT"}, None),
        ({"RateLimit-Reset": "1772445615", "Date": "soon"}, None),
    ],
    ids=["no zone", "no zone beside a date", "no digits of ours", "endless", "no date"],
)
def test_a_wait_told_in_strange_words_is_read_or_left_out(headers: dict[str, str], asked: float | None) -> None:
    last = LastAnswer("gl", TOKEN)
    last.headers = requests.structures.CaseInsensitiveDict(headers)
    refused = last.refusal(429, b"")
    assert isinstance(refused, RateLimited)
    assert refused.retry_after == asked


@pytest.mark.parametrize("way", WAYS)
def test_only_our_own_retry_repeats_and_each_try_counts(scripted: tuple[Scripted, str], way: Way) -> None:
    script, url = scripted
    script.answers.clear()
    script.seen.clear()
    waits: list[float] = []
    one = client(url=url, attempts=3, waits=waits)
    script.says(429, {"message": "slow down"}, retry_after="7")
    script.says(503, {"message": "down"})
    script.says(200, {"data": {"x": 1}})
    way(one, Kind.READ)
    assert waits[0] == 7.0
    assert len(script.seen) == sum(one.requests.values()) == 3
    script.says(500, {"message": "down"})
    with pytest.raises(ServerFailed):
        way(one, Kind.CREATE)
    assert len(script.seen) == 4
    one.close()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Query has complexity of 301, which exceeds max complexity of 250", TooComplex),
        ("Timeout on Project.workItems", TooComplex),
        ("Field 'workItems' doesn't exist on type 'Project'", SchemaDiffers),
        ("Field 'workItems' doesn't accept argument 'updatedAfter'", SchemaDiffers),
        ("Cannot query field 'x' on type 'Query'.", SchemaDiffers),
        ("Internal server error", ServerFailed),
        ("The resource that you are attempting to access does not exist or you don't have permission", NotFound),
        ("Variable $id of type WorkItemID! was provided invalid value", Rejected),
        ("", Rejected),
    ],
)
def test_graphql_errors_are_told_apart(
    server: tuple[Scripted, GitLabClient], message: str, expected: type[TrackerError]
) -> None:
    script, one = server
    script.says(200, {"errors": [{"message": message}]})
    with pytest.raises(TrackerError) as caught:
        by_graphql(one)
    assert type(caught.value) is expected


@pytest.mark.parametrize("body", [[1], 7, None, "x", {"data": None}, {"data": [1]}, {"data": None, "errors": []}, {}])
def test_json_that_is_no_graphql_answer_is_a_bad_answer(server: tuple[Scripted, GitLabClient], body: object) -> None:
    script, one = server
    script.says(200, body)
    with pytest.raises(BadAnswer):
        by_graphql(one, Kind.CREATE)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"data": {"x": "half \\ud83d of a pair"}}', "half \ud83d of a pair"),
        (b'{"data": {"x": "a pair \\ud83d\\ude00"}}', "a pair \U0001f600"),
        (b'\xef\xbb\xbf{"data": {"x": "behind a mark"}}', "behind a mark"),
        (b'{"data": {"x": 9223372036854775807}}', 9223372036854775807),
    ],
    ids=["half a pair", "a pair", "a byte order mark", "a long number"],
)
def test_odd_json_is_read_as_it_is(server: tuple[Scripted, GitLabClient], way: Way, body: bytes, found: object) -> None:
    script, one = server
    script.says(200, body)
    answer = way(one, Kind.CREATE)
    assert isinstance(answer, dict)
    assert answer.get("data", answer) == {"x": found}


def test_pages_are_followed_by_their_query_alone(server: tuple[Scripted, GitLabClient]) -> None:
    script, one = server
    elsewhere = '<https://evil.example/api/v4/steal?page=2&per_page=100&state=all&a%5B%5D=1>; rel="next"'
    script.says(200, [{"n": 1}], link=elsewhere)
    script.says(200, [{"n": 2}])
    found = list(one.pages("projects/acme%2Fcar/issues", doing="read", query={"state": "all"}))
    assert found == [{"n": 1}, {"n": 2}]
    assert [path for _, path, _ in script.seen] == [
        "/api/v4/projects/acme/car/issues?per_page=100&state=all",
        "/api/v4/projects/acme/car/issues?page=2&per_page=100&state=all&a%5B%5D=1",
    ]
    assert one.requests == {"GET issues": 2}


def test_a_next_page_that_is_the_same_page_ends_with_an_error(server: tuple[Scripted, GitLabClient]) -> None:
    script, one = server
    for _ in range(3):
        script.says(200, [{"n": 1}], link='<https://x/?per_page=100&page=2>; rel="next"')
    with pytest.raises(BadAnswer, match="same page"):
        list(one.pages("projects", doing="read"))


@pytest.mark.parametrize("body", [{"message": "no list"}, [1, 2], None])
def test_a_list_that_is_none_is_a_bad_answer(server: tuple[Scripted, GitLabClient], body: object) -> None:
    script, one = server
    script.says(200, body)
    with pytest.raises(BadAnswer):
        list(one.pages("projects", doing="read"))


def test_requests_are_counted_by_what_they_are_about(server: tuple[Scripted, GitLabClient]) -> None:
    script, one = server
    for method, path in (
        ("GET", "user"),
        ("GET", f"{project_path('acme/car')}"),
        ("GET", f"{project_path('acme/car')}/issues/7"),
        ("PUT", f"{project_path('acme/notes')}/issues/7/notes/31"),
        ("GET", f"{project_path('acme/car')}/repository/compare"),
    ):
        script.says(200, {})
        one.rest(method, path, doing="count")
    assert one.requests == {
        "GET user": 1, "GET projects": 1, "GET issues": 1, "PUT issues/notes": 1, "GET repository/compare": 1,
    }  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_connection_sent_nothing(way: Way) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    one = client(url=f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable):
        way(one, Kind.CREATE)
    one.close()


@pytest.mark.parametrize(
    ("failure", "kind", "expected"),
    [
        (requests.ConnectionError(ProtocolError("Connection aborted.")), Kind.CREATE, OutcomeUnknown),
        (requests.ConnectionError(ProtocolError("Connection aborted.")), Kind.READ, ServerFailed),
        (requests.ReadTimeout("read"), Kind.IDEMPOTENT, OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError("cut"), Kind.CREATE, OutcomeUnknown),
        (requests.ConnectTimeout("connect"), Kind.CREATE, Unreachable),
        (requests.exceptions.SSLError("certificate"), Kind.CREATE, Unreachable),
        (requests.exceptions.ProxyError("proxy"), Kind.CREATE, Unreachable),
    ],
)
def test_a_missing_answer_says_whether_anything_was_sent(
    mocked: responses.RequestsMock, failure: Exception, kind: Kind, expected: type[TrackerError]
) -> None:
    mocked.post(f"{API}/projects/9/issues/7/notes", body=failure)
    with pytest.raises(expected):
        by_rest(client(), kind)


def test_a_name_that_does_not_resolve_sent_nothing(mocked: responses.RequestsMock) -> None:
    cause = NewConnectionError(None, "no such host")  # type: ignore[arg-type]  # as urllib3 raises it, without a pool
    failure = requests.ConnectionError(MaxRetryError(None, "/", cause))  # type: ignore[arg-type]  # as above
    mocked.post(f"{API}/projects/9/issues/7/notes", body=failure)
    with pytest.raises(Unreachable):
        by_rest(client(), Kind.CREATE)


def test_an_empty_answer_is_none_and_limits_of_time_are_set(mocked: responses.RequestsMock) -> None:
    mocked.delete(f"{API}/projects/9", status=204)
    assert client().rest("DELETE", "projects/9", doing="delete") is None
    (call,) = mocked.calls
    assert vars(call.request)["req_kwargs"]["timeout"] == (10.0, 60.0)
    assert call.request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "PRIVATE-TOKEN" not in call.request.headers


def test_nothing_is_sent_before_something_is_asked(mocked: responses.RequestsMock) -> None:
    client().close()
    assert len(mocked.calls) == 0


@pytest.mark.shared_data
def test_recorded_refusals_become_errors_with_the_servers_words(
    server: tuple[Scripted, GitLabClient], shared_data: Path
) -> None:
    script, one = server
    seen = 0
    for line in (shared_data / "gitlab" / "http_exchanges.jsonl").read_text(encoding="utf-8").split("\n"):
        exchange: dict[str, Any] = json.loads(line) if line else {}
        if exchange.get("status", 0) < 400:
            continue
        seen += 1
        script.says(exchange["status"], exchange["body"])
        with pytest.raises(TrackerError) as caught:
            by_rest(one)
        words = json.dumps(exchange["body"]["message"])
        assert any(word in caught.value.detail for word in words.strip('"[]{}').split('"'))
    assert seen > 10


@pytest.mark.parametrize("way", WAYS)
def test_the_line_break_behind_a_token_out_of_a_file_is_left_out(scripted: tuple[Scripted, str], way: Way) -> None:
    script, url = scripted
    script.answers.clear()
    script.says(200, {"data": {"x": 1}})
    script.authorization.clear()
    one = client(url=url, token=f"{TOKEN}\n")
    way(one, Kind.READ)
    one.close()
    assert script.authorization == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("way", WAYS)
def test_a_token_that_can_not_be_sent_is_said_to_be_the_token(scripted: tuple[Scripted, str], way: Way) -> None:
    one = client(url=scripted[1], token="\N{CJK UNIFIED IDEOGRAPH-4E2D}-no-token", attempts=3)
    with pytest.raises(CredentialsRefused, match="holds characters that can not be sent"):
        way(one, Kind.READ)
    one.close()


def numbered_by_rest(one: GitLabClient, number: int) -> object:
    return one.rest("POST", "projects/9/issues/7/notes", doing="do it", body={"body": str(number)})


def numbered_by_graphql(one: GitLabClient, number: int) -> object:
    asked = {"a": number}
    return {"data": one.graphql("Probe", "query Probe($a: Int) { x(a: $a) }", asked, doing="do it", kind=Kind.CREATE)}


@pytest.mark.parametrize("ask", [numbered_by_rest, numbered_by_graphql])
def test_threads_ask_at_once_and_each_has_its_own_answer(
    crowded: tuple[Crowded, GitLabClient], ask: Callable[[GitLabClient, int], object]
) -> None:
    server, one = crowded
    server.crowd = 8

    def told(number: int) -> object:
        try:
            return ask(one, number)
        except ServerFailed as error:
            return error.detail, error.retry_after

    with ThreadPoolExecutor(server.crowd) as threads:
        answers = list(threads.map(told, range(server.crowd)))
    assert answers == [
        (f"no {number}", number) if number % 2 else {"data": {"x": number}} for number in range(server.crowd)
    ]
    assert len(server.places) == sum(one.requests.values()) == server.crowd


@pytest.mark.parametrize("ask", [numbered_by_rest, numbered_by_graphql])
def test_threads_one_after_another_ask_over_one_connection(
    crowded: tuple[Crowded, GitLabClient], ask: Callable[[GitLabClient, int], object]
) -> None:
    server, one = crowded
    for number in (0, 2, 4):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(ask, one, number).result() == {"data": {"x": number}}
    assert len(server.places) == 1
    one.close()
    assert ask(one, 6) == {"data": {"x": 6}}
    assert len(server.places) == 2
