"""An export's file -> incidents. All mistakes of a file are told together, each with its line.

Rules:

1. A file is read line by line, plain or gzipped; what is in it is hostile: lines, entries and words have a limit.
2. A record that stands there twice, word for word, is one; two that differ under one id are a mistake.
3. Nothing is skipped: a file with a mistake gives no incident.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from connectors.incidents.export_map import ExportMap
from connectors.incidents.mapping import Incident, Mismatch, incident
from connectors.incidents.payload import Record
from policies.problem import InputError, Problem

_LONGEST = 4_000_000
_MOST_PROBLEMS = 200
_SHOWN = 60


def _ignored(_done: int) -> None:
    return None


def read(file: Path, words: ExportMap, progress: Callable[[int], None] = _ignored) -> tuple[Incident, ...]:
    """The incidents of a file, in its order.

    Args:
        progress: told the number of lines read, now and then.

    Raises:
        InputError: with every mistake of the file (the first 200, where there are more).
    """
    problems: list[Problem] = []
    found: list[Incident] = []
    records: dict[str, tuple[int, Record]] = {}
    for number, line in _lines(file, problems):
        if number % 100 == 0:
            progress(number)
        if not line.strip() or len(problems) > _MOST_PROBLEMS:
            continue
        record = _record(file, number, line, problems)
        if record is None:
            continue
        earlier = records.setdefault(record.id, (number, record))
        if earlier[0] != number:
            if earlier[1] != record:
                expected = f"another id than that of line {earlier[0]}, which tells otherwise"
                problems.append(Problem(str(file), number, "id", repr(record.id[:_SHOWN]), expected))
            continue
        try:
            found.append(incident(record, words))
        except Mismatch as mismatch:
            problems.append(Problem(str(file), number, mismatch.path, mismatch.found, mismatch.expected))
    if not problems and not found:
        problems.append(Problem(str(file), 0, "", "no incident", "one JSON object a line"))
    if problems:
        if len(problems) > _MOST_PROBLEMS:
            rest = Problem(str(file), 0, "", "more mistakes", "these to be mended first")
            problems = [*problems[:_MOST_PROBLEMS], rest]
        raise InputError(tuple(problems))
    return tuple(found)


def _lines(file: Path, problems: list[Problem]) -> Iterator[tuple[int, bytes]]:
    try:
        with _opened(file) as lines:
            number = 0
            while line := lines.readline(_LONGEST + 1):
                number += 1
                if len(line) > _LONGEST:
                    problems.append(Problem(str(file), number, "", "a line without end", f"at most {_LONGEST} bytes"))
                    return
                yield number, line
    except FileNotFoundError:
        problems.append(Problem(str(file), 0, "", "no such file", "an export, one JSON object a line"))
    except (OSError, EOFError, zlib.error) as error:
        what = getattr(error, "strerror", None) or "a broken gzip file"
        problems.append(Problem(str(file), 0, "", str(what), "a readable file, plain or gzipped"))


def _opened(file: Path) -> IO[bytes]:
    with file.open("rb") as start:
        gzipped = start.read(2) == b"\x1f\x8b"
    return gzip.open(file, "rb") if gzipped else file.open("rb")  # type: ignore[return-value]  # GzipFile reads lines as IO does


def _record(file: Path, number: int, line: bytes, problems: list[Problem]) -> Record | None:
    try:
        data = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        problems.append(Problem(str(file), number, "", "bytes that are not UTF-8", "a JSON object in UTF-8"))
        return None
    except (ValueError, RecursionError):
        problems.append(Problem(str(file), number, "", "no JSON", "a JSON object"))
        return None
    if not isinstance(data, dict):
        problems.append(Problem(str(file), number, "", "no object", "a JSON object with id, opened_at and history"))
        return None
    try:
        return Record.model_validate(data)
    except ValidationError as error:
        problems += [_problem(file, number, detail) for detail in error.errors()]
        return None


def _problem(file: Path, number: int, detail: Any) -> Problem:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    path = "".join(parts).removeprefix(".")
    if detail["type"] == "missing":
        return Problem(str(file), number, path, "nothing", f"`{detail['loc'][-1]}`")
    value = detail["input"]
    found = {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), repr(value)[:_SHOWN])
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return Problem(str(file), number, path, found, expected)
