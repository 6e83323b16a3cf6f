"""Anchors: when a clock starts."""

from __future__ import annotations

import pytest

from policies.cases import CaseFile, run_cases
from policies.cycle import REPORTED
from policies.issue import Gap, GapKind, State
from policies.loader import load_phrases
from policies.verdict import Status
from tests.policies.build_issue import (
    FIRST_RESPONSE,
    RESOLUTION,
    at,
    becomes,
    build_issue,
    build_pack,
    reply,
    resolution,
    severity,
    verdict_of,
)

REPORTED_PACK = resolution(start="reported")


def test_a_clock_that_starts_when_reported_starts_at_the_call_that_precedes_the_ticket() -> None:
    verdict = verdict_of(build_issue(reported_at=at(-3)), REPORTED_PACK, 10)
    assert (verdict.started_at, verdict.due_at) == (at(-3), at(45))
    assert verdict.reason.evidence[:2] == (REPORTED, "opened")


def test_without_a_known_report_it_starts_at_the_opening_and_names_only_that() -> None:
    verdict = verdict_of(build_issue(), REPORTED_PACK, 10)
    assert (verdict.started_at, verdict.reason.evidence) == (at(0), ("opened",))


def test_a_report_dated_after_the_opening_is_a_slip_and_never_buys_time() -> None:
    assert verdict_of(build_issue(reported_at=at(5)), REPORTED_PACK, 10).started_at == at(0)


def test_what_held_at_the_opening_held_when_it_was_reported_and_is_no_change_in_flight() -> None:
    pack = build_pack(
        resolution={
            **RESOLUTION,
            "start": "reported",
            "goals": [{"when": {"severity": "urgent"}, "within": "4h"}, {"within": "48h"}],
        }
    )
    # With the floor of a change in flight it would be due an hour after the opening.
    assert verdict_of(build_issue(severity="urgent", reported_at=at(-4)), pack, 1).due_at == at(0)
    later = build_issue(severity(2, "urgent", None), reported_at=at(-3))
    assert verdict_of(later, pack, 3).due_at == at(3)


def test_a_first_response_to_a_call_is_counted_from_the_call() -> None:
    pack = build_pack(first_response={**FIRST_RESPONSE, "start": "reported"})
    assert verdict_of(build_issue(reply(20), reported_at=at(-5)), pack, 30).status is Status.MISSED
    assert verdict_of(build_issue(reply(19), reported_at=at(-5)), pack, 30).status is Status.MET


def test_a_gap_in_the_fields_leaves_a_clock_from_report_to_first_response_judged() -> None:
    pack = build_pack(first_response={**FIRST_RESPONSE, "start": "reported"})
    gap = (Gap(GapKind.HISTORY, "entries not delivered: 2"),)
    assert verdict_of(build_issue(reply(1), gaps=gap), pack, 2).status is Status.MET


def test_a_report_whose_time_can_not_be_read_leaves_its_clocks_open_until_they_are_broken_anyway() -> None:
    issue = build_issue(gaps=(Gap(GapKind.REPORT, "no date and time with its offset"),))
    undecided = verdict_of(issue, REPORTED_PACK, 10)
    assert (undecided.status, undecided.reason.detail) == (Status.INDETERMINATE, "no date and time with its offset")
    assert verdict_of(issue, REPORTED_PACK, 100).status is Status.OVERDUE
    assert verdict_of(issue, resolution(), 10).status is Status.RUNNING


@pytest.mark.parametrize(
    ("start", "begins"), [("opened", 0), ("reported", -2), ("accepted", 4), ({"state": "in_progress"}, 6)]
)
def test_each_anchor_begins_at_its_own_instant(start: object, begins: float) -> None:
    issue = build_issue(becomes(4, State.ACCEPTED), becomes(6, State.IN_PROGRESS, State.ACCEPTED), reported_at=at(-2))
    assert verdict_of(issue, resolution(start=start), 10).started_at == at(begins)


def test_a_case_may_say_when_it_was_reported() -> None:
    case = {
        "name": "a call two hours ahead of the ticket",
        "opened": at(0),
        "reported": at(-2),
        "now": at(1),
        "expect": {"resolution": {"status": "running", "started": at(-2), "due": at(46)}},
    }
    file = CaseFile.model_validate({"cases": [case]})
    assert [result.differences for result in run_cases(REPORTED_PACK, file, load_phrases("en"))] == [()]
