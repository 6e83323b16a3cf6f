"""What of an issue may be repeated outside of it.

Rules:

1. An issue that its tracker hides is counted like any other. What is told of it is its key, its state and what the
   clocks say: which, how it stands, since when, by when.
2. No text of it, no person, no customer, no contract, no release; nor a reason's or a signal's detail, which may hold
   such.
3. On the issue itself everything is said: whoever reads it there may read the issue.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from policies.issue import NOBODY

if TYPE_CHECKING:
    from policies.verdict import Judged

WITHHELD = "(confidential)"
"""Stands where the title would."""


def tellable(judged: Judged) -> Judged:
    """The judged issue as it may be shown to those who may not read it."""
    issue = judged.issue
    if not issue.confidential:
        return judged
    bare = replace(
        issue,
        title=WITHHELD,
        description="",
        reporter=NOBODY,
        assignee=None,
        organisation="",
        labels=frozenset(),
        components=(),
        versions=(),
        fix_versions=(),
        links=(),
        patches=(),
        resolution="",
        fields=(),
        unmapped=(),
        category=None,
        coverage=None,
        events=(),
        gaps=(),
        native_slas=(),
    )
    verdicts = tuple(replace(each, reason=replace(each.reason, detail="", evidence=())) for each in judged.verdicts)
    signals = tuple(replace(each, detail="", evidence=()) for each in judged.signals)
    return replace(judged, issue=bare, verdicts=verdicts, signals=signals)
