"""The next page is on its way while this one is understood, from one source of pages or from several side by side.

Rules:

1. At most one page of each source is ahead: a reader that is closed early has asked for one page too many of each, and
   no more. However many sources there are, only so many of them ask at the same time.
2. The pages of one source come in their order; those of several as they arrive.
3. What goes wrong on the way shows where the page would have come, and ends all sources.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_PATIENCE_SECONDS = 1.0


class _End:
    """Attributes: failure: what ended a source; None for the end of its pages."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure


class _Turn(Generic[T]):
    """One source's pages, handed from the thread that asks to the one that understands."""

    def __init__(self, pages: queue.SimpleQueue[tuple[_Turn[T], T | _End]], asking: threading.Semaphore) -> None:
        self._pages = pages
        self._asking = asking
        self._wanted = threading.Semaphore(1)
        self._over = False

    def fill(self, source: Iterator[T]) -> None:
        end = _End()
        try:
            while self._is_wanted():
                with self._asking:
                    if self._over:
                        break
                    page = next(source)
                self._pages.put((self, page))
        except StopIteration:
            pass
        except BaseException as failure:  # noqa: BLE001 - raised again where the page is waited for
            end = _End(failure)
        self._pages.put((self, end))

    def _is_wanted(self) -> bool:
        """Wait until the page before is in use."""
        self._wanted.acquire()
        return not self._over

    def taken(self) -> None:
        """The next one may be asked for."""
        self._wanted.release()

    def end(self) -> None:
        self._over = True
        self._wanted.release()


def ahead(*sources: Iterator[T], at_once: int = 1) -> Iterator[T]:
    """The same pages, each asked for while those before are in use.

    Args:
        sources: each sends a request for each of its pages; it runs in a thread of its own.
        at_once: so many of them ask at the same time. With more sources than that others ask while one has nothing to ask
            for, as its page is not in use yet; each may have a page in memory.
    """
    pages: queue.SimpleQueue[tuple[_Turn[T], T | _End]] = queue.SimpleQueue()
    asking = threading.Semaphore(at_once)
    turns = [_Turn(pages, asking) for _ in sources]
    threads = [
        threading.Thread(target=turn.fill, args=(source,), name="read ahead", daemon=True)
        for turn, source in zip(turns, sources, strict=True)
    ]
    going_on = len(threads)
    try:
        for thread in threads:
            thread.start()
        while going_on:
            turn, page = pages.get()
            if not isinstance(page, _End):
                turn.taken()
                yield page
                continue
            if page.failure is not None:
                raise page.failure
            going_on -= 1
    finally:
        for turn in turns:
            turn.end()
        # Who interrupts the run does not wait for a server that does not answer, however many ask it.
        until = time.monotonic() + _PATIENCE_SECONDS
        for thread in filter(threading.Thread.is_alive, threads):
            thread.join(timeout=max(0.0, until - time.monotonic()))
