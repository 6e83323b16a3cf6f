"""Links between issues, in words that every tracker has.

Nothing of the other issue is kept but its name: its words may be for fewer people to read than those of this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LinkKind(StrEnum):
    """How an issue stands to another. Whatever else a tracker tells apart (duplicates, causes) relates."""

    RELATES = "relates"
    BLOCKS = "blocks"
    BLOCKED_BY = "blocked_by"


@dataclass(frozen=True, slots=True)
class IssueLink:
    """A link to another issue of the same tracker, as seen from the one that bears it.

    Attributes:
        id, project, key, url: of the other issue, as in ``IssueRef``.
        word: the tracker's own, as it reads from this end ("is blocked by", "duplicates").
    """

    kind: LinkKind
    id: str
    project: str
    key: str
    url: str = ""
    word: str = ""
