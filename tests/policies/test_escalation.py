"""Escalation: where the levels of a ladder lie, which one fires, and that each fires once.

The first tests are named after the rules of escalation, one by one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from policies.actions import Situation, claims
from policies.changes import SetAssignee, UpsertComment, described
from policies.document import Paragraph
from policies.issue import Actor, AssigneeChanged, State
from policies.ladder import EscalationKey, Level
from policies.plan import HeldBackReason, Limits, Plan, plan
from policies.timeline import Kind, timeline
from policies.verdict import Judged, Status, judge
from tests.policies.applied_changes import applied
from tests.policies.build_issue import (
    AGENT,
    FIRST_RESPONSE,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    labels,
    severity,
    verdict_of,
)
from tests.policies.random_issues import issues

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policies.destination import Destination
    from policies.issue import Issue
    from policies.pack import PolicyPack

HERE = build_destination()
WAITING, WORK, RESOLVED = State.WAITING_FOR_CUSTOMER, State.IN_PROGRESS, State.RESOLVED
TICK = timedelta(microseconds=1)
DAY = 24.0


def ladder(*levels: Mapping[str, Any], clock: str = "resolution", **words: Any) -> dict[str, Any]:
    return {"do": "escalate", "clock": clock, "levels": list(levels), **words}


def climbing(*levels: Mapping[str, Any], within: str = "48h", **words: Any) -> PolicyPack:
    """A pack with one ladder on a resolution clock."""
    return build_pack((ladder(*levels),), resolution={**RESOLUTION, "goals": [{"within": within}], **words})


def reached(issue: Issue, pack: PolicyPack, hour: float) -> dict[str, float]:
    """Each threshold that is known, in hours after the Monday."""
    return {name: (when - at(0)) / timedelta(hours=1) for name, when in verdict_of(issue, pack, hour).thresholds}


def planned(issue: Issue, pack: PolicyPack, now: datetime, destination: Destination = HERE) -> Plan:
    judged = Judged(issue, judge(issue, pack, now))
    return plan([judged], [pack], {"here": destination}, limits=Limits(), now=now)


def lines(issue: Issue, pack: PolicyPack, hour: float, destination: Destination = HERE) -> list[str]:
    found = planned(issue, pack, at(hour), destination)
    return [line for each in found.changes for line in described(each.change)]


def after_a_run(issue: Issue, pack: PolicyPack, hour: float, destination: Destination = HERE) -> Issue:
    """The issue as the tracker shows it once a run at this hour has written all it wants."""
    for each in planned(issue, pack, at(hour), destination).changes:
        issue = applied(issue, each.change, at(hour), destination)
    return issue


def given_to(issue: Issue, account: str, hour: float) -> Issue:
    """A person gives the issue to somebody."""
    before = issue.assignee.id if issue.assignee else None
    event = AssigneeChanged(id=f"by-hand-{hour}", at=at(hour), actor=AGENT, before=before, after=account)
    return replace(issue.with_events(event), assignee=Actor(id=account))


SECOND = ["assign to bob", "add label warranty::tier::L2"]
THIRD = ["assign to eve", "add label warranty::tier::L3"]

# ---------------------------------------------------------------------------------------------------------- the rules


def test_levels_lie_at_a_share_of_the_goal_or_a_duration_before_or_after_due() -> None:
    pack = climbing({"at": "50%", "tier": "L2"}, {"before_due": "4h", "tier": "L2"}, {"after_due": "1h", "tier": "L3"})
    assert reached(build_issue(), pack, 0) == {"50%": 24, "75%": 36, "1h after due": 49, "4h before due": 44}


def test_a_level_says_who_which_tier_which_label_and_which_text() -> None:
    pack = build_pack(
        (
            ladder({"before_due": "4h", "tier": "L2", "text": {"en": "L2 calls back.", "zh": "由二线回电。"}}),
            {"do": "comment"},
        )
    )
    found = planned(build_issue(), pack, at(44))
    assert [line for line in lines(build_issue(), pack, 44) if not line.startswith("comment")] == SECOND
    (comment,) = (each.change for each in found.changes if isinstance(each.change, UpsertComment))
    paragraphs = [block.runs[0].text for block in comment.document.blocks if isinstance(block, Paragraph)]
    assert "resolution: escalated to L2. L2 calls back." in paragraphs


def test_the_key_of_a_level_is_issue_clock_cycle_and_level_and_every_change_bears_it() -> None:
    pack = climbing({"before_due": "4h", "tier": "L2"})
    situation = Situation(Judged(build_issue(), judge(build_issue(), pack, at(44))), pack, HERE, at(44))
    (claim,) = claims(situation)
    assert claim.key == EscalationKey("1", "resolution", 1, "4h before due")
    assert {each.because.rpartition(" [")[2] for each in planned(build_issue(), pack, at(44)).changes} == {
        "1/resolution/1/4h before due]"
    }


def test_a_level_fires_at_most_once_even_when_a_person_reassigns() -> None:
    pack = climbing({"at": "50%", "tier": "L2"})
    issue = after_a_run(build_issue(), pack, 24)
    assert issue.assignee == Actor(id="bob")
    again = given_to(issue, "amy", 25)
    assert lines(again, pack, 26) == []
    (held,) = planned(again, pack, at(26)).held_back
    assert (held.reason, held.detail) == (
        HeldBackReason.UNDONE_BY_HAND,
        "the assignee was changed by Amy on 2026-03-03",
    )


def test_what_a_person_in_the_tier_gave_away_is_not_fetched_back() -> None:
    pack = climbing({"at": "50%", "tier": "L2"})
    issue = after_a_run(build_issue(assignee=Actor(id="ben")), pack, 24)
    assert lines(given_to(issue, "amy", 25), pack, 26) == []


def test_a_late_run_fires_only_the_highest_level_reached() -> None:
    pack = climbing({"at": "50%", "tier": "L2"}, {"before_due": "4h", "tier": "L2"}, {"after_due": "1h", "tier": "L3"})
    assert lines(build_issue(), pack, 500) == THIRD
    assert lines(build_issue(), pack, 48.5) == SECOND
    because = {each.because for each in planned(build_issue(), pack, at(45)).changes}
    assert because == {"escalate: resolution is 4h before due [1/resolution/1/4h before due]"}


def test_a_paused_clock_fires_nothing_queued() -> None:
    pack = climbing({"before_due": "4h", "tier": "L2"}, {"after_due": "1h", "tier": "L3"})
    paused = build_issue(becomes(40, WAITING))
    assert [lines(paused, pack, hour) for hour in (44, 100, 500)] == [[], [], []]
    resumed = build_issue(becomes(40, WAITING), becomes(100, WORK, WAITING))
    assert [lines(resumed, pack, hour) for hour in (100, 103.9, 104, 109)] == [[], [], SECOND, THIRD]


def test_levels_changed_in_flight_never_fire_again_what_the_tracker_shows() -> None:
    before = climbing({"at": "50%", "tier": "L2"})
    issue = given_to(after_a_run(build_issue(), before, 24), "amy", 25)
    for changed in (
        climbing({"at": "60%", "tier": "L2"}),
        climbing({"before_due": "20h", "tier": "L2"}),
        climbing({"at": "10%", "tier": "L2"}, {"after_due": "1h", "tier": "L3"}),
    ):
        assert lines(issue, changed, 30) == []
    others = build_destination(tiers={"L2": "ben", "L3": "eve"})
    assert lines(issue, before, 30, others) == []
    assert lines(issue, climbing({"at": "60%", "tier": "L3"}), 30) == [
        "assign to eve",
        "add label warranty::tier::L3",
        "remove label warranty::tier::L2",
    ]


def test_a_tier_that_was_reached_is_not_taken_back_by_a_ladder_that_was_changed() -> None:
    issue = after_a_run(build_issue(), climbing({"at": "50%", "tier": "L3"}), 24)
    lower = climbing({"at": "25%", "tier": "L2"}, {"after_due": "9h", "tier": "L3"})
    assert lines(issue, lower, 30) == []
    assert lines(given_to(issue, "amy", 31), lower, 32) == []


def test_a_new_cycle_fires_its_levels_anew() -> None:
    pack = climbing({"at": "50%", "tier": "L2"}, reopen="new_cycle")
    first = given_to(after_a_run(build_issue(), pack, 24), "amy", 25)
    again = replace(first.with_events(becomes(30, RESOLVED), becomes(200, WORK, RESOLVED)), state=WORK)
    assert lines(again, pack, 223) == []
    assert lines(again, pack, 224) == ["assign to bob"]
    assert lines(given_to(after_a_run(again, pack, 224), "amy", 225), pack, 226) == []


# ------------------------------------------------------------------------------------------------ where the levels lie


def test_a_level_before_due_that_would_lie_before_the_start_fires_at_the_start() -> None:
    for before in ("48h", "60h", "900bh"):
        pack = climbing({"before_due": before, "tier": "L2"})
        assert reached(build_issue(), pack, 0)[f"{before} before due"] == 0
        assert lines(build_issue(), pack, 0) == SECOND


def test_working_hours_before_due_are_those_of_the_goals_calendar() -> None:
    pack = climbing({"before_due": "2bh", "tier": "L2"}, within="5bd")  # due Monday at nine: Friday at four, that is
    assert reached(build_issue(), pack, 0)["2bh before due"] == 4 * DAY + 7
    elapsed = climbing({"before_due": "2bh", "tier": "L2"}, within="24h")  # due Tuesday at nine
    assert reached(build_issue(), elapsed, 0)["2bh before due"] == 7


def test_days_before_due_are_refused_with_the_spellings_that_do() -> None:
    with pytest.raises(ValidationError, match="4h"):
        Level.model_validate({"before_due": "1bd", "tier": "L2"})


@pytest.mark.parametrize(
    "words", [{}, {"at": "50%", "before_due": "4h"}, {"at": "50%", "after_due": "1h"}, {"at": None}]
)
def test_exactly_one_place_is_named(words: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        Level.model_validate({"tier": "L2", **words})


def test_a_text_in_a_language_nobody_speaks_here_is_refused() -> None:
    with pytest.raises(ValidationError, match="text"):
        Level.model_validate({"at": "50%", "tier": "L2", "text": {"de": "Hallo"}})


@pytest.mark.parametrize(("after", "hour"), [("1h", 49), ("2bh", 50), ("1bd", 72), ("30m", 48.5)])
def test_levels_after_due_count_from_the_due_instant_on_the_goals_calendar(after: str, hour: float) -> None:
    pack = climbing({"after_due": after, "tier": "L3"})
    assert reached(build_issue(), pack, 0)[f"{after} after due"] == hour
    assert [lines(build_issue(), pack, when) for when in (hour - 0.01, hour)] == [[], THIRD]


def test_working_hours_after_due_wait_for_the_opening() -> None:
    # Due on Saturday at nine; the first working hour ends on Monday at ten.
    assert (
        reached(build_issue(), climbing({"after_due": "1bh", "tier": "L3"}, within="120h"), 0)["1bh after due"]
        == 7 * DAY + 1
    )


def test_pauses_ahead_of_due_move_what_lies_after_it_and_pauses_behind_it_do_not() -> None:
    pack = climbing({"after_due": "1h", "tier": "L3"})
    ahead = build_issue(becomes(10, WAITING), becomes(20, WORK, WAITING))
    assert reached(ahead, pack, 30)["1h after due"] == 59
    behind = build_issue(becomes(48.5, WAITING), becomes(60, WORK, WAITING))
    assert reached(behind, pack, 70)["1h after due"] == 49
    assert lines(build_issue(becomes(48.5, WAITING)), pack, 49) == THIRD


def test_a_pause_behind_a_level_before_due_does_not_move_it_and_one_ahead_of_it_does() -> None:
    pack = climbing({"before_due": "4h", "tier": "L2"})
    ahead = build_issue(becomes(10, WAITING), becomes(20, WORK, WAITING))
    assert reached(ahead, pack, 30)["4h before due"] == 54
    behind = build_issue(becomes(45, WAITING), becomes(50, WORK, WAITING))
    assert reached(behind, pack, 50)["4h before due"] == 44
    at_it = build_issue(becomes(44, WAITING), becomes(50, WORK, WAITING))
    assert reached(at_it, pack, 50)["4h before due"] == 44


def test_a_pause_that_swallows_the_instant_without_using_working_time_ends_in_the_level() -> None:
    # Due on Monday at nine, so 4h before lies on Monday at five; the pause from Sunday on uses no working time.
    pack = climbing({"before_due": "4h", "tier": "L2"}, within="5bd")
    issue = build_issue(becomes(6 * DAY, WAITING), becomes(7 * DAY - 1, WORK, WAITING))
    assert verdict_of(issue, pack, 7 * DAY - 1).due_at == at(7 * DAY)
    assert reached(issue, pack, 7 * DAY)["4h before due"] == 7 * DAY - 1


def test_behind_an_open_pause_no_level_is_known() -> None:
    pack = climbing({"before_due": "4h", "tier": "L2"}, {"after_due": "1h", "tier": "L3"})
    assert reached(build_issue(becomes(40, WAITING)), pack, 100) == {"75%": 36}
    assert reached(build_issue(becomes(45, WAITING)), pack, 100) == {"75%": 36, "4h before due": 44}


def test_a_pause_that_takes_over_from_another_lets_no_level_through_in_between() -> None:
    # As above, but the pause ends in another one, at the very instant that the level would be reached.
    pack = climbing({"before_due": "4h", "tier": "L2"}, within="5bd")
    handover = 7 * DAY - 4
    issue = build_issue(becomes(6 * DAY, WAITING), becomes(handover, State.WAITING_FOR_THIRD_PARTY, WAITING))
    assert list(reached(issue, pack, handover)) == list(reached(issue, pack, handover + 1)) == ["75%"]


def test_a_goal_given_in_a_pause_that_began_when_it_is_due_has_its_level_ahead_of_that_pause() -> None:
    goals = [{"when": {"severity": "high"}, "within": "20bh"}, {"within": "5bd"}]
    pack = climbing({"before_due": "1h", "tier": "L2"}, goals=goals, on_retarget="from_start")
    paused = 2 * DAY + 5
    issue = build_issue(becomes(paused, WAITING), severity(7 * DAY + 0.5, "high", "normal"), severity="high")
    for hour in (7 * DAY + 0.5, 8 * DAY, 9 * DAY):
        assert verdict_of(issue, pack, hour).due_at == at(paused)
        assert reached(issue, pack, hour)["1h before due"] == paused - 1, "whenever it is asked"


def test_the_next_change_is_the_next_level_of_whatever_sort() -> None:
    pack = climbing({"before_due": "4h", "tier": "L2"}, {"after_due": "1h", "tier": "L3"})
    found = [verdict_of(build_issue(), pack, hour).next_change_at for hour in (36, 44, 48.5, 49)]
    assert found == [at(44), at(48) + TICK, at(49), None]


def test_of_two_levels_of_one_instant_the_one_written_last_is_taken() -> None:
    pack = climbing({"before_due": "90h", "tier": "L2"}, {"before_due": "60h", "tier": "L3"})
    assert lines(build_issue(), pack, 1) == THIRD


def test_of_several_ladders_the_highest_tier_is_assigned_and_nobody_twice() -> None:
    pack = build_pack(
        (
            ladder({"before_due": "47h", "tier": "L2"}),
            ladder({"after_due": "1h", "tier": "L3"}, clock="first_response"),
        ),
        first_response=FIRST_RESPONSE,
        resolution=RESOLUTION,
    )
    assert lines(build_issue(), pack, 2) == SECOND
    assert lines(build_issue(), pack, 26) == THIRD


def test_a_label_that_a_person_took_off_stays_off_and_the_level_stays_fired() -> None:
    pack = climbing({"at": "50%", "tier": "L2"})
    issue = given_to(after_a_run(build_issue(), pack, 24), "amy", 25)
    off = labels(25, removed=("warranty::tier::L2",))
    assert lines(replace(issue.with_events(off), labels=frozenset()), pack, 26) == []


def test_a_tracker_without_an_account_for_the_tier_gets_the_label() -> None:
    pack = climbing({"after_due": "1h", "tier": "L3"})
    assert lines(build_issue(), pack, 50, build_destination(tiers={}, tier_accounts={})) == [THIRD[1]]


def test_the_text_of_a_level_goes_when_the_clock_stops_and_changes_by_nothing_else() -> None:
    words = {"text": {"en": "Call back.", "zh": "请回电。"}}
    pack = build_pack((ladder({"before_due": "4h", "tier": "L2", **words}), {"do": "comment"}))

    def said(issue: Issue, hour: float) -> str:
        found = planned(issue, pack, at(hour)).changes
        return next((str(each.change.document) for each in found if isinstance(each.change, UpsertComment)), "")

    assert "Call back." not in said(build_issue(), 43.9)
    assert said(build_issue(), 44) == said(build_issue(), 47)
    told = after_a_run(build_issue(), pack, 44)
    assert "Call back." not in said(replace(told.with_events(becomes(46, RESOLVED)), state=RESOLVED), 47)
    chinese = planned(build_issue(), pack, at(44), build_destination(phrases=_chinese()))
    assert any("请回电。" in str(each.change) for each in chinese.changes)


def _chinese() -> Any:
    from policies.loader import load_phrases

    return load_phrases("zh")


def test_explain_shows_each_level_reached_with_its_instant() -> None:
    pack = climbing({"at": "50%", "tier": "L2"}, {"after_due": "1h", "tier": "L3"})

    def told(issue: Issue, hour: float) -> list[tuple[datetime, str]]:
        return [(each.at, each.text) for each in timeline(issue, pack, at(hour)) if each.kind is Kind.LEVEL]

    second, third = (at(24), "escalation: 50%, L2 takes over"), (at(49), "escalation: 1h after due, L3 takes over")
    assert told(build_issue(), 23) == []
    assert told(build_issue(), 40) == [second]
    assert told(build_issue(), 60) == [second, third]
    assert told(build_issue(becomes(30, RESOLVED)), 60) == [second]
    assert told(build_issue(becomes(30, State.CANCELLED)), 60) == [second]


def test_explain_keeps_the_ladders_of_several_clocks_apart() -> None:
    pack = build_pack(
        (ladder({"at": "50%", "tier": "L2"}), ladder({"at": "50%", "tier": "L2"}, clock="first_response")),
        first_response=FIRST_RESPONSE,
        resolution=RESOLUTION,
    )
    told = [(each.clock, each.at) for each in timeline(build_issue(), pack, at(30)) if each.kind is Kind.LEVEL]
    assert told == [("first_response", at(12)), ("resolution", at(24))]


def test_a_clock_that_has_not_started_or_was_not_judged_has_reached_nothing() -> None:
    pack = build_pack(
        (ladder({"before_due": "90h", "tier": "L2", "text": {"en": "Hurry."}}), {"do": "comment"}),
        resolution={**RESOLUTION, "start": {"label": "accepted"}},
    )
    assert lines(build_issue(), pack, 500) == []
    unjudged = plan([Judged(build_issue(), ())], [pack], {"here": HERE}, limits=Limits(), now=at(500))
    assert unjudged.changes == ()


# --------------------------------------------------------------------------------------------- for every history

_DURATIONS = st.sampled_from(("1h", "4h", "30h", "200h", "2bh", "20bh"))
_LEVELS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"at": st.sampled_from(("10%", "50%", "100%", "150%"))}),
        st.fixed_dictionaries({"before_due": _DURATIONS}),
        st.fixed_dictionaries({"after_due": st.one_of(_DURATIONS, st.sampled_from(("1bd", "3bd")))}),
    ),
    min_size=1,
    max_size=4,
)
_NOWS = st.integers(0, 24 * 30 * 2).map(lambda halves: at(halves / 2))


@st.composite
def climbing_packs(draw: st.DrawFn) -> PolicyPack:
    """One clock with levels of every sort, pauses that may be forgotten, and every way to reopen and retarget."""
    longest = draw(st.sampled_from((None, "10h", "6bh", "2bd")))
    rules = [{**rule, "longest": longest} for rule in RESOLUTION["pause"]]
    clock = {
        **RESOLUTION,
        "pause": rules,
        "goals": [{"when": {"severity": "high"}, "within": "20bh"}, {"within": draw(st.sampled_from(("48h", "5bd")))}],
        "reopen": draw(st.sampled_from(("resume", "new_cycle", "ignore"))),
        "on_retarget": draw(st.sampled_from(("from_start", "from_change", "from_start_with_floor"))),
    }
    levels = [
        {**level, "tier": draw(st.sampled_from(("L2", "L3"))), "text": {"en": f"level {number}"}}
        for number, level in enumerate(draw(_LEVELS))
    ]
    actions = (ladder(*levels, forgotten_pause={"tier": "L2"}), {"do": "comment"}, {"do": "label"})
    return build_pack(actions, resolution=clock)


@settings(max_examples=200, deadline=None)
@given(issues(), climbing_packs(), _NOWS, st.floats(0.001, 0.999), st.sampled_from((None, 60.0, 200.0)))
def test_until_the_next_change_nothing_is_planned_anew_and_then_something_is_reached(
    issue: Issue, pack: PolicyPack, now: datetime, share: float, adopted: float | None
) -> None:
    destination = build_destination(adopted_at=at(adopted) if adopted is not None else None)
    now = max(now, issue.events[-1].at)
    if adopted is not None:
        now = max(now, at(adopted))

    def wanted(instant: datetime) -> tuple[Any, Any]:
        found = planned(issue, pack, instant, destination)
        return [each.change for each in found.changes], [(h.change, h.reason) for h in found.held_back]

    def said(instant: datetime) -> list[Any]:
        return [
            (v.status, v.reason, {name for name, when in v.thresholds if when <= instant and not v.status.final})
            for v in judge(issue, pack, instant)
        ]

    coming = min((v.next_change_at for v in judge(issue, pack, now) if v.next_change_at is not None), default=None)
    for instant in [now + ((coming or now + timedelta(days=90)) - now) * share, *([coming - TICK] if coming else [])]:
        if coming is None or instant < coming:
            assert said(instant) == said(now)
            assert wanted(instant) == wanted(now)
    if coming is not None:
        assert coming > now
        assert said(coming) != said(now)


@settings(max_examples=150, deadline=None)
@given(issues(), climbing_packs(), st.lists(st.integers(1, 90), min_size=2, max_size=5))
def test_whatever_runs_come_when_each_tier_is_assigned_once_in_a_cycle(
    issue: Issue, pack: PolicyPack, gaps: list[int]
) -> None:
    now = issue.events[-1].at
    given_out: set[tuple[int, str]] = set()
    for gap in gaps:
        now += timedelta(hours=gap)
        cycle = verdict_of(issue, pack, (now - at(0)) / timedelta(hours=1)).cycle
        for each in planned(issue, pack, now).changes:
            if isinstance(each.change, SetAssignee) and "forgotten" not in each.because:
                assert (cycle, each.change.account) not in given_out
                given_out.add((cycle, each.change.account))
            issue = applied(issue, each.change, now, HERE)
        issue = given_to(issue, "amy", (now - at(0)) / timedelta(hours=1) + 0.5)
        now += timedelta(hours=0.5)


@settings(max_examples=150, deadline=None)
@given(issues(), climbing_packs(), _NOWS)
def test_levels_before_due_lie_between_the_start_and_due_and_levels_after_it_behind_it(
    issue: Issue, pack: PolicyPack, now: datetime
) -> None:
    for verdict in judge(issue, pack, now):
        for name, when in verdict.thresholds:
            assert verdict.started_at is not None
            assert verdict.due_at is not None
            if name.endswith("before due"):
                assert verdict.started_at <= when <= verdict.due_at
            elif name.endswith("after due"):
                assert when >= verdict.due_at
            if verdict.status is Status.PAUSED:
                assert when <= now


_SPELLS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=4)


def waiting_in(spells: list[tuple[int, int]]) -> Issue:
    """An issue that waits for the supplier in these spells of hours, merged where they touch."""
    supplier = State.WAITING_FOR_THIRD_PARTY
    waits = {hour for since, length in spells for hour in range(since, since + length)}
    events: list[Any] = [becomes(hour, supplier, WORK) for hour in sorted(waits) if hour - 1 not in waits]
    events += [becomes(hour + 1, WORK, supplier) for hour in sorted(waits) if hour + 1 not in waits]
    return build_issue(*events)


@settings(max_examples=150, deadline=None)
@given(
    _SPELLS,
    st.tuples(st.integers(0, 200), st.integers(1, 60)),
    st.sampled_from(("48h", "30bh", "5bd")),
    _DURATIONS,
)
def test_a_further_pause_never_hastens_a_level(
    spells: list[tuple[int, int]], more: tuple[int, int], within: str, left: str
) -> None:
    pack = climbing({"before_due": left, "tier": "L2"}, {"after_due": left, "tier": "L3"}, within=within)
    before, after = (dict(verdict_of(waiting_in(each), pack, 1000).thresholds) for each in (spells, [*spells, more]))
    assert all(after[name] >= instant for name, instant in before.items())
