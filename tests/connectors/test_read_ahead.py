"""Pages on their way while others are in use: in order, one ahead and no more, failures in their place."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from itertools import count

import pytest

from connectors.read_ahead import ahead


def closed(pages: Iterator[int]) -> None:
    """As a reader does that needs no more."""
    assert isinstance(pages, Generator)
    pages.close()


def test_the_pages_come_in_order() -> None:
    assert list(ahead(iter(range(50)))) == list(range(50))


def test_nothing_is_nothing() -> None:
    assert list(ahead(iter(()))) == []


def test_the_next_page_is_asked_for_while_this_one_is_in_use() -> None:
    asked = [threading.Event() for _ in range(3)]

    def pages() -> Iterator[int]:
        for number, event in enumerate(asked):
            event.set()
            yield number

    found = ahead(pages())
    next(found)
    assert asked[1].wait(timeout=5), "asked for while the first is in use"
    closed(found)


def test_no_more_than_one_page_is_ahead_of_a_reader_that_stops() -> None:
    asked: list[int] = []

    def pages() -> Iterator[int]:
        for number in count():
            asked.append(number)
            yield number

    found = ahead(pages())
    next(found)
    closed(found)
    assert len(asked) <= 2, "the one in use and the one on its way"
    assert not [thread for thread in threading.enumerate() if thread.name == "read ahead"]


def test_what_goes_wrong_shows_after_the_pages_before_it() -> None:
    def pages() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("the third page")

    seen: list[int] = []
    with pytest.raises(LookupError, match="the third page"):
        seen.extend(ahead(pages()))
    assert seen == [1, 2]


def test_the_pages_of_several_sources_come_each_in_their_order() -> None:
    found = list(ahead(*(iter([(source, page) for page in range(20)]) for source in range(4)), at_once=3))
    assert sorted(found) == [(source, page) for source in range(4) for page in range(20)]
    for source in range(4):
        assert [page for of, page in found if of == source] == list(range(20))


def test_several_sources_are_asked_at_once() -> None:
    both = threading.Barrier(2)

    def pages(source: int) -> Iterator[int]:
        both.wait(timeout=5)
        yield source

    assert sorted(ahead(pages(0), pages(1), at_once=2)) == [0, 1]


def test_of_many_sources_no_more_are_asked_at_once_than_was_said() -> None:
    now: set[int] = set()
    most: list[int] = []

    def pages(source: int) -> Iterator[int]:
        for page in range(20):
            now.add(source)
            most.append(len(now))
            # So that the others have their chance meanwhile.
            threading.Event().wait(0.0005)
            now.discard(source)
            yield page

    assert len(list(ahead(*(pages(source) for source in range(6)), at_once=2))) == 120
    assert max(most) <= 2


def test_a_source_whose_page_is_not_in_use_yet_keeps_no_other_from_being_asked() -> None:
    asked = [threading.Event() for _ in range(5)]

    def pages(source: int) -> Iterator[int]:
        asked[source].set()
        yield source
        yield source

    found = ahead(*(pages(source) for source in range(5)), at_once=1)
    next(found)
    assert all(event.wait(timeout=5) for event in asked), "each has a page ahead, one after the other"
    closed(found)


def test_who_waits_for_his_turn_when_the_reader_stops_asks_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    second_asks, stopping = threading.Event(), threading.Event()

    def pages(source: int) -> Iterator[int]:
        asked.append(source)
        if len(asked) > 1:
            second_asks.set()
            assert stopping.wait(timeout=5)
        yield source

    real = threading.Thread.join

    def joining(thread: threading.Thread, timeout: float | None = None) -> None:
        """The reader waits for its sources only once they were told to end."""
        stopping.set()
        real(thread, timeout)

    found = ahead(*(pages(source) for source in range(4)), at_once=1)
    next(found)
    assert second_asks.wait(timeout=5)
    monkeypatch.setattr(threading.Thread, "join", joining)
    closed(found)
    assert len(asked) == 2, "the one that was given, and the one that was being asked when the reader stopped"


def test_what_goes_wrong_with_one_source_ends_the_others() -> None:
    def endless() -> Iterator[int]:
        yield from count()

    def broken() -> Iterator[int]:
        yield -1
        raise LookupError("the second page")

    with pytest.raises(LookupError, match="the second page"):
        for _ in ahead(endless(), broken(), at_once=2):
            pass
    assert not [thread for thread in threading.enumerate() if thread.name == "read ahead"]
