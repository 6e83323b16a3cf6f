"""Compliance of many issues: how many promises stand where, which are broken and why.

Rule: a promise that was cancelled or never applied is counted in its own column and is no part of the share kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text
from policies.note import clock_title
from policies.verdict import Judged, Reason, Status

if TYPE_CHECKING:
    from policies.destination import Destination
    from policies.pack import PolicyPack

_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken promise. Attributes: key, title: the issue's ("" for a confidential one, which is not listed)."""

    key: str
    url: str
    title: str
    clock: str
    status: Status
    due_at: datetime | None
    reason: Reason
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class ComplianceSummary:
    """Attributes: counts: (clock, status) -> issues. breaches: the longest overdue first."""

    tracker: str
    judged: int
    counts: tuple[tuple[str, Status, int], ...]
    breaches: tuple[Breach, ...]

    def count(self, clock: str, status: Status) -> int:
        return sum(n for name, found, n in self.counts if (name, found) == (clock, status))

    def kept(self, clock: str) -> tuple[int, int]:
        """Promises kept and promises decided (met, missed or overdue) of a clock."""
        met = self.count(clock, Status.MET)
        return met, met + self.count(clock, Status.MISSED) + self.count(clock, Status.OVERDUE)

    def document(self, pack: PolicyPack, destination: Destination) -> Document:
        """The report. It holds no instant of its making: the same verdicts give the same words."""
        say, phrases = destination.phrases.say, destination.phrases
        statuses = [status for status in Status if any(found is status for _c, found, _n in self.counts)]
        rows = [
            (
                (Text(clock_title(pack, clock, phrases.language)),),
                *((Text(str(self.count(clock, status))),) for status in statuses),
            )
            for clock in pack.clocks
        ]
        header = (say("column_clock"), *(phrases.status(status) for status in statuses))
        blocks: list[Block] = [Heading(say("report_heading"), level=2), Table(header, tuple(rows))]
        kept = [self._kept_line(clock, pack, destination) for clock in pack.clocks]
        if any(kept):
            blocks.append(BulletList(tuple((Text(line),) for line in kept if line)))
        blocks.append(Heading(say("breaches_heading")))
        blocks += self._breaches(pack, destination)
        blocks.append(Paragraph((Text(say("policy_line", policy=pack.name, digest=pack.digest[:8])),)))
        return Document(tuple(blocks))

    def _kept_line(self, clock: str, pack: PolicyPack, destination: Destination) -> str:
        met, decided = self.kept(clock)
        if not decided:
            return ""
        line = destination.phrases.say("kpi_line", met=met, judged=decided, share=f"{100 * met / decided:.1f}")
        return f"{clock_title(pack, clock, destination.phrases.language)}: {line}"

    def _breaches(self, pack: PolicyPack, destination: Destination) -> list[Block]:
        phrases = destination.phrases
        listed = [breach for breach in self.breaches if not breach.confidential]
        hidden = len(self.breaches) - len(listed)
        blocks: list[Block] = []
        if not self.breaches:
            blocks.append(Paragraph((Text(phrases.say("no_breaches")),)))
        if listed:
            names = ("issue", "clock", "due", "status", "reason")
            header = tuple(phrases.say(f"column_{name}") for name in names)
            rows = tuple(
                (
                    (Text(breach.key, url=breach.url), Text(" "), Text(breach.title)),
                    (Text(clock_title(pack, breach.clock, phrases.language)),),
                    (Text(destination.written(breach.due_at) if breach.due_at else ""),),
                    (Text(phrases.status(breach.status), strong=breach.status is Status.OVERDUE),),
                    (Text(phrases.reason(breach.reason)),),
                )
                for breach in listed[:_MOST_LISTED]
            )
            blocks.append(Table(header, rows))
        if len(listed) > _MOST_LISTED:
            blocks.append(Paragraph((Text(phrases.say("truncated_line", n=len(listed) - _MOST_LISTED)),)))
        if hidden:
            blocks.append(Paragraph((Text(phrases.say("confidential_line", n=hidden)),)))
        return blocks


def summarise(judged: Sequence[Judged], pack: PolicyPack, tracker: str) -> ComplianceSummary:
    """The summary of one tracker's issues."""
    mine = [item for item in judged if item.issue.ref.tracker == tracker]
    counts: Counter[tuple[str, Status]] = Counter()
    breaches: list[Breach] = []
    for item in mine:
        ref = item.issue.ref
        for verdict in item.verdicts:
            counts[verdict.clock, verdict.status] += 1
            if verdict.status.breached:
                breaches.append(
                    Breach(
                        key=ref.key,
                        url=ref.url if ref.url.startswith(("https://", "http://")) else "",
                        title=item.issue.title,
                        clock=verdict.clock,
                        status=verdict.status,
                        due_at=verdict.due_at,
                        reason=verdict.reason,
                        confidential=item.issue.confidential,
                    )
                )
    return ComplianceSummary(
        tracker=tracker,
        judged=len(mine),
        counts=tuple(
            (clock, status, counts[clock, status])
            for clock in pack.clocks
            for status in Status
            if counts[clock, status]
        ),
        breaches=tuple(sorted(breaches, key=_longest_overdue_first)),
    )


def _longest_overdue_first(breach: Breach) -> tuple[bool, str, str, str]:
    due = breach.due_at.isoformat() if breach.due_at else ""
    return breach.status is not Status.OVERDUE, due, breach.key, breach.clock
