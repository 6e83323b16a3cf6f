"""Lint: escalation levels that can never fire, or change nothing when they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from policies.actions import Escalate
from policies.duration import WorkingDays
from policies.fact_space import words_in
from policies.finding import Finding, Rule, Weight
from policies.threshold import WHOLE, BeforeDue, Share

if TYPE_CHECKING:
    from policies.ladder import Level
    from policies.pack import PolicyPack


def lint_ladders(pack: PolicyPack, tiers: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Levels at one instant, levels that do not rise, a tier named twice, a tier that a tracker of the site lacks.

    A level beyond 100% can fire: a clock that is overdue still runs. So can any level of a clock that stops at the
    first response, for as long as nobody answers.

    Args:
        tiers: each tracker's tiers, lowest first; empty where no site is given.
    """
    for number, action in enumerate(pack.actions):
        if isinstance(action, Escalate):
            yield from _ladder(("actions", number, "levels"), action)
            yield from _from_the_start(("actions", number, "levels"), action, pack)
            yield from _forgotten(("actions", number, "forgotten_pause"), action, pack, tiers)
            yield from _at_site(("actions", number, "levels"), action, tiers)
    known = {tier for of_tracker in tiers.values() for tier in of_tracker}
    for path, tier in words_in(pack, "tier"):
        if known and tier not in known:
            yield Finding(
                rule=Rule.NOT_AT_THIS_SITE,
                where=path,
                why=f"no tracker of the site has a tier {tier} ({', '.join(tiers)}): no issue is ever with {tier} here",
                mend=f"name who is behind {tier} under `tiers` of a tracker, or one of {', '.join(sorted(known))} here",
                weight=Weight.WARNING,
            )


def _place(level: Level) -> tuple[int, str, int]:
    """Where a level stands: ahead of the due instant (-1), at it (0) or behind it (1); by what measure; how far along."""
    mark = level.mark
    if isinstance(mark, Share):
        return (mark.percent > WHOLE) - (mark.percent < WHOLE), "%", mark.percent
    if isinstance(mark, BeforeDue):
        return -1, type(mark.left).__name__, -mark.left.minutes
    late = mark.late
    return 1, type(late).__name__, late.days if isinstance(late, WorkingDays) else late.minutes


def _rises(lower: Level, level: Level) -> int | None:
    """1 where the second comes later than the first, 0 at once, -1 earlier; None where the goal decides."""
    one, other = _place(lower), _place(level)
    if one[0] != other[0]:
        return 1 if one[0] < other[0] else -1
    return (one[2] < other[2]) - (one[2] > other[2]) if one[1] == other[1] else None


def _ladder(where: tuple[str | int, ...], ladder: Escalate) -> Iterator[Finding]:
    levels = list(enumerate(ladder.levels))
    for (_, lower), (number, level) in pairwise(levels):
        if _rises(lower, level) == -1:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number),
                why=f"the ladder of {ladder.clock} goes from {lower.mark.name} ({lower.tier}) back to {level.mark.name} "
                f"({level.tier}): a run that comes late takes the one that is reached last, and not this one",
                mend="write the levels in the order they are reached, each later than the one before",
                weight=Weight.WARNING,
            )
    for (_, lower), (number, level) in combinations(levels, 2):
        if _rises(lower, level) == 0:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number),
                why=f"two levels of {ladder.clock} stand at {level.mark.name}: of {lower.tier} and {level.tier} only one is "
                "ever taken",
                mend="give one of the two a later place, or leave it out",
            )
    seen: dict[str, Level] = {}
    for number, level in levels:
        # A level that says something of its own is worth its place.
        if level.tier in seen and not level.text:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "tier"),
                why=f"{level.tier} has the issue from {seen[level.tier].mark.name} of {ladder.clock} on: at {level.mark.name} "
                "nothing changes",
                mend="name the tier above, or leave the level out",
                weight=Weight.WARNING,
            )
        seen.setdefault(level.tier, level)


def _from_the_start(where: tuple[str | int, ...], ladder: Escalate, pack: PolicyPack) -> Iterator[Finding]:
    """Levels so long before due that for some goal they lie at the start."""
    for number, level in enumerate(ladder.levels):
        left = level.before_due
        for index, goal in enumerate(pack.clocks[ladder.clock].goals):
            within = goal.promise
            if left is None or isinstance(within, WorkingDays) or type(within) is not type(left):
                continue
            if within.minutes <= left.minutes:
                yield Finding(
                    rule=Rule.LADDER,
                    where=(*where, number, "before_due"),
                    why=f"goals[{index}] of {ladder.clock} promises {within}: {left} before due lies at its start, and "
                    f"{level.tier} has every such issue at once",
                    mend=f"write less than {within}, or a share such as 75%",
                    weight=Weight.WARNING,
                )
                break


def _forgotten(
    where: tuple[str | int, ...], ladder: Escalate, pack: PolicyPack, tiers: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    told = ladder.forgotten_pause
    if told is None:
        return
    if not any(rule.longest for rule in pack.clocks[ladder.clock].pause):
        yield Finding(
            rule=Rule.LADDER,
            where=where,
            why=f"no pause of {ladder.clock} has a `longest`: none is ever forgotten, and {told.tier} never told",
            mend="write under `pause` of the clock how long each may last, as in longest: 5bd, or leave this out",
        )
    lacking = [tracker for tracker, known in tiers.items() if told.tier not in known]
    if lacking:
        yield Finding(
            rule=Rule.LADDER,
            where=(*where, "tier"),
            why=f"{', '.join(lacking)} of the site has no tier {told.tier}: of a forgotten pause of {ladder.clock} the "
            "label tells, and nobody is assigned",
            mend=f"name who is behind {told.tier} under `tiers` of the tracker, or another tier here",
            weight=Weight.WARNING,
        )


def _at_site(where: tuple[str | int, ...], ladder: Escalate, tiers: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for number, level in enumerate(ladder.levels):
        lacking = [tracker for tracker, known in tiers.items() if level.tier not in known]
        if lacking:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "tier"),
                why=f"{', '.join(lacking)} of the site has no tier {level.tier}: at {level.mark.name} of {ladder.clock} the "
                "issue gets the tier's label, and nobody is assigned",
                mend=f"name who is behind {level.tier} under `tiers` of the tracker, or leave the level out",
                weight=Weight.WARNING,
            )
    for tracker, known in tiers.items():
        order = {tier: height for height, tier in enumerate(known)}
        for (_, lower), (number, level) in pairwise(enumerate(ladder.levels)):
            if level.tier in order and lower.tier in order and order[level.tier] < order[lower.tier]:
                yield Finding(
                    rule=Rule.LADDER,
                    where=(*where, number, "tier"),
                    why=f"at {level.mark.name} of {ladder.clock} the issue goes from {lower.tier} down to {level.tier}, by "
                    f"the order of the tiers of {tracker}; whoever has it there keeps it",
                    mend=f"swap the two, or write the tiers of {tracker} from the lowest up",
                    weight=Weight.WARNING,
                )
