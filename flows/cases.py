"""``warranty cases`` and ``warranty check``: run cases and say how many agree."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from flows import json_text, render
from flows.exit_codes import Exit
from flows.grid import STYLES, Grid, line
from policies.cases import CaseFile, CaseResult, run_cases
from policies.loader import book_paths, load_book, load_phrases, read_shape
from policies.neutral_cases import Agrees, Differs, NotApplicable, Outcome, compute
from policies.problem import InputError, Problem

_WIDEST = 100

# -------------------------------------------------------------------------------------------------------------- neutral


def neutral(file: Path, *, as_json: bool) -> Exit:
    """Compute the neutral cases of a file and compare with what their sources expect.

    Raises:
        InputError: a line of the file is no case, or it holds none.
    """
    outcomes = [(case, _computed(case, file, number)) for number, case in _cases(file)]
    if not outcomes:
        raise _no_case(file, 0, "no case")
    differ = [(case, found) for case, found in outcomes if isinstance(found, Differs)]
    left = [(case, found) for case, found in outcomes if isinstance(found, NotApplicable)]
    agree = sum(isinstance(found, Agrees) for _, found in outcomes)
    if as_json:
        sys.stdout.write(
            json_text.document(
                {
                    "file": str(file),
                    "agree": agree,
                    "differ": [{"id": c["id"], "expected": d.expected, "found": d.found} for c, d in differ],
                    "not_applicable": [{"id": c["id"], "reason": n.reason} for c, n in left],
                }
            )
            + "\n"
        )
    else:
        _show(render.console(), agree, differ, left)
    return Exit.FOUND if differ else Exit.FINE


def _show(
    out: Console,
    agree: int,
    differ: list[tuple[dict[str, Any], Differs]],
    left: list[tuple[dict[str, Any], NotApplicable]],
) -> None:
    if differ:
        rows = tuple((str(case["id"]), _short(found.expected), _short(found.found)) for case, found in differ)
        out.print(Grid("These differ", ("case", "expected", "found"), rows).as_rich(rows=len(rows)))
    reasons: dict[str, list[str]] = {}
    for case, found in left:
        reasons.setdefault(found.reason, []).append(str(case["id"]))
    if reasons:
        told = tuple((str(len(ids)), why, line(", ".join(ids), _WIDEST)) for why, ids in reasons.items())
        out.print(Grid("Not applicable", ("cases", "because", "ids"), told).as_rich())
    state = "red" if differ else "green"
    out.print(Text(f"{agree} agree, {len(differ)} differ, {len(left)} not applicable", style=STYLES[state]))


def _short(figures: Any) -> str:
    return line(", ".join(f"{name} {value}" for name, value in figures.items()), _WIDEST)


def _cases(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            try:
                case = json.loads(text)
            except ValueError:
                raise _no_case(file, number, "no JSON") from None
            if not isinstance(case, dict) or not {"id", "kind", "calendar", "expected"} <= case.keys():
                raise _no_case(file, number, "no case")
            yield number, case


def _computed(case: dict[str, Any], file: Path, number: int) -> Outcome:
    try:
        return compute(case)
    except (ValueError, KeyError, TypeError) as failure:
        raise _no_case(file, number, f"a case that makes no sense ({line(str(failure), _WIDEST)})") from None


def _no_case(file: Path, number: int, found: str) -> InputError:
    expected = "a JSON object a line, with id, kind, calendar and expected"
    return InputError((Problem(str(file), number, "", found, expected),))


# ---------------------------------------------------------------------------------------------------------------- check


def check(pack: str, *, as_json: bool) -> Exit:
    """Load a pack, or a folder of its versions, and run the cases that ship with it.

    They stand beside the pack (``NAME.cases.yaml``), and in a folder under its name (``NAME/NAME.cases.yaml``).

    Raises:
        InputError: the pack, or its cases, have mistakes (all of them are told).
    """
    first, book = book_paths(pack)[0], load_book(pack)
    name = Path(pack).name if Path(pack).is_dir() else first.stem
    beside = first.with_name(f"{name}.cases.yaml")
    loaded = book.latest
    if not beside.is_file():
        expected = f"cases beside the pack, in {beside.name}"
        raise InputError((Problem(str(beside), 0, "", "no such file", expected),))
    results = tuple(run_cases(book, read_shape(beside, CaseFile), load_phrases("en")))
    failed = [result for result in results if not result.agrees]
    if as_json:
        sys.stdout.write(
            json_text.document(
                {
                    "pack": loaded.name,
                    "digest": loaded.digest,
                    "calendar_digest": loaded.calendar_digest,
                    "cases": len(results),
                    "failed": failed,
                }
            )
            + "\n"
        )
    else:
        _show_check(render.console(), f"{loaded.name} ({loaded.digest[:8]})", results, failed)
    return Exit.FOUND if failed else Exit.FINE


def _show_check(out: Console, pack: str, results: tuple[CaseResult, ...], failed: list[CaseResult]) -> None:
    if failed:
        rows = tuple((result.name, difference) for result in failed for difference in result.differences)
        out.print(Grid("These fail", ("case", "difference"), rows).as_rich(rows=len(rows)))
    counted = f"{pack}: {len(results) - len(failed)} of {len(results)} cases agree"
    out.print(Text(counted, style=STYLES["red" if failed else "green"]))
