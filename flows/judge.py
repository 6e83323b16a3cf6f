"""``warranty judge``: exported incident histories, judged under a pack without any tracker.

Rules:

1. The words of the file are held against the map, and the map against the pack, before anything is judged: a word that
   is not mapped would be judged as something it is not.
2. A verdict that the export's gaps leave open stays ``indeterminate``. Where its told part ends past due it is listed
   among the worst all the same, as what it is: nobody looks up a gap that is not shown.
3. Nothing is written, and no clock of this machine is read: ``now`` is the last instant that the file knows.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from connectors.incidents import reader
from connectors.incidents.export_map import ExportMap
from connectors.incidents.mapping import TRACKER, Incident
from flows import json_text, progress, render
from flows.exit_codes import Exit
from flows.grid import Grid
from flows.render import instant_in, short_instant_in, span
from flows.untold import untold, withheld
from policies.cycle import Pause, merged
from policies.loader import load_calendar, load_pack, read_shape
from policies.local_span import CalendarError
from policies.pack import PolicyPack
from policies.problem import InputError, Problem, nearest
from policies.summary import summarise
from policies.verdict import Judged, ReasonCode, Status, Verdict, judge

_EVERY = 25


@dataclass(frozen=True, slots=True)
class Late:
    """A promise past due as far as the export tells. Attributes: by: working time of its calendar past the due instant."""

    judged: Judged
    verdict: Verdict
    by: timedelta

    def pauses(self, pack: PolicyPack) -> dict[str, timedelta]:
        """Working time in which it was each party's turn."""
        calendar = pack.calendar_named(self.verdict.calendar)
        by_party: dict[str, list[Pause]] = {}
        for pause in self.verdict.pauses:
            by_party.setdefault(pause.party or pause.reason, []).append(pause)
        return {
            party: sum(
                (
                    calendar.elapsed(since, until)
                    for since, until in merged(pauses, self.verdict.stopped_at or self.verdict.judged_at)
                ),
                start=timedelta(),
            )
            for party, pauses in sorted(by_party.items())
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A file, judged. Attributes: late: broken promises, and those the gaps leave open; the longest past due first."""

    file: Path
    zone: str
    pack: PolicyPack
    now: datetime
    incidents: tuple[Incident, ...]
    judged: tuple[Judged, ...]
    late: tuple[Late, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(verdict for one in self.judged for verdict in one.verdicts)

    def counts(self) -> dict[str, Counter[Status]]:
        """By clock; every cycle of a clock has its verdict."""
        counts = {clock: Counter[Status]() for clock in self.pack.clocks}
        for clock, status, number in summarise(self.judged, self.pack, TRACKER).counts:
            counts[clock][status] += number
        return counts

    def gaps(self) -> dict[tuple[str, str], tuple[Verdict, ...]]:
        """The indeterminate verdicts by what keeps them so: (clock, the kind of gap), the clocks in the pack's order."""
        found: dict[tuple[str, str], list[Verdict]] = {}
        for verdict in self.verdicts:
            if verdict.reason.code is ReasonCode.HISTORY_GAP:
                found.setdefault((verdict.clock, verdict.reason.detail.partition(":")[0]), []).append(verdict)
        order = {clock: number for number, clock in enumerate(self.pack.clocks)}
        rows = sorted(found.items(), key=lambda each: (order[each[0][0]], -len(each[1]), each[0][1]))
        return {key: tuple(verdicts) for key, verdicts in rows}

    def mended(self) -> Counter[str]:
        return Counter(each.value for incident in self.incidents for each in incident.mended)


def judged(
    file: Path, map_file: Path, pack: str, now: datetime | None, calendar: Path | None = None, *, quiet: bool = True
) -> Report:
    """The incidents of a file under a pack.

    Args:
        calendar: a calendar's file, counted on in place of the pack's calendar of the same id.
        now: the instant judged at; None for the last one the file knows.

    Raises:
        InputError: the map, the pack or the file has mistakes (all of each are told).
    """
    words, loaded = _words_and_pack(map_file, pack, calendar)
    with progress.watched(quiet=quiet) as tell:
        incidents = reader.read(file, words, lambda done: tell("reading", done, None))
        _refuse_unmapped(file, map_file, words, incidents)
        at = now or max(incident.last_at for incident in incidents)
        vocabulary, roster = words.vocabulary(), words.roster()
        found: list[Judged] = []
        for number, incident in enumerate(incidents, 1):
            issue = roster.cast(vocabulary.apply(incident.issue))
            try:
                verdicts = judge(issue, loaded, at)
            except CalendarError as error:
                problem = Problem(str(file), 0, incident.issue.ref.key, "", f"instants that a calendar knows: {error}")
                raise InputError((problem,)) from None
            told = (withheld(verdict, loaded.clocks[verdict.clock]) for verdict in verdicts)
            found.append(Judged(issue, tuple(told)))
            if number % _EVERY == 0 or number == len(incidents):
                tell("judging", number, len(incidents))
    late = (
        Late(one, verdict, -verdict.left)
        for one in found
        for verdict in one.verdicts
        if verdict.left is not None and _is_late(verdict, loaded)
    )
    return Report(
        file=file,
        zone=words.zone,
        pack=loaded,
        now=at,
        incidents=incidents,
        judged=tuple(found),
        late=tuple(sorted(late, key=lambda each: (-each.by, each.judged.issue.ref.key, each.verdict.clock))),
    )


def _is_late(verdict: Verdict, pack: PolicyPack) -> bool:
    """Past due, as far as the export tells. Of answers it tells nothing, and one that is not seen is not late."""
    if verdict.status is not Status.INDETERMINATE:
        return verdict.status.breached
    return (
        not untold(pack.clocks[verdict.clock])
        and verdict.due_at is not None
        and (verdict.stopped_at or verdict.judged_at) > verdict.due_at
    )


def run(
    file: Path,
    map_file: Path,
    pack: str,
    now: datetime | None,
    calendar: Path | None = None,
    *,
    worst: int,
    as_json: bool,
) -> Exit:
    """Judge a file and print what came of it. Raises as ``judged`` does."""
    report = judged(file, map_file, pack, now, calendar, quiet=as_json)
    if as_json:
        sys.stdout.write(json_text.document(document(report, worst)) + "\n")
    else:
        show(render.console(), report, worst)
    return Exit.FINE


# --------------------------------------------------------------------------------------------------------------- words


def _words_and_pack(map_file: Path, pack: str, calendar: Path | None) -> tuple[ExportMap, PolicyPack]:
    problems: list[Problem] = []
    words: ExportMap | None = None
    loaded: PolicyPack | None = None
    try:
        words = read_shape(map_file, ExportMap)
    except InputError as error:
        problems += error.problems
    try:
        loaded = load_pack(pack)
        if calendar is not None:
            loaded = _counting_on(loaded, calendar)
    except InputError as error:
        problems += error.problems
    if problems or words is None or loaded is None:
        raise InputError(tuple(problems))
    if problems := [
        Problem(
            str(map_file),
            _line_of(map_file, word),
            f"{field}.{word}",
            repr(meaning),
            _one_of(known),
            nearest(meaning, known),
        )
        for field, meanings, known in (
            ("severities", words.severities, loaded.severities),
            ("categories", words.categories, loaded.categories),
        )
        for word, meaning in meanings.items()
        if known and meaning not in known
    ]:
        raise InputError(tuple(problems))
    return words, loaded


def _counting_on(pack: PolicyPack, file: Path) -> PolicyPack:
    """The pack with the calendar of a file in place of its own of that id; its calendar digest tells the difference."""
    calendar = load_calendar(file)
    own = {name: pack.calendar_named(name) for _where, name in pack.calendar_ids()}
    if calendar.id not in own:
        expected = f"the id of a calendar that {pack.name} counts on: {', '.join(own)}"
        problem = Problem(
            str(file), _line_of(file, "id:"), "id", repr(calendar.id), expected, nearest(calendar.id, own)
        )
        raise InputError((problem,))
    return pack.with_calendars({**own, calendar.id: calendar})


def _one_of(words: Sequence[str]) -> str:
    return f"one of the pack's words: {', '.join(words)}"


def _refuse_unmapped(file: Path, map_file: Path, words: ExportMap, incidents: Iterable[Incident]) -> None:
    """Raises InputError where the file holds a word that the map does not name."""
    held = tuple(incidents)
    problems = []
    for field, known, used in (
        ("states", tuple(words.states), [incident.states for incident in held]),
        ("severities", tuple(words.severities), [incident.priorities for incident in held]),
    ):
        if not known:
            continue
        folded = {word.casefold() for word in known}
        counts = Counter(word for found in used for word in found if word.casefold() not in folded)
        for word, number in sorted(counts.items()):
            expected = f"`{word}` in the map's {field}: {number} of {len(held)} incidents in {file.name} bear it"
            line = _line_of(map_file, f"{field}:")
            problems.append(Problem(str(map_file), line, field, "no such word", expected, nearest(word, known)))
    if problems:
        raise InputError(tuple(problems))


def _line_of(file: Path, words: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if words in line), 0)


# ---------------------------------------------------------------------------------------------------------------- show


def show(out: Console, report: Report, worst: int) -> None:
    """The tables of a report."""
    for grid in grids(report, worst):
        out.print(grid.as_rich(rows=max(len(grid.rows), 1)))
        out.print()


def grids(report: Report, worst: int) -> tuple[Grid, ...]:
    """Verdicts by clock, why some are indeterminate, the worst, what was put right. Empty ones are left out."""
    parts = (_counted(report), _gaps(report), _worst(report, worst), _mended(report))
    return tuple(grid for grid in parts if grid.rows or grid.empty)


def _counted(report: Report) -> Grid:
    counts = report.counts()
    shown = [status for status in Status if any(status in counted for counted in counts.values())]
    notes = [
        f"{len(report.incidents)} incidents",
        f"policy {report.pack.name}",
        f"as of {instant_in(report.zone, report.now)}",
    ]
    cycles = sum(verdict.cycle > 1 for verdict in report.verdicts)
    if cycles:
        notes.append(f"of a cycle begun by a late reopening: {cycles}")
    provisional = [verdict for verdict in report.verdicts if verdict.provisional]
    if provisional:
        names = ", ".join(sorted({verdict.calendar for verdict in provisional}))
        notes.append(f"provisional: {len(provisional)}, calendar {names} does not know the holidays of their years")
    return Grid(
        title=f"Verdicts · {report.file.name}",
        header=("clock", *(status.value for status in shown), "in all"),
        rows=tuple(
            (clock, *(str(counted[status]) for status in shown), str(counted.total()))
            for clock, counted in counts.items()
        ),
        note="; ".join(notes),
    )


def _gaps(report: Report) -> Grid:
    rows = []
    for (clock, what), verdicts in report.gaps().items():
        late = sum(_is_late(verdict, report.pack) for verdict in verdicts)
        told = not untold(report.pack.clocks[clock])
        rows.append(
            (
                clock,
                what,
                str(len(verdicts)),
                *((str(len(verdicts) - late), str(late)) if told else ("not told", "not told")),
            )
        )
    return Grid(
        title="Indeterminate, because the export has gaps",
        header=("clock", "gap", "verdicts", "in time as told", "late as told"),
        rows=tuple(rows),
    )


def _worst(report: Report, worst: int) -> Grid:
    shown = report.late[:worst]
    return Grid(
        title=f"The worst {len(shown)} of {len(report.late)} past due",
        header=("incident", "clock", "verdict", "goal", "due", "stopped", "past due", "others' turn"),
        rows=tuple(
            (
                each.judged.issue.ref.key,
                each.verdict.clock if each.verdict.cycle == 1 else f"{each.verdict.clock} #{each.verdict.cycle}",
                each.verdict.status.value,
                str(each.verdict.goal).replace(" until close_of_business", " to close"),
                short_instant_in(report.zone, each.verdict.due_at),
                short_instant_in(report.zone, each.verdict.stopped_at),
                span(each.by),
                ", ".join(f"{party} {span(length)}" for party, length in each.pauses(report.pack).items()),
            )
            for each in shown
        ),
        note=f"past due and others' turn in the goal's own time; times in {report.zone}; indeterminate: late as told, and a gap may hold what excuses it",
        empty="no promise was broken, as far as the export tells",
    )


def _mended(report: Report) -> Grid:
    return Grid(
        title="Put right while reading",
        header=("what", "incidents"),
        rows=tuple((what, str(number)) for what, number in sorted(report.mended().items())),
    )


def document(report: Report, worst: int) -> dict[str, Any]:
    """The report for JSON: every verdict, instants in UTC, lengths in seconds."""
    return {
        "file": str(report.file),
        "policy": report.pack.name,
        "digest": report.pack.digest,
        "calendar_digest": report.pack.calendar_digest,
        "now": report.now,
        "zone": report.zone,
        "incidents": len(report.incidents),
        "counts": {
            clock: {status.value: number for status, number in counted.items()}
            for clock, counted in report.counts().items()
        },
        "indeterminate": [
            {
                "clock": clock,
                "gap": what,
                "verdicts": len(verdicts),
                "late_as_told": sum(_is_late(verdict, report.pack) for verdict in verdicts),
            }
            for (clock, what), verdicts in report.gaps().items()
        ],
        "provisional": sum(verdict.provisional for verdict in report.verdicts),
        "mended": dict(report.mended()),
        "worst": [
            {
                "id": each.judged.issue.ref.key,
                "clock": each.verdict.clock,
                "cycle": each.verdict.cycle,
                "status": each.verdict.status,
                "opened_at": each.judged.issue.opened_at,
                "due_at": each.verdict.due_at,
                "stopped_at": each.verdict.stopped_at,
                "past_due": each.by,
                "pauses": each.pauses(report.pack),
            }
            for each in report.late[:worst]
        ],
        "judged": [
            {
                "id": one.issue.ref.key,
                "opened_at": one.issue.opened_at,
                "state": one.issue.state,
                "severity": one.issue.severity,
                "gaps": [gap.detail for gap in one.issue.gaps],
                "mended": sorted(each.value for each in incident.mended),
                "verdicts": [json_text.verdict_document(verdict) for verdict in one.verdicts],
            }
            for one, incident in zip(report.judged, report.incidents, strict=True)
        ],
    }
