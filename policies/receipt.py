"""The proof of one change: what was done, when, and what stood there before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.changes import Change
from policies.issue import IssueRef, utc


class Outcome(StrEnum):
    """What became of a planned change."""

    PERFORMED = "performed"
    ALREADY_SO = "already_so"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Attributes.

    issue: where it was done (for a new report: the issue that was created; None when nothing was).
    prior: what stood there before, as JSON text, enough to put it back (``{"labels": [...]}``, ``{"priority": "3"}``,
        ``{"comment": "10077", "text": "..."}``, ``{"report": "CAR-9", "title": "...", "text": "..."}``, ``{"link": ...}``;
        ``{"comment": null}``, ``{"report": null}``, ``{"link": null}`` when it did not exist, or was not looked at).
    made: the tracker's id of what was made or edited (comment id, remote link id, issue key), "" if none.
    error: for ``failed``: one line, free of secrets.
    """

    issue: IssueRef | None
    change: Change
    outcome: Outcome
    at: datetime
    prior: str = "{}"
    made: str = ""
    error: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))
