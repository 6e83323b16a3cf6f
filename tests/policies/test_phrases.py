"""What is said to people: every language says all of it."""

from __future__ import annotations

import string

import pytest

from policies.duration import Duration, parse_duration
from policies.loader import SHIPPED, load_phrases
from policies.verdict import Reason, ReasonCode, Status

LANGUAGES = tuple(sorted(path.stem for path in (SHIPPED / "texts").glob("*.yaml")))


def places(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def test_english_and_chinese_are_shipped() -> None:
    assert LANGUAGES == ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_phrases_with_the_same_places(language: str) -> None:
    ours, english = load_phrases(language).texts, load_phrases("en").texts
    assert list(ours) == list(english)
    assert {key: places(text) for key, text in ours.items()} == {key: places(text) for key, text in english.items()}
    assert all(text.strip() for text in ours.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_and_every_reason_has_its_phrase(language: str) -> None:
    phrases = load_phrases(language)
    assert len({phrases.status(status) for status in Status}) == len(Status)
    assert len({phrases.reason(Reason(code, detail="x")) for code in ReasonCode}) == len(ReasonCode)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_for_a_status_or_reason_that_is_gone(language: str) -> None:
    keys = set(load_phrases(language).texts)
    known = {f"status_{status.value}" for status in Status} | {f"reason_{code.value}" for code in ReasonCode}
    assert {key for key in keys if key.startswith(("status_", "reason_"))} == known


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ("24h", "24 hours"),
        ("90m", "90 minutes"),
        ("8bh", "8 working hours"),
        ("30bm", "30 working minutes"),
        ("5bd", "5 working days"),
        ("5bd until close_of_business", "5 working days, until close of business"),
    ],
)
def test_every_kind_of_goal_has_its_phrase(goal: str, words: str) -> None:
    promise: Duration = parse_duration(goal)
    assert load_phrases("en").goal(promise) == words
    assert load_phrases("zh").goal(promise) != words


def test_a_place_that_is_not_filled_is_an_error() -> None:
    with pytest.raises(KeyError):
        load_phrases("en").say("report_title")
