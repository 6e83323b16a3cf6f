"""From local wall-clock time to instants and back, by a zone's offsets from UTC.

A zone is given as a function: the offset (microseconds) that holds at an instant.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from policies.microseconds import DAY
from policies.ranges import Range

OffsetAt = Callable[[int], int]
Stretch = tuple[int, int, int]
"""From, until, and the offset from UTC that holds between these two instants."""


def stretches(low: int, high: int, offset_at: OffsetAt) -> list[Stretch]:
    """The stretches of constant offset that make up [low, high) of UTC."""
    found: list[Stretch] = []
    since, offset = low, offset_at(low)
    for earlier, later in pairwise([*range(low, high, DAY), high]):
        if (changed := offset_at(later)) == offset:
            continue
        same, other = earlier, later
        while other - same > 1:
            middle = (same + other) // 2
            if offset_at(middle) == offset:
                same = middle
            else:
                other = middle
        found.append((since, other, offset))
        since, offset = other, changed
    if since < high:
        found.append((since, high, offset))
    return found


def instants(walls: list[Range], offsets: list[Stretch]) -> list[Range]:
    """The instants, as ranges of UTC, whose wall-clock time lies in the walls."""
    found: list[Range] = []
    for low, high, offset in offsets:
        for opens, closes in walls:
            start, end = max(opens - offset, low), min(closes - offset, high)
            if start < end:
                found.append((start, end))
    return found


def resolved(wall: int, offset_at: OffsetAt) -> int:
    """The instant of a wall-clock time: one in a gap moves forward by the gap, of two in a fold it is the first."""
    offsets = stretches(wall - 2 * DAY, wall + 2 * DAY, offset_at)
    index = 0
    while wall - offsets[index][2] >= offsets[index][1]:  # the last one ends two days later
        index += 1
    low, _, offset = offsets[index]
    return wall - offset if wall - offset >= low else wall - offsets[index - 1][2]
