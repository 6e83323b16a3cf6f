"""What a writer is given, and what it gives back: all changes of one issue together.

Rules:

1. The changes of an issue are in the order of the plan; one that is done before another proves it (a link, then the
   label that says it is there) may be sent together with it only where both are done or neither is.
2. Every change gets one receipt, whatever became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.receipt import Outcome, Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.tracker import TrackerError
    from policies.changes import Change
    from policies.issue import Issue


@dataclass(frozen=True, slots=True)
class Work:
    """Attributes.

    issue: as it was read; None only for a report that does not exist yet.
    changes: at least one, in the order of the plan, none of them already so.
    """

    issue: Issue | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Worked:
    """Attributes.

    receipts: one for each change of the work, in its order.
    failure: what ended it early; None where every change is done.
    next_known: the next piece went out together with this one: asking for its answer sends nothing more.
    """

    receipts: tuple[Receipt, ...]
    failure: TrackerError | None = None
    next_known: bool = False

    @classmethod
    def broken_off(cls, work: Work, done: Sequence[Receipt], failure: TrackerError, now: datetime) -> Worked:
        """The first changes are done, the next one failed, and the rest was not tried."""
        ref = work.issue.ref if work.issue else None
        why = one_line(failure)
        receipts = list(done)
        for change in work.changes[len(done) :]:
            tried = len(receipts) == len(done)
            error = why if tried else f"an earlier change of this issue failed: {why}"
            outcome = Outcome.FAILED if tried else Outcome.NOT_TRIED
            receipts.append(Receipt(issue=ref, change=change, outcome=outcome, at=now, error=error))
        return cls(tuple(receipts), failure)


def one_line(failure: TrackerError) -> str:
    """The failure as a receipt tells it."""
    return " ".join(str(failure).split())
