"""The page on coverage is held to the program: its register loads, its table becomes one, its decisions are all there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.coverage import Decision
from policies.loader import load_register, load_table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")


@pytest.fixture
def blocks() -> dict[str, str]:
    return dict(re.findall(r"```(yaml|csv)\n(.+?)```", PAGE, re.DOTALL))


def test_the_register_on_the_page_loads(blocks: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "contracts.yaml"
    file.write_text(blocks["yaml"], encoding="utf-8")
    (contract,) = load_register(file).contracts
    assert (contract.id, len(contract.match), len(contract.clauses)) == ("acme-2026", 3, 2)


def test_the_table_on_the_page_becomes_a_register(blocks: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "contracts.csv"
    file.write_text(blocks["csv"], encoding="utf-8")
    (contract,) = load_table(file, "UTC")["contracts"]
    assert contract["id"] == "north-1"


def test_the_page_names_every_decision() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == {decision.value for decision in Decision}
