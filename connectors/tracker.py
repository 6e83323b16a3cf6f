"""The port: what the flows may ask of any tracker, and how a tracker says no.

Rules:

1. A reader cannot write, and a dry run builds no writer.
2. A reader gives an issue with its whole history, or names the gap; it never guesses.
3. One unreadable issue is an ``Unreadable``, not an exception: it stops nobody else.
4. No error text, log line or receipt holds a secret, a header or a request body.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from connectors.work import Work, Worked
    from policies.issue import Actor, Issue, Release, Word

# ------------------------------------------------------------------------------------------------------------- values

REPORTED_AT = "reported_at"
ORGANISATION = "organisation"
"""The two words of ``Connection.fields`` that are no name of a custom field, but facts of an issue of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach one tracker.

    Attributes:
        name: the site's name for it; becomes ``IssueRef.tracker``.
        url: base address.
        token: API token, personal access token or project access token; never printed.
        user: the account's mail address, for Jira Cloud's basic authentication; empty elsewhere.
        timeout: seconds to connect and seconds to read.
        requests_per_second: no more are sent to its host; None leaves it to the connector, 0 for no limit.
        fields: our word -> id, type or name of the tracker's custom field; ``reported_at`` and ``organisation`` become
            ``Issue.reported_at`` and ``Issue.organisation``, every other word one of ``Issue.fields``. An empty name
            leaves it to the tracker which field that is (``organisation`` only).
    """

    name: str
    url: str
    token: SecretStr
    user: str = ""
    timeout: tuple[float, float] = (10.0, 60.0)
    requests_per_second: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """Attributes: key: project key (Jira) or full path (GitLab). id: the tracker's own id."""

    key: str
    id: str
    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The words a project uses, for checking a site's vocabulary before it is needed."""

    statuses: tuple[Word, ...] = ()
    priorities: tuple[Word, ...] = ()
    types: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a tracker can do; the plan leaves out or rewrites what it cannot.

    Attributes:
        server: what answered, in words ("Jira Cloud", "Jira Data Center 9.12", "GitLab 17.3 (GraphQL)").
        web_links: an issue can carry links to addresses outside the tracker.
        priorities: there is a priority field (else priority is a label).
        internal_comments: a comment can be hidden from the customer, at least in some kind of project.
        lag: so long may pass until a change is found by a search.
    """

    server: str
    web_links: bool
    priorities: bool
    internal_comments: bool
    lag: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An issue that could not be made sense of. Attributes: key: as far as known. reason: in plain words."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check of the connection found. Attributes: ok: nothing to do. advice: what to do if not ok."""

    subject: str
    ok: bool
    detail: str
    advice: str = ""


NOTHING_KNOWN: Mapping[str, datetime] = {}

# --------------------------------------------------------------------------------------------------------------- port


class TrackerReader(Protocol):
    """Everything that is read. Attributes: requests: requests sent so far, by kind ("GET search/jql" ...)."""

    name: str
    requests: Counter[str]

    def capabilities(self) -> Capabilities: ...

    def own_account(self) -> Actor:
        """The account that reads and writes. Raises CredentialsRefused where nobody is logged in."""
        ...

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        """What would fail later, found now: log-in, each project, the rights to edit, comment, link and create.

        Args:
            projects: their keys; where projects stand in groups, also groups, as ``acme/*``.
        """
        ...

    def projects(self) -> tuple[Project, ...]: ...

    def words(self, project: str) -> Words: ...

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        """Issues of the project updated at or after ``since`` (all for None), each with its whole history.

        Args:
            known: id -> ``updated_at`` of issues as the caller holds them, each read a while after that update, so that
                another one would be later. One that was not updated since may be left out, where that saves a request.
        """
        ...

    def ids(self, project: str) -> Iterator[str]:
        """The ids (``IssueRef.id``) of all issues of the project that this account may see, and nothing else of them."""
        ...

    def issue(self, key: str) -> Issue:
        """One issue with its whole history. Raises NotFound."""
        ...

    def releases(self, project: str) -> tuple[Release, ...]:
        """All versions or releases of the project, published or not, with the issues whose fix they carry."""
        ...

    def close(self) -> None: ...


class TrackerWriter(Protocol):
    """Everything that is written. Attributes: requests: as the reader's."""

    name: str
    requests: Counter[str]

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        """Carry out the changes of issues as they were read, in as few requests as the tracker allows.

        Receipts hold the prior values. What ended in an unknown outcome is looked up by its mark before it is tried
        again, so that nothing stands twice. What fails on one issue stops no other.

        Yields:
            One answer for each piece of work, in order, as soon as it is known; nothing more is sent before the caller
            asks for the next. TrackerError is told in it and not raised.
        """
        ...

    def close(self) -> None: ...


# ------------------------------------------------------------------------------------------------------------- errors


class TrackerError(Exception):
    """A tracker said no, or nothing. ``str()`` is one line a person can act on, free of secrets.

    Attributes:
        tracker: the site's name of the tracker.
        doing: what was being done ("read project CAR").
        advice: what to do about it.
    """

    advice = ""

    def __init__(self, detail: str, *, tracker: str = "", doing: str = "", advice: str = "") -> None:
        self.detail = detail
        self.tracker = tracker
        self.doing = doing
        if advice:
            self.advice = advice
        where = f"{tracker}: " if tracker else ""
        while_ = f" while trying to {doing}" if doing else ""
        then = f". {self.advice}" if self.advice else ""
        super().__init__(f"{where}{detail}{while_}{then}")


class CredentialsRefused(TrackerError):
    """401, or an anonymous session where a log-in was expected."""

    advice = "Check that the token is right, has not expired, and belongs to the account named in the site file"


class PermissionRefused(TrackerError):
    """403: logged in, but not allowed."""

    advice = "Give the account the missing permission, or take the project off the site file"


class NotFound(TrackerError):
    """404: it is not there, or this account may not see it."""

    advice = "Check the spelling, and that the account may browse it"


class Rejected(TrackerError):
    """400, 409, 413, 422: the tracker refuses the request as such."""


class UnknownField(TrackerError):
    """The site names a custom field that the tracker does not have, or has several of."""

    advice = "Name each field in the site file by its id; warranty doctor tells of each one"


class RateLimited(TrackerError):
    """429.

    Attributes:
        retry_after: seconds the tracker asks to wait, None if it did not say.
        quota: what is used up is an allowance of an hour or a day; no short wait brings it back.
    """

    def __init__(
        self,
        detail: str,
        *,
        retry_after: float | None = None,
        quota: bool = False,
        tracker: str = "",
        doing: str = "",
    ) -> None:
        self.retry_after = retry_after
        self.quota = quota
        super().__init__(detail, tracker=tracker, doing=doing, advice="Wait, or lower the site's request rate")


class ServerFailed(TrackerError):
    """5xx. Attributes: retry_after: as for RateLimited."""

    def __init__(self, detail: str, *, retry_after: float | None = None, tracker: str = "", doing: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(detail, tracker=tracker, doing=doing, advice="Try again later; the next run goes on from here")


class Unreachable(TrackerError):
    """No connection was made: nothing was sent."""

    advice = "Check the address in the site file, the network, and that the server is up"


class OutcomeUnknown(TrackerError):
    """The request was sent and no answer came: it may or may not have been carried out."""

    advice = "The next run looks at the tracker first and finishes what is missing"


class AnswerLate(OutcomeUnknown):
    """No answer came within the time limit: the request may still be carried out, so looking now tells nothing."""


class BadAnswer(TrackerError):
    """An answer that is not what the API promises: a log-in page, truncated JSON, a missing member."""

    advice = "Check that the address is the API's and that no proxy answers in its place"
