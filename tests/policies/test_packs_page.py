"""The page of the shipped packs says what the packs say, and each figure where it was agreed."""

from __future__ import annotations

import re

import pytest

from policies.loader import load_pack, shipped_packs
from tests.policies.packs_page import PAGE, rewritten, sources, tables

SECTION = re.compile(r"\bsections? [1-6]")


def test_the_tables_of_the_page_are_those_of_the_packs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert rewritten(page) == page, "write it anew: python -m tests.policies.packs_page"


def test_the_page_has_every_table_of_every_shipped_pack() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert tables(page) == {(pack, what) for pack in shipped_packs() for what in ("goals", "clocks", "kpis")}


@pytest.mark.parametrize("name", shipped_packs())
def test_each_figure_of_a_pack_has_the_section_it_comes_from_beside_it(name: str) -> None:
    found = sources(name)
    assert {clock: len(goals) for clock, goals in found.items()} == {
        clock: len(shape.goals) for clock, shape in load_pack(name).clocks.items()
    }
    assert [(clock, told) for clock, goals in found.items() for told in goals if not SECTION.search(told)] == []
