"""Three ways to look at an issue again, never mixed: as judged, as then, as if.

Rules:

1. ``as_judged`` is read from the evidence (the ledger), never computed here: it is what was said, even where that was wrong.
2. ``as_then`` judges with the versions that were in force at an instant, and sees nothing that happened later.
3. ``as_if`` judges with a candidate that need not be in force, whatever its ``effective_from`` says.
4. A replay says which of the three it is, at which instant, and under which digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from policies.issue import utc
from policies.signals import signals
from policies.verdict import Judged, judge

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.versions import PolicyBook


class ReplayKind(StrEnum):
    AS_JUDGED = "as-judged"
    AS_THEN = "as-then"
    AS_IF = "as-if"


@dataclass(frozen=True, slots=True)
class Replay:
    """A computed replay.

    Attributes:
        at: the instant judged at.
        policy, digest, calendar_digest: of the version that judged, and of all calendars it counts on.
    """

    kind: ReplayKind
    at: datetime
    policy: str
    digest: str
    calendar_digest: str
    judged: Judged


def as_then(issue: Issue, book: PolicyBook, at: datetime) -> Replay:
    """The issue as it would have been judged at ``at``, by the versions in force then. Pure."""
    judged = book.judge(issue, utc(at))
    assert judged.pack is not None
    return _replay(ReplayKind.AS_THEN, utc(at), judged.pack, judged)


def as_if(issue: Issue, candidate: PolicyPack, at: datetime) -> Replay:
    """The issue as a candidate version would judge it at ``at``. Pure."""
    at = utc(at)
    verdicts = judge(issue, candidate, at)
    judged = Judged(issue, verdicts, candidate, signals(issue, verdicts, candidate, at))
    return _replay(ReplayKind.AS_IF, at, candidate, judged)


def _replay(kind: ReplayKind, at: datetime, pack: PolicyPack, judged: Judged) -> Replay:
    return Replay(kind, at, pack.name, pack.digest, pack.calendar_digest, judged)
