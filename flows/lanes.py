"""Several pieces of work side by side, each in a thread of its own, their results one by one.

Rules:

1. A lane goes on only after its result was taken in: whoever takes them in may write each down before more is done.
2. What goes wrong in one lane ends all, each after what it is at: the results of that are given first, then it is raised
   where the results are taken in.
3. Once nobody takes results in any more, no lane begins anything.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")


class _Ended:
    """Attributes: failure: what ended the lane; None where its work is done."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure


def side_by_side(lanes: Sequence[Callable[[], Iterator[T]]]) -> Iterator[T]:
    """The results of all lanes, as they come; those of one lane in their order."""
    if len(lanes) == 1:
        yield from lanes[0]()
        return
    results: queue.SimpleQueue[tuple[T, threading.Event] | _Ended] = queue.SimpleQueue()
    over = threading.Event()

    def run(lane: Callable[[], Iterator[T]]) -> None:
        end = _Ended()
        try:
            for result in lane():
                taken_in = threading.Event()
                results.put((result, taken_in))
                taken_in.wait()
                if over.is_set():
                    break
        except BaseException as failure:  # noqa: BLE001 - raised again where the results are taken in
            end = _Ended(failure)
            over.set()
        results.put(end)

    threads = [threading.Thread(target=run, args=(lane,), name="lane", daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    going_on = len(threads)
    failure: BaseException | None = None
    try:
        while going_on:
            got = results.get()
            if isinstance(got, _Ended):
                going_on -= 1
                failure = failure or got.failure
                continue
            result, taken_in = got
            try:
                yield result
            except BaseException:
                # Before the lane is let go on, so that it does not.
                over.set()
                raise
            finally:
                taken_in.set()
        if failure is not None:
            raise failure
    finally:
        over.set()
        while going_on:
            left = results.get()
            if isinstance(left, _Ended):
                going_on -= 1
            else:
                left[1].set()
        for thread in threads:
            thread.join()
