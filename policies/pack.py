"""A policy pack: which promises hold, what counts as keeping them, and what is done about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from policies.actions import Action, Escalate, RaisePriority
from policies.business_calendar import ALWAYS, BusinessCalendar
from policies.clock import Clock, Goal
from policies.conditions import Condition
from policies.kpi import ELSEWHERE, Kpi
from policies.threshold import Mark, Share

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]


class PolicyPack(BaseModel):
    """What one warranty promises. Built by the loader, which hands it its calendars.

    ``applies_to: new`` judges the issues opened from ``effective_from`` on; ``open`` also those open at that instant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name = Field(description="what sites, verdicts and cases call it")
    version: int = Field(ge=1, description="raised with each change; verdicts cite `id@version`")
    title: dict[str, str] = Field(default_factory=dict, description="by language (en, zh)")
    effective_from: AwareDatetime | None = Field(None, description="an instant with its offset; left out: always")
    applies_to: Literal["new", "open"] = Field(
        "new", description="issues opened from then on, or also those open at that instant"
    )
    calendar: str = Field("always", description="id of the calendar that working time counts on")
    severities: tuple[str, ...] = Field((), description="the words for severity, gravest first")
    categories: tuple[str, ...] = Field((), description="the words for kinds of report")
    clocks: dict[Name, Clock] = Field(min_length=1, description="the promises, by name")
    actions: tuple[Action, ...] = Field((), description="what is done about the verdicts, in any order")
    kpis: dict[Name, Kpi] = Field(default_factory=dict, description="targets over many reports, by name")
    acknowledgements: tuple[str, ...] = Field(
        (), description="phrases that say only that a report has arrived, beside those known in English and Chinese"
    )

    _calendars: Mapping[str, BusinessCalendar] = PrivateAttr(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """``id@version``, as verdicts cite it."""
        return f"{self.id}@{self.version}"

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits over the pack alone: its calendars have a digest of their own."""
        return _sixteen(self.model_dump(mode="json", by_alias=True))

    @cached_property
    def calendar_digest(self) -> str:
        """Sixteen hex digits over all calendars the pack counts on."""
        return _sixteen({name: calendar.digest for name, calendar in sorted(self._calendars.items())})

    def with_calendars(self, calendars: Mapping[str, BusinessCalendar]) -> PolicyPack:
        """The same pack, counting on these calendars."""
        pack = self.model_copy()
        for worked_out in ("calendar_digest", "_by_name"):  # a copy brings them along
            pack.__dict__.pop(worked_out, None)
        pack._calendars = dict(calendars)  # noqa: SLF001  a fresh copy of our own class
        return pack

    def on_calendar(self, name: str, calendar: BusinessCalendar) -> PolicyPack:
        """The same pack with another default calendar; goals that name one of their own keep it."""
        pack = self.model_copy(update={"calendar": name})
        pack.__dict__.pop("digest", None)  # a copy brings it along
        return pack.with_calendars({**self._calendars, name: calendar})

    def calendar_ids(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every calendar the pack names, with where it does."""
        yield ("calendar",), self.calendar
        for name, clock in self.clocks.items():
            for number, goal in enumerate(clock.goals):
                if goal.calendar is not None:
                    yield ("clocks", name, "goals", number, "calendar"), goal.calendar

    def calendar_of(self, goal: Goal) -> BusinessCalendar:
        return self.calendar_named(goal.calendar or self.calendar)

    def calendar_named(self, name: str) -> BusinessCalendar:
        return self._by_name.get(name, ALWAYS)

    @cached_property
    def _by_name(self) -> Mapping[str, BusinessCalendar]:
        # pydantic takes many times longer to find a private attribute than a plain one. Verdicts name a calendar by its
        # id, which need not be the name of its file, by which packs name it.
        return {**{calendar.id: calendar for calendar in self._calendars.values()}, **self._calendars}

    @cached_property
    def severity_floors(self) -> tuple[tuple[Condition, str], ...]:
        """(the issues, the least severity they are judged by) for each action that raises the priority."""
        return tuple((action.when, action.at_least) for action in self.actions if isinstance(action, RaisePriority))

    @cached_property
    def _thresholds(self) -> dict[str, tuple[Mark, ...]]:
        marks: dict[str, set[Mark]] = {name: {Share(clock.at_risk)} for name, clock in self.clocks.items()}
        for action in self.actions:
            if isinstance(action, Escalate):
                marks[action.clock].update(level.mark for level in action.levels)
        return {name: tuple(sorted(found, key=_in_order)) for name, found in marks.items()}

    def thresholds_of(self, clock: str) -> tuple[Mark, ...]:
        """The places at which something changes for a clock: shares of the goal, the least first, then the others."""
        return self._thresholds[clock]

    @cached_property
    def ladders(self) -> tuple[Escalate, ...]:
        """The actions that escalate."""
        return tuple(action for action in self.actions if isinstance(action, Escalate))

    @classmethod
    def undeclared(cls, data: Mapping[str, Any]) -> Iterator[Undeclared]:
        """Words that a pack's plain data uses and does not declare. Makes no assumption on the rest of the data."""
        declared = {
            "severity": _texts(data.get("severities")),
            "at_least": _texts(data.get("severities")),
            "category": _texts(data.get("categories")),
            "clock": _texts(data.get("clocks")),
            "clocks": _texts(data.get("clocks")),
        }
        for part in ("clocks", "actions"):
            yield from _undeclared_below((part,), data.get(part), declared)
        del declared["at_least"]  # a word of actions alone
        counted = {**declared, "of": (*declared["clock"], ELSEWHERE)}
        yield from _undeclared_below(("kpis",), data.get("kpis"), counted)

    @model_validator(mode="after")
    def _declares_its_words(self) -> PolicyPack:
        found = list(self.undeclared(self.model_dump(by_alias=True, exclude_none=True)))
        if found:
            raise UndeclaredWords(found)
        return self


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A word that is used at a path and not among those declared."""

    path: tuple[str | int, ...]
    word: str
    declared: tuple[str, ...]


class UndeclaredWords(ValueError):
    """A pack uses words that it does not declare."""

    def __init__(self, found: list[Undeclared]) -> None:
        self.found = found
        super().__init__("; ".join(f"{'.'.join(map(str, each.path))}: {each.word!r}" for each in found))


def _sixteen(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _in_order(mark: Mark) -> tuple[bool, int, str]:
    return (False, mark.percent, "") if isinstance(mark, Share) else (True, 0, mark.name)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, (list, tuple, dict)) else ()


def _undeclared_below(
    path: tuple[str | int, ...], value: Any, declared: Mapping[str, tuple[str, ...]]
) -> Iterator[Undeclared]:
    if isinstance(value, dict):
        for key, below in value.items():
            # Directly below `clocks` and `kpis` stand names, not words.
            if key in declared and path not in {("clocks",), ("kpis",)}:
                for word in (below,) if isinstance(below, str) else _texts(below):
                    if word not in declared[key]:
                        yield Undeclared((*path, key), word, declared[key])
            if key != "title":
                yield from _undeclared_below((*path, key), below, declared)
    elif isinstance(value, (list, tuple)):
        for number, below in enumerate(value):
            yield from _undeclared_below((*path, number), below, declared)
