"""A table of contracts, one a row, as the plain data of ``contracts.yaml``.

Rules:

1. All mistakes of the table are found and told together, each with its line and column.
2. Nothing in a cell is ever computed. Free text that a spreadsheet would take for a formula gets an apostrophe before
   it, so that it stays text in whatever it is opened with next; a formula where a date, id or word belongs is a mistake.
3. Days are written year first: ``2026-03-01`` or ``2026/3/1``. ``01.03.2026`` and ``3/1/2026`` are refused, not guessed.

Columns (``id``, ``customer``, ``duration``, one of ``delivered`` and ``accepted``, and one ``match_...`` are needed).
Several values of a cell stand one after another with ``;`` between them, the parts of a value with ``|``:

    product             Car; Trailer              lines        2 | 3.1; 1        (in the order of the products)
    extensions          6mo | Amendment 1 | 2026-11-02; until 2027-12-31 | Amendment 2 | 2027-05-04
    suspensions         2026-06-01..2026-06-30 | plant closed | Letter 7
    match_project ...   acme/*; acme-old          match_field  Contract=AC-1; Contract=AC-2
    match_tracker, match_component, match_label, match_reporter, match_organisation   (all that are given must fit)
    defect, functional, performance, security, upgrade        included | 4.1
    exclude_component, exclude_label   firmware | 4.6: third-party firmware
    supersedes, tier, calendar, policy, zone
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from policies.register import CATEGORIES, RegisterShape, slips

_MATCHES = ("tracker", "project", "component", "label", "reporter", "organisation", "field")
_WORDS = ("tier", "calendar", "policy", "zone")
_EXCLUSIONS = ("component", "label")
COLUMNS = (
    "id",
    "customer",
    "product",
    "lines",
    "delivered",
    "accepted",
    "duration",
    "extensions",
    "suspensions",
    *(f"match_{word}" for word in _MATCHES),
    *CATEGORIES,
    *(f"exclude_{word}" for word in _EXCLUSIONS),
    "supersedes",
    *_WORDS,
)
_NEEDED = ("id", "customer", "duration")
_FORMULA = tuple("=+-@\t\r＝＋－＠")
_DAY = re.compile(r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})")
_MOST_ROWS = 20_000
_MOST_CHARACTERS = 10_000_000


@dataclass(frozen=True, slots=True, order=True)
class CellProblem:
    """One mistake of a table.

    Attributes:
        line: 1-based line of the text at which the row begins; 0 for the table as a whole.
        column: name of the column, "" for the row as a whole.
    """

    line: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "the table"
        place = f", column {self.column}" if self.column else ""
        found = f": found {self.found}" if self.found else ""
        return f"{where}{place}{found}; expected {self.expected}"


class TableError(ValueError):
    """A table that cannot be used. ``str()`` is all of its problems, a line each."""

    def __init__(self, problems: tuple[CellProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class _WrongCell(ValueError):
    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(expected)


# ------------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]


def register_from_table(text: str, zone: str = "UTC") -> dict[str, Any]:
    """A table as the plain data of a register file, checked as that file would be.

    Args:
        text: comma, semicolon or tab separated, with one line of column names.
        zone: the zone that goes into the file.

    Raises:
        TableError: with every mistake of the table.
    """
    rows, problems = _rows(text)
    contracts: list[dict[str, Any]] = []
    lines: list[int] = []
    for row in rows:
        contract, wrong = _contract(row)
        problems += wrong
        contracts.append(contract)
        lines.append(row.line)
    data = {"zone": zone, "contracts": contracts}
    told = {(problem.line, problem.column) for problem in problems}
    # A match that is empty only because its words are wrong is told by those.
    told.update((line, "match_...") for line, column in tuple(told) if column.startswith("match_"))
    for path, found, expected in _mistakes(data):
        number = path[1] if len(path) > 1 and isinstance(path[1], int) else None
        line, column = (lines[number], _column(path[2:], contracts[number])) if number is not None else (0, "zone")
        if (line, column) not in told:
            problems.append(CellProblem(line, column, found, expected))
    if problems:
        raise TableError(tuple(sorted(set(problems))))
    return data


def as_yaml(data: Mapping[str, Any]) -> str:
    """A register's plain data as the text of ``contracts.yaml``."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel's own annotation knows only its default, None
    yaml.width = 120
    out = io.StringIO()
    yaml.dump(dict(data), out)
    return out.getvalue()


def _rows(text: str) -> tuple[list[_Row], list[CellProblem]]:
    if len(text) > _MOST_CHARACTERS:
        raise TableError((CellProblem(0, "", f"{len(text)} characters", f"at most {_MOST_CHARACTERS}"),))
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError((CellProblem(line, "", "a NUL character", "text (is this a spreadsheet's own file?)"),))
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[_Row] = []
    problems: list[CellProblem] = []
    names: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = [cell.strip().casefold() for cell in cells]
                problems += _wrong_names(begins, names)
                continue
            if any(cell.strip() for cell in cells[len(names) :]):
                problems.append(CellProblem(begins, "", f"{len(cells)} cells", f"{len(names)}, as many as names"))
            held = dict(zip(names, (cell.strip() for cell in cells), strict=False))
            rows.append(_Row(begins, {name: cell for name, cell in held.items() if cell}))
            if len(rows) > _MOST_ROWS:
                raise TableError((CellProblem(begins, "", "more rows", f"at most {_MOST_ROWS} contracts"),))
    except csv.Error as error:
        problems.append(CellProblem(line, "", str(error), "cells with each quote closed and doubled inside"))
    if names is None:
        problems.append(CellProblem(0, "", "nothing", "a line of column names and a line for each contract"))
    return rows, problems


def _wrong_names(line: int, names: list[str]) -> Iterator[CellProblem]:
    for place, name in enumerate(names):
        if name and name not in COLUMNS:
            yield CellProblem(line, name[:60], repr(name[:60]), f"one of {', '.join(COLUMNS)}")
        elif name and name in names[:place]:
            yield CellProblem(line, name, f"{name!r} twice", "each column once")
    for needed in _NEEDED:
        if needed not in names:
            yield CellProblem(line, needed, "nothing", f"a column {needed}")
    if not {"delivered", "accepted"}.intersection(names):
        yield CellProblem(line, "delivered", "nothing", "a column delivered or accepted")
    if not any(name.startswith("match_") for name in names):
        yield CellProblem(line, "match_...", "nothing", "a column that says how an issue is found, as match_project")


def _mistakes(data: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    try:
        RegisterShape.model_validate(data)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "slips" or (detail["type"] == "too_short" and detail["input"]):
                continue  # told below with its place; or short only of members that are told themselves
            expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            found = detail["input"]
            # What is wrong between the parts of a contract is told of it as a whole: here, of its extensions.
            loc = (*detail["loc"], "extensions") if detail["type"] == "no_extension" else detail["loc"]
            yield loc, repr(found)[:80] if isinstance(found, str | int | date) else "", expected
    for slip in slips(data):
        yield slip.path, slip.found, slip.expected


def _column(path: tuple[Any, ...], contract: Mapping[str, Any]) -> str:
    """The column that a place of a contract was read from."""
    match path:
        case ("match", _, word, *_):
            return f"match_{word}"
        case ("match", *_):
            return "match_..."
        case ("products", _, "lines", *_):
            return "lines"
        case ("products", *_):
            return "product"
        case ("begins", str() as word, *_):
            return word
        case ("clauses", str() as category, *_):
            return category
        case ("exclusions", int() as number, *_):
            return f"exclude_{next(iter(contract['exclusions'][number]['match']), 'component')}"
        case _:
            return str(path[0]) if path else ""


# --------------------------------------------------------------------------------------------------------------- cells


def _contract(row: _Row) -> tuple[dict[str, Any], list[CellProblem]]:
    problems: list[CellProblem] = []
    found: dict[str, Any] = {}

    def read(column: str, how: Callable[[str], Any]) -> Any:
        cell = row.cells.get(column, "")
        if not cell:
            return None
        try:
            return how(cell)
        except _WrongCell as wrong:
            problems.append(CellProblem(row.line, column, wrong.found, wrong.expected))
            return None

    for name in _NEEDED:
        found[name] = read(name, _text if name == "customer" else _word)
        if not row.cells.get(name):
            problems.append(CellProblem(row.line, name, "nothing", f"a value for {name}"))
    found["match"] = [_present({word: read(f"match_{word}", _MATCH.get(word, _words)) for word in _MATCHES})]
    if not any(row.cells.get(f"match_{word}") for word in _MATCHES):
        problems.append(CellProblem(row.line, "match_...", "nothing", "a word in one of the match columns"))
    found["products"] = read("product", lambda cell: _products(cell, row.cells.get("lines", "")))
    anchors = [name for name in ("delivered", "accepted") if row.cells.get(name)]
    found["begins"] = {name: read(name, _day) for name in anchors[:1] or ["delivered"]}
    if len(anchors) > 1:
        problems.append(CellProblem(row.line, "accepted", "both", "either delivered or accepted"))
    found["extensions"] = read("extensions", lambda cell: [_extension(each) for each in _several(cell)])
    found["suspensions"] = read("suspensions", lambda cell: [_suspension(each) for each in _several(cell)])
    found["clauses"] = _present({category: read(category, _clause) for category in CATEGORIES})
    found["exclusions"] = [
        each for word in _EXCLUSIONS for each in read(f"exclude_{word}", partial(_exclusions, word)) or ()
    ]
    found["supersedes"] = read("supersedes", _words)
    found.update({word: read(word, _word) for word in _WORDS})
    return {name: value for name, value in found.items() if value or name == "begins"}, problems


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _parts(value: str, least: int, most: int, expected: str) -> list[str]:
    parts = [part.strip() for part in value.split("|", most - 1)]
    if len(parts) < least or not all(parts):
        raise _WrongCell(repr(value[:60]), expected)
    return parts


def _text(cell: str) -> str:
    """Free text; what a spreadsheet would compute stays text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _word(cell: str) -> str:
    if cell.startswith(_FORMULA):
        raise _WrongCell(repr(cell[:60]), "a word, not a formula")
    return cell


def _words(cell: str) -> list[str]:
    return [_word(each) for each in _several(cell)]


def _fields(cell: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in _words(cell):
        name, equals, value = (part.strip() for part in each.partition("="))
        if not (name and equals and value):
            raise _WrongCell(repr(each[:60]), "name=value; name=value")
        found.setdefault(name, []).append(_word(value))
    return found


_MATCH: dict[str, Callable[[str], Any]] = {"field": _fields}


def _day(cell: str) -> str:
    written = _DAY.fullmatch(cell)
    try:
        if written is not None:
            return date(int(written["year"]), int(written["month"]), int(written["day"])).isoformat()
    except ValueError:
        pass
    raise _WrongCell(repr(cell[:60]), "a day such as 2026-03-01 (year, month, day)")


def _products(cell: str, lines: str) -> list[dict[str, Any]]:
    names = [_text(each) for each in _several(cell)]
    of_each = [part.strip() for part in lines.split(";")] if lines else []
    if len(of_each) > len(names):
        raise _WrongCell(f"{len(names)} products and {len(of_each)} groups of lines", "no more groups than products")
    of_each += [""] * (len(names) - len(of_each))
    return [
        _present({"name": name, "lines": [line.strip() for line in held.split("|") if line.strip()]})
        for name, held in zip(names, of_each, strict=True)
    ]


def _extension(value: str) -> dict[str, str]:
    measure, document, signed = _parts(value, 3, 3, "6mo | document | 2026-11-02, or until 2027-12-31 | document | day")
    by = {"until": _day(measure[5:].strip())} if measure.casefold().startswith("until") else {"duration": measure}
    return {**by, "document": _text(document), "date": _day(signed)}


def _suspension(value: str) -> dict[str, str]:
    expected = "2026-06-01..2026-06-30 | reason | document"
    days, reason, document = _parts(value, 3, 3, expected)
    first, dots, last = (part.strip() for part in days.partition(".."))
    if not dots:
        raise _WrongCell(repr(value[:60]), expected)
    return {"from": _day(first), "to": _day(last), "reason": _text(reason), "document": _text(document)}


def _clause(cell: str) -> dict[str, str]:
    covered, text = _parts(cell, 2, 2, "included | the clause; or excluded, chargeable")
    return {"cover": covered.casefold(), "clause": _text(text)}


def _exclusions(word: str, cell: str) -> list[dict[str, Any]]:
    split = [_parts(each, 2, 2, f"the {word} | the clause that leaves it out") for each in _several(cell)]
    return [{"match": {word: _word(bearing)}, "clause": _text(text)} for bearing, text in split]
