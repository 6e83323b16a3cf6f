"""Lint: when clocks start, pause and stop, and the years their calendars know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from policies.business_calendar import BusinessCalendar
from policies.clock import Clock, PauseRule
from policies.conditions import Condition
from policies.duration import ElapsedTime
from policies.fact_space import FactSpace, TooLarge, conditions_in, words_in
from policies.finding import Finding, Rule, Weight, dotted, spelled
from policies.issue import State
from policies.lint_goals import undecided
from policies.local_span import CalendarError
from policies.pace import promise_of

if TYPE_CHECKING:
    from policies.history import Moment
    from policies.pack import PolicyPack

Path = tuple[str | int, ...]


def lint_clocks(pack: PolicyPack, horizon: tuple[date, date]) -> Iterator[Finding]:
    """Conditions that can never hold, clocks that stop as they start, pauses behind a stop, calendars that run out."""
    yield from _never_true(pack)
    for name, clock in pack.clocks.items():
        if isinstance(clock.stop, str):
            continue
        try:
            yield from _never_runs(name, clock, clock.stop, pack)
            for number, rule in enumerate(clock.pause):
                yield from _pause_on_stop(("clocks", name, "pause", number, "when"), rule, clock.stop, pack)
        except TooLarge as refused:
            yield undecided(("clocks", name), refused)
    yield from _calendars(pack, horizon)
    yield from _units(pack, horizon)


# --------------------------------------------------------------------------------------------------------- conditions


def _never_true(pack: PolicyPack) -> Iterator[Finding]:
    reported: list[Path] = []
    for path, condition in conditions_in(pack):
        if any(path[: len(outer)] == outer for outer in reported):
            continue
        try:
            space = FactSpace.of((condition,), pack)
        except TooLarge as refused:
            yield undecided(path, refused)
            continue
        if any(condition.holds(moment) for moment in space.moments):
            continue
        reported.append(path)
        one_of_many = "any" in path
        yield Finding(
            rule=Rule.NEVER_TRUE,
            where=path,
            why=f"no issue can ever be {spelled(condition)}"
            + ("; the others of this `any` still can" if one_of_many else ""),
            mend="all words of a condition must hold together: write `any: [...]` where one of them is enough",
            weight=Weight.WARNING if one_of_many else Weight.ERROR,
        )


# ------------------------------------------------------------------------------------------------------ start and stop


def _never_runs(name: str, clock: Clock, stop: Condition, pack: PolicyPack) -> Iterator[Finding]:
    start = clock.start
    space = FactSpace.of((stop, None if isinstance(start, str) else start), pack, always=("state",))

    def starts(moment: Moment) -> bool:
        if start in {"opened", "reported"}:
            return moment.state is State.OPEN
        return moment.state not in {None, State.OPEN} if isinstance(start, str) else start.holds(moment)

    begun = [moment for moment in space.moments if starts(moment)]
    if begun and all(stop.holds(moment) for moment in begun):
        told = start if isinstance(start, str) else spelled(start)
        yield Finding(
            rule=Rule.NEVER_RUNS,
            where=("clocks", name, "stop"),
            why=f"{name} starts at {told}, and {spelled(stop)} holds then already: it stops as it starts, every "
            "promise is kept, and nothing that waits for its time ever happens",
            mend="let it stop at a state that comes after its start",
        )


def _pause_on_stop(where: Path, rule: PauseRule, stop: Condition, pack: PolicyPack) -> Iterator[Finding]:
    space = FactSpace.of((rule.when, stop), pack)
    paused = [moment for moment in space.moments if rule.when.holds(moment)]
    if not paused:
        return  # told as a condition that never holds
    if all(stop.holds(moment) for moment in paused):
        yield Finding(
            rule=Rule.PAUSE_ON_STOP,
            where=where,
            why=f"whenever the pause {spelled(rule.when)} holds, the stop {spelled(stop)} does too: the clock has "
            "stopped for good and never pauses",
            mend="leave the pause out; or, if the issue is not finished in that state, take it out of the stop",
        )
        return
    # A label may be put on a stopped issue, that is no contradiction; a state the pause itself names is one.
    named = dict.fromkeys(state for _, state in words_in(rule.when, "state"))
    both = [
        state
        for state in named
        if (there := [moment for moment in paused if moment.state == state])
        and all(stop.holds(moment) for moment in there)
    ]
    if both:
        yield Finding(
            rule=Rule.PAUSE_ON_STOP,
            where=where,
            why=f"in {', '.join(both)} the clock pauses and stops at once; the stop wins, so it never pauses there",
            mend=f"take {', '.join(both)} out of the pause or out of the stop",
            weight=Weight.WARNING,
        )


# ---------------------------------------------------------------------------------------------------------- calendars


def _calendars(pack: PolicyPack, horizon: tuple[date, date]) -> Iterator[Finding]:
    """One finding a calendar: at the place that names it and needs it the longest."""
    needs: dict[str, tuple[date, Path, Path, BusinessCalendar]] = {}
    last = datetime.combine(horizon[1], time(), tzinfo=UTC) + timedelta(days=1)
    for name, clock in pack.clocks.items():
        for number, goal in enumerate(clock.goals):
            promise = promise_of(goal, pack)
            if promise.calendar.valid_from is None and promise.calendar.valid_through is None:
                continue
            try:
                until = promise.calendar.local(promise.due(last)).date()
            except (CalendarError, OverflowError):
                until = date.max
            place: Path = ("clocks", name, "goals", number)
            names: Path = (*place, "calendar") if goal.calendar else ("calendar",)
            known = needs.get(promise.calendar.id)
            if known is None or until > known[0]:
                needs[promise.calendar.id] = (until, names, place, promise.calendar)
    for calendar_id, (until, names, place, calendar) in needs.items():
        through, since = calendar.valid_through, calendar.valid_from
        if through is not None and through < until:
            gone = through < horizon[0]
            yield Finding(
                rule=Rule.CALENDAR_YEARS,
                where=names,
                why=f"calendar {calendar_id} knows its holidays through {through}; {dotted(place)}, begun by "
                f"{horizon[1]}, is due as late as {until}: "
                + ("every verdict" if gone else "such verdicts")
                + " would be provisional",
                mend=f"give the calendar its holidays through {until.year} (`warranty calendars freeze`), and raise "
                "`valid_through`",
                weight=Weight.ERROR if gone else Weight.WARNING,
            )
        if since is not None and since > horizon[0]:
            yield Finding(
                rule=Rule.CALENDAR_YEARS,
                where=names,
                why=f"calendar {calendar_id} knows its holidays from {since} on; issues opened from {horizon[0]} on "
                "are judged by it",
                mend=f"give the calendar its holidays from {horizon[0].year} on, and lower `valid_from`",
                weight=Weight.WARNING,
            )


def _units(pack: PolicyPack, horizon: tuple[date, date]) -> Iterator[Finding]:
    week = datetime.combine(horizon[0], time(), tzinfo=UTC)
    for name, clock in pack.clocks.items():
        for number, goal in enumerate(clock.goals):
            where: Path = ("clocks", name, "goals", number)
            if isinstance(goal.promise, ElapsedTime):
                if goal.calendar is not None:
                    yield Finding(
                        rule=Rule.CALENDAR_UNIT,
                        where=(*where, "calendar"),
                        why=f"{goal.promise} is elapsed time, nights and holidays included: calendar {goal.calendar} "
                        "changes nothing",
                        mend="write working time (24bh, 3bd) if the calendar is meant, or leave the calendar out",
                        weight=Weight.WARNING,
                    )
                continue
            calendar = pack.calendar_of(goal)
            if calendar.elapsed(week, week + timedelta(weeks=1)) == timedelta(weeks=1):
                yield Finding(
                    rule=Rule.CALENDAR_UNIT,
                    where=(*where, "within"),
                    why=f"{goal.promise} counts working time, and calendar {calendar.id} never closes: weekends and "
                    "holidays count like any day",
                    mend="name the calendar of the office that does the work, or write elapsed time (120h for 5 days)",
                    weight=Weight.WARNING,
                )
