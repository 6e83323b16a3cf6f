"""The merge requests that GitLab says close an issue, out of GraphQL's development widget and REST's list alike. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connectors.gitlab.payload import objects, one, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.gitlab.payload import Payload


class Closing(NamedTuple):
    """A merge request that closes an issue."""

    url: str
    merged: bool


def of_widget(widget: Payload) -> tuple[Closing, ...]:
    """Args: widget: ``DEVELOPMENT`` of a work item."""
    listed = objects(one(widget.get("closingMergeRequests")).get("nodes"))
    if not listed:
        return ()
    requests = [one(node.get("mergeRequest")) for node in listed]
    return tuple(Closing(text_of(each.get("webUrl")), each.get("state") == "merged") for each in requests)


def as_widget(listed: Iterable[Payload]) -> Payload:
    """REST's list ``issues/:iid/closed_by`` as the widget that says the same."""
    requests = [{"state": each.get("state"), "webUrl": each.get("web_url")} for each in listed]
    return {"type": "DEVELOPMENT", "closingMergeRequests": {"nodes": [{"mergeRequest": each} for each in requests]}}


def patches(closings: Sequence[Closing]) -> tuple[str, ...]:
    """Addresses of those that are merged, in order."""
    return tuple(sorted({each.url for each in closings if each.merged and each.url})) if closings else ()
