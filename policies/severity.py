"""The least severity a pack gives to some issues: they are judged as at least that grave from the start.

Rules:

1. The floor is part of judging, not an effect of writing the priority back: the verdict is the same before and after.
2. The gravest of several floors counts.
3. Where a person lowered the severity, the floor ends at that instant, for good: people win. Lowering it again later
   changes nothing of what was judged before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from policies.history import Moment
from policies.issue import Role, SeverityChanged

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack


def at_least_the_floor(row: Sequence[Moment], issue: Issue, pack: PolicyPack) -> Sequence[Moment]:
    """The moments with the severity each is judged by."""
    if not pack.severity_floors:
        return row
    by_hand = next(lowered(issue, pack), None)
    return [moment if by_hand is not None and moment.since >= by_hand.at else _raised(moment, pack) for moment in row]


def floor(moment: Moment, pack: PolicyPack) -> str | None:
    """The gravest floor that holds at a moment."""
    held = {at_least for condition, at_least in pack.severity_floors if condition.holds(moment)}
    return next((severity for severity in pack.severities if severity in held), None)


def graver(severity: str | None, than: str | None, pack: PolicyPack) -> bool:
    """Whether one severity is graver than another; none at all is the least grave."""
    order = pack.severities
    known = {word: number for number, word in enumerate(order)}
    return known.get(severity or "", len(order)) < known.get(than or "", len(order))


def lowered_by_hand(issue: Issue, pack: PolicyPack) -> SeverityChanged | None:
    """The last time a person made the issue less grave."""
    found = None
    for event in lowered(issue, pack):
        found = event
    return found


def lowered(issue: Issue, pack: PolicyPack) -> Iterator[SeverityChanged]:
    """Each time a person made the issue less grave, oldest first."""
    for event in [event for event in issue.events if isinstance(event, SeverityChanged)]:
        if event.actor.role is not Role.OWN and graver(event.before, event.after, pack):
            yield event


def _raised(moment: Moment, pack: PolicyPack) -> Moment:
    least = floor(moment, pack)
    return moment._replace(severity=least) if graver(least, moment.severity, pack) else moment
