"""Work side by side: every result once, each lane in its order, and no lane goes on before its result was taken in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from functools import partial

import pytest

from flows.lanes import side_by_side


def lane(name: str, many: int, log: list[str]) -> Iterator[str]:
    for number in range(many):
        log.append(f"{name}{number}")
        yield f"{name}{number}"


def idle() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "lane"]


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_every_result_comes_once_and_each_lane_in_its_order(lanes: int) -> None:
    names = "abcde"[:lanes]
    found = list(side_by_side([partial(lane, name, 20, []) for name in names]))
    assert sorted(found) == sorted(f"{name}{number}" for name in names for number in range(20))
    for name in names:
        assert [one for one in found if one.startswith(name)] == [f"{name}{number}" for number in range(20)]
    assert idle()


def test_a_lane_goes_on_only_after_its_result_was_taken_in() -> None:
    log: list[str] = []
    for result in side_by_side([partial(lane, name, 5, log) for name in "ab"]):
        name, number = result[0], int(result[1:])
        assert f"{name}{number + 1}" not in log, "this one is being written down"
    assert len(log) == 10


def test_what_goes_wrong_in_a_lane_ends_all_and_is_raised_here() -> None:
    def failing() -> Iterator[str]:
        yield "b0"
        raise LookupError("lane b")

    lanes: list[Callable[[], Iterator[str]]] = [partial(lane, "a", 1_000_000, []), failing]
    with pytest.raises(LookupError, match="lane b"):
        list(side_by_side(lanes))
    assert idle()


def test_who_stops_taking_in_ends_all_lanes() -> None:
    log: list[str] = []
    results = side_by_side([partial(lane, name, 1_000_000, log) for name in "ab"])
    for _ in range(4):
        next(results)
    assert isinstance(results, Generator)
    results.close()
    assert idle()
    assert len(log) < 10
