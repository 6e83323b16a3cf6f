"""Problems of an input file: where, what stands there, what was expected, and the nearest valid word."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Path_ = tuple[str | int, ...]
"""Where something stands in a document: keys and list numbers from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file.

    Attributes:
        line: 1-based; 0 for the file as a whole.
        path: where in the document (``clocks.resolution.goals[0].within``).
        nearest: the valid word that looks most like what was found, "" if none does.
    """

    file: str
    line: int
    path: str
    found: str
    expected: str
    nearest: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        place = f" at {self.path}" if self.path else ""
        found = f": found {self.found}" if self.found else ""
        hint = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        return f"{where}{place}{found}; expected {self.expected}{hint}"


class InputError(ValueError):
    """A file that cannot be used. ``str()`` is all of its problems, a line each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def nearest(word: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """The known word that looks most like a given one, "" if none does."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def written(path: Path_) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
