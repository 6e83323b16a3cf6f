"""From a tracker's own words to the pack's: canonical state, severity and category, now and at every past instant.

Rules:

1. A key is a tracker's word: an id, a name in any language (case does not matter), or one with its field before it:
   ``group:`` (Jira's status category), ``label:``, ``type:``, ``component:``, ``resolution:``.
2. For one value the most telling key wins: id, then name, then group; among labels the first listed.
3. A label speaks for the state unless the status says that the issue is over and the label does not.
4. A resolution speaks only for the stretch it belongs to: from when the issue was last over, and while it is.
5. A status that no key names is reported in ``Issue.unmapped``; it is never guessed.
6. A change of what no key speaks of changes no reading, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, assert_never

from policies.event_order import put_in
from policies.history import recomposed
from policies.issue import (
    CategoryChanged,
    ComponentsChanged,
    LabelsChanged,
    PriorityChanged,
    SeverityChanged,
    State,
    StateChanged,
    StatusChanged,
    TypeChanged,
    Word,
)
from policies.revised import revised

if TYPE_CHECKING:
    from policies.issue import Event, Issue

_V = TypeVar("_V")
_Change = StatusChanged | LabelsChanged | ComponentsChanged | PriorityChanged | TypeChanged

OVER = frozenset({State.RESOLVED, State.VERIFIED, State.CLOSED, State.CANCELLED})
"""States in which nobody is working on the issue any more."""


class _Facts(NamedTuple):
    """The tracker's words that decide, at one instant."""

    status: Word
    labels: frozenset[str]
    priority: Word | None
    type: Word | None
    components: tuple[str, ...]


class _Reading(NamedTuple):
    state: State | None
    severity: str | None
    category: str | None


class _Words(Generic[_V]):
    """The entries of one field, ready to be asked."""

    def __init__(self, entries: Mapping[str, _V]) -> None:
        self._exact = dict(entries)
        self._folded: dict[str, _V] = {}
        for key, meaning in entries.items():
            self._folded.setdefault(key.casefold(), meaning)
        self._labels = [
            (key.removeprefix("label:").casefold(), meaning)
            for key, meaning in entries.items()
            if key.startswith("label:")
        ]

    def of(self, key: str) -> _V | None:
        found = self._exact.get(key)
        return found if found is not None else self._folded.get(key.casefold())

    def of_word(self, word: Word) -> _V | None:
        for key in (word.id, word.name, f"group:{word.group}" if word.group else ""):
            if key and (found := self.of(key)) is not None:
                return found
        return None

    @property
    def labels(self) -> frozenset[str]:
        """The labels it speaks of, case folded."""
        return frozenset(label for label, _meaning in self._labels)

    def of_labels(self, folded: frozenset[str]) -> _V | None:
        if not folded:
            return None
        return next((meaning for label, meaning in self._labels if label in folded), None)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Attributes: states, severities, categories: tracker's word -> the pack's word."""

    states: Mapping[str, State] = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    _states: _Words[State] = field(init=False, repr=False, compare=False)
    _severities: _Words[str] = field(init=False, repr=False, compare=False)
    _categories: _Words[str] = field(init=False, repr=False, compare=False)
    _labels: frozenset[str] = field(init=False, repr=False, compare=False)
    _telling: tuple[type[_Change], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = {name: _Words(getattr(self, name)) for name in ("states", "severities", "categories")}
        for name, known in words.items():
            object.__setattr__(self, f"_{name}", known)
        labels = frozenset[str]().union(*(known.labels for known in words.values()))
        object.__setattr__(self, "_labels", labels)
        telling: dict[type[_Change], bool] = {
            StatusChanged: True,
            LabelsChanged: bool(labels),
            ComponentsChanged: bool(self.categories),
            PriorityChanged: bool(self.severities),
            TypeChanged: bool(self.categories),
        }
        object.__setattr__(self, "_telling", tuple(change for change, tells in telling.items() if tells))

    def apply(self, issue: Issue) -> Issue:
        """The issue with its state, severity and category, and an event for each time one of them changed."""
        changes = [event for event in issue.events if isinstance(event, self._telling) and self._speaks_of(event)]
        facts = _at_opening(issue, changes)
        unmapped: dict[str, None] = {}
        derived: list[Event] = []
        closing = self._closing(changes)
        present = closing is None
        reading = self._read(facts, issue, unmapped, present=present)
        for event in changes:
            facts = _after(facts, event)
            present = present or event.id == closing
            following = self._read(facts, issue, unmapped, present=present)
            if following != reading:
                derived += _differences(event, reading, following, facts.status.name)
                reading = following
        return revised(
            issue,
            events=put_in(issue.events, derived) if derived else issue.events,
            state=reading.state,
            severity=reading.severity,
            category=reading.category,
            unmapped=tuple(unmapped),
        )

    def severity_word(self, severity: str) -> str | None:
        """The tracker's word that stands for a severity: the first one listed."""
        return next((word for word, meaning in self.severities.items() if meaning == severity), None)

    def state_of(self, status: Word) -> State | None:
        """What a status alone means; None if no key names it."""
        return self._states.of_word(status)

    def _speaks_of(self, event: _Change) -> bool:
        """Whether some key speaks of what has changed, for kinds of which some key speaks at all."""
        return not isinstance(event, LabelsChanged) or bool(self._spoken(event.added) or self._spoken(event.removed))

    def _spoken(self, labels: Iterable[str]) -> frozenset[str]:
        """Those of the labels that some key speaks of, case folded."""
        return self._labels.intersection(map(str.casefold, labels)) if self._labels else self._labels

    def _closing(self, events: Sequence[_Change]) -> str | None:
        """The id of the status event from which on the present resolution speaks: with it the issue was last over.

        None where the issue was over when it was opened, and ever since.
        """
        changes = [event for event in events if isinstance(event, StatusChanged)]
        if not changes:
            return None
        closing = len(changes) - 1
        if self.state_of(changes[closing].after) not in OVER:
            return changes[closing].id
        while closing > 0 and self.state_of(changes[closing - 1].after) in OVER:
            closing -= 1
        before = changes[0].before
        if closing == 0 and before is not None and self.state_of(before) in OVER:
            return None
        return changes[closing].id

    def _read(self, facts: _Facts, issue: Issue, unmapped: dict[str, None], *, present: bool = False) -> _Reading:
        state = self._states.of_word(facts.status)
        if state is None:
            unmapped[_named(facts.status)] = None
        labels = self._spoken(facts.labels)
        by_label = self._states.of_labels(labels)
        if by_label is not None and (state not in OVER or by_label in OVER):
            state = by_label
        if present and state in OVER:
            state = self._states.of(f"resolution:{issue.resolution}") or state
        severity = self._severities.of_labels(labels)
        if severity is None and facts.priority is not None:
            severity = self._severities.of_word(facts.priority)
        return _Reading(state, severity, self._category(facts, labels))

    def _category(self, facts: _Facts, labels: frozenset[str]) -> str | None:
        if not self.categories:
            return None
        words = self._categories
        found = words.of_labels(labels)
        if found is None:
            named = (words.of(f"component:{component}") for component in facts.components)
            found = next((category for category in named if category is not None), None)
        if found is None and facts.type is not None:
            found = words.of(f"type:{facts.type.id}") or words.of(f"type:{facts.type.name}")
        return found


def _named(word: Word) -> str:
    return f"{word.name!r} (id {word.id})" if word.id and word.id != word.name else repr(word.name)


def _at_opening(issue: Issue, changes: Sequence[_Change]) -> _Facts:
    """The present words with these changes taken back."""
    facts = _Facts(issue.status, issue.labels, issue.priority, issue.type, issue.components)
    for event in reversed(changes):
        match event:
            case StatusChanged():
                facts = facts._replace(status=event.before or event.after)
            case LabelsChanged():
                facts = facts._replace(labels=facts.labels.difference(event.added).union(event.removed))
            case ComponentsChanged():
                found = recomposed(facts.components, added=event.removed, removed=event.added)
                facts = facts._replace(components=found)
            case PriorityChanged():
                facts = facts._replace(priority=event.before)
            case TypeChanged():
                facts = facts._replace(type=event.before)
            case _:
                assert_never(event)
    return facts


def _after(facts: _Facts, event: _Change) -> _Facts:
    match event:
        case StatusChanged():
            return facts._replace(status=event.after)
        case LabelsChanged():
            return facts._replace(labels=facts.labels.difference(event.removed).union(event.added))
        case ComponentsChanged():
            return facts._replace(components=recomposed(facts.components, added=event.added, removed=event.removed))
        case PriorityChanged():
            return facts._replace(priority=event.after)
        case TypeChanged():
            return facts._replace(type=event.after)
        case _:
            assert_never(event)


def _differences(event: Event, before: _Reading, after: _Reading, word: str) -> list[Event]:
    derived: list[Event] = []
    if after.state is not None and after.state != before.state:
        derived.append(
            StateChanged(
                id=f"{event.id}/state",
                at=event.at,
                actor=event.actor,
                before=before.state,
                after=after.state,
                word=word,
            )
        )
    if after.severity != before.severity:
        derived.append(
            SeverityChanged(
                id=f"{event.id}/severity",
                at=event.at,
                actor=event.actor,
                before=before.severity,
                after=after.severity,
            )
        )
    if after.category != before.category:
        derived.append(
            CategoryChanged(
                id=f"{event.id}/category",
                at=event.at,
                actor=event.actor,
                before=before.category,
                after=after.category,
            )
        )
    return derived
