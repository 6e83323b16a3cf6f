"""The time in which a project's issues were made, in spans that can be read side by side.

Rules:

1. Every instant is in one span and no other: the first has no beginning, the last no end, and each begins where another
   ends. A second more on either side is asked for, so that nothing falls between them however a server takes a bound.
2. Few issues are one span: each span costs a request of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.gitlab.connection import nodes
from connectors.gitlab.payload import Malformed, instant

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gitlab.payload import Payload

_ISSUES_OF_A_SPAN = 250
# More than are read at once: issues are not made evenly, and who is done with a quiet year takes another one.
_MOST = 16
_MARGIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Some time. Attributes: begin: its first instant, None for no beginning. end: the first after it, None for no end."""

    begin: datetime | None = None
    end: datetime | None = None

    @property
    def asked(self) -> dict[str, str]:
        """As ``from`` and ``until`` where it has them, with the margin."""
        begin = {"from": (self.begin - _MARGIN).isoformat()} if self.begin is not None else {}
        return {**begin, "until": (self.end + _MARGIN).isoformat()} if self.end is not None else begin

    def holds(self, issue: Payload) -> bool:
        """Whether the issue was made in it; also where the issue does not say when."""
        try:
            made = instant(issue.get("createdAt"))
        except Malformed:
            return True
        return (self.begin is None or self.begin <= made) and (self.end is None or made < self.end)


EVER = Span()


def spans(counted: Payload, oldest: Payload, youngest: Payload) -> list[Span]:
    """All time in spans; in one where that is enough, or the answers do not say.

    Args:
        counted: a connection that says how many issues there are in all.
        oldest: one with the issue that was made first.
        youngest: one with the issue that was made last.
    """
    count, begin, end = counted.get("count"), _made(oldest), _made(youngest)
    if not isinstance(count, int) or begin is None or end is None or end <= begin:
        return [EVER]
    number = max(1, min(_MOST, count // _ISSUES_OF_A_SPAN))
    bounds = [(begin + (end - begin) * n / number).replace(microsecond=0) for n in range(1, number)]
    # Of issues that were made within seconds some bounds are one.
    inner = [bound for bound in dict.fromkeys(bounds) if bound > begin]
    return [Span(*both) for both in pairwise([None, *inner, None])]


def _made(connection: Payload) -> datetime | None:
    for node in nodes(connection):
        try:
            return instant(node.get("createdAt"))
        except Malformed:
            return None
    return None
