"""The one order of events, whatever order they come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.event_order import in_order, put_in
from policies.issue import Commented, Event, LabelsChanged, Opened, State, StateChanged, StatusChanged, Word

START = datetime(2026, 3, 2, tzinfo=UTC)


def comment(id_: str, minute: int = 0, text: str = "") -> Commented:
    return Commented(id=id_, at=START + timedelta(minutes=minute), comment=id_, public=True, text=text)


def test_numbers_in_ids_count_as_numbers() -> None:
    assert [event.id for event in in_order([comment("note:100"), comment("note:99"), comment("note:9")])] == [
        "note:9",
        "note:99",
        "note:100",
    ]


def test_in_one_instant_what_was_derived_follows_what_it_was_derived_from() -> None:
    opened = Opened(id="opened", at=START)
    changed = StatusChanged(id="1", at=START, before=None, after=Word("2", "Done"))
    derived = StateChanged(id="0", at=START, before=None, after=State.RESOLVED)
    labels = LabelsChanged(id="9", at=START, added=("a",))
    said = comment("2")
    assert in_order((said, derived, changed, labels, opened)) == (opened, labels, changed, derived, said)


def test_of_equal_ids_the_last_one_given_stands() -> None:
    assert in_order((comment("1", 5, "old"), comment("2", 7), comment("1", 9, "new"))) == (
        comment("2", 7),
        comment("1", 9, "new"),
    )


EVENTS = st.builds(
    comment, st.integers(0, 12).map("note:{}".format), st.integers(0, 6), st.sampled_from("ab")
) | st.builds(
    lambda id_, minute: LabelsChanged(id=id_, at=START + timedelta(minutes=minute), added=("a",)),
    st.integers(0, 12).map("labels:{}".format),
    st.integers(0, 6),
)


@given(st.lists(EVENTS, max_size=12))
def test_the_order_is_that_of_instant_kind_and_id_and_ordering_again_changes_nothing(events: list[Event]) -> None:
    found = in_order(events)
    last = {event.id: event for event in events}
    by_rule = sorted(
        last.values(), key=lambda event: (event.at, isinstance(event, Commented), int(event.id.partition(":")[2]))
    )
    assert list(found) == by_rule
    assert in_order(found) == found
    assert in_order(tuple(reversed(found))) == found


@given(st.lists(EVENTS, max_size=12), st.lists(EVENTS, max_size=4))
def test_a_few_are_put_in_where_ordering_all_of_them_would_have_put_them(
    events: list[Event], more: list[Event]
) -> None:
    ordered = in_order(events)
    assert put_in(ordered, more) == in_order((*ordered, *more))


def test_those_of_one_instant_are_put_in_by_kind_and_of_one_kind_by_id() -> None:
    said = comment("note:7", 5)
    added = LabelsChanged(id="labels:3", at=said.at, added=("a",))
    assert put_in((said,), [added]) == (added, said)
    assert put_in((added,), [said]) == (added, said)
    assert put_in((said,), [comment("note:6", 5)]) == (comment("note:6", 5), said)
    assert put_in((said,), [comment("note:7", 5, "new")]) == (comment("note:7", 5, "new"),)
