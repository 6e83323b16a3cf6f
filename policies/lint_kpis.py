"""Lint: targets over many reports against the goals they count."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from policies.fact_space import FactSpace, TooLarge
from policies.finding import Finding, Rule, Weight, spelled
from policies.kpi import ELSEWHERE, Bound, Kpi
from policies.lint_goals import taker, undecided
from policies.pace import Pace, Slower, promise_of, within

if TYPE_CHECKING:
    from policies.pack import PolicyPack


def lint_kpis(pack: PolicyPack, pace: Pace) -> Iterator[Finding]:
    """KPIs that no report can count for, that ask for less time than is promised, or that exclude each other."""
    for name, kpi in pack.kpis.items():
        if kpi.of == ELSEWHERE:
            continue
        try:
            yield from _against_goals(name, kpi, pack, pace)
        except TooLarge as refused:
            yield undecided(("kpis", name), refused)
        if kpi.share is not None and kpi.share.bound is Bound.AT_MOST:
            yield Finding(
                rule=Rule.KPI,
                where=("kpis", name, "share"),
                why=f"{name} asks that {kpi.share} of {kpi.of} be in time: the better the service, the worse the figure",
                mend=f"write '>= ...%'; a rate of something bad is `of: {ELSEWHERE}`",
            )
    yield from _against_each_other(pack)


def _against_goals(name: str, kpi: Kpi, pack: PolicyPack, pace: Pace) -> Iterator[Finding]:
    goals = pack.clocks[kpi.of].goals
    space = FactSpace.of((kpi.when, *(goal.when for goal in goals)), pack)
    counted = [moment for moment in space.moments if kpi.when is None or kpi.when.holds(moment)]
    if not counted:
        return  # told as a condition that never holds
    taken = {number: moment for moment in reversed(counted) if (number := taker(goals, moment)) is not None}
    if not taken:
        yield Finding(
            rule=Rule.KPI,
            where=("kpis", name),
            why=f"{name} counts {spelled(kpi.when)}, and {kpi.of} has no goal for any of these: there is nothing to "
            "take a share of, so it can not be met",
            mend=f"give clocks.{kpi.of} a goal for them, or count other reports",
        )
    if kpi.within is None or kpi.share is None or kpi.share.bound is Bound.AT_MOST:
        return
    for number, moment in sorted(taken.items()):
        promised = promise_of(goals[number], pack)
        asked = within(kpi.within, promised.calendar)
        found = pace.compare(promised, asked)
        if found.slower is Slower.NEVER:
            continue
        example = found.told(asked)
        yield Finding(
            rule=Rule.KPI,
            where=("kpis", name, "within"),
            why=f"{name} wants {kpi.share} within {asked}, while clocks.{kpi.of}.goals[{number}] promises "
            f"{space.told(moment)} only {promised}: reports that keep the promise {found.slower.value} "
            f"may miss the target" + (f" ({example})" if example else ""),
            mend=f"promise {asked} there too, count only the reports that are promised it (`when`), or set `within` "
            f"to {promised}",
            weight=Weight.ERROR if found.slower is Slower.ALWAYS else Weight.WARNING,
        )


def _against_each_other(pack: PolicyPack) -> Iterator[Finding]:
    for (one, first), (other, second) in combinations(pack.kpis.items(), 2):
        if first.of == ELSEWHERE or (first.of, first.when, first.within) != (second.of, second.when, second.within):
            continue
        if first.share is None or second.share is None:
            continue
        shares = {kpi.share.bound: kpi.share.percent for kpi in (first, second) if kpi.share is not None}
        low, high = shares.get(Bound.AT_LEAST), shares.get(Bound.AT_MOST)
        if low is not None and high is not None and low > high:
            why = f"{one} wants {first.share} and {other} {second.share} of the same: no figure is both"
        elif first.share.bound is second.share.bound and first.share != second.share:
            why = f"{one} wants {first.share} and {other} {second.share} of the same: only one of the two can decide"
        else:
            continue
        yield Finding(
            rule=Rule.KPI, where=("kpis", other, "share"), why=why, mend="leave one out, or count different reports"
        )
