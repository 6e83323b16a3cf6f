"""The words a pack may use over an issue's facts as they were at an instant.

To add a word: a field on ``Condition`` with its description, and the function of the same name on ``_WORDS``.

    {state: waiting_for_customer}                the word holds if the fact is one of the values given
    {severity: [urgent, high], category: defect} all words must hold
    {any: [{label: vip}, {reporter: jane}]}      at least one holds;  all: [...]  each holds;  not: {...}  does not hold
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from policies.coverage import Decision
from policies.issue import State

if TYPE_CHECKING:
    from policies.history import Moment


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Words = Annotated[tuple[str, ...], Field(min_length=1)]
_Decisions = Annotated[tuple[Decision, ...], Field(min_length=1)]
_States = Annotated[tuple[State, ...], Field(min_length=1)]
# The type given to the validator is what may be written, for the JSON Schema: one word needs no list around it.
Words = Annotated[_Words, BeforeValidator(_one_or_many, json_schema_input_type=str | _Words)]
Decisions = Annotated[_Decisions, BeforeValidator(_one_or_many, json_schema_input_type=Decision | _Decisions)]
States = Annotated[_States, BeforeValidator(_one_or_many, json_schema_input_type=State | _States)]


class Condition(BaseModel):
    """True or false of an issue at an instant."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    state: States | None = Field(None, description="canonical state, as the site's vocabulary reads it")
    severity: Words | None = Field(None, description="severity word of the pack")
    category: Words | None = Field(None, description="category word of the pack")
    label: Words | None = Field(None, description="the issue bears one of these labels")
    type: Words | None = Field(None, description="the tracker's own type, by id or name")
    priority: Words | None = Field(None, description="the tracker's own priority, by id or name")
    reporter: Words | None = Field(None, description="account id of the reporter")
    component: Words | None = Field(None, description="the issue bears one of these components")
    tier: Words | None = Field(None, description="support tier of the assignee, as it was when the issue was given")
    coverage: Decisions | None = Field(
        None, description="what the warranty says of the issue; unknown where the site has no register"
    )
    any: tuple[Condition, ...] | None = Field(None, min_length=1, description="at least one of these holds")
    all: tuple[Condition, ...] | None = Field(None, min_length=1, description="each of these holds")
    not_: Condition | None = Field(None, alias="not", description="this does not hold")

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not self.model_fields_set:
            raise ValueError("an empty condition; leave it out, or name a word such as {state: resolved}")
        return self

    def holds(self, moment: Moment) -> bool:
        """Whether it is true at a moment."""
        # Asked for every moment of every issue: a generator would cost more than the tests.
        for test, wanted in self._words:
            if not test(moment, wanted):
                return False
        return not self._combines or self._combined(moment)

    @cached_property
    def _words(self) -> tuple[tuple[Callable[[Moment, frozenset[str]], bool], frozenset[str]], ...]:
        return tuple(
            (test, frozenset(str(value) for value in getattr(self, word)))
            for word, test in _WORDS.items()
            if getattr(self, word) is not None
        )

    @cached_property
    def _combines(self) -> bool:
        return not (self.any is None and self.all is None and self.not_ is None)

    def _combined(self, moment: Moment) -> bool:
        return (
            (self.any is None or any(condition.holds(moment) for condition in self.any))
            and (self.all is None or all(condition.holds(moment) for condition in self.all))
            and (self.not_ is None or not self.not_.holds(moment))
        )


def _state(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.state in wanted


def _severity(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.severity in wanted


def _category(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.category in wanted


def _label(moment: Moment, wanted: frozenset[str]) -> bool:
    return not wanted.isdisjoint(moment.labels)


def _type(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.type is not None and (moment.type.id in wanted or moment.type.name in wanted)


def _priority(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.priority is not None and (moment.priority.id in wanted or moment.priority.name in wanted)


def _reporter(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.reporter in wanted


def _component(moment: Moment, wanted: frozenset[str]) -> bool:
    return not wanted.isdisjoint(moment.components)


def _tier(moment: Moment, wanted: frozenset[str]) -> bool:
    return moment.tier in wanted


def _coverage(moment: Moment, wanted: frozenset[str]) -> bool:
    return (moment.coverage or Decision.UNKNOWN).value in wanted


_WORDS: dict[str, Callable[[Moment, frozenset[str]], bool]] = {
    "state": _state,
    "severity": _severity,
    "category": _category,
    "label": _label,
    "type": _type,
    "priority": _priority,
    "reporter": _reporter,
    "component": _component,
    "tier": _tier,
    "coverage": _coverage,
}

Condition.model_rebuild()
