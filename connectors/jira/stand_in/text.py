"""Texts in Jira's two forms: Atlassian documents (API 3) and wiki markup (API 2), and the way between them."""

from __future__ import annotations

import re
from typing import Any

from connectors.sandbox.nouns import Body

_BLOCKS = frozenset({
    "paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "rule", "table", "panel", "expand",
    "mediaSingle", "mediaGroup", "taskList", "decisionList", "blockCard",
})  # fmt: skip
_INLINE = frozenset({"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline"})
_HOLDS: dict[str, frozenset[str]] = {
    "doc": _BLOCKS,
    "paragraph": _INLINE,
    "heading": _INLINE,
    "codeBlock": frozenset({"text"}),
    "blockquote": _BLOCKS,
    "panel": _BLOCKS,
    "expand": _BLOCKS,
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "listItem": _BLOCKS,
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableCell", "tableHeader"}),
    "tableCell": _BLOCKS,
    "tableHeader": _BLOCKS,
}
_MUST_HOLD = frozenset({"bulletList", "orderedList", "listItem", "table", "tableRow", "tableCell", "tableHeader"})
_MARKS = frozenset({
    "strong", "em", "code", "link", "strike", "underline", "subsup", "textColor", "backgroundColor", "border",
})  # fmt: skip

_SIGNS = {"strong": ("*", "*"), "em": ("_", "_"), "code": ("{{", "}}"), "strike": ("-", "-")}


def fault_in(document: object) -> str:
    """What is wrong with an Atlassian document, "" if nothing is: nodes, nesting, marks, empty texts."""
    if not isinstance(document, dict) or document.get("type") != "doc" or document.get("version") != 1:
        return "not a document of version 1"
    return _fault(document)


def _fault(node: dict[str, Any]) -> str:
    kind = node.get("type")
    if kind == "text":
        return _text_fault(node)
    children = node.get("content", [])
    if not isinstance(children, list):
        return f"content of {kind} is not a list"
    if kind in _MUST_HOLD and not children:
        return f"{kind} is empty"
    if kind == "heading" and (node.get("attrs") or {}).get("level") not in range(1, 7):
        return "heading without a level from 1 to 6"
    for child in children:
        if not isinstance(child, dict):
            return f"{kind} holds something that is not a node"
        if child.get("type") not in _HOLDS.get(str(kind), frozenset()):
            return f"{kind} cannot hold {child.get('type')}"
        if found := _fault(child):
            return found
    return ""


def _text_fault(node: dict[str, Any]) -> str:
    if not isinstance(node.get("text"), str) or not node["text"]:
        return "empty text node"
    marks = [mark.get("type") for mark in node.get("marks", [])]
    if unknown := [mark for mark in marks if mark not in _MARKS]:
        return f"unknown marks {unknown}"
    if "code" in marks and set(marks) - {"code", "link"}:
        return "code goes with no mark but link"
    if any(mark["type"] == "link" and not (mark.get("attrs") or {}).get("href") for mark in node.get("marks", [])):
        return "link without href"
    return ""


def as_document(body: Body | None) -> dict[str, Any] | None:
    """A text for API 3. Wiki markup becomes paragraphs, one per block of lines, with its markup as plain characters."""
    if body is None or isinstance(body, dict):
        return body
    paragraphs = [part for part in re.split(r"\r?\n\s*\r?\n", body) if part.strip()]
    return {"type": "doc", "version": 1, "content": [_paragraph(part) for part in paragraphs]}


def _paragraph(text: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for line in text.splitlines():
        if content:
            content.append({"type": "hardBreak"})
        if line:
            content.append({"type": "text", "text": line})
    return {"type": "paragraph", "content": content}


def as_wiki(body: Body | None) -> str | None:
    """A text for API 2."""
    if body is None or isinstance(body, str):
        return body
    return "\n\n".join(_wiki_block(node) for node in body.get("content", []))


def _wiki_block(node: dict[str, Any], depth: int = 1) -> str:
    kind, children = node.get("type"), node.get("content", [])
    if kind == "heading":
        return f"h{node['attrs']['level']}. {_wiki_inline(children)}"
    if kind in {"bulletList", "orderedList"}:
        sign = ("*" if kind == "bulletList" else "#") * depth
        return "\n".join(f"{sign} {_wiki_item(item, depth)}" for item in children)
    if kind == "codeBlock":
        return "{code}\n" + _wiki_inline(children) + "\n{code}"
    if kind == "blockquote":
        return "{quote}\n" + "\n\n".join(_wiki_block(child) for child in children) + "\n{quote}"
    if kind == "rule":
        return "----"
    if kind == "table":
        return "\n".join(_wiki_row(row) for row in children)
    if kind in {"panel", "expand"}:
        return "\n\n".join(_wiki_block(child) for child in children)
    return _wiki_inline(children)


def _wiki_item(item: dict[str, Any], depth: int) -> str:
    return "\n".join(_wiki_block(child, depth + 1) for child in item.get("content", []))


def _wiki_row(row: dict[str, Any]) -> str:
    line, sign = "", "|"
    for cell in row.get("content", []):
        sign = "||" if cell.get("type") == "tableHeader" else "|"
        line += sign + " ".join(_wiki_block(child) for child in cell.get("content", []))
    return line + sign


def _wiki_inline(nodes: list[dict[str, Any]]) -> str:
    return "".join(_wiki_node(node) for node in nodes)


def _wiki_node(node: dict[str, Any]) -> str:
    kind, attrs = node.get("type"), node.get("attrs") or {}
    if kind == "hardBreak":
        return "\n"
    if kind == "mention":
        return f"[~accountid:{attrs.get('id', '')}]"
    if kind == "inlineCard":
        return f"[{attrs.get('url', '')}]"
    text = str(node.get("text") or attrs.get("text") or attrs.get("shortName") or "")
    for mark in node.get("marks", []):
        if mark["type"] == "link":
            text = f"[{text}|{mark['attrs']['href']}]"
        else:
            start, end = _SIGNS.get(mark["type"], ("", ""))
            text = f"{start}{text}{end}"
    return text
