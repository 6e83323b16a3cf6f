"""The second opinion of ``warranty explain``: a tracker's own clocks beside ours, and where the two differ.

Rules:

1. It is shown and nothing else: no verdict, no action and no report knows of it.
2. A clock of ours stands beside the one of the tracker's that measures the same (see ``counterpart``); what has no
   counterpart is told alone.
3. What cannot be compared (working days with hours, a verdict that judges nothing) is not called a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python
from rich.text import Text

from flows.counterpart import counterparts
from flows.grid import STYLES, line
from flows.render import instant_in, span
from policies.duration import ElapsedTime, WorkingTime
from policies.native_sla import NativeCycle, NativeSla
from policies.verdict import Status, Verdict

if TYPE_CHECKING:
    from policies.clock import Clock

# Trackers count in minutes; less than one is no difference.
_SLACK = timedelta(minutes=1)
_UNJUDGED = frozenset({Status.CANCELLED, Status.NOT_APPLICABLE, Status.INDETERMINATE})


@dataclass(frozen=True, slots=True)
class Comparison:
    """One cycle, here and there.

    Attributes:
        clock, here: ours; "" and None where we have no counterpart.
        sla, there: the tracker's; "" and None where it has none.
        differs: each difference in words, with instants of the site's zone.
    """

    clock: str
    cycle: int
    here: Verdict | None
    sla: str
    there: NativeCycle | None
    differs: tuple[str, ...] = ()


def second_opinion(
    slas: Sequence[NativeSla], verdicts: Sequence[Verdict], clocks: Mapping[str, Clock], zone: str
) -> tuple[Comparison, ...]:
    """Every cycle of our clocks beside the tracker's, then what only the tracker has; empty where it has no clocks.

    Args:
        clocks: those of the policy the verdicts were given under, by name.
        zone: whose wall clock the differences are told in.
    """
    if not slas:
        return ()
    applying = {verdict.clock for verdict in verdicts if verdict.status is not Status.NOT_APPLICABLE}
    judged = {verdict.clock: clocks[verdict.clock] for verdict in verdicts}
    return tuple(_compared(counterparts(slas, judged, applying), slas, verdicts, zone))


def _compared(
    pairs: Mapping[str, NativeSla], slas: Sequence[NativeSla], verdicts: Sequence[Verdict], zone: str
) -> Iterator[Comparison]:
    told: set[tuple[str, int]] = set()
    for verdict in verdicts:
        sla = pairs.get(verdict.clock)
        if sla is None:
            if verdict.status is not Status.NOT_APPLICABLE:
                yield Comparison(verdict.clock, verdict.cycle, verdict, "", None)
            continue
        there = sla.cycles[verdict.cycle - 1] if verdict.cycle <= len(sla.cycles) else None
        told.add((sla.name, verdict.cycle))
        differs = tuple(_differences(verdict, there, zone))
        yield Comparison(verdict.clock, verdict.cycle, verdict, sla.name, there, differs)
    clocks = {sla.name: clock for clock, sla in pairs.items()}
    for sla in slas:
        for number, cycle in enumerate(sla.cycles, 1):
            if (sla.name, number) not in told:
                clock = clocks.get(sla.name, "")
                differs = ("the tracker counts a cycle that is none here",) if clock else ()
                yield Comparison(clock, number, None, sla.name, cycle, differs)


def _differences(here: Verdict, there: NativeCycle | None, zone: str) -> Iterator[str]:
    if here.status in _UNJUDGED:
        return
    if there is None:
        yield "the tracker has no such cycle"
        return
    yield from _apart("started", here.started_at, there.started, zone)
    if here.stopped_at and there.stopped:
        yield from _apart("ended", here.stopped_at, there.stopped, zone)
    elif here.stopped_at:
        yield "ended here, still runs there"
    elif there.stopped:
        yield "ended there, still runs here"
    if here.status.breached != there.breached:
        yield "breached here, not there" if here.status.breached else "breached there, not here"
    if not (here.stopped_at or there.stopped) and (here.status is Status.PAUSED) != there.paused:
        yield "paused there, not here" if there.paused else "paused here, not there"
    if isinstance(here.goal, ElapsedTime | WorkingTime) and there.goal and here.goal.length != there.goal:
        yield f"promised within {here.goal} here, {span(there.goal)} there"
    yield from _apart("due", here.due_at, there.breach_at, zone)
    if there.elapsed is not None and here.started_at and abs(here.used - there.elapsed) > _SLACK:
        yield f"used {span(here.used)} here, {span(there.elapsed)} there"


def _apart(what: str, here: datetime | None, there: datetime | None, zone: str) -> Iterator[str]:
    if here and there and abs(here - there) > _SLACK:
        yield f"{what} {instant_in(zone, here)} here, {instant_in(zone, there)} there"


# ---------------------------------------------------------------------------------------------------------------- show


def documented(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """For JSON; durations in seconds."""
    return [
        {
            "clock": one.clock,
            "cycle": one.cycle,
            "here": None
            if one.here is None
            else {
                "status": one.here.status.value,
                "goal": str(one.here.goal) if one.here.goal is not None else None,
                "started_at": one.here.started_at,
                "stopped_at": one.here.stopped_at,
                "due_at": one.here.due_at,
                "used": one.here.used.total_seconds(),
            },
            "sla": one.sla,
            "there": to_jsonable_python(one.there, timedelta_mode="float"),
            "differs": list(one.differs),
        }
        for one in comparisons
    ]


def shown(comparisons: Sequence[Comparison], zone: str) -> Iterator[Text]:
    """For a terminal, line by line; nothing where there is nothing to compare."""
    if comparisons:
        yield Text("Second opinion: the tracker's own clocks, which decide nothing", style="bold")
    for one in comparisons:
        cycle = f" #{one.cycle}" if one.cycle > 1 else ""
        names = " / ".join(name for name in (one.clock, line(one.sla)) if name)
        yield Text(f"{names}{cycle}")
        yield Text.assemble("  here   ", _here(one.here, zone))
        yield Text.assemble("  there  ", _there(one.there, zone))
        for difference in one.differs:
            yield Text(f"  differs: {difference}", style="yellow")


def _here(verdict: Verdict | None, zone: str) -> Text:
    if verdict is None:
        return Text("no such clock", style="dim")
    told = Text(verdict.status.value, style=STYLES[verdict.status.value])
    goal = f" of {verdict.goal}" if verdict.goal is not None else ""
    return told.append(f"{_ended(verdict.stopped_at, zone)}, used {span(verdict.used)}{goal}", style="")


def _there(cycle: NativeCycle | None, zone: str) -> Text:
    if cycle is None:
        return Text("no such clock", style="dim")
    word = "breached" if cycle.breached else "met" if cycle.stopped else "paused" if cycle.paused else "running"
    goal = f" of {span(cycle.goal)}" if cycle.goal is not None else ""
    used = f", used {span(cycle.elapsed)}{goal}" if cycle.elapsed is not None else ""
    return Text.assemble((word, "red" if cycle.breached else ""), f"{_ended(cycle.stopped, zone)}{used}")


def _ended(at: datetime | None, zone: str) -> str:
    return f", ended {instant_in(zone, at)}" if at else ""
