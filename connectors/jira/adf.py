"""Atlassian Document Format (Jira Cloud, REST v3): a document as nodes, and the plain text of somebody's nodes.

Rules (https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/):

1. Nodes are built from data, so nothing in a text can become a mention, a link or formatting.
2. An empty text node is invalid; ``code`` stands beside no other mark but ``link``; cells and items hold paragraphs.
3. Reading trusts nothing: any shape, any depth, unknown nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, assert_never

from connectors.jira.text import one_line, printable, received
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text

_BLOCKS = frozenset(
    {
        "paragraph",
        "heading",
        "codeBlock",
        "blockquote",
        "bulletList",
        "orderedList",
        "listItem",
        "taskList",
        "taskItem",
        "decisionList",
        "decisionItem",
        "table",
        "tableRow",
        "panel",
        "expand",
        "nestedExpand",
        "mediaSingle",
        "mediaGroup",
    }
)


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


def text_of(value: Any) -> str:
    """The words of a comment or description: a string (v2) as it is, ADF (v3) as plain lines, "" for anything else."""
    if isinstance(value, str):
        return received(value)
    out: list[str] = []
    # An explicit stack: a document nested ten thousand deep is only a long one. A string on it is text to be put out.
    stack: list[Any] = [value] if isinstance(value, dict) else []
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            _put(out, node)
        elif isinstance(node, dict):
            stack.extend(reversed(_parts(node)))
    return "".join(out).strip("\n")


def _put(out: list[str], text: str) -> None:
    """A line break is put once, and not straight behind a bullet."""
    if text and not (text == "\n" and (not out or out[-1] in {"\n", "- "})):
        out.append(text)


def _parts(node: dict[str, Any]) -> list[Any]:
    """What a node is made of, in order: strings and further nodes."""
    kind = node.get("type")
    if isinstance(kind, str) and kind in _LEAVES:
        return [_LEAVES[kind](node)]
    content = node.get("content")
    parts: list[Any] = content if isinstance(content, list) else []
    if kind in {"tableCell", "tableHeader"}:
        # A cell is one line: its paragraphs lose the breaks around them.
        return ["| ", *(part for child in parts for part in (_without_breaks(child), " "))]
    if kind in {"listItem", "taskItem", "decisionItem"}:
        return ["\n", "- ", *parts, "\n"]
    return ["\n", *parts, "\n"] if kind in _BLOCKS else parts


def _without_breaks(child: Any) -> Any:
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
