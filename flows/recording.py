"""A run's verdicts on their way into the ledger: most of them while other issues are still read, the rest at the end.

Rules:

1. Recorded are the verdicts that can have changed: of issues that are awake (``ledger_issues.Kept``), and of those whose
   instant came. Where another policy or calendar judges than in the run before, that is every issue: what was final under
   the old one is corrected by a new row.
2. What a release may still change waits for the releases, which come after the issues.
3. An issue that comes again is recorded again, as it came last; until then the ledger has it as due.
4. All are in the ledger before anything is written to a tracker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
        self._policies = sitting.site.policies()
        self._own = self._policies.in_force(sitting.now)[0]
        self._waiting: dict[Whose, Judged] = {}
        self._recorded: dict[Whose, tuple[Verdict, ...]] = {}

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
        self._recorded.pop(named, None)

    def end(self, judged: Sequence[Judged], fresh: frozenset[Whose]) -> None:
        """All is judged. Record what is not recorded yet.

        Args:
            judged: every issue of the run.
            fresh: those that are awake.
        """
        ledger, site = self._sitting.ledger, self._sitting.site.name
        new = fresh.union((ref.tracker, ref.id) for ref in ledger.due(site, self._sitting.now))
        if ledger.judged_by(site) not in {None, self._policies.digest}:
            new = new.union(whose(one.issue) for one in judged)
        self._waiting.clear()
        self._record(
            one for one in judged if whose(one.issue) in new and self._recorded.get(whose(one.issue)) != one.verdicts
        )

    def _record(self, judged: Iterable[Judged]) -> None:
        rows: list[Recorded] = []
        for one in judged:
            rows += [Recorded(one.issue.ref, verdict) for verdict in one.verdicts]
            self._recorded[whose(one.issue)] = one.verdicts
        self._sitting.ledger.record_verdicts(self._sitting.run, rows)
