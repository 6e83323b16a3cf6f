"""Whose time the promises of many issues took, and what the report says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from policies.clock_time import ClockTime, clock_times
from policies.document import Table
from policies.issue import Actor, AssigneeChanged, State
from policies.loader import load_phrases
from policies.roster import Roster
from policies.summary import summarise
from policies.verdict import Judged, judge
from tests.policies.build_issue import AGENT, at, becomes, build_destination, build_issue, resolution

if TYPE_CHECKING:
    from policies.issue import Event, Issue

HOUR = timedelta(hours=1)
PACK = resolution(goals=[{"within": "5bd"}])
ROSTER = Roster(tiers={"L1": ("amy",), "L2": ("bob",)})
RESOLVED, WAITING = State.RESOLVED, State.WAITING_FOR_CUSTOMER


def given(hour: float, before: str | None, after: str | None) -> AssigneeChanged:
    return AssigneeChanged(id=f"given-{hour}", at=at(hour), actor=AGENT, before=before, after=after)


def issue(*events: Event, number: int, assignee: str | None = "amy") -> Issue:
    return ROSTER.cast(build_issue(*events, number=number, assignee=Actor(id=assignee) if assignee else None))


# Monday 09:00 to 11:00 with L1, then with L2; done on Tuesday at 10:00.
DONE = issue(given(2, "amy", "bob"), becomes(25, RESOLVED), number=1, assignee="bob")
# With L1; waits for the customer from Monday 17:00 to Tuesday 10:00; done at 11:00.
WAITED = issue(becomes(8, WAITING), becomes(25, State.OPEN, WAITING), becomes(26, RESOLVED), number=2)
RUNNING = issue(number=3)
CANCELLED = issue(becomes(5, State.CANCELLED), number=4)


def judged(*issues: Issue, hour: float = 60) -> list[Judged]:
    return [Judged(each, judge(each, PACK, at(hour))) for each in issues]


def test_the_time_of_promises_that_have_ended_is_added_up_by_party_with_and_without_pauses() -> None:
    (time,) = clock_times(judged(DONE, WAITED, RUNNING, CANCELLED), PACK)
    told = [(share.party, share.paused, share.working / HOUR, share.elapsed / HOUR) for share in time.shares]
    assert (time.clock, time.cycles) == ("resolution", 2)
    assert told == [
        ("L1", False, 10, 10),
        ("L2", False, 7, 7),
        ("customer", True, 2, 17),
        ("off_hours", False, 0, 17),
    ]
    assert (time.used / HOUR, time.gross / HOUR) == (17, 19)


def test_what_still_runs_or_was_given_up_is_not_added_up() -> None:
    assert clock_times(judged(RUNNING, CANCELLED), PACK) == ()


def test_each_cycle_that_has_ended_counts() -> None:
    again = issue(becomes(2, RESOLVED), becomes(400, State.OPEN, RESOLVED), becomes(401, RESOLVED), number=5)
    (time,) = clock_times(judged(again, hour=500), PACK)
    assert time.cycles == 2


def test_the_sums_are_the_same_in_any_order_and_whenever_they_are_made() -> None:
    first = clock_times(judged(DONE, WAITED, RUNNING), PACK)
    assert clock_times(judged(RUNNING, WAITED, DONE, hour=900), PACK) == first


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            snapshot(
                [
                    ["Promise", "Whose", "Working time", "Time"],
                    ["resolution", "L1", "10:00 h", "10:00 h"],
                    ["resolution", "L2", "7:00 h", "7:00 h"],
                    ["resolution", "customer (paused)", "2:00 h", "17:00 h"],
                    ["resolution", "off hours", "0:00 h", "17:00 h"],
                    ["resolution", "In all, without pauses", "17:00 h", "34:00 h"],
                    ["resolution", "In all, with pauses", "19:00 h", "51:00 h"],
                ]
            ),
        ),
        (
            "zh",
            snapshot(
                [
                    ["承诺", "归属", "工作时间", "时间"],
                    ["resolution", "L1", "10:00 小时", "10:00 小时"],
                    ["resolution", "L2", "7:00 小时", "7:00 小时"],
                    ["resolution", "客户(暂停)", "2:00 小时", "17:00 小时"],
                    ["resolution", "非工作时间", "0:00 小时", "17:00 小时"],
                    ["resolution", "合计(不含暂停)", "17:00 小时", "34:00 小时"],
                    ["resolution", "合计(含暂停)", "19:00 小时", "51:00 小时"],
                ]
            ),
        ),
    ],
)
def test_the_report_tells_it_in_both_languages(language: str, told: list[list[str]]) -> None:
    here = build_destination(phrases=load_phrases(language))
    document = summarise(judged(DONE, WAITED, RUNNING), PACK, "here").document(PACK, here)
    table = next(
        block
        for block in document.blocks
        if isinstance(block, Table) and block.header[1] == here.phrases.say("column_party")
    )
    rows = [["".join(text.text for text in cell) for cell in row] for row in table.rows]
    assert [list(table.header), *rows] == told


def test_without_an_ended_promise_the_report_says_nothing_of_it() -> None:
    here = build_destination()
    assert here.phrases.say("time_heading") not in repr(summarise(judged(RUNNING), PACK, "here").document(PACK, here))


def test_a_word_of_the_pack_stands_for_itself() -> None:
    phrases = load_phrases("zh")
    assert phrases.party("L2") == "L2"
    assert phrases.party("vendor", paused=True) == "vendor(暂停)"
    assert ClockTime("resolution", 1, ()).used == timedelta()
