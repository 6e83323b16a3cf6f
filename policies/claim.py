"""What of a report its coverage rests on, taken as of the report and not as of today.

Rules:

1. A fact counts as it was when the report was made: what was set until that instant, the instant included.
2. A reporter seldom names component, category or customer himself; triage does it within days. So where a fact was empty
   at the report, the first value it was given later completes the report.
3. A later change of a value that was known moves no issue to another contract: else relabelling after a breach would
   change who owes what. A person's coverage label does that, on its own date (see ``coverage_override``).
4. Labels serve many ends, so only those a register asks for are values, and each kind is a fact of its own: those that
   name the version, those of one scope (``customer::``), those without a scope, and those that exclusions alone ask for.
   A project that no contract asks for is an intake: the first one asked for counts.
5. A fact whose history is not told (reporter, organisation, custom fields, affected versions) counts as it stands now,
   and the decision names it (``Coverage.undated``).
6. What happened after ``now`` is not known yet.
7. Where the history has a gap, what it could have told of labels, components and category is in doubt, and so is a
   decision that rests on them: it is ``unknown`` and names the gap. That an issue was moved is not presumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from policies.history import components_at_opening, labels_at_opening, recomposed
from policies.issue import CategoryChanged, ComponentsChanged, GapKind, LabelsChanged, Moved, Opened

if TYPE_CHECKING:
    from policies.issue import Issue

_V = TypeVar("_V")

Fact = tuple[str, str]
"""A word a match may ask for, and the field's name where the word is ``field``, else ""."""

TRACKER, PROJECT, COMPONENT, LABEL = ("tracker", ""), ("project", ""), ("component", ""), ("label", "")
CATEGORY, VERSION = ("category", ""), ("version", "")
DATED: frozenset[Fact] = frozenset({TRACKER, PROJECT, COMPONENT, LABEL, CATEGORY})
"""Facts whose changes every history tells."""

_KEY = re.compile(r"(?P<project>.+)[-#][0-9]+", re.DOTALL)
_SCOPE = "::"


@dataclass(frozen=True, slots=True)
class Values:
    """Values a fact is compared with, without regard to case: ``acme/*`` stands for all that begins with ``acme/``."""

    exact: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, written: Iterable[str]) -> Values:
        folded = sorted({value.casefold() for value in written})
        exact = frozenset(value for value in folded if not value.endswith("*"))
        return cls(exact, tuple(value[:-1] for value in folded if value.endswith("*")))

    def meet(self, folded: frozenset[str]) -> bool:
        """One of them is among these (in lower case already)."""
        if not self.exact.isdisjoint(folded):
            return True
        return bool(self.beginnings) and any(each.startswith(self.beginnings) for each in folded)

    def name(self, value: str) -> bool:
        return self.meet(frozenset({value.casefold()}))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a register asks of projects and labels.

    Attributes:
        labels: those that matches of contracts ask for. excluded: those of exclusions.
        version_label: what labels that name the product's version begin with; "" for none.
    """

    projects: Values = Values()
    labels: Values = Values()
    excluded: Values = Values()
    version_label: str = ""

    def version(self, label: str) -> str:
        """The version a label names, or ""."""
        return label.removeprefix(self.version_label) if self._names_version(label) else ""

    def group(self, label: str) -> tuple[Fact, str] | None:
        """The fact a label is a value of, with its scope; None if nobody asks for it."""
        if self._names_version(label):
            return VERSION, ""
        if self.labels.name(label):
            return LABEL, _scope(label)
        if self.excluded.name(label):
            return LABEL, f"excluded {_scope(label)}"
        return None

    def _names_version(self, label: str) -> bool:
        return bool(self.version_label) and label.startswith(self.version_label) and label != self.version_label


def _scope(label: str) -> str:
    return label.casefold().rpartition(_SCOPE)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What of a report its coverage rests on.

    Attributes:
        reported_at: when it was made; when the issue was opened where a gap hides it (``report_gap``).
        labels: those of the report that the register asks for.
        fields: custom fields by name, as text.
        versions: versions of the product the report is about, as far as the tracker says.
        evidence: the event that shows when it was made.
        told: fact -> ids of the events that gave it its value after the opening.
        dated: facts whose history is told; the others count as they stand now.
        gap: what is missing of the history, "" if nothing is.
        report_gap: why it is not known when the report was made, "" if it is.
        words: what a match may ask for, without regard to case: fact -> values.
    """

    reported_at: datetime
    tracker: str
    project: str
    reporter: str = ""
    organisation: str = ""
    category: str | None = None
    components: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    told: Mapping[Fact, tuple[str, ...]] = field(default_factory=dict)
    dated: frozenset[Fact] = DATED
    gap: str = ""
    report_gap: str = ""
    words: Mapping[Fact, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        told: dict[Fact, Iterable[str]] = {
            TRACKER: (self.tracker,),
            PROJECT: (self.project,),
            COMPONENT: self.components,
            LABEL: self.labels,
            ("reporter", ""): (self.reporter,),
            ("organisation", ""): (self.organisation,),
            CATEGORY: (self.category or "",),
            **{("field", name.casefold()): (value,) for name, value in self.fields.items()},
        }
        words = {word: frozenset(value.casefold() for value in values if value) for word, values in told.items()}
        object.__setattr__(self, "words", words)

    @property
    def doubtful(self) -> frozenset[Fact]:
        """The facts of which a part of the history that is missing could have told more."""
        return self.dated - {TRACKER, PROJECT} if self.gap else frozenset()

    def missing(self, asked: Iterable[Fact]) -> str:
        """What is missing of the history of these facts, "" if nothing is."""
        return self.gap if not (self.doubtful | {PROJECT}).isdisjoint(asked) else ""

    def proof(self, asked: Iterable[Fact]) -> tuple[str, ...]:
        """Ids of the events that a decision on these facts rests on: of the opening, then of what completed the report."""
        found = (id_ for fact in sorted(asked) for id_ in self.told.get(fact, ()))
        return tuple(dict.fromkeys((*self.evidence, *found)))

    def undated(self, asked: Iterable[Fact]) -> tuple[str, ...]:
        """Those of the facts that count as they stand now, in words."""
        return tuple(" ".join(filter(None, fact)) for fact in sorted(set(asked) - self.dated))

    @classmethod
    def of(cls, issue: Issue, asked: Asked, now: datetime) -> Claim:
        """The claim an issue makes by its history until ``now``; see the rules."""
        opened = next((event.id for event in issue.events if isinstance(event, Opened)), None)
        reported_at = issue.reported_at or issue.opened_at
        past = _Past(issue, max(reported_at, issue.opened_at), now)
        project, by_project = past.project(asked.projects)
        category, by_category = past.category()
        components, by_components = past.components()
        labels, by_label = past.labels(asked)
        stated = tuple(asked.version(label) for label in sorted(labels) if asked.version(label))
        told = {PROJECT: by_project, CATEGORY: by_category, COMPONENT: by_components, **by_label}
        by_label_alone = asked.version_label and not issue.versions
        gaps = {gap.kind: gap.detail for gap in reversed(issue.gaps)}
        return cls(
            reported_at=reported_at,
            tracker=issue.ref.tracker,
            project=project,
            reporter=issue.reporter.id,
            organisation=issue.organisation,
            fields=dict(issue.fields),
            versions=(*issue.versions, *stated),
            category=category,
            components=components,
            labels=labels,
            evidence=(opened,) if opened is not None else (),
            told={fact: ids for fact, ids in told.items() if ids},
            dated=DATED | {VERSION} if by_label_alone else DATED,
            gap=gaps.get(GapKind.HISTORY, ""),
            report_gap=gaps.get(GapKind.REPORT, ""),
        )


# ------------------------------------------------------------------------------------------------------ the first value


class _Held(NamedTuple, Generic[_V]):
    """A value from an instant on. Attributes: evidence: ids of the events that set it; none at the opening."""

    since: datetime
    value: _V
    evidence: tuple[str, ...] = ()


class _Past:
    """The facts of an issue's past: each at the report, or the first it was given later."""

    def __init__(self, issue: Issue, report: datetime, now: datetime) -> None:
        self.issue = issue
        self.report = report
        self.known = [event for event in issue.events if event.at <= now]

    def project(self, asked: Values) -> tuple[str, tuple[str, ...]]:
        """The project it was reported in, or the first one asked for."""
        first = next((event.before for event in self.issue.events if isinstance(event, Moved)), None)
        moves = ((e.at, e.id, _project(e.after)) for e in self.known if isinstance(e, Moved))
        opening = _project(first) if first is not None else self.issue.ref.project
        return self._first(opening, moves, asked.name)

    def category(self) -> tuple[str | None, tuple[str, ...]]:
        changes = [event for event in self.issue.events if isinstance(event, CategoryChanged)]
        opening = changes[0].before if changes else self.issue.category
        given = ((e.at, e.id, e.after) for e in self.known if isinstance(e, CategoryChanged))
        return self._first(opening, given, bool)

    def components(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        held = opening = components_at_opening(self.issue)
        given: list[tuple[datetime, str, tuple[str, ...]]] = []
        for event in self.known:
            if isinstance(event, ComponentsChanged):
                held = recomposed(held, added=event.added, removed=event.removed)
                given.append((event.at, event.id, held))
        return self._first(opening, given, bool)

    def labels(self, asked: Asked) -> tuple[frozenset[str], dict[Fact, tuple[str, ...]]]:
        """The labels of the report that are asked for, each kind and scope by itself, with their evidence."""
        held = labels_at_opening(self.issue)
        sets: list[tuple[datetime, str, frozenset[str]]] = []
        opening = held
        for event in self.known:
            if isinstance(event, LabelsChanged):
                held = held.difference(event.removed).union(event.added)
                sets.append((event.at, event.id, held))
        groups = {label: asked.group(label) for label in opening.union(*(labels for _at, _id, labels in sets))}
        found: set[str] = set()
        told: dict[Fact, tuple[str, ...]] = {}
        for group in sorted({group for group in groups.values() if group is not None}):
            mine = frozenset(label for label in groups if groups[label] == group)
            row = ((at, id_, labels & mine) for at, id_, labels in sets)
            value, evidence = self._first(opening & mine, row, bool)
            found |= value
            told[group[0]] = (*told.get(group[0], ()), *evidence)
        return frozenset(found), told

    def _first(
        self, opening: _V, changes: Iterable[tuple[datetime, str, _V]], known: Callable[[_V], object]
    ) -> tuple[_V, tuple[str, ...]]:
        """What held at the report if that is a known value, else the first known one later; with its evidence."""
        rows = [_Held(self.issue.opened_at, opening)]
        for at, id_, value in changes:
            last = rows[-1]
            if value == last.value:
                continue
            if at <= last.since:  # of one instant only what came out of it held
                rows[-1] = _Held(last.since, value, (*last.evidence, id_))
            else:
                rows.append(_Held(at, value, (id_,)))
        place = max(number for number, row in enumerate(rows) if row.since <= self.report)
        chosen = next((row for row in rows[place:] if known(row.value)), rows[place])
        return chosen.value, chosen.evidence


def _project(moved: str) -> str:
    """The project of a key such as ``CAR-12`` or ``acme/car#12``; where a move names the project itself, that."""
    key = _KEY.fullmatch(moved)
    return key["project"] if key is not None else moved
