"""The cases that broke real engines of this kind, one test each, in the order the rules list them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from policies.business_calendar import BusinessCalendar
from policies.changes import UpsertComment, described
from policies.duration import parse_duration
from policies.issue import Actor, Issue, IssueRef, Moved, Opened, State, StatusChanged, Word
from policies.local_span import hours
from policies.plan import Limits, Plan, plan
from policies.replay import as_then
from policies.roster import Roster
from policies.verdict import Judged, ReasonCode, Status, Verdict, judge
from policies.versions import PolicyBook
from policies.vocabulary import Vocabulary
from tests.policies.applied_changes import applied
from tests.policies.build_issue import (
    AGENT,
    BOT,
    COLLEAGUE,
    CUSTOMER,
    DELETED,
    FIRST_RESPONSE,
    MONDAY,
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
    verdict_of,
)

if TYPE_CHECKING:
    from policies.issue import Event
    from policies.pack import PolicyPack

WAITING, RESOLVED, WORK = State.WAITING_FOR_CUSTOMER, State.RESOLVED, State.IN_PROGRESS
HOUR = timedelta(hours=1)
HERE = build_destination()
RESPONSE = build_pack(first_response=FIRST_RESPONSE)


def figures(verdict: Verdict) -> tuple[Status, datetime | None, timedelta]:
    return verdict.status, verdict.due_at, verdict.used


def in_zone(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def planned(issue: Issue, pack: PolicyPack, now: datetime) -> Plan:
    return plan([Judged(issue, judge(issue, pack, now))], [pack], {"here": HERE}, limits=Limits(), now=now)


# -------------------------------------------------------------------------------------------------------------- pauses


def test_pause_still_open() -> None:
    verdict = verdict_of(build_issue(becomes(10, WAITING)), resolution(), 500)
    assert (verdict.status, verdict.used, verdict.next_change_at) == (Status.PAUSED, 10 * HOUR, None)
    assert verdict.pauses[0].until is None


def test_two_pauses_in_one_minute() -> None:
    minute = 1 / 60
    events = (
        becomes(10, WAITING),
        becomes(10 + minute / 4, WORK, WAITING),
        becomes(10 + minute / 2, WAITING, WORK),
        becomes(10 + minute, WORK, WAITING),
    )
    verdict = verdict_of(build_issue(*events), resolution(), 20)
    assert len(verdict.pauses) == 2
    assert verdict.due_at == at(48 + minute * 3 / 4)


def test_pause_over_a_weekend_with_a_goal_in_days() -> None:
    friday, tuesday = 24 * 4 + 4, 24 * 8 + 2
    paused = build_issue(becomes(friday, WAITING), becomes(tuesday, WORK, WAITING))
    pack = resolution(goals=[{"within": "10bd"}])
    # Friday 13:00 to Tuesday 11:00 in Shanghai holds 5 + 8 + 2 working hours; Monday two weeks on at 09:00 moves by them.
    verdict = verdict_of(paused, pack, 200)
    assert verdict.due_at == at(24 * 15 + 9 - 1)
    assert verdict_of(build_issue(), pack, 200).due_at == at(24 * 14)


def test_priority_change_keeps_the_pauses() -> None:
    pack = resolution(goals=[{"when": {"severity": "urgent"}, "within": "24h"}, {"within": "48h"}])
    pause = (becomes(2, WAITING), becomes(7, WORK, WAITING))
    verdict = verdict_of(build_issue(*pause, severity(8, "urgent", "normal")), pack, 9)
    assert (len(verdict.pauses), verdict.due_at, verdict.used) == (1, at(24 + 5), 4 * HOUR)


def test_history_replayed_twice_after_days_gives_the_same_figures() -> None:
    events = (becomes(2, WAITING), reply(6, CUSTOMER), becomes(30, RESOLVED, WAITING))
    issue, book = build_issue(*events), PolicyBook.of(resolution())
    then = as_then(issue, book, at(20)).judged.verdicts
    later = build_issue(*reversed(events), reply(900), *events)
    assert [figures(verdict) for verdict in as_then(later, book, at(20)).judged.verdicts] == [
        figures(verdict) for verdict in then
    ]


# ------------------------------------------------------------------------------------------------------------ calendars


@pytest.mark.parametrize("start", ["2026-03-25T11:00", "2026-10-21T11:00"])
def test_dst_week_of_forty_working_hours_both_ways(start: str) -> None:
    day = hours("09:00-17:00")
    berlin = BusinessCalendar(
        id="berlin", zone="Europe/Berlin", weekly={"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}
    )
    begun = in_zone("Europe/Berlin", start)
    # The same wall clock a week on, although that week has an hour less, or more.
    due = in_zone("Europe/Berlin", start) + timedelta(days=7)
    assert berlin.due(begun, parse_duration("40bh")) == due
    assert berlin.elapsed(begun, due) == 40 * HOUR
    assert due.utcoffset() != begun.utcoffset()


def office(**changed: Any) -> BusinessCalendar:
    day = hours("09:00-12:00", "13:00-18:00")
    week = {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}
    return BusinessCalendar(**{"id": "office", "zone": "Asia/Shanghai", "weekly": week, **changed})


def due_on(calendar: BusinessCalendar, start: str, goal: str) -> str:
    due = calendar.due(in_zone("Asia/Shanghai", start), parse_duration(goal))
    return due.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")


def test_holiday_on_a_weekend() -> None:
    saturday = office(holidays={date(2026, 3, 7)})
    assert due_on(saturday, "2026-03-06T10:00", "16bh") == due_on(office(), "2026-03-06T10:00", "16bh")


def test_make_up_saturday() -> None:
    works = office(exceptions={date(2026, 3, 7): hours("09:00-12:00", "13:00-18:00")})
    assert due_on(works, "2026-03-06T10:00", "1bd") == "2026-03-07T10:00"
    assert due_on(office(), "2026-03-06T10:00", "1bd") == "2026-03-09T10:00"


def test_lunch_break_across_the_due_instant() -> None:
    assert due_on(office(), "2026-03-02T11:30", "1bh") == "2026-03-02T13:30"
    assert due_on(office(), "2026-03-02T11:00", "1bh") == "2026-03-02T12:00"


def test_overnight_shift() -> None:
    night = BusinessCalendar(id="night", zone="Asia/Shanghai", weekly={"fri": hours("22:00-06:00")})
    assert due_on(night, "2026-03-06T23:00", "4bh") == "2026-03-07T03:00"
    assert due_on(night, "2026-03-07T05:00", "2bh") == "2026-03-13T23:00"


# -------------------------------------------------------------------------------------------------------------- reopen


def test_reopen_three_times() -> None:
    events: list[Event] = []
    for start in (10, 30, 50):
        events += [becomes(start, RESOLVED, WORK), becomes(start + 10, WORK, RESOLVED)]
    verdict = verdict_of(build_issue(*events, becomes(65, RESOLVED, WORK)), resolution(), 100)
    assert (verdict.cycle, verdict.used, verdict.status) == (1, 35 * HOUR, Status.MET)
    assert len([pause for pause in verdict.pauses if pause.reason == "closed"]) == 3


# ----------------------------------------------------------------------------------------------------- whose word counts


@pytest.mark.parametrize("who", [BOT, OWN])
def test_reply_by_a_bot(who: Actor) -> None:
    assert verdict_of(build_issue(reply(1, who)), RESPONSE, 2).status is Status.RUNNING


def test_reply_by_the_reporters_colleague() -> None:
    assert verdict_of(build_issue(reply(1, COLLEAGUE)), RESPONSE, 2).status is Status.RUNNING
    waiting = build_issue(becomes(2, WAITING), reply(5, COLLEAGUE))
    assert verdict_of(waiting, resolution(), 6).pauses[0].until == at(5)


def test_private_note() -> None:
    assert verdict_of(build_issue(reply(1, AGENT, public=False)), RESPONSE, 2).status is Status.RUNNING
    waiting = build_issue(becomes(2, WAITING), reply(5, CUSTOMER, public=False))
    assert verdict_of(waiting, resolution(), 6).status is Status.PAUSED


def test_customer_reply_during_a_pause() -> None:
    verdict = verdict_of(build_issue(becomes(2, WAITING), reply(5, CUSTOMER)), resolution(), 20)
    assert (verdict.status, verdict.due_at, verdict.used) == (Status.RUNNING, at(51), 17 * HOUR)


# ------------------------------------------------------------------------------------------------------ trackers' words


def raw(*events: Event, status: Word, **facts: Any) -> Issue:
    """An issue in its tracker's words."""
    known = {
        "ref": IssueRef("here", "CAR", "CAR-1", "1"),
        "title": "雨刷停止",
        "type": Word("1", "故障"),
        "reporter": CUSTOMER,
        "opened_at": MONDAY,
        "updated_at": MONDAY,
        **facts,
    }
    return Issue(events=(Opened(id="opened", at=MONDAY), *events), status=status, **known)


def test_status_localised_in_chinese() -> None:
    words = Vocabulary(states={"待处理": State.OPEN, "处理中": WORK, "已解决": RESOLVED})
    new, doing, done = Word("1", "待处理"), Word("3", "处理中"), Word("5", "已解决")
    issue = words.apply(
        raw(
            StatusChanged(id="s1", at=at(2), before=new, after=doing),
            StatusChanged(id="s2", at=at(30), before=doing, after=done),
            status=done,
        )
    )
    verdict = verdict_of(issue, resolution(), 100)
    assert (verdict.status, verdict.stopped_at, issue.unmapped) == (Status.MET, at(30), ())


def test_deleted_user() -> None:
    gone = build_issue(reply(1, DELETED), becomes(10, RESOLVED, by=DELETED))
    cast = Roster(responders={"amy"}).cast(gone)
    assert verdict_of(cast, RESPONSE, 5).status is Status.RUNNING
    assert verdict_of(cast, resolution(), 20).status is Status.MET


def test_issue_moved_between_projects() -> None:
    moved = Moved(id="m", at=at(20), before="VAN", after="CAR")
    events = (becomes(2, WAITING), becomes(6, WORK, WAITING))
    here, there = (
        verdict_of(build_issue(*events, moved), resolution(), 40),
        verdict_of(build_issue(*events), resolution(), 40),
    )
    assert figures(here) == figures(there)
    ours = "warranty::resolution::running"
    issue = build_issue(*events, labels(7, added=(ours,), by=OWN), moved, labels=frozenset({ours}))
    assert not planned(issue, build_pack(({"do": "label"},)), at(22)).changes


def test_label_renamed_or_deleted() -> None:
    words = Vocabulary(states={"Open": State.OPEN, "label:waiting": WAITING})
    opened = Word("1", "Open")
    renamed = raw(
        labels(2, added=("waiting",)),
        labels(5, removed=("waiting",), added=("waiting for you",)),
        status=opened,
        labels=frozenset({"waiting for you"}),
    )
    # A deleted label stands in no issue, and its event may be left with no name at all.
    deleted = raw(labels(2, added=("waiting",)), labels(5, removed=("waiting",)), labels(6, removed=()), status=opened)
    for issue in (renamed, deleted):
        verdict = verdict_of(words.apply(issue), resolution(), 20)
        assert (verdict.status, [(pause.since, pause.until) for pause in verdict.pauses]) == (
            Status.RUNNING,
            [(at(2), at(5))],
        )


def test_same_label_added_and_removed_in_one_run() -> None:
    pack = build_pack(({"do": "label"}, {"do": "label", "clocks": ["resolution"], "statuses": ["overdue"]}))
    ours = "warranty::resolution::running"
    issue = build_issue(labels(1, added=(ours,), by=OWN), labels=frozenset({ours}))
    (change,) = (each.change for each in planned(issue, pack, at(50)).changes)
    assert described(change) == ("add label warranty::resolution::overdue", f"remove label {ours}")
    # In one instant, by others: what was put on and taken off is not there.
    blink = build_issue(labels(3, added=("vip",)), replace(labels(3, removed=("vip",)), id="labels-3b"))
    vip = resolution(goals=[{"when": {"label": "vip"}, "within": "1h"}, {"within": "48h"}])
    assert verdict_of(blink, vip, 40).due_at == at(48)


# ------------------------------------------------------------------------------------------------------ what we write


def test_escalation_levels_changed_mid_flight() -> None:
    def climbing(*levels: dict[str, str]) -> PolicyPack:
        return build_pack(({"do": "escalate", "clock": "resolution", "levels": list(levels)},))

    issue, before = build_issue(), climbing({"at": "50%", "tier": "L2"})
    for each in planned(issue, before, at(24)).changes:
        issue = applied(issue, each.change, at(24), HERE)
    after = climbing({"at": "40%", "tier": "L2"}, {"at": "60%", "tier": "L2"}, {"at": "100%", "tier": "L3"})
    assert not planned(issue, after, at(30)).changes
    assert {line for each in planned(issue, after, at(49)).changes for line in described(each.change)} == {
        "assign to eve",
        "add label warranty::tier::L3",
        "remove label warranty::tier::L2",
    }


def test_ten_runs_in_the_same_state_one_comment() -> None:
    pack = build_pack(({"do": "comment"},), resolution=RESOLUTION)
    issue, comments = build_issue(), 0
    for number in range(10):
        now = at(50 + number * 17)
        for each in planned(issue, pack, now).changes:
            comments += isinstance(each.change, UpsertComment)
            issue = applied(issue, each.change, now, HERE)
    assert (comments, len(issue.comments())) == (1, 1)


def test_an_issue_that_matches_no_goal_is_said_to_match_none() -> None:
    verdict = verdict_of(build_issue(), resolution(goals=[{"when": {"severity": "urgent"}, "within": "4h"}]), 5)
    assert (verdict.status, verdict.reason.code) == (Status.NOT_APPLICABLE, ReasonCode.NO_GOAL)
