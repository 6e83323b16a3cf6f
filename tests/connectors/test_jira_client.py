"""What each answer of a Jira server, and each missing answer, becomes."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import socket
import traceback
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
import responses
from pydantic import SecretStr
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError

from connectors.jira.client import JiraClient
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

URL = "https://jira.example"
API = f"{URL}/rest/api/2"
TOKEN = "s3cret-token-value"
PAIR = base64.b64encode(f"me@example.org:{TOKEN}".encode()).decode()


@pytest.fixture
def jira() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(*, attempts: int = 1, user: str = "me@example.org", url: str = URL) -> JiraClient:
    connection = Connection(name="support", url=url, token=SecretStr(TOKEN), user=user)
    return JiraClient(connection, retry=Retry(attempts=attempts, sleep=lambda _: None))


def test_nothing_is_sent_before_something_is_asked(jira: responses.RequestsMock) -> None:
    client()
    assert len(jira.calls) == 0


def test_a_path_is_filled_with_quoted_names_and_counted_by_its_template(jira: responses.RequestsMock) -> None:
    jira.get(f"{API}/issue/A%2FB%20%3F%2E%2E", json={"id": "1"})
    jira.get(f"{API}/issue/A%2FB%20%3F..", json={"id": "1"})
    one = client()
    assert one.call("GET", "issue/{key}", doing="read", key="A/B ?..") == {"id": "1"}
    assert dict(one.requests) == {"GET issue/{key}": 1}


def test_the_third_version_is_spoken_once_asked_for(jira: responses.RequestsMock) -> None:
    jira.get(f"{URL}/rest/api/3/myself", json={})
    one = client()
    one.speak("3")
    assert one.call("GET", "myself", doing="log in") == {}


@pytest.mark.parametrize(("user", "header"), [("me@example.org", f"Basic {PAIR}"), ("", f"Bearer {TOKEN}")])
def test_an_account_logs_in_with_a_token_and_an_access_token_alone(
    jira: responses.RequestsMock, user: str, header: str
) -> None:
    jira.get(f"{API}/myself", json={})
    client(user=user).call("GET", "myself", doing="log in")
    assert jira.calls[0].request.headers["Authorization"] == header


@pytest.mark.usefixtures("without_collector")
def test_an_answer_does_not_stay_in_memory_until_garbage_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    store.create_user("me", "Me", email="me@example.org")
    store.create_token(TOKEN, "me")
    seen: list[weakref.ref[requests.Response]] = []
    built = requests.adapters.HTTPAdapter.build_response

    def watched(*given: Any) -> requests.Response:
        response = built(*given)
        seen.append(weakref.ref(response))
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "build_response", watched)
    with Sandbox(store) as sandbox:
        one = client(url=sandbox.url("jira-cloud"))
        one.call("GET", "myself", doing="log in")
        one.close()
    assert [ref() for ref in seen] == [None]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, CredentialsRefused),
        (403, PermissionRefused),
        (404, NotFound),
        (409, Rejected),
        (410, BadAnswer),
        (413, Rejected),
        (422, Rejected),
        (429, RateLimited),
        (500, ServerFailed),
        (502, ServerFailed),
        (503, ServerFailed),
        (504, ServerFailed),
        (520, ServerFailed),
    ],
)
def test_each_status_has_its_error_which_says_where_and_what(
    jira: responses.RequestsMock, status: int, error: type[TrackerError]
) -> None:
    jira.get(f"{API}/issue/X-1", json={"errorMessages": ["No luck."], "errors": {"labels": "odd"}}, status=status)
    with pytest.raises(error) as caught:
        client().call("GET", "issue/{key}", doing="read issue X-1", key="X-1")
    said = str(caught.value)
    assert said.startswith("support: HTTP ")
    assert "No luck.; labels: odd" in said
    assert "while trying to read issue X-1" in said
    assert isinstance(caught.value, error)


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_a_server_asks_for_is_kept(jira: responses.RequestsMock, status: int) -> None:
    jira.get(f"{API}/myself", json={}, status=status, headers={"Retry-After": "1847"})
    with pytest.raises((RateLimited, ServerFailed)) as caught:
        client().call("GET", "myself", doing="log in")
    assert isinstance(caught.value, RateLimited | ServerFailed)
    assert caught.value.retry_after == 1847


def limited(jira: responses.RequestsMock, **headers: str) -> RateLimited:
    jira.get(f"{API}/myself", json={}, status=429, headers=headers)
    with pytest.raises(RateLimited) as caught:
        client().call("GET", "myself", doing="log in")
    return caught.value


@pytest.mark.parametrize(
    ("reason", "quota"),
    [
        ("jira-quota-global-based", True),
        ("jira-quota-tenant-based", True),
        ("jira-burst-based", False),
        ("jira-per-issue-on-write", False),
        ("", False),
    ],
)
def test_a_limit_says_whether_it_is_a_quota(jira: responses.RequestsMock, reason: str, quota: bool) -> None:
    error = limited(jira, **{"RateLimit-Reason": reason, "Retry-After": "7"})
    assert (error.quota, error.retry_after) == (quota, 7)
    assert reason in str(error)


def test_the_wait_may_be_a_date(jira: responses.RequestsMock) -> None:
    until = datetime.now(UTC) + timedelta(seconds=90)
    wait = limited(jira, **{"Retry-After": format_datetime(until, usegmt=True)}).retry_after
    assert wait is not None
    assert 80 < wait <= 90


@pytest.mark.parametrize(("reset", "least", "most"), [(90, 80, 90), (-90, 0, 0)])
def test_where_no_wait_is_told_the_end_of_the_period_is(
    jira: responses.RequestsMock, reset: int, least: int, most: int
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=reset)
    wait = limited(jira, **{"X-RateLimit-Reset": until.isoformat(timespec="seconds")}).retry_after
    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize("odd", ["", "soon", "-1", "nan", "1e999"])
def test_a_wait_that_can_not_be_read_is_none(jira: responses.RequestsMock, odd: str) -> None:
    assert limited(jira, **{"Retry-After": odd, "X-RateLimit-Reset": odd}).retry_after is None


def test_each_answer_says_whose_it_is_before_it_is_used(jira: responses.RequestsMock) -> None:
    one = client()
    told: list[tuple[str, str | None]] = []
    one.answered = lambda template, account: told.append((template, account))
    for status, headers in (
        (200, {"X-AAccountId": "5c1"}),
        (200, {"X-AUSERNAME": "bot%40acme"}),
        (200, {"X-AUSERNAME": "anonymous"}),
        (200, {}),
        (404, {"X-AAccountId": "5c1"}),
        (401, {"X-AAccountId": "5c1"}),
        (429, {"X-AAccountId": "5c1"}),
        (500, {"X-AAccountId": "5c1"}),
    ):
        jira.upsert("GET", f"{API}/field", json=[], status=status, headers=headers)
        with contextlib.suppress(TrackerError):
            one.call("GET", "field", doing="read")
    assert told == [("field", account) for account in ("5c1", "bot%40acme", None, None, "5c1")]


def test_a_log_in_page_is_told_as_such_and_not_as_another_account(jira: responses.RequestsMock) -> None:
    one = client()
    told: list[str | None] = []
    one.answered = lambda _template, account: told.append(account)
    jira.get(f"{API}/field", body="<html>", content_type="text/html")
    with pytest.raises(BadAnswer, match="log-in page"):
        one.call("GET", "field", doing="read")
    assert told == []


@pytest.mark.parametrize(
    ("url", "user", "body", "advice"),
    [
        (URL, "me@example.org", {}, f"https://api.atlassian.com/ex/jira/<cloudId>, with the cloudId that {URL}/_edge"),
        (URL, "", {}, "has not expired"),
        ("https://api.atlassian.com/ex/jira/abc", "me@example.org", {}, "has not expired"),
        (URL, "me@example.org", {"message": "Unauthorized; scope does not match"}, "read:jira-work"),
    ],
)
def test_a_refused_log_in_says_what_to_do(
    jira: responses.RequestsMock, url: str, user: str, body: dict[str, str], advice: str
) -> None:
    jira.get(f"{url}/rest/api/2/myself", json=body, status=401)
    with pytest.raises(CredentialsRefused) as caught:
        client(url=url, user=user).call("GET", "myself", doing="log in")
    assert advice in caught.value.advice
    assert ("<cloudId>" in caught.value.advice) == ("<cloudId>" in advice)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"json": {"cloudId": "8f4d-0c1e"}}, "https://api.atlassian.com/ex/jira/8f4d-0c1e"),
        ({"json": {"cloudId": "../../evil?x="}}, ""),
        ({"json": {"cloudId": 7}}, ""),
        ({"json": []}, ""),
        ({"body": "<html>"}, ""),
        ({"status": 404, "json": {"cloudId": "8f4d"}}, ""),
        ({"status": 302, "headers": {"Location": "https://evil.example"}}, ""),
        ({"body": requests.ConnectionError()}, ""),
    ],
)
def test_the_address_for_tokens_with_scopes_is_asked_without_credentials(
    jira: responses.RequestsMock, answer: dict[str, Any], found: str
) -> None:
    jira.get(f"{URL}/_edge/tenant_info", **answer)
    assert client().gateway() == found
    (call,) = jira.calls
    assert "Authorization" not in call.request.headers
    assert client(url="https://api.atlassian.com/ex/jira/abc").gateway() == ""


def test_a_path_with_a_slash_is_one_on_the_server(jira: responses.RequestsMock) -> None:
    jira.get(f"{URL}/rest/pat/latest/tokens", json=[])
    assert client().call("GET", "/rest/pat/latest/tokens", doing="read") == []


def test_a_captcha_is_a_refused_log_in(jira: responses.RequestsMock) -> None:
    headers = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://jira.example/login.jsp"}
    jira.get(f"{API}/myself", status=403, headers=headers)
    with pytest.raises(CredentialsRefused, match="by hand"):
        client().call("GET", "myself", doing="log in")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<html><title>Log in</title></html>", "text/html;charset=UTF-8"),
        ('{"issues": [{"id": "10', "application/json"),
        ("", "application/json"),
    ],
)
def test_a_log_in_page_and_cut_off_json_are_bad_answers(
    jira: responses.RequestsMock, body: str, content_type: str
) -> None:
    jira.get(f"{API}/myself", body=body, content_type=content_type)
    one = client()
    if not body:
        assert one.call("GET", "myself", doing="log in") is None
        return
    with pytest.raises(BadAnswer) as caught:
        one.call("GET", "myself", doing="log in")
    assert "<html>" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_json_nested_without_end_is_a_bad_answer(jira: responses.RequestsMock) -> None:
    jira.get(f"{API}/myself", body="[" * 200_000, content_type="application/json")
    with pytest.raises(BadAnswer):
        client().call("GET", "myself", doing="log in")


def test_a_redirect_is_not_followed_for_a_write_would_arrive_as_a_read(jira: responses.RequestsMock) -> None:
    jira.put(f"{API}/issue/X-1", status=302, headers={"Location": "https://sso.example/login?token=abc"})
    with pytest.raises(BadAnswer, match=r"https://sso\.example") as caught:
        client().call("PUT", "issue/{key}", doing="edit", kind=Kind.IDEMPOTENT, body={}, key="X-1")
    assert "token=abc" not in str(caught.value)
    assert len(jira.calls) == 1


def _pool_error(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type] # no pool is needed to tell


@pytest.mark.parametrize(
    ("lost", "error"),
    [
        (_pool_error(NewConnectionError(None, "refused")), Unreachable),  # type: ignore[arg-type] # as above
        (_pool_error(NameResolutionError("x", None, socket.gaierror())), Unreachable),  # type: ignore[arg-type] # as above
        (requests.ConnectTimeout(), Unreachable),
        (requests.exceptions.SSLError("certificate"), Unreachable),
        (requests.exceptions.ProxyError("proxy"), Unreachable),
        (requests.exceptions.InvalidHeader("token"), Unreachable),
        (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), OutcomeUnknown),
        (requests.ReadTimeout(), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError("cut"), OutcomeUnknown),
    ],
)
def test_whether_the_request_can_have_arrived_decides_the_error(
    jira: responses.RequestsMock, lost: Exception, error: type[TrackerError]
) -> None:
    jira.post(f"{API}/issue/X-1/comment", body=lost)
    with pytest.raises(error):
        client().call("POST", "issue/{key}/comment", doing="comment", kind=Kind.CREATE, body={}, key="X-1")


def test_a_comment_is_not_posted_again_after_a_broken_connection(jira: responses.RequestsMock) -> None:
    jira.post(f"{API}/issue/X-1/comment", body=requests.ConnectionError(ProtocolError("gone")))
    one = client(attempts=5)
    with pytest.raises(OutcomeUnknown):
        one.call("POST", "issue/{key}/comment", doing="comment", kind=Kind.CREATE, body={}, key="X-1")
    assert one.requests["POST issue/{key}/comment"] == 1


def test_a_read_is_asked_again_and_every_sending_counts(jira: responses.RequestsMock) -> None:
    jira.get(f"{API}/myself", status=502)
    jira.get(f"{API}/myself", json={"name": "me"})
    one = client(attempts=3)
    assert one.call("GET", "myself", doing="log in") == {"name": "me"}
    assert one.requests["GET myself"] == 2


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_no_secret_is_in_an_error_its_causes_or_the_log(
    jira: responses.RequestsMock, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A server, or a proxy in debug mode, may echo the request with its headers."""
    caplog.set_level(logging.DEBUG)
    echoed = {"errorMessages": [f"Authorization: Basic {PAIR}", f"token {TOKEN}"]}
    body = f"<html>{TOKEN} {PAIR}</html>" if status == 200 else json.dumps(echoed)
    kind = "text/html" if status == 200 else "application/json"
    jira.get(f"{API}/myself", body=body, status=status, content_type=kind, headers={"Set-Cookie": f"a={TOKEN}"})
    with pytest.raises(TrackerError) as caught:
        client(attempts=2).call("GET", "myself", doing="log in")
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__)
    assert TOKEN not in said
    assert PAIR not in said
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("connectors")]
    assert not [line for line in ours if TOKEN in line or PAIR in line]
    assert caught.value.__cause__ is None


def test_an_error_is_one_short_line_whatever_the_server_says(jira: responses.RequestsMock) -> None:
    jira.get(f"{API}/myself", json={"errorMessages": ["a\x1b[31m\n\u202eb" + "x" * 5000]}, status=400)
    with pytest.raises(Rejected) as caught:
        client().call("GET", "myself", doing="log in")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("body", [[], "text", {"errors": "none"}, {"errorMessages": {"a": 1}}, None])
def test_an_error_body_of_any_shape_is_still_that_error(jira: responses.RequestsMock, body: Any) -> None:
    jira.get(f"{API}/myself", json=body, status=404)
    with pytest.raises((NotFound, Rejected)):
        client().call("GET", "myself", doing="log in")


@pytest.mark.parametrize("url", ["jira.example", "ftp://jira.example", "", "https://", "https://[", "https:///x"])
def test_what_is_no_web_address_is_said_at_once(url: str) -> None:
    with pytest.raises(Unreachable, match="is not a web address"):
        client(url=url)


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(Unreachable) as caught:
        client(url="https://me:pa55word@jira.example")
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("token", ["tok\nen-12345", "токен-12345", "tok\ren-12345"])
@pytest.mark.parametrize("user", ["", "me"])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(token: str, user: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        timeout = (1.0, 0.01)
        connection = Connection(name="support", url=url, token=SecretStr(token), user=user, timeout=timeout)
        one = JiraClient(connection, retry=Retry(attempts=1))
        with pytest.raises(TrackerError) as caught:
            one.call("GET", "myself", doing="log in")
        one.close()
    assert "12345" not in "".join(traceback.format_exception(caught.value))


def test_the_line_break_after_a_token_from_a_file_is_not_part_of_it(jira: responses.RequestsMock) -> None:
    jira.get(f"{API}/myself", json={})
    connection = Connection(name="support", url=URL, token=SecretStr(f"{TOKEN}\n"))
    JiraClient(connection).call("GET", "myself", doing="log in")
    assert jira.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_port_nobody_listens_on_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        client(url=f"http://127.0.0.1:{port}").call("GET", "myself", doing="log in")
