"""The requests to a notebook, and what its answers look like.

Rules:

1. Every answer becomes a value or one of the port's errors, raised ``from None``; no error repeats what was sent or said.
2. A request is counted when it is sent, each time.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from connectors.rate_budget import REQUESTS, budget_of
from connectors.retry import Kind, Retry
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
from tests.notebook_tracker.notebook_server import Answer, at_address

PER_SECOND = 10

T = TypeVar("T", bound=BaseModel)

_KINDS = {"GET": Kind.READ, "PATCH": Kind.IDEMPOTENT, "PUT": Kind.IDEMPOTENT, "POST": Kind.CREATE}
_REFUSALS: dict[int, type[TrackerError]] = {
    HTTPStatus.UNAUTHORIZED: CredentialsRefused,
    HTTPStatus.FORBIDDEN: PermissionRefused,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.BAD_REQUEST: Rejected,
    HTTPStatus.CONFLICT: Rejected,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Rejected,
    HTTPStatus.UNPROCESSABLE_ENTITY: Rejected,
}

# ------------------------------------------------------------------------------------------------------------- answers


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Person(_Told):
    id: str
    name: str = ""


class Me(Person):
    writes: bool


class Named(_Told):
    """A status, priority or type."""

    id: str
    name: str
    group: str = ""


class Opening(_Told):
    at: AwareDatetime
    by: Person


class Note(_Told):
    """A comment. Attributes: n: the number of its entry in the log."""

    n: int
    at: AwareDatetime
    by: Person
    text: str
    internal: bool
    edited_at: AwareDatetime | None


class Entry(_Told):
    """Attributes: field, before, after: of what was set. added, removed: of a list."""

    n: int
    at: AwareDatetime
    by: Person
    what: str
    field: str = ""
    before: Named | str | None = None
    after: Named | str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Link(_Told):
    global_id: str
    url: str
    title: str
    relationship: str
    resolved: bool


class Record(_Told):
    """An issue. Attributes: entries: how many its log has, shown or not."""

    id: str
    key: str
    title: str
    text: str
    type: Named
    status: Named
    priority: Named | None
    labels: frozenset[str]
    fix_versions: tuple[str, ...]
    assignee: Person | None
    due: str | None
    opened: Opening
    updated_at: AwareDatetime
    links: tuple[Link, ...]
    comments: tuple[Note, ...]
    entries: int
    log: tuple[Entry, ...]


class Version(_Told):
    name: str
    published_at: AwareDatetime | None


class ProjectRecord(_Told):
    id: str
    key: str
    name: str
    words: dict[str, tuple[Named, ...]] = {}


class Shelf(_Told):
    projects: tuple[ProjectRecord, ...]


class Versions(_Told):
    versions: tuple[Version, ...]


class Identified(_Told):
    id: str


class Page(_Told):
    """Attributes: issues: each read for itself, so that one that makes no sense spoils no other. next: go on after it."""

    issues: tuple[dict[str, Any], ...]
    next: int | None


class Done(_Told):
    """Attributes: made: number of the comment, global id of the link, else key. issue: as it stands afterwards."""

    made: str
    issue: Record


# ------------------------------------------------------------------------------------------------------------ requests


class NotebookClient:
    """Attributes: requests: sent so far, by kind."""

    def __init__(self, connection: Connection, retry: Retry | None) -> None:
        self._connection = connection
        self._retry = retry or Retry()
        per_second = PER_SECOND if connection.requests_per_second is None else connection.requests_per_second
        self._budget = budget_of(connection.url, per_second=per_second)
        self.requests: Counter[str] = Counter()

    def me(self) -> Me:
        return self.told(Me, self.ask("GET", "me", doing="log in"), "log in")

    def issue(self, key: str) -> Record:
        doing = f"read {key}"
        return self.told(Record, self.ask("GET", f"issues/{key}", doing=doing), doing)

    def page(self, project: str, what: str, **asked: Any) -> Page:
        """A page of ``issues`` or ``ids``. Asked for: ``after`` a number, ``since`` an instant, with a ``label``."""
        doing = f"list the issues of {project}"
        return self.told(Page, self.ask("GET", f"projects/{project}/{what}", asked, doing=doing), doing)

    def told(self, shape: type[T], answer: Any, doing: str) -> T:
        """The answer in its shape. Raises BadAnswer."""
        try:
            return shape.model_validate(answer)
        except ValidationError as error:
            self._fail(BadAnswer, f"an answer that makes no sense: {why(error)}", doing)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, doing: str) -> Any:
        """What is answered, after as many attempts as the method allows. Raises TrackerError."""
        return self._retry.call(lambda: self._ask_once(method, path, body or {}, doing), kind=_KINDS[method])

    def _ask_once(self, method: str, path: str, body: dict[str, Any], doing: str) -> Any:
        self._budget.take(REQUESTS)
        try:
            server = at_address(self._connection.url)
        except ConnectionRefusedError:
            self._fail(Unreachable, "nothing answers at the address", doing)
        self.requests[f"{method} {'/'.join(path.split('/')[::2])}"] += 1
        try:
            answer = server.answer(self._connection.token.get_secret_value(), method, path, body)
        except ConnectionResetError:
            self._fail(OutcomeUnknown, "the connection was lost before the answer came", doing)
        if answer.status != HTTPStatus.OK:
            self._refused(answer, doing)
        try:
            return json.loads(answer.text)
        except ValueError:
            self._fail(BadAnswer, "an answer that is not JSON", doing)

    def _refused(self, answer: Answer, doing: str) -> NoReturn:
        said = f"{answer.status} from the notebook"
        name = self._connection.name
        wait = None if answer.retry_after is None else float(answer.retry_after)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited(said, retry_after=wait, tracker=name, doing=doing)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServerFailed(said, retry_after=wait, tracker=name, doing=doing)
        self._fail(_REFUSALS.get(answer.status, BadAnswer), said, doing)

    def _fail(self, kind: type[TrackerError], detail: str, doing: str) -> NoReturn:
        raise kind(detail, tracker=self._connection.name, doing=doing) from None


def why(error: ValidationError) -> str:
    """Where an answer makes no sense, without repeating it."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['type']}"


def instant(value: datetime | None) -> dict[str, str]:
    """The instant as a page is asked for by it."""
    return {} if value is None else {"since": value.isoformat()}
