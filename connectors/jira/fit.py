"""A document cut to a length, at a whole row, item or character, with a note that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text

# What Jira takes as the text of one comment or description, counted on what is sent.
LONGEST = 32_767

_NOTE = Paragraph((Text("[…] The rest does not fit here. 其余内容超出长度限制。", strong=True),))


def fitting(document: Document, length: Callable[[Document], int], longest: int = LONGEST) -> Document:
    """The document, or as much of its beginning as fits together with a note.

    Args:
        length: of a document as it would be sent, everything around it included.
    """
    if length(document) <= longest:
        return document

    def fits(blocks: tuple[Block, ...]) -> bool:
        return length(Document((*blocks, _NOTE))) <= longest

    whole = _most(len(document.blocks), lambda count: fits(document.blocks[:count]))
    kept = document.blocks[:whole]
    if whole < len(document.blocks):
        next_ = document.blocks[whole]
        part = _most(_parts(next_), lambda count: fits((*kept, _first(next_, count))))
        if part:
            kept = (*kept, _first(next_, part))
    return Document((*kept, _NOTE))


def _most(upper: int, fits: Callable[[int], bool]) -> int:
    """The largest count up to ``upper`` that fits, 0 if none does; what fits also fits when there is less of it."""
    low, high = 0, upper
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _parts(block: Block) -> int:
    match block:
        case Heading():
            return len(block.text)
        case Paragraph():
            return sum(len(run.text) for run in block.runs)
        case BulletList():
            return len(block.items)
        case Table():
            return len(block.rows)


def _first(block: Block, count: int) -> Block:
    match block:
        case Heading():
            return replace(block, text=block.text[:count])
        case Paragraph():
            runs: list[Text] = []
            for run in block.runs:
                runs.append(replace(run, text=run.text[:count]))
                count -= len(run.text)
                if count <= 0:
                    break
            return Paragraph(tuple(runs))
        case BulletList():
            return BulletList(block.items[:count])
        case Table():
            return replace(block, rows=block.rows[:count])
