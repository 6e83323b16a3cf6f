"""Characters: which ones may come in as facts, which ones may go out."""

from __future__ import annotations

import re
from typing import Any

# NUL and lone surrogates can be stored nowhere; everything else a tracker holds is kept as it is.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Control characters, and those that hide or reorder their neighbours. Joiners stay: emoji and several scripts need them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def received(value: Any) -> str:
    """Text from a payload as a fact; "" for anything that is no text."""
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else ""


def printable(text: str) -> str:
    """Text that may be written into a tracker: no control characters but line breaks, tabs become blanks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return _UNPRINTABLE.sub("", lines)


def one_line(text: str) -> str:
    """As ``printable``, with every run of white space as one blank."""
    return " ".join(printable(text).split())
