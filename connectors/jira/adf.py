"""Atlassian Document Format (Jira Cloud, REST v3): a document as nodes, and the plain text of somebody's nodes.

Rules (https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/):

1. Nodes are built from data, so nothing in a text can become a mention, a link or formatting.
2. An empty text node is invalid; ``code`` stands beside no other mark but ``link``; cells and items hold paragraphs.
3. Reading trusts nothing: any shape, any depth, unknown nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, assert_never

from connectors.jira.text import one_line, printable, received
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text


def document_of(document: Document, mark: str) -> dict[str, Any]:
    """The document as ADF, with ``mark`` as its last line in code style."""
    last: Block = Paragraph((Text(mark, code=True),))
    return {"type": "doc", "version": 1, "content": [_block(block) for block in (*document.blocks, last)]}


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            level = min(6, max(1, block.level))
            return {"type": "heading", "attrs": {"level": level}, "content": _runs((Text(one_line(block.text)),))}
        case Paragraph():
            return _paragraph(block.runs)
        case BulletList():
            items = block.items or ((),)
            return {
                "type": "bulletList",
                "content": [{"type": "listItem", "content": [_paragraph(item)]} for item in items],
            }
        case Table():
            return _table(block)
        case _:
            assert_never(block)


def _table(table: Table) -> dict[str, Any]:
    width = max([1, len(table.header), *(len(row) for row in table.rows)])
    header = [*table.header, *[""] * (width - len(table.header))]
    rows = [{"type": "tableRow", "content": [_cell("tableHeader", (Text(name),)) for name in header]}]
    for row in table.rows:
        cells = [*row, *[()] * (width - len(row))]
        rows.append({"type": "tableRow", "content": [_cell("tableCell", cell) for cell in cells]})
    return {"type": "table", "attrs": {"isNumberColumnEnabled": False, "layout": "default"}, "content": rows}


def _cell(kind: str, runs: tuple[Text, ...]) -> dict[str, Any]:
    return {"type": kind, "attrs": {}, "content": [_paragraph(runs)]}


def _paragraph(runs: tuple[Text, ...]) -> dict[str, Any]:
    return {"type": "paragraph", "content": _runs(runs)}


def _runs(runs: tuple[Text, ...]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    for run in runs:
        marks: list[dict[str, Any]] = []
        if run.code:
            marks.append({"type": "code"})
        elif run.strong:
            marks.append({"type": "strong"})
        if run.url:
            marks.append({"type": "link", "attrs": {"href": one_line(run.url)}})
        for number, line in enumerate(printable(run.text).split("\n")):
            if number:
                nodes.append({"type": "hardBreak"})
            if line:
                nodes.append({"type": "text", "text": line, **({"marks": marks} if marks else {})})
    return nodes


# ------------------------------------------------------------------------------------------------------------- reading


class _Break(IntEnum):
    """Where one block ends and another begins. Several in one place count as the widest."""

    LINE = 1
    BLOCK = 2


def text_of(value: Any) -> str:
    """The words of a comment or description: a string (v2) as it is, ADF (v3) as plain lines, "" for anything else."""
    if isinstance(value, str):
        return received(value)
    out: list[str | _Break] = []
    # An explicit stack: a document nested ten thousand deep is only a long one. What is no node is to be put out.
    stack: list[Any] = [value] if isinstance(value, dict) else []
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack.extend(reversed(_parts(node)))
        elif isinstance(node, _Break) and out and isinstance(last := out[-1], _Break):
            out[-1] = max(last, node)
        elif isinstance(node, str | _Break):
            out.append(node)
    return "".join("\n" * part if isinstance(part, _Break) else part for part in out).strip("\n")


def _parts(node: dict[str, Any]) -> list[Any]:
    """What a node is made of, in order: strings, breaks and further nodes."""
    kind = received(node.get("type"))
    if kind in _LEAVES:
        return [_LEAVES[kind](node)]
    content = node.get("content")
    parts: list[Any] = content if isinstance(content, list) else []
    if kind in {"tableCell", "tableHeader"}:
        # A cell is one line, and an item begins on the line of its bullet.
        return ["| ", *(part for child in parts for part in (_bare(child), " "))]
    if kind in {"listItem", "taskItem", "decisionItem"}:
        return [_Break.LINE, "- ", *(part for child in parts for part in (_bare(child), _Break.LINE)), _Break.LINE]
    around = _BREAKS.get(kind)
    return [around, *parts, around] if around else parts


def _bare(child: Any) -> Any:
    """A paragraph without the breaks around it; inline nodes, which an old item may hold directly, as they are."""
    return {**child, "type": ""} if isinstance(child, dict) and child.get("type") == "paragraph" else child


def _attribute(*names: str) -> Callable[[dict[str, Any]], str]:
    """Reads the first of these attributes that holds text."""

    def read(node: dict[str, Any]) -> str:
        attrs = node.get("attrs")
        found = [received(attrs.get(name)) for name in names] if isinstance(attrs, dict) else []
        return next((text for text in found if text), "")

    return read


def _words(node: dict[str, Any]) -> str:
    """The text of a text node, with the address of a link behind it where that is another one."""
    text = received(node.get("text"))
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else []:
        if isinstance(mark, dict) and mark.get("type") == "link" and isinstance(mark.get("attrs"), dict):
            href = received(mark["attrs"].get("href"))
            if href and href != text:
                return f"{text} ({href})"
    return text


def _day(node: dict[str, Any]) -> str:
    attrs = node.get("attrs")
    stamp = attrs.get("timestamp") if isinstance(attrs, dict) else None
    try:
        return datetime.fromtimestamp(int(stamp or "") / 1000, UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


_LEAVES: dict[str, Callable[[dict[str, Any]], str]] = {
    "text": _words,
    "hardBreak": lambda _: "\n",
    "rule": lambda _: "\n----\n",
    "mention": _attribute("text"),
    "status": _attribute("text"),
    "placeholder": _attribute("text"),
    "emoji": _attribute("text", "shortName"),
    "inlineCard": _attribute("url"),
    "blockCard": _attribute("url"),
    "embedCard": _attribute("url"),
    "date": _day,
    "media": _attribute("alt"),
    "mediaInline": _attribute("alt"),
}

_BREAKS = dict.fromkeys(("bulletList", "orderedList", "taskList", "decisionList", "tableRow"), _Break.LINE) | (
    dict.fromkeys(
        (
            "paragraph",
            "heading",
            "codeBlock",
            "blockquote",
            "table",
            "panel",
            "expand",
            "nestedExpand",
            "mediaSingle",
            "mediaGroup",
        ),
        _Break.BLOCK,
    )
)
