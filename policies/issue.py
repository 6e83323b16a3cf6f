"""The facts: what a tracker knows of an issue, as plain values.

Rules:

1. Every instant is aware and held in UTC; a naive datetime is refused where the value is built.
2. Facts are the tracker's own: its words for status, priority and type are kept as ``Word``. What we make of them
   (canonical state, severity, category, role, released fix, coverage) is added by ``vocabulary``, ``roster``, ``patch``
   and ``warranty``, each of which returns a new ``Issue``.
3. Events stand in one total order (``event_order``). Equal ids are one event.
   A value that is built settles its own order and instants; one that is only ``revised`` has them settled already.
4. What is missing is named in ``gaps``; it is never filled in by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal

from policies.coverage import Coverage, Decision
from policies.event_order import in_order, put_in
from policies.issue_link import IssueLink
from policies.native_sla import NativeSla
from policies.revised import revised


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: the datetime is naive.
    """
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"naive datetime {instant.isoformat()!r}: an instant needs its offset")
    return instant.astimezone(UTC)


class Role(StrEnum):
    """What a person is to the warranty. ``own`` is the account these flows write with."""

    CUSTOMER = "customer"
    RESPONDER = "responder"
    BOT = "bot"
    OWN = "own"
    UNKNOWN = "unknown"


class State(StrEnum):
    """Where an issue stands, in words every tracker's statuses are mapped to."""

    OPEN = "open"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    WAITING_FOR_THIRD_PARTY = "waiting_for_third_party"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Word:
    """A tracker's own word for a status, priority or type.

    Attributes:
        id: the tracker's identifier, stable across languages ("" where it has none).
        name: as shown to people, in any language.
        group: the tracker's coarser class, where it has one (Jira: status category key ``new|indeterminate|done``).
    """

    id: str
    name: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. A deleted or hidden user has an empty id.

    Attributes:
        id: account id (Jira Cloud), user key or name (Data Center), username (GitLab).
        bot: the tracker itself says that this is an app, a bot or a service account.
        customer: the tracker itself says that this is a portal customer or an external reporter.
        role: what the roster makes of the person at the instant of the event.
        tier: the support tier (``L1`` ...) the roster places the person in.
    """

    id: str
    name: str = ""
    bot: bool = False
    customer: bool = False
    active: bool = True
    role: Role = Role.UNKNOWN
    tier: str | None = None


NOBODY = Actor(id="")
"""Stands where a tracker no longer says who it was."""


@dataclass(frozen=True, slots=True)
class IssueRef:
    """Names an issue for good.

    Attributes:
        tracker: the site's name of the tracker.
        project: project key (Jira) or full path (GitLab).
        key: what people type: ``CAR-12``, ``acme/car#12``.
        id: the tracker's own id; survives a move between projects.
        url: where a person opens it.
    """

    tracker: str
    project: str
    key: str
    id: str
    url: str = ""


# ------------------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    id: str
    at: datetime
    actor: Actor = NOBODY

    def __post_init__(self) -> None:
        if self.at.tzinfo is not UTC:
            object.__setattr__(self, "at", utc(self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(_Event):
    kind: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented(_Event):
    """A comment, once, at the instant it was first written.

    Attributes:
        comment: the tracker's id of the comment.
        public: the reporter can read it.
        text: its words as plain text (line breaks kept).
        edited_at: last edit, if any.
    """

    comment: str
    public: bool
    text: str = ""
    edited_at: datetime | None = None
    kind: Literal["commented"] = "commented"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(_Event):
    before: Word | None
    after: Word
    kind: Literal["status_changed"] = "status_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsChanged(_Event):
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kind: Literal["labels_changed"] = "labels_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityChanged(_Event):
    before: Word | None
    after: Word | None
    kind: Literal["priority_changed"] = "priority_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChanged(_Event):
    before: Word | None
    after: Word | None
    kind: Literal["type_changed"] = "type_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssigneeChanged(_Event):
    """Attributes: before, after: account ids, None for nobody."""

    before: str | None
    after: str | None
    kind: Literal["assignee_changed"] = "assignee_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChanged(_Event):
    """Derived by the roster: the assignee became somebody of another tier. Attributes: before, after: None for no tier."""

    before: str | None
    after: str | None
    kind: Literal["tier_changed"] = "tier_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDateChanged(_Event):
    before: date | None
    after: date | None
    kind: Literal["due_date_changed"] = "due_date_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixVersionsChanged(_Event):
    """Attributes: added, removed: version names (Jira fix versions, GitLab milestones)."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kind: Literal["fix_versions_changed"] = "fix_versions_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsChanged(_Event):
    """Attributes: added, removed: component names."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kind: Literal["components_changed"] = "components_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(_Event):
    """The issue changed its project. Attributes: before, after: keys."""

    before: str
    after: str
    kind: Literal["moved"] = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(_Event):
    """Derived by the vocabulary from status and label events: the canonical state became another."""

    before: State | None
    after: State
    word: str = ""
    kind: Literal["state_changed"] = "state_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityChanged(_Event):
    """Derived by the vocabulary from priority and label events. Attributes: before, after: words of the pack."""

    before: str | None
    after: str | None
    kind: Literal["severity_changed"] = "severity_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryChanged(_Event):
    """Derived by the vocabulary from type and label events. Attributes: before, after: words of the pack."""

    before: str | None
    after: str | None
    kind: Literal["category_changed"] = "category_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageChanged(_Event):
    """Derived by ``warranty`` from labels of people: the coverage decision became another."""

    before: Decision
    after: Decision
    kind: Literal["coverage_changed"] = "coverage_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixReleased(_Event):
    """Derived by ``patch``: a published release carries the fix from this instant on."""

    release: str
    url: str = ""
    evidence: str = ""
    kind: Literal["fix_released"] = "fix_released"


Event = (
    Opened
    | Commented
    | StatusChanged
    | LabelsChanged
    | PriorityChanged
    | TypeChanged
    | AssigneeChanged
    | DueDateChanged
    | FixVersionsChanged
    | ComponentsChanged
    | Moved
    | StateChanged
    | SeverityChanged
    | CategoryChanged
    | CoverageChanged
    | TierChanged
    | FixReleased
)


# -------------------------------------------------------------------------------------------------------------- issue


class GapKind(StrEnum):
    HISTORY = "history"
    COMMENTS = "comments"
    CREATION = "creation"
    REPORT = "report"
    LINKS = "links"


@dataclass(frozen=True, slots=True)
class Gap:
    """A piece of the issue's history that the tracker did not give.

    Attributes:
        detail: what is missing, in words a person understands ("history entries not delivered: 2"). It holds nothing
            that our own writes change, such as a total: it is repeated in the comment, which would be edited for ever.
    """

    kind: GapKind
    detail: str


@dataclass(frozen=True, slots=True)
class Release:
    """A version of the product as its tracker knows it.

    Attributes:
        published_at: when customers could have it; None while it is not published.
        carries: issue keys whose fix it holds, with the evidence for each (a merge request's URL or reference).
    """

    tracker: str
    project: str
    name: str
    url: str = ""
    published_at: datetime | None = None
    carries: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.published_at is not None:
            object.__setattr__(self, "published_at", utc(self.published_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue with its whole history, as read at one moment.

    Attributes:
        events: everything that happened, in order (see ``event_order``); starts with ``Opened`` unless a gap says why not.
        status, labels, priority, type, assignee, due, components, fix_versions: the present values.
        reported_at: when it was reported, where a field says so and that is not the opening (a call precedes the ticket).
        organisation: the customer's organisation, where the tracker names one.
        fields: custom fields as (the site's word, text).
        versions: versions of the product it is about ("affects versions").
        links: to other issues, in order of their ids.
        patches: addresses of the changes of code (merge requests) that close it, as the tracker itself says, in order.
        confidential: the tracker hides it from the public; nothing of it may be repeated elsewhere.
        native_slas: what the tracker's own clocks say, for comparison only: no verdict rests on it.
        state, severity, category: the present values in the pack's words; set by the vocabulary.
        coverage: what the warranty says of it; set by ``warranty``, None where the site has no register.
        unmapped: tracker words the vocabulary has no entry for.
        gaps: what of the history is missing.
    """

    ref: IssueRef
    title: str
    description: str = ""
    type: Word
    status: Word
    reporter: Actor
    opened_at: datetime
    updated_at: datetime
    priority: Word | None = None
    labels: frozenset[str] = frozenset()
    assignee: Actor | None = None
    due: date | None = None
    components: tuple[str, ...] = ()
    fix_versions: tuple[str, ...] = ()
    resolution: str = ""
    reported_at: datetime | None = None
    organisation: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    versions: tuple[str, ...] = ()
    links: tuple[IssueLink, ...] = ()
    patches: tuple[str, ...] = ()
    confidential: bool = False
    native_slas: tuple[NativeSla, ...] = ()
    events: tuple[Event, ...] = ()
    gaps: tuple[Gap, ...] = ()
    state: State | None = None
    severity: str | None = None
    category: str | None = None
    coverage: Coverage | None = None
    unmapped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "opened_at", utc(self.opened_at))
        object.__setattr__(self, "updated_at", utc(self.updated_at))
        if self.reported_at is not None:
            object.__setattr__(self, "reported_at", utc(self.reported_at))
        object.__setattr__(self, "events", in_order(self.events))

    def comments(self) -> tuple[Commented, ...]:
        return tuple(event for event in self.events if isinstance(event, Commented))

    def with_events(self, *more: Event) -> Issue:
        """The same issue with further (derived) events in their place."""
        return revised(self, events=put_in(self.events, more)) if more else self
