"""Documents as Jira's two markups, and anybody's ADF as plain text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.adf import document_of, text_of
from connectors.jira.fit import fitting
from connectors.jira.text import one_line, printable, received
from connectors.jira.wiki import escaped, markup_of, unescaped
from policies.changes import Mark
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text

MARK = "warranty-flows:sla:0123456789ab"
ALL = Document(
    (
        Heading("Clocks", level=2),
        Paragraph((Text("due "), Text("now", strong=True), Text(" by "), Text("UTC", code=True))),
        BulletList(((Text("one"),), (Text("two", url="https://x.example/a|b]c d"),))),
        Table(("clock", "verdict"), (((Text("first"),), (Text("met"),)), ((Text("second"),),))),
    )
)


def last_line(text: str) -> str:
    return text.rstrip("\n").rpartition("\n")[2]


# ----------------------------------------------------------------------------------------------------------------- ADF


def nodes(node: Any) -> list[dict[str, Any]]:
    return [node, *(one for child in node.get("content", []) for one in nodes(child))]


def test_a_document_becomes_nodes_with_its_mark_as_the_last_line_in_code() -> None:
    found = document_of(ALL, MARK)
    assert (found["type"], found["version"]) == ("doc", 1)
    assert [block["type"] for block in found["content"]] == ["heading", "paragraph", "bulletList", "table", "paragraph"]
    assert found["content"][-1]["content"] == [{"type": "text", "text": MARK, "marks": [{"type": "code"}]}]
    rows = found["content"][3]["content"]
    assert [[cell["type"] for cell in row["content"]] for row in rows] == [
        ["tableHeader"] * 2,
        ["tableCell"] * 2,
        ["tableCell"] * 2,
    ]


def test_a_document_read_back_is_its_words_line_by_line() -> None:
    assert text_of(document_of(ALL, MARK)).split("\n\n") == [
        "Clocks",
        "due now by UTC",
        "- one\n- two (https://x.example/a|b]c d)",
        "| clock | verdict \n| first | met \n| second |  ",
        MARK,
    ]


_texts = st.text(max_size=12)
_runs = st.lists(st.builds(Text, _texts, strong=st.booleans(), code=st.booleans()), max_size=3).map(tuple)
_blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Heading, _texts, level=st.integers(-3, 12)),
    st.builds(Paragraph, _runs),
    st.builds(BulletList, st.lists(_runs, max_size=3).map(tuple)),
    st.builds(
        Table,
        st.lists(_texts, max_size=3).map(tuple),
        st.lists(st.lists(_runs, max_size=3).map(tuple), max_size=3).map(tuple),
    ),
)
_documents = st.builds(Document, st.lists(_blocks, max_size=4).map(tuple))


@given(document=_documents)
def test_every_document_is_valid_adf_and_ends_with_its_mark(document: Document) -> None:
    made = document_of(document, MARK)
    for node in nodes(made):
        if node["type"] == "text":
            assert node["text"]
            assert not re.search("[\x00-\x1f\x7f\u202a-\u202e\ud800-\udfff]", node["text"])
            marks = [mark["type"] for mark in node.get("marks", [])]
            assert "code" not in marks or set(marks) <= {"code", "link"}
        if node["type"] == "heading":
            assert 1 <= node["attrs"]["level"] <= 6
        if node["type"] in {"listItem", "tableCell", "tableHeader"}:
            assert [child["type"] for child in node["content"]] == ["paragraph"]
        if node["type"] in {"bulletList", "table", "tableRow"}:
            assert node["content"]
    json.dumps(made, ensure_ascii=False).encode()
    assert last_line(text_of(made)) == MARK
    assert Mark.found_in(text_of(made)) == Mark("sla", "0123456789ab")


def _text(text: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text, "marks": list(marks)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"type": "paragraph", "content": [_text("a"), {"type": "hardBreak"}, _text("b")]}], "a\nb"),
        ([{"type": "paragraph", "content": [_text("a")]}, {"type": "paragraph", "content": [_text("b")]}], "a\n\nb"),
        ([{"type": "mention", "attrs": {"id": "1", "text": "@Ann"}}], "@Ann"),
        ([{"type": "emoji", "attrs": {"shortName": ":car:", "text": "🚗"}}], "🚗"),
        ([{"type": "emoji", "attrs": {"shortName": ":car:"}}], ":car:"),
        ([{"type": "inlineCard", "attrs": {"url": "https://x.example"}}], "https://x.example"),
        ([{"type": "date", "attrs": {"timestamp": "1772409600000"}}], "2026-03-02"),
        ([{"type": "date", "attrs": {"timestamp": "soon"}}], ""),
        ([{"type": "status", "attrs": {"text": "DONE"}}], "DONE"),
        ([_text("x", {"type": "link", "attrs": {"href": "https://x.example"}})], "x (https://x.example)"),
        ([_text("https://x.example", {"type": "link", "attrs": {"href": "https://x.example"}})], "https://x.example"),
        ([{"type": "codeBlock", "content": [_text("a\n  b")]}], "a\n  b"),
        ([{"type": "somethingNew", "content": [_text("kept")]}], "kept"),
        (
            [{"type": "bulletList", "content": [{"type": "listItem", "content": [
                {"type": "paragraph", "content": [_text("a")]},
                {"type": "bulletList", "content": [{"type": "listItem", "content": [
                    {"type": "paragraph", "content": [_text("b")]}]}]},
            ]}]}],
            "- a\n- b",
        ),
    ],
)  # fmt: skip
def test_each_node_says_its_words(content: list[Any], expected: str) -> None:
    assert text_of({"type": "doc", "version": 1, "content": content}) == expected


@pytest.mark.parametrize(
    "value", [None, 1, [], {}, {"content": 1}, {"type": []}, {"type": "text"}, {"type": "text", "text": 1, "marks": 3},
              {"content": [None, 1, "x", [], {"type": "mention"}, {"type": "mention", "attrs": []}]}]
)  # fmt: skip
def test_no_shape_of_a_text_makes_reading_fail(value: Any) -> None:
    assert isinstance(text_of(value), str)


def test_a_document_nested_without_end_is_read() -> None:
    node: dict[str, Any] = _text("deep")
    for _ in range(50_000):
        node = {"type": "blockquote", "content": [node]}
    assert text_of(node) == "deep"


# -------------------------------------------------------------------------------------------------------- wiki markup


def test_a_document_becomes_markup_with_its_mark_as_the_last_line_in_code() -> None:
    assert markup_of(ALL, MARK).split("\n\n") == [
        "h2. Clocks",
        "due {*}now{*} by {{UTC}}",
        "* one\n* [two|https://x.example/a%7Cb%5Dc%20d]",
        "||clock||verdict||\n|first|met|\n|second|&nbsp;|",
        f"{{{{{MARK}}}}}",
    ]


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("plain 2026-03-07 15:00", "plain 2026-03-07 15:00"),
        ("[~ann] CAR-12", r"\[\~ann\] CAR\-12"),
        ("{code}x{code}", r"\{code\}x\{code\}"),
        ("C:\\temp", "C:&#92;temp"),
        ("&#91;x&#93;", r"&amp;\#91;x&amp;\#93;"),
        ("https://x.example", "https&#58;//x.example"),
        ("a@b.example", "a&#64;b.example"),
        ("h1. big\nbq. quote", "h1&#46; big\nbq&#46; quote"),
        (":) :D (x)", r"&#58;\) &#58;D \(x\)"),
        ("---- -- a-b", r"\-\-\-\- \-\- a\-b"),
    ],
)
def test_foreign_text_is_only_text(text: str, markup: str) -> None:
    assert escaped(text) == markup
    assert unescaped(markup) == text


@given(text=st.text())
def test_escaped_text_comes_back_and_holds_no_bare_markup(text: str) -> None:
    made = escaped(text)
    assert unescaped(made) == printable(text)
    bare = re.sub(r"\\[{}\[\]()*_+^~|!#?-]|&(?:amp|#\d+);", "", made)
    assert not re.search(r"[\\{}\[\]()*_+^~|!#?@]", bare)


@given(document=_documents)
def test_every_document_is_markup_that_ends_with_its_mark(document: Document) -> None:
    made = markup_of(document, MARK)
    assert last_line(made) == f"{{{{{MARK}}}}}"
    assert Mark.found_in(made) == Mark("sla", "0123456789ab")
    made.encode()


# -------------------------------------------------------------------------------------------------------------- length


def _length(document: Document) -> int:
    return len(markup_of(document, MARK))


def test_what_fits_is_left_alone() -> None:
    assert fitting(ALL, _length) is ALL


@given(document=_documents, longest=st.integers(120, 300))
def test_what_does_not_fit_is_cut_to_fit_and_says_so(document: Document, longest: int) -> None:
    made = fitting(document, _length, longest)
    assert _length(made) <= longest
    assert (made is document) == (_length(document) <= longest)
    if made is not document:
        assert "does not fit" in markup_of(made, MARK)


def test_a_table_is_cut_at_a_row_and_a_paragraph_at_a_character() -> None:
    rows = tuple(((Text(f"row {number}"),),) for number in range(100))
    table = fitting(Document((Table(("all",), rows),)), _length, 400).blocks[0]
    assert isinstance(table, Table)
    assert table.rows == rows[: len(table.rows)]
    assert len(table.rows) > 10
    paragraph = fitting(Document((Paragraph((Text("中" * 1000, strong=True),)),)), _length, 400).blocks[0]
    assert isinstance(paragraph, Paragraph)
    assert set(paragraph.runs[0].text) == {"中"}
    assert len(paragraph.runs[0].text) > 200


# ---------------------------------------------------------------------------------------------------------- characters


def test_what_may_come_in_and_what_may_go_out() -> None:
    assert received("a\x00\ud800b\x1b\u202e") == "a\ufffd\ufffdb\x1b\u202e"
    assert received(None) == received(3) == ""
    assert printable("a\r\nb\tc\x1b[31m\u202e👩‍🚒") == "a\nb c[31m👩‍🚒"
    assert one_line(" a\n\n b\t") == "a b"
