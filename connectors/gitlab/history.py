"""From what GitLab says of an issue's past, in either API, to events.

Rules:

1. Both APIs come to the same events with the same ids. GraphQL knows whole seconds and folds one person's label
   changes of one second into a note; so REST's instants are cut to the second and its label events folded likewise.
2. An id is the kind, the second, and the place within that second: same history, same ids.
3. What history leaves out is named as a gap where the present values show it, never filled in.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, permutations
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from policies.issue import (
    NOBODY,
    AssigneeChanged,
    DueDateChanged,
    FixVersionsChanged,
    Gap,
    GapKind,
    LabelsChanged,
    Moved,
    StatusChanged,
    TypeChanged,
    Word,
)
from policies.revised import maker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from policies.issue import Actor, Event

# Instants are in UTC already.
_labels_changed = maker(LabelsChanged)
_AT = attrgetter("at")
_MOST_IN_TURN = 5
"""People who change labels within one second; of more, the order stays as it is told."""

OPENED = Word("opened", "opened", "new")
CLOSED = Word("closed", "closed", "done")


class LabelDelta(NamedTuple):
    """Attributes: unknown: labels that were deleted since, of which GitLab keeps no name."""

    at: datetime
    actor: Actor
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unknown: int = 0


class StateDelta(NamedTuple):
    at: datetime
    actor: Actor
    closed: bool


class MilestoneDelta(NamedTuple):
    """Attributes: title: None for taken off, "" for one whose name is lost."""

    at: datetime
    actor: Actor
    title: str | None


class AssigneeDelta(NamedTuple):
    at: datetime
    actor: Actor
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    everybody: bool = False


class DueDelta(NamedTuple):
    at: datetime
    actor: Actor
    due: date | None


class TypeDelta(NamedTuple):
    at: datetime
    actor: Actor
    before: Word | None
    after: Word


class MoveDelta(NamedTuple):
    at: datetime
    actor: Actor
    before: str
    after: str


Delta = LabelDelta | StateDelta | MilestoneDelta | AssigneeDelta | DueDelta | TypeDelta | MoveDelta


class Present(NamedTuple):
    """How the issue stands now. Attributes: closed_at: as the tracker says it, None where it does not."""

    closed: bool
    closed_at: datetime | None
    labels: frozenset[str]
    assignees: tuple[str, ...]


@dataclass(slots=True)
class _Ids:
    """Names for events: kind, second, and a running number within the second."""

    _taken: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def next(self, kind: str, at: datetime) -> str:
        place = self._taken[kind, at] = self._taken.get((kind, at), 0) + 1
        # Two numbers instead of six: formatting them takes longest.
        day, second = (at.year * 100 + at.month) * 100 + at.day, (at.hour * 100 + at.minute) * 100 + at.second
        return f"{kind}:{day:08}T{second:06}Z:{place}"


def replay(deltas: Sequence[Delta], now: Present) -> tuple[list[Event], list[Gap]]:
    """The events that the deltas tell, and the gaps that the present values give away.

    Args:
        deltas: in the order the tracker gave them; of one kind, those of one second stay in that order.
        now: the present values.
    """
    by_kind: dict[type[Delta], list[Any]] = {}
    for delta in sorted(deltas, key=_AT):
        by_kind.setdefault(type(delta), []).append(delta)
    ids = _Ids()
    # Without any, it may still be closed.
    events, gaps = _states(by_kind.get(StateDelta, []), now, ids)
    if labels := by_kind.get(LabelDelta):
        told, untold = _labels(labels, now, ids)
        events += told
        gaps += untold
    if milestones := by_kind.get(MilestoneDelta):
        events += _milestones(milestones, ids)
    if assignees := by_kind.get(AssigneeDelta):
        events += _assignees(assignees, now, ids)
    if dues := by_kind.get(DueDelta):
        events += _dues(dues, ids)
    if types := by_kind.get(TypeDelta):
        events += _types(types, ids)
    if moves := by_kind.get(MoveDelta):
        events += _moves(moves, ids)
    return events, gaps


def _states(deltas: list[StateDelta], now: Present, ids: _Ids) -> tuple[list[Event], list[Gap]]:
    events: list[Event] = []
    gaps: list[Gap] = []
    closed = False

    def turn(at: datetime, actor: Actor, to_closed: bool) -> None:
        nonlocal closed
        before, after = (OPENED, CLOSED) if to_closed else (CLOSED, OPENED)
        events.append(StatusChanged(id=ids.next("status", at), at=at, actor=actor, before=before, after=after))
        closed = to_closed

    for delta in deltas:
        if delta.closed != closed:
            turn(delta.at, delta.actor, delta.closed)
        elif not delta.closed and not events:
            gaps.append(Gap(GapKind.HISTORY, f"reopened at {delta.at:%Y-%m-%d %H:%M:%SZ}, but no closing is told"))
        # Else the same twice: an event and an old system note of one change.
    if closed == now.closed:
        return events, gaps
    if now.closed and now.closed_at is not None and all(event.at <= now.closed_at for event in events):
        # Before 2020 GitLab kept no state events; the closing date stands on the issue all the same.
        turn(now.closed_at, NOBODY, to_closed=True)
    elif now.closed:
        gaps.append(Gap(GapKind.HISTORY, "closed, but GitLab does not say when"))
    else:
        gaps.append(Gap(GapKind.HISTORY, "open again, but GitLab does not say since when"))
    return events, gaps


def _labels(deltas: list[LabelDelta], now: Present, ids: _Ids) -> tuple[list[Event], list[Gap]]:
    if len({delta.at for delta in deltas}) == len(deltas):
        # As nearly always: in no second was there more than one change, so there is one order alone.
        changes = [_folded([delta]) for delta in deltas]
    else:
        together: dict[tuple[datetime, str], list[LabelDelta]] = {}
        for delta in deltas:
            together.setdefault((delta.at, delta.actor.id), []).append(delta)
        changes = _in_turn([_folded(group) for group in together.values()], now.labels)
    events: list[Event] = [
        _labels_changed(id=ids.next("labels", at), at=at, actor=actor, added=added, removed=removed)
        for at, actor, added, removed, unknown in changes
        if added or removed or unknown
    ]
    return events, _untold_labels(changes, now.labels)


def _folded(group: list[LabelDelta]) -> LabelDelta:
    """What one person did within a second: put on and taken off leaves nothing."""
    if len(group) == 1 and len(group[0].added) + len(group[0].removed) <= 1:
        return group[0]
    weight: Counter[str] = Counter()
    for delta in group:
        weight.update(delta.added)
        weight.subtract(delta.removed)
    added = tuple(sorted(name for name, figure in weight.items() if figure > 0))
    removed = tuple(sorted(name for name, figure in weight.items() if figure < 0))
    return LabelDelta(group[0].at, group[0].actor, added, removed, sum(delta.unknown for delta in group))


def _in_turn(deltas: list[LabelDelta], present: frozenset[str]) -> list[LabelDelta]:
    """The same changes, those of one second in an order that leads to the present labels.

    Folding puts all that a person did within a second in the place of the first of it, though somebody else may have
    come in between. Where the order as told leads there, or none does, it stays.
    """
    found: list[LabelDelta] = []
    standing = present
    for _, together in groupby(reversed(deltas), key=lambda delta: delta.at):
        told = list(together)
        turn: Sequence[LabelDelta] = told
        if 1 < len(told) <= _MOST_IN_TURN:
            turn = next((order for order in permutations(told) if _leads_back(order, standing)), told)
        for delta in turn:
            standing = standing.difference(delta.added).union(delta.removed)
        found += turn
    return found[::-1]


def _leads_back(latest_first: Sequence[LabelDelta], standing: frozenset[str]) -> bool:
    """Whether each change can have been the last one before those that were taken back already."""
    for delta in latest_first:
        if not standing.issuperset(delta.added) or not standing.isdisjoint(delta.removed):
            return False
        standing = standing.difference(delta.added).union(delta.removed)
    return True


def _untold_labels(changes: Iterable[LabelDelta], present: frozenset[str]) -> list[Gap]:
    """Labels that history does not lead to the present: put on, never taken off, and not there; or the reverse."""
    last: dict[str, bool] = {}
    lost: set[str] = set()
    for change in changes:
        for name in change.added:
            if last.get(name) is True:
                lost.add(name)
            last[name] = True
        for name in change.removed:
            if last.get(name) is False:
                lost.add(name)
            last[name] = False
    lost.update(name for name, on in last.items() if on != (name in present))
    if not lost:
        return []
    listed = ", ".join(repr(name) for name in sorted(lost)[:3]) + (" …" if len(lost) > 3 else "")  # noqa: PLR2004 - prose
    return [Gap(GapKind.HISTORY, f"changes of the labels {listed}: what is told does not lead to the present set")]


def _milestones(deltas: list[MilestoneDelta], ids: _Ids) -> list[Event]:
    events: list[Event] = []
    standing: str | None = None
    for delta in deltas:
        if delta.title == standing:
            continue
        # GitLab tells only the new milestone; the one before goes by itself.
        events.append(
            FixVersionsChanged(
                id=ids.next("milestone", delta.at),
                at=delta.at,
                actor=delta.actor,
                added=(delta.title,) if delta.title else (),
                removed=(standing,) if standing else (),
            )
        )
        standing = delta.title
    return events


def _assignees(deltas: list[AssigneeDelta], now: Present, ids: _Ids) -> list[Event]:
    standing = list(now.assignees)
    for delta in reversed(deltas):
        standing = [who for who in standing if who not in delta.added]
        standing.extend(who for who in delta.removed if who not in standing)
    events: list[Event] = []
    for delta in deltas:
        before = standing[0] if standing else None
        kept = [] if delta.everybody else [who for who in standing if who not in delta.removed]
        standing = [*kept, *(who for who in delta.added if who not in kept)]
        after = standing[0] if standing else None
        if before != after:
            named = ids.next("assignee", delta.at)
            events.append(AssigneeChanged(id=named, at=delta.at, actor=delta.actor, before=before, after=after))
    return events


def _dues(deltas: list[DueDelta], ids: _Ids) -> list[Event]:
    events: list[Event] = []
    standing: date | None = None
    for delta in deltas:
        named = ids.next("due", delta.at)
        events.append(DueDateChanged(id=named, at=delta.at, actor=delta.actor, before=standing, after=delta.due))
        standing = delta.due
    return events


def _types(deltas: list[TypeDelta], ids: _Ids) -> list[Event]:
    return [
        TypeChanged(id=ids.next("type", at), at=at, actor=actor, before=before, after=after)
        for at, actor, before, after in deltas
    ]


def _moves(deltas: list[MoveDelta], ids: _Ids) -> list[Event]:
    return [
        Moved(id=ids.next("moved", at), at=at, actor=actor, before=before, after=after)
        for at, actor, before, after in deltas
    ]
