"""An issue's past as a row of moments: what held from one instant to the next.

Rules:

1. The creation value of a field is what its first change says stood before, else the present value.
2. Changes of one instant make one moment; what held for no time at all is not kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from policies.issue import (
    AssigneeChanged,
    CategoryChanged,
    ComponentsChanged,
    CoverageChanged,
    LabelsChanged,
    PriorityChanged,
    SeverityChanged,
    StateChanged,
    TierChanged,
    TypeChanged,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policies.coverage import Decision
    from policies.issue import Event, Issue, State, Word


_FIELD_CHANGES = (
    StateChanged,
    SeverityChanged,
    CategoryChanged,
    CoverageChanged,
    PriorityChanged,
    TypeChanged,
    AssigneeChanged,
    TierChanged,
)
_TELLING = {
    "state_changed": "state",
    "severity_changed": "severity",
    "category_changed": "category",
    "coverage_changed": "coverage",
    "labels_changed": "labels",
    "components_changed": "components",
    "priority_changed": "priority",
    "type_changed": "type",
    "assignee_changed": "assignee",
    "tier_changed": "tier",
}
"""Kinds of event that make a moment, and the field each is about."""


class Moment(NamedTuple):
    """What was true of an issue from ``since`` on, until the next moment.

    A tuple, for an issue has dozens of them and a frozen dataclass takes three times as long to build.

    Attributes:
        tier: the support tier that had the issue, as the assignee's was when it was given; None for no tier.
        contract_tier: the level of support agreed in the contract that claims the report; None for no contract, or one
            that names no level. One for all moments: a contract is found by the report, whatever is relabelled later.
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
    coverage: Decision | None = None
    tier: str | None = None
    contract_tier: str | None = None
    evidence: tuple[str, ...] = ()


def moments(issue: Issue) -> tuple[Moment, ...]:
    """The moments of an issue, oldest first; the first begins at its opening. Never empty."""
    telling = [event for event in issue.events if event.kind in _TELLING]
    held = _at_opening(issue, telling)
    row = [Moment._make(held)]
    for event in telling:
        _step(held, event)
        since = event.at
        evidence: tuple[str, ...] = (event.id,)
        last = row[-1]
        if since <= last.since:
            since = last.since
            evidence = (*last.evidence, event.id) if len(row) > 1 else ()
            row.pop()
        held[_SINCE], held[_EVIDENCE] = since, evidence
        row.append(Moment._make(held))
    return tuple(row)


def labels_at_opening(issue: Issue) -> frozenset[str]:
    """The labels an issue was opened with: its present ones with every change taken back."""
    labels = set(issue.labels)
    for event in reversed(issue.events):
        if isinstance(event, LabelsChanged):
            labels.difference_update(event.added)
            labels.update(event.removed)
    return frozenset(labels)


def components_at_opening(issue: Issue) -> tuple[str, ...]:
    """The components an issue was opened with: its present ones with every change taken back."""
    components = issue.components
    for event in reversed(issue.events):
        if isinstance(event, ComponentsChanged):
            components = recomposed(components, added=event.removed, removed=event.added)
    return components


def recomposed(components: tuple[str, ...], *, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
    """The components after a change, by name: their order is told nowhere."""
    return tuple(sorted({*components}.difference(removed).union(added)))


_PLACE = {kind: Moment._fields.index(name) for kind, name in _TELLING.items()}
_LABELS, _COMPONENTS = _PLACE["labels_changed"], _PLACE["components_changed"]
_SINCE, _EVIDENCE = Moment._fields.index("since"), Moment._fields.index("evidence")


def _at_opening(issue: Issue, telling: Sequence[Event]) -> list[Any]:
    """The members of the first moment: the present values with every change taken back."""
    assignee, coverage = issue.assignee, issue.coverage
    held: list[Any] = [
        *Moment(
            since=issue.opened_at,
            state=issue.state,
            severity=issue.severity,
            category=issue.category,
            labels=issue.labels,
            priority=issue.priority,
            type=issue.type,
            assignee=assignee.id if assignee else None,
            reporter=issue.reporter.id,
            components=issue.components,
            coverage=coverage.decision if coverage else None,
            tier=assignee.tier if assignee else None,
            contract_tier=(coverage.tier or None) if coverage else None,
        )
    ]
    for event in reversed(telling):
        if isinstance(event, LabelsChanged):
            held[_LABELS] = held[_LABELS].difference(event.added).union(event.removed)
        elif isinstance(event, ComponentsChanged):
            held[_COMPONENTS] = recomposed(held[_COMPONENTS], added=event.removed, removed=event.added)
        else:
            assert isinstance(event, _FIELD_CHANGES)
            held[_PLACE[event.kind]] = event.before
    return held


def _step(held: list[Any], event: Event) -> None:
    """Take an event into what holds."""
    if isinstance(event, LabelsChanged):
        held[_LABELS] = held[_LABELS].difference(event.removed).union(event.added)
    elif isinstance(event, ComponentsChanged):
        held[_COMPONENTS] = recomposed(held[_COMPONENTS], added=event.added, removed=event.removed)
    else:
        assert isinstance(event, _FIELD_CHANGES)
        held[_PLACE[event.kind]] = event.after


def spells(row: Sequence[Moment], wanted: Sequence[bool]) -> tuple[tuple[Moment, Moment | None], ...]:
    """Stretches of consecutive moments for which ``wanted`` is true: (first moment in, first moment out or None)."""
    if True not in wanted:
        return ()
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
