"""GraphQL connections: a page of rows with cursors that hold a place by value, not by count.

A cursor names the sort value and id of a row, so a row that moves to the end while pages are read is met again there,
and none is skipped.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, TypeVar

from graphql import GraphQLError

from connectors.gitlab.stand_in.complexity import PAGE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Row = TypeVar("Row")


def connection(
    rows: Iterable[Row],
    shape: Callable[[Row], Any],
    asked: Mapping[str, Any],
    key: Callable[[Row], tuple[str, int]],
    *,
    descending: bool = False,
) -> dict[str, Any]:
    """One page. Args: asked: ``first`` and ``after`` are looked at. key: sort value and id."""
    ordered = sorted(rows, key=key, reverse=descending)
    left = ordered
    if after := asked.get("after"):
        place = _read(after)
        left = [row for row in ordered if (key(row) < place if descending else key(row) > place)]
    first = asked.get("first")
    if first is not None and first < 0:
        raise GraphQLError("first must be a positive number")
    size = PAGE_LIMIT if first is None else min(first, PAGE_LIMIT)
    shown = left[:size]
    return {
        "count": lambda _info, limit=None: len(ordered) if limit is None else min(len(ordered), limit + 1),
        "nodes": [shape(row) for row in shown],
        "pageInfo": {
            "hasNextPage": len(left) > size,
            "hasPreviousPage": len(left) < len(ordered),
            "startCursor": _written(key(shown[0])) if shown else None,
            "endCursor": _written(key(shown[-1])) if shown else None,
        },
    }


def _written(key: tuple[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps({"value": key[0], "id": str(key[1])}).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, int]:
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return str(told["value"]), int(told["id"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise GraphQLError("Please provide a valid cursor") from None
