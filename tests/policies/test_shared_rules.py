"""The shared cases that state a rule and no figure, as cases of a small pack of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies.cases import CaseFile, run_cases
from policies.loader import load_pack, load_phrases, read_shape

FOLDER = Path(__file__).with_name("shared_rules")
KINDS = {"rule", "first_response", "escalation_ladder"}
EXPRESSED = {"zammad-zt-019", "rt-rti-001", "rt-rtd-004"}


def cases() -> CaseFile:
    return read_shape(FOLDER / "cases.yaml", CaseFile)


@pytest.mark.parametrize("name", [case.name for case in cases().cases])
def test_a_shared_rule_holds_as_a_case_of_a_pack(name: str) -> None:
    pack = load_pack(str(FOLDER / "pack.yaml"))
    file = cases()
    one = file.model_copy(update={"cases": tuple(case for case in file.cases if case.name == name)})
    assert [result.differences for result in run_cases(pack, one, load_phrases("en"))] == [()]


def test_every_shared_rule_is_named_by_its_id_and_the_ladder_by_its_kind() -> None:
    assert {case.name.partition(":")[0] for case in cases().cases} == EXPRESSED | {"escalation_ladder"}


@pytest.mark.shared_data
def test_no_shared_case_of_these_kinds_is_left_unexpressed(shared_data: Path) -> None:
    with (shared_data / "clock_cases.jsonl").open(encoding="utf-8") as lines:
        found = {each["id"] for each in map(json.loads, lines) if each["kind"] in KINDS}
    assert found == EXPRESSED
