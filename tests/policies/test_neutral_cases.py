"""Cases in the neutral form: what counts as agreement, and that every real one is computed and agrees."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from policies.calendar_shape import CalendarShape
from policies.local_span import CalendarError
from policies.neutral_cases import Agrees, Case, Differs, NotApplicable, calendar_of, compute

WEEK = {day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
COMPUTED = {"deadline", "elapsed", "is_open", "local_time", "deadline_business_days"}


def case(kind: str, expected: dict[str, Any], *, calendar: dict[str, Any] | None = None, **more: Any) -> Case:
    """A small case on an office week in UTC; 2026-03-02 is a Monday."""
    return {
        "id": "own",
        "kind": kind,
        "calendar": {"tz": "UTC", "weekly": WEEK, "holidays": [], **(calendar or {})},
        "clock": "resolution",
        "start": "2026-03-02T10:00:00Z",
        "events": [],
        "target_minutes": None,
        "expected": expected,
        "own_check": {},
        "agreement": "agrees",
        **more,
    }


def events(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"at": f"2026-03-{at}:00Z", "type": kind} for at, kind in pairs]


def test_a_deadline_that_is_right_agrees() -> None:
    outcome = compute(case("deadline", {"deadline": "2026-03-02T14:00:00Z"}, target_minutes=180))
    assert isinstance(outcome, Agrees)


def test_a_deadline_that_is_a_second_off_differs_and_both_figures_are_shown() -> None:
    outcome = compute(case("deadline", {"deadline": "2026-03-02T14:00:01Z"}, target_minutes=180))
    assert isinstance(outcome, Differs)
    assert str(outcome.expected["deadline"]) == "2026-03-02 14:00:01+00:00"
    assert str(outcome.found["deadline"]) == "2026-03-02 14:00:00+00:00"


@pytest.mark.parametrize(("tolerance", "agrees"), [(30, True), (29, False)])
def test_a_stated_tolerance_is_kept_to(tolerance: int, *, agrees: bool) -> None:
    expected = {"deadline": "2026-03-02T14:00:30Z"}
    outcome = compute(case("deadline", expected, target_minutes=180, tolerance_seconds=tolerance))
    assert isinstance(outcome, Agrees) is agrees


def test_where_a_source_answers_with_the_next_opening_ours_is_the_closing() -> None:
    def boundary(closing: str) -> Case:
        return case(
            "deadline",
            {"deadline": "2026-03-02T13:00:00Z"},
            target_minutes=120,
            agreement="agrees_boundary_next_open",
            own_check={"deadline_period_end": closing, "deadline_next_open": "2026-03-02T13:00:00Z"},
        )

    assert isinstance(compute(boundary("2026-03-02T12:00:00Z")), Agrees)
    assert isinstance(compute(boundary("2026-03-02T11:59:00Z")), Differs)


def test_where_only_the_source_counts_otherwise_plain_business_time_stands() -> None:
    wall_clock = case(
        "elapsed",
        {"elapsed_minutes": 240},
        end="2026-03-02T14:00:00Z",
        agreement="source_only",
        own_check={"elapsed_minutes": 180.0},
    )
    assert isinstance(compute(wall_clock), Agrees)
    assert isinstance(compute({**wall_clock, "own_check": {"elapsed_minutes": 240.0}}), Differs)


@pytest.mark.parametrize(
    ("happened", "deadline"),
    [
        (events(("02T10:30", "pause"), ("02T11:00", "resume")), "2026-03-02T14:30:00Z"),
        (events(("02T12:00", "pause"), ("02T13:00", "resume")), "2026-03-02T14:00:00Z"),  # over lunch: no time lost
        (events(("02T11:00", "pause"), ("09T11:00", "resume")), "2026-03-09T14:00:00Z"),  # over a weekend
        (events(("02T09:00", "pause"), ("02T10:30", "resume")), "2026-03-02T14:30:00Z"),  # began before the start
        (events(("02T08:00", "pause"), ("02T09:30", "resume")), "2026-03-02T14:00:00Z"),  # over ahead of the start
        (events(("02T15:00", "pause"), ("02T16:00", "resume")), "2026-03-02T14:00:00Z"),  # after the deadline
        (events(("02T14:00", "pause"), ("02T16:00", "resume")), "2026-03-02T14:00:00Z"),  # exactly at the deadline
        (events(("02T10:30", "closed"), ("02T11:00", "reopened")), "2026-03-02T14:30:00Z"),
        # overlapping pauses of two sorts count once
        (
            events(("02T10:10", "pause"), ("02T10:20", "closed"), ("02T10:30", "resume"), ("02T10:40", "reopened")),
            "2026-03-02T14:30:00Z",
        ),
        # two pauses in one minute, given out of order
        (
            events(("02T10:31", "pause"), ("02T10:41", "resume"), ("02T10:30", "pause"), ("02T10:31", "resume")),
            "2026-03-02T14:11:00Z",
        ),
        (events(("02T10:30", "pause"), ("02T10:40", "pause"), ("02T11:00", "resume")), "2026-03-02T14:30:00Z"),
        (events(("02T10:30", "pause")), None),  # still open: the deadline is not known yet
        (events(("02T14:30", "pause")), "2026-03-02T14:00:00Z"),
    ],
)
def test_pauses_move_the_deadline_by_the_working_time_they_hold(
    happened: list[dict[str, str]], deadline: str | None
) -> None:
    outcome = compute(case("deadline", {"deadline": deadline}, target_minutes=180, events=happened))
    assert isinstance(outcome, Agrees), outcome


def test_a_pause_of_another_clock_does_not_stop_this_one() -> None:
    happened = [{**event, "applies_to": "first_response"} for event in events(("02T10:30", "pause"))]
    outcome = compute(case("deadline", {"deadline": "2026-03-02T14:00:00Z"}, target_minutes=180, events=happened))
    assert isinstance(outcome, Agrees)


def test_elapsed_time_remaining_time_and_breach_are_all_compared() -> None:
    def at_breach(**expected: object) -> Case:
        return case(
            "elapsed",
            {"elapsed_minutes": 150, "remaining_minutes": -30, "breached": True, **expected},
            end="2026-03-02T14:00:00Z",
            target_minutes=120,
            events=events(("02T10:30", "pause"), ("02T11:00", "resume")),
        )

    assert isinstance(compute(at_breach()), Agrees)
    for wrong in ({"elapsed_minutes": 151}, {"remaining_minutes": 0}, {"breached": False}):
        assert isinstance(compute(at_breach(**wrong)), Differs), wrong


def test_exactly_at_the_goal_is_not_a_breach() -> None:
    met = case(
        "status_at",
        {"breached": False, "status": "Resolution Due"},
        end="2026-03-02T12:00:00Z",
        target_minutes=120,
    )
    assert isinstance(compute(met), Agrees)
    late = {**met, "end": "2026-03-02T13:00:01Z", "expected": {"breached": True, "status": "Failed"}}
    assert isinstance(compute(late), Agrees)


def test_a_status_without_a_goal_is_only_the_time_that_ran() -> None:
    ran = case("status_at", {"elapsed_minutes": 120}, end="2026-03-02T12:00:00Z")
    assert isinstance(compute(ran), Agrees)
    outcome = compute({**ran, "expected": {"status": "Failed"}})
    assert isinstance(outcome, NotApplicable)
    assert "expects status" in outcome.reason


def test_a_pause_the_source_says_it_does_not_apply_moves_nothing() -> None:
    happened = events(("02T10:30", "pause"), ("02T11:00", "resume"))
    ignored = case("deadline", {"deadline": "2026-03-02T14:00:00Z"}, target_minutes=180, events=happened)
    assert isinstance(compute({**ignored, "tags": ["pause_not_applied"]}), Agrees)
    assert isinstance(compute(ignored), Differs)


def test_a_goal_that_changes_in_flight_counts_from_the_start() -> None:
    changed = [{"at": "2026-03-02T11:00:00Z", "type": "policy_change", "new_target_minutes": 60}]
    shorter = case("policy_change", {"deadline": "2026-03-02T11:00:00Z"}, target_minutes=180, events=changed)
    assert isinstance(compute(shorter), Agrees)


def test_a_goal_in_working_days_is_moved_by_the_working_time_of_its_pauses() -> None:
    paused = case(
        "deadline_business_days",
        {"deadline": "2026-03-04T17:00:00Z"},
        target_business_days=2,
        events=events(("03T09:00", "pause"), ("03T16:00", "resume")),
    )
    assert isinstance(compute(paused), Agrees), compute(paused)
    assert isinstance(compute({**paused, "events": events(("03T09:00", "pause"))}), Differs)
    behind = {**paused, "events": events(("06T09:00", "pause")), "expected": {"deadline": "2026-03-04T10:00:00Z"}}
    assert isinstance(compute(behind), Agrees)
    until_close = {**paused, "events": [], "tags": ["end_of_day"], "expected": {"deadline": "2026-03-04T18:00:00Z"}}
    assert isinstance(compute(until_close), Agrees)


def test_the_calendar_of_a_case_knows_all_its_kinds_of_dates() -> None:
    calendar = calendar_of(
        case(
            "elapsed",
            {},
            calendar={
                "holidays": ["*-12-25", "*-02-29", "2026-03-02"],
                "extra_workdays": {"2026-03-07": [["09:00", "10:00"]]},
                "date_hours": {"2026-03-03": [["09:00", "10:00"]]},
                "breaks": {"2026-03-04": [["09:00", "12:00"]]},
                "versions": [{"from": "2026-03-09", "weekly": {"mon": [["09:00:00", "09:00:01"]]}}],
            },
        )
    )
    found = [
        sum((span.length for span in calendar.spans(_midnight(day), _midnight(day + 1))), timedelta(0))
        for day in range(2, 10)
    ]
    hour = timedelta(hours=1)
    nothing = timedelta(0)
    assert found == [nothing, hour, 5 * hour, 8 * hour, 8 * hour, hour, nothing, timedelta(seconds=1)]
    assert not any(calendar.is_working_day(date(year, 12, 25)) for year in range(1970, 2200))
    assert not calendar.is_working_day(date(2024, 2, 29))


def _midnight(day: int) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC)


def test_whether_a_time_is_open_and_a_date_works() -> None:
    assert isinstance(compute(case("is_open", {"open": True})), Agrees)
    assert isinstance(compute(case("is_open", {"open": False})), Differs)
    assert isinstance(compute(case("workday", {"workday": True}, start="2026-03-02")), Agrees)
    assert isinstance(compute(case("workday", {"workday": True}, start="2026-03-01")), Differs)


RANGES = [
    {"from": "2019-05-01", "to": "2019-05-02", "yearly": True},
    {"from": "2019-12-31", "to": "2020-01-02", "yearly": True},
    {"from": "2020-02-29", "to": "2020-02-29", "yearly": True},
    {"from": "2019-07-08", "to": "2019-07-10", "yearly": False},
    {"from": "", "to": "2020-09-01", "yearly": False},
    {"from": "2020-07-08", "to": "", "yearly": False},
]


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        ("2019-05-01", True),
        ("2026-05-02", True),  # yearly
        ("2026-05-03", False),
        ("2027-01-02", True),  # yearly, over the turn of the year
        ("2024-02-29", True),
        ("2025-02-28", False),
        ("2019-07-10", True),
        ("2020-07-10", False),  # not yearly
        ("2020-08-15", False),  # ranges that lack an end name no day
        ("2020-07-05", False),  # a Sunday works for nobody and is no holiday
    ],
)
def test_ranges_of_holidays_are_days_unless_an_end_is_missing(day: str, *, holiday: bool) -> None:
    def asked(value: bool) -> Case:
        expected = {"value": {"is_holiday": value}}
        return case("workday", expected, start=day, agreement="rule_not_computed", calendar={"holiday_ranges": RANGES})

    assert isinstance(compute(asked(holiday)), Agrees)
    assert isinstance(compute(asked(not holiday)), Differs)


@pytest.mark.parametrize(
    ("closes", "hours", "holds"), [("23:59", 24, True), ("23:58", 24, False), ("23:59", 23, False)]
)
def test_hours_that_end_at_23_59_end_at_midnight(closes: str, hours: int, *, holds: bool) -> None:
    stated = case(
        "workday",
        {"value": f"so that {hours} business hours after noon is noon next day"},
        calendar={"weekly": {day: [["00:00", closes]] for day in (*WEEK, "sat", "sun")}},
        agreement="rule_not_computed",
    )
    assert isinstance(compute(stated), Agrees if holds else Differs)


def priority_change(deadline: str | None, *to: str, note: str = 'policy matches only priority "2 normal"') -> Case:
    happened = [
        {"at": f"2026-03-02T10:{minute:02}:00Z", "type": "priority_change", "to": word}
        for minute, word in enumerate(to, start=1)
    ]
    return case(
        "policy_change",
        {"deadline": deadline},
        target_minutes=60,
        events=[*happened, {"at": "2026-03-02T10:30:00Z", "type": "agent_note", "public": False}],
        agreement="rule_not_computed",
        note=note,
    )


def test_a_priority_that_the_policy_is_not_for_leaves_no_deadline() -> None:
    assert isinstance(compute(priority_change(None, "1 low")), Agrees)
    assert isinstance(compute(priority_change("2026-03-02T11:00:00Z", "1 low")), Differs)


def test_back_at_the_priority_it_is_for_the_deadline_is_there_again() -> None:
    again = ("1 low", "2 normal")
    assert isinstance(compute(priority_change("2026-03-02T11:02:00Z", *again)), Agrees), compute(
        priority_change(None, *again)
    )


def test_a_policy_whose_priority_is_not_stated_is_not_guessed() -> None:
    outcome = compute(priority_change(None, "1 low", note="something changed"))
    assert outcome == NotApplicable("something changed")
    assert isinstance(compute({**priority_change(None), "events": []}), NotApplicable)


def test_a_local_time_needs_no_hours() -> None:
    gap = case(
        "local_time",
        {"value": "2022-03-27T03:05:12"},
        start="2022-03-27T02:05:12",
        calendar={"tz": "Europe/Berlin", "weekly": {}},
    )
    assert isinstance(compute(gap), Agrees)


def test_an_instant_that_does_not_exist_has_to_be_refused() -> None:
    assert isinstance(compute(case("invalid", {"status": "error"}, start="2021-02-28 52:82:62")), Agrees)
    assert isinstance(compute(case("invalid", {"status": "error"}, start="2021-02-28 12:12:12")), Differs)


def test_a_calendar_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(CalendarError, match="'Mars/Olympus'"):
        compute(case("is_open", {"open": True}, calendar={"tz": "Mars/Olympus"}))


@pytest.mark.parametrize(
    ("unanswerable", "reason"),
    [
        (case("rule", {"deadline": None}), "a clock decides it"),
        (case("first_response", {"first_response_at": "2026-03-02T10:00:00Z"}), "which message"),
        (case("workday", {"value": "x"}, agreement="rule_not_computed", note="said by its note"), "said by its note"),
        (case("workday", {"value": "x"}, agreement="rule_not_computed"), "does not state"),
        (case("elapsed", {"elapsed_minutes": 1}, agreement="rule_not_computed"), "does not state"),
        (case("elapsed", {"mood": "good"}, end="2026-03-02T11:00:00Z"), "expects mood"),
        (case("elapsed", {}, end="2026-03-02T11:00:00Z"), "expects no figure"),
        (case("deadline", {"deadline": "2026-03-02T11:00:00Z"}), "names no goal"),
        (case("horoscope", {"luck": 1}), "unknown"),
    ],
)
def test_what_the_calendar_cannot_answer_is_not_applicable_with_a_reason(unanswerable: Case, reason: str) -> None:
    outcome = compute(unanswerable)
    assert isinstance(outcome, NotApplicable)
    assert reason in outcome.reason


# ------------------------------------------------------------------------------------------------------ the real cases


def _read(shared_data: Path) -> list[dict[str, Any]]:
    with (shared_data / "clock_cases.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.shared_data
def test_no_real_case_differs_and_all_with_a_figure_are_computed(shared_data: Path) -> None:
    cases = _read(shared_data)
    outcomes = [(each, compute(each)) for each in cases]
    assert len(outcomes) == 284
    assert [(each["id"], outcome) for each, outcome in outcomes if isinstance(outcome, Differs)] == []
    skipped = [(each, outcome) for each, outcome in outcomes if isinstance(outcome, NotApplicable)]
    assert all(outcome.reason for _, outcome in skipped)
    assert {each["kind"] for each, _ in skipped} == {"rule", "first_response"}  # see test_shared_rules.py
    assert Counter(type(outcome).__name__ for _, outcome in outcomes) == {"Agrees": 281, "NotApplicable": 3}


@pytest.mark.shared_data
def test_a_real_case_with_a_shifted_figure_would_be_noticed(shared_data: Path) -> None:
    """An agreement that nothing could break would prove nothing."""
    for each in _read(shared_data):
        if each["kind"] not in COMPUTED or not isinstance(compute(each), Agrees):
            continue
        shifted = json.loads(json.dumps(each))
        for figures in (shifted["expected"], shifted["own_check"]):
            for name in figures:
                if name in {"deadline", "deadline_period_end", "value"} and figures[name]:
                    figures[name] = "2001-01-01T00:00:00+00:00"
                elif name == "elapsed_minutes":
                    figures[name] += 1
                elif name == "open":
                    figures[name] = not figures[name]
        assert isinstance(compute(shifted), Differs), each["id"]


@pytest.mark.shared_data
def test_where_sources_answer_with_the_next_opening_it_is_the_one_after_our_closing(shared_data: Path) -> None:
    """But for hours that open inside a gap: there the source drops the day, we open when the gap ends."""
    boundary = [each for each in _read(shared_data) if each["agreement"] == "agrees_boundary_next_open"]
    assert len(boundary) == 12
    unlike = []
    for each in boundary:
        outcome = compute(each)
        assert isinstance(outcome, Agrees)
        due: Any = outcome.found["deadline"]
        if calendar_of(each).next_opening(due) != type(due).fromisoformat(each["expected"]["deadline"]):
            unlike.append(each["tags"])
    assert unlike == [["dst", "gap"]]


@pytest.mark.shared_data
def test_the_shipped_chinese_calendar_works_on_the_days_the_real_cases_state(shared_data: Path) -> None:
    path = Path(__file__).resolve().parents[2] / "policies" / "calendars" / "cn-office.yaml"
    ours = CalendarShape.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8"))).build()
    compared = set()
    for each in _read(shared_data):
        stated = sorted(each["calendar"].get("extra_workdays") or {})
        if not stated or not (year := int(stated[0][:4])) >= 2024:
            continue
        theirs, first = calendar_of(each), date(year, 1, 1)
        days = [first + timedelta(shift) for shift in range(365)]
        assert [day for day in days if ours.is_working_day(day) != theirs.is_working_day(day)] == []
        compared.add(year)
    assert compared == {2024, 2025, 2026}
