"""Each change of an issue as its part of one edit: checked before anything is sent, with what stood there before.

Rules:

1. A label, a priority or a field that Jira would refuse is refused here, by what the project's screen says.
2. Labels are deltas; all else says the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, assert_never

from connectors.jira.comments import Comments, stood
from connectors.jira.done import Done
from connectors.jira.screens import Screens
from connectors.jira.server import JiraServer
from connectors.tracker import Rejected
from policies.changes import (
    Change,
    Mark,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.issue import Commented, Issue, Word
from policies.receipt import Outcome

_LONGEST_LABEL = 255
# What the generator of our edits is called in an issue's history, so that they are told from a person's.
_OURS = {"type": "warranty-flows", "generator": {"id": "warranty-flows", "type": "connector"}}


@dataclass(frozen=True, slots=True)
class Part:
    """Attributes.

    place: of the change among those of the issue.
    field: whose value it is; two parts of one field do not go into one edit, but for labels and comments.
    value: of a field that is set. steps: operations of a field that is updated.
    prior: what stood there before. standing: for a comment: the one to edit, None to add one.
    """

    place: int
    change: Change
    field: str
    prior: dict[str, Any]
    value: Any = None
    steps: tuple[dict[str, Any], ...] = ()
    standing: Commented | None = None

    @property
    def adds_comment(self) -> bool:
        return isinstance(self.change, UpsertComment) and self.standing is None

    def done(self, made: str = "") -> Done:
        """As it is once its edit is through."""
        return Done(Outcome.PERFORMED, self.prior, made or (self.standing.comment if self.standing else ""))


@dataclass(slots=True)
class Before:
    """What stands on an issue before the next of its changes. Attributes: ours: our comments, once looked for."""

    labels: frozenset[str]
    priority: str | None
    due: date | None
    assignee: str | None
    ours: Mapping[str, Commented] | None = None

    @classmethod
    def of(cls, issue: Issue) -> Before:
        priority = issue.priority.id or issue.priority.name if issue.priority else None
        return cls(issue.labels, priority, issue.due, issue.assignee.id if issue.assignee else None)


class Parts:
    """Makes the parts of edits on one server."""

    def __init__(self, server: JiraServer, screens: Screens, comments: Comments) -> None:
        self._server = server
        self._screens = screens
        self._comments = comments

    def of(self, issue: Issue, place: int, change: Change, before: Before) -> Part | Done:
        """The part, or what became of the change where nothing need be sent. ``before`` is moved on.

        Raises:
            Rejected: Jira would refuse it; nothing was sent.
        """
        match change:
            case Relabel():
                return self._labels(issue, place, change, before)
            case SetPriority():
                prior, word = before.priority, self._priority(issue, change.priority)
                before.priority = word.id
                return Part(place, change, "priority", {"priority": prior}, {"id": word.id})
            case SetDueDate():
                self._must_take(issue, "duedate", "a due date")
                stood_at, before.due = before.due, change.due
                due = change.due.isoformat() if change.due else None
                return Part(place, change, "duedate", {"due": stood_at.isoformat() if stood_at else None}, due)
            case SetAssignee():
                self._must_take(issue, "assignee", "an assignee")
                person = {"accountId" if self._server.cloud else "name": change.account}
                assignee, before.assignee = before.assignee, change.account
                return Part(place, change, "assignee", {"assignee": assignee}, person)
            case UpsertComment():
                return self._comment(issue, place, change, before)
            case UpsertLink() | UpsertReport():
                raise Rejected(
                    f"a change of kind {change.kind} is no part of an edit", tracker=self._server.client.name
                )
            case _:
                assert_never(change)

    def _labels(self, issue: Issue, place: int, change: Relabel, before: Before) -> Part | Done:
        doing = f"relabel {issue.ref.key}"
        for label in change.add:
            if not _is_label(label):
                raise Rejected(
                    f"{label[:80]!r} is no Jira label: no blanks, 1 to {_LONGEST_LABEL} characters",
                    tracker=self._server.client.name,
                    doing=doing,
                )
        prior = {"labels": sorted(before.labels)}
        # What is no label stands on no issue, and Jira refuses to take it away.
        gone = [label for label in change.remove if _is_label(label)]
        if not change.add and not gone:
            return Done(Outcome.ALREADY_SO, prior)
        self._must_take(issue, "labels", "labels")
        before.labels = (before.labels | set(change.add)) - set(gone)
        steps = (*({"add": label} for label in change.add), *({"remove": label} for label in gone))
        return Part(place, change, "labels", prior, steps=steps)

    def _comment(self, issue: Issue, place: int, change: UpsertComment, before: Before) -> Part | Done:
        standing = change.standing(issue)
        if standing is None:
            if before.ours is None:
                before.ours = self._comments.standing(issue)
            standing = before.ours.get(change.marker)
        if standing is not None and Mark.found_in(standing.text) == change.mark:
            return Done(Outcome.ALREADY_SO, stood(standing), standing.comment)
        return self.with_comment(Part(place, change, "comment", {}), change, standing)

    def with_comment(self, part: Part, change: UpsertComment, standing: Commented | None) -> Part:
        """The part of a comment, given the one that stands."""
        body = self._comments.body(change, standing)
        step = {"edit": {"id": standing.comment, **body}} if standing else {"add": body}
        return replace(part, prior=stood(standing), steps=(step,), standing=standing)

    # ---------------------------------------------------------------------------------------------- what a screen says

    def _must_take(self, issue: Issue, field: str, what: str) -> None:
        if self._screens.of(issue).takes(field) or self._screens.anew(issue).takes(field):
            return
        raise Rejected(
            f"the edit screen of {issue.type.name or 'this issue type'} in {issue.ref.project} has no field {field}",
            tracker=self._server.client.name,
            doing=f"set {what} on {issue.ref.key}",
            advice=f"Put {field} on that screen, or take what sets it out of the policy",
        )

    def _priority(self, issue: Issue, wanted: str) -> Word:
        """The priority with this id, else the only one with this name in any spelling."""
        self._must_take(issue, "priority", "a priority")
        known: tuple[Word, ...] = ()
        for screen in (self._screens.of, self._screens.anew):
            allowed = screen(issue).priorities
            known = self._server.priorities if allowed is None else allowed
            if (found := _word(known, wanted)) is not None:
                return found
        names = ", ".join(f"{word.name} ({word.id})" for word in known)
        raise Rejected(
            f"there is no single priority {wanted!r} in {issue.ref.project}; there are: {names}",
            tracker=self._server.client.name,
            doing=f"set the priority of {issue.ref.key}",
        )


def body_of(parts: Iterable[Part]) -> dict[str, Any]:
    """One edit of all the parts."""
    fields: dict[str, Any] = {}
    update: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        if part.steps:
            update.setdefault(part.field, []).extend(part.steps)
        else:
            fields[part.field] = part.value
    body: dict[str, Any] = {"fields": fields} if fields else {}
    return body | ({"update": update} if update else {}) | {"historyMetadata": _OURS}


def _word(known: Iterable[Word], wanted: str) -> Word | None:
    words = tuple(known)
    by_name = [word for word in words if word.name.casefold() == wanted.casefold()]
    for word in words:
        if word.id == wanted or (word.name == wanted and len(by_name) == 1):
            return word
    return by_name[0] if len(by_name) == 1 else None


def _is_label(text: str) -> bool:
    return text.split() == [text] and len(text) <= _LONGEST_LABEL
