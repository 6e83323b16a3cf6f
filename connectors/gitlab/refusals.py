"""What GitLab does not do, in words a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.tracker import PermissionRefused, Rejected
from policies.changes import Relabel, SetDueDate

if TYPE_CHECKING:
    from policies.changes import Change


def no_priority(tracker: str, doing: str) -> Rejected:
    advice = "Let the site's pack show priorities as labels on this tracker"
    return Rejected("GitLab issues have no priority field", tracker=tracker, doing=doing, advice=advice)


def left_as_before(tracker: str, change: Change, doing: str) -> PermissionRefused:
    """GitLab drops what an account may not set, or a person who is no member, without a word."""
    what = "labels" if isinstance(change, Relabel) else "due date" if isinstance(change, SetDueDate) else "assignee"
    advice = "Give the account the role Reporter, name only members of the project, and see whether issues of this type have it"
    return PermissionRefused(
        f"GitLab took the request and left the {what} as before", tracker=tracker, doing=doing, advice=advice
    )
