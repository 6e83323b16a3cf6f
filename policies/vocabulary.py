"""From a tracker's own words to the pack's: canonical state, severity and category, now and at every past instant.

Rules:

1. A key is a tracker's word: an id, a name in any language (case does not matter), or one with its field before it:
   ``group:`` (Jira's status category), ``label:``, ``type:``, ``component:``, ``resolution:``.
2. For one value the most telling key wins: id, then name, then group; among labels the first listed.
3. A label speaks for the state unless the status says that the issue is over and the label does not.
4. A resolution speaks only for the stretch it belongs to: the present one, and only while the issue is over.
5. A status that no key names is reported in ``Issue.unmapped``; it is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from policies.history import labels_at_opening
from policies.issue import (
    CategoryChanged,
    LabelsChanged,
    PriorityChanged,
    SeverityChanged,
    State,
    StateChanged,
    StatusChanged,
    TypeChanged,
    Word,
)

if TYPE_CHECKING:
    from policies.issue import Event, Issue

_V = TypeVar("_V")

OVER = frozenset({State.RESOLVED, State.VERIFIED, State.CLOSED, State.CANCELLED})
"""States in which nobody is working on the issue any more."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """The tracker's words that decide, at one instant."""

    status: Word
    labels: frozenset[str]
    priority: Word | None
    type: Word | None


@dataclass(frozen=True, slots=True)
class _Reading:
    state: State | None
    severity: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Attributes: states, severities, categories: tracker's word -> the pack's word."""

    states: Mapping[str, State] = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)

    def apply(self, issue: Issue) -> Issue:
        """The issue with its state, severity and category, and an event for each time one of them changed."""
        facts = _at_opening(issue)
        unmapped: dict[str, None] = {}
        derived: list[Event] = []
        closing = _last_status_change(issue)
        present = closing is None
        reading = self._read(facts, issue, unmapped, present=present)
        for event in issue.events:
            changed = _after(facts, event)
            if changed is None:
                continue
            facts = changed
            present = present or event.id == closing
            following = self._read(facts, issue, unmapped, present=present)
            derived += _differences(event, reading, following, facts.status.name)
            reading = following
        return replace(
            issue,
            events=(*issue.events, *derived),
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
        return _by_word(self.states, status)

    def _read(self, facts: _Facts, issue: Issue, unmapped: dict[str, None], *, present: bool = False) -> _Reading:
        state = _by_word(self.states, facts.status)
        if state is None:
            unmapped[_named(facts.status)] = None
        by_label = _by_label(self.states, facts.labels)
        if by_label is not None and (state not in OVER or by_label in OVER):
            state = by_label
        if present and state in OVER:
            state = _lookup(self.states, f"resolution:{issue.resolution}") or state
        severity = _by_label(self.severities, facts.labels)
        if severity is None and facts.priority is not None:
            severity = _by_word(self.severities, facts.priority)
        return _Reading(state, severity, self._category(facts, issue))

    def _category(self, facts: _Facts, issue: Issue) -> str | None:
        found = _by_label(self.categories, facts.labels)
        if found is None:
            named = (_lookup(self.categories, f"component:{component}") for component in issue.components)
            found = next((category for category in named if category is not None), None)
        if found is None and facts.type is not None:
            found = _lookup(self.categories, f"type:{facts.type.id}") or _lookup(
                self.categories, f"type:{facts.type.name}"
            )
        return found


def _lookup(words: Mapping[str, _V], key: str) -> _V | None:
    found = words.get(key)
    if found is None:
        folded = key.casefold()
        found = next((meaning for word, meaning in words.items() if word.casefold() == folded), None)
    return found


def _by_word(words: Mapping[str, _V], word: Word) -> _V | None:
    for key in (word.id, word.name, f"group:{word.group}" if word.group else ""):
        if key and (found := _lookup(words, key)) is not None:
            return found
    return None


def _by_label(words: Mapping[str, _V], labels: frozenset[str]) -> _V | None:
    folded = {label.casefold() for label in labels}
    for key, meaning in words.items():
        if key.startswith("label:") and key.removeprefix("label:").casefold() in folded:
            return meaning
    return None


def _named(word: Word) -> str:
    return f"{word.name!r} (id {word.id})" if word.id and word.id != word.name else repr(word.name)


def _last_status_change(issue: Issue) -> str | None:
    """The id of the last status event: the stretch the present resolution belongs to begins with it."""
    return next((event.id for event in reversed(issue.events) if isinstance(event, StatusChanged)), None)


def _at_opening(issue: Issue) -> _Facts:
    status = next((e for e in issue.events if isinstance(e, StatusChanged)), None)
    priority = next((e for e in issue.events if isinstance(e, PriorityChanged)), None)
    type_ = next((e for e in issue.events if isinstance(e, TypeChanged)), None)
    return _Facts(
        status=(status.before or status.after) if status else issue.status,
        labels=labels_at_opening(issue),
        priority=priority.before if priority else issue.priority,
        type=type_.before if type_ else issue.type,
    )


def _after(facts: _Facts, event: Event) -> _Facts | None:
    match event:
        case StatusChanged():
            return replace(facts, status=event.after)
        case LabelsChanged():
            return replace(facts, labels=facts.labels.difference(event.removed).union(event.added))
        case PriorityChanged():
            return replace(facts, priority=event.after)
        case TypeChanged():
            return replace(facts, type=event.after)
        case _:
            return None


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
