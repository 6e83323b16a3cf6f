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
    found = list(ahead(*(iter([(source, page) for page in range(20)]) for source in range(4))))
    assert sorted(found) == [(source, page) for source in range(4) for page in range(20)]
    for source in range(4):
        assert [page for of, page in found if of == source] == list(range(20))


def test_several_sources_are_asked_at_once() -> None:
    both = threading.Barrier(2)

    def pages(source: int) -> Iterator[int]:
        both.wait(timeout=5)
        yield source

    assert sorted(ahead(pages(0), pages(1))) == [0, 1]


def test_what_goes_wrong_with_one_source_ends_the_others() -> None:
    def endless() -> Iterator[int]:
        yield from count()

    def broken() -> Iterator[int]:
        yield -1
        raise LookupError("the second page")

    with pytest.raises(LookupError, match="the second page"):
        for _ in ahead(endless(), broken()):
            pass
    assert not [thread for thread in threading.enumerate() if thread.name == "read ahead"]
