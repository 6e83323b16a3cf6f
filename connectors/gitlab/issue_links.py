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


def of_work_item(widget: Payload) -> tuple[IssueLink, ...]:
    """Args: widget: ``LINKED_ITEMS`` of a work item."""
    found = []
    for node in objects(one(widget.get("linkedItems")).get("nodes")):
        other = one(node.get("workItem"))
        found.append(_link(node.get("linkType"), other.get("id"), other.get("reference"), other.get("webUrl")))
    return _sorted(found)


def of_rest(listed: Iterable[Payload]) -> tuple[IssueLink, ...]:
    """Args: listed: of ``issues/:iid/links``."""
    return _sorted(
        _link(other.get("link_type"), other.get("id"), one(other.get("references")).get("full"), other.get("web_url"))
        for other in listed
    )


def more(widget: Payload) -> bool:
    """Whether the widget holds only some of the links."""
    return one(one(widget.get("linkedItems")).get("pageInfo")).get("hasNextPage") is True


def _link(word: object, id_: object, reference: object, url: object) -> IssueLink | None:
    project, _, iid = text_of(reference).rpartition("#")
    if id_ is None or not project or not iid.isdigit():
        return None
    kind = _KINDS.get(text_of(word), LinkKind.RELATES)
    return IssueLink(kind, number(id_), project, f"{project}#{iid}", text_of(url), text_of(word).replace("_", " "))


def _sorted(links: Iterable[IssueLink | None]) -> tuple[IssueLink, ...]:
    by_id = {link.id: link for link in links if link is not None}
    return tuple(sorted(by_id.values(), key=lambda link: (len(link.id), link.id)))
