"""Compliance of many issues: what is counted, what is listed, what is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from policies.document import BulletList, Paragraph, Table
from policies.issue import Gap, GapKind, Issue, State
from policies.loader import load_phrases
from policies.signals import Signal, SignalKind
from policies.summary import ComplianceSummary, summarise
from policies.verdict import Judged, ReasonCode, Status, judge
from tests.policies.build_issue import (
    FIRST_RESPONSE,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    reply,
    resolution,
)

if TYPE_CHECKING:
    from policies.pack import PolicyPack

PACK = resolution()
HERE = build_destination()
RESOLVED = State.RESOLVED


def summary(*issues: Issue, hour: float = 500) -> ComplianceSummary:
    return summarise([Judged(issue, judge(issue, PACK, at(hour))) for issue in issues], PACK, "here")


MET = build_issue(becomes(5, RESOLVED), number=1)
MISSED = build_issue(becomes(60, RESOLVED), number=2)
OVERDUE = build_issue(number=3)
CANCELLED = build_issue(becomes(5, State.CANCELLED), number=4)
PAUSED = build_issue(becomes(5, State.WAITING_FOR_CUSTOMER), number=5)


def test_each_status_has_its_own_column() -> None:
    found = summary(MET, MISSED, OVERDUE, CANCELLED, PAUSED)
    assert found.judged == 5
    assert found.counts == tuple(
        ("resolution", status, 1)
        for status in Status
        if status in {Status.MET, Status.MISSED, Status.OVERDUE, Status.CANCELLED, Status.PAUSED}
    )


def test_what_was_cancelled_or_is_undecided_is_no_part_of_the_share() -> None:
    assert summary(MET, MISSED, OVERDUE, CANCELLED, PAUSED).kept("resolution") == (1, 3)
    assert summary(CANCELLED).kept("resolution") == (0, 0)


def test_issues_of_another_tracker_are_not_counted() -> None:
    assert summary(MET, build_issue(tracker="there")).judged == 1


def test_the_overdue_come_first_and_the_longest_overdue_first_of_all() -> None:
    younger = build_issue(number=6, opened_at=at(24))
    assert [breach.key for breach in summary(MISSED, younger, OVERDUE, MET).breaches] == ["CAR-3", "CAR-6", "CAR-2"]


def test_every_cycle_counts() -> None:
    reopened = build_issue(becomes(5, RESOLVED), becomes(400, State.IN_PROGRESS, RESOLVED))
    assert summary(reopened).kept("resolution") == (1, 2)


def test_the_report_lists_the_breaches_and_no_confidential_one() -> None:
    secret = build_issue(number=7, title="Brakes fail", confidential=True)
    document = summary(MET, OVERDUE, secret).document(PACK, HERE)
    text = repr(document)
    assert "CAR-7" not in text
    assert "Brakes" not in text
    tables = [block for block in document.blocks if isinstance(block, Table)]
    listed = ["".join(run.text for run in row[0]) for row in tables[1].rows]
    assert listed == ["CAR-3 The wipers stop"]
    words = [block.runs[0].text for block in document.blocks if isinstance(block, Paragraph)]
    assert words[0] == snapshot("1 confidential issues are counted and not listed.")
    (kept,) = (block for block in document.blocks if isinstance(block, BulletList))
    assert kept.items[0][0].text == snapshot("resolution: 1 of 3 decided promises were kept (33.3 %).")


def test_a_long_report_says_how_much_it_leaves_out() -> None:
    document = summary(*(build_issue(number=number) for number in range(1, 61))).document(PACK, HERE)
    words = [block.runs[0].text for block in document.blocks if isinstance(block, Paragraph)]
    assert words[0] == snapshot("10 more are not listed.")
    assert len([block for block in document.blocks if isinstance(block, Table)][1].rows) == 50


def test_without_a_breach_the_report_says_so() -> None:
    words = [b.runs[0].text for b in summary(MET).document(PACK, HERE).blocks if isinstance(b, Paragraph)]
    assert words[0] == "No promise is broken."


def test_the_same_verdicts_give_the_same_report_whenever_it_is_made_and_in_any_order() -> None:
    issues = (MET, MISSED, OVERDUE, PAUSED)
    digest = summary(*issues).document(PACK, HERE).digest
    assert summary(*issues[::-1], hour=900).document(PACK, HERE).digest == digest


def test_an_address_that_is_none_of_the_web_is_not_linked() -> None:
    odd = build_issue(ref=OVERDUE.ref.__class__("here", "CAR", "CAR-3", "3", "javascript:alert(1)"))
    assert summary(odd).breaches[0].url == ""


# ----------------------------------------------------------------------------------------------- issues nobody watches

URGENT_ONLY = resolution(goals=[{"when": {"severity": "urgent"}, "within": "4h"}])


def unwatched(issue: Issue, pack: PolicyPack = URGENT_ONLY, hour: float = 20) -> list[tuple[str, list[ReasonCode]]]:
    found = summarise([Judged(issue, judge(issue, pack, at(hour)))], pack, "here").without_goal
    return [(line.key, [reason.code for reason in line.reasons]) for line in found]


def test_an_issue_that_matches_no_promise_is_a_line_with_the_reason_even_when_it_is_closed() -> None:
    assert unwatched(build_issue()) == [("CAR-1", [ReasonCode.NO_GOAL])]
    assert unwatched(build_issue(becomes(5, RESOLVED))) == [("CAR-1", [ReasonCode.NO_GOAL])]
    assert unwatched(build_issue(severity="urgent")) == []


def test_an_open_issue_without_a_running_clock_is_a_line() -> None:
    answered = build_issue(reply(1))
    assert unwatched(answered, build_pack(first_response=FIRST_RESPONSE)) == [("CAR-1", [])]
    closed = build_issue(reply(1), becomes(5, RESOLVED))
    assert unwatched(closed, build_pack(first_response=FIRST_RESPONSE)) == []
    both = build_pack(first_response=FIRST_RESPONSE, resolution=RESOLUTION)
    assert unwatched(answered, both) == []
    some = build_pack(
        first_response=FIRST_RESPONSE, resolution={**RESOLUTION, "goals": URGENT_ONLY.clocks["resolution"].goals}
    )
    assert unwatched(answered, some) == [("CAR-1", [ReasonCode.NO_GOAL])]


def test_an_issue_with_a_gap_in_its_history_is_told_as_such_and_not_as_unwatched() -> None:
    gap = (Gap(GapKind.HISTORY, "entries not delivered: 2"),)
    assert unwatched(build_issue(gaps=gap), PACK) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_says_who_is_without_a_promise_whether_covered_and_why_and_counts_signals(language: str) -> None:
    secret = build_issue(number=2, title="Brakes fail", confidential=True)
    judged = [Judged(issue, judge(issue, URGENT_ONLY, at(5))) for issue in (build_issue(), secret)]
    signal = Signal(SignalKind.PARKED_PAUSE, "resolution", at(1))
    parked = Judged(build_issue(number=3, severity="urgent"), (), signals=(signal, signal))
    there = build_destination(phrases=load_phrases(language))
    words = str(summarise([*judged, parked], URGENT_ONLY, "here").document(URGENT_ONLY, there))
    phrases = load_phrases(language)
    for key in ("without_goal_heading", "reason_no_goal", "signals_heading", "signal_parked_pause"):
        assert phrases.say(key) in words, key
    assert "CAR-1" in words
    assert "Brakes fail" not in words
    assert phrases.say("confidential_line", n=1) in words


def test_many_unwatched_issues_are_listed_in_part() -> None:
    many = [build_issue(number=number) for number in range(60)]
    summary_ = summarise([Judged(one, judge(one, URGENT_ONLY, at(5))) for one in many], URGENT_ONLY, "here")
    assert len(summary_.without_goal) == 60
    assert HERE.phrases.say("truncated_line", n=10) in str(summary_.document(URGENT_ONLY, HERE))
