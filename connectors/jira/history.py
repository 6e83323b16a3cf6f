"""Jira's change history as events, and what of it does not fit together.

Rules:

1. Any order, any duplicates: entries are folded by id and events sorted later, by (instant, id).
2. ``from`` and ``to`` are ids, ``fromString`` and ``toString`` what was shown: labels are one string of words, fix
   versions and components one item each, assignees user keys on Data Center.
3. A status that was left without having been entered, or a present status nobody set, is a gap in the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.jira.instants import day, instant
from connectors.jira.people import actor_of
from connectors.jira.text import received
from policies.event_order import in_order
from policies.issue import (
    Actor,
    AssigneeChanged,
    ComponentsChanged,
    DueDateChanged,
    Event,
    FixVersionsChanged,
    Gap,
    GapKind,
    LabelsChanged,
    Moved,
    PriorityChanged,
    StatusChanged,
    TypeChanged,
    Word,
)

# An issue is read before its history: what happened in between is no contradiction.
_CLOCK_SLACK = timedelta(seconds=1)


def identifier(value: Any) -> str:
    """An id as text: Jira writes them as strings, some endpoints as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else received(value)


@dataclass(frozen=True, slots=True)
class _Item:
    """One changed field of one history entry."""

    id: str
    at: datetime
    actor: Actor
    before: str
    before_name: str
    after: str
    after_name: str

    def words(self, group: Callable[[str], str]) -> tuple[Word | None, Word | None]:
        return _word(self.before, self.before_name, group), _word(self.after, self.after_name, group)


@dataclass(frozen=True, slots=True)
class History:
    """Reads the history of one issue.

    Attributes:
        own: id of the account these flows write with.
        group: status id -> status category key, "" if unknown.
        accounts: user key -> id.
    """

    own: str
    group: Callable[[str], str]
    accounts: Mapping[str, str]

    def read(self, changelog: Any) -> tuple[list[Event], list[Gap]]:
        """Events in no particular order, and what is missing; ``changelog`` is ``{total, histories}``."""
        histories = changelog.get("histories") if isinstance(changelog, Mapping) else None
        if not isinstance(histories, list):
            return [], [Gap(GapKind.HISTORY, "the history was not delivered")]
        gaps: list[Gap] = []
        total = changelog.get("total")
        if isinstance(total, int) and total > len(histories):
            gaps.append(Gap(GapKind.HISTORY, f"history entries not delivered: {total - len(histories)}"))
        events: list[Event] = []
        unreadable = 0
        for entry in _folded(histories):
            try:
                events += self._entry(entry)
            except ValueError:
                unreadable += 1
        if unreadable:
            gaps.append(Gap(GapKind.HISTORY, f"history entries that can not be read: {unreadable}"))
        return events, gaps

    def _entry(self, entry: Any) -> Iterable[Event]:
        """The events of one entry. Raises ValueError if it can not be placed in time or holds no items."""
        if not isinstance(entry, Mapping) or not isinstance(entry.get("items"), list):
            raise ValueError("no history entry")  # noqa: TRY004 - what is wrong is the payload's value, not our call
        at = instant(entry.get("created"))
        actor = actor_of(entry.get("author"), self.own)
        number = identifier(entry.get("id")) or at.isoformat()
        items = [item for item in entry["items"] if isinstance(item, Mapping)]
        fields = [_field(item) for item in items]
        events: list[Event] = []
        for place, (item, field) in enumerate(zip(items, fields, strict=True)):
            # A move writes the project and the key; the key says it all.
            if field == "project" and "key" in fields:
                continue
            event = self._event(
                field,
                _Item(
                    id=f"history:{number}:{place}",
                    at=at,
                    actor=actor,
                    before=identifier(item.get("from")),
                    before_name=received(item.get("fromString")),
                    after=identifier(item.get("to")),
                    after_name=received(item.get("toString")),
                ),
            )
            if event is not None:
                events.append(event)
        return events

    def _event(self, field: str, item: _Item) -> Event | None:
        reads: dict[str, Callable[[_Item], Event]] = {
            "status": self._status,
            "labels": _labels,
            "priority": _priority,
            "issuetype": _type,
            "assignee": self._assignee,
            "duedate": _due,
            "fixversions": _fix_versions,
            "fix version": _fix_versions,
            "components": _components,
            "component": _components,
            "key": _moved,
            "project": _moved,
        }
        return reads[field](item) if field in reads else None

    def _status(self, item: _Item) -> Event:
        before, after = item.words(self.group)
        if after is None:
            raise ValueError("a status change to nothing")
        return StatusChanged(id=item.id, at=item.at, actor=item.actor, before=before, after=after)

    def _assignee(self, item: _Item) -> Event:
        before, after = (self.accounts.get(key, key) or None for key in (item.before, item.after))
        return AssigneeChanged(id=item.id, at=item.at, actor=item.actor, before=before, after=after)


def status_gaps(events: Iterable[Event], present: Word, updated_at: datetime) -> list[Gap]:
    """What the status changes leave open: the status at creation, a link of the chain, the way to the present one."""
    changes = [event for event in in_order(list(events)) if isinstance(event, StatusChanged)]
    gaps: list[Gap] = []
    if changes and changes[0].before is None:
        gaps.append(Gap(GapKind.CREATION, "the first status change does not say which status it left"))
    for one, next_ in pairwise(changes):
        if next_.before is not None and not _same(one.after, next_.before):
            gaps.append(
                Gap(
                    GapKind.HISTORY,
                    f"between {one.at:%Y-%m-%d %H:%M} and {next_.at:%Y-%m-%d %H:%M} UTC the status went from "
                    f"{one.after.name or one.after.id!r} to {next_.before.name or next_.before.id!r} without an entry",
                )
            )
    if changes and changes[-1].at <= updated_at + _CLOCK_SLACK and not _same(changes[-1].after, present):
        last = changes[-1]
        gaps.append(
            Gap(
                GapKind.HISTORY,
                f"after {last.at:%Y-%m-%d %H:%M} UTC the status went from {last.after.name or last.after.id!r} "
                f"to {present.name or present.id!r} without an entry",
            )
        )
    return gaps


def _same(one: Word, other: Word) -> bool:
    """By id; by name where an id is missing, or where a migration gave the same name a new id."""
    return (bool(one.id) and one.id == other.id) or (bool(one.name) and one.name.casefold() == other.name.casefold())


def _folded(histories: list[Any]) -> list[Any]:
    """Entries with the same id once: the one with more items, for a page may have cut it."""
    kept: dict[str, Any] = {}
    for place, entry in enumerate(histories):
        number = identifier(entry.get("id")) if isinstance(entry, Mapping) else ""
        key = number or f"at {place}"
        if key not in kept or _size(entry) > _size(kept[key]):
            kept[key] = entry
    return list(kept.values())


def _size(entry: Any) -> int:
    items = entry.get("items") if isinstance(entry, Mapping) else None
    return len(items) if isinstance(items, list) else -1


def _field(item: Mapping[str, Any]) -> str:
    if item.get("fieldtype") == "custom":
        return ""
    field = (received(item.get("fieldId")) or received(item.get("field"))).casefold()
    # The one field that Cloud's history calls otherwise by its id.
    return "key" if field == "issuekey" else field


def _ungrouped(_: str) -> str:
    return ""


def _word(id_: str, name: str, group: Callable[[str], str]) -> Word | None:
    return Word(id=id_, name=name, group=group(id_)) if id_ or name else None


def _labels(item: _Item) -> Event:
    before, after = set(item.before_name.split()), set(item.after_name.split())
    return LabelsChanged(
        id=item.id,
        at=item.at,
        actor=item.actor,
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
    )


def _priority(item: _Item) -> Event:
    before, after = item.words(_ungrouped)
    return PriorityChanged(id=item.id, at=item.at, actor=item.actor, before=before, after=after)


def _type(item: _Item) -> Event:
    before, after = item.words(_ungrouped)
    return TypeChanged(id=item.id, at=item.at, actor=item.actor, before=before, after=after)


def _due(item: _Item) -> Event:
    return DueDateChanged(id=item.id, at=item.at, actor=item.actor, before=day(item.before), after=day(item.after))


def _fix_versions(item: _Item) -> Event:
    removed = item.before_name or item.before
    added = item.after_name or item.after
    return FixVersionsChanged(
        id=item.id,
        at=item.at,
        actor=item.actor,
        added=(added,) if added else (),
        removed=(removed,) if removed else (),
    )


def _components(item: _Item) -> Event:
    removed = item.before_name or item.before
    added = item.after_name or item.after
    return ComponentsChanged(
        id=item.id,
        at=item.at,
        actor=item.actor,
        added=(added,) if added else (),
        removed=(removed,) if removed else (),
    )


def _moved(item: _Item) -> Event:
    return Moved(
        id=item.id,
        at=item.at,
        actor=item.actor,
        before=item.before_name or item.before,
        after=item.after_name or item.after,
    )
