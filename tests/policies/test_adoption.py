"""Adoption: the first runs on an old backlog label and report; nobody gets a message for what was long since so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.changes import Relabel, UpsertReport, described
from policies.issue import Actor, State
from policies.plan import HeldBackReason, Limits, Plan, plan
from policies.verdict import Judged, judge
from tests.policies.applied_changes import applied
from tests.policies.build_issue import (
    CUSTOMER,
    FIRST_RESPONSE,
    OWN,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    labels,
    released,
    reply,
)
from tests.policies.random_issues import issues, packs

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack

WAITING, WORK = State.WAITING_FOR_CUSTOMER, State.IN_PROGRESS
PACK = build_pack(
    (
        {"do": "priority", "when": {"category": "security"}, "at_least": "high"},
        {"do": "due_date", "clock": "resolution"},
        {
            "do": "escalate",
            "clock": "resolution",
            "levels": [{"at": "50%", "tier": "L2"}, {"after_due": "24h", "tier": "L3"}],
            "forgotten_pause": {"tier": "L2"},
        },
        {"do": "link_patch"},
        {"do": "comment"},
        {"do": "label"},
        {"do": "report"},
    ),
    first_response=FIRST_RESPONSE,
    resolution={
        **RESOLUTION,
        "pause": [{**RESOLUTION["pause"][0], "longest": "72h"}],
        "goals": [{"within": "48h"}],
    },
)


def planned(*found: Issue, hour: float, adopted: float | None = 1000, pack: PolicyPack = PACK) -> Plan:
    judged = [Judged(issue, judge(issue, pack, at(hour))) for issue in found]
    here = build_destination(report_project="CAR", adopted_at=at(adopted) if adopted is not None else None)
    return plan(judged, [pack], {"here": here}, limits=Limits(), now=at(hour))


def lines(found: Plan) -> list[str]:
    told = (line for each in found.changes for line in described(each.change))
    return ["comment" if line.startswith("comment ") else line for line in told if not line.startswith("report ")]


def held(found: Plan) -> list[str]:
    assert {each.reason for each in found.held_back} <= {HeldBackReason.ADOPTION}
    told = (line for each in found.held_back for line in described(each.change))
    return ["comment" if line.startswith("comment ") else line for line in told]


def after_a_run(issue: Issue, hour: float, adopted: float | None = 1000) -> Issue:
    for each in planned(issue, hour=hour, adopted=adopted).changes:
        if each.issue is not None:
            issue = applied(issue, each.change, at(hour), build_destination())
    return issue


OLD = build_issue(category="security", severity="normal")
OLD_LABELS = ["add label warranty::first-response::overdue", "add label warranty::resolution::overdue"]


# ---------------------------------------------------------------------------------------------------------- the rules


def test_the_first_run_on_an_old_backlog_writes_labels_and_the_report_only() -> None:
    backlog = (
        OLD,
        build_issue(becomes(3, WAITING), number=2),
        build_issue(released(9), reply(4), number=3),
        build_issue(becomes(30, State.RESOLVED), number=4),
        build_issue(reply(1, CUSTOMER), number=5, assignee=Actor(id="amy")),
    )
    found = planned(*backlog, hour=1000)
    kinds = [type(each.change) for each in found.changes]
    assert kinds == [Relabel] * len(backlog) + [UpsertReport]
    assert found.held_back
    assert "comment" in held(found)
    without = planned(*backlog, hour=1000, adopted=None)
    assert {"comment", "assign to eve", "set priority High"} <= set(lines(without))
    assert len(without.changes) == len(found.changes) + len(found.held_back)


def test_what_is_held_back_says_that_it_is_the_adoption_and_since_when() -> None:
    found = planned(OLD, hour=1000)
    assert lines(found) == [*OLD_LABELS, "add label warranty::tier::L3"]
    assert held(found) == ["set priority High", "set due date 2026-03-04", "assign to eve", "comment"]
    since = "2026-04-13 01:00 CST"
    assert {each.detail for each in found.held_back} == {
        f"nothing has happened to it since the adoption on {since}",
        f"reached 2026-03-05 09:00 CST, before the adoption on {since}",
    }


def test_the_runs_that_follow_stay_silent_while_nothing_happens() -> None:
    issue = OLD
    for hour in (1000, 1001, 1500, 9000):
        found = planned(issue, hour=hour)
        assert not {"comment", "assign to eve"} & set(lines(found))
        issue = after_a_run(issue, hour)
    assert lines(planned(issue, hour=9001)) == []


def test_a_level_from_before_the_adoption_is_mute_for_good_and_one_from_after_it_fires() -> None:
    # Half of the time is used at 24, due at 48, the highest level comes at 72.
    issue = after_a_run(build_issue(), 40, adopted=30)
    assert issue.assignee is None
    assert issue.labels == {
        "warranty::tier::L2",
        "warranty::resolution::at-risk",
        "warranty::first-response::overdue",
    }
    talked = issue.with_events(reply(41, CUSTOMER))
    assert "assign to bob" in held(planned(talked, hour=42, adopted=30))
    assert "assign to eve" in lines(planned(talked, hour=72, adopted=30))
    assert "assign to eve" in lines(planned(issue, hour=72, adopted=30))


def test_a_word_from_anybody_ends_the_silence_and_a_word_of_ours_does_not() -> None:
    assert "comment" in lines(planned(OLD.with_events(reply(1001, CUSTOMER)), hour=1002))
    assert "comment" not in lines(planned(OLD.with_events(reply(1001, OWN)), hour=1002))
    assert "comment" not in lines(planned(OLD.with_events(reply(999, CUSTOMER)), hour=1002))


def test_an_issue_opened_after_the_adoption_knows_nothing_of_it() -> None:
    new = build_issue(opened_at=at(1001))
    assert "comment" in lines(planned(new, hour=1100))
    assert planned(new, hour=1100).held_back == ()


def test_an_issue_that_bore_a_label_of_ours_before_the_adoption_is_no_stranger() -> None:
    known = replace(
        OLD.with_events(labels(500, added=("warranty::resolution::overdue",), by=OWN)),
        labels=frozenset({"warranty::resolution::overdue"}),
    )
    assert {"comment", "set due date 2026-03-04"} <= set(lines(planned(known, hour=1000)))
    assert held(planned(known, hour=1000)) == ["assign to eve"]
    spoken_to = OLD.with_events(reply(999, OWN, text="warranty-flows:sla:000000000000"))
    assert "comment" in lines(planned(spoken_to, hour=1000))
    opened_with = build_issue(labels=frozenset({"warranty::resolution::overdue"}))
    assert "comment" in lines(planned(opened_with, hour=1000))


def test_a_clock_that_time_alone_has_brought_further_since_ends_the_silence() -> None:
    issue = build_issue(becomes(1, WORK))
    assert lines(planned(issue, hour=23, adopted=22)) == [
        "add label warranty::first-response::at-risk",
        "add label warranty::resolution::running",
    ]
    assert held(planned(issue, hour=23, adopted=22)) == ["set due date 2026-03-04", "comment"]
    assert {"comment", "set due date 2026-03-04", "assign to bob"} <= set(lines(planned(issue, hour=25, adopted=22)))
    overdue = build_issue(reply(1))
    assert "comment" in lines(planned(overdue, hour=49, adopted=47))


def test_a_pause_forgotten_before_the_adoption_is_labelled_and_one_after_it_is_told() -> None:
    parked = build_issue(reply(1), becomes(2, WAITING))  # forgotten at 74
    found = planned(parked, hour=100, adopted=90)
    assert "add label warranty::forgotten-pause" in lines(found)
    assert "assign to bob" in held(found)
    assert "assign to bob" in lines(planned(parked, hour=100, adopted=70))


def test_the_label_of_a_mute_level_does_not_stand_for_one_that_fires() -> None:
    issue = after_a_run(build_issue(), 40, adopted=30)  # L2 is labelled, and nobody assigned
    higher = build_pack(
        (
            {
                "do": "escalate",
                "clock": "resolution",
                "levels": [{"at": "50%", "tier": "L2"}, {"at": "90%", "tier": "L2"}],
            },
            {"do": "label"},
        ),
        first_response=FIRST_RESPONSE,
        resolution=RESOLUTION,
    )
    assert lines(planned(issue, hour=44, adopted=30, pack=higher)) == ["assign to bob"]
    assert lines(planned(issue, hour=43, adopted=30, pack=higher)) == []


def test_a_link_that_is_held_back_leaves_its_proof_unwritten() -> None:
    fixed = build_issue(released(9))
    found = planned(fixed, hour=1000)
    assert not any("patch" in line for line in lines(found))
    assert any(line.startswith("link ") for line in held(found))
    talked = planned(fixed.with_events(reply(1001, CUSTOMER)), hour=1002)
    assert "add label warranty::patch::1.4.2" in lines(talked)


def test_a_tracker_whose_clock_is_behind_ours_does_not_end_the_silence_with_our_own_labels() -> None:
    behind = labels(999.9, added=("warranty::resolution::overdue",), by=OWN)
    issue = replace(OLD.with_events(behind), labels=frozenset({"warranty::resolution::overdue"}))
    assert not {"comment", "assign to eve"} & set(lines(planned(issue, hour=1001)))


def test_what_comes_in_the_very_instant_of_the_adoption_is_mute() -> None:
    found = planned(build_issue(), hour=24, adopted=24)  # half of the time is used
    assert "add label warranty::tier::L2" in lines(found)
    assert "assign to bob" in held(found)
    assert "comment" in held(found)


def test_an_adoption_that_lies_ahead_keeps_all_silent() -> None:
    (each, *_) = planned(OLD, hour=900).held_back
    assert each.detail == "adopted only from 2026-04-13 01:00 CST on"


def test_a_due_date_is_still_a_date_of_the_contracts_zone_once_the_silence_ends() -> None:
    issue = after_a_run(OLD.with_events(reply(1001, CUSTOMER)), 1002)
    assert issue.due == date(2026, 3, 4)


# ---------------------------------------------------------------------------------------------- for every history


@settings(max_examples=150, deadline=None)
@given(issues(), packs(), st.integers(0, 60))
def test_adopted_now_no_history_leads_to_anything_but_labels(issue: Issue, pack: PolicyPack, days: int) -> None:
    now = (issue.events[-1].at - at(0)).total_seconds() / 3600 + days * 24 + 1
    found: Any = planned(issue, hour=now, adopted=now, pack=pack)
    assert {each.change.kind for each in found.changes} <= {"relabel"}
