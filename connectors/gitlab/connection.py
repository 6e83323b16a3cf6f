"""A GraphQL connection: a page of a list, and where the list goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.gitlab.payload import objects, one, text_of
from connectors.tracker import BadAnswer

if TYPE_CHECKING:
    from connectors.gitlab.payload import Payload


def nodes(connection: object) -> list[Payload]:
    """The things on the page; [] where there is none."""
    return objects(one(connection).get("nodes"))


def further(connection: Payload, after: str | None, *, tracker: str = "", doing: str = "") -> str | None:
    """Where the next page begins; None on the last one.

    Args:
        after: where this page began.
        tracker, doing: for the error's text.

    Raises:
        BadAnswer: the next page would be this one again, and so for ever.
    """
    page = one(connection.get("pageInfo"))
    following = text_of(page.get("endCursor")) or None if page.get("hasNextPage") else None
    if following is not None and following == after:
        raise BadAnswer("the next page is the same page", tracker=tracker, doing=doing)
    return following
