"""A document as GitLab Markdown, in which foreign words stay words. Pure.

Rules:

1. Nothing in a text becomes markup, HTML, a mention, a reference, a link, an emoji, a diagram or a quick action.
   GitLab looks for references and addresses in the finished page, where a backslash no longer protects; inside code it
   does not look. So a word that could be one is set as code, and all other punctuation is escaped.
2. No line begins with a slash, whatever the text.
3. A mark of ours (``changes.Mark``) inside a text is broken up, so that nobody can plant one.
4. Characters that can not be stored, or that turn the reading direction, are shown as U+FFFD.

Source: docs.gitlab.com/user/markdown, lib/banzai/filter of gitlab-org/gitlab.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING, assert_never
from urllib.parse import quote

from policies.document import BulletList, Document, Heading, Paragraph, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

# C0 and C1 controls but tab and line feed, surrogates, direction overrides and isolates, non-characters.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# Line ends, the ones a renderer may also take for such.
_LINE = re.compile("\r\n|\n|\r|\u2028|\u2029|\u0085|\x0b|\x0c")
_BLANK = re.compile(r"(\s+)")

# What GitLab could take for something: users, labels, issues, milestones, snippets, epics, addresses, commits, Jira
# keys, emoji, tables of contents, inline diffs, footnotes, quick actions.
_LIVE = re.compile(
    r"""
      [@#!~%$&^*][\w"'({\[]          # @user #7 !7 ~label %milestone $snippet &epic
    | ://|\bwww\.|\b(?:mailto|javascript|data|vbscript|file|tel):  # addresses
    | :(?=[\w+-]*[a-zA-Z+-])[\w+-]+:  # emoji, but not a time of day
    | [\[\]{}`\\]                    # links, footnotes, diffs, code
    | ^[/:]                          # quick actions, includes
    | \b[0-9a-fA-F]{7,40}\b          # commits
    | \b[A-Z][A-Z0-9_]+-\d           # issues of an external tracker
    | warranty-flows:                # our own marks
    """,
    re.VERBOSE,
)
# What else means something to Markdown, with the place where it does. Square brackets, braces and backticks are live.
_PUNCTUATION = re.compile(r"[*|~$^]|(?<![^\W_])_|_(?![^\W_])|(?<!\w)[-=+#]")
# Stays outside of code, for the eye: "(CAR-12)," is shown with the key alone as code.
_AROUND = re.compile(r"(?P<before>[(\"“（「]*)(?P<core>.*?)(?P<after>[).,;\"”）」。，；]*)", re.DOTALL)
_PUNCTUATION_AT_START = re.compile(r"^(\d{1,9})([.)])")
_ENTITIES = re.compile("[<>&]")
_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
# Ours read back: the frame of a line, then what stands for something else in it.
_MARK_LINE = re.compile(r"<!-- warranty-flows:[a-z][a-z0-9-]*:[0-9a-f]{12} -->(?:\r?\n|$)")
_RULE = re.compile(r"\|(?: --- \|)+")
_FRAME = re.compile(r"^(?:#{1,6} |- |\| )|(?: \|)$")
_SEEN = re.compile(
    r"`(?P<code>[^`]+)`|(?P<entity>&(?:#\d+|lt|gt|amp);)|(?P<link>\[(?!<)|\]\(<[^>]*>\)|</?(?:strong|code)>)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])|(?P<cell> \|(?= ))"
)
# What GitLab makes something of in a title, which is shown without Markdown.
_LIVE_IN_TITLE = re.compile(
    r"""
      [@#!~%$&^*\[][\w"'({\[]
    | ://|\bwww\.|\b(?:mailto|javascript|data|vbscript|file|tel):
    | :(?=[\w+-]*[a-zA-Z+-])[\w+-]+:
    | \b[0-9a-fA-F]{7,40}\b
    | \b[A-Z][A-Z0-9_]+-\d
    """,
    re.VERBOSE,
)
# Seen by nobody, and no part of any name: what it stands in is one no more.
_JOINER = "\u2060"
_JOINING = "@#!~%$&^*:[/\\"
_REACH = 64
_URL_SAFE = "/:?#@!$&'*+,;=%~-._"


def render(document: Document) -> str:
    """The document as Markdown, without a line that GitLab would run as a command."""
    return "\n\n".join(_block(block) for block in document.blocks).strip("\n") + "\n"


def plain(text: str) -> str:
    """One text as inline Markdown that shows exactly these characters (white space folded)."""
    return _escaped(text)


def title(text: str) -> str:
    """A text as the title of an issue, in which it calls nobody and refers to nothing."""
    shown = " ".join(_fit(text).replace(_JOINER, "").split())
    while found := _LIVE_IN_TITLE.search(shown):
        # In the middle: half of a commit is still one where it is long.
        middle = (found.start() + found.end()) // 2
        middle = found.start() + 1 if found[0][0] in _JOINING else middle
        shown = f"{shown[:middle]}{_JOINER}{shown[middle:]}"
    return shown


def title_words(shown: str) -> str:
    """What ``title`` was given."""
    return shown.replace(_JOINER, "")


def words(body: str) -> str:
    """What a reader sees of a note or description that ``render`` made: its words, without its markup.

    The mark of ours moves behind the words, so that the last mark in the text is the one we wrote.
    """
    mark, _, rest = body.partition("\n")
    lines = [_SEEN.sub(_seen, _FRAME.sub("", line)) for line in rest.split("\n") if not _RULE.fullmatch(line)]
    return "\n".join([*lines, mark]).strip()


def ours(body: str) -> bool:
    """True for a text that begins as ours do; whether it is ours, its author tells."""
    return bool(_MARK_LINE.match(body))


def _seen(found: re.Match[str]) -> str:
    if found["code"] is not None:
        return found["code"]
    if found["entity"] is not None:
        return html.unescape(found["entity"])
    if found["link"] is not None:
        return ""
    return found["escaped"] or found["cell"] or ""


def _block(block: Heading | Paragraph | BulletList | Table) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * min(max(level, 1), 6)} {plain(text)}"
        case Paragraph(runs):
            return _guarded(_runs(runs, in_table=False))
        case BulletList(items):
            return "\n".join(f"- {_guarded(_runs(item, in_table=False))}" for item in items)
        case Table(header, rows):
            return _table(header, rows)
        case _:
            assert_never(block)


def _table(header: tuple[str, ...], rows: Iterable[tuple[tuple[Text, ...], ...]]) -> str:
    lines = [_row(_escaped(cell, "|\\") for cell in header), _row("---" for _ in header)]
    lines.extend(_row(_runs(cell, in_table=True) for cell in row) for row in rows)
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _guarded(line: str) -> str:
    """A line that does not begin a list, a heading rule or a numbered item by accident."""
    line = line.lstrip()
    return _PUNCTUATION_AT_START.sub(r"\1\\\2", line)


def _runs(runs: Iterable[Text], *, in_table: bool) -> str:
    line = before = ""
    for run in runs:
        shown, text = _run(run, in_table=in_table), _fit(run.text)
        if shown and line and (line[-1] == shown[0] == "`" or _grow_together(before, text)):
            line += " "
            before = ""
        line += shown
        before = (before + text)[-_REACH:]
    return line


def _grow_together(before: str, after: str) -> bool:
    """True where two texts side by side would become what neither is alone: "@" and "all"."""
    if not before or before[-1].isspace() or after[0].isspace():
        return False
    # No live word needs more than this to be told.
    left, right = before.rsplit(maxsplit=1)[-1], after[:_REACH].split(maxsplit=1)[0]
    if left[-1] in _JOINING:
        return True
    found = (_LIVE.match(left + right, start) for start in range(len(left)))
    return any(one is not None and one.end() > len(left) for one in found)


def _run(run: Text, *, in_table: bool) -> str:
    text = _fit(run.text)
    core = text.strip()
    if not core:
        return " " if text else ""
    # White space stands outside, or the markup around the words would not take.
    before = " " if text[0].isspace() else ""
    after = " " if text[-1].isspace() else ""
    # Inside a link, brackets count even in code: "[`]:`](...)" would define a link instead of being one.
    unsafe = ("|\\" if in_table else "") + ("[]" if run.url else "")
    shown = _code(core, unsafe) if run.code else _escaped(core, unsafe)
    if run.strong:
        # Stars do not close after Chinese punctuation; the tag always does.
        shown = f"<strong>{shown}</strong>"
    if run.url:
        shown = f"[{shown}](<{quote(_fit(run.url), safe=_URL_SAFE)}>)"
    return f"{before}{shown}{after}"


def _fit(text: str) -> str:
    return _UNFIT.sub("\ufffd", _LINE.sub(" ", text))


# Comments say much the same thing, issue after issue.
@lru_cache(maxsize=4096)
def _escaped(text: str, unsafe: str = "") -> str:
    words = _BLANK.split(_fit(text).strip())
    return "".join(" " if word.isspace() else _word(word, unsafe) for word in words)


def _word(word: str, unsafe: str) -> str:
    if not _LIVE.search(word):
        return _plain(word)
    parts = _AROUND.fullmatch(word)
    if parts is None or not _LIVE.search(parts["core"]):
        return _code(word, unsafe)
    return _plain(parts["before"]) + _code(parts["core"], unsafe) + _plain(parts["after"])


def _plain(word: str) -> str:
    escaped = _PUNCTUATION.sub(lambda found: f"\\{found[0]}", word)
    return _ENTITIES.sub(lambda found: _ENTITY[found[0]], escaped)


def _code(text: str, unsafe: str) -> str:
    """The text as inline code: in backticks where that is safe, else in a tag with every sign spelled as an entity.

    Args:
        text: one line.
        unsafe: signs that count even inside backticks, where this stands.
    """
    if "warranty-flows:" not in text and not any(sign in text for sign in f"`{unsafe}"):
        return f"`{text}`"
    spelled = "".join(c if c.isalnum() or c.isspace() else f"&#{ord(c)};" for c in text)
    return f"<code>{spelled}</code>"
