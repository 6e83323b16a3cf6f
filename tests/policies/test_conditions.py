"""The words of conditions, one by one and together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from policies.conditions import _WORDS, Condition
from policies.coverage import Coverage, Decision, Ground
from policies.history import moments
from policies.issue import Actor, State, Word
from tests.policies.build_issue import MONDAY, build_issue

MOMENT = moments(
    build_issue(
        state=State.ACCEPTED,
        severity="high",
        category="security",
        labels=frozenset({"vip", "field"}),
        priority=Word("2", "高"),
        components=("wipers",),
        assignee=Actor(id="bob", tier="L2"),
        coverage=Coverage(
            decision=Decision.GOODWILL,
            computed=Decision.OUT,
            ground=Ground.BY_HAND,
            computed_ground=Ground.ENDED,
            reported_at=MONDAY,
            tier="gold",
        ),
    )
)[0]
BARE = moments(build_issue(state=None, type=Word("", "")))[0]


def holds(**words: Any) -> bool:
    return Condition.model_validate(words).holds(MOMENT)


def test_every_word_has_its_field_and_its_function() -> None:
    combining = {"any", "all", "not_"}
    assert set(_WORDS) == set(Condition.model_fields) - combining
    assert all(field.description for field in Condition.model_fields.values())


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("state", "accepted"),
        ("severity", "high"),
        ("category", "security"),
        ("label", "vip"),
        ("type", "Bug"),
        ("type", "1"),
        ("priority", "高"),
        ("priority", "2"),
        ("reporter", "chen"),
        ("component", "wipers"),
        ("tier", "L2"),
        ("coverage", "goodwill"),
        ("contract_tier", "gold"),
    ],
)
def test_a_word_holds_for_its_value_alone_or_among_several(word: str, value: str) -> None:
    other = {"state": "closed", "coverage": "disputed"}.get(word, "something else")
    assert holds(**{word: value})
    assert holds(**{word: [other, value]})
    assert not holds(**{word: other})
    assert not Condition.model_validate({word: value}).holds(BARE) or word == "reporter"


def test_every_word_is_tried_above() -> None:
    marks: Any = test_a_word_holds_for_its_value_alone_or_among_several.pytestmark  # type: ignore[attr-defined]  # set by the decorator
    assert {word for word, _value in marks[0].args[1]} == set(_WORDS)


def test_several_words_must_all_hold() -> None:
    assert holds(severity="high", category="security")
    assert not holds(severity="high", category="defect")


def test_any_all_and_not_combine() -> None:
    assert holds(any=[{"severity": "normal"}, {"label": "vip"}])
    assert not holds(any=[{"severity": "normal"}, {"label": "old"}])
    assert holds(all=[{"severity": "high"}, {"label": "vip"}])
    assert not holds(all=[{"severity": "high"}, {"label": "old"}])
    assert holds(**{"not": {"label": "old"}})
    assert not holds(**{"not": {"label": "vip"}})
    assert not holds(severity="high", **{"not": {"any": [{"label": "vip"}]}})


@pytest.mark.parametrize(
    "words", [{}, {"state": "half done"}, {"colour": "red"}, {"label": []}, {"any": []}, {"not": {}}]
)
def test_a_condition_that_says_nothing_or_nonsense_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(words)
