"""Lint: escalation levels that can never fire, or change nothing when they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from policies.actions import Escalate
from policies.fact_space import words_in
from policies.finding import Finding, Rule, Weight

if TYPE_CHECKING:
    from policies.ladder import Level
    from policies.pack import PolicyPack

_DUE = 100


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
    share, before, after = (getattr(level, name, None) for name in ("at", "before_due", "after_due"))
    if share is not None:
        return (share > _DUE) - (share < _DUE), "%", share
    side, distance = (-1, before) if after is None else (1, after)
    return side, type(distance).__name__, side * getattr(distance, "minutes", getattr(distance, "days", 0))


def _rises(lower: Level, level: Level) -> int | None:
    """1 where the second comes later than the first, 0 at once, -1 earlier; None where the goal decides."""
    one, other = _place(lower), _place(level)
    if one[0] != other[0]:
        return 1 if one[0] < other[0] else -1
    return (one[2] < other[2]) - (one[2] > other[2]) if one[1] == other[1] else None


def _told(level: Level) -> str:
    share, before, after = (getattr(level, name, None) for name in ("at", "before_due", "after_due"))
    return f"{share}%" if share is not None else f"{after} after due" if after is not None else f"{before} before due"


def _ladder(where: tuple[str | int, ...], ladder: Escalate) -> Iterator[Finding]:
    levels = list(enumerate(ladder.levels))
    for (_, lower), (number, level) in pairwise(levels):
        if _rises(lower, level) == -1:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number),
                why=f"the ladder of {ladder.clock} goes from {_told(lower)} ({lower.tier}) back to {_told(level)} "
                f"({level.tier}): a run that comes late takes the one that is reached last, and not this one",
                mend="write the levels in the order they are reached, each later than the one before",
                weight=Weight.WARNING,
            )
    for (_, lower), (number, level) in combinations(levels, 2):
        if _rises(lower, level) == 0:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number),
                why=f"two levels of {ladder.clock} stand at {_told(level)}: of {lower.tier} and {level.tier} only one is "
                "ever taken",
                mend="give one of the two a later place, or leave it out",
            )
    seen: dict[str, Level] = {}
    for number, level in levels:
        # A level that says something of its own is worth its place.
        if level.tier in seen and not getattr(level, "text", None):
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "tier"),
                why=f"{level.tier} has the issue from {_told(seen[level.tier])} of {ladder.clock} on: at {_told(level)} "
                "nothing changes, unless a person has moved it meanwhile",
                mend="name the tier above, or leave the level out",
                weight=Weight.WARNING,
            )
        seen.setdefault(level.tier, level)


def _at_site(where: tuple[str | int, ...], ladder: Escalate, tiers: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for number, level in enumerate(ladder.levels):
        lacking = [tracker for tracker, known in tiers.items() if level.tier not in known]
        if lacking:
            yield Finding(
                rule=Rule.LADDER,
                where=(*where, number, "tier"),
                why=f"{', '.join(lacking)} of the site has no tier {level.tier}: at {_told(level)} of {ladder.clock} the "
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
                    why=f"at {_told(level)} of {ladder.clock} the issue goes from {lower.tier} down to {level.tier}, by "
                    f"the order of the tiers of {tracker}; whoever has it there keeps it",
                    mend=f"swap the two, or write the tiers of {tracker} from the lowest up",
                    weight=Weight.WARNING,
                )
