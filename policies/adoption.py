"""Adoption: the first runs on an old backlog write labels and the report, and send no one a message.

Rules:

1. An escalation whose instant does not lie behind the adoption is mute for good: its label is written, nobody assigned.
2. An issue on which nothing has happened since the adoption, and which bore neither label nor comment of ours before
   it, is silent: it gets labels, and counts in the report; nothing else is written to it.
3. What happens on an issue by a hand that is not ours, or to one of its clocks by the passing of time, ends the silence.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policies.changes import Mark
from policies.history import labels_at_opening
from policies.issue import LabelsChanged, Role
from policies.verdict import Status

if TYPE_CHECKING:
    from datetime import datetime

    from policies.destination import Destination
    from policies.issue import Issue
    from policies.verdict import Judged, Verdict

_SKEW = timedelta(days=1)
"""The tracker's clock may be behind ours, and the first run a little ahead of the adoption: its labels are no past."""


def mute_since(at: datetime, destination: Destination) -> str:
    """Why an escalation of this instant assigns nobody, in words; "" if it does."""
    adopted = destination.adopted_at
    if adopted is None or at > adopted:
        return ""
    return f"reached {destination.written(at)}, before the adoption on {destination.written(adopted)}"


def silent(judged: Judged, destination: Destination, now: datetime) -> str:
    """Why an issue gets labels only, in words; "" if it gets everything."""
    adopted = destination.adopted_at
    if adopted is None or now < adopted:
        # Ahead of the adoption nothing can have happened since; such a site is not adopted yet, so all is silent.
        return f"adopted only from {destination.written(adopted)} on" if adopted is not None else ""
    issue = judged.issue
    last = max((event.at for event in issue.events if event.actor.role is not Role.OWN), default=issue.opened_at)
    if last >= adopted or _known_before(issue, destination, adopted):
        return ""
    if any(_moved(verdict, adopted, now) for verdict in judged.standing()):
        return ""
    return f"nothing has happened to it since the adoption on {destination.written(adopted)}"


def _known_before(issue: Issue, destination: Destination, adopted: datetime) -> bool:
    """It bore a label of ours well before the adoption, or bears a comment of ours: then it was not new to us."""
    ours = destination.scope()
    if any(label.startswith(ours) for label in labels_at_opening(issue)):
        return True
    if any(event.actor.role is Role.OWN and Mark.found_in(event.text) for event in issue.comments()):
        return True
    added = (event for event in issue.events if isinstance(event, LabelsChanged) and event.at < adopted - _SKEW)
    return any(label.startswith(ours) for event in added for label in event.added)


def _moved(verdict: Verdict, adopted: datetime, now: datetime) -> bool:
    """Since the adoption time alone has brought the clock further."""
    if verdict.status is Status.PAUSED:
        return verdict.forgotten_since is not None and verdict.forgotten_since > adopted
    if not verdict.status.runs:
        return False
    past_due = verdict.due_at is not None and adopted <= verdict.due_at < now
    return past_due or any(adopted < at <= now for _name, at in verdict.thresholds)
