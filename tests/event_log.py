"""A log of what happened to issues, in words of no tracker, and the facts that follow from it with no tracker at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from policies.issue import (
    Actor,
    AssigneeChanged,
    Commented,
    DueDateChanged,
    Event,
    FixVersionsChanged,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    PriorityChanged,
    State,
    StatusChanged,
    TypeChanged,
    Word,
)

CUSTOMER, COLLEAGUE, FIRST, SECOND, THIRD, ROBOT, STRANGER = "carla", "cole", "lena", "otto", "kim", "robo", "gus"
OWN = "warranty"
PEOPLE = (CUSTOMER, COLLEAGUE, FIRST, SECOND, THIRD, ROBOT, STRANGER, OWN)
SEVERITIES, CATEGORIES = ("urgent", "high", "normal"), ("defect", "functional", "performance", "security", "upgrade")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Says(_Step):
    text: str = "A word"
    internal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Becomes(_Step):
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighs(_Step):
    severity: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorts(_Step):
    category: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels(_Step):
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gives(_Step):
    to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates(_Step):
    due: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans(_Step):
    """The fix is to come in these versions; () for none: fix versions, or a milestone."""

    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merges(_Step):
    """The fix is in, and the issue closed by it: a status and a fix version, or a merge request that closes it."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hides(_Step):
    """The issue is made confidential: a security level, or the flag."""


Step = Says | Becomes | Weighs | Sorts | Labels | Gives | Dates | Plans | Merges | Hides


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What happened to one issue, oldest first. Attributes: title: names the log, and the issue in each tracker."""

    title: str
    at: datetime
    steps: tuple[Step, ...] = ()
    reporter: str = CUSTOMER
    severity: str | None = "normal"
    category: str | None = "defect"
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    due: date | None = None
    confidential: bool = False

    def instants(self) -> tuple[datetime, ...]:
        return tuple(dict.fromkeys((self.at, *(step.at for step in self.steps))))

    def merged(self) -> frozenset[str]:
        """Versions of fixes that were merged: whether an issue names them itself, trackers differ in."""
        return frozenset(step.version for step in self.steps if isinstance(step, Merges))


@dataclass(frozen=True, slots=True)
class Volume:
    """Logs of one project.

    Attributes:
        releases: by name, when each was published, None while it is not.
        deleted: labels that were deleted from the project in the end, where labels are things of their own.
        by_resolution: where there are resolutions, an issue is given up by one, and not by a status of its own.
    """

    logs: tuple[Log, ...]
    releases: Mapping[str, datetime | None] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    by_resolution: bool = False

    def log(self, title: str) -> Log:
        return next(log for log in self.logs if log.title == title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one kind of tracker can not tell by its nature.

    Attributes:
        kind: of the tracker.
        why: in words.
        happened: what is written into every tracker.
        told: what that kind has of it; all others have ``happened``.
    """

    kind: str
    why: str
    happened: Volume
    told: Volume


def as_it_happened(log: Log) -> Issue:
    """The facts of a log, made of it directly: what every reader has to come to."""
    events: list[Event] = [Opened(id="opened", at=log.at, actor=Actor(id=log.reporter))]
    state, severity, category = State.OPEN, log.severity, log.category
    assignee, due, confidential = log.assignee, log.due, log.confidential
    labels, versions = set(log.labels), set[str]()
    for number, step in enumerate(log.steps):
        named: Any = {"id": f"{number:04d}", "at": step.at, "actor": Actor(id=step.by)}
        match step:
            case Says():
                events.append(Commented(**named, comment=named["id"], public=not step.internal, text=step.text))
            case Becomes() | Merges():
                after = step.state if isinstance(step, Becomes) else State.CLOSED
                events.append(StatusChanged(**named, before=Word("", state), after=Word("", after)))
                state = after
                if isinstance(step, Merges):
                    versions.add(step.version)
            case Weighs():
                before, after_ = (Word("", each) if each else None for each in (severity, step.severity))
                events.append(PriorityChanged(**named, before=before, after=after_))
                severity = step.severity
            case Sorts():
                events.append(TypeChanged(**named, before=_type(category), after=_type(step.category)))
                category = step.category
            case Labels():
                events.append(LabelsChanged(**named, added=step.add, removed=step.remove))
                labels = labels - set(step.remove) | set(step.add)
            case Gives():
                events.append(AssigneeChanged(**named, before=assignee, after=step.to))
                assignee = step.to
            case Dates():
                events.append(DueDateChanged(**named, before=due, after=step.due))
                due = step.due
            case Plans():
                added, removed = set(step.versions) - versions, versions - set(step.versions)
                events.append(FixVersionsChanged(**named, added=tuple(added), removed=tuple(removed)))
                versions = set(step.versions)
            case Hides():
                confidential = True
    return Issue(
        ref=IssueRef("", "", log.title, log.title),
        title=log.title,
        type=_type(category),
        status=Word("", state),
        reporter=Actor(id=log.reporter),
        opened_at=log.at,
        updated_at=max(log.instants()),
        priority=Word("", severity) if severity else None,
        labels=frozenset(labels),
        assignee=Actor(id=assignee) if assignee else None,
        due=due,
        fix_versions=tuple(versions),
        confidential=confidential,
        events=tuple(events),
    )


def _type(category: str | None) -> Word:
    return Word("", category or "task")


def midnight(at: datetime) -> datetime:
    """The start of its day in UTC."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)
