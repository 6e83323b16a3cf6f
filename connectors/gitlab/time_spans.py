"""The time in which a project's issues were made, in spans that can be read side by side.

Rules:

1. The spans leave no instant out: the first has no beginning, the last no end, and each begins a second before another
   ends, so that none falls between them however a server takes a bound. What two of them hold is the reader's to see.
2. Few issues are one span: each span costs a request of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.gitlab.connection import nodes
from connectors.gitlab.payload import Malformed, instant

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gitlab.payload import Payload

_ISSUES_OF_A_SPAN = 250
# More than are read at once: issues are not made evenly, and who is done with a quiet year takes another one.
_MOST = 16
_OVERLAP = timedelta(seconds=1)


def spans(counted: Payload, oldest: Payload, youngest: Payload) -> list[dict[str, str]]:
    """Spans as ``from`` and ``until``, both included; [] where one is enough, or the answers do not say.

    Args:
        counted: a connection that says how many issues there are in all.
        oldest: one with the issue that was made first.
        youngest: one with the issue that was made last.
    """
    count, begin, end = counted.get("count"), _made(oldest), _made(youngest)
    if not isinstance(count, int) or begin is None or end is None or end <= begin:
        return []
    number = min(_MOST, count // _ISSUES_OF_A_SPAN)
    if number < 2:  # noqa: PLR2004 - one span is no split
        return []
    bounds = [(begin + (end - begin) * n / number).replace(microsecond=0) for n in range(1, number)]
    starts = [{}, *({"from": bound.isoformat()} for bound in bounds)]
    ends = [*({"until": (bound + _OVERLAP).isoformat()} for bound in bounds), {}]
    return [{**start, **stop} for start, stop in zip(starts, ends, strict=True)]


def _made(connection: Payload) -> datetime | None:
    for node in nodes(connection):
        try:
            return instant(node.get("createdAt"))
        except Malformed:
            return None
    return None
