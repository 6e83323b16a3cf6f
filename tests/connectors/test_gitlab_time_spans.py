"""Spans of time in which issues were made: nothing falls between them, and few issues are one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gitlab.time_spans import EVER, spans

BEGIN = datetime(2019, 3, 1, 9, 0, 7, tzinfo=UTC)


def made(at: datetime) -> dict[str, Any]:
    return {"nodes": [{"createdAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")}]}


MANY = st.integers(500, 100_001)


@given(count=MANY, seconds=st.integers(1, 10**9), at=st.floats(0, 1))
def test_every_instant_is_in_one_span_and_is_asked_for_however_a_server_takes_a_bound(
    count: int, seconds: int, at: float
) -> None:
    found = spans({"count": count}, made(BEGIN), made(BEGIN + timedelta(seconds=seconds)))
    instant = BEGIN + timedelta(seconds=int(seconds * at))
    (node,) = made(instant)["nodes"]
    (mine,) = (span for span in found if span.holds(node))
    low, high = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    begin = datetime.fromisoformat(mine.asked.get("from", low.isoformat()))
    end = datetime.fromisoformat(mine.asked.get("until", high.isoformat()))
    assert begin < instant < end, "whether or not a server takes a bound as included"
    assert instant + timedelta(microseconds=999_999) < end, (
        "though GitLab keeps parts of a second that it does not tell"
    )


@given(count=MANY, seconds=st.integers(16, 10**9))
def test_the_instant_at_which_one_span_ends_is_in_the_next_one(count: int, seconds: int) -> None:
    found = spans({"count": count}, made(BEGIN), made(BEGIN + timedelta(seconds=seconds)))
    assert (found[0].begin, found[-1].end) == (None, None)
    for one, following in pairwise(found):
        assert one.end == following.begin
        assert one.end is not None
        (node,) = made(one.end)["nodes"]
        assert (one.holds(node), following.holds(node)) == (False, True)


def test_an_issue_that_does_not_say_when_it_was_made_is_in_every_span() -> None:
    found = spans({"count": 1000}, made(BEGIN), made(BEGIN + timedelta(days=9)))
    assert [span.holds({"createdAt": "soon"}) for span in found] == [True] * 4


@pytest.mark.parametrize(("count", "number"), [(0, 1), (499, 1), (500, 2), (1300, 5), (10_001, 16), (1_000_000, 16)])
def test_there_are_as_many_spans_as_there_is_work_for(count: int, number: int) -> None:
    assert len(spans({"count": count}, made(BEGIN), made(BEGIN + timedelta(days=900)))) == number


@pytest.mark.parametrize(
    ("counted", "oldest", "youngest"),
    [
        ({}, {}, {}),
        ({"count": 5000}, made(BEGIN), {}),
        ({}, made(BEGIN), made(BEGIN + timedelta(days=1))),
        ({"count": 5000}, made(BEGIN), made(BEGIN)),
        ({"count": 5000}, {"nodes": [{"createdAt": "soon"}]}, made(BEGIN)),
        ({"count": "many"}, made(BEGIN), made(BEGIN + timedelta(days=1))),
    ],
    ids=["nothing", "no end", "no count", "one instant", "no instant", "no number"],
)
def test_an_answer_that_does_not_say_is_one_span(
    counted: dict[str, Any], oldest: dict[str, Any], youngest: dict[str, Any]
) -> None:
    assert spans(counted, oldest, youngest) == [EVER]
