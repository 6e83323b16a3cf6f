"""Links between issues, out of GraphQL's linked items and out of REST's list alike. Pure.

Rules:

1. Both ways give the same facts. An end that this account may not see is not there: neither API shows it.
2. Of the other issue only its name is read. Epics, which have no number in a project, are no issues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.gitlab.payload import number, objects, one, text_of
from policies.issue_link import IssueLink, LinkKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.gitlab.payload import Payload

_KINDS = {"blocks": LinkKind.BLOCKS, "is_blocked_by": LinkKind.BLOCKED_BY}


def of_widget(widget: Payload) -> tuple[IssueLink, ...]:
    """In order of the other issue's id. Args: widget: ``LINKED_ITEMS`` of a work item."""
    listed = objects(one(widget.get("linkedItems")).get("nodes"))
    if not listed:
        return ()
    links = (_link(text_of(node.get("linkType")), one(node.get("workItem"))) for node in listed)
    by_id = {link.id: link for link in links if link is not None}
    return tuple(sorted(by_id.values(), key=lambda link: (len(link.id), link.id)))


def as_widget(listed: Iterable[Payload]) -> Payload:
    """REST's list ``issues/:iid/links`` as the widget that says the same."""
    return {"type": "LINKED_ITEMS", "linkedItems": {"nodes": [_as_node(other) for other in listed]}}


def _as_node(payload: Payload) -> Payload:
    reference = one(payload.get("references")).get("full")
    other = {"id": payload.get("id"), "reference": reference, "webUrl": payload.get("web_url")}
    return {"linkType": payload.get("link_type"), "workItem": other}


def _link(word: str, other: Payload) -> IssueLink | None:
    project, _, iid = text_of(other.get("reference")).rpartition("#")
    id_ = other.get("id")
    if id_ is None or not project or not iid.isdigit():
        return None
    key, kind = f"{project}#{iid}", _KINDS.get(word, LinkKind.RELATES)
    return IssueLink(kind, number(id_), project, key, text_of(other.get("webUrl")), word.replace("_", " "))
