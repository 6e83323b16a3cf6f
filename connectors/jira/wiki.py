r"""Jira's wiki markup (Data Center, REST v2): a document as markup in which every foreign character is only itself.

Rules:

1. Markup characters get a backslash; a backslash itself is an entity, for ``\\`` is a line break in this markup.
2. ``&`` is an entity too, or a foreign ``&#91;`` would come out as a bracket after all.
3. A hyphen between two digits stays bare, so that dates read well in the raw text; elsewhere it could strike words
   through, or make an issue key a link.
"""

from __future__ import annotations

import re
from typing import assert_never
from urllib.parse import quote

from connectors.jira.text import one_line, printable
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text

_ENTITIES = {"&": "&amp;", "\\": "&#92;", ":": "&#58;", "@": "&#64;", ".": "&#46;"}
# Markup characters; then what would be a link, a smiley or a heading without any: "https://", "mailto:", ":D", "a@b",
# "www.", "h1. ", "bq. ". One pass, so that what was put in is not escaped again.
_SPECIAL = re.compile(
    r"[&\\{}\[\]()*_+^~|!#?@]|-(?!\d)|(?<!\d)-"
    r"|:(?=//|[()DPp])|(?i:(?<=mailto)|(?<=file)):"
    r"|(?i:(?<=www))\.|(?:(?<=h[1-6])|(?<=bq))\.(?=\s)"
)

_CHARACTERS = {entity: character for character, entity in _ENTITIES.items()} | {"&nbsp;": " "}
_ESCAPED = re.compile(r"\\([{}\[\]()*_+^~|!#?-])|" + "|".join(map(re.escape, _CHARACTERS)))


def markup_of(document: Document, mark: str) -> str:
    """The document as wiki markup, with ``mark`` as its last line in code style."""
    return "\n\n".join([*(_block(block) for block in document.blocks), f"{{{{{mark}}}}}"])


def escaped(text: str) -> str:
    """The text so that it is shown as it is."""
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0]) or "\\" + found[0], printable(text))


def unescaped(markup: str) -> str:
    """The characters that ``escaped`` was given. For what we wrote ourselves; other people's markup stays as it is."""
    return _ESCAPED.sub(lambda found: found[1] or _CHARACTERS[found[0]], markup)


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"h{min(6, max(1, block.level))}. {escaped(one_line(block.text)) or '&nbsp;'}"
        case Paragraph():
            # A blank line inside would end the paragraph, and with it an open style.
            return "".join(_run(run) for run in block.runs)
        case BulletList():
            return "\n".join(f"* {_inline(item)}" for item in block.items)
        case Table():
            width = max([1, len(block.header), *(len(row) for row in block.rows)])
            header = [*block.header, *[""] * (width - len(block.header))]
            lines = ["||" + "||".join(_inline((Text(name),)) for name in header) + "||"]
            for row in block.rows:
                cells = [*row, *[()] * (width - len(row))]
                lines.append("|" + "|".join(_inline(cell) for cell in cells) + "|")
            return "\n".join(lines)
        case _:
            assert_never(block)


def _inline(runs: tuple[Text, ...]) -> str:
    """Runs for a cell or an item: never a line break, never empty."""
    return "".join(_run(run) for run in runs).replace("\n", " ").strip() or "&nbsp;"


def _run(run: Text) -> str:
    text = escaped(run.text)
    if run.url:
        return f"[{escaped(one_line(run.text))}|{_address(run.url)}]"
    if not text.strip():
        return text
    # A style ends with its line, so each line gets its own; blanks must stand outside of it.
    if run.code:
        return "\n".join(_styled(line, "{{", "}}") for line in text.split("\n"))
    if run.strong:
        return "\n".join(_styled(line, "{*}", "{*}") for line in text.split("\n"))
    return text


def _styled(line: str, before: str, after: str) -> str:
    bare = line.strip()
    if not bare:
        return line
    start = line.index(bare)
    return f"{line[:start]}{before}{bare}{after}{line[start + len(bare) :]}"


def _address(url: str) -> str:
    """An address with everything percent-encoded that could end the link or begin a macro."""
    return quote(one_line(url), safe=":/?#@&=+$,;%.~-_")
