"""The shipped packs: their cases agree, and each of their expectations is one that can fail."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from policies.cases import Case, CaseFile, Expected, run_cases
from policies.duration import parse_duration
from policies.loader import SHIPPED, load_pack, load_phrases, read_shape, shipped_packs
from policies.verdict import ReasonCode, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.pack import PolicyPack

PACKS = shipped_packs()


@cache
def shipped(name: str) -> tuple[PolicyPack, CaseFile]:
    return load_pack(name), read_shape(SHIPPED / "packs" / f"{name}.cases.yaml", CaseFile)


def spoiled(expected: Expected) -> Iterator[tuple[str, Expected]]:
    """The expectation with one word made wrong, for each of its words."""
    for word in sorted(expected.model_fields_set):
        value: Any = getattr(expected, word)
        wrong: Any
        match word:
            case "status":
                wrong = next(status for status in Status if status is not value)
            case "reason":
                wrong = next(code for code in ReasonCode if code is not value)
            case "goal":
                wrong = parse_duration("1h" if str(value) != "1h" else "2h")
            case "cycle":
                wrong = 99
            case "provisional":
                wrong = not value
            case _:
                wrong = value + timedelta(seconds=1)
        yield word, expected.model_copy(update={word: wrong})


def agrees(pack: PolicyPack, file: CaseFile, case: Case) -> bool:
    (result,) = run_cases(pack, file.model_copy(update={"cases": (case,)}), load_phrases("en"))
    return result.agrees


@pytest.mark.parametrize("name", PACKS)
def test_every_shipped_case_agrees(name: str) -> None:
    pack, file = shipped(name)
    found = {result.name: result.differences for result in run_cases(pack, file, load_phrases("en"))}
    assert {case: lines for case, lines in found.items() if lines} == {}


@pytest.mark.parametrize("name", PACKS)
def test_each_expectation_made_wrong_is_found_to_differ(name: str) -> None:
    pack, file = shipped(name)
    unnoticed = []
    for case in file.cases:
        for clock, expected in case.expect.items():
            for word, wrong in spoiled(expected):
                spoiled_case = case.model_copy(update={"expect": {**case.expect, clock: wrong}})
                if agrees(pack, file, spoiled_case):
                    unnoticed.append((case.name, clock, word))
        if case.changes is not None:
            fewer = [tuple(each for each in case.changes if each != gone) for gone in case.changes]
            others = [case.model_copy(update={"changes": lines}) for lines in (*fewer, ("assign to X",))]
            unnoticed += [(case.name, "changes", "") for other in others if agrees(pack, file, other)]
    assert unnoticed == []


@pytest.mark.parametrize("name", PACKS)
def test_cases_have_names_of_their_own_and_a_zone_that_exists(name: str) -> None:
    _pack, file = shipped(name)
    names = [case.name for case in file.cases]
    assert len(set(names)) == len(names)
    assert ZoneInfo(file.zone).key == file.zone


@pytest.mark.parametrize("name", PACKS)
def test_every_clock_has_a_case_and_a_title_in_both_languages(name: str) -> None:
    pack, file = shipped(name)
    assert set(pack.clocks) == {clock for case in file.cases for clock in case.expect}
    assert {clock: set(shape.title) for clock, shape in pack.clocks.items()} == {
        clock: {"en", "zh"} for clock in pack.clocks
    }


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_read_back_from_what_it_prints_with_the_same_digest(name: str) -> None:
    pack, _file = shipped(name)
    printed = pack.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert type(pack).model_validate(printed).model_dump() == pack.model_dump()
    assert pack.digest == load_pack(name).digest
    bare = pack.with_calendars({})
    assert (bare.digest, bare.calendar_digest != pack.calendar_digest) == (pack.digest, True)
