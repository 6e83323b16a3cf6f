"""One door to a Jira server: the package ``jira`` sends, this module says what the answer means.

Rules:

1. Only this module imports ``jira``; it leans on the private ``_session`` and ``_get_url`` of 3.10.5, which is pinned.
2. The library's retries are off: it repeats a POST after a lost connection, which posts a comment twice.
3. ``JIRAError`` and ``requests`` errors carry headers, cookies and bodies. None of them leaves this module, not even as
   a cause: each becomes one of the port's errors, raised ``from None``.
4. A redirect is never followed: a POST would arrive as a GET, and a log-in page would answer 200.
5. Each answer says whose it is; that is told on before the answer is used, because with a dead token a Jira that lets
   anybody look answers 200 and finds nothing.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from jira import JIRA, JIRAError
from requests import Response
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError

from connectors.jira.instants import instant
from connectors.jira.refusals import FieldsRefused
from connectors.jira.text import received
from connectors.rate_budget import REQUESTS, budget_of
from connectors.retry import Kind, Retry, retry_after_seconds
from connectors.tracker import (
    AnswerLate,
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

# Jira Cloud refuses far later (50 to 100 a second for each address); a Data Center may be slower than that.
_PER_SECOND = 10
_LONGEST_DETAIL = 300
_SHORTEST_SECRET = 6
# Who asked, as the answer has it: Cloud's header and Data Center's, and what they say of nobody.
_ACCOUNT_HEADERS = ("X-AAccountId", "X-AUSERNAME")
_NOBODY = frozenset({"", "anonymous", "unknown"})
_GATEWAY_PATH = "/ex/jira/"
_GATEWAY = f"https://api.atlassian.com{_GATEWAY_PATH}"
_SCOPES = "read:jira-work, write:jira-work and read:jira-user"
_CLOUD_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class JiraClient:
    """Sends requests to one Jira server and counts them.

    Nothing is sent before the first ``call``. A client may be shared by threads as far as ``requests`` sessions may.

    Attributes:
        requests: requests sent so far, by method and path template ("GET issue/{key}"); repeated ones count again.
        answered: told, for each answer that is used, the template and whose answer it is by its own word (None: it does
            not say, or nobody's); what it raises comes in place of the answer.
    """

    def __init__(self, connection: Connection, *, retry: Retry | None = None) -> None:
        self.name = connection.name
        self.url = connection.url.rstrip("/")
        self.requests: Counter[str] = Counter()
        self.answered: Callable[[str, str | None], None] = lambda _template, _account: None
        self._at_a_site = bool(connection.user) and _GATEWAY_PATH not in self.url
        self._retry = retry or Retry()
        asked = connection.requests_per_second
        self._budget = budget_of(connection.url, per_second=_PER_SECOND if asked is None else asked)
        # A token out of a file often ends with a line break, which no header may hold.
        token = connection.token.get_secret_value().strip()
        pair = f"{connection.user}:{token}".encode()
        # Anything shorter is no secret, and taking it out of a text would leave no text.
        self._secrets = tuple(one for one in (token, base64.b64encode(pair).decode()) if len(one) >= _SHORTEST_SECRET)
        self._timeout = connection.timeout
        self._refuse_odd_address()
        self._jira = JIRA(
            server=self.url,
            options={"rest_api_version": "2"},
            basic_auth=(connection.user, token) if connection.user else None,
            token_auth=None if connection.user else token,
            get_server_info=False,
            logging=False,
            max_retries=0,
            timeout=connection.timeout,
        )

    def speak(self, version: str) -> None:
        """From now on use this version of the REST API ("2" or "3")."""
        self._jira._options["rest_api_version"] = version  # noqa: SLF001 - rule 1

    def close(self) -> None:
        self._jira.close()  # type: ignore[no-untyped-call] # the package leaves it without annotations

    def call(
        self,
        method: str,
        template: str,
        *,
        doing: str,
        kind: Kind = Kind.READ,
        params: dict[str, str | int] | None = None,
        body: Any = None,
        **names: str,
    ) -> Any:
        """The JSON that the server answers, None for an empty answer.

        ``template`` is the path below ``/rest/api/{version}/``, or with a slash the path on the server; ``{key}`` and the like are filled, quoted, from
        ``names``. ``doing`` completes "while trying to ..." in errors. ``kind`` says what a second sending would do,
        and so which errors are asked again.

        Raises:
            TrackerError: one of the port's errors, free of secrets.
        """
        path = template.format(**{name: quote(value, safe="") for name, value in names.items()})
        counted = f"{method} {template}"
        extra: dict[str, Any] = {} if body is None else {"json": body}
        if params:
            extra["params"] = params

        def once() -> Any:
            self._budget.take(REQUESTS)
            self.requests[counted] += 1
            return self._send(method, path, template, doing, extra)

        return self._retry.call(once, kind=kind)

    def gateway(self) -> str:
        """Where tokens with scopes are taken, "" for a server that is no site of Jira Cloud. Nothing secret is sent."""
        if _GATEWAY_PATH in self.url:
            return ""
        self.requests["GET /_edge/tenant_info"] += 1
        try:
            answer = requests.get(
                f"{self.url}/_edge/tenant_info", timeout=self._timeout, allow_redirects=False, auth=_no_credentials
            )
            told = answer.json() if answer.ok else None
        except (requests.RequestException, ValueError, RecursionError):
            return ""
        cloud_id = told.get("cloudId") if isinstance(told, dict) else None
        return f"{_GATEWAY}{cloud_id}" if isinstance(cloud_id, str) and _CLOUD_ID.fullmatch(cloud_id) else ""

    def _send(self, method: str, path: str, template: str, doing: str, extra: dict[str, Any]) -> Any:
        failure: TrackerError
        answered: list[Response] = []
        try:
            response = self._jira._session.request(  # noqa: SLF001 - rule 1
                method,
                f"{self.url}{path}" if path.startswith("/") else self._jira._get_url(path),  # noqa: SLF001 - rule 1
                allow_redirects=False,
                hooks={"response": lambda answer, **_: answered.append(answer)},
                **extra,
            )
        except (JIRAError, TypeError, AttributeError, LookupError):
            # The last three are the library's own, from an error body of a shape it does not expect.
            if not answered:
                raise
            failure = self._refusal(answered[-1], doing)
        except requests.RequestException as error:
            failure = self._lost(error, doing)
        except ValueError:
            # The one thing in a request that is neither quoted nor encoded; http.client would show it.
            failure = CredentialsRefused(
                "the token or the user name holds characters that can not be sent", tracker=self.name, doing=doing
            )
        else:
            # The request keeps its hook, which would keep the answer, which keeps the request.
            answered.clear()
            content = self._content(response, doing)
            self.answered(template, _account_of(response))
            return content
        if isinstance(failure, Rejected | PermissionRefused | NotFound) and answered:
            # To nobody, Jira denies that a project is there, rather than the log-in.
            self.answered(template, _account_of(answered[-1]))
        raise failure from None

    def _refuse_odd_address(self) -> None:
        try:
            parts = urlsplit(self.url)
            odd = parts.scheme not in {"http", "https"} or not parts.hostname
        except ValueError:
            parts, odd = urlsplit(""), True
        if "@" in parts.netloc:
            raise Unreachable(
                "the address holds a user name or password",
                tracker=self.name,
                advice="Name the account and where its token is in the site file, and take them out of the address",
            )
        if odd:
            raise Unreachable(f"{self._harmless(self.url)!r} is not a web address", tracker=self.name)

    # ------------------------------------------------------------------------------------------- what the answer means

    def _content(self, response: Response, doing: str) -> Any:
        if response.is_redirect or response.is_permanent_redirect:
            target = urlsplit(response.headers.get("Location", ""))
            raise self.bad_answer(f"the server sends us on to {target.scheme}://{target.netloc}", doing)
        if not response.content:
            return None
        if "html" in response.headers.get("Content-Type", "").lower():
            raise self.bad_answer("a web page came (a log-in page?) where JSON was expected", doing)
        try:
            return response.json()
        except (ValueError, RecursionError):
            # The decoder's error quotes the document.
            raise self.bad_answer("the answer is not JSON, or was cut off", doing) from None

    def bad_answer(self, detail: str, doing: str) -> BadAnswer:
        return BadAnswer(self._harmless(detail), tracker=self.name, doing=doing)

    def _refusal(self, response: Response, doing: str) -> TrackerError:
        status, headers = response.status_code, response.headers
        detail = f"HTTP {status}"
        if "html" not in headers.get("Content-Type", "").lower() and (said := self._words(response)):
            detail = f"{detail}: {self._harmless(said)}"
        if status == 429:  # noqa: PLR2004 - HTTP status
            return self._limited(response, detail, doing)
        if status >= 500:  # noqa: PLR2004 - HTTP status
            wait = retry_after_seconds(headers.get("Retry-After", ""), datetime.now(UTC))
            return ServerFailed(detail, retry_after=wait, tracker=self.name, doing=doing)
        if status == 410:  # noqa: PLR2004 - HTTP status
            return BadAnswer(
                detail, tracker=self.name, doing=doing, advice="The server has taken this part of its API away"
            )
        if status == 401:  # noqa: PLR2004 - HTTP status
            return self._unauthorized(response, detail, doing)
        kinds: dict[int, type[TrackerError]] = {403: PermissionRefused, 404: NotFound}
        if status == 403 and "captcha" in headers.get("X-Authentication-Denied-Reason", "").lower():  # noqa: PLR2004
            return CredentialsRefused(
                detail, tracker=self.name, doing=doing, advice="Log in once by hand: a CAPTCHA waits"
            )
        if status not in kinds and (blamed := self._blamed(response)):
            return FieldsRefused(detail, blamed=blamed, tracker=self.name, doing=doing)
        return kinds.get(status, Rejected)(detail, tracker=self.name, doing=doing)

    def _blamed(self, response: Response) -> dict[str, str]:
        """The fields that a refusal names, each with why."""
        try:
            body = response.json()
        except (ValueError, RecursionError):
            return {}
        errors = body.get("errors") if isinstance(body, dict) else None
        named = errors if isinstance(errors, dict) else {}
        return {str(field): self._harmless(f"{field}: {why}") for field, why in named.items()}

    def _limited(self, response: Response, detail: str, doing: str) -> RateLimited:
        """Cloud names which limit it was: bursts pass in seconds, a quota begins anew at the full hour."""
        headers, now = response.headers, datetime.now(UTC)
        reason = headers.get("RateLimit-Reason", "")
        wait = retry_after_seconds(headers.get("Retry-After", ""), now)
        if wait is None:
            try:
                wait = max(0.0, (instant(headers.get("X-RateLimit-Reset")) - now).total_seconds())
            except ValueError:
                wait = None
        return RateLimited(
            f"{detail} ({self._harmless(reason)})" if reason else detail,
            retry_after=wait,
            quota="quota" in reason.casefold(),
            tracker=self.name,
            doing=doing,
        )

    def _unauthorized(self, response: Response, detail: str, doing: str) -> CredentialsRefused:
        advice = ""
        if "scope" in response.text[:_LONGEST_DETAIL].casefold():
            advice = f"Make a token with the scopes {_SCOPES}"
        elif self._at_a_site:
            advice = (
                f"{CredentialsRefused.advice}. A token with scopes is refused here: its address is {_GATEWAY}<cloudId>, "
                f"with the cloudId that {self._harmless(self.url)}/_edge/tenant_info shows"
            )
        return CredentialsRefused(detail, tracker=self.name, doing=doing, advice=advice)

    def _words(self, response: Response) -> str:
        """What a Jira error body says: ``errorMessages`` and ``errors`` with the field each belongs to."""
        try:
            body = response.json()
        except (ValueError, RecursionError):
            return response.text
        if not isinstance(body, dict):
            return ""
        messages = body.get("errorMessages")
        said = [str(message) for message in messages] if isinstance(messages, list) else []
        errors = body.get("errors")
        if isinstance(errors, dict):
            said += [f"{field}: {message}" for field, message in errors.items()]
        return "; ".join(said) or received(body.get("message") or body.get("errorMessage"))

    def _lost(self, error: requests.RequestException, doing: str) -> TrackerError:
        """No answer. The one question that matters: can the request have arrived?"""
        host = self._harmless(urlsplit(self.url).netloc.rpartition("@")[2])
        cause = error.args[0] if error.args else None
        reason = cause.reason if isinstance(cause, MaxRetryError) else cause
        never_sent: tuple[tuple[bool, str, str], ...] = (
            (isinstance(error, requests.ConnectTimeout), f"{host} does not answer", ""),
            (
                isinstance(error, requests.exceptions.SSLError) or isinstance(reason, SSLError),
                f"no trusted connection to {host}",
                "Check the certificate of the server and of any proxy before it",
            ),
            (isinstance(error, requests.exceptions.ProxyError), f"the proxy before {host} does not answer", ""),
            (isinstance(reason, NewConnectionError), f"no connection to {host}", ""),
            (isinstance(error, ValueError), "the address or the token of this tracker can not be sent", ""),
        )
        for is_so, detail, advice in never_sent:
            if is_so:
                return Unreachable(detail, tracker=self.name, doing=doing, advice=advice)
        if isinstance(error, requests.ReadTimeout):
            late = f"no answer came in time after the request was sent to {host}"
            return AnswerLate(late, tracker=self.name, doing=doing)
        broken = f"the connection broke after the request was sent to {host}"
        return OutcomeUnknown(broken, tracker=self.name, doing=doing)

    def _harmless(self, text: str) -> str:
        """One short line without our secrets, whatever the server put into it."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        line = _CONTROL.sub(" ", text).strip()
        return line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}…"


def _account_of(response: Response) -> str | None:
    said = next((response.headers[name] for name in _ACCOUNT_HEADERS if name in response.headers), "").strip()
    return None if said.casefold() in _NOBODY else said


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Instead of those that a ``.netrc`` may hold for the host."""
    return request
