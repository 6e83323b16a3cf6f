"""Signals: what the team should know of an issue beside its verdicts, and what is no signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from policies.issue import Actor, Role, SeverityChanged, State
from policies.note import note
from policies.signals import Signal, SignalKind, only_acknowledges, signals
from policies.verdict import Judged, judge
from tests.policies.build_issue import (
    AGENT,
    COLLEAGUE,
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
    reply,
    resolution,
    severity,
)
from tests.policies.random_issues import HOURS, issues, packs

if TYPE_CHECKING:
    from policies.issue import Event, Issue
    from policies.pack import PolicyPack

WAITING, RESOLVED = State.WAITING_FOR_CUSTOMER, State.RESOLVED
PACK = build_pack(
    first_response=FIRST_RESPONSE,
    resolution={
        **RESOLUTION,
        "goals": [{"when": {"severity": "urgent"}, "within": "8h"}, {"within": "48h"}],
    },
)


def told(issue: Issue, hour: float, pack: PolicyPack = PACK) -> list[Signal]:
    return list(signals(issue, judge(issue, pack, at(hour)), pack, at(hour)))


def kinds(issue: Issue, hour: float, pack: PolicyPack = PACK) -> list[SignalKind]:
    return [signal.kind for signal in told(issue, hour, pack)]


# -------------------------------------------------------------------------------------------------------- parked pause


def test_a_customer_who_replied_while_the_status_still_says_waiting_is_a_parked_pause_since_the_reply() -> None:
    issue = build_issue(becomes(4, WAITING), reply(9, COLLEAGUE))
    (signal,) = told(issue, 20)
    assert (signal.kind, signal.clock, signal.at) == (SignalKind.PARKED_PAUSE, "resolution", at(9))
    assert signal.evidence == (f"state-4-{WAITING.value}", "comment-9-li")
    assert signal.detail == "awaiting customer"


@pytest.mark.parametrize(
    "events",
    [
        (becomes(4, WAITING),),
        (reply(3, CUSTOMER), becomes(4, WAITING)),
        (becomes(4, WAITING), reply(9, CUSTOMER, public=False)),
        (becomes(4, WAITING), reply(9, AGENT, text="Could you send the log file of the head unit?")),
        (becomes(4, WAITING), reply(9, CUSTOMER), becomes(10, State.IN_PROGRESS, WAITING)),
        (becomes(4, State.WAITING_FOR_THIRD_PARTY), reply(9, CUSTOMER)),
        (becomes(4, WAITING), reply(9, CUSTOMER), becomes(10, RESOLVED, WAITING)),
    ],
)
def test_a_wait_that_nobody_has_answered_or_that_is_over_is_no_parked_pause(events: tuple[Event, ...]) -> None:
    assert kinds(build_issue(*events), 20) == []


def test_a_second_wait_is_parked_by_the_second_reply_only() -> None:
    first = (becomes(4, WAITING), reply(6, CUSTOMER), becomes(8, State.IN_PROGRESS, WAITING))
    again = becomes(10, WAITING, State.IN_PROGRESS)
    assert kinds(build_issue(*first, again), 20) == []
    (signal,) = told(build_issue(*first, again, reply(12, CUSTOMER)), 20)
    assert signal.at == at(12)


# ------------------------------------------------------------------------------------------------------ late downgrade


@pytest.mark.parametrize(("hour", "late"), [(1, False), (5.5, False), (6, True), (7.5, True), (8, True), (9, False)])
def test_a_downgrade_within_the_last_quarter_of_the_clock_is_flagged(hour: float, *, late: bool) -> None:
    issue = build_issue(severity(hour, "normal", "urgent"))
    found = [signal for signal in told(issue, 20) if signal.kind is SignalKind.LATE_DOWNGRADE]
    assert [signal.clock for signal in found] == (["resolution"] if late else [])
    if late:
        assert (found[0].at, found[0].evidence, found[0].detail) == (
            at(hour),
            (f"severity-{hour}",),
            "urgent -> normal",
        )


def test_an_upgrade_and_a_downgrade_that_changes_no_promise_are_no_late_downgrade() -> None:
    assert kinds(build_issue(severity(47, "urgent", "normal")), 47) == []
    assert kinds(build_issue(severity(47, "normal", "high")), 47) == []


def test_a_downgrade_to_no_promise_at_all_is_one_and_one_on_clocks_that_have_ended_or_change_nothing_is_none() -> None:
    urgent_only = resolution(goals=[{"when": {"severity": "urgent"}, "within": "8h"}])
    assert kinds(build_issue(severity(7, "normal", "urgent")), 20, urgent_only) == [SignalKind.LATE_DOWNGRADE]
    assert kinds(build_issue(severity(47, "normal", "urgent")), 48, resolution()) == []


def test_what_we_lower_ourselves_and_what_is_lowered_after_the_end_is_no_late_downgrade() -> None:
    ours = SeverityChanged(id="s", at=at(7), actor=OWN, before="urgent", after="normal")
    assert kinds(build_issue(ours), 20) == []
    assert kinds(build_issue(becomes(5, RESOLVED), severity(7, "normal", "urgent")), 20) == []


# ----------------------------------------------------------------------------------------------------- hollow response


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for your report. We will look into it.",
        "Hello Chen,\n\nwe have received your report and will get back to you as soon as possible.\n\nKind regards\nAmy",
        "We\N{RIGHT SINGLE QUOTATION MARK}ll get back to you shortly!",
        "收到",
        "您好，已收到您的反馈，我们会尽快处理，谢谢！",
    ],
)
def test_a_first_response_that_only_acknowledges_is_hollow_and_still_counts(text: str) -> None:
    issue = build_issue(reply(3, Actor(id="amy", name="Amy", role=Role.RESPONDER), text=text))
    (signal,) = told(issue, 5)
    assert (signal.kind, signal.clock, signal.at) == (SignalKind.HOLLOW_RESPONSE, "first_response", at(3))
    assert signal.evidence == ("comment-3-amy",)
    assert judge(issue, PACK, at(5))[0].status.value == "met"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "![picture](a.png)",
        "Thank you, fixed in 1.4.2.",
        "Thanks. Try restarting the head unit.",
        "We have received your report. Which version do you use?",
        "已收到，请重启车机后再试。",
        "收到，问题出在导航模块。",
        "This was denoted wrongly in the manual.",
        "Thank you for your report. " * 20,
    ],
)
def test_a_reply_with_a_single_word_of_substance_is_not_hollow(text: str) -> None:
    assert not only_acknowledges(text)


def test_a_pack_may_name_further_phrases_of_acknowledgement() -> None:
    issue = build_issue(reply(3, text="Vielen Dank für Ihre Meldung!"))
    assert kinds(issue, 5) == []
    german = PACK.model_copy(update={"acknowledgements": ("vielen Dank für Ihre Meldung",)})
    assert kinds(issue, 5, german) == [SignalKind.HOLLOW_RESPONSE]


def test_where_a_receipt_is_all_that_is_promised_none_is_hollow() -> None:
    clock = PACK.clocks["first_response"].model_copy(update={"receipt_is_enough": True})
    issue = build_issue(reply(3, text="Well received, thank you."))
    assert kinds(issue, 5) == [SignalKind.HOLLOW_RESPONSE]
    assert kinds(issue, 5, PACK.model_copy(update={"clocks": {"first_response": clock}})) == []


# --------------------------------------------------------------------------------------------------- reopened after met


def test_a_promise_kept_and_then_reopened_is_told_with_the_instant_of_the_reopening() -> None:
    issue = build_issue(becomes(5, RESOLVED), becomes(30, State.IN_PROGRESS, RESOLVED))
    (signal,) = told(issue, 31)
    assert (signal.kind, signal.clock, signal.at) == (SignalKind.REOPENED_AFTER_MET, "resolution", at(30))


def test_reopened_too_late_to_resume_is_told_of_the_new_cycle() -> None:
    issue = build_issue(becomes(5, RESOLVED), becomes(400, State.IN_PROGRESS, RESOLVED))
    (signal,) = told(issue, 401)
    assert (signal.kind, signal.at) == (SignalKind.REOPENED_AFTER_MET, at(400))


def test_a_missed_promise_that_is_reopened_and_one_whose_reopening_is_ignored_are_no_signal() -> None:
    late = build_issue(becomes(50, RESOLVED), becomes(60, State.IN_PROGRESS, RESOLVED))
    assert kinds(late, 61) == []
    early = build_issue(becomes(5, RESOLVED), becomes(30, State.IN_PROGRESS, RESOLVED))
    assert kinds(early, 31, resolution(reopen="ignore")) == []


def test_a_clock_that_has_not_started_has_no_signal() -> None:
    issue = build_issue(reply(3, text="收到"))
    assert kinds(issue, 5, build_pack(first_response={**FIRST_RESPONSE, "start": "accepted"})) == []


# -------------------------------------------------------------------------------------------------------- label removed


def test_a_label_of_ours_that_a_person_took_off_is_told_with_its_name() -> None:
    ours = "warranty::resolution::at-risk"
    issue = build_issue(labels(2, added=(ours,), by=OWN), labels(3, removed=(ours,)))
    (signal,) = told(issue, 5)
    assert (signal.kind, signal.clock, signal.at, signal.detail) == (SignalKind.LABEL_REMOVED, "", at(3), ours)
    assert told(issue, 2.5) == []


@pytest.mark.parametrize(
    "events",
    [
        (labels(2, added=("vip",)), labels(3, removed=("vip",))),
        (labels(2, added=("x",), by=OWN), labels(3, removed=("x",), by=OWN)),
        (labels(2, added=("x",), by=OWN), labels(3, removed=("x",)), labels(4, added=("x",))),
    ],
)
def test_other_labels_our_own_removals_and_labels_that_came_back_are_no_signal(events: tuple[Event, ...]) -> None:
    assert kinds(build_issue(*events), 5) == []


# --------------------------------------------------------------------------------------------------------------- quiet


def test_a_signal_is_never_part_of_the_note() -> None:
    issue = build_issue(becomes(4, WAITING), reply(9, COLLEAGUE), reply(10, text="收到"))
    verdicts = judge(issue, PACK, at(20))
    found = signals(issue, verdicts, PACK, at(20))
    assert len(found) == 2
    plain, signalled = (Judged(issue, verdicts, signals=each) for each in ((), found))
    assert note(plain, PACK, build_destination()) == note(signalled, PACK, build_destination())


@settings(max_examples=60, deadline=None)
@given(issues(), packs(), HOURS)
def test_signals_come_oldest_first_and_never_from_the_future(issue: Issue, pack: PolicyPack, hour: Any) -> None:
    found = signals(issue, judge(issue, pack, at(hour)), pack, at(hour))
    assert list(found) == sorted(found, key=lambda signal: signal.at)
    assert all(signal.at <= at(hour) for signal in found)
    known = {event.id for event in issue.events if event.at <= at(hour)}
    assert all(set(signal.evidence) <= known for signal in found)


def test_a_history_of_thousands_of_downgrades_is_looked_at_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    up_and_down = [
        severity(number / 1000, *(("urgent", "normal") if number % 2 else ("normal", "urgent")))
        for number in range(1, 400)
    ]
    issue = build_issue(*up_and_down, severity="urgent")
    verdicts = judge(issue, PACK, at(1))
    asked: list[float] = []

    def counted(issue: Issue, pack: PolicyPack, now: Any, clocks: Any) -> Any:
        asked.append(now)
        return judge(issue, pack, now, clocks)

    monkeypatch.setattr("policies.signals.judge", counted)
    signals(issue, verdicts, PACK, at(1))
    assert 0 < len(asked) <= 40
