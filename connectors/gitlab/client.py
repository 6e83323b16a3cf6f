"""The one door to GitLab: REST v4 and GraphQL through ``python-gitlab``, its errors turned into ours.

Rules:

1. No other module imports ``gitlab`` or ``gql``. Their own retries are off; ``connectors.retry`` alone repeats.
2. Every request has a time limit and is counted by its kind ("GET issues/notes", "POST graphql WorkItems").
3. An error that leaves this module names the place and what was found; it holds no header, no token, no request or
   response body beyond the server's own one-line message, and no cause that would hold them.
4. A page link is followed by its query only, never to a host the server names: the token stays with the address of
   the site file.
5. Several threads may ask at once, each over a connection of its own. The connections are everybody's; what the
   libraries keep beside them (a session, the last answer) is made for one thread, and each thread has its own.
"""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import gitlab
import gql.transport.exceptions as gql_errors
import httpx
import requests
import urllib3.exceptions
from gql import GraphQLRequest, gql

from connectors.gitlab.answers import AlreadyThere, LastAnswer, SchemaDiffers, TooComplex, value_of
from connectors.gitlab.paths import group_path, noun_of, project_path
from connectors.rate_budget import NOTES, REQUESTS, budget_of
from connectors.retry import Kind, Retry
from connectors.tracker import AnswerLate, BadAnswer, OutcomeUnknown, ServerFailed, TrackerError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from connectors.tracker import Connection

__all__ = ["AlreadyThere", "Answers", "GitLabClient", "SchemaDiffers", "TooComplex", "group_path", "project_path"]

# 2,000 requests and 60 notes a minute on gitlab.com, 300 notes by default elsewhere (docs.gitlab.com, rate limits); a
# little less leaves room for whoever else works with the account.
_PER_SECOND = 30
_NOTES_ON_GITLAB_COM = 50
_NOTES_ELSEWHERE = 250
_PAGE = 100
# A page token that comes back for ever would be read for ever.
_PAGE_LIMIT = 100_000

_KIND_OF_METHOD = {"GET": Kind.READ, "HEAD": Kind.READ, "PUT": Kind.IDEMPOTENT, "DELETE": Kind.IDEMPOTENT}


@dataclass(frozen=True, slots=True)
class _Ask:
    """One REST request before it is sent."""

    method: str
    path: str
    doing: str
    kind: Kind
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a request of several aliased mutations led to, which are no transaction.

    Attributes:
        data: alias -> payload, None where the mutation as such failed.
        failures: alias -> why; what an alias answered is then not to be relied on.
    """

    data: Mapping[str, Any]
    failures: Mapping[str, TrackerError]


class _Own(threading.local):
    """What the libraries do not share between threads, for each thread its own; it is made when first asked for."""

    rest: gitlab.Gitlab | None = None
    graphql: _GraphQL | None = None


class GitLabClient:
    """One GitLab under one account. Threads may share it.

    Attributes:
        name: the site's name of the tracker.
        url: base address without a trailing slash.
        requests: requests sent, by kind; a repeated one counts each time.
    """

    def __init__(self, connection: Connection, *, retry: Retry | None = None) -> None:
        self.name = connection.name
        self.url = connection.url.rstrip("/")
        self.requests: Counter[str] = Counter()
        self._retry = retry or Retry()
        asked = connection.requests_per_second
        self._budget = budget_of(
            connection.url,
            per_second=_PER_SECOND if asked is None else asked,
            notes_per_minute=_NOTES_ON_GITLAB_COM if urlsplit(self.url).hostname == "gitlab.com" else _NOTES_ELSEWHERE,
        )
        # A token out of a file often ends with a line break, which no header may hold.
        self._secret = connection.token.get_secret_value().strip()
        self._timeout = connection.timeout
        self._last = LastAnswer(connection.name, self._secret)
        self._own = _Own()
        self._counting, self._connecting = threading.Lock(), threading.Lock()
        self._rest_connections: requests.adapters.HTTPAdapter | None = None
        self._graphql_connections: httpx.Client | None = None

    def _count(self, what: str) -> None:
        with self._counting:
            self.requests[what] += 1

    # ---------------------------------------------------------------------------------------------------------- REST

    def rest(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        kind: Kind | None = None,
    ) -> Any:
        """The parsed JSON answer of one request (None for an empty one).

        Args:
            method: HTTP method in capitals.
            path: below ``/api/v4/``, parts already percent-encoded.
            doing: what this is for, as it reads in an error ("read project acme/car").
            query: parameters of the address.
            body: sent as JSON.
            kind: what a second sending would do; from the method where it is not said (POST creates).

        Raises:
            TrackerError: no answer, or not the promised one.
        """
        kind = kind or _KIND_OF_METHOD.get(method, Kind.CREATE)
        return self._call(_Ask(method, path, doing, kind, query, body))[0]

    def pages(self, path: str, *, doing: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page by the Link header.

        Raises:
            TrackerError: as ``rest``; BadAnswer also for an answer that is not a list of objects.
        """
        ask: Mapping[str, Any] = {"per_page": _PAGE, **(query or {})}
        for _ in range(_PAGE_LIMIT):
            items, following = self._call(_Ask("GET", path, doing, Kind.READ, ask))
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise BadAnswer("the answer is not a list of objects", tracker=self.name, doing=doing)
            yield from items
            if following is None:
                return
            if following == dict(ask):
                raise BadAnswer("the next page is the same page", tracker=self.name, doing=doing)
            ask = following
        raise BadAnswer(f"more than {_PAGE_LIMIT} pages", tracker=self.name, doing=doing)

    def _call(self, ask: _Ask) -> tuple[Any, dict[str, str] | None]:
        counted = f"{ask.method} {noun_of(ask.path)}"

        def once() -> tuple[Any, dict[str, str] | None]:
            self._budget.take(REQUESTS)
            self._budget.take(NOTES, int(ask.method == "POST" and ask.path.endswith("/notes")))
            self._count(counted)
            return self._send(ask)

        return self._retry.call(once, kind=ask.kind)

    def _send(self, ask: _Ask) -> tuple[Any, dict[str, str] | None]:
        problem: TrackerError
        self._last.forget()
        try:
            response = self._session().http_request(
                ask.method.lower(),
                f"/{ask.path}",
                query_data=dict(ask.query or {}),
                post_data=None if ask.body is None else dict(ask.body),
                timeout=self._timeout,  # type: ignore[arg-type]  # requests takes (connect, read); the hint says float
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
            if not response.content:
                return None, None
            return value_of(response.content), self._following(response)
        except gitlab.exceptions.RedirectError:
            problem = BadAnswer("the address redirects", advice="Put the final address into the site file")
        except gitlab.exceptions.GitlabError as error:
            problem = self._last.refusal(error.response_code or self._last.status, error.response_body)
        except requests.exceptions.RequestException as error:
            problem = _no_answer(_nothing_was_sent(error), isinstance(error, requests.ReadTimeout), ask.kind)
        except ValueError:
            problem = self._last.not_sent_or_not_json()
        raise self._last.named(problem, ask.doing) from None

    def _following(self, response: requests.Response) -> dict[str, str] | None:
        target = response.links.get("next", {}).get("url")
        return dict(parse_qsl(urlsplit(target).query, keep_blank_values=True)) if target else None

    # ------------------------------------------------------------------------------------------------------- GraphQL

    def graphql(
        self, name: str, document: str, variables: Mapping[str, Any], *, doing: str, kind: Kind = Kind.READ
    ) -> dict[str, Any]:
        """The ``data`` of one query or mutation; errors inside a mutation's payload are the caller's to look at.

        Args:
            name: what it is counted as ("WorkItems").
            document: the GraphQL text.
            variables: its variables.
            doing: as for ``rest``.
            kind: what a second sending would do.

        Raises:
            TooComplex: ask for less at a time.
            SchemaDiffers: this server speaks another generation.
            TrackerError: no answer, or not the promised one.
        """

        def once() -> dict[str, Any]:
            self._budget.take(REQUESTS)
            self._budget.take(NOTES, document.count("createNote("))
            self._count(f"POST graphql {name}")
            return self._execute(document, variables, doing, kind)

        return self._retry.call(once, kind=kind)

    def mutations(self, name: str, document: str, variables: Mapping[str, Any], *, doing: str, kind: Kind) -> Answers:
        """What each of several aliased mutations led to.

        Args:
            name, document, variables, doing, kind: as for ``graphql``.

        Raises:
            TrackerError: as ``graphql``, where the request failed as a whole.
        """

        def once() -> Answers:
            self._budget.take(REQUESTS)
            self._budget.take(NOTES, document.count("createNote("))
            self._count(f"POST graphql {name}")
            failures: dict[str, TrackerError] = {}
            return Answers(self._execute(document, variables, doing, kind, failures), failures)

        return self._retry.call(once, kind=kind)

    def _execute(
        self,
        document: str,
        variables: Mapping[str, Any],
        doing: str,
        kind: Kind,
        failures: dict[str, TrackerError] | None = None,
    ) -> dict[str, Any]:
        problem: TrackerError
        self._last.forget()
        try:
            data = self._graphql_session().execute(_request(document, variables))
            if isinstance(data, dict):
                return data
            problem = BadAnswer("the GraphQL answer holds no data")
        except gql_errors.TransportQueryError as error:
            said = error.errors or []
            if failures is not None and isinstance(error.data, dict) and all(map(_alias_of, said)):
                for one in said:
                    failures.setdefault(_alias_of(one), self._last.named(self._last.query_refused([one]), doing))
                return error.data
            problem = self._last.query_refused(said)
        except gql_errors.TransportConnectionFailed as error:
            cause = error.__cause__
            if isinstance(cause, _HttpRefusal):
                problem = self._last.refusal(cause.status, cause.body)
            else:
                problem = _no_answer(isinstance(cause, _NOT_SENT), isinstance(cause, httpx.ReadTimeout), kind)
        except ValueError:
            problem = self._last.not_sent_or_not_json()
        except (gql_errors.TransportError, AssertionError, TypeError, AttributeError):
            # The last three are gql's own, over JSON that is no GraphQL answer.
            problem = self._last.not_json()
        raise self._last.named(problem, doing) from None

    def named(self, problem: TrackerError, doing: str) -> TrackerError:
        """The same error with the tracker's name and what was being done."""
        return self._last.named(problem, doing)

    def objections(self, payload: Mapping[str, Any]) -> str:
        """What GitLab has against a mutation, by its payload; "" for nothing."""
        return self._last.objections(payload)

    def server_day(self) -> date | None:
        """The day it is where the last answer came from; None where it did not say."""
        now = self._last.clock()
        return now.date() if now else None

    # ------------------------------------------------------------------------------------------------------- sessions

    def _session(self) -> gitlab.Gitlab:
        if self._own.rest is None:
            session = requests.Session()
            for scheme in ("http://", "https://"):
                session.mount(scheme, self._for_rest())
            session.hooks["response"].append(self._seen)
            # As a bearer, not as PRIVATE-TOKEN: requests drops it when a redirect leads to another host.
            self._own.rest = gitlab.Gitlab(
                self.url, oauth_token=self._secret or None, session=session, retry_transient_errors=False
            )
        return self._own.rest

    def _for_rest(self) -> requests.adapters.HTTPAdapter:
        with self._connecting:
            if self._rest_connections is None:
                self._rest_connections = requests.adapters.HTTPAdapter()
            return self._rest_connections

    def _graphql_session(self) -> _GraphQL:
        if self._own.graphql is None:
            self._own.graphql = _GraphQL(
                self.url, client=self._for_graphql(), max_retries=0, obey_rate_limit=False, retry_transient_errors=False
            )
        return self._own.graphql

    def _for_graphql(self) -> httpx.Client:
        with self._connecting:
            if self._graphql_connections is None:
                connect, read = self._timeout
                self._graphql_connections = _Connections(
                    headers={"Authorization": f"Bearer {self._secret}"} if self._secret else {},
                    timeout=httpx.Timeout(read, connect=connect),
                    verify=_trusted(urlsplit(self.url).scheme),
                    event_hooks={"response": [self._seen, _no_refusal]},
                )
            return self._graphql_connections

    def _seen(self, response: Any, *_: Any, **__: Any) -> None:
        # The library's errors drop status and headers; both are needed to tell what happened.
        self._last.status, self._last.headers = response.status_code, response.headers

    def close(self) -> None:
        """End the connections; a further request opens new ones."""
        with self._connecting:
            if self._rest_connections is not None:
                self._rest_connections.close()
            if self._graphql_connections is not None:
                self._graphql_connections.close()
            self._rest_connections = self._graphql_connections = None
            self._own = _Own()


@cache
def _trusted(scheme: str) -> ssl.SSLContext:
    """Whose certificates are believed. Nobody's where none is shown: to read the list takes longer than ten requests."""
    return httpx.create_ssl_context() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _GraphQL(gitlab.GraphQL):
    """Takes whole requests: gql is about to drop the way in which python-gitlab hands it variables."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gql = _as_it_is
        self._transport.json_deserialize = value_of


def _as_it_is(request_string: Any) -> GraphQLRequest:
    assert isinstance(request_string, GraphQLRequest)
    return request_string


class _Connections(httpx.Client):
    """Lets go of an answer as soon as nobody needs it: httpx ties it to its stream, and the stream to it again."""

    def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        response = super().send(request, **how)
        if response.is_closed:
            response.stream = httpx.ByteStream(b"")
        return response


class _HttpRefusal(Exception):
    """An HTTP status other than success, seen before gql makes something else of it. Attributes: body: the answer's."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def _no_refusal(response: httpx.Response) -> None:
    if not response.is_success:
        raise _HttpRefusal(response.status_code, response.read())


# What the library would parse. It is not looked at: only where a schema is held against it.
_UNREAD = gql("{ unread }").document


class _Request(GraphQLRequest):
    """A document as it was written: the library would parse and print it anew for every page."""

    def __init__(self, document: str, variables: Mapping[str, Any]) -> None:
        super().__init__(_UNREAD, variable_values=dict(variables))
        self._written = document

    @property
    def payload(self) -> dict[str, Any]:
        return {"query": self._written, "variables": self.variable_values}


def _request(document: str, variables: Mapping[str, Any]) -> Any:
    # python-gitlab names only texts as what it takes, and hands them on as they are.
    return _Request(document, variables)


_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.ProxyError)


def _nothing_was_sent(error: requests.exceptions.RequestException) -> bool:
    """True where no connection came about, so that the request can not have been carried out."""
    if isinstance(
        error,
        requests.exceptions.ConnectTimeout
        | requests.exceptions.SSLError
        | requests.exceptions.ProxyError
        | requests.exceptions.InvalidURL
        | requests.exceptions.InvalidSchema
        | requests.exceptions.MissingSchema,
    ):
        return True
    reason = error.args[0] if error.args else None
    return isinstance(getattr(reason, "reason", reason), urllib3.exceptions.NewConnectionError)


def _no_answer(nothing_was_sent: bool, late: bool, kind: Kind) -> TrackerError:
    if nothing_was_sent:
        return Unreachable("no connection could be made")
    if kind is Kind.READ:
        return ServerFailed("the connection broke before the answer was whole")
    if late:
        return AnswerLate("no answer came in time after the request was sent")
    return OutcomeUnknown("the connection broke after the request was sent")


def _alias_of(error: Any) -> str:
    """The field of the root that an error belongs to; "" for none."""
    path = error.get("path") if isinstance(error, dict) else None
    return path[0] if isinstance(path, list) and path and isinstance(path[0], str) else ""
