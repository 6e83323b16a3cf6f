"""The next page is on its way while this one is understood.

Rules:

1. At most one page is ahead: a reader that is closed early has asked for one page too many, and no more.
2. What goes wrong on the way shows where the page would have come, in its order.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class _End:
    """Attributes: failure: what ended it; None for the end of the pages."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure


_PATIENCE_SECONDS = 1.0


class _Turn(Generic[T]):
    """One page, handed from the thread that asks to the one that understands."""

    def __init__(self) -> None:
        self.pages: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self.wanted = threading.Semaphore(1)
        self.over = False

    def fill(self, source: Iterator[T]) -> None:
        end = _End()
        try:
            while self._is_wanted():
                self.pages.put(next(source))
        except StopIteration:
            pass
        except BaseException as failure:  # noqa: BLE001 - raised again where the page is waited for
            end = _End(failure)
        self.pages.put(end)

    def _is_wanted(self) -> bool:
        """Wait until the page before is in use."""
        self.wanted.acquire()
        return not self.over

    def taken(self) -> None:
        """The next one may be asked for."""
        self.wanted.release()

    def end(self) -> None:
        self.over = True
        self.wanted.release()


def ahead(source: Iterator[T]) -> Iterator[T]:
    """The same pages, each asked for while the one before is in use.

    Args:
        source: sends a request for each page; it runs in a thread of its own.
    """
    turn: _Turn[T] = _Turn()
    thread = threading.Thread(target=turn.fill, args=(source,), name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            page = turn.pages.get()
            if isinstance(page, _End):
                if page.failure is not None:
                    raise page.failure
                return
            turn.taken()
            yield page
    finally:
        turn.end()
        # Who interrupts the run does not wait for a server that does not answer.
        thread.join(timeout=_PATIENCE_SECONDS)
