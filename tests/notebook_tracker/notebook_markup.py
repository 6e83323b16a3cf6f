"""A notebook's markup: documents are written in it, and texts are read without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never
from urllib.parse import quote

from policies.changes import Mark
from policies.document import BulletList, Document, Heading, Paragraph, Table, Text

_LIVE = re.compile(r"[\\@/\[\]|]")
_MARKUP = re.compile(r"\\(?P<plain>.)|\[\[[^|\]\s]+\|(?P<words>(?:\\.|[^\\\]])*)\]\]", re.DOTALL)


def plain(raw: str) -> str:
    """The words of a text, as a person reads them."""
    return _MARKUP.sub(lambda found: found["plain"] or plain(found["words"] or ""), raw)


def escaped(text: str) -> str:
    """The text so that nothing in it is obeyed: no call, no command, no link."""
    return _LIVE.sub(lambda found: f"\\{found[0]}", text)


def rendered(document: Document, mark: Mark) -> str:
    """The document in the notebook's markup, its mark in the last line."""
    lines: list[str] = []
    for block in document.blocks:
        match block:
            case Heading():
                lines.append(escaped(block.text))
            case Paragraph():
                lines.append(_runs(block.runs))
            case BulletList():
                lines += [f"- {_runs(item)}" for item in block.items]
            case Table():
                lines.append(" - ".join(map(escaped, block.header)))
                lines += [" - ".join(map(_runs, row)) for row in block.rows]
            case _:
                assert_never(block)
    return "\n".join([*lines, str(mark)])


def _runs(runs: Iterable[Text]) -> str:
    return "".join(_run(run) for run in runs)


def _run(run: Text) -> str:
    if not run.url:
        return escaped(run.text)
    # An address may hold what ends a link here, or calls somebody.
    return f"[[{quote(run.url, safe=':/?#=&%+,;~')}|{escaped(run.text)}]]"
