"""The verdicts of a run on their way into the ledger.

Rules:

1. The verdicts of an issue are in the ledger before anything is written to the issue.
2. All others may follow while writers wait for their trackers, but are there before anything is read once more: what is
   read then may have to be judged again, and stays due.
3. Where a run is killed before all are there, the next one records them: an issue that was read is due until then, and a
   run that did not come to its end does not count as judged by its policy.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import islice

from connectors.ledger import Judged as Recorded
from flows.sitting import Sitting
from policies.verdict import Judged

Whose = tuple[str, str]
"""Names an issue within a run: its tracker, and its id there."""

_SOME = 100
"""Issues whose verdicts are recorded within a few milliseconds: a writer waits no longer for its turn."""


class Evidence:
    """Verdicts that are still to be recorded."""

    def __init__(self, sitting: Sitting, judged: Sequence[Judged], new: Container[Whose]) -> None:
        """Args: new: issues whose verdicts can have changed."""
        self._ledger = sitting.ledger
        self._run = sitting.run
        issues = ((one.issue.ref.tracker, one.issue.ref.id) for one in judged)
        self._left = {whose: one for whose, one in zip(issues, judged, strict=True) if whose in new}

    def record(self, issues: Iterable[Whose]) -> None:
        """Those of these issues."""
        found = [self._left.pop(whose) for whose in issues if whose in self._left]
        rows = (Recorded(one.issue.ref, verdict) for one in found for verdict in one.verdicts)
        self._ledger.record_verdicts(self._run, rows)

    def record_some(self) -> bool:
        """A few of those that are left. Gives whether there were any."""
        some = list(islice(self._left, _SOME))
        if some:
            self.record(some)
        return bool(some)

    def record_rest(self) -> None:
        """All that are left."""
        self.record(list(self._left))
