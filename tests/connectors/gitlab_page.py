"""A finished page of GitLab's, as an independent renderer makes it: the judge of what we write there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

# What GitLab makes something of in the finished page, where it looks for it: outside code.
REFERENCE = re.compile(
    r"""@[\w"]|[#!~%$&][\w"]|://|\bwww\.\w|:(?=[\w+-]*[a-zA-Z])[\w+-]+:|\[\w+:|\[TOC\]|\b[A-Z][A-Z0-9_]+-\d|\b[0-9a-f]{40}\b"""
)
ALLOWED = {"p", "h1", "h2", "h3", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "a"}


class Page(HTMLParser):
    """A rendered page. Attributes: shown: all words. open: those outside of code. tags, links: what there is."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shown = ""
        self.open = ""
        self.tags: set[str] = set()
        self.links: list[str] = []
        self._code = 0
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(source))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._code += tag in {"code", "a"}
        self.links.extend(value or "" for name, value in attrs if name == "href")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in {"code", "a"}

    def handle_comment(self, data: str) -> None:
        self.tags.add(f"comment {data}")

    def handle_data(self, data: str) -> None:
        self.shown += data
        # The place of code is kept, so that what stands around it does not grow together.
        self.open += "\ufffc" if self._code else data
