"""A run's verdicts on their way into the ledger, whose last word is what the run judged.

Rules:

1. Recorded are the verdicts that can have changed: of issues that are awake (``ledger_issues.Kept``), of those that are
   due, and of those with another released fix than they were recorded with.
2. Where the run before judged by another policy or calendar, or read other meanings into words and people, all are due
   (``Ledger.begin_run``): what was final under another policy is corrected by a new row.
3. While issues are still read those are recorded that no release can change; the others at the end.
4. An issue that comes again awake is recorded again, as it came last; until then the ledger has it as due.
5. All are in the ledger before anything is written to a tracker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connectors.ledger import Judged as Recorded
from flows.run import Whose, whose
from flows.sitting import Sitting
from policies import patch
from policies.verdict import Judged, Verdict

_BATCH = 200
"""So many issues are recorded together: about as many as are kept together."""


class Recording:
    """Records the verdicts of a run."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._own = sitting.site.policies().in_force(sitting.now)[0]
        self._waiting: dict[Whose, Judged] = {}
        self._recorded: dict[Whose, tuple[Verdict, ...]] = {}

    def take(self, judged: Judged) -> None:
        """An issue that is awake and was just judged, while others are read."""
        self._recorded.pop(whose(judged.issue), None)
        if patch.may_change(judged, judged.pack or self._own):
            return
        self._waiting[whose(judged.issue)] = judged
        if len(self._waiting) >= _BATCH:
            self._record(self._waiting.values())
            self._waiting.clear()

    def drop(self, named: Whose) -> None:
        """An issue came again, and does not count as it was taken."""
        self._waiting.pop(named, None)

    def end(self, judged: Sequence[Judged], fresh: frozenset[Whose]) -> None:
        """All is judged. Record what is not recorded yet.

        Args:
            judged: every issue of the run.
            fresh: those that are awake.
        """
        ledger, site = self._sitting.ledger, self._sitting.site.name
        due = {(ref.tracker, ref.id) for ref in ledger.due(site, self._sitting.now)}
        new = {*fresh, *due, *self._released_otherwise(judged, ledger.fixes(site))}
        self._waiting.clear()
        self._record(
            one for one in judged if whose(one.issue) in new and self._recorded.get(whose(one.issue)) != one.verdicts
        )

    def _released_otherwise(self, judged: Iterable[Judged], fixes: Mapping[Whose, str]) -> Iterator[Whose]:
        """Issues whose verdicts a release changes, and of which it is another release than when they were recorded."""
        for one in judged:
            if _fix(one) != fixes.get(whose(one.issue), "") and patch.may_change(one, one.pack or self._own):
                yield whose(one.issue)

    def _record(self, judged: Iterable[Judged]) -> None:
        given = {whose(one.issue): one for one in judged}
        rows = (Recorded(one.issue.ref, verdict) for one in given.values() for verdict in one.verdicts)
        fixes = {named: fix for named, one in given.items() if (fix := _fix(one))}
        self._sitting.ledger.record_verdicts(self._sitting.run, rows, fixes)
        self._recorded |= {named: one.verdicts for named, one in given.items()}


def _fix(judged: Judged) -> str:
    """The release with the issue's fix, and since when; "" for none."""
    released = patch.fix_released(judged.issue)
    return f"{released.id} {released.at.isoformat()}" if released is not None else ""
