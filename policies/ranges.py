"""Half-open ranges of microseconds: of a day, of local wall-clock time, or of UTC since 1970."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Ascending, and never touching one another."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> tuple[Range, ...]:
    """What of the ranges is left when others are cut out."""
    left = list(ranges)
    for cut_start, cut_end in taken:
        pieces = [piece for start, end in left for piece in ((start, min(end, cut_start)), (max(start, cut_end), end))]
        left = [(start, end) for start, end in pieces if start < end]
    return tuple(left)
