"""What a tracker would show after our changes, for the tests of what comes next."""

from __future__ import annotations

from dataclasses import replace
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
from policies.issue import (
    Actor,
    AssigneeChanged,
    Commented,
    DueDateChanged,
    LabelsChanged,
    PriorityChanged,
    SeverityChanged,
    Word,
)
from tests.policies.build_issue import OWN

if TYPE_CHECKING:
    from datetime import datetime

    from policies.destination import Destination
    from policies.issue import Event, Issue


def applied(issue: Issue, change: Change, now: datetime, destination: Destination) -> Issue:
    """The issue as a tracker would show it after the change."""
    name = f"~applied-{change.kind}-{now:%Y%m%dT%H%M%S%f}"
    match change:
        case Relabel(add=add, remove=remove):
            event: Event = LabelsChanged(id=name, at=now, actor=OWN, added=add, removed=remove)
            return replace(issue.with_events(event), labels=issue.labels.difference(remove).union(add))
        case SetPriority(priority=word):
            severity = next(each for each, known in destination.severities.items() if known == word)
            after = Word("", word)
            raised = issue.with_events(
                PriorityChanged(id=name, at=now, actor=OWN, before=issue.priority, after=after),
                SeverityChanged(id=f"{name}/severity", at=now, actor=OWN, before=issue.severity, after=severity),
            )
            return replace(raised, priority=after, severity=severity)
        case SetDueDate(due=due):
            return replace(
                issue.with_events(DueDateChanged(id=name, at=now, actor=OWN, before=issue.due, after=due)), due=due
            )
        case SetAssignee(account=account):
            before = issue.assignee.id if issue.assignee else None
            event = AssigneeChanged(id=name, at=now, actor=OWN, before=before, after=account)
            return replace(issue.with_events(event), assignee=Actor(id=account))
        case UpsertComment():
            standing = change.standing(issue)
            if standing is not None:
                edited = replace(standing, text=str(change.mark), edited_at=now)
                return replace(issue, events=tuple(edited if each is standing else each for each in issue.events))
            return issue.with_events(
                Commented(id=name, at=now, actor=OWN, comment=name, public=False, text=str(change.mark))
            )
        case UpsertLink() | UpsertReport():
            return issue
        case _:
            assert_never(change)
