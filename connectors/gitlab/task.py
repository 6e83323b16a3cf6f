"""One piece of work on its way: what of it can be sent together, and what became of each change.

Rules:

1. Labels, due date and assignee are one part: they are one request. Every other change is a part of its own.
2. What stands after a link is sent after it is known to be there; the labels that prove one that failed are not sent.
   Of labels that stand after an assignment that failed, the one that says so is left out, and the others are sent.
3. One refused change keeps no other from being done. Where GitLab did not answer, nothing more of the work is sent.
4. A receipt holds what stood there before, as the issue was read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from connectors.tracker import (
    BadAnswer,
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    ServerFailed,
    TrackerError,
    Unreachable,
)
from connectors.work import Worked, one_line
from policies.changes import Relabel, SetAssignee, SetDueDate, UpsertLink
from policies.receipt import Outcome, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectors.work import Work
    from policies.changes import Change
    from policies.issue import Issue, IssueRef

_NO_ANSWER = (BadAnswer, CredentialsRefused, OutcomeUnknown, RateLimited, ServerFailed, Unreachable)
_FIELDS = (Relabel, SetDueDate, SetAssignee)


@dataclass(frozen=True, slots=True)
class Part:
    """Attributes: places: of the changes in their work. changes: all of fields, each kind once; or one of another."""

    places: tuple[int, ...]
    changes: tuple[Change, ...]

    @property
    def of_fields(self) -> bool:
        return isinstance(self.changes[0], _FIELDS)

    def each(self) -> list[Part]:
        return [Part((place,), (change,)) for place, change in zip(self.places, self.changes, strict=True)]


class Task:
    """Attributes: work, issue: as given. failure: the first, None while there is none."""

    def __init__(self, work: Work, now: datetime) -> None:
        self.work = work
        self.issue = work.issue
        self.failure: TrackerError | None = None
        self._now = now
        self._over = False
        self._unproven: set[str] = set()
        self._unassigned: dict[str, str] = {}
        self._receipts: dict[int, Receipt] = {}

    def parts(self) -> list[Part]:
        """What can be sent now, none of it proving another; [] once nothing is left."""
        found: list[Part] = []
        if self._over or len(self._receipts) == len(self.work.changes):
            return found
        for place, change in enumerate(self.work.changes):
            if place in self._receipts or (isinstance(change, Relabel) and self._unproven.intersection(change.add)):
                continue
            fields = next((part for part in found if part.of_fields), None)
            if not isinstance(change, _FIELDS) or fields is None:
                found.append(Part((place,), (change,)))
            elif not any(type(other) is type(change) for other in fields.changes):
                grown = Part((*fields.places, place), (*fields.changes, change))
                found[found.index(fields)] = grown
            else:
                # The second of a kind is for the next request.
                break
            if isinstance(change, UpsertLink):
                break
        return found

    @property
    def over(self) -> bool:
        """Nothing more of it is to be sent."""
        return self._over

    def done(
        self,
        part: Part,
        prior: Mapping[str, Any] | None = None,
        *,
        made: str = "",
        outcome: Outcome = Outcome.PERFORMED,
        at: IssueRef | None = None,
    ) -> None:
        """It is so. Args: prior: where the issue as read does not tell it. at: where no issue was given."""
        for place, change in zip(part.places, part.changes, strict=True):
            before = prior if prior is not None else _stood(self.issue, change)
            ref = at or (self.issue.ref if self.issue else None)
            told = self._left_out(change) if self._unassigned else ""
            self._receipts[place] = Receipt(
                issue=ref,
                change=change,
                outcome=Outcome.FAILED if told else outcome,
                at=self._now,
                prior=_json(before),
                made=made,
                error=told,
            )

    def wanted(self, change: Relabel) -> Relabel:
        """The labels without those that say of an assignment that it was made, though it failed."""
        if self._unassigned.keys().isdisjoint(change.add):
            return change
        return replace(change, add=tuple(label for label in change.add if label not in self._unassigned))

    def _left_out(self, change: Change) -> str:
        labels = change.add if isinstance(change, Relabel) else ()
        whys = (
            f"all but the label {label}, which proves an assignment that could not be made: {self._unassigned[label]}"
            for label in labels
            if label in self._unassigned
        )
        return next(whys, "")

    def failed(self, part: Part, why: TrackerError) -> None:
        self.failure = self.failure or why
        self._over = self._over or isinstance(why, _NO_ANSWER)
        self._unproven.update(change.proof for change in part.changes if isinstance(change, UpsertLink))
        for change in part.changes:
            if isinstance(change, SetAssignee) and change.proof:
                self._unassigned[change.proof] = one_line(why)
        for place, change in zip(part.places, part.changes, strict=True):
            self._receipts[place] = self._receipt(change, Outcome.FAILED, one_line(why))

    def worked(self, *, next_known: bool) -> Worked:
        """What became of it in the end. Args: next_known: as ``Worked``'s."""
        rest = f"an earlier change of this issue failed: {one_line(self.failure)}" if self.failure else ""
        receipts = (
            self._receipts.get(place) or self._receipt(change, Outcome.NOT_TRIED, rest)
            for place, change in enumerate(self.work.changes)
        )
        return Worked(tuple(receipts), self.failure, next_known)

    def _receipt(self, change: Change, outcome: Outcome, error: str) -> Receipt:
        ref = self.issue.ref if self.issue else None
        return Receipt(issue=ref, change=change, outcome=outcome, at=self._now, error=error)


def _stood(issue: Issue | None, change: Change) -> dict[str, Any]:
    assert issue is not None
    match change:
        case Relabel():
            return {"labels": sorted(issue.labels)}
        case SetDueDate():
            return {"due": issue.due.isoformat() if issue.due else None}
        case SetAssignee():
            return {"assignee": issue.assignee.id if issue.assignee else None}
        case UpsertLink():
            return {"link": None}
        case _:
            return {}


# Made once: for other than its plain words, `json.dumps` makes one for every text.
_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
