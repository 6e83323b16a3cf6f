"""The words a pack may use over an issue's facts as they were at an instant.

To add a word: a field on ``Condition`` with its description, and the function of the same name on ``_WORDS``.

    {state: waiting_for_customer}                the word holds if the fact is one of the values given
    {severity: [urgent, high], category: defect} all words must hold
    {any: [{label: vip}, {reporter: jane}]}      at least one holds;  all: [...]  each holds;  not: {...}  does not hold
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

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


Test: TypeAlias = "Callable[[Moment], bool]"


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
    contract_tier: Words | None = Field(
        None, description="level of support agreed in the contract that claims the issue, as the register spells it"
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
        return self.test(moment)

    @cached_property
    def test(self) -> Test:
        """What ``holds`` asks, put together once: every moment of every issue is put to it."""
        tests: list[Test] = [
            partial(ask, frozenset(str(value) for value in getattr(self, word)))
            for word, ask in _WORDS.items()
            if getattr(self, word) is not None
        ]
        if self.any is not None:
            tests.append(partial(_some, tuple(condition.test for condition in self.any)))
        if self.all is not None:
            tests += [condition.test for condition in self.all]
        if self.not_ is not None:
            tests.append(partial(_not, self.not_.test))
        return tests[0] if len(tests) == 1 else partial(_each, tuple(tests))


# Plain loops: a generator would cost more than what it runs over.


def _some(tests: tuple[Test, ...], moment: Moment) -> bool:
    for test in tests:  # noqa: SIM110  see above
        if test(moment):
            return True
    return False


def _each(tests: tuple[Test, ...], moment: Moment) -> bool:
    for test in tests:  # noqa: SIM110  see above
        if not test(moment):
            return False
    return True


def _not(test: Test, moment: Moment) -> bool:
    return not test(moment)


def _state(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.state in wanted


def _severity(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.severity in wanted


def _category(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.category in wanted


def _label(wanted: frozenset[str], moment: Moment) -> bool:
    return not wanted.isdisjoint(moment.labels)


def _type(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.type is not None and (moment.type.id in wanted or moment.type.name in wanted)


def _priority(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.priority is not None and (moment.priority.id in wanted or moment.priority.name in wanted)


def _reporter(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.reporter in wanted


def _component(wanted: frozenset[str], moment: Moment) -> bool:
    return not wanted.isdisjoint(moment.components)


def _tier(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.tier in wanted


def _coverage(wanted: frozenset[str], moment: Moment) -> bool:
    return (moment.coverage or Decision.UNKNOWN).value in wanted


def _contract_tier(wanted: frozenset[str], moment: Moment) -> bool:
    return moment.contract_tier in wanted


_WORDS: dict[str, Callable[[frozenset[str], Moment], bool]] = {
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
    "contract_tier": _contract_tier,
}

Condition.model_rebuild()
