"""The level of support a contract agrees is a fact of its issues: goals, pauses and actions may ask for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from policies.cases import Case, CaseFile, run_cases
from policies.changes import described
from policies.conditions import Condition
from policies.coverage import Decision, Ground
from policies.duration import parse_duration
from policies.fact_space import FactSpace
from policies.finding import Finding, Rule, Weight
from policies.history import moments
from policies.issue import Gap, GapKind, State
from policies.lint import lint
from policies.loader import load_phrases, load_register
from policies.plan import Limits, plan
from policies.term import CalendarMonths, Term
from policies.verdict import Judged, Status, judge
from policies.warranty import Contract, Match, Register, cover, covered
from tests.policies.build_issue import (
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

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from policies.issue import Event, Issue
    from policies.pack import PolicyPack

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANSWER: Mapping[str, Any] = {"stop": "first_response"}
GOLD, SILVER, NO_TIER = ({"contract_tier": "gold"}, {"contract_tier": "silver"}, {"not": {"contract_tier": "gold"}})
HORIZON = date(2026, 3, 1), date(2026, 6, 1)
TIERED: Mapping[str, Any] = {**ANSWER, "goals": [{"when": GOLD, "within": "4h"}, {"within": "24h"}]}


def contract(tier: str, **changed: Any) -> Contract:
    plain: dict[str, Any] = {
        "id": tier or "plain",
        "customer": "Acme",
        "zone": ZoneInfo("Asia/Shanghai"),
        "term": Term(begins=date(2026, 1, 1), duration=CalendarMonths(12)),
        "match": (Match(label=(tier or "plain",)),),
        "tier": tier,
    }
    return Contract(**{**plain, **changed})


REGISTER = Register((contract("gold"), contract("silver"), contract("")))


def under(issue: Issue, *contracts: Contract) -> Issue:
    return covered(issue, Register(contracts) if contracts else REGISTER, NOW)


def labelled(*names: str, events: tuple[Event, ...] = (), **changed: Any) -> Issue:
    return build_issue(*events, labels=frozenset(names), **changed)


def tiers(issue: Issue) -> set[str | None]:
    return {moment.contract_tier for moment in moments(issue)}


def findings(pack: PolicyPack, rule: Rule, **more: Any) -> list[Finding]:
    return [each for each in lint(pack, horizon=HORIZON, **more) if each.rule is rule]


def answered(*goals: Mapping[str, Any]) -> PolicyPack:
    return build_pack(answer={**ANSWER, "goals": goals})


# ------------------------------------------------------------------------------------------------- a fact of the coverage


@pytest.mark.parametrize(("label", "tier"), [("gold", "gold"), ("silver", "silver"), ("plain", None), ("none", None)])
def test_the_tier_is_that_of_the_contract_that_claims_the_issue(label: str, tier: str | None) -> None:
    told = under(labelled(label))
    assert told.coverage is not None
    assert told.coverage.tier == (tier or "")
    assert tiers(told) == {tier}


def test_without_a_register_there_is_no_tier() -> None:
    assert tiers(build_issue()) == {None}


def test_where_several_contracts_claim_an_issue_and_none_settles_there_is_no_tier() -> None:
    told = under(labelled("gold", "silver"))
    assert told.coverage is not None
    assert (told.coverage.decision, told.coverage.tier) == (Decision.DISPUTED, "")
    settled = under(labelled("gold", "silver"), contract("gold", supersedes=("silver",)), contract("silver"))
    assert tiers(settled) == {"gold"}


def test_a_contract_that_refuses_an_issue_keeps_its_tier() -> None:
    ended = contract("gold", term=Term(begins=date(2024, 1, 1), duration=CalendarMonths(12)))
    told = cover(labelled("gold"), Register((ended,)), NOW)
    assert (told.decision, told.ground, told.tier) == (Decision.OUT, Ground.ENDED, "gold")


def test_the_tier_is_known_under_a_gap_exactly_where_the_contract_is() -> None:
    lost = (Gap(GapKind.HISTORY, "the first page is missing"),)
    sure = contract("gold", match=(Match(project=("CAR",)),))
    assert cover(labelled("gold", gaps=lost), Register((sure,)), NOW).tier == "gold"
    doubted = cover(labelled("gold", gaps=lost), REGISTER, NOW)
    assert (doubted.ground, doubted.contract, doubted.tier) == (Ground.HISTORY_GAP, "", "")
    unread = (Gap(GapKind.REPORT, "the field of the report's time holds no date"),)
    unknown = cover(labelled("gold", gaps=unread), REGISTER, NOW)
    assert (unknown.ground, unknown.contract, unknown.tier) == (Ground.HISTORY_GAP, "gold", "gold")


def test_the_tier_is_that_of_the_report_and_relabelling_later_changes_no_promise() -> None:
    given = labels(1, added=("silver",))
    moved = labels(2, added=("gold",), removed=("silver",))
    told = under(labelled("gold", events=(given, moved)))
    assert tiers(told) == {"silver"}, "triage completed the report, what came later moved nothing"


def test_a_persons_word_on_coverage_changes_the_decision_and_not_the_tier() -> None:
    out = labels(1, added=("warranty::coverage::out",))
    told = under(labelled("gold", "warranty::coverage::out", events=(out,)))
    assert [moment.coverage for moment in moments(told)] == [Decision.IN, Decision.OUT]
    assert tiers(told) == {"gold"}


def test_the_tier_is_read_from_the_register_file_and_its_spelling_counts(tmp_path: Path) -> None:
    file = tmp_path / "contracts.yaml"
    row = "{id: a, customer: A, match: [{label: a}], begins: {accepted: 2026-01-01}, duration: 12mo, tier: Gold}"
    file.write_text(f"contracts: [{row}]\n", encoding="utf-8")
    register = load_register(file)
    assert register.tiers == {"Gold"}
    (moment,) = moments(covered(labelled("a"), register, NOW))
    assert Condition.model_validate({"contract_tier": "Gold"}).holds(moment)
    assert not Condition.model_validate(GOLD).holds(moment)


def test_the_tiers_of_a_register_are_those_its_contracts_name() -> None:
    assert REGISTER.tiers == {"gold", "silver"}
    assert not Register().tiers


# --------------------------------------------------------------------------------------------------------- what asks for it


def test_a_goal_may_be_for_a_contract_tier() -> None:
    pack = answered({"when": GOLD, "within": "4h"}, {"when": SILVER, "within": "8h"}, {"within": "24h"})
    due = {name: verdict_of(under(labelled(name)), pack, 1).due_at for name in ("gold", "silver", "plain", "none")}
    assert due == {"gold": at(4), "silver": at(8), "plain": at(24), "none": at(24)}


def test_a_goal_for_a_tier_that_no_contract_of_the_issue_has_is_not_promised() -> None:
    pack = answered({"when": GOLD, "within": "4h"})
    assert verdict_of(under(labelled("silver")), pack, 1).status is Status.NOT_APPLICABLE


def test_a_pause_may_be_for_a_contract_tier() -> None:
    waiting = {"when": {"state": "waiting_for_customer", **NO_TIER}, "reason": "awaiting customer"}
    pack = build_pack(resolution={**RESOLUTION, "pause": [waiting]})
    waits = becomes(1, State.WAITING_FOR_CUSTOMER)
    gold, silver = (under(labelled(name, events=(waits,))) for name in ("gold", "silver"))
    assert verdict_of(gold, pack, 2).status is Status.RUNNING
    assert verdict_of(silver, pack, 2).status is Status.PAUSED


def test_an_action_may_be_for_a_contract_tier() -> None:
    pack = build_pack(({"do": "priority", "when": GOLD, "at_least": "high"},), answer=TIERED)

    def planned(name: str) -> list[str]:
        issue = under(labelled(name, events=(severity(0.5, "normal", None),)))
        judged = Judged(issue, judge(issue, pack, at(1)), pack=pack)
        found = plan([judged], [pack], {"here": build_destination()}, limits=Limits(), now=at(1))
        return [line for each in found.changes for line in described(each.change)]

    assert len(planned("gold")) == 1
    assert planned("silver") == []


def test_a_start_and_a_stop_may_ask_for_a_contract_tier() -> None:
    pack = build_pack(
        watch={"start": GOLD, "stop": {"any": [SILVER, {"state": "closed"}]}, "goals": [{"within": "4h"}]}
    )
    assert verdict_of(under(labelled("gold")), pack, 1).status is Status.RUNNING
    assert verdict_of(under(labelled("silver")), pack, 1).status is Status.NOT_APPLICABLE


def test_the_schema_of_a_pack_knows_the_word() -> None:
    word = Condition.model_json_schema()["$defs"]["Condition"]["properties"]["contract_tier"]
    assert "level of support" in word["description"]


# ------------------------------------------------------------------------------------------------------------- the linter


def test_kinds_of_issue_are_told_apart_by_tier_with_one_unnamed_and_none() -> None:
    pack = answered({"within": "4h"})
    space = FactSpace.of((Condition.model_validate({"any": [GOLD, SILVER]}),), pack)
    told = ["contract tier gold", "contract tier silver", "another contract tier", "no contract tier"]
    assert [space.told(moment) for moment in space.moments] == told
    assert space.plainest(space.moments).contract_tier == "gold"


def test_goals_for_each_tier_and_the_rest_are_no_finding() -> None:
    pack = answered({"when": GOLD, "within": "4h"}, {"when": SILVER, "within": "8h"}, {"within": "24h"})
    assert not lint(pack, horizon=HORIZON, contract_tiers=("gold", "silver"))


def test_a_goal_for_a_tier_below_a_goal_for_everything_is_never_reached() -> None:
    pack = answered({"within": "24h"}, {"when": GOLD, "within": "4h"})
    (finding,) = findings(pack, Rule.UNREACHABLE_GOAL)
    assert finding.where == ("clocks", "answer", "goals", 1)


def test_a_tier_and_all_that_is_not_it_leave_no_third_goal_to_reach() -> None:
    pack = answered({"when": GOLD, "within": "4h"}, {"when": NO_TIER, "within": "8h"}, {"within": "24h"})
    (finding,) = findings(pack, Rule.UNREACHABLE_GOAL)
    assert finding.where == ("clocks", "answer", "goals", 2)


def test_two_tiers_never_cover_the_issues_without_a_contract() -> None:
    pack = answered({"when": {"contract_tier": ["gold", "silver"]}, "within": "4h"}, {"within": "24h"})
    assert not findings(pack, Rule.UNREACHABLE_GOAL)


def test_a_goal_by_tier_and_one_by_severity_are_two_rules_for_the_issues_of_both() -> None:
    pack = answered({"when": GOLD, "within": "8h"}, {"when": {"severity": "urgent"}, "within": "4h"}, {"within": "24h"})
    (finding,) = findings(pack, Rule.TWO_RULES)
    assert "contract tier gold" in finding.why


def test_urgent_is_compared_with_normal_within_one_tier_only() -> None:
    urgent_gold, urgent = {"severity": "urgent", **GOLD}, {"severity": "urgent"}
    sound = (
        {"when": urgent_gold, "within": "2h"},
        {"when": GOLD, "within": "4h"},
        {"when": urgent, "within": "8h"},
        {"within": "24h"},
    )
    assert not findings(answered(*sound), Rule.GRAVER_IS_SLOWER), "urgent plain may take longer than normal gold"
    slow = ({**sound[0], "within": "6h"}, *sound[1:])
    (finding,) = findings(answered(*slow), Rule.GRAVER_IS_SLOWER)
    assert "gold" in finding.why


def test_a_condition_of_two_tiers_at_once_is_never_true() -> None:
    pack = answered({"when": {"all": [GOLD, SILVER]}, "within": "4h"}, {"within": "24h"})
    assert findings(pack, Rule.NEVER_TRUE)


# ---------------------------------------------------------------------------------------------------------- at the site


@pytest.mark.parametrize(
    ("agreed", "known", "mend"),
    [
        (("Gold", "silver"), "they agree on Gold, silver", "did you mean Gold?"),
        (("golden",), "they agree on golden", "did you mean golden?"),
        (("basic",), "they agree on basic", "write `tier: gold` in the contracts"),
        ((), "none agrees on any", "write `tier: gold` in the contracts"),
    ],
)
def test_a_tier_that_no_contract_of_the_site_has_is_told_with_the_nearest(
    agreed: tuple[str, ...], known: str, mend: str
) -> None:
    pack = answered({"when": GOLD, "within": "4h"}, {"within": "24h"})
    (finding,) = findings(pack, Rule.NOT_AT_THIS_SITE, contract_tiers=agreed)
    assert finding.where == ("clocks", "answer", "goals", 0, "when", "contract_tier")
    assert finding.weight is Weight.WARNING
    assert "no contract of the site has the tier gold" in finding.why
    assert known in finding.why
    assert mend in finding.mend


def test_a_tier_of_a_contract_that_no_goal_asks_for_is_no_finding() -> None:
    assert not lint(answered({"within": "4h"}), horizon=HORIZON, contract_tiers=("gold",))


def test_a_pack_by_itself_may_ask_for_any_tier() -> None:
    assert not findings(answered({"when": GOLD, "within": "4h"}), Rule.NOT_AT_THIS_SITE)


# ------------------------------------------------------------------------------------------------------------- in cases

CASE: Mapping[str, Any] = {
    "name": "trial",
    "opened": "2026-03-02T09:00:00+08:00",
    "now": "2026-03-02T10:00:00+08:00",
    "expect": {"answer": {"status": "running", "goal": "4h"}},
}


def differences(**words: Any) -> tuple[str, ...]:
    file = CaseFile.model_validate({"cases": [{**CASE, **words}]})
    (result,) = run_cases(build_pack(answer=TIERED), file, load_phrases("en"))
    return result.differences


def test_a_case_may_state_the_contracts_tier() -> None:
    assert differences(coverage="in", contract_tier="gold") == ()
    assert differences(coverage="in", contract_tier="silver") == ("answer: expected goal 4h, found 24h",)
    assert differences(coverage="in") == ("answer: expected goal 4h, found 24h",)
    assert differences() == ("answer: expected goal 4h, found 24h",)


def test_a_case_with_a_tier_says_what_the_register_says() -> None:
    with pytest.raises(ValidationError, match="give `coverage` too"):
        Case.model_validate({**CASE, "contract_tier": "gold"})


# ------------------------------------------------------------------------------------------------------------ and in all


def test_another_tier_in_the_register_is_another_promise_and_nothing_else() -> None:
    issue, pack = labelled("gold"), build_pack(answer=TIERED)
    (gold,) = judge(under(issue), pack, at(2))
    (silver,) = judge(under(issue, replace(contract("gold"), tier="silver")), pack, at(2))
    assert (gold.goal, silver.goal) == (parse_duration("4h"), parse_duration("24h"))
    assert (gold.started_at, gold.used, gold.digest) == (silver.started_at, silver.used, silver.digest)
    assert gold.next_change_at == at(3), "at risk after three quarters"
