"""Versions of one policy: which of them judges an issue.

Rules:

1. The version in force when the issue was opened judges it, all its life.
2. A version that says ``applies_to: open`` takes over, from its ``effective_from`` on, the issues that were open at that
   instant. An issue is open until it is resolved, verified, closed or cancelled.
3. A version is in force from its ``effective_from`` until the next one's; what is not in force yet is not seen.
4. An issue opened before the first version is ``not_applicable``, and its reason says so; it is never judged by a
   promise nobody had made.
5. Two versions never begin at one instant, and their numbers rise with their instants.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from policies.history import moments
from policies.signals import signals
from policies.verdict import Judged, Reason, ReasonCode, Status, Verdict, judge
from policies.vocabulary import OVER

if TYPE_CHECKING:
    from policies.business_calendar import BusinessCalendar
    from policies.issue import Issue, State
    from policies.pack import PolicyPack


class VersionConflict(ValueError):
    """Versions that can not stand side by side. Attributes: number: which of those handed in, from 0. expected: what would mend it."""

    def __init__(self, number: int, path: str, found: str, expected: str) -> None:
        self.number, self.path, self.found, self.expected = number, path, found, expected
        super().__init__(f"{path}: found {found}; expected {expected}")


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All versions of one policy, oldest first. Build it with ``PolicyBook.of``."""

    versions: tuple[PolicyPack, ...]

    @classmethod
    def of(cls, *packs: PolicyPack) -> PolicyBook:
        """The book of these versions, in any order.

        Raises:
            VersionConflict: they are of several policies, two begin at one instant or have one number, or a later number
                begins earlier. The first conflict is told.
        """
        order = sorted(range(len(packs)), key=lambda n: packs[n].version)
        if not order:
            raise ValueError("a policy without a version")
        first = packs[order[0]]
        for before, after in pairwise(order):
            _side_by_side(packs[before], packs[after], after, first.id)
        return cls(tuple(packs[n] for n in order))

    def on_calendar(self, name: str, calendar: BusinessCalendar) -> PolicyBook:
        """The same policy with another default calendar in all its versions."""
        return PolicyBook(tuple(pack.on_calendar(name, calendar) for pack in self.versions))

    @property
    def digest(self) -> str:
        """Sixteen hex digits over all versions and the calendars they count on: what judges here, as a whole."""
        parts = [(pack.name, pack.digest, pack.calendar_digest) for pack in self.versions]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def latest(self) -> PolicyPack:
        """The version that begins last, whether it is in force yet or not."""
        return self.versions[-1]

    def on(self, at: datetime) -> PolicyPack:
        """The version in force at an instant; before the first one, the first."""
        return next((pack for pack in reversed(self.versions) if _begun(pack, at)), self.versions[0])

    def judging(self, issue: Issue, now: datetime) -> PolicyPack | None:
        """The version that judges an issue at ``now``; None for an issue from before the first."""
        found: PolicyPack | None = None
        for pack in self.versions:
            if not _begun(pack, now):
                break
            if _begun(pack, issue.opened_at) or (pack.applies_to == "open" and _open_at(issue, pack.effective_from)):
                found = pack
        return found

    def taken_over_at(self, issue: Issue, now: datetime) -> datetime | None:
        """When a later version will next take over an issue that is open now and stays so; None if none will."""
        coming = (
            pack.effective_from
            for pack in self.versions
            if pack.applies_to == "open" and pack.effective_from is not None and pack.effective_from > now
        )
        at = next(coming, None)
        return at if at is not None and _open_at(issue, now) else None

    def judge(self, issue: Issue, now: datetime) -> Judged:
        """The issue with its verdicts and signals under the version that judges it. Pure.

        Their next change is the issue's: of the verdict, of the version that judges, of what the warranty says.
        """
        pack = self.judging(issue, now)
        if pack is None:
            first = self.versions[0]
            found, verdicts = first, tuple(_before_first(name, first, now) for name in first.clocks)
        else:
            found, verdicts = pack, judge(issue, pack, now)
        # What the warranty says changes by itself, too, when a document signed for a later day comes to count.
        document = issue.coverage.next_change_at if issue.coverage is not None else None
        for coming in filter(None, (self.taken_over_at(issue, now), document)):
            verdicts = tuple(replace(verdict, next_change_at=_sooner(verdict, coming)) for verdict in verdicts)
        told = signals(issue, verdicts, pack, now) if pack is not None else ()
        return Judged(issue, verdicts, found, told)


def _side_by_side(before: PolicyPack, after: PolicyPack, number: int, id_: str) -> None:
    if after.id != id_:
        raise VersionConflict(number, "id", repr(after.id), f"{id_!r}: the versions of one policy share its id")
    if after.version == before.version:
        raise VersionConflict(number, "version", str(after.version), "each version once")
    if after.effective_from is None:
        expected = f"an instant: only the first version is in force from ever on ({before.name} comes before it)"
        raise VersionConflict(number, "effective_from", "nothing", expected)
    if before.effective_from is not None and after.effective_from <= before.effective_from:
        expected = f"an instant after {before.effective_from.isoformat()}, where {before.name} begins"
        raise VersionConflict(number, "effective_from", after.effective_from.isoformat(), expected)


def _begun(pack: PolicyPack, at: datetime) -> bool:
    return pack.effective_from is None or pack.effective_from <= at


def _open_at(issue: Issue, at: datetime | None) -> bool:
    """Whether an issue was open at an instant, and had been opened."""
    row: Sequence[State | None] = [moment.state for moment in moments(issue) if at is None or moment.since <= at]
    return bool(row) and row[-1] not in OVER


def _before_first(clock: str, first: PolicyPack, now: datetime) -> Verdict:
    begins = first.effective_from
    detail = begins.isoformat() if begins is not None else ""
    return Verdict(
        clock=clock,
        cycle=1,
        status=Status.NOT_APPLICABLE,
        reason=Reason(ReasonCode.BEFORE_FIRST_VERSION, "effective_from", detail=detail),
        judged_at=now,
        policy=first.name,
        digest=first.digest,
    )


def _sooner(verdict: Verdict, coming: datetime) -> datetime:
    return min(verdict.next_change_at or coming, coming)
