"""The sticky comment says nothing that changes by the mere passing of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from policies.document import Paragraph, Table
from policies.issue import Gap, GapKind, State
from policies.note import clock_title, note
from policies.verdict import Judged, judge
from tests.policies.build_issue import (
    FIRST_RESPONSE,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    released,
)
from tests.policies.random_issues import issues

if TYPE_CHECKING:
    from policies.document import Document
    from policies.issue import Issue

PACK = build_pack(first_response=FIRST_RESPONSE, resolution=RESOLUTION)
HERE = build_destination()


def told(issue: Issue, now: datetime) -> Document:
    return note(Judged(issue, judge(issue, PACK, now)), PACK, HERE)


def rows(document: Document) -> list[tuple[str, ...]]:
    (table,) = (block for block in document.blocks if isinstance(block, Table))
    return [tuple("".join(run.text for run in cell) for cell in row) for row in table.rows]


def test_a_note_names_each_promise_its_goal_due_instant_status_and_reason() -> None:
    assert rows(told(build_issue(), at(40))) == snapshot(
        [
            ("first response", "24 hours", "2026-03-03 09:00 CST", "overdue", "the promised time has run out"),
            ("resolution", "48 hours", "2026-03-04 09:00 CST", "at risk", "75% of the promised time is used"),
        ]
    )


def test_a_paused_clock_has_no_due_instant() -> None:
    paused = rows(told(build_issue(becomes(1, State.WAITING_FOR_CUSTOMER)), at(500)))[1]
    assert paused[2:4] == ("not known while paused", "paused")


def test_a_clock_that_could_not_be_judged_has_no_due_instant() -> None:
    issue = build_issue(becomes(1, State.WAITING_FOR_CUSTOMER), gaps=(Gap(GapKind.HISTORY, "1 of 2 entries"),))
    assert rows(told(issue, at(500)))[1][2:4] == ("", "indeterminate")


def test_clocks_that_do_not_apply_are_not_mentioned() -> None:
    document = told(build_issue(becomes(1, State.CANCELLED)), at(5))
    assert not any(isinstance(block, Table) for block in document.blocks)


def test_a_released_fix_is_told_with_its_link() -> None:
    lines = [block for block in told(build_issue(released(5)), at(9)).blocks if isinstance(block, Paragraph)]
    assert lines[0].runs[0].text == "The fix is released in 1.4.2, published 2026-03-02 14:00 CST."
    assert lines[0].runs[0].url == "https://releases.example/1.4.2"


def test_a_clock_is_called_by_its_title_in_the_readers_language_else_by_its_name() -> None:
    titled = build_pack(first_response={**FIRST_RESPONSE, "title": {"zh": "首次响应"}})
    assert clock_title(titled, "first_response", "zh") == "首次响应"
    assert clock_title(titled, "first_response", "en") == "first response"


@settings(max_examples=80, deadline=None)
@given(issues(), st.integers(0, 24 * 30), st.integers(1, 24 * 30), st.sampled_from((*GapKind, None)))
def test_a_note_is_the_same_at_any_two_instants_with_the_same_statuses(
    issue: Issue, hour: int, later: int, gap: GapKind | None
) -> None:
    issue = replace(issue, gaps=(Gap(gap, "something"),) if gap else ())
    now = max(at(hour), issue.events[-1].at)
    then = now + timedelta(hours=later)
    statuses = [[(v.clock, v.cycle, v.status) for v in judge(issue, PACK, instant)] for instant in (now, then)]
    if statuses[0] == statuses[1]:
        assert told(issue, now).digest == told(issue, then).digest
