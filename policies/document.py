"""A small document of plain blocks, which each tracker renders in its own markup.

Rules:

1. Text is text: a block holds characters, never markup. The renderer of a tracker escapes all of it, so foreign
   words (titles, names) can not become mentions, quick actions, links or formatting.
2. Same content, same digest: the digest covers what a reader sees, and is what makes an unchanged comment be left alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Text:
    """A run of characters. ``url`` makes it a link (https or http only), ``strong`` bold, ``code`` monospaced."""

    text: str
    strong: bool = False
    code: bool = False
    url: str = ""

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError(f"not a web address: {self.url[:80]!r}")


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int = 3
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Paragraph:
    runs: tuple[Text, ...]
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class BulletList:
    items: tuple[tuple[Text, ...], ...]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[tuple[Text, ...], ...], ...]
    kind: Literal["table"] = "table"


Block = Heading | Paragraph | BulletList | Table


@dataclass(frozen=True)
class Document:
    blocks: tuple[Block, ...]

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits over the content."""
        # Half a character, which no text can be stored with, is still a content.
        return hashlib.sha256(_canonical(self.blocks).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def members(value: object) -> object:
    """A dataclass as JSON writes it, by its members' names (``asdict`` would copy each text first); all else as text."""
    if is_dataclass(value):
        names = _names(type(value))  # type: ignore[arg-type]  # mypy takes a class to be hashed as its instances are
        return {name: getattr(value, name) for name in names}
    return str(value)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(member.name for member in fields(kind))


_canonical = json.JSONEncoder(default=members, sort_keys=True, ensure_ascii=False).encode
