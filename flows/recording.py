"""A run's verdicts on their way into the ledger, whose last word is what the run judged.

Rules:

1. Recorded are the verdicts that can have changed: of issues that are due, as those that are awake
   (``ledger_issues.Kept``) are at once, and of those with another released fix than they were recorded with.
2. Where the run before judged by another policy or calendar, or read other meanings into words and people, all are due
   (``Ledger.begin_run``): what was final under another policy is corrected by a new row.
3. While issues are still read those are recorded that no release can change; the others at the end.
4. An issue that comes again awake is due again, and recorded as it came last.
5. All are in the ledger before anything is written to a tracker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connectors.ledger import Judged as Recorded
from flows.run import Whose, whose
from flows.sitting import Sitting
from policies import patch
from policies.verdict import Judged

_BATCH = 200
"""So many issues are recorded together: about as many as are kept together."""


class Recording:
    """Records the verdicts of a run."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._own = sitting.site.policies().in_force(sitting.now)[0]
        self._waiting: dict[Whose, Judged] = {}

    def take(self, judged: Judged) -> None:
        """An issue that is awake and was just judged, while others are read."""
        if patch.may_change(judged, judged.pack or self._own):
            return
        self._waiting[whose(judged.issue)] = judged
        if len(self._waiting) >= _BATCH:
            self._record(self._waiting.values())
            self._waiting.clear()

    def drop(self, named: Whose) -> None:
        """An issue came again, and does not count as it was taken."""
        self._waiting.pop(named, None)

    def end(self, judged: Sequence[Judged]) -> None:
        """All is judged. Record what is not recorded yet. Args: judged: every issue of the run."""
        ledger, site = self._sitting.ledger, self._sitting.site.name
        due = {(ref.tracker, ref.id) for ref in ledger.due(site, self._sitting.now)}
        fixes = ledger.fixes(site)
        self._waiting.clear()
        self._record(one for one in judged if whose(one.issue) in due or self._released_otherwise(one, fixes))

    def _released_otherwise(self, judged: Judged, fixes: Mapping[Whose, str]) -> bool:
        """Whether a release changes its verdicts, and it is another one than when they were recorded."""
        changes = patch.may_change(judged, judged.pack or self._own)
        return changes and _fix(judged) != fixes.get(whose(judged.issue), "")

    def _record(self, judged: Iterable[Judged]) -> None:
        given = [*judged]
        rows = (Recorded(one.issue.ref, verdict) for one in given for verdict in one.verdicts)
        fixes = {whose(one.issue): fix for one in given if (fix := _fix(one))}
        self._sitting.ledger.record_verdicts(self._sitting.run, rows, fixes)


def _fix(judged: Judged) -> str:
    """The release with the issue's fix, and since when; "" for none."""
    released = patch.fix_released(judged.issue)
    return f"{released.id} {released.at.isoformat()}" if released is not None else ""
