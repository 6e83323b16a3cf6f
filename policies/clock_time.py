"""Whose time the promises of many issues took, by clock.

Rule: only cycles that have stopped are added up. What still runs grows by the mere passing of time, and the report would
be another one with every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policies.document import Block, Heading, Paragraph, Table, Text
from policies.note import clock_title
from policies.shares import Share, Sums, holders, pieces, with_pauses, without_pauses
from policies.verdict import Status

if TYPE_CHECKING:
    from policies.destination import Destination
    from policies.pack import PolicyPack
    from policies.phrases import Phrases
    from policies.verdict import Judged

_STOPPED = frozenset({Status.MET, Status.MISSED})


@dataclass(frozen=True, slots=True)
class ClockTime:
    """The time of one clock over many issues.

    Attributes:
        cycles: how many stopped cycles are added up.
        shares: one for each party, tiers first (see ``policies.shares``).
    """

    clock: str
    cycles: int
    shares: tuple[Share, ...]

    @property
    def used(self) -> timedelta:
        """Working time without pauses."""
        return without_pauses(self.shares)

    @property
    def gross(self) -> timedelta:
        """Working time had nothing been paused."""
        return with_pauses(self.shares)

    def lines(self, phrases: Phrases) -> tuple[tuple[str, timedelta, timedelta], ...]:
        """(whose it was, working time, time by the wall clock) of each party, then of all without and with pauses."""
        ran = sum((share.elapsed for share in self.shares if not share.paused), timedelta())
        whole = sum((share.elapsed for share in self.shares), timedelta())
        return (
            *((phrases.party(each.party, paused=each.paused), each.working, each.elapsed) for each in self.shares),
            (phrases.say("time_without_pauses"), self.used, ran),
            (phrases.say("time_with_pauses"), self.gross, whole),
        )


def clock_times(judged: Iterable[Judged], pack: PolicyPack) -> tuple[ClockTime, ...]:
    """The time of each clock of which a cycle has stopped, in the pack's order."""
    cycles: dict[str, int] = dict.fromkeys(pack.clocks, 0)
    found: dict[str, Sums] = {}
    for item in judged:
        stopped = [verdict for verdict in item.verdicts if verdict.status in _STOPPED]
        held = holders(item.issue) if stopped else ()
        for verdict in stopped:
            cycles[verdict.clock] = cycles.get(verdict.clock, 0) + 1
            sums = found.get(verdict.clock)
            if sums is None:
                sums = found[verdict.clock] = Sums()
            sums.add(pieces(item.issue, verdict, item.pack or pack, held))
    return tuple(ClockTime(clock, count, found[clock].shares()) for clock, count in cycles.items() if count)


def time_blocks(times: Sequence[ClockTime], pack: PolicyPack, destination: Destination) -> Iterator[Block]:
    """What the report says of it: a table, and what its figures are of. Nothing where no cycle has stopped."""
    if not times:
        return
    phrases = destination.phrases
    rows: list[tuple[tuple[Text, ...], ...]] = []
    for time in times:
        title = clock_title(pack, time.clock, phrases.language)
        rows += (
            (
                (Text(title),),
                (Text(who, strong=number >= len(time.shares)),),
                (Text(phrases.length(working)),),
                (Text(phrases.length(elapsed)),),
            )
            for number, (who, working, elapsed) in enumerate(time.lines(phrases))
        )
    yield Heading(phrases.say("time_heading"))
    header = tuple(phrases.say(f"column_{name}") for name in ("clock", "party", "working", "elapsed"))
    yield Table(header, tuple(rows))
    yield Paragraph((Text(phrases.say("time_line", n=sum(time.cycles for time in times))),))
