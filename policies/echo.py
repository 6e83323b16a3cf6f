"""Whether an issue was touched by us alone since it was last read: then nothing of it need be looked at again.

Rules:

1. Only what our own account did counts as ours. What nobody is named for is somebody else's.
2. A fact that no event tells of (a title, a field, whether it is confidential) and that differs is somebody else's.
3. What we assigned is looked at all the same: a clock may ask which tier has the issue.
4. An event that changed or is gone is somebody else's, unless it is a comment of ours, which we edit in place.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from policies.issue import AssigneeChanged, Commented, Issue, Role

if TYPE_CHECKING:
    from policies.issue import Event

_TOLD_BY_EVENTS = frozenset({"events", "updated_at", "labels", "priority", "assignee", "due"})
_OF_TIME = frozenset({"native_slas"})
"""The tracker's own clocks go on by themselves."""
_COMPARED = tuple(field.name for field in fields(Issue) if field.name not in _TOLD_BY_EVENTS | _OF_TIME)


def echoes(before: Issue, after: Issue) -> bool:
    """Whether all that differs is what we did ourselves. Both as read, before vocabulary and roster. Pure."""
    if any(getattr(before, name) != getattr(after, name) for name in _COMPARED):
        return False
    then = {event.id: event for event in before.events}
    now = {event.id: event for event in after.events}
    if any(id_ not in now and not _note_of_ours(event) for id_, event in then.items()):
        return False
    return all(_ours(then.get(id_), event) for id_, event in now.items())


def _ours(before: Event | None, after: Event) -> bool:
    if before is None:
        return after.actor.role is Role.OWN and not isinstance(after, AssigneeChanged)
    return before == after or (_note_of_ours(before) and _note_of_ours(after))


def _note_of_ours(event: Event) -> bool:
    return isinstance(event, Commented) and event.actor.role is Role.OWN
