"""Lint: the goals of one clock, and of clocks beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from policies.clock import Clock, Goal
from policies.fact_space import FactSpace, TooLarge, words_in
from policies.finding import Finding, Rule, Weight, spelled
from policies.history import Moment
from policies.pace import Pace, Slower, promise_of, same
from policies.vocabulary import OVER

if TYPE_CHECKING:
    from policies.pack import PolicyPack

_ANSWERS = frozenset({"first_response"})
_FIXES = frozenset({"patch_released"})


def lint_goals(pack: PolicyPack, pace: Pace) -> Iterator[Finding]:
    """Unreachable goals, overlapping goals, graver severities that wait longer, responses due after fixes."""
    for name, clock in pack.clocks.items():
        try:
            yield from _shadows_and_overlaps(name, clock, pack, pace)
            yield from _graver_is_slower(name, clock, pack, pace)
        except TooLarge as refused:
            yield undecided(("clocks", name, "goals"), refused)
    for (one, first), (other, second) in combinations(pack.clocks.items(), 2):
        try:
            yield from _between(_Pair(one, first, other, second, pack), pace)
            yield from _between(_Pair(other, second, one, first, pack), pace)
            yield from _one_reply_two_promises(_Pair(one, first, other, second, pack))
        except TooLarge as refused:
            yield undecided(("clocks", other, "goals"), refused)


def undecided(where: tuple[str | int, ...], refused: TooLarge) -> Finding:
    """Said instead of a guess where the words named together make too many cases."""
    return Finding(
        rule=Rule.UNDECIDED,
        where=where,
        why=f"the words named here tell {refused.size} kinds of issue apart, too many to try each",
        mend="name fewer labels or components; one label may stand for several",
        weight=Weight.WARNING,
    )


def taker(goals: tuple[Goal, ...], moment: Moment) -> int | None:
    """The index of the goal that counts for an issue; None: it has no promise."""
    return next((n for n, goal in enumerate(goals) if goal.when is None or goal.when.holds(moment)), None)


def _for(goal: Goal) -> str:
    return "all issues" if goal.when is None else spelled(goal.when)


# ------------------------------------------------------------------------------------------------------- in one clock


def _shadows_and_overlaps(name: str, clock: Clock, pack: PolicyPack, pace: Pace) -> Iterator[Finding]:
    goals = clock.goals
    space = FactSpace.of((goal.when for goal in goals), pack)
    held = [(moment, [goal.when is None or goal.when.holds(moment) for goal in goals]) for moment in space.moments]
    for later, goal in enumerate(goals):
        takers = {row.index(True) for _, row in held if row[later]}
        where = ("clocks", name, "goals", later)
        if takers and later not in takers:
            yield _shadowed(where, goal, [(n, goals[n]) for n in sorted(takers)], pack, pace)
            yield from _two_for_the_same(where, later, goals, held, pack)
        if goal.when is None or later not in takers:
            continue
        for earlier in range(later):
            if goals[earlier].when is None or same(promise_of(goals[earlier], pack), promise_of(goal, pack)):
                continue
            both = [moment for moment, row in held if row[later] and row.index(True) == earlier]
            # A narrow goal above a wider one is how a pack states an exception; nothing is left to chance there.
            crossing = any(row[earlier] and not row[later] for _, row in held)
            if both and crossing:
                yield Finding(
                    rule=Rule.TWO_RULES,
                    where=where,
                    why=f"an issue of {space.told(space.plainest(both))} is promised {goals[earlier].promise} by "
                    f"goals[{earlier}] {_for(goals[earlier])} and {goal.promise} by goals[{later}] {_for(goal)}; "
                    "only their order decides",
                    mend=f"say which is meant by a goal above both, such as "
                    f"{{when: {{all: [{_for(goals[earlier])}, {_for(goal)}]}}, within: ...}}",
                    weight=Weight.WARNING,
                )


def _later(goal: Goal, than: Goal, pack: PolicyPack, pace: Pace) -> bool:
    return pace.compare(promise_of(goal, pack), promise_of(than, pack)).slower is Slower.ALWAYS


def _two_for_the_same(
    where: tuple[str | int, ...],
    later: int,
    goals: tuple[Goal, ...],
    held: list[tuple[Moment, list[bool]]],
    pack: PolicyPack,
) -> Iterator[Finding]:
    """Two promises to exactly the same issues, neither of which an earlier goal lets through."""
    for earlier in range(later):
        shadowed = all(row.index(True) != earlier for _, row in held if row[earlier])
        alike = all(row[earlier] == row[later] for _, row in held)
        if shadowed and alike and not same(promise_of(goals[earlier], pack), promise_of(goals[later], pack)):
            yield Finding(
                rule=Rule.TWO_RULES,
                where=where,
                why=f"{_for(goals[later])} is promised {goals[earlier].promise} by goals[{earlier}] and "
                f"{goals[later].promise} by goals[{later}]",
                mend="one promise for the same issues; if one is of a first answer and the other of a full one, give "
                "each a clock of its own",
            )


def _shadowed(
    where: tuple[str | int, ...], goal: Goal, takers: list[tuple[int, Goal]], pack: PolicyPack, pace: Pace
) -> Finding:
    longer = next((each for _, each in takers if _later(goal, each, pack, pace)), None)
    told = ", ".join(f"goals[{n}] ({each.promise} for {_for(each)})" for n, each in takers)
    idle = all(same(promise_of(each, pack), promise_of(goal, pack)) for _, each in takers)
    first = takers[0][0]
    return Finding(
        rule=Rule.UNREACHABLE_GOAL,
        where=where,
        why=f"{goal.promise} for {_for(goal)} is never promised: {told} takes each such issue first"
        + (f"; {goal.promise} is the longer promise, and would be due later than {longer.promise}" if longer else ""),
        mend="leave it out: it promises the same"
        if idle
        else f"put it above goals[{first}] if it is the exception, leave it out if it is not meant, or give it a clock "
        "of its own if it is the promise of something else (an acknowledgement is not an answer)",
        weight=Weight.WARNING if idle else Weight.ERROR,
    )


def _graver_is_slower(name: str, clock: Clock, pack: PolicyPack, pace: Pace) -> Iterator[Finding]:
    goals = clock.goals
    space = FactSpace.of((goal.when for goal in goals), pack, always=("severity",))
    met: dict[tuple[int, int], list[tuple[Moment, str]]] = {}
    for moment in space.moments:
        for grave, lesser in combinations(pack.severities, 2):
            # Each setting of the other facts is met once: under the graver of the two.
            if moment.severity != grave:
                continue
            mine, other = taker(goals, moment), taker(goals, space.but(moment, severity=lesser))
            if mine is not None and other is not None and mine != other:
                met.setdefault((mine, other), []).append((moment, lesser))
    for (mine, other), cases in met.items():
        first, second = promise_of(goals[mine], pack), promise_of(goals[other], pack)
        found = pace.compare(first, second)
        if found.slower is Slower.NEVER:
            continue
        plainest = space.plainest(moment for moment, _ in cases)
        lesser = next(lesser for moment, lesser in cases if moment is plainest)
        example = found.told(second)
        yield Finding(
            rule=Rule.GRAVER_IS_SLOWER,
            where=("clocks", name, "goals", mine),
            why=f"{name}: an issue of {space.told(plainest)} is promised {first} by goals[{mine}]; were it only "
            f"{lesser}, {second} by goals[{other}]: the graver is {found.slower.value} due later"
            + (f" ({example})" if example else ""),
            mend=f"promise {plainest.severity} no more than {second} there; or, where the two figures are of different "
            "things (an answer, a way around, a fix), give each a clock of its own; `severities` go from the gravest "
            "down",
            weight=Weight.ERROR if found.slower is Slower.ALWAYS else Weight.WARNING,
        )


# ---------------------------------------------------------------------------------------------------- between clocks


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two clocks of one pack."""

    one: str
    first: Clock
    other: str
    second: Clock
    pack: PolicyPack

    def promises(self) -> Iterator[tuple[int, int, str]]:
        """The goals that stand side by side for some kind of issue, each pair once, and such an issue in words."""
        goals = (*self.first.goals, *self.second.goals)
        space = FactSpace.of((goal.when for goal in goals), self.pack)
        seen: set[tuple[int, int]] = set()
        for moment in space.moments:
            mine, theirs = taker(self.first.goals, moment), taker(self.second.goals, moment)
            if mine is not None and theirs is not None and (mine, theirs) not in seen:
                seen.add((mine, theirs))
                yield mine, theirs, space.told(moment)


def _between(pair: _Pair, pace: Pace) -> Iterator[Finding]:
    """The first clock's goals that are due after the second's, if one is answered and the other fixed."""
    pack = pair.pack
    if pair.first.start != pair.second.start:
        return
    if _is_answer(pair.first, pack) is not True or _is_answer(pair.second, pack) is not False:
        return
    for mine, theirs, told in pair.promises():
        answer = promise_of(pair.first.goals[mine], pack)
        fix = promise_of(pair.second.goals[theirs], pack)
        found = pace.compare(answer, fix)
        if found.slower is Slower.NEVER:
            continue
        example = found.told(fix)
        yield Finding(
            rule=Rule.RESPONSE_AFTER_FIX,
            where=("clocks", pair.one, "goals", mine),
            why=f"{told}: {pair.one} is promised within {answer}, {pair.other} within {fix}: the answer is "
            f"{found.slower.value} due after the fix" + (f"; {example}" if example else ""),
            mend=f"promise {pair.one} within {fix} or less there, or {pair.other} later",
            weight=Weight.ERROR if found.slower is Slower.ALWAYS else Weight.WARNING,
        )


def _is_answer(clock: Clock, pack: PolicyPack) -> bool | None:
    """Whether a clock stops when somebody answers or begins (True), when it is over (False); None: neither."""
    if isinstance(clock.stop, str):
        return True if clock.stop in _ANSWERS else False if clock.stop in _FIXES else None
    if next(words_in(clock.stop, "state"), None) is None:
        return None
    states = {moment.state for moment in FactSpace.of((clock.stop,), pack).moments if clock.stop.holds(moment)}
    return bool(states - OVER) if states else None


def _one_reply_two_promises(pair: _Pair) -> Iterator[Finding]:
    if pair.first.stop != pair.second.stop or pair.first.start != pair.second.start:
        return
    for mine, theirs, told in pair.promises():
        first = promise_of(pair.first.goals[mine], pair.pack)
        second = promise_of(pair.second.goals[theirs], pair.pack)
        if same(first, second):
            continue
        yield Finding(
            rule=Rule.TWO_RULES,
            where=("clocks", pair.other, "goals", theirs),
            why=f"{told}: {pair.one} promises {first} and {pair.other} {second}, and both start and stop at the same "
            "event: the shorter decides, the longer says nothing",
            mend="give the two different stops, if they promise different things, or leave one of them out",
            weight=Weight.WARNING,
        )
