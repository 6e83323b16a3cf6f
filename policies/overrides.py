"""Where a person's hand stands against a change: what was undone, and what was set by somebody.

Rule: humans win. What a person took back is not put there again, and a date a person set is not replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from policies.changes import (
    Change,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.issue import AssigneeChanged, DueDateChanged, LabelsChanged, PriorityChanged, Role

if TYPE_CHECKING:
    from policies.issue import Actor, Event, Issue, Word


def override(issue: Issue, change: Change) -> str | None:
    """Why a change is held back, in words; None if nobody's hand stands against it.

    For ``Relabel`` ask ``removed_label`` for each label instead.
    """
    match change:
        case SetPriority():
            return _undone(issue, [e for e in issue.events if isinstance(e, PriorityChanged)], change)
        case SetAssignee():
            return _undone(issue, [e for e in issue.events if isinstance(e, AssigneeChanged)], change)
        case SetDueDate():
            return _date_set_by_hand(issue)
        case Relabel() | UpsertComment() | UpsertLink() | UpsertReport():
            return None
        case _:
            assert_never(change)


def removed_label(issue: Issue, label: str) -> str | None:
    """Who took a label of ours off, if that is the last that happened to it."""
    put_by_us = False
    taken: Event | None = None
    for event in issue.events:
        if not isinstance(event, LabelsChanged):
            continue
        if label in event.added:
            put_by_us, taken = event.actor.role is Role.OWN, None
        if label in event.removed and put_by_us and event.actor.role is not Role.OWN:
            taken = event
    return f"{label} was removed by {_who(taken.actor)} on {taken.at:%Y-%m-%d}" if taken else None


def _undone(
    issue: Issue, events: list[PriorityChanged] | list[AssigneeChanged], change: SetPriority | SetAssignee
) -> str | None:
    """The last change of the field is a person's, and took back what we had set, or lowered the wanted priority."""
    stood = False
    by_hand: Event | None = None
    for event in events:
        if event.actor.role is Role.OWN:
            stood, by_hand = _sets(event, change), None
        else:
            stood = stood or _lowers(event, change)
            by_hand = event if stood else None
    if by_hand is None or change.satisfied_by(issue):
        return None
    what = "priority" if isinstance(change, SetPriority) else "assignee"
    return f"the {what} was changed by {_who(by_hand.actor)} on {by_hand.at:%Y-%m-%d}"


def _lowers(event: PriorityChanged | AssigneeChanged, change: SetPriority | SetAssignee) -> bool:
    return isinstance(event, PriorityChanged) and _is(event.before, change)


def _sets(event: PriorityChanged | AssigneeChanged, change: SetPriority | SetAssignee) -> bool:
    if isinstance(event, PriorityChanged):
        return _is(event.after, change)
    return isinstance(change, SetAssignee) and event.after == change.account


def _is(priority: Word | None, change: SetPriority | SetAssignee) -> bool:
    if priority is None or not isinstance(change, SetPriority):
        return False
    return change.priority in {priority.id, priority.name}


def _date_set_by_hand(issue: Issue) -> str | None:
    changes = [event for event in issue.events if isinstance(event, DueDateChanged)]
    if changes and changes[-1].actor.role is not Role.OWN:
        what = "set" if changes[-1].after else "cleared"
        return f"the due date was {what} by {_who(changes[-1].actor)} on {changes[-1].at:%Y-%m-%d}"
    if not changes and issue.due is not None:
        return "the due date was set when the issue was opened"
    return None


def _who(actor: Actor) -> str:
    return actor.name or actor.id or "a deleted user"
