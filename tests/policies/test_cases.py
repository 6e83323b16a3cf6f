"""Cases that ship with a pack: what they say of a history, and what they find when the pack says otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import ValidationError

from policies.cases import Case, CaseEvent, CaseFile, run_cases
from policies.loader import load_phrases
from tests.policies.build_issue import FIRST_RESPONSE, RESOLUTION, build_pack

PACK = build_pack(({"do": "label"},), first_response=FIRST_RESPONSE, resolution=RESOLUTION)
OPENED = "2026-03-02T09:00:00+08:00"
NOW = "2026-03-02T12:00:00+08:00"
REPLIED = {"at": "2026-03-02T10:00:00+08:00", "reply": "responder"}


def differences(**words: Any) -> tuple[str, ...]:
    case = {"name": "trial", "opened": OPENED, "now": NOW, **words}
    (result,) = run_cases(PACK, CaseFile.model_validate({"cases": [case]}), load_phrases("en"))
    assert result.name == "trial"
    assert result.agrees is not bool(result.differences)
    return result.differences


def test_a_case_that_agrees_has_no_differences() -> None:
    assert differences(events=[REPLIED], expect={"first_response": {"status": "met", "cycle": 1}}) == ()


def test_each_fact_that_differs_is_a_line() -> None:
    wrong = {"status": "running", "due": OPENED, "stopped": None, "goal": "8h", "reason": "past_due"}
    assert differences(events=[REPLIED], expect={"first_response": wrong}) == snapshot(
        (
            "first_response: expected due 2026-03-02T09:00:00+08:00, found 2026-03-03T09:00:00+08:00",
            "first_response: expected goal 8h, found 24h",
            "first_response: expected reason past_due, found stopped_in_time",
            "first_response: expected status running, found met",
            "first_response: expected stopped None, found 2026-03-02T02:00:00+00:00",
        )
    )


def test_a_clock_or_cycle_that_is_not_there_is_told() -> None:
    assert "no such clock or cycle" in differences(expect={"unknown": {"status": "met"}})[0]
    assert "no such clock or cycle" in differences(expect={"resolution": {"status": "met", "cycle": 2}})[0]


def test_changes_are_compared_both_ways() -> None:
    assert differences(changes=["add label warranty::resolution::running", "assign to L9"]) == snapshot(
        (
            "changes: expected 'assign to L9', not planned",
            "changes: planned 'add label warranty::first-response::running', not expected",
        )
    )


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        ({"state": "resolved"}, {"resolution": {"status": "met"}}),
        ({"state": "waiting_for_customer"}, {"resolution": {"status": "paused"}}),
        ({"reply": "L2"}, {"first_response": {"status": "met"}}),
        ({"note": "L2"}, {"first_response": {"status": "running"}}),
        ({"reply": "colleague"}, {"first_response": {"status": "running"}}),
        ({"severity": "high"}, {"resolution": {"status": "running"}}),
        ({"label": "vip"}, {"resolution": {"status": "running"}}),
        ({"assignee": "L2"}, {"resolution": {"status": "running"}}),
        ({"assignee": "somebody"}, {"resolution": {"status": "running"}}),
        ({"due": "2026-03-09"}, {"resolution": {"status": "running"}}),
        ({"released": "1.4.2"}, {"resolution": {"status": "running"}}),
    ],
)
def test_each_kind_of_event_can_be_told(event: dict[str, Any], changed: dict[str, Any]) -> None:
    assert differences(events=[{"at": "2026-03-02T10:00:00+08:00", **event}], expect=changed) == ()


def test_a_gap_can_be_told() -> None:
    assert differences(gaps=["history"], expect={"resolution": {"status": "indeterminate"}}) == ()


@pytest.mark.parametrize(
    "event", [{}, {"reply": "customer", "state": "resolved"}, {"reply": "somebody"}, {"mood": "angry"}]
)
def test_an_event_is_exactly_one_thing(event: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CaseEvent.model_validate({"at": OPENED, **event})


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"expect": {"resolution": {}}},
        {"opened": "2026-03-02T09:00:00", "changes": []},
        {"now": "2026-03-02T09:00:00", "changes": []},
        {"expected": {"resolution": {"status": "met"}}},
    ],
)
def test_a_case_that_can_not_fail_or_has_no_offset_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Case.model_validate({"name": "trial", "opened": OPENED, "now": NOW, **words})
