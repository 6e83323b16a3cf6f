"""The page of the shipped packs: its tables are made from the packs, the sections from the comments beside the figures.

Written anew by: python -m tests.policies.packs_page
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from policies.conditions import Condition
from policies.finding import spelled
from policies.kpi import ELSEWHERE
from policies.loader import SHIPPED, load_pack, shipped_packs
from policies.pack import PolicyPack

PAGE = Path(__file__).resolve().parents[2] / "docs" / "packs.md"
_BLOCK = re.compile(r"<!-- table: ([a-z-]+) ([a-z]+) -->\n.*?<!-- end -->\n", re.DOTALL)


def rewritten(page: str) -> str:
    """The page with each of its tables made anew."""
    return _BLOCK.sub(
        lambda block: f"<!-- table: {block[1]} {block[2]} -->\n{table(block[1], block[2])}<!-- end -->\n", page
    )


def tables(page: str) -> set[tuple[str, str]]:
    """The tables a page has, as (pack, what)."""
    return set(_BLOCK.findall(page))


def table(name: str, what: str) -> str:
    pack = load_pack(name)
    rows = {"goals": goals, "clocks": clocks, "kpis": kpis}[what](pack)
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def goals(pack: PolicyPack) -> Iterator[tuple[str, ...]]:
    """Each figure, for whom, and where it was agreed."""
    yield "promise", "for", "within", "from"
    yield ("---",) * 4
    sections = sources(pack.id)
    for name, clock in pack.clocks.items():
        for number, goal in enumerate(clock.goals):
            told = f"{clock.title['en']} {clock.title['zh']}" if number == 0 else ""
            asked = f"`{spelled(goal.when)}`" if goal.when else "every other report" if number else "every report"
            yield told, asked, f"`{goal.promise}`", sections[name][number]


def clocks(pack: PolicyPack) -> Iterator[tuple[str, ...]]:
    """When each clock runs."""
    yield "clock", "starts", "stops", "stands still", "reopened"
    yield ("---",) * 5
    for name, clock in pack.clocks.items():
        still = "; ".join(f"{each.reason} ({each.party})" for each in clock.pause) or "never"
        yield f"`{name}`", _told(clock.start), _told(clock.stop), still, clock.reopen.value


def kpis(pack: PolicyPack) -> Iterator[tuple[str, ...]]:
    """Each target over many reports."""
    yield "target", "of", "to reach", "looked at each", "from"
    yield ("---",) * 5
    for kpi in pack.kpis.values():
        counted = "measured elsewhere" if kpi.of == ELSEWHERE else f"`{kpi.of}`"
        counted += f" for `{spelled(kpi.when)}`" if kpi.when else ""
        reach = str(kpi.share or kpi.count) + (f" within `{kpi.within}`" if kpi.within else "")
        yield f"{kpi.title['en']} {kpi.title['zh']}", counted, reach, kpi.review, kpi.source


def sources(name: str) -> dict[str, list[str]]:
    """The comment beside each goal's figure, by clock, in the order of the goals; "" where there is none."""
    written: Any = YAML().load((SHIPPED / "packs" / f"{name}.yaml").read_text(encoding="utf-8"))
    return {clock: [_beside(goal) for goal in told["goals"]] for clock, told in written["clocks"].items()}


def _beside(goal: Any) -> str:
    comment = goal.ca.items.get("within")
    text = comment[2].value if comment and comment[2] else ""
    return str(text).splitlines()[0].lstrip("# ").strip() if text else ""


def _told(condition: Condition | str) -> str:
    return f"`{condition if isinstance(condition, str) else spelled(condition)}`"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {', '.join(shipped_packs())}\n")
