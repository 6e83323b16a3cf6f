"""An issue as read, in the words of the site and its policy: state, severity, category, roles, coverage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from flows import likely
from flows.site import Site
from flows.tracker_site import TrackerSite
from policies.changes import is_report
from policies.issue import Issue, StatusChanged
from policies.roster import Roster
from policies.vocabulary import Vocabulary
from policies.warranty import covered


@dataclass(frozen=True, slots=True)
class Interpreted:
    """Attributes.

    report: it is our own report issue, which is never judged.
    unknown: why it can not be judged: words that the site says nothing of; "" where it can.
    """

    issue: Issue
    report: bool = False
    unknown: str = ""


class Interpreter:
    """Puts issues into words, at one instant."""

    def __init__(self, site: Site, now: datetime) -> None:
        self._site = site
        self._now = now
        self._words: dict[tuple[str, str], tuple[TrackerSite, Roster, Vocabulary]] = {}

    def interpreted(self, tracker: str, own: str, raw: Issue) -> Interpreted:
        """An issue of a tracker. Args: own: id of our own account there."""
        found, roster, words = self._words_of(tracker, own)
        issue = roster.cast(words.apply(raw))
        if is_report(raw, self._site.report_label):
            return Interpreted(issue, report=True)
        if issue.unmapped:
            return Interpreted(issue, unknown=_unmapped(self._site, found, words, issue))
        register = self._site.register
        if register is None:
            return Interpreted(issue)
        return Interpreted(covered(issue, register, self._now, prefix=self._site.label_prefix))

    def _words_of(self, tracker: str, own: str) -> tuple[TrackerSite, Roster, Vocabulary]:
        known = self._words.get((tracker, own))
        if known is None:
            found = self._site.tracker(tracker)
            known = self._words[tracker, own] = found, found.roster(own, self._site.zone), found.vocabulary()
        return known


def _unmapped(site: Site, tracker: TrackerSite, words: Vocabulary, issue: Issue) -> str:
    """Which statuses, now or in the past, mean nothing yet, and the lines to add for them."""
    changes = (event for event in issue.events if isinstance(event, StatusChanged))
    found = (issue.status, *(word for change in changes for word in (change.before, change.after) if word))
    unknown = {word.name: word for word in found if words.state_of(word) is None}.values()
    named = ", ".join(f"{word.name!r} (id {word.id})" if word.id else repr(word.name) for word in unknown)
    lines = ", ".join(
        f"`{json.dumps(word.name, ensure_ascii=False)}: {likely.state_of(word).value}`" for word in unknown
    )
    return (
        f"the site file says nothing of status {named or ', '.join(issue.unmapped)}; add {lines or 'it'} (or what it means)"
        f" under states of tracker {tracker.name!r} in {site.path.name}"
    )
