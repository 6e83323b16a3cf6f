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
from policies.issue import AssigneeChanged, DueDateChanged, LabelsChanged, Role

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from policies.issue import Event, Issue


def override(issue: Issue, change: Change, since: datetime | None = None) -> str | None:
    """Why a change is held back, in words; None if nobody's hand stands against it.

    Args:
        since: what was assigned before this instant concerns an earlier cycle; None: all of the history counts.

    For ``Relabel`` ask ``removed_label`` for each label instead; who lowered a severity the action itself asks.
    """
    match change:
        case SetAssignee():
            return _assigned_by_hand(issue, change, since)
        case SetDueDate():
            return _date_set_by_hand(issue)
        case Relabel() | SetPriority() | UpsertComment() | UpsertLink() | UpsertReport():
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
    return f"{label} was removed by {told(taken)}" if taken else None


def put_by_us(issue: Issue, labels: Collection[str], since: datetime) -> bool:
    """We put one of these labels on, at this instant or later, whether or not it still stands."""
    return any(
        isinstance(event, LabelsChanged)
        and event.actor.role is Role.OWN
        and event.at >= since
        and not set(event.added).isdisjoint(labels)
        for event in issue.events
    )


def assigned_by_us(issue: Issue, accounts: Collection[str], since: datetime) -> bool:
    """We gave the issue to one of these accounts, at this instant or later, whoever has it now."""
    return any(
        isinstance(event, AssigneeChanged)
        and event.actor.role is Role.OWN
        and event.at >= since
        and event.after in accounts
        for event in issue.events
    )


def _assigned_by_hand(issue: Issue, change: SetAssignee, since: datetime | None) -> str | None:
    """A person gave the issue to somebody else after we had assigned it."""
    ours = False
    by_hand: Event | None = None
    for event in issue.events:
        if not isinstance(event, AssigneeChanged) or (since is not None and event.at < since):
            continue
        if event.actor.role is Role.OWN:
            ours, by_hand = event.after == change.account, None
        elif ours:
            by_hand = event
    return f"the assignee was changed by {told(by_hand)}" if by_hand else None


def _date_set_by_hand(issue: Issue) -> str | None:
    changes = [event for event in issue.events if isinstance(event, DueDateChanged)]
    if changes and changes[-1].actor.role is not Role.OWN:
        what = "set" if changes[-1].after else "cleared"
        return f"the due date was {what} by {told(changes[-1])}"
    if not changes and issue.due is not None:
        return "the due date was set when the issue was opened"
    return None


def told(event: Event) -> str:
    """Who did it and when: "Li Wei on 2026-03-02"."""
    return f"{event.actor.name or event.actor.id or 'a deleted user'} on {event.at:%Y-%m-%d}"
