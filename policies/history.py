"""An issue's past as a row of moments: what held from one instant to the next.

Rules:

1. The creation value of a field is what its first change says stood before, else the present value.
2. Changes of one instant make one moment; what held for no time at all is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from policies.issue import (
    AssigneeChanged,
    CategoryChanged,
    LabelsChanged,
    PriorityChanged,
    SeverityChanged,
    StateChanged,
    TypeChanged,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policies.issue import Event, Issue, State, Word


_E = TypeVar("_E")


@dataclass(frozen=True, slots=True)
class Moment:
    """What was true of an issue from ``since`` on, until the next moment.

    Attributes:
        evidence: ids of the events that brought it about; empty for the moment of opening.
    """

    since: datetime
    state: State | None
    severity: str | None
    category: str | None
    labels: frozenset[str]
    priority: Word | None
    type: Word | None
    assignee: str | None
    reporter: str
    components: tuple[str, ...]
    evidence: tuple[str, ...] = ()


def moments(issue: Issue) -> tuple[Moment, ...]:
    """The moments of an issue, oldest first; the first begins at its opening. Never empty."""
    row = [_at_opening(issue)]
    for event in issue.events:
        following = _after(row[-1], event)
        if following is None:
            continue
        if following.since <= row[-1].since:
            row[-1] = replace(
                following, since=row[-1].since, evidence=(*row[-1].evidence, event.id) if len(row) > 1 else ()
            )
        else:
            row.append(following)
    return tuple(row)


def labels_at_opening(issue: Issue) -> frozenset[str]:
    """The labels an issue was opened with: its present ones with every change taken back."""
    labels = set(issue.labels)
    for event in reversed(issue.events):
        if isinstance(event, LabelsChanged):
            labels.difference_update(event.added)
            labels.update(event.removed)
    return frozenset(labels)


def _at_opening(issue: Issue) -> Moment:
    def first(kind: type[_E]) -> _E | None:
        return next((event for event in issue.events if isinstance(event, kind)), None)

    state, severity, category = first(StateChanged), first(SeverityChanged), first(CategoryChanged)
    priority, type_, assignee = first(PriorityChanged), first(TypeChanged), first(AssigneeChanged)
    present = issue.assignee.id if issue.assignee else None
    return Moment(
        since=issue.opened_at,
        state=state.before if state else issue.state,
        severity=severity.before if severity else issue.severity,
        category=category.before if category else issue.category,
        labels=labels_at_opening(issue),
        priority=priority.before if priority else issue.priority,
        type=type_.before if type_ else issue.type,
        assignee=assignee.before if assignee else present,
        reporter=issue.reporter.id,
        components=issue.components,
    )


def _after(moment: Moment, event: Event) -> Moment | None:
    following: Moment | None = None
    match event:
        case StateChanged():
            following = replace(moment, state=event.after)
        case SeverityChanged():
            following = replace(moment, severity=event.after)
        case CategoryChanged():
            following = replace(moment, category=event.after)
        case LabelsChanged():
            following = replace(moment, labels=moment.labels.difference(event.removed).union(event.added))
        case PriorityChanged():
            following = replace(moment, priority=event.after)
        case TypeChanged():
            following = replace(moment, type=event.after)
        case AssigneeChanged():
            following = replace(moment, assignee=event.after)
        case _:
            pass
    return replace(following, since=event.at, evidence=(event.id,)) if following else None


def spells(row: Sequence[Moment], wanted: Sequence[bool]) -> tuple[tuple[Moment, Moment | None], ...]:
    """Stretches of consecutive moments for which ``wanted`` is true: (first moment in, first moment out or None)."""
    found: list[tuple[Moment, Moment | None]] = []
    begun: Moment | None = None
    for moment, want in zip(row, wanted, strict=True):
        if want and begun is None:
            begun = moment
        elif not want and begun is not None:
            found.append((begun, moment))
            begun = None
    if begun is not None:
        found.append((begun, None))
    return tuple(found)
