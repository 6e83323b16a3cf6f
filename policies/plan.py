"""A plan: what would be written, what is held back and why. A value: it prints itself, guards itself, has a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from policies.changes import Change
from policies.issue import IssueRef


class HeldBackReason(StrEnum):
    UNDONE_BY_HAND = "undone_by_hand"
    NOT_SUPPORTED = "not_supported"
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """Attributes: issue: None for a report that does not exist yet. because: the action and verdict behind it."""

    tracker: str
    issue: IssueRef | None
    change: Change
    because: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A change the policy wants and a person's hand, the tracker or a guard stands against."""

    tracker: str
    issue: IssueRef | None
    change: Change
    reason: HeldBackReason
    detail: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An issue that was not judged, with the reason in words a person understands and what would mend it."""

    tracker: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Over any of these nothing at all is written.

    Attributes:
        changes_per_run, changes_per_issue: counts.
        share_of_issues: share of the issues read that a run may touch, 0 to 1; applies from ``share_from`` issues on.
    """

    changes_per_run: int = 500
    changes_per_issue: int = 12
    share_of_issues: float = 1.0
    share_from: int = 20


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan goes over."""

    limit: str
    allowed: float
    found: float
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Attributes: judged: how many issues were judged. breaches: limits it goes over; then it must not be applied."""

    changes: tuple[PlannedChange, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    judged: int = 0
    breaches: tuple[Breach, ...] = ()

    @property
    def digest(self) -> str:
        """Sixteen hex digits over the changes; elapsed times and reasons are not part of it."""
        lines = sorted(
            json.dumps([c.tracker, c.issue.id if c.issue else None, asdict(c.change)], default=str, sort_keys=True)
            for c in self.changes
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
