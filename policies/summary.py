"""Compliance of many issues: how many promises stand where, which are broken and why.

Rules:

1. A promise that was cancelled or never applied is counted in its own column and is no part of the share kept.
2. An issue to which nothing is promised, or that is open while no clock runs for it, is a line with its reason: never
   silence.
3. Signals are counted, and change no count of verdicts.
4. Whose time it was is told of the promises that have ended (see ``clock_time``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from policies.clock_time import ClockTime, clock_times, time_blocks
from policies.confidential import tellable
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text
from policies.note import clock_title
from policies.signals import SignalKind
from policies.verdict import Judged, Reason, Status
from policies.vocabulary import OVER

if TYPE_CHECKING:
    from policies.coverage import Decision
    from policies.destination import Destination
    from policies.issue import IssueRef
    from policies.pack import PolicyPack
    from policies.phrases import Phrases
    from policies.verdict import Verdict

_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken promise. Attributes: title: of a confidential issue withheld; it is not listed, either."""

    key: str
    url: str
    title: str
    clock: str
    status: Status
    due_at: datetime | None
    reason: Reason
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class WithoutGoal:
    """An issue that no clock watches.

    Attributes:
        reasons: why, of each clock that never ran, each once; empty where clocks ran and all have ended, though the
            issue is open.
        covered: what the warranty says of it; None where the site has no register.
    """

    key: str
    url: str
    title: str
    reasons: tuple[Reason, ...]
    covered: Decision | None = None
    confidential: bool = False

    def why(self, phrases: Phrases) -> str:
        told = [phrases.reason(reason) for reason in self.reasons]
        return "; ".join(told) if told else phrases.say("no_clock_runs")


@dataclass(frozen=True, slots=True)
class ComplianceSummary:
    """The summary of one tracker, of the issues that one policy judges.

    Attributes:
        policy: the policy's id; "" for the site's own.
        counts: (clock, status) -> issues.
        breaches: the longest overdue first.
        without_goal: issues that no clock watches, by key.
        signals: how many of each kind there are.
        times: whose time the promises took, by clock.
    """

    tracker: str
    judged: int
    counts: tuple[tuple[str, Status, int], ...]
    breaches: tuple[Breach, ...]
    without_goal: tuple[WithoutGoal, ...] = ()
    signals: tuple[tuple[SignalKind, int], ...] = ()
    times: tuple[ClockTime, ...] = ()
    policy: str = ""

    @property
    def name(self) -> str:
        """What it is of, on one line: the tracker, and the policy where that is not the site's own."""
        return f"{self.tracker} ({self.policy})" if self.policy else self.tracker

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
            for clock in self._clocks(pack)
        ]
        header = (say("column_clock"), *(phrases.status(status) for status in statuses))
        blocks: list[Block] = [Heading(say("report_heading"), level=2), Table(header, tuple(rows))]
        kept = [self._kept_line(clock, pack, destination) for clock in self._clocks(pack)]
        if any(kept):
            blocks.append(BulletList(tuple((Text(line),) for line in kept if line)))
        blocks.append(Heading(say("breaches_heading")))
        blocks += self._breaches(pack, destination)
        blocks += self._unwatched(destination)
        blocks += time_blocks(self.times, pack, destination)
        if self.signals:
            lines = tuple((Text(say("count_line", what=phrases.signal(kind), n=n)),) for kind, n in self.signals)
            blocks += [Heading(say("signals_heading")), BulletList(lines)]
        blocks.append(Paragraph((Text(say("policy_line", policy=pack.name, digest=pack.digest[:8])),)))
        return Document(tuple(blocks))

    def _clocks(self, pack: PolicyPack) -> tuple[str, ...]:
        """The clocks of the pack, then those of other versions of it that judged some issue."""
        return tuple(dict.fromkeys((*pack.clocks, *(clock for clock, _status, _n in self.counts))))

    def _unwatched(self, destination: Destination) -> list[Block]:
        phrases = destination.phrases
        listed = [each for each in self.without_goal if not each.confidential]
        hidden = len(self.without_goal) - len(listed)
        blocks: list[Block] = [Heading(phrases.say("without_goal_heading"))] if self.without_goal else []
        if listed:
            rows = tuple(
                (
                    (Text(each.key, url=each.url), Text(" "), Text(each.title)),
                    (Text(phrases.decision(each.covered) if each.covered else ""),),
                    (Text(each.why(phrases)),),
                )
                for each in listed[:_MOST_LISTED]
            )
            header = tuple(phrases.say(f"column_{name}") for name in ("issue", "coverage", "reason"))
            blocks.append(Table(header, rows))
        if len(listed) > _MOST_LISTED:
            blocks.append(Paragraph((Text(phrases.say("truncated_line", n=len(listed) - _MOST_LISTED)),)))
        if hidden:
            blocks.append(Paragraph((Text(phrases.say("confidential_line", n=hidden)),)))
        return blocks

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


def summaries(judged: Sequence[Judged], packs: Sequence[PolicyPack], tracker: str) -> tuple[ComplianceSummary, ...]:
    """The summaries of one tracker's issues, policy by policy: clocks of one name promise other things in another policy.

    Args:
        packs: the version in force of each policy, the site's own first; that one has a summary even where it judges none.
    """
    own = packs[0].id
    by_policy: dict[str, list[Judged]] = {pack.id: [] for pack in packs}
    for item in judged:
        if item.issue.ref.tracker == tracker:
            by_policy[item.pack.id if item.pack is not None else own].append(item)
    return tuple(
        replace(summarise(by_policy[pack.id], pack, tracker), policy="" if pack.id == own else pack.id)
        for pack in packs
        if pack.id == own or by_policy[pack.id]
    )


def summarise(judged: Sequence[Judged], pack: PolicyPack, tracker: str) -> ComplianceSummary:
    """The summary of one tracker's issues, all of one policy."""
    mine = [item for item in judged if item.issue.ref.tracker == tracker]
    counts: Counter[tuple[str, Status]] = Counter()
    breaches: list[Breach] = []
    without_goal: list[WithoutGoal] = []
    told: Counter[SignalKind] = Counter()
    for item in mine:
        ref, shown = item.issue.ref, tellable(item)
        for signal in item.signals:
            told[signal.kind] += 1
        unwatched = _without_goal(shown)
        if unwatched is not None:
            without_goal.append(unwatched)
        for verdict in shown.verdicts:
            counts[verdict.clock, verdict.status] += 1
            if verdict.status.breached:
                breaches.append(
                    Breach(
                        key=ref.key,
                        url=_address(ref),
                        title=shown.issue.title,
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
            for clock in dict.fromkeys((*pack.clocks, *(clock for clock, _status in counts)))
            for status in Status
            if counts[clock, status]
        ),
        breaches=tuple(sorted(breaches, key=_longest_overdue_first)),
        without_goal=tuple(sorted(without_goal, key=lambda each: each.key)),
        signals=tuple((kind, told[kind]) for kind in SignalKind if told[kind]),
        times=clock_times(mine, pack),
    )


def _without_goal(item: Judged) -> WithoutGoal | None:
    """The line of an issue that no clock watches; None for one that some clock watches, or that is over.

    Args:
        item: as it may be told.
    """
    issue, standing = item.issue, item.standing()
    unpromised: list[Verdict] = []
    for verdict in standing:
        if verdict.status is Status.NOT_APPLICABLE:
            unpromised.append(verdict)
        # A history with a gap is told as such; a clock may be running behind it.
        elif not verdict.status.final or verdict.status is Status.INDETERMINATE:
            return None
    if len(unpromised) < len(standing) and issue.state in OVER:
        return None
    reasons = {verdict.reason.code: verdict.reason for verdict in unpromised}
    return WithoutGoal(
        key=issue.ref.key,
        url=_address(issue.ref),
        title=issue.title,
        reasons=tuple(reasons.values()),
        covered=issue.coverage.decision if issue.coverage else None,
        confidential=issue.confidential,
    )


def _address(ref: IssueRef) -> str:
    return ref.url if ref.url.startswith(("https://", "http://")) else ""


def _longest_overdue_first(breach: Breach) -> tuple[bool, str, str, str]:
    due = breach.due_at.isoformat() if breach.due_at else ""
    return breach.status is not Status.OVERDUE, due, breach.key, breach.clock
