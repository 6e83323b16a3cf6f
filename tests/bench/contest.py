"""A contest: several ways to the same answers, timed one after the other in one process, their answers counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the answers.

    Attributes:
        run: gives the answer to each of the first so many questions, in order.
        share: one in so many questions is put to it, where all of them would take minutes.
        rounds: the fastest of so many counts.
        pure: a library in pure Python, which ours is to leave far behind.
    """

    name: str
    run: Callable[[int], Sequence[object]]
    share: int = 1
    rounds: int = 5
    pure: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contestant:
    """What was measured of one way.

    Attributes:
        calls: questions put to it.
        seconds: of its fastest round, for one call.
        right: answers equal to the referee's.
        right_simply: answers equal to the referee's were there no make-up working days; None where nobody asked.
    """

    name: str
    calls: int
    seconds: float
    right: int
    right_simply: int | None = None
    pure: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured. Attributes: contestants: ours first; remarks: lines below the table."""

    title: str
    contestants: tuple[Contestant, ...]
    remarks: tuple[str, ...] = ()


def contest(title: str, calls: int, referee: Sequence[object], simply: Sequence[object], ways: Sequence[Way]) -> Bench:
    """Run each way and count its answers.

    Args:
        referee: the right answers; simply: those were there no make-up working days.
        ways: ours first, the least that can be done last.
    """
    asked = [max(1, calls // way.share) for way in ways]
    fastest = [float("inf")] * len(ways)
    found: list[Sequence[object]] = [()] * len(ways)
    # One round of each way after the other: what else the machine does in between falls on all of them.
    for turn in range(max(way.rounds for way in ways)):
        for number, way in enumerate(ways):
            if turn < way.rounds:
                before = time.perf_counter()
                found[number] = way.run(asked[number])
                fastest[number] = min(fastest[number], time.perf_counter() - before)
    contestants = [
        Contestant(
            way.name,
            calls,
            seconds / calls,
            right=_agreeing(answers, referee),
            right_simply=_agreeing(answers, simply),
            pure=way.pure,
            note=way.note,
        )
        for way, calls, seconds, answers in zip(ways, asked, fastest, found, strict=True)
    ]
    return Bench(title, tuple(contestants), tuple(_remarks(contestants)))


def _agreeing(answers: Sequence[object], right: Sequence[object]) -> int:
    # One that was asked less has answered the first questions.
    return sum(whole(one) == whole(other) for one, other in zip(answers, right, strict=False))


def _remarks(contestants: Sequence[Contestant]) -> list[str]:
    ours, bare = contestants[0], contestants[-1]
    pure = [each for each in contestants if each.pure]
    remarks = [f"ours takes {ours.seconds / bare.seconds:.1f} times {bare.name}"]
    if pure:
        nearest = min(pure, key=lambda each: each.seconds)
        remarks.append(f"{nearest.name}, in pure Python, takes {nearest.seconds / ours.seconds:,.0f} times ours")
    return remarks


def whole(answer: object) -> int:
    """An answer as an integer, whatever it was given in: microseconds since 1970, of working time, or a count."""
    if isinstance(answer, datetime):
        answer = answer - EPOCH
    if isinstance(answer, timedelta):
        return answer // timedelta(microseconds=1)
    assert isinstance(answer, int)
    return answer
