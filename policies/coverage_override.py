"""What people's labels say of the coverage, and since when.

Rules:

1. A label ``<prefix>::coverage::<decision>`` put on by a person decides; of several that stand, the one put on last.
2. A person is neither our own account, nor a bot, nor the customer; who reports an issue is one only as a responder.
3. A label whose author the history does not name decides nothing: it may be ours.
4. A label that is gone without an event (deleted or renamed in the tracker) never spoke.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from policies.coverage import Decision
from policies.history import labels_at_opening
from policies.issue import GapKind, LabelsChanged, Opened, Role

if TYPE_CHECKING:
    from policies.issue import Actor, Issue

SCOPE = "coverage"
_PEOPLE = frozenset({Role.RESPONDER, Role.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Override:
    """From ``at`` on a person's label decides.

    Attributes:
        decision: None where the last such label came off.
        actor: the person.
        evidence: id of the event that put the label on, or took the last one off.
        event: id of the event at ``at``.
    """

    at: datetime
    decision: Decision | None
    actor: Actor
    evidence: str
    event: str

    @property
    def by(self) -> str:
        return self.actor.name or self.actor.id


def overrides(issue: Issue, prefix: str) -> tuple[Override, ...]:
    """Each instant at which it changed what people's labels say of the coverage, oldest first."""
    scope = f"{prefix}::{SCOPE}::"
    if not any(label.startswith(scope) for label in _ever(issue)):
        return ()
    found, standing = _walked(issue, scope, frozenset())
    gone = standing - issue.labels
    return _walked(issue, scope, gone)[0] if gone else found


def _ever(issue: Issue) -> Iterator[str]:
    yield from issue.labels
    for event in issue.events:
        if isinstance(event, LabelsChanged):
            yield from (*event.added, *event.removed)


def _walked(issue: Issue, scope: str, gone: frozenset[str]) -> tuple[tuple[Override, ...], frozenset[str]]:
    """The overrides, and the labels of people that stand by the history; ``gone`` labels are passed over."""
    standing: dict[str, Override] = {}
    found: list[Override] = []
    opened = next((event for event in issue.events if isinstance(event, Opened)), None)
    if opened is not None and all(gap.kind is GapKind.LINKS for gap in issue.gaps) and _person(opened.actor):
        for label in sorted(labels_at_opening(issue) - gone):
            if (decision := _decision(label, scope)) is not None:
                standing[label] = Override(opened.at, decision, opened.actor, opened.id, opened.id)
        found += list(standing.values())[-1:]
    for event in issue.events:
        if not isinstance(event, LabelsChanged):
            continue
        before = _last(standing)
        for label in (*event.removed, *event.added):
            standing.pop(label, None)
        for label in event.added:
            decision = _decision(label, scope)
            if decision is not None and label not in gone and _person(event.actor):
                standing[label] = Override(event.at, decision, event.actor, event.id, event.id)
        after = _last(standing)
        if after is None and before is not None:
            found.append(Override(event.at, None, event.actor, event.id, event.id))
        elif after is not None and after != before:
            # One that stood beneath speaks again when the one above it comes off: from now on, on its own evidence.
            found.append(replace(after, at=event.at, event=event.id))
    return tuple(found), frozenset(standing)


def _last(standing: Mapping[str, Override]) -> Override | None:
    return next(reversed(list(standing.values())), None)


def _decision(label: str, scope: str) -> Decision | None:
    word = label.removeprefix(scope)
    return Decision(word) if label.startswith(scope) and word in set(Decision) else None


def _person(actor: Actor) -> bool:
    return bool(actor.id) and not actor.bot and not actor.customer and actor.role in _PEOPLE
