"""Links between issues, as the field ``issuelinks`` tells them: each with the other issue's key, and a phrase. Pure.

Rules:

1. Of the other issue only its name is read, whatever Jira delivers with it.
2. Link types have names that administrators choose. What is called as Jira ships it blocks; all else relates.
3. Any shape may arrive: an entry without another issue is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.jira.history import identifier
from connectors.jira.text import received
from policies.issue_link import IssueLink, LinkKind

_KINDS = {"blocks": LinkKind.BLOCKS, "is blocked by": LinkKind.BLOCKED_BY}
# Where A blocks B, A shows B as its outward issue, and B shows A as its inward one.
_ENDS = (("outwardIssue", "outward"), ("inwardIssue", "inward"))


def of_field(value: Any, url: str) -> tuple[IssueLink, ...]:
    """Args: value: of ``issuelinks``. url: the address people use, without a slash at the end."""
    found = {(link.id, link.word): link for link in _links(value, url)}
    return tuple(sorted(found.values(), key=lambda link: (len(link.id), link.id, link.word)))


def _links(value: Any, url: str) -> Iterator[IssueLink]:
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, Mapping):
            continue
        type_ = entry.get("type")
        for end, phrase in _ENDS:
            other = entry.get(end)
            if not isinstance(other, Mapping) or not (key := received(other.get("key"))):
                continue
            word = received(type_.get(phrase)) if isinstance(type_, Mapping) else ""
            kind = _KINDS.get(word.casefold(), LinkKind.RELATES)
            address = f"{url}/browse/{quote(key, safe='')}"
            yield IssueLink(kind, identifier(other.get("id")) or key, key.rpartition("-")[0], key, address, word)
