"""A table of plain words, shown on a terminal or in Markdown.

Rules:

1. What a cell holds is text. Foreign words can neither colour a terminal, move its cursor, reorder its characters, nor
   become markup, links, images or HTML in an artifact.
2. A cell is one line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

T = TypeVar("T")

Row = tuple[str, ...]

_BETWEEN = 2

ROWS = 40
"""Rows shown on a terminal before the rest is only counted."""

# Markdown's and HTML's own characters, and "@", which some hosts turn into a mention.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&$-])")
_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;", "@": "&#64;", "`": "&#96;"}
# Invisible or reordering characters: zero-width ones, joiners, bidirectional marks and overrides.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}

STYLES = {
    "overdue": "bold red",
    "missed": "red",
    "at_risk": "bold yellow",
    "running": "cyan",
    "paused": "blue",
    "met": "green",
    "cancelled": "dim",
    "not_applicable": "dim",
    "indeterminate": "magenta",
    "performed": "green",
    "already_so": "dim",
    "failed": "bold red",
    "not_tried": "yellow",
    "ok": "green",
    "not ok": "bold red",
    "green": "bold green",
    "amber": "bold yellow",
    "red": "bold red",
}


def neutral(text: str) -> str:
    """The text without control, bidirectional and invisible characters; line breaks stay."""
    return "".join(
        char
        if char == "\n" or unicodedata.category(char) not in _HIDDEN
        else " "
        if char in "\t\r"
        else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def line(text: str, width: int = 0) -> str:
    """The text as one neutral line, cut to ``width`` characters where one is given."""
    one = " ".join(neutral(text).split())
    return f"{one[: width - 1]}…" if width and len(one) > width else one


def escaped(text: str) -> str:
    """The text as one line of Markdown that shows exactly these characters."""
    return _MARKUP.sub(lambda found: _ENTITY.get(found[1]) or f"\\{found[1]}", line(text))


class Rows(Sequence[Row], Generic[T]):
    """Rows put into words when they are looked at: of ten thousand, a terminal shows forty.

    Args:
        told: what there is a row for, each.
        worded: its cells.
    """

    def __init__(self, told: Sequence[T], worded: Callable[[T], Row]) -> None:
        self._told = told
        self._worded = worded

    def __len__(self) -> int:
        return len(self._told)

    def __iter__(self) -> Iterator[Row]:
        return map(self._worded, self._told)

    @overload
    def __getitem__(self, which: int) -> Row: ...
    @overload
    def __getitem__(self, which: slice) -> Rows[T]: ...
    def __getitem__(self, which: int | slice) -> Row | Rows[T]:
        if isinstance(which, slice):
            return Rows(self._told[which], self._worded)
        return self._worded(self._told[which])


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        title, note: above and under it ("" for no note).
        empty: said in its place when there are no rows.
        cut: columns that a narrow terminal cuts short, down to ``least`` characters; all others are folded, so that
            nothing of them is lost.
    """

    title: str
    header: Row
    rows: Sequence[Row]
    note: str = ""
    empty: str = ""
    cut: tuple[str, ...] = ()
    least: int = 18

    def as_rich(self, rows: int = ROWS) -> RenderableType:
        """For a terminal. Styles follow the words of ``STYLES``; the text of a cell is never read as markup."""
        if not self.rows and self.empty:
            return Text.assemble((line(self.title), "bold"), ": ", (line(self.empty), "dim"))
        more = len(self.rows) - rows
        notes = [self.note] if self.note else []
        if more > 0:
            notes.append(f"… and {more} more (--json has all)")
        parts: list[RenderableType] = [Text(line(self.title), style="bold"), _Fitted(self, rows)]
        if notes:
            parts.append(Text(line("; ".join(notes)), style="dim"))
        return Group(*parts)

    def as_markdown(self, rows: int = 500) -> str:
        """For an artifact: a heading, a pipe table, the note."""
        if not self.rows:
            return f"### {escaped(self.title)}\n\n{escaped(self.empty or 'nothing')}\n"
        lines = [f"### {escaped(self.title)}", "", f"| {' | '.join(map(escaped, self.header))} |"]
        lines.append("|" + " --- |" * len(self.header))
        lines += [f"| {' | '.join(map(escaped, row))} |" for row in self.rows[:rows]]
        if len(self.rows) > rows:
            lines += ["", f"… and {len(self.rows) - rows} more"]
        if self.note:
            lines += ["", escaped(self.note)]
        return "\n".join(lines) + "\n"

    def as_records(self) -> list[dict[str, str]]:
        """For a table artifact: one record a row."""
        return [dict(zip(self.header, map(line, row), strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The first rows of a grid, drawn to fit the width there is: long columns give way, short ones stay whole."""

    grid: Grid
    rows: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        cells = [tuple(map(line, row)) for row in (self.grid.header, *self.grid.rows[: self.rows])]
        natural = [max(cell_len(row[number]) for row in cells) for number in range(len(self.grid.header))]
        widths = self._widths(natural, options.max_width - _BETWEEN * (len(natural) - 1))
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        for name, width in zip(self.grid.header, widths, strict=True):
            short = name in self.grid.cut
            table.add_column(name, width=width, overflow="ellipsis" if short else "fold", no_wrap=short)
        for row in cells[1:]:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        yield table

    def _widths(self, widths: list[int], room: int) -> list[int]:
        """Widths that fit: the columns that may be cut shrink first, then the widest of the others."""
        widths = widths.copy()
        may_be_cut = [number for number, name in enumerate(self.grid.header) if name in self.grid.cut]
        while sum(widths) > room and max(widths) > 1:
            first = [number for number in may_be_cut if widths[number] > self.grid.least]
            shrunk = max(first or range(len(widths)), key=lambda number: widths[number])
            widths[shrunk] -= 1
        return widths
