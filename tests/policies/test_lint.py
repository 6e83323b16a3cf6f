"""The linter finds each contradiction, and says nothing of a pack that only looks like one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import lint_ladders
from policies.business_calendar import BusinessCalendar
from policies.conditions import Condition
from policies.duration import parse_duration
from policies.fact_space import MOST, WORDS, FactSpace, TooLarge, conditions_in, words_in
from policies.finding import Finding, Rule, Weight, dotted, spelled
from policies.issue import State
from policies.kpi import Bound, Count, Kpi, Share
from policies.ladder import Level
from policies.lint import lint
from policies.loader import load_pack, shipped_packs
from policies.local_span import hours
from policies.pace import Pace, Slower, compare, starts_in, within
from policies.pack import PolicyPack
from policies.vocabulary import Vocabulary
from tests.policies.build_issue import RESOLUTION, build_pack, office
from tests.policies.random_issues import packs

if TYPE_CHECKING:
    from collections.abc import Mapping

HORIZON = (date(2026, 3, 1), date(2026, 12, 31))
URGENT, HIGH, NORMAL = ({"severity": word} for word in ("urgent", "high", "normal"))
ANSWER: Mapping[str, Any] = {"stop": "first_response"}
FIX: Mapping[str, Any] = {"stop": {"state": ["resolved", "closed"]}}


def found(pack: PolicyPack, rule: Rule | None = None, **more: Any) -> tuple[Finding, ...]:
    """The findings of one rule, or all of them."""
    return tuple(each for each in lint(pack, horizon=HORIZON, **more) if rule in {None, each.rule})


def one(pack: PolicyPack, rule: Rule, **more: Any) -> Finding:
    """The one finding of a rule."""
    (finding,) = found(pack, rule, **more)
    assert finding.why
    assert finding.mend
    return finding


def answered(*goals: Mapping[str, Any], **more: Any) -> PolicyPack:
    return build_pack(answer={**ANSWER, "goals": list(goals), **more})


def with_kpi(pack: PolicyPack, **kpis: Mapping[str, Any]) -> PolicyPack:
    shape = pack.model_dump(mode="json", by_alias=True, exclude_none=True)
    return PolicyPack.model_validate({**shape, "kpis": kpis}).with_calendars({"office": office()})


def with_actions(*actions: Mapping[str, Any], **clocks: Mapping[str, Any]) -> PolicyPack:
    return build_pack(actions, **clocks)


def escalate(*levels: tuple[str, str]) -> PolicyPack:
    rungs = [{"at": at, "tier": tier} for at, tier in levels]
    return with_actions({"do": "escalate", "clock": "resolution", "levels": rungs})


# ------------------------------------------------------------------------------------------------- a pack that is fine

SOUND = {
    "id": "sound",
    "version": 1,
    "calendar": "office",
    "severities": ["urgent", "high", "normal"],
    "categories": ["defect", "performance", "security"],
    "clocks": {
        "first_response": {**ANSWER, "reopen": "ignore", "goals": [{"within": "24h"}]},
        "answer": {
            "stop": {"state": ["accepted", "in_progress", "resolved", "closed"]},
            "goals": [
                {"when": {"category": "performance", "severity": ["urgent", "high"]}, "within": "24h"},
                {"when": {"category": "performance"}, "within": "24h"},
                {"when": {"severity": ["urgent", "high"]}, "within": "48h"},
                {"within": "5bd", "until": "close_of_business"},
            ],
        },
        "fix": {
            **RESOLUTION,
            "goals": [
                {"when": {"severity": "urgent", "label": "vip"}, "within": "48h"},
                {"when": {"severity": ["urgent", "high"]}, "within": "72h"},
                {"within": "10bd", "until": "close_of_business"},
            ],
        },
        "patch_release": {"stop": "patch_released", "start": "accepted", "goals": [{"within": "30bd"}]},
    },
    "actions": [
        {"do": "priority", "when": {"category": "security"}, "at_least": "high"},
        {"do": "due_date", "clock": "fix"},
        {"do": "escalate", "clock": "fix", "levels": [{"at": "75%", "tier": "L2"}, {"at": "150%", "tier": "L3"}]},
        {"do": "escalate", "clock": "first_response", "levels": [{"at": "100%", "tier": "L2"}]},
        {"do": "link_patch"},
        {"do": "comment"},
        {"do": "label"},
        {"do": "report"},
    ],
    "kpis": {
        "answered": {"of": "first_response", "within": "24h", "share": ">= 80%", "review": "each quarter"},
        "fixed": {"of": "fix", "share": ">= 95%", "review": "quarter"},
        "satisfied": {"of": "measured_elsewhere", "share": ">= 90%", "review": "quarter"},
        "defective": {"of": "measured_elsewhere", "share": "<= 5%", "review": "month"},
        "trained": {"of": "measured_elsewhere", "count": ">= 3", "review": "year"},
    },
}


def sound() -> PolicyPack:
    return PolicyPack.model_validate(SOUND).with_calendars({"office": office()})


def test_a_sound_pack_gives_nothing() -> None:
    assert found(sound()) == ()


def test_a_sound_pack_at_a_site_that_says_all_its_words_gives_nothing() -> None:
    words = Vocabulary(
        states={f"status {state.value}": state for state in State},
        severities={"P1": "urgent", "P2": "high", "label:p3": "normal"},
        categories={"type:Bug": "defect", "label:slow": "performance", "label:cve": "security"},
    )
    assert found(sound(), vocabularies={"north": words}, tiers={"north": ("L1", "L2", "L3")}, labels=("vip",)) == ()


# --------------------------------------------------------------------------------------- the naive reading, in one table

NAIVE = {
    "id": "naive",
    "version": 1,
    "calendar": "office",
    "severities": ["urgent", "high", "normal"],
    "categories": ["defect"],
    "clocks": {
        "response": {
            **ANSWER,
            "goals": [
                {"within": "24h"},
                {"when": URGENT, "within": "48h"},
                {"when": NORMAL, "within": "72h"},
                {"when": NORMAL, "within": "5bd", "until": "close_of_business"},
            ],
        },
        "fix": {
            **FIX,
            "goals": [{"when": HIGH, "within": "48h"}, {"when": URGENT, "within": "72h"}, {"within": "10bd"}],
        },
    },
    "kpis": {"answered": {"of": "response", "within": "24h", "share": ">= 80%", "review": "quarter"}},
}


def naive(**response: Any) -> PolicyPack:
    shape = {**NAIVE, "clocks": {**NAIVE["clocks"], "response": {**ANSWER, **response}}} if response else NAIVE  # type: ignore[dict-item]  # a literal
    return PolicyPack.model_validate(shape).with_calendars({"office": office()})


def test_the_naive_reading_all_first_shadows_urgent_and_both_promises_to_normal() -> None:
    shadowed = found(naive(), Rule.UNREACHABLE_GOAL)
    assert [dotted(each.where) for each in shadowed] == [f"clocks.response.goals[{n}]" for n in (1, 2, 3)]
    assert {each.weight for each in shadowed} == {Weight.ERROR}
    assert "48h for {severity: urgent} is never promised: goals[0] (24h for all issues)" in shadowed[0].why
    assert "48h is the longer promise, and would be due later than 24h" in shadowed[0].why
    (twice,) = found(naive(), Rule.TWO_RULES)
    assert "{severity: normal} is promised 72h by goals[2] and 5bd until close_of_business by goals[3]" in twice.why
    assert twice.weight is Weight.ERROR


def test_the_naive_reading_urgent_first_waits_longer_than_all_and_normal_has_two_promises() -> None:
    pack = naive(
        goals=[
            {"when": URGENT, "within": "48h"},
            {"when": NORMAL, "within": "72h"},
            {"when": NORMAL, "within": "5bd", "until": "close_of_business"},
            {"within": "24h"},
        ]
    )
    slower = [each for each in found(pack, Rule.GRAVER_IS_SLOWER) if each.where[1] == "response"]
    assert "severity urgent is promised 48h by goals[0]; were it only high, 24h by goals[3]" in slower[0].why
    assert slower[0].weight is Weight.ERROR
    (twice,) = found(pack, Rule.UNREACHABLE_GOAL)
    assert "5bd until close_of_business" in twice.why
    assert "goals[1] (72h for {severity: normal})" in twice.why
    (kpi,) = [each for each in found(pack, Rule.KPI) if "severity urgent" in each.why]
    assert ">= 80% within 24h" in kpi.why
    assert "48h" in kpi.why


def test_the_naive_reading_in_two_clocks_on_one_reply_is_two_rules_for_one_issue() -> None:
    pack = build_pack(
        received={**ANSWER, "goals": [{"within": "24h"}]},
        response={**ANSWER, "goals": [{"when": URGENT, "within": "48h"}, {"when": NORMAL, "within": "5bd"}]},
    )
    told = found(pack, Rule.TWO_RULES)
    assert [dotted(each.where) for each in told] == ["clocks.response.goals[0]", "clocks.response.goals[1]"]
    assert "received promises 24h and response 48h" in told[0].why


def test_the_naive_reading_fixes_urgent_later_than_high() -> None:
    (finding,) = [each for each in found(naive(), Rule.GRAVER_IS_SLOWER) if each.where[1] == "fix"]
    assert "urgent is promised 72h by goals[1]; were it only high, 48h by goals[0]: the graver is always" in finding.why


# ---------------------------------------------------------------------------------------------------------- the goals


def test_a_graver_severity_that_is_slower_in_one_category_is_found_with_the_category() -> None:
    pack = answered(
        {"when": URGENT, "within": "48h"},
        {"when": {"category": "security"}, "within": "24h"},
        {"within": "5bd"},
    )
    finding = one(pack, Rule.GRAVER_IS_SLOWER)
    assert "severity urgent, category security is promised 48h by goals[0]; were it only high, 24h" in finding.why


def test_a_graver_severity_that_is_slower_only_from_some_starts_is_a_warning_with_an_example() -> None:
    finding = one(answered({"when": URGENT, "within": "72h"}, {"within": "2bd"}), Rule.GRAVER_IS_SLOWER)
    assert finding.weight is Weight.WARNING
    assert "sometimes due later (begun " in finding.why


def test_a_graver_severity_that_is_as_fast_or_faster_is_no_finding() -> None:
    assert not found(answered({"when": URGENT, "within": "8bh"}, {"within": "1bd"}), Rule.GRAVER_IS_SLOWER)
    assert not found(answered({"when": URGENT, "within": "24h"}, {"within": "24h"}), Rule.GRAVER_IS_SLOWER)
    assert not found(answered({"when": {"label": "vip"}, "within": "4h"}, {"within": "24h"}), Rule.GRAVER_IS_SLOWER)


def test_a_graver_severity_is_compared_within_the_same_category_only() -> None:
    pack = answered(
        {"when": {"category": "security"}, "within": "4h"}, {"when": URGENT, "within": "8h"}, {"within": "24h"}
    )
    assert not found(pack, Rule.GRAVER_IS_SLOWER)


def test_a_goal_below_a_wider_one_is_never_reached() -> None:
    finding = one(
        answered({"when": {"severity": ["urgent", "high"]}, "within": "8h"}, {"when": HIGH, "within": "4h"}),
        Rule.UNREACHABLE_GOAL,
    )
    assert finding.where == ("clocks", "answer", "goals", 1)
    assert "above goals[0]" in finding.mend


def test_a_goal_below_several_that_cover_it_together_is_never_reached() -> None:
    pack = answered(
        {"when": {"category": "defect"}, "within": "8h"},
        {"when": {"not": {"category": "defect"}}, "within": "9h"},
        {"when": URGENT, "within": "4h"},
    )
    finding = one(pack, Rule.UNREACHABLE_GOAL)
    assert "goals[0]" in finding.why
    assert "goals[1]" in finding.why


def test_an_unreachable_goal_that_promises_the_same_is_only_a_warning() -> None:
    finding = one(answered({"within": "8h"}, {"when": URGENT, "within": "8h"}), Rule.UNREACHABLE_GOAL)
    assert finding.weight is Weight.WARNING


def test_a_last_goal_for_all_the_rest_is_reached_by_issues_without_a_severity() -> None:
    pack = answered(
        {"when": URGENT, "within": "4h"},
        {"when": HIGH, "within": "8h"},
        {"when": NORMAL, "within": "24h"},
        {"within": "24h"},
    )
    assert not found(pack)


def test_goals_that_cross_are_two_rules_and_only_their_order_decides() -> None:
    pack = answered(
        {"when": {"category": "security"}, "within": "8h"},
        {"when": HIGH, "within": "6h"},
        {"within": "24h"},
    )
    finding = one(pack, Rule.TWO_RULES)
    assert finding.weight is Weight.WARNING
    assert "severity high, category security is promised 8h by goals[0]" in finding.why
    assert "6h by goals[1]" in finding.why


@pytest.mark.parametrize(
    "goals",
    [
        # an exception above the rule
        ({"when": {"severity": "urgent", "category": "security"}, "within": "2h"}, {"when": URGENT, "within": "8h"}),
        # they cross and promise the same
        ({"when": {"category": "security"}, "within": "8h"}, {"when": URGENT, "within": "8h"}),
        # a third goal above both says which is meant
        (
            {"when": {"severity": "urgent", "category": "security"}, "within": "2h"},
            {"when": {"category": "security"}, "within": "8h"},
            {"when": URGENT, "within": "4h"},
        ),
        # they never meet
        ({"when": URGENT, "within": "4h"}, {"when": HIGH, "within": "8h"}),
    ],
    ids=["exception", "same promise", "said above", "apart"],
)
def test_goals_whose_order_is_meant_are_no_two_rules(goals: tuple[Mapping[str, Any], ...]) -> None:
    assert not found(answered(*goals, {"within": "9h"}), Rule.TWO_RULES)


def test_an_answer_promised_after_the_fix_is_found_for_the_issues_it_is_so_for() -> None:
    pack = build_pack(
        answer={**ANSWER, "goals": [{"when": URGENT, "within": "24h"}, {"within": "24h"}]},
        fix={**FIX, "goals": [{"when": URGENT, "within": "8h"}, {"within": "48h"}]},
    )
    finding = one(pack, Rule.RESPONSE_AFTER_FIX)
    assert finding.where == ("clocks", "answer", "goals", 0)
    assert finding.weight is Weight.ERROR
    assert "severity urgent: answer is promised within 24h, fix within 8h" in finding.why


def test_an_answer_that_is_later_only_over_a_weekend_is_a_warning() -> None:
    pack = build_pack(answer={**ANSWER, "goals": [{"within": "1bd"}]}, fix={**FIX, "goals": [{"within": "48h"}]})
    assert one(pack, Rule.RESPONSE_AFTER_FIX).weight is Weight.WARNING


def test_beginning_to_work_is_an_answer_and_a_published_release_is_a_fix() -> None:
    pack = build_pack(
        begun={"stop": {"not": {"state": "open"}}, "goals": [{"within": "72h"}]},
        patched={"stop": "patch_released", "goals": [{"within": "48h"}]},
    )
    assert one(pack, Rule.RESPONSE_AFTER_FIX).where == ("clocks", "begun", "goals", 0)


@pytest.mark.parametrize(
    "other",
    [
        {"stop": {"state": "resolved"}, "start": "accepted", "goals": [{"within": "4h"}]},
        {"stop": {"label": "plan-delivered"}, "goals": [{"within": "4h"}]},
        {"stop": {"state": "resolved"}, "goals": [{"when": URGENT, "within": "30h"}, {"within": "24h"}]},
    ],
    ids=["another start", "neither answer nor fix", "not after it"],
)
def test_an_answer_in_time_or_beside_another_thing_is_no_finding(other: Mapping[str, Any]) -> None:
    pack = build_pack(answer={**ANSWER, "goals": [{"within": "24h"}]}, other=other)
    assert not found(pack, Rule.RESPONSE_AFTER_FIX)


def test_two_clocks_on_one_event_that_promise_the_same_are_no_two_rules() -> None:
    goals = [{"within": "24h"}]
    assert not found(build_pack(one={**ANSWER, "goals": goals}, two={**ANSWER, "goals": goals}), Rule.TWO_RULES)


# --------------------------------------------------------------------------------------------------------- the clocks


def test_a_condition_that_no_issue_can_meet_is_found_wherever_it_stands() -> None:
    never = {"all": [{"severity": "urgent"}, {"severity": "high"}]}
    pack = with_actions(
        {"do": "priority", "when": {"label": "a", "not": {"label": ["a", "b"]}}, "at_least": "high"},
        answer={
            **ANSWER,
            "pause": [{"when": {"type": "Bug", "not": {"type": "Bug"}}, "reason": "never"}],
            "goals": [{"when": never, "within": "4h"}, {"within": "24h"}],
        },
    )
    assert {dotted(each.where) for each in found(pack, Rule.NEVER_TRUE)} == {
        "clocks.answer.goals[0].when",
        "clocks.answer.pause[0].when",
        "actions[0].when",
    }


def test_of_a_condition_that_can_never_hold_the_parts_are_not_told_again() -> None:
    never = {"severity": "urgent", "not": URGENT, "any": [{"label": "a"}, {"all": [URGENT, HIGH]}]}
    assert one(answered({"when": never, "within": "4h"}), Rule.NEVER_TRUE).where[-1] == "when"


def test_an_alternative_that_can_never_hold_beside_one_that_can_is_a_warning() -> None:
    finding = one(answered({"when": {"any": [URGENT, {"all": [URGENT, HIGH]}]}, "within": "4h"}), Rule.NEVER_TRUE)
    assert finding.where == ("clocks", "answer", "goals", 0, "when", "any", 1)
    assert finding.weight is Weight.WARNING


def test_conditions_that_something_can_meet_are_no_finding() -> None:
    pack = answered(
        {"when": {"all": [{"label": "a"}, {"label": "b"}]}, "within": "4h"},
        {"when": {"type": "Bug", "not": {"type": "Task"}}, "within": "5h"},
        {"when": {"not": {"reporter": "jane"}}, "within": "6h"},
        {"when": {"priority": "P1", "component": ["core", "ui"]}, "within": "7h"},
    )
    assert not found(pack, Rule.NEVER_TRUE)


def test_a_clock_that_stops_as_it_starts_never_runs() -> None:
    pack = build_pack(
        accepted={"start": "accepted", "stop": {"not": {"state": "open"}}, "goals": [{"within": "4h"}]},
        opened={"stop": {"state": ["open", "resolved"]}, "goals": [{"within": "4h"}]},
        flagged={"start": {"label": "vip"}, "stop": {"label": ["vip", "done"]}, "goals": [{"within": "4h"}]},
        fine={"start": "accepted", "stop": {"state": "resolved"}, "goals": [{"within": "4h"}]},
        labelled={"stop": {"label": "planned"}, "goals": [{"within": "4h"}]},
    )
    stopped = {each.where[1] for each in found(pack, Rule.NEVER_RUNS)}
    assert stopped == {"accepted", "opened", "flagged"}


def test_a_pause_behind_the_stop_is_an_error_and_one_that_is_so_in_one_state_a_warning() -> None:
    def paused(when: Mapping[str, Any]) -> PolicyPack:
        return build_pack(fix={**FIX, "pause": [{"when": when, "reason": "waits"}], "goals": [{"within": "4h"}]})

    behind = one(paused({"state": "resolved", "label": "vip"}), Rule.PAUSE_ON_STOP)
    assert behind.weight is Weight.ERROR
    assert behind.where == ("clocks", "fix", "pause", 0, "when")
    partly = one(paused({"state": ["waiting_for_customer", "resolved"]}), Rule.PAUSE_ON_STOP)
    assert partly.weight is Weight.WARNING
    assert "in resolved the clock pauses and stops" in partly.why
    assert not found(paused({"state": "waiting_for_customer"}), Rule.PAUSE_ON_STOP)
    assert not found(paused({"label": "parked"}), Rule.PAUSE_ON_STOP)
    assert not found(paused({"not": {"state": "in_progress"}}), Rule.PAUSE_ON_STOP)


def holidays_through(last: date | None, first: date | None = None) -> BusinessCalendar:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), hours("09:00-17:00"))
    return BusinessCalendar(id="office", zone="Europe/Berlin", weekly=week, valid_from=first, valid_through=last)  # type: ignore[arg-type]  # literal keys


@pytest.mark.parametrize(
    ("through", "since", "weight"),
    [
        (date(2025, 12, 31), None, Weight.ERROR),
        (date(2026, 12, 31), None, Weight.WARNING),
        (date(2027, 1, 10), None, Weight.WARNING),
        (date(2027, 12, 31), None, None),
        (None, date(2026, 6, 1), Weight.WARNING),
        (None, date(2026, 1, 1), None),
        (None, None, None),
    ],
)
def test_a_calendar_must_know_the_days_until_the_last_goal_is_due(
    through: date | None, since: date | None, weight: Weight | None
) -> None:
    pack = answered({"within": "10bd"}).with_calendars({"office": holidays_through(through, since)})
    told = found(pack, Rule.CALENDAR_YEARS)
    assert [each.weight for each in told] == ([weight] if weight else [])
    assert all(each.where == ("calendar",) for each in told)


def test_a_calendar_that_no_goal_counts_on_needs_no_years() -> None:
    pack = answered({"within": "24h"}).with_calendars({"office": holidays_through(date(2020, 1, 1))})
    assert not found(pack, Rule.CALENDAR_YEARS)


def test_a_goal_of_a_century_needs_more_years_than_any_calendar_knows_and_breaks_nothing() -> None:
    pack = answered({"when": URGENT, "within": "36500bd"}, {"within": "800000bh"})
    far = pack.with_calendars({"office": holidays_through(date(2027, 1, 1))})
    assert "is due as late as 9999-12-31" in one(far, Rule.CALENDAR_YEARS).why


def test_working_time_on_a_calendar_that_never_closes_is_found() -> None:
    plain = {"id": "plain", "version": 1, "clocks": {"answer": {**ANSWER, "goals": [{"within": "5bd"}]}}}
    finding = one(PolicyPack.model_validate(plain), Rule.CALENDAR_UNIT)
    assert finding.where == ("clocks", "answer", "goals", 0, "within")
    assert "calendar always never closes" in finding.why
    assert not found(answered({"within": "5bd"}), Rule.CALENDAR_UNIT)


def test_a_calendar_beside_elapsed_time_is_found() -> None:
    assert one(answered({"within": "24h", "calendar": "office"}), Rule.CALENDAR_UNIT).where[-1] == "calendar"
    assert not found(answered({"within": "24bh", "calendar": "office"}), Rule.CALENDAR_UNIT)


# ----------------------------------------------------------------------------------------------------------- the KPIs

GOALS = ({"when": URGENT, "within": "12h"}, {"when": NORMAL, "within": "48h"}, {"when": HIGH, "within": "1bd"})


def kpi(**words: Any) -> PolicyPack:
    return with_kpi(answered(*GOALS), target={"of": "answer", "review": "quarter", "share": ">= 80%", **words})


def test_a_kpi_shorter_than_a_promise_contradicts_it() -> None:
    always, sometimes = found(kpi(within="24h"), Rule.KPI)
    assert always.weight is Weight.ERROR
    assert (
        "target wants >= 80% within 24h, while clocks.answer.goals[1] promises severity normal only 48h" in always.why
    )
    assert sometimes.weight is Weight.WARNING
    assert "goals[2]" in sometimes.why


def test_a_kpi_that_counts_only_what_is_promised_so_is_no_contradiction() -> None:
    assert not found(kpi(within="24h", when=URGENT), Rule.KPI)
    assert not found(kpi(within="30bd"), Rule.KPI)
    assert not found(kpi(), Rule.KPI)


def test_a_kpi_over_reports_without_a_promise_can_not_be_met() -> None:
    assert "can not be met" in one(kpi(when={"not": {"severity": ["urgent", "high", "normal"]}}), Rule.KPI).why


def test_a_kpi_that_wants_few_promises_kept_is_found() -> None:
    assert one(kpi(share="<= 5%", within="24h"), Rule.KPI).where == ("kpis", "target", "share")


def test_kpis_of_the_same_reports_may_not_disagree() -> None:
    def pair(first: str, second: str, **more: Any) -> PolicyPack:
        base = {"of": "answer", "review": "quarter"}
        return with_kpi(answered(*GOALS), one={**base, "share": first}, two={**base, "share": second, **more})

    assert "only one of the two" in one(pair(">= 80%", ">= 90%"), Rule.KPI).why
    assert any("no figure is both" in each.why for each in found(pair(">= 80%", "<= 70%"), Rule.KPI))
    assert not found(pair(">= 80%", ">= 80%"), Rule.KPI)
    assert not found(pair(">= 80%", ">= 90%", when=URGENT), Rule.KPI)


def test_a_kpi_of_a_clock_the_pack_lacks_is_refused_with_the_words_it_has() -> None:
    with pytest.raises(ValueError, match=r"kpis\.target\.of: 'anwser'"):
        kpi(of="anwser")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"share": "80%"}, "a share such as"),
        ({"share": ">= 180%"}, "at most 100%"),
        ({"share": None}, "exactly one of"),
        ({"count": ">= 3"}, "exactly one of"),
        ({"count": "three", "share": None}, "a count such as"),
        ({"of": "measured_elsewhere", "within": "24h"}, "go with a clock"),
        ({"review": "week"}, "month"),
    ],
)
def test_a_kpi_that_makes_no_sense_is_refused(words: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        kpi(**words)


def test_a_kpi_is_written_as_it_was_read() -> None:
    pack = sound()
    again = pack.model_dump(mode="json", by_alias=True)["kpis"]
    assert again["answered"]["share"] == ">= 80%"
    assert again["trained"]["count"] == ">= 3"
    assert PolicyPack.model_validate(pack.model_dump(by_alias=True, exclude_none=True)).kpis == pack.kpis


# -------------------------------------------------------------------------------------------------------- the ladders


def test_of_two_levels_at_one_share_the_second_never_fires() -> None:
    finding = one(escalate(("75%", "L2"), ("75%", "L3")), Rule.LADDER)
    assert finding.where == ("actions", 0, "levels", 1)
    assert "of L2 and L3 only one is ever taken" in finding.why


def test_a_ladder_that_goes_down_and_a_tier_named_twice_are_warnings() -> None:
    assert one(escalate(("100%", "L3"), ("50%", "L2")), Rule.LADDER).weight is Weight.WARNING
    twice = one(escalate(("50%", "L2"), ("75%", "L3"), ("100%", "L2")), Rule.LADDER)
    assert twice.where == ("actions", 0, "levels", 2, "tier")


def test_levels_after_the_due_instant_and_on_a_first_response_can_fire() -> None:
    rising = {
        "do": "escalate",
        "clock": "answer",
        "levels": [{"at": "100%", "tier": "L2"}, {"at": "300%", "tier": "L3"}],
    }
    assert not found(with_actions(rising, answer={**ANSWER, "goals": [{"within": "4h"}]}), Rule.LADDER)


def test_a_level_so_long_before_due_that_it_lies_at_the_start_is_found() -> None:
    def before(text: str, *goals: Mapping[str, Any]) -> PolicyPack:
        levels = [{"before_due": text, "tier": "L2"}]
        return with_actions({"do": "escalate", "clock": "answer", "levels": levels}, answer={**ANSWER, "goals": goals})

    brief, long = {"when": {"severity": "urgent"}, "within": "4h"}, {"within": "48h"}
    finding = one(before("4h", brief, long), Rule.LADDER)
    assert (finding.where, finding.weight) == (("actions", 0, "levels", 0, "before_due"), Weight.WARNING)
    assert "goals[0] of answer promises 4h" in finding.why
    assert not found(before("3h", brief, long), Rule.LADDER)
    assert not found(before("4bh", brief, {"within": "5bd"}), Rule.LADDER)


def test_a_forgotten_pause_of_a_clock_whose_pauses_may_last_for_ever_is_found() -> None:
    def forgetting(**words: Any) -> PolicyPack:
        levels = [{"at": "100%", "tier": "L2"}]
        told = {"do": "escalate", "clock": "fix", "levels": levels, "forgotten_pause": {"tier": "L3"}}
        pause = [{"when": {"state": "waiting_for_customer"}, "reason": "waits", **words}]
        return with_actions(told, fix={**RESOLUTION, "pause": pause})

    finding = one(forgetting(), Rule.LADDER)
    assert (finding.where, finding.weight) == (("actions", 0, "forgotten_pause"), Weight.ERROR)
    assert not found(forgetting(longest="5bd"), Rule.LADDER)
    assert "has no tier L3" in one(forgetting(longest="72h"), Rule.LADDER, tiers={"south": ("L1", "L2")}).why


def test_a_tier_that_a_tracker_of_the_site_lacks_or_orders_otherwise_is_found() -> None:
    pack = escalate(("50%", "L2"), ("100%", "L3"))
    assert "south of the site has no tier L3" in one(pack, Rule.LADDER, tiers={"south": ("L1", "L2")}).why
    assert "from L2 down to L3" in one(pack, Rule.LADDER, tiers={"south": ("L3", "L2")}).why
    assert not found(pack, Rule.LADDER, tiers={"south": ("L1", "L2", "L3")})


def test_a_tier_that_a_condition_asks_for_must_exist_at_the_site() -> None:
    pack = answered({"when": {"tier": ["L2", "L9"]}, "within": "4h"})
    finding = one(pack, Rule.NOT_AT_THIS_SITE, tiers={"south": ("L1", "L2")})
    assert "no tracker of the site has a tier L9 (south)" in finding.why
    assert not found(pack, Rule.NOT_AT_THIS_SITE)


# --------------------------------------------------------------------------------------------------------- the labels

BRIEF: Mapping[str, Any] = {**ANSWER, "goals": [{"within": "4h"}]}


def test_two_clocks_may_not_share_the_scope_of_a_label() -> None:
    clocks = {"first_answer": BRIEF, "first-answer": {**BRIEF}}
    finding = one(with_actions({"do": "label"}, **clocks), Rule.LABEL_CLASH)
    assert "warranty::first-answer::" in finding.why
    assert not found(with_actions({"do": "label", "clocks": ["first_answer"]}, **clocks), Rule.LABEL_CLASH)


@pytest.mark.parametrize("name", ["tier", "patch", "report", "coverage", "forgotten_pause"])
def test_a_clock_may_not_be_named_like_a_scope_of_ours(name: str) -> None:
    assert one(with_actions({"do": "label"}, **{name: BRIEF}), Rule.LABEL_CLASH).where == ("clocks", name)
    assert not found(build_pack((), **{name: BRIEF}), Rule.LABEL_CLASH)


def test_two_actions_may_not_fight_over_one_clocks_label() -> None:
    rival = {"do": "label", "clocks": ["answer"], "statuses": ["overdue"]}
    assert "actions[0] and actions[1]" in one(with_actions({"do": "label"}, rival, answer=BRIEF), Rule.LABEL_CLASH).why
    same = with_actions({"do": "label"}, {"do": "label", "clocks": ["answer"]}, answer=BRIEF)
    assert not found(same, Rule.LABEL_CLASH)


def test_tiers_that_give_one_label_or_differ_in_case_are_found() -> None:
    assert "give one label" in one(escalate(("50%", "tier 2"), ("100%", "tier-2")), Rule.LABEL_CLASH).why
    assert "only in case" in one(escalate(("50%", "Tier2"), ("100%", "tier2")), Rule.LABEL_CLASH).why


def test_a_label_no_issue_can_bear_and_one_we_write_ourselves_are_found() -> None:
    def asked(label: str) -> PolicyPack:
        return answered({"when": {"any": [{"not": {"label": label}}]}, "within": "4h"})

    assert "256 characters" in one(asked("x" * 256), Rule.LABEL_CLASH).why
    assert not found(asked("x" * 255), Rule.LABEL_CLASH)
    assert "what it writes itself" in one(asked("warranty::tier::L3"), Rule.LABEL_CLASH).why
    assert not found(asked("warranty::coverage::goodwill"), Rule.LABEL_CLASH)
    assert "what it writes itself" in one(asked("ours::x"), Rule.LABEL_CLASH, prefix="ours").why


def test_labels_that_differ_only_in_case_are_found_among_themselves_and_at_the_site() -> None:
    both = answered({"when": {"label": "VIP"}, "within": "4h"}, {"when": {"label": "vip"}, "within": "4h"})
    assert "'VIP' and 'vip'" in one(both, Rule.LABEL_CLASH).why
    single = answered({"when": {"label": "VIP"}, "within": "4h"})
    assert "'vip' and 'VIP'" in one(single, Rule.LABEL_CLASH, labels=("vip",)).why
    assert not found(single, Rule.LABEL_CLASH, labels=("VIP",))


def test_labels_of_the_site_under_our_prefix_are_found() -> None:
    pack = with_actions(
        {"do": "label"},
        {"do": "link_patch"},
        {"do": "escalate", "clock": "answer", "levels": [{"at": "50%", "tier": "L2"}]},
        answer=BRIEF,
    )
    labels = (
        "warranty::answer::late",
        "warranty::answer::overdue",
        "warranty::coverage::goodwill",
        "warranty::forgotten-pause",
        "warranty::mine",
        "warranty::patch::1.0",
        "warranty::report",
        "warranty::tier::L9",
        "warranty-ish",
    )
    told = {each.why.split()[3]: each.weight for each in found(pack, Rule.LABEL_CLASH, labels=labels)}
    assert told == {
        "warranty::answer::late,": Weight.ERROR,
        "warranty::answer::overdue,": Weight.WARNING,
        "warranty::forgotten-pause,": Weight.ERROR,
        "warranty::mine,": Weight.WARNING,
        "warranty::patch::1.0,": Weight.ERROR,
        "warranty::tier::L9,": Weight.ERROR,
    }


# ----------------------------------------------------------------------------------------------------------- the site


def site(**words: Mapping[str, Any]) -> dict[str, Vocabulary]:
    known: dict[str, Any] = {
        "states": {"Open": State.OPEN, "Done": State.RESOLVED},
        "severities": {"P1": "urgent", "P2": "high", "P3": "normal"},
        "categories": {"type:Bug": "defect", "label:cve": "security"},
    }
    return {"south": Vocabulary(**{**known, **words})}


def test_a_state_that_no_tracker_of_the_site_produces_is_found_once() -> None:
    pack = build_pack(
        fix={
            **FIX,
            "pause": [{"when": {"state": "waiting_for_customer"}, "reason": "waits"}],
            "goals": [{"when": {"not": {"state": "waiting_for_customer"}}, "within": "4h"}],
        }
    )
    told = found(pack, Rule.NOT_AT_THIS_SITE, vocabularies=site())
    assert [(each.where[-1], each.weight) for each in told] == [("state", Weight.WARNING)] * 2
    assert any("no tracker of the site maps a status to closed" in each.why for each in told)
    assert any("waiting_for_customer" in each.why and "and 1 more)" in each.why for each in told)
    assert not found(pack, Rule.NOT_AT_THIS_SITE)


def test_a_clock_that_can_never_stop_at_one_tracker_is_an_error() -> None:
    pack = build_pack(fix={"stop": {"state": "closed"}, "goals": [{"within": "4h"}]})
    words = {**site(), "north": Vocabulary(states={"Closed": State.CLOSED})}
    (stop,) = [each for each in found(pack, vocabularies=words) if each.where == ("clocks", "fix", "stop")]
    assert "no issue of south can ever be {state: closed}" in stop.why
    assert stop.weight is Weight.ERROR


def test_a_clock_that_never_starts_at_a_tracker_need_not_stop_there() -> None:
    pack = build_pack(
        closing={"start": {"state": "verified"}, "stop": {"state": "closed"}, "goals": [{"within": "4h"}]}
    )
    assert {each.weight for each in found(pack, Rule.NOT_AT_THIS_SITE, vocabularies=site())} == {Weight.WARNING}


def test_words_that_the_site_never_says_and_words_the_pack_does_not_declare_are_found() -> None:
    pack = build_pack(fix={**FIX, "goals": [{"within": "4h"}]})
    words = site(states={"Done": State.RESOLVED, "Closed": State.CLOSED}, severities={"P1": "urgent", "P9": "low"})
    told = {dotted(each.where): each.weight for each in found(pack, Rule.NOT_AT_THIS_SITE, vocabularies=words)}
    assert told == {"severities": Weight.ERROR, "severities[1]": Weight.WARNING, "severities[2]": Weight.WARNING}


def test_words_of_a_site_are_no_finding_where_the_pack_tells_no_severities_apart() -> None:
    shape = {"id": "plain", "version": 1, "clocks": {"fix": {**FIX, "goals": [{"within": "4h"}]}}}
    words = site(states={"Done": State.RESOLVED, "Closed": State.CLOSED})
    assert not found(PolicyPack.model_validate(shape), vocabularies=words)


# ---------------------------------------------------------------------------------------------------- what it rests on


def test_every_word_of_a_condition_is_a_dimension_of_the_space() -> None:
    pack = build_pack()
    values = {"state": "open", "severity": "urgent", "category": "defect", "coverage": "in"}
    for word in WORDS:
        condition = Condition.model_validate({word: values.get(word, "a")})
        held = {condition.holds(moment) for moment in FactSpace.of((condition,), pack).moments}
        assert held == {True, False}, word


def test_a_space_that_is_too_large_is_a_finding_and_no_guess() -> None:
    many = [{"label": f"{letter}{n}"} for letter in "ab" for n in range(8)]
    pack = with_actions(
        {"do": "priority", "when": {"any": many}, "at_least": "high"},
        answer={**ANSWER, "goals": [{"when": {"any": many}, "within": "4h"}, {"when": URGENT, "within": "8h"}]},
        fix={"stop": {"any": many}, "goals": [{"within": "24h"}]},
    )
    targets = with_kpi(pack, target={"of": "answer", "share": ">= 80%", "within": "1h", "review": "month"})
    told = found(targets, vocabularies=site())
    assert {dotted(each.where) for each in told if each.rule is Rule.UNDECIDED} >= {
        "clocks.answer.goals",
        "clocks.fix",
        "actions[0].when",
        "kpis.target",
    }
    assert not [each for each in told if each.rule in {Rule.TWO_RULES, Rule.UNREACHABLE_GOAL}]
    with pytest.raises(TooLarge):
        FactSpace.of((Condition.model_validate({"label": [str(n) for n in range(40)]}),), pack)
    assert MOST.bit_length() < 40


def test_conditions_and_words_are_found_at_their_paths() -> None:
    pack = answered({"when": {"any": [{"label": "a"}, {"not": {"label": "b"}}]}, "within": "4h"})
    base = ("clocks", "answer", "goals", 0, "when")
    assert [path for path, _ in conditions_in(pack)] == [base, (*base, "any", 0), (*base, "any", 1)]
    assert list(words_in(pack, "label")) == [
        ((*base, "any", 0, "label"), "a"),
        ((*base, "any", 1, "not", "label"), "b"),
    ]


def test_a_condition_is_spelled_as_a_pack_spells_it() -> None:
    condition = Condition.model_validate(
        {"severity": ["urgent", "high"], "any": [{"label": "a"}], "not": {"type": "b"}}
    )
    assert spelled(condition) == "{severity: [urgent, high], any: [{label: a}], not: {type: b}}"


@pytest.mark.parametrize(
    ("first", "second", "slower"),
    [
        ("24h", "24h", Slower.NEVER),
        ("25h", "24h", Slower.ALWAYS),
        ("5bd", "4bd", Slower.ALWAYS),
        ("4bd", "5bd", Slower.NEVER),
        ("5bd", "72h", Slower.ALWAYS),
        ("72h", "5bd", Slower.NEVER),
        ("48h", "2bd", Slower.NEVER),
        ("72h", "2bd", Slower.SOMETIMES),
        ("2bd", "48h", Slower.SOMETIMES),
        ("8bh", "24h", Slower.SOMETIMES),
        ("5bd until close_of_business", "5bd", Slower.ALWAYS),
        ("36500bd", "800000bh", Slower.NEVER),
    ],
)
def test_promises_are_compared_by_when_they_are_due(first: str, second: str, slower: Slower) -> None:
    one_, other = (within(parse_duration(text), office()) for text in (first, second))
    assert compare(one_, other, starts_in(HORIZON)).slower is slower
    assert Pace(HORIZON).compare(one_, other).slower is slower


def test_the_starts_meet_every_hour_of_every_weekday() -> None:
    starts = starts_in(HORIZON)
    assert {(start.weekday(), start.hour) for start in starts} == {
        (day, hour) for day in range(7) for hour in range(24)
    }
    assert starts[0] == datetime(2026, 3, 1, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------------ any pack

_LEAVES = st.sampled_from(
    (
        {"state": "resolved"},
        {"state": ["waiting_for_customer", "open"]},
        URGENT,
        {"severity": ["high", "normal"]},
        {"category": "security"},
        {"label": ["vip", "VIP"]},
        {"type": "Bug"},
        {"priority": "P1"},
        {"reporter": "jane"},
        {"component": ["core", "ui"]},
        {"coverage": "out"},
    )
)
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda each: {"not": each}),
        st.lists(inner, min_size=1, max_size=2).map(lambda each: {"any": each}),
        st.lists(inner, min_size=1, max_size=2).map(lambda each: {"all": each}),
    ),
    max_leaves=3,
)
_WITHIN = st.sampled_from(("1m", "24h", "72h", "8bh", "5bd", "5bd until close_of_business", "400bd"))


@st.composite
def any_packs(draw: st.DrawFn) -> PolicyPack:
    goals = st.lists(
        st.one_of(
            st.fixed_dictionaries({"within": _WITHIN}), st.fixed_dictionaries({"when": _CONDITIONS, "within": _WITHIN})
        ),
        min_size=1,
        max_size=3,
    )
    clock = st.fixed_dictionaries(
        {
            "start": st.one_of(st.sampled_from(("opened", "accepted")), _CONDITIONS),
            "stop": st.one_of(st.sampled_from(("first_response", "patch_released")), _CONDITIONS),
            "pause": st.lists(st.fixed_dictionaries({"when": _CONDITIONS, "reason": st.just("waits")}), max_size=1),
            "goals": goals,
        }
    )
    level = st.fixed_dictionaries(
        {"at": st.sampled_from(("50%", "100%", "200%")), "tier": st.sampled_from(("L1", "L2", "l2"))}
    )
    target = st.fixed_dictionaries(
        {
            "of": st.just("tier"),
            "when": _CONDITIONS,
            "within": _WITHIN,
            "share": st.sampled_from((">= 80%", "<= 5%")),
            "review": st.just("month"),
        }
    )
    pack = build_pack(
        (
            {"do": "label"},
            {"do": "escalate", "clock": "tier", "levels": draw(st.lists(level, min_size=1, max_size=3))},
            {"do": "priority", "when": draw(_CONDITIONS), "at_least": "high"},
        ),
        tier=draw(clock),
        fix=draw(clock),
    )
    kpis = draw(st.dictionaries(st.sampled_from(("one", "two")), target, max_size=2))
    calendar = holidays_through(draw(st.sampled_from((None, date(2020, 1, 1), date(2026, 12, 31)))))
    return with_kpi(pack, **kpis).with_calendars({"office": calendar})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(any_packs(), packs()), st.sampled_from(({}, site())))
def test_any_pack_can_be_linted_and_each_finding_points_into_it(
    pack: PolicyPack, vocabularies: Mapping[str, Vocabulary]
) -> None:
    first = lint(pack, horizon=HORIZON, vocabularies=vocabularies)
    assert lint(pack, horizon=HORIZON, vocabularies=vocabularies) == first
    assert len(set(first)) == len(first)
    shape = pack.model_dump(mode="json", by_alias=True)
    for finding in first:
        assert finding.why
        assert finding.mend
        place: Any = shape
        for part in finding.where:
            place = place[part]


@pytest.mark.parametrize("name", shipped_packs())
def test_no_shipped_pack_contradicts_itself(name: str) -> None:
    assert [each for each in found(load_pack(name)) if each.rule is not Rule.CALENDAR_YEARS] == []


def test_words_of_several_kinds_together_can_be_too_many_too() -> None:
    labels = {"label": [str(n) for n in range(12)]}
    first, second = ({"any": [labels, {"priority": f"P{n}"}, {"component": [f"c{n}"]}]} for n in range(2))
    pack = build_pack(
        answer={**ANSWER, "goals": [{"when": first, "within": "4h"}]},
        fix={"stop": {"state": "closed"}, "goals": [{"when": second, "within": "8h"}]},
    )
    told = found(pack, Rule.UNDECIDED)
    assert {dotted(each.where) for each in told} >= {"clocks.answer.goals", "clocks.fix.goals"}
    assert all(each.weight is Weight.WARNING for each in told)


def test_clocks_that_only_together_name_too_many_words_are_not_compared() -> None:
    def by(letter: str) -> list[dict[str, Any]]:
        return [{"when": {"label": [f"{letter}{n}" for n in range(9)]}, "within": "4h"}]

    pack = build_pack(answer={**ANSWER, "goals": by("a")}, other={**ANSWER, "goals": by("b")})
    assert one(pack, Rule.UNDECIDED).where == ("clocks", "other", "goals")


def test_what_can_never_hold_is_told_once_and_not_by_every_rule() -> None:
    never = {"all": [URGENT, HIGH]}
    pack = build_pack(
        fix={**FIX, "pause": [{"when": never, "reason": "never"}], "goals": [{"within": "4h"}]},
    )
    assert one(pack, Rule.NEVER_TRUE).where == ("clocks", "fix", "pause", 0, "when")
    assert not found(pack, Rule.PAUSE_ON_STOP)
    counted = with_kpi(pack, target={"of": "fix", "when": never, "share": ">= 80%", "review": "month"})
    assert not found(counted, Rule.KPI)
    assert {dotted(each.where) for each in found(counted, Rule.NEVER_TRUE)} >= {"kpis.target.when"}


def test_a_count_and_a_share_of_the_same_reports_do_not_disagree() -> None:
    base = {"of": "answer", "review": "quarter"}
    pack = with_kpi(answered(*GOALS), one={**base, "share": ">= 80%"}, two={**base, "count": ">= 3"})
    assert not found(pack, Rule.KPI)


def test_a_kpi_can_be_built_from_values() -> None:
    share, count = Share(Bound.AT_LEAST, 97.5), Count(Bound.AT_MOST, 3)
    assert str(Kpi(of="answer", share=share, review="month").share) == ">= 97.5%"
    assert str(Kpi(of="answer", count=count, review="month").count) == "<= 3"


@pytest.mark.parametrize(
    ("lower", "level", "rises"),
    [
        ({"at": "50%"}, {"at": "75%"}, 1),
        ({"at": "100%"}, {"at": "100%"}, 0),
        ({"before": "4h"}, {"before": "2h"}, 1),
        ({"before": "2bh"}, {"before": "4bh"}, -1),
        ({"before": "2h"}, {"at": "100%"}, 1),
        ({"after": "1h"}, {"at": "100%"}, -1),
        ({"after": "1bd"}, {"after": "1bd"}, 0),
        ({"after": "1bd"}, {"after": "3bd"}, 1),
        ({"at": "75%"}, {"before": "2h"}, None),
        ({"after": "1bd"}, {"after": "24h"}, None),
        ({"at": "150%"}, {"after": "1h"}, None),
    ],
)
def test_levels_are_compared_only_where_no_goal_is_needed_to_know(
    lower: dict[str, Any], level: dict[str, Any], rises: int | None
) -> None:
    def built(words: dict[str, Any]) -> Level:
        spelled_out = {"at" if side == "at" else f"{side}_due": words[side] for side in words}
        return Level.model_validate({"tier": "L2", **spelled_out})

    assert lint_ladders._rises(built(lower), built(level)) == rises
