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


def test_what_another_lane_has_done_is_given_before_what_went_wrong_is_raised() -> None:
    sent: list[str] = []
    failed = threading.Event()

    def failing() -> Iterator[str]:
        yield "b0"
        failed.set()
        raise LookupError("lane b")

    def slow() -> Iterator[str]:
        for number in range(1_000):
            # On its way while the other lane ends.
            assert failed.wait(10)
            sent.append(f"a{number}")
            yield f"a{number}"

    taken: list[str] = []
    with pytest.raises(LookupError, match="lane b"):
        taken.extend(side_by_side([slow, failing]))
    assert [one for one in taken if one.startswith("a")] == sent
    assert 1 <= len(sent) < 1_000
    assert idle()


def test_no_lane_begins_anything_once_nobody_takes_results_in(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    real = threading.Event.set

    def setting(event: threading.Event) -> None:
        """Let a lane that was let go on run as far as it will before whoever let it go on does more."""
        real(event)
        for thread in threading.enumerate():
            if thread.name == "lane":
                thread.join(0.05)

    results = side_by_side([partial(lane, name, 1_000, begun) for name in "ab"])
    next(results)
    next(results)
    before = len(begun)
    assert isinstance(results, Generator)
    monkeypatch.setattr(threading.Event, "set", setting)
    results.close()
    assert len(begun) <= max(before, 3)
    assert idle()
