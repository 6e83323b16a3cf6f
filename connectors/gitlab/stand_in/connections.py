"""GraphQL connections: a page of rows with cursors that hold a place by value, not by count.

A cursor names the sort value and id of a row, so a row that moves to the end while pages are read is met again there,
and none is skipped.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from graphql import GraphQLError

from connectors.gitlab.stand_in.complexity import PAGE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Row = TypeVar("Row")
Place = tuple[Any, int]
"""Sort value (a text or an instant) and id."""

BAD_CURSOR = "Please provide a valid cursor"


def connection(
    rows: Iterable[Row],
    shape: Callable[[Row], Any],
    asked: Mapping[str, Any],
    key: Callable[[Row], Place],
    *,
    descending: bool = False,
) -> dict[str, Any]:
    """One page. Args: asked: ``first`` and ``after`` are looked at. key: sort value and id."""
    left = everything = list(rows)
    if after := asked.get("after"):
        place = place_of(after)
        try:
            left = [row for row in everything if (key(row) < place if descending else key(row) > place)]
        except TypeError:  # the cursor of a list sorted otherwise
            raise GraphQLError(BAD_CURSOR) from None
    size = page_size(asked)
    pick = heapq.nlargest if descending else heapq.nsmallest
    shown = pick(size, left, key=key)
    more, preceded = len(left) > size, len(left) < len(everything)
    return page(shown, shape, key, more=more, preceded=preceded, count=lambda: len(everything))


def page(
    shown: Sequence[Row],
    shape: Callable[[Row], Any],
    key: Callable[[Row], Place],
    *,
    more: bool,
    preceded: bool,
    count: Callable[[], int],
) -> dict[str, Any]:
    """A page whose rows were picked already. Args: more, preceded: there are rows after, before it. count: of all."""

    def counted(_info: Any, limit: int | None = None) -> int:
        return count() if limit is None else min(count(), limit + 1)

    return {
        "count": counted,
        "nodes": [shape(row) for row in shown],
        "pageInfo": lambda _info: {
            "hasNextPage": more,
            "hasPreviousPage": preceded,
            "startCursor": lambda _info: _written(key(shown[0])) if shown else None,
            "endCursor": lambda _info: _written(key(shown[-1])) if shown else None,
        },
    }


def page_size(asked: Mapping[str, Any]) -> int:
    """Raises GraphQLError for less than none."""
    first = asked.get("first")
    if first is not None and first < 0:
        raise GraphQLError("first must be a positive number")
    return PAGE_LIMIT if first is None else min(first, PAGE_LIMIT)


def _written(place: Place) -> str:
    value, id_ = place
    told = {"at": value.isoformat()} if isinstance(value, datetime) else {"value": value}
    return base64.urlsafe_b64encode(json.dumps({**told, "id": str(id_)}).encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """The place a cursor names. Raises GraphQLError."""
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        value = _instant(told["at"]) if "at" in told else str(told["value"])
        return value, int(told["id"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise GraphQLError(BAD_CURSOR) from None


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(text)
    return value
