"""The one total order of an issue's events: (instant, rank of the kind, id).

Rules:

1. Equal ids are one event: the last one given.
2. Numbers in ids count as numbers: 99 before 100.
3. What stands in order already, as trackers' answers mostly do, is not sorted; a few that are new are put in their places.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import islice
from operator import attrgetter, lt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from policies.issue import Event

_NUMBER = re.compile(r"[0-9]+")

# In one instant an issue is opened first; derived events follow the events they were derived from.
_RANK: dict[str, int] = {
    "opened": 0,
    "moved": 1,
    "type_changed": 2,
    "priority_changed": 3,
    "labels_changed": 4,
    "components_changed": 5,
    "status_changed": 6,
    "state_changed": 7,
    "severity_changed": 8,
    "category_changed": 9,
    "coverage_changed": 10,
    "assignee_changed": 11,
    "tier_changed": 12,
    "due_date_changed": 13,
    "fix_versions_changed": 14,
    "fix_released": 15,
    "commented": 16,
}


def in_order(events: tuple[Event, ...] | list[Event]) -> tuple[Event, ...]:
    """The events in their order, duplicates folded."""
    by_id = {event.id: event for event in events}
    if len(by_id) < len(events):
        events = tuple(by_id.values())
    when = [(event.at, _RANK[event.kind]) for event in events]
    if _ascending(when):
        return tuple(events)
    order = sorted(range(len(when)), key=when.__getitem__)
    # Ids are looked at only where they decide.
    if not _ascending([when[place] for place in order]):
        order.sort(key=lambda place: (when[place], _counting(events[place].id), events[place].id))
    return tuple([events[place] for place in order])


def put_in(events: tuple[Event, ...], more: Sequence[Event]) -> tuple[Event, ...]:
    """Events that stand in order, with more of them in their places: ``in_order((*events, *more))`` for a few more."""
    ids = {event.id for event in more}
    if len(ids) < len(more) or not ids.isdisjoint(map(_id, events)):
        return in_order((*events, *more))
    row = [*events]
    for event in more:
        at, rank = event.at, _RANK[event.kind]
        place = bisect_right(row, at, key=_at)
        while place and row[place - 1].at == at and _RANK[row[place - 1].kind] >= rank:
            if row[place - 1].kind == event.kind:  # of one instant and kind: their ids decide
                return in_order((*events, *more))
            place -= 1
        row.insert(place, event)
    return tuple(row)


_id, _at = attrgetter("id"), attrgetter("at")


def _ascending(when: list[tuple[datetime, int]]) -> bool:
    return all(map(lt, when, islice(when, 1, None)))


def _counting(id_: str) -> str:
    return _NUMBER.sub(lambda number: number[0].zfill(24), id_)
