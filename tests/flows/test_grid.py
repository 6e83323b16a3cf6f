"""Tables of foreign words: nothing in a cell is more than characters."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flows.grid import Grid, escaped, line, neutral
from flows.likely import state_of
from policies.issue import State, Word

HOSTILE = "\x1b]0;title\x07[red]x[/red] | <script>alert(1)</script> ![i](http://e/x.png) `c` @all \u202etxt\u200b\nnext"


def drawn(grid: Grid) -> str:
    paper = io.StringIO()
    Console(file=paper, width=400).print(grid.as_rich())
    return paper.getvalue()


def test_a_terminal_shows_foreign_markup_as_characters() -> None:
    shown = drawn(Grid("t", ("a", "b"), ((HOSTILE, "met"),)))
    assert "[red]x[/red]" in shown
    assert not {"\x1b", "\x07", "\u202e", "\u200b"} & set(shown)


def test_markdown_shows_foreign_markup_as_characters() -> None:
    text = Grid("t", ("a",), ((HOSTILE,),)).as_markdown()
    assert "<script" not in text
    assert "![i]" not in text
    assert "@all" not in text
    (row,) = [each for each in text.splitlines() if "script" in each]
    assert row.count("|") == 2


def test_a_record_is_one_neutral_line() -> None:
    (record,) = Grid("t", ("a",), ((HOSTILE,),)).as_records()
    assert "\n" not in record["a"]
    assert "\x1b" not in record["a"]


def test_what_does_not_fit_is_counted() -> None:
    grid = Grid("t", ("a",), tuple((str(number),) for number in range(50)))
    assert "and 10 more" in drawn(grid)
    assert "and 47 more" in grid.as_markdown(rows=3)


def test_an_empty_table_says_so() -> None:
    assert "t: none" in drawn(Grid("t", ("a",), (), empty="none"))


@given(st.text())
def test_no_text_keeps_a_character_that_acts(text: str) -> None:
    assert all(char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Zl", "Zp"} for char in neutral(text))
    assert "\n" not in line(text)


@given(st.text())
def test_no_text_in_markdown_opens_a_tag_or_a_cell(text: str) -> None:
    assert not {"<", ">", "|", "@", "`"} & set(escaped(text))


@given(st.text(), st.integers(2, 40))
def test_a_cut_line_is_no_longer_than_asked(text: str, width: int) -> None:
    assert len(line(text, width)) <= width


@pytest.mark.parametrize(
    ("name", "group", "state"),
    [
        ("Done", "done", State.RESOLVED),
        ("处理中", "indeterminate", State.IN_PROGRESS),
        ("Waiting for Customer", "indeterminate", State.WAITING_FOR_CUSTOMER),
        ("Quite unheard of", "done", State.RESOLVED),
        ("Quite unheard of", "", State.OPEN),
    ],
)
def test_a_status_is_guessed_by_name_then_by_group(name: str, group: str, state: State) -> None:
    assert state_of(Word("1", name, group)) is state
