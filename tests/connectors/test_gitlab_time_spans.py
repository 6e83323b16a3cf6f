"""Spans of time in which issues were made: nothing falls between them, and few issues are one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gitlab.time_spans import spans

BEGIN = datetime(2019, 3, 1, 9, 0, 7, tzinfo=UTC)


def made(at: datetime) -> dict[str, Any]:
    return {"nodes": [{"createdAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")}]}


@given(count=st.integers(500, 100_001), seconds=st.integers(1, 10**9), at=st.floats(0, 1))
def test_every_instant_is_in_a_span(count: int, seconds: int, at: float) -> None:
    found = spans({"count": count}, made(BEGIN), made(BEGIN + timedelta(seconds=seconds)))
    instant = BEGIN + timedelta(seconds=seconds * at)
    low, high = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    bounds = [
        (datetime.fromisoformat(span.get("from", low.isoformat())), datetime.fromisoformat(span.get("until", high.isoformat())))
        for span in found
    ]  # fmt: skip
    assert bounds[0][0] == low
    assert bounds[-1][1] == high
    assert all(one[1] - following[0] == timedelta(seconds=1) for one, following in pairwise(bounds))
    assert any(begin < instant < end for begin, end in bounds), "whether or not a server takes a bound as included"


@pytest.mark.parametrize(("count", "number"), [(499, 0), (500, 2), (1300, 5), (10_001, 16), (1_000_000, 16)])
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
def test_an_answer_that_does_not_say_is_no_span(
    counted: dict[str, Any], oldest: dict[str, Any], youngest: dict[str, Any]
) -> None:
    assert spans(counted, oldest, youngest) == []
