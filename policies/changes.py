"""The closed set of tracker-neutral changes. Actions compile to these; each tracker's writer implements all of them.

Rules:

1. A change states the end, not the step: performing it twice is performing it once.
2. ``satisfied_by`` answers "is it already so?" from the issue as read, without the ledger.
3. Adding a class to ``Change`` makes the type checker name each writer that must learn it (``assert_never``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, assert_never

from policies.document import Document
from policies.issue import Commented, Opened, Role
from policies.issue_link import LinkKind

if TYPE_CHECKING:
    from policies.issue import Issue

_MARK = re.compile(r"warranty-flows:(?P<marker>[a-z][a-z0-9-]*):(?P<digest>[0-9a-f]{12})")

_LINKS = {"blocks": LinkKind.BLOCKS, "is blocked by": LinkKind.BLOCKED_BY}


@dataclass(frozen=True, slots=True)
class Mark:
    """What our own comments and reports carry, so that they are found again without a database."""

    marker: str
    digest: str

    def __str__(self) -> str:
        return f"warranty-flows:{self.marker}:{self.digest}"

    @classmethod
    def found_in(cls, text: str) -> Mark | None:
        """The last mark in a text, if there is one."""
        found = list(_MARK.finditer(text))
        return cls(found[-1]["marker"], found[-1]["digest"]) if found else None


@dataclass(frozen=True, slots=True)
class Relabel:
    """Labels to be there and labels to be gone; all others stay as they are."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    kind: Literal["relabel"] = "relabel"

    def __post_init__(self) -> None:
        if self.add and self.remove and (both := set(self.add) & set(self.remove)):
            raise ValueError(f"label both added and removed: {sorted(both)}")
        for name, labels in (("add", self.add), ("remove", self.remove)):
            if len(labels) > 1:
                object.__setattr__(self, name, tuple(sorted(set(labels))))

    def satisfied_by(self, issue: Issue) -> bool:
        return issue.labels.issuperset(self.add) and issue.labels.isdisjoint(self.remove)


@dataclass(frozen=True, slots=True)
class SetPriority:
    """Attributes: priority: the tracker's own word, by id or name."""

    priority: str
    kind: Literal["set_priority"] = "set_priority"

    def satisfied_by(self, issue: Issue) -> bool:
        return issue.priority is not None and self.priority in {issue.priority.id, issue.priority.name}


@dataclass(frozen=True, slots=True)
class SetDueDate:
    """Attributes: due: a plain date in the contract's zone; None clears it."""

    due: date | None
    kind: Literal["set_due_date"] = "set_due_date"

    def satisfied_by(self, issue: Issue) -> bool:
        return issue.due == self.due


@dataclass(frozen=True, slots=True)
class SetAssignee:
    """Attributes.

    account: the tracker's id of the person (Jira account id or name, GitLab username).
    proof: a label of the same plan that says that this was done, "" for none; where this fails, it is not to be written.
    """

    account: str
    proof: str = field(default="", compare=False)
    kind: Literal["set_assignee"] = "set_assignee"

    def satisfied_by(self, issue: Issue) -> bool:
        return issue.assignee is not None and issue.assignee.id == self.account


@dataclass(frozen=True, slots=True)
class UpsertComment:
    """One comment per marker, edited in place; ``internal`` keeps it from the customer where the tracker can."""

    marker: str
    document: Document
    internal: bool = False
    kind: Literal["upsert_comment"] = "upsert_comment"

    @property
    def mark(self) -> Mark:
        return Mark(self.marker, self.document.digest)

    def standing(self, issue: Issue) -> Commented | None:
        """Our comment with this marker, the oldest where there are several."""
        return standing_comment(issue, self.marker)

    def satisfied_by(self, issue: Issue) -> bool:
        # Also where it is not compared: the digest is kept, and whoever writes the comment later need not wait for it.
        mark, comment = self.mark, self.standing(issue)
        return comment is not None and Mark.found_in(comment.text) == mark


def standing_comment(issue: Issue, marker: str) -> Commented | None:
    """Our comment with a marker, the oldest where there are several."""
    for event in issue.events:
        if isinstance(event, Commented) and event.actor.role is Role.OWN:
            found = Mark.found_in(event.text)
            if found is not None and found.marker == marker:
                return event
    return None


@dataclass(frozen=True, slots=True)
class UpsertLink:
    """A link from the issue to something on the web, one per ``global_id``.

    A tracker does not show an issue's web links while reading it, so the label ``proof`` (written after the link, in
    the same plan) tells that the link is there.

    Attributes:
        global_id: names the link for good, at most 255 characters.
        relationship: how the target relates to the issue ("patch release"). Between two issues of one tracker "blocks"
            and "is blocked by" are more than words where the tracker has links of that kind.
        resolved: shown struck through / done where the tracker can.
    """

    global_id: str
    url: str
    title: str
    relationship: str
    proof: str
    resolved: bool = True
    kind: Literal["upsert_link"] = "upsert_link"

    @property
    def link_kind(self) -> LinkKind:
        """How the issue stands to the target, where that is an issue."""
        return _LINKS.get(self.relationship.casefold(), LinkKind.RELATES)

    def satisfied_by(self, issue: Issue) -> bool:
        return self.proof in issue.labels


@dataclass(frozen=True, slots=True)
class UpsertReport:
    """One report issue per marker in a project: found by ``label``, created when absent, edited in place."""

    project: str
    marker: str
    title: str
    document: Document
    label: str
    kind: Literal["upsert_report"] = "upsert_report"

    @property
    def mark(self) -> Mark:
        return Mark(self.marker, self.document.digest)

    def satisfied_by(self, issue: Issue) -> bool:
        return Mark.found_in(issue.description) == self.mark and issue.title == self.title


def is_report(issue: Issue, label: str) -> bool:
    """Whether it is a report of ours. The label alone proves nothing: anybody can put it on an issue."""
    return label in issue.labels and any(
        isinstance(event, Opened) and event.actor.role is Role.OWN for event in issue.events
    )


Change = Relabel | SetPriority | SetDueDate | SetAssignee | UpsertComment | UpsertLink | UpsertReport


def described(change: Change) -> tuple[str, ...]:
    """A change in plain words, a line for each thing that differs."""
    match change:
        case Relabel():
            return (*(f"add label {name}" for name in change.add), *(f"remove label {name}" for name in change.remove))
        case SetPriority():
            return (f"set priority {change.priority}",)
        case SetDueDate():
            return (f"set due date {change.due.isoformat()}" if change.due else "clear due date",)
        case SetAssignee():
            return (f"assign to {change.account}",)
        case UpsertComment():
            return (f"comment {change.mark}",)
        case UpsertLink():
            return (f"link {change.title}: {change.url}",)
        case UpsertReport():
            return (f"report {change.mark} in {change.project}",)
        case _:
            assert_never(change)
