"""What an answer of GitLab's that is no success means, over REST and GraphQL.

Rule: an error holds the server's own message in one line, with nothing of the token, and no header and no body beside it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json

from connectors.gitlab.payload import several, text_of
from connectors.retry import retry_after_seconds
from connectors.tracker import (
    BadAnswer,
    CredentialsRefused,
    NotFound,
    PermissionRefused,
    RateLimited,
    Rejected,
    ServerFailed,
    TrackerError,
)

_MESSAGE_LIMIT = 300
_MINUTE = 60.0

_MEANING: dict[int, type[TrackerError]] = {
    HTTPStatus.UNAUTHORIZED: CredentialsRefused,
    HTTPStatus.FORBIDDEN: PermissionRefused,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.GONE: NotFound,
}


class AlreadyThere(Rejected):
    """409: what was to be made exists."""


class TooComplex(Rejected):
    """GraphQL refuses a query as too large for one request, or gave up on it: ask for less at a time."""


class SchemaDiffers(Rejected):
    """GraphQL does not know a field, argument or type of our document: another generation of the server."""


class LastAnswer(threading.local):
    """What came last over one connection, for each thread its own.

    Attributes:
        status, headers: 0 and none while no answer came. Both libraries' headers take a name in any case.
    """

    def __init__(self, name: str, secret: str) -> None:
        self._name = name
        self._secret = secret
        self.forget()

    def forget(self) -> None:
        """A request is about to be sent."""
        self.status = 0
        self.headers: Mapping[str, str] = {}

    def query_refused(self, errors: list[Any]) -> TrackerError:
        """The error that GraphQL's top-level ``errors`` stand for."""
        text = "; ".join(str(error.get("message", "")) for error in errors if isinstance(error, dict))
        said = self._one_line(text) or "GraphQL refused the request without saying why"
        low = text.lower()
        if "complexity" in low or "timeout" in low or "timed out" in low or "too large" in low:
            return TooComplex(said)
        if "too many times" in low:
            # GitLab's limits of its own (notes: so many a minute) count by the minute and name no wait.
            return RateLimited(said, retry_after=_MINUTE)
        if "internal server error" in low or "resource lock" in low:
            return ServerFailed(said)
        if re.search(
            r"doesn't (exist|accept)|undefined|isn't a defined|cannot query field|unknown (argument|type)", low
        ):
            return SchemaDiffers(said)
        if "does not exist or you don't have permission" in low:
            return NotFound(said)
        return Rejected(said)

    def objections(self, payload: Mapping[str, Any]) -> str:
        """What GitLab has against a mutation, in one line, by the ``errors`` of its payload; "" for nothing."""
        return self._one_line("; ".join(filter(None, map(text_of, several(payload.get("errors"))))))

    def refusal(self, status: int, body: bytes | str | None) -> TrackerError:
        """The error that an HTTP status stands for."""
        said = self._one_line(_message(body)) or f"HTTP {status}"
        if status in _MEANING:
            return _MEANING[status](said)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(said, retry_after=self._wait_asked())
        if status == HTTPStatus.CONFLICT:
            # Two writers at once: nothing was done, and a moment later it will be.
            return ServerFailed(said) if "resource lock" in said.lower() else AlreadyThere(said)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ServerFailed(said, retry_after=self._wait_asked())
        return Rejected(said) if status >= HTTPStatus.BAD_REQUEST else BadAnswer(f"HTTP {status} was no answer")

    def not_sent_or_not_json(self) -> TrackerError:
        if not self.status:
            # Nothing was sent: the token is the one thing in a request that is neither quoted nor encoded.
            return CredentialsRefused("the token holds characters that can not be sent")
        return self.not_json()

    def not_json(self) -> TrackerError:
        if "html" in self.headers.get("content-type", "").lower():
            return BadAnswer(f"a web page came back (HTTP {self.status}) instead of an answer of the API")
        return BadAnswer(f"the answer (HTTP {self.status}) is not whole JSON")

    def clock(self) -> datetime | None:
        """The server's own, by its ``Date``; None where it did not say."""
        try:
            found = parsedate_to_datetime(self.headers.get("date", ""))
        except (ValueError, OverflowError):
            return None
        # An HTTP date is always GMT; the parser leaves out the zone for "-0000".
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def _wait_asked(self) -> float | None:
        # Both sides of the difference are the server's clock.
        now = self.clock()
        if "retry-after" in self.headers:
            return retry_after_seconds(self.headers["retry-after"], now or datetime.fromtimestamp(0, UTC))
        reset = self.headers.get("ratelimit-reset", "")
        if now is not None and re.fullmatch(r"[0-9]{1,12}", reset):
            return max(0.0, int(reset) - now.timestamp())
        return None

    def named(self, problem: TrackerError, doing: str) -> TrackerError:
        """The same error with the tracker's name and what was being done."""
        more: dict[str, Any] = {"tracker": self._name, "doing": doing}
        if isinstance(problem, RateLimited):
            return RateLimited(problem.detail, retry_after=problem.retry_after, quota=problem.quota, **more)
        if isinstance(problem, ServerFailed):
            return ServerFailed(problem.detail, retry_after=problem.retry_after, **more)
        return type(problem)(problem.detail, advice=problem.advice, **more)

    def _one_line(self, text: str) -> str:
        """A server's message made fit to print: one line, no control characters, no token, not long."""
        if self._secret:
            text = text.replace(self._secret, "***")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _MESSAGE_LIMIT else f"{text[: _MESSAGE_LIMIT - 1]}…"


def value_of(body: bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is none.
    """
    try:
        # The quicker of the two, which takes no text that UTF-8 can not hold (half a surrogate pair). What comes again and
        # again (names, people, days) it makes once, which is also what keeps ten thousand issues small.
        return from_json(body)
    except ValueError:
        return json.loads(body)


def _message(body: bytes | str | None) -> str:
    """The message in an error answer: a text, a list of texts, or texts by field."""
    if not body:
        return ""
    try:
        parsed = json.loads(body)
    except ValueError:
        # A proxy's page: its markup says nothing to anybody.
        return ""
    if not isinstance(parsed, dict):
        return ""
    said = parsed.get("message") or parsed.get("error_description") or parsed.get("error")
    if not said:
        said = [error.get("message", "") for error in parsed.get("errors") or [] if isinstance(error, dict)]
    return _flat(said)


def _flat(said: Any) -> str:
    if isinstance(said, dict):
        return "; ".join(f"{name}: {_flat(value)}" for name, value in said.items())
    if isinstance(said, list):
        return ", ".join(_flat(value) for value in said)
    return str(said)
