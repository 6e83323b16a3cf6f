"""Pages of a REST list: by offset with ``Link`` and ``X-`` headers, or by keyset with a cursor in ``Link`` alone.

Rules (public: doc/api/rest/_index.md):

1. 20 rows a page unless asked, 100 at most. Totals are left out over 10,000 rows, and the offset ends at 50,000.
2. A keyset page names only its successor; the cursor holds the last row's sort value and id.
"""

from __future__ import annotations

import base64
import binascii
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in.call import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connectors.gitlab.stand_in.call import Call

Row = TypeVar("Row")

PER_PAGE, MOST_PER_PAGE = 20, 100
COUNTED, LAST_OFFSET = 10_000, 50_000


def per_page(call: Call) -> int:
    size = call.whole("per_page", PER_PAGE)
    if size < 1:
        raise Refusal.invalid("per_page does not have a valid value")
    return min(size, MOST_PER_PAGE)


def listed(call: Call, rows: Sequence[Row], shape: Callable[[Row], Any], **defaults: str) -> Response:
    """One offset page of ``rows``. Args: defaults: what the server took for granted, shown in the page addresses."""
    size, page = per_page(call), call.whole("page", 1)
    if page < 1:
        raise Refusal.invalid("page does not have a valid value")
    if (page - 1) * size >= LAST_OFFSET:
        detail = (
            f"Offset pagination has a maximum allowed offset of {LAST_OFFSET} for requests that return objects of "
            "this type. Remaining records can be retrieved using keyset pagination."
        )
        raise Refusal(405, {"error": detail})
    total, pages = len(rows), max(1, -(-len(rows) // size))
    shown = rows[(page - 1) * size : page * size]
    following = page + 1 if page * size < total else None
    preceding = page - 1 if page > 1 else None
    counted = total <= COUNTED
    places = {"prev": preceding, "next": following, "first": 1, "last": pages if counted else None}
    links = [f'<{_address(call, at, size, defaults)}>; rel="{rel}"' for rel, at in places.items() if at is not None]
    headers = {
        "Link": ", ".join(links),
        "X-Next-Page": str(following or ""),
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Prev-Page": str(preceding or ""),
    }
    if counted:
        headers |= {"X-Total": str(total), "X-Total-Pages": str(pages)}
    return JSONResponse([shape(row) for row in shown], headers=headers)


def keyset(
    call: Call, rows: Iterable[Row], shape: Callable[[Row], Any], key: Callable[[Row], tuple[str, int]], order: str
) -> Response:
    """One keyset page of ``rows``, which stand in order of ``key`` (sort value, id), ascending or descending."""
    size, descending = per_page(call), call.text("sort", "desc") == "desc"
    if last := place_of(call, order):
        rows = (row for row in rows if (key(row) < last if descending else key(row) > last))
    found = [*islice(rows, size + 1)]
    shown = found[:size]
    headers = {}
    if len(found) > size:
        value, id_ = key(shown[-1])
        told = json.dumps({order: value, "id": str(id_), "_kd": "n"})
        mark = base64.urlsafe_b64encode(told.encode()).decode()
        query = [(name, value) for name, value in call.query if name != "cursor"]
        headers["Link"] = f'<{call.url}?{urlencode([*query, ("cursor", mark)])}>; rel="next"'
    return JSONResponse([shape(row) for row in shown], headers=headers)


def place_of(call: Call, order: str) -> tuple[str, int] | None:
    """The last row of the page before, None for the first page. Raises Refusal 400."""
    cursor = call.text("cursor")
    if not cursor:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor))
        id_ = int(told["id"])
        # In order of id the cursor holds nothing else.
        return (f"{id_:020d}" if order == "id" else str(told[order])), id_
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Refusal.invalid("cursor is invalid") from None


def _address(call: Call, page: int, size: int, defaults: Mapping[str, str]) -> str:
    query = {**defaults, **dict(call.query), "page": str(page), "per_page": str(size)}
    if "project" in call.path:
        query["id"] = call.path["project"]
    return f"{call.url}?{urlencode(sorted(query.items()))}"
