"""Lint: escalation levels that can never fire, or change nothing when they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from policies.actions import Escalate
from policies.finding import Finding, Rule, Weight

if TYPE_CHECKING:
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
            yield from _at_site(("actions", number, "levels"), action, tiers)


def _ladder(where: tuple[str | int, ...], ladder: Escalate) -> Iterator[Finding]:
    rungs = list(enumerate(ladder.levels))
    for (_, lower), (number, level) in pairwise(rungs):
        if level.at < lower.at:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "at"),
                why=f"the ladder of {ladder.clock} goes from {lower.at}% ({lower.tier}) back to {level.at}% "
                f"({level.tier}): a run that comes late takes {lower.tier}, the highest reached, and {level.tier} never",
                mend="write the levels in the order they are reached, each later than the one before",
                weight=Weight.WARNING,
            )
    climbed = sorted(rungs, key=lambda rung: rung[1].at)  # in the order of their shares; of one share as written
    for (_, lower), (number, level) in pairwise(climbed):
        if level.at == lower.at:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "at"),
                why=f"two levels of {ladder.clock} stand at {level.at}%: {lower.tier} is taken, {level.tier} never",
                mend=f"give {level.tier} a later share, or leave one of the two out",
            )
    seen: dict[str, int] = {}
    for number, level in climbed:
        if level.tier in seen:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "tier"),
                why=f"{level.tier} has the issue from {seen[level.tier]}% of {ladder.clock} on: at {level.at}% nothing "
                "changes, unless a person has moved it meanwhile",
                mend="name the tier above, or leave the level out",
                weight=Weight.WARNING,
            )
        seen.setdefault(level.tier, level.at)


def _at_site(where: tuple[str | int, ...], ladder: Escalate, tiers: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for number, level in enumerate(ladder.levels):
        lacking = [tracker for tracker, known in tiers.items() if level.tier not in known]
        if lacking:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "tier"),
                why=f"{', '.join(lacking)} of the site has no tier {level.tier}: at {level.at}% of {ladder.clock} the "
                "issue gets the tier's label, and nobody is assigned",
                mend=f"name who is behind {level.tier} under `tiers` of the tracker, or leave the level out",
                weight=Weight.WARNING,
            )
    for tracker, known in tiers.items():
        order = {tier: height for height, tier in enumerate(known)}
        rising = sorted(enumerate(ladder.levels), key=lambda rung: rung[1].at)
        for (_, lower), (number, level) in pairwise(rising):
            if level.tier in order and lower.tier in order and order[level.tier] < order[lower.tier]:
                yield Finding(
                    rule=Rule.LADDER,
                    where=(*where, number, "tier"),
                    why=f"at {level.at}% of {ladder.clock} the issue goes from {lower.tier} down to {level.tier}, by "
                    f"the order of the tiers of {tracker}; whoever has it there keeps it",
                    mend=f"swap the two, or write the tiers of {tracker} from the lowest up",
                    weight=Weight.WARNING,
                )
