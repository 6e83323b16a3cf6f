"""How a run is shown: tables for a terminal, Markdown and records for artifacts, one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from flows.grid import STYLES, Grid, Row, Rows, line
from flows.json_text import as_document, key_of
from flows.run import Done, Run
from flows.time_grid import times
from policies.changes import Change, Relabel, UpsertLink, described
from policies.confidential import WITHHELD, tellable
from policies.issue import FixReleased, IssueRef
from policies.loader import load_phrases
from policies.plan import HeldBack, PlannedChange
from policies.receipt import Outcome
from policies.signals import Signal
from policies.verdict import Judged, Status, Verdict

# What needs somebody comes first.
_URGENCY = {
    status: rank
    for rank, status in enumerate(
        (
            Status.OVERDUE,
            Status.AT_RISK,
            Status.MISSED,
            Status.INDETERMINATE,
            Status.RUNNING,
            Status.PAUSED,
            Status.MET,
            Status.CANCELLED,
            Status.NOT_APPLICABLE,
        )
    )
}

# --------------------------------------------------------------------------------------------------------------- words


def instant_in(zone: str, at: datetime | None) -> str:
    """An instant as people of the zone read it, to the minute; "" for None."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z") if at else ""


def short_instant_in(zone: str, at: datetime | None) -> str:
    """The same without its zone, for tables that name the zone once."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if at else ""


def span(length: timedelta | None) -> str:
    """A length of working time in hours and minutes, "" for None."""
    if length is None:
        return ""
    minutes = round(abs(length.total_seconds()) / 60)
    sign = "-" if length < timedelta() and minutes else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d} h"


def reason(verdict: Verdict) -> str:
    """Why a verdict is what it is, in a few words."""
    words = verdict.reason.code.value.replace("_", " ")
    return f"{words}: {verdict.reason.detail}" if verdict.reason.detail else words


def signal_words(signal: Signal) -> str:
    """A signal in a few words, with its clock and what there is to add."""
    told = load_phrases("en").signal(signal.kind)
    where = f"{signal.clock}: " if signal.clock else ""
    return f"{where}{told}" + (f" ({signal.detail})" if signal.detail else "")


def describe(change: Change) -> str:
    """A change in one line; labels short, as + and -."""
    if isinstance(change, Relabel):
        return " ".join(["label", *(f"+{name}" for name in change.add), *(f"-{name}" for name in change.remove)])
    return ", ".join(described(change))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _used(verdict: Verdict) -> str:
    """The working time used, without pauses; beside it the time with them where that is another."""
    if not verdict.started_at:
        return ""
    return span(verdict.used) + (f" / {span(verdict.gross)}" if verdict.gross != verdict.used else "")


def _kind(change: Change) -> str:
    return change.kind.replace("_", " ")


# --------------------------------------------------------------------------------------------------------------- grids


def verdicts(run: Run, tracker: str) -> Grid:
    """The verdict table of one tracker, the urgent ones first; promises that do not apply are only counted."""
    judged = [tellable(one) for one in run.judged if one.issue.ref.tracker == tracker]
    every = [(one, verdict) for one in judged for verdict in one.verdicts]
    rows = sorted(
        (row for row in every if row[1].status is not Status.NOT_APPLICABLE),
        key=lambda row: (
            _URGENCY[row[1].status],
            row[0].issue.ref.project,
            row[0].issue.opened_at,
            row[0].issue.ref.key,
        ),
    )
    server = run.servers.get(tracker, "")
    named = {one.pack.name for one in judged if one.pack is not None}
    policies = ", ".join(sorted(named, key=lambda name: (name != run.policy, name))) or run.policy
    return Grid(
        title=f"Verdicts · {tracker}" + (f" · {server}" if server else ""),
        header=("issue", "title", "clock", "verdict", "due", "used", "left", "why"),
        rows=Rows(rows, partial(_verdict, run.zone)),
        note=f"{_counted(len(judged), 'issue')}, policy {policies}, as of {instant_in(run.zone, run.now)}"
        + ("; used without / with pauses" if any(verdict.used != verdict.gross for _one, verdict in rows) else "")
        + ("; due at the earliest where paused" if any(v.status is Status.PAUSED for _one, v in rows) else "")
        + (f"; not applicable: {_counted(idle, 'promise')}" if (idle := len(every) - len(rows)) else ""),
        empty="no promise applies" if judged else "no issue was judged",
        cut=("title", "why"),
    )


def _verdict(zone: str, given: tuple[Judged, Verdict]) -> Row:
    one, verdict = given
    return (
        one.issue.ref.key,
        line(one.issue.title, 34),
        verdict.clock if verdict.cycle == 1 else f"{verdict.clock} #{verdict.cycle}",
        verdict.status.value,
        short_instant_in(zone, verdict.due_at),
        _used(verdict),
        span(verdict.left),
        reason(verdict),
    )


def plan(run: Run) -> Grid:
    """What is to be written."""
    return Grid(
        title=f"Plan {run.plan.digest}",
        header=("tracker", "issue", "change", "because"),
        rows=Rows(run.plan.changes, partial(_planned, run.confidential)),
        note=f"{_counted(len(run.plan.changes), 'change')}, {_counted(run.plan.judged, 'issue')} judged",
        empty="0 changes: "
        + ("what could be judged is" if run.why else "the trackers are")
        + " as the policy wants it",
        cut=("because",),
        least=40,
    )


def _planned(hidden: frozenset[IssueRef], planned: PlannedChange) -> Row:
    if planned.issue in hidden:
        return (planned.tracker, key_of(planned.issue), _kind(planned.change), WITHHELD)
    return (planned.tracker, key_of(planned.issue), describe(planned.change), planned.because)


def held_back(run: Run) -> Grid:
    """What the policy wants and something stands against."""
    return Grid(
        title="Held back",
        header=("tracker", "issue", "change", "reason", "detail"),
        rows=Rows(run.plan.held_back, partial(_held, run.confidential)),
    )


def _held(hidden: frozenset[IssueRef], held: HeldBack) -> Row:
    if held.issue in hidden:
        return (held.tracker, key_of(held.issue), _kind(held.change), held.reason.value, WITHHELD)
    return (held.tracker, key_of(held.issue), describe(held.change), held.reason.value, held.detail)


def skipped(run: Run) -> Grid:
    """Issues that were not judged."""
    return Grid(
        title="Skipped",
        header=("tracker", "issue", "reason"),
        rows=(
            *((skip.tracker, skip.key, skip.reason) for skip in run.plan.skipped),
            *(("", unreadable.key, unreadable.reason) for unreadable in run.unreadable),
        ),
    )


def receipts(run: Run) -> Grid:
    """What was written."""
    done = run.receipts or ()
    outcomes = run.outcomes()
    return Grid(
        title="Receipts",
        header=("tracker", "issue", "change", "outcome", "made", "error"),
        rows=Rows(done, partial(_receipt, run.confidential)),
        note=", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome if outcomes[outcome]),
        empty="0 changes written",
        cut=("change",),
    )


def _receipt(hidden: frozenset[IssueRef], done: Done) -> Row:
    receipt = done.receipt
    return (
        done.tracker,
        key_of(receipt.issue),
        _kind(receipt.change) if receipt.issue in hidden else describe(receipt.change),
        receipt.outcome.value,
        receipt.made,
        receipt.error,
    )


def releases(run: Run) -> Grid:
    """The published releases that carry a fix of a judged issue, and whether the issue tells of it."""
    linking = {
        (c.tracker, c.issue.id)
        for c in run.plan.changes
        if c.issue and (isinstance(c.change, UpsertLink) or _tells_of_patch(c.change))
    }
    rows = []
    for one in map(tellable, run.judged):
        for event in one.issue.events:
            if isinstance(event, FixReleased):
                ref = one.issue.ref
                told = "to be linked" if (ref.tracker, ref.id) in linking and run.receipts is None else "linked"
                at = short_instant_in(run.zone, event.at)
                rows.append((ref.key, event.release, at, event.evidence, event.url, told))
    return Grid(
        title="Patch releases",
        header=("issue", "release", "published", "evidence", "url", "link"),
        rows=tuple(rows),
        empty="no published release carries a fix of these issues",
        cut=("evidence",),
    )


def _tells_of_patch(change: Change) -> bool:
    return isinstance(change, Relabel) and any("::patch::" in label for label in change.add)


def summaries(run: Run) -> Grid:
    """Counts per tracker, clock and verdict."""
    counted = [(each.name, *counted) for each in run.summaries for counted in each.counts]
    clocks = dict.fromkeys((tracker, clock) for tracker, clock, _, _ in counted)  # in the order of site and pack
    shown = [status for status in _URGENCY if any(status == found for _, _, found, _ in counted)]
    totals = {(tracker, clock, status): count for tracker, clock, status, count in counted}
    return Grid(
        title="Summary",
        header=("tracker", "clock", *(status.value for status in shown)),
        rows=tuple(
            (tracker, clock, *(str(totals.get((tracker, clock, status), 0)) for status in shown))
            for tracker, clock in clocks
        ),
        empty="nothing was judged",
    )


def signals(run: Run) -> Grid:
    """What the team should know beside the verdicts."""
    return Grid(
        title="Worth a look",
        header=("tracker", "issue", "clock", "signal", "since", "detail"),
        rows=tuple(
            (
                one.issue.ref.tracker,
                one.issue.ref.key,
                signal.clock,
                load_phrases("en").signal(signal.kind),
                short_instant_in(run.zone, signal.at),
                signal.detail,
            )
            for one in map(tellable, run.judged)
            for signal in one.signals
        ),
        cut=("detail",),
    )


def without_goal(run: Run) -> Grid:
    """Issues that no clock watches, each with the reason."""
    phrases = load_phrases("en")
    return Grid(
        title="Without a promise",
        header=("tracker", "issue", "title", "coverage", "reason"),
        rows=tuple(
            (
                summary.name,
                each.key,
                line(each.title, 34),
                each.covered.value if each.covered else "",
                each.why(phrases),
            )
            for summary in run.summaries
            for each in summary.without_goal
        ),
        cut=("title",),
    )


def gone(run: Run) -> Grid:
    """Issues that are no longer there."""
    return Grid(
        title="No longer there, and forgotten",
        header=("tracker", "issue", "why"),
        rows=tuple((each.tracker, each.key, each.why) for each in run.gone),
    )


def requests(run: Run) -> Grid:
    """Requests sent, by kind."""
    return Grid(
        title="Requests",
        header=("tracker", "request", "sent"),
        rows=tuple(
            (tracker, kind, str(count))
            for tracker, kinds in run.requests.items()
            for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
        ),
        note=f"{sum(sum(kinds.values()) for kinds in run.requests.values())} in all",
        empty="none",
    )


def grids(run: Run) -> tuple[Grid, ...]:
    """Everything a run has to show, in order; what is empty and says nothing is left out."""
    if run.read_nothing:
        return (requests(run),)
    trackers = list(dict.fromkeys(one.issue.ref.tracker for one in run.judged))
    parts = [verdicts(run, tracker) for tracker in trackers]
    parts.append(plan(run))
    parts += [grid for grid in (held_back(run), skipped(run), gone(run), without_goal(run), signals(run)) if grid.rows]
    if run.receipts is not None:
        parts.append(receipts(run))
    parts += [releases(run), summaries(run)]
    parts += [grid for grid in (times(run.summaries),) if grid.rows]
    return (*parts, requests(run))


# ---------------------------------------------------------------------------------------------------------------- show


class Paper(Console):
    """A console that lets a closed pipe be told; Rich itself would end the program with code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Where tables go. A pipe gets wide lines instead of folded ones."""
    return Paper() if sys.stdout.isatty() else Paper(width=200)


def show(run: Run, *, as_json: bool) -> None:
    """Print a run."""
    if as_json:
        sys.stdout.write(as_document(run) + "\n")
    else:
        print_run(run, console())


def print_run(run: Run, out: Console) -> None:
    """The tables of a run, then its state in one line."""
    for grid in grids(run):
        out.print(grid.as_rich())
        out.print()
    out.print(verdict_line(run))


def verdict_line(run: Run) -> Text:
    """The run's state and what keeps it from being green."""
    state = run.state.value
    written = "" if run.receipts is None else f", {run.written} written"
    text = Text.assemble(
        (state, STYLES[state]),
        f"  {_counted(len(run.judged), 'issue')} judged, {_counted(len(run.plan.changes), 'change')} planned{written}",
    )
    for why in run.why:
        text.append(f"\n  {line(why)}")
    return text


def as_markdown(run: Run) -> str:
    """The whole run as one Markdown document."""
    head = (
        f"**{run.state.value}** · site {line(run.site)} · policy {line(run.policy)} · {instant_in(run.zone, run.now)}\n"
    )
    return "\n".join([head, *(grid.as_markdown() for grid in grids(run))])


def records(parts: Iterable[Grid]) -> Sequence[dict[str, str]]:
    """The rows of several tables as one list of records."""
    return [record for part in parts for record in part.as_records()]
