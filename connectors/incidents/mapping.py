"""One record of an export -> the facts of an issue. Pure.

Rules:

1. Where modification numbers and times disagree, time decides; entries of one instant keep their numbers' order.
2. An entry that stands there twice is one entry. Two entries of one number that differ are two facts, and neither is
   counted twice: what an entry repeats is no change.
3. A number that is missing is a hole, and what was changed in it is not known: the history has a gap.
4. An incident starts at ``opened_at``. A missing ``created_at`` takes nothing from that; an ``opened_at`` that is
   missing, or later than the first entry, is a gap.
5. What a record says of itself (resolved, closed, reopened, priority) and its history does not show is a gap. The
   history decides where it tells of the same thing at another time.
6. A time without an offset is read on the clocks of the map's zone. One that those clocks skipped is a mistake; one
   that they showed twice is a gap.
7. Comments are no part of such an export. Each incident says so in a gap: no answer is proof of nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from connectors.incidents.export_map import ExportMap
from connectors.incidents.payload import Entry, Record
from policies.issue import (
    NOBODY,
    Actor,
    AssigneeChanged,
    Event,
    Gap,
    GapKind,
    Issue,
    IssueRef,
    Opened,
    PriorityChanged,
    State,
    StatusChanged,
    Word,
    utc,
)
from policies.vocabulary import OVER

TRACKER = "incidents"
TYPE = Word("incident", "Incident")
_MOST_HOLES = 6
_NEAR = 50  # equal entries stand side by side, but for others of their instant
_RESOLVED = OVER - {State.CANCELLED}


class Mended(StrEnum):
    """What of a record was put right without a gap, by a rule of ``clocks.md``."""

    SORTED = "entries out of order: sorted by time"
    FOLDED = "an entry given twice: folded"
    NUMBERED_TWICE = "a modification number given to two entries: both kept"
    NOT_CREATED = "created_at missing: starts at opened_at"
    ENTERED_RESOLVED = "resolved_at missing: entered as already resolved, at its opening"
    LATER_FIGURE = "resolved_at or closed_at later than the entry that says so: the entry decides"


class Mismatch(ValueError):
    """A record that gives no issue. Attributes: path, found, expected: for the one who wrote it."""

    def __init__(self, path: str, found: str, expected: str) -> None:
        self.path, self.found, self.expected = path, found, expected
        super().__init__(f"{path}: found {found}; expected {expected}")


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as facts.

    Attributes:
        states, priorities: every word of the export that it stood in, for the map to be held against.
        last_at: the last instant that its record knows.
    """

    issue: Issue
    mended: frozenset[Mended]
    states: tuple[str, ...]
    priorities: tuple[str, ...]
    last_at: datetime


@dataclass(slots=True)
class _Reading:
    """What is found on the way through one record."""

    zone: ZoneInfo
    gaps: list[Gap] = field(default_factory=list)
    mended: set[Mended] = field(default_factory=set)
    twice: list[str] = field(default_factory=list)

    def gap(self, detail: str, kind: GapKind = GapKind.HISTORY) -> None:
        self.gaps.append(Gap(kind, detail))

    def instant(self, written: datetime, path: str) -> datetime:
        """The instant of a written time. Raises Mismatch for one that the zone's clocks skipped."""
        if written.tzinfo is not None:
            return utc(written)
        first, second = (written.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first != second:
            if first.astimezone(self.zone).replace(tzinfo=None) != written:
                expected = f"a time that the clocks of {self.zone.key} showed; is `zone` right?"
                raise Mismatch(path, repr(written.isoformat()), expected)
            self.twice.append(written.isoformat())
        return first


@dataclass(frozen=True, slots=True)
class _Fact:
    """An entry at its instant. Attributes: id: unique in its incident, the same in each reading."""

    at: datetime
    entry: Entry
    id: str


def incident(record: Record, words: ExportMap) -> Incident:
    """The facts of a record.

    Raises:
        Mismatch: it holds no instant to start from, no state at all, or a time that its zone never showed.
    """
    reading = _Reading(ZoneInfo(words.zone))
    row = _in_time(record, reading)
    _look_for_holes(record, reading)
    opened = _opening(record, row, reading)
    states = _values(row, "state", reading)
    priorities = _values(row, "priority", reading)
    first_state = words.opened_as or next((value for _fact, value in states), "")
    if not first_state:
        raise Mismatch("history", "no state", "an entry that names a state, or `opened_as` in the map")
    first_priority = next((value for _fact, value in priorities), record.priority)
    assigned, assigned_first = _assignments(row)
    events: list[Event] = [
        Opened(id="opened", at=opened),
        *(
            StatusChanged(id=f"{fact.id}/state", at=fact.at, before=Word("", before), after=Word("", after))
            for fact, before, after in _steps(states, first_state)
        ),
        *(
            PriorityChanged(id=f"{fact.id}/priority", at=fact.at, before=Word("", before), after=Word("", after))
            for fact, before, after in _steps(priorities, first_priority or "")
        ),
        *(
            AssigneeChanged(id=f"{fact.id}/assignee", at=fact.at, before=before or None, after=after or None)
            for fact, before, after in _steps(assigned, assigned_first)
        ),
    ]
    last_state = states[-1][1] if states else first_state
    last_priority = priorities[-1][1] if priorities else record.priority
    _hold_against_history(record, row, states, last_priority, words, opened, reading)
    if reading.twice:
        reading.gap(f"times that {words.zone} showed twice: {_listed(sorted(set(reading.twice)))}")
    reading.gap("comments: no part of an exported history", GapKind.COMMENTS)
    last_assigned = assigned[-1][1] if assigned else assigned_first
    last_at = max(
        [opened, *(fact.at for fact in row)]
        + [reading.instant(at, "") for at in (record.resolved_at, record.closed_at) if at is not None]
    )
    return Incident(
        issue=Issue(
            ref=IssueRef(tracker=TRACKER, project=TRACKER, key=record.id, id=record.id),
            title=record.title or record.id,
            type=TYPE,
            status=Word("", last_state),
            reporter=NOBODY,
            opened_at=opened,
            updated_at=row[-1].at if row else opened,
            priority=Word("", last_priority) if last_priority else None,
            assignee=Actor(last_assigned) if last_assigned else None,
            events=tuple(events),
            gaps=tuple(reading.gaps),
        ),
        mended=frozenset(reading.mended),
        states=tuple(dict.fromkeys([first_state, *(value for _fact, value in states)])),
        priorities=tuple(
            dict.fromkeys([*(value for _fact, value in priorities), *([record.priority] if record.priority else [])])
        ),
        last_at=last_at,
    )


# ------------------------------------------------------------------------------------------------------------- entries


def _in_time(record: Record, reading: _Reading) -> list[_Fact]:
    """The entries in the order of their times, each once."""
    placed: list[tuple[datetime, int, int, Entry]] = []
    # Where an entry lacks its number, all of them stand as they were listed.
    numbered = all(entry.mod is not None for entry in record.history)
    for number, entry in enumerate(record.history):
        at = reading.instant(entry.at, f"history[{number}].at")
        placed.append((at, entry.mod if numbered and entry.mod is not None else number, number, entry))
    if any(earlier[0] > later[0] for earlier, later in pairwise(sorted(placed, key=lambda each: (each[1], each[2])))):
        reading.mended.add(Mended.SORTED)
    row: list[_Fact] = []
    seen: list[Entry] = []
    numbers: dict[str, int] = {}
    for at, mod, _number, entry in sorted(placed, key=lambda each: each[:3]):
        if entry.mod is not None and entry in seen[-_NEAR:]:
            reading.mended.add(Mended.FOLDED)
            continue
        seen.append(entry)
        name = f"mod-{mod}" if numbered else f"entry-{mod}"
        numbers[name] = numbers.get(name, 0) + 1
        if numbers[name] > 1:
            reading.mended.add(Mended.NUMBERED_TWICE)
            name = f"{name}:{numbers[name]}"  # in the order of events ":" comes behind the "/" of the first one's id
        row.append(_Fact(at, entry, name))
    return row


def _opening(record: Record, row: list[_Fact], reading: _Reading) -> datetime:
    if record.created_at is None:
        reading.mended.add(Mended.NOT_CREATED)
    if record.opened_at is not None:
        opened = reading.instant(record.opened_at, "opened_at")
        if row and row[0].at < opened:
            reading.gap("opening: opened_at is later than the first entry", GapKind.CREATION)
        return opened
    reading.mended.discard(Mended.NOT_CREATED)
    reading.gap("opening: opened_at is missing", GapKind.CREATION)
    if record.created_at is not None:
        return reading.instant(record.created_at, "created_at")
    if not row:
        raise Mismatch("", "no instant at all", "`opened_at`, and a history")
    return row[0].at


def _look_for_holes(record: Record, reading: _Reading) -> None:
    if not record.history:
        reading.gap("history: not a single entry")
        return
    numbers = sorted({entry.mod for entry in record.history if entry.mod is not None})
    holes = [(before + 1, after - 1) for before, after in pairwise([-1, *numbers]) if after - before > 1]
    if holes:
        told = _listed([str(first) if first == last else f"{first} to {last}" for first, last in holes])
        reading.gap(f"modifications not delivered: {told}")


def _listed(words: list[str]) -> str:
    more = len(words) - _MOST_HOLES
    return ", ".join(words[:_MOST_HOLES]) + (f" and {more} more" if more > 0 else "")


# -------------------------------------------------------------------------------------------------------------- values


def _values(row: list[_Fact], name: str, reading: _Reading) -> list[tuple[_Fact, str]]:
    """What the entries say of a field; one that sets it to nothing leaves a gap."""
    found: list[tuple[_Fact, str]] = []
    for fact in row:
        if name not in fact.entry.changed.model_fields_set:
            continue
        value: str | None = getattr(fact.entry.changed, name)
        if value is None:
            reading.gap(f"{name} left open: {fact.id}")
        else:
            found.append((fact, value))
    return found


def _assignments(row: list[_Fact]) -> tuple[list[tuple[_Fact, str]], str]:
    """Who the incident lay with: the person where the history names any, else the group; "" for nobody."""
    changes = [(fact, fact.entry.changed) for fact in row]
    name = "assigned_to" if any(changed.assigned_to for _fact, changed in changes) else "assignment_group"
    found = [(fact, getattr(changed, name) or "") for fact, changed in changes if name in changed.model_fields_set]
    return found, found[0][1] if found and found[0][0] is row[0] else ""


def _steps(values: list[tuple[_Fact, str]], before: str) -> Iterator[tuple[_Fact, str, str]]:
    """The changes among what was said: what only repeats is none."""
    for fact, after in values:
        if after != before:
            yield fact, before, after
            before = after


# ------------------------------------------------------------------------------------------------- the record's figures


def _hold_against_history(
    record: Record,
    row: list[_Fact],
    states: list[tuple[_Fact, str]],
    priority: str | None,
    words: ExportMap,
    opened: datetime,
    reading: _Reading,
) -> None:
    """Gaps for what the record says of itself and its history does not show."""
    vocabulary = words.vocabulary()
    instants = {fact.at for fact in row}
    over = [(fact, vocabulary.state_of(Word("", value))) for fact, value in states]
    for name, written in (("resolved_at", record.resolved_at), ("closed_at", record.closed_at)):
        if written is None:
            continue
        at = reading.instant(written, name)
        if at not in instants:
            reading.gap(f"{name}: no entry of {written.isoformat()}")
        elif at not in {fact.at for fact, state in over if state in _RESOLVED}:
            reading.mended.add(Mended.LATER_FIGURE)
    if record.resolved_at is None and over and over[-1][1] in _RESOLVED:
        _without_resolution(over, opened, reading)
    if record.priority is not None and priority is not None and record.priority != priority:
        reading.gap(f"priority: the record says {record.priority!r}, its history ends with {priority!r}")
    if priority is None:
        reading.gap("priority: not told")
    reopened = sum(before in OVER and after not in OVER for (_a, before), (_b, after) in pairwise(over))
    if record.reopen_count is not None and record.reopen_count > reopened:
        reading.gap(f"reopenings: the record counts {record.reopen_count}, its history shows {reopened}")


def _without_resolution(over: list[tuple[_Fact, State | None]], opened: datetime, reading: _Reading) -> None:
    """A resolved or closed incident whose record does not say since when: its history may."""
    fact, first = over[0]
    if first in _RESOLVED:
        if fact.at > opened:
            reading.gap("resolution: before the first entry, and resolved_at is missing")
        else:
            reading.mended.add(Mended.ENTERED_RESOLVED)
    elif all(state in {State.CLOSED, State.CANCELLED} for _fact, state in over if state in OVER):
        reading.gap("resolution: closed without an entry that resolves it, and resolved_at is missing")
