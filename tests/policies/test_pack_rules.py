"""Each rule of a shipped pack is held by its cases: taken out or changed, some case differs."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from policies.cases import CaseFile, issue_of, run_cases
from policies.changes import UpsertComment, UpsertReport
from policies.destination import Destination
from policies.finding import Weight
from policies.lint import lint
from policies.loader import SHIPPED, load_pack, load_phrases, read_shape, shipped_packs
from policies.pack import PolicyPack
from policies.plan import Limits, plan
from policies.verdict import Judged, judge
from tests.policies.test_lint import HORIZON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKS = shipped_packs()
LEAST = 40
"""Cases of a shipped pack."""

OTHER = {"24h": "25h", "4h": "5h", "72h": "71h", "48h": "47h", "168h": "167h"}
"""An elapsed goal by another that differs little."""


def shape(pack: PolicyPack) -> dict[str, Any]:
    return pack.model_dump(mode="json", by_alias=True, exclude_none=True)


def changed_goals(clock: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, goal in enumerate(clock["goals"]):
        other = copy.deepcopy(dict(clock))
        within = goal["within"]
        other["goals"][number]["within"] = OTHER.get(within) or f"{int(within.removesuffix('bd')) + 1}bd"
        yield f"goals[{number}].within", other
        if "until" in goal:
            other = copy.deepcopy(dict(clock))
            del other["goals"][number]["until"]
            yield f"goals[{number}].until", other
        if "not" in goal.get("when", {}):
            other = copy.deepcopy(dict(clock))
            when = other["goals"][number]["when"]
            del when["not"]
            if not when:
                del other["goals"][number]["when"]
            yield f"goals[{number}].when.not", other


def changed_clocks(clock: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The clock with one thing of it taken out or changed, for each thing the pack says of it."""
    yield from changed_goals(clock)
    for number in range(len(clock["pause"])):
        yield f"pause[{number}]", {**clock, "pause": [each for n, each in enumerate(clock["pause"]) if n != number]}
    if clock["start"] != "opened":
        yield "start", {**clock, "start": "opened"}
    if clock["reopen"] == "ignore" and not isinstance(clock["stop"], str):
        yield "reopen", {**clock, "reopen": "new_cycle"}
    if clock["stop"] == "first_response":
        yield "stop", {**clock, "stop": {"state": ["resolved", "closed"]}}
    else:
        yield "stop", {**clock, "stop": "first_response"}


def changed_actions(actions: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for number, action in enumerate(actions):
        if action["do"] in {"comment", "report"}:
            continue  # cases leave these out; see below
        yield f"actions[{number}]", [each for n, each in enumerate(actions) if n != number]
        levels = action.get("levels", [])
        for rung in range(len(levels) if len(levels) > 1 else 0):
            other = copy.deepcopy(actions)
            del other[number]["levels"][rung]
            yield f"actions[{number}].levels[{rung}]", other


@cache
def mutants(name: str) -> dict[str, dict[str, Any]]:
    """The pack with one rule changed, by the place of the rule."""
    return dict(_mutants(shape(load_pack(name))))


def _mutants(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for clock, told in whole["clocks"].items():
        for place, other in changed_clocks(told):
            yield f"clocks.{clock}.{place}", {**whole, "clocks": {**whole["clocks"], clock: other}}
    for place, actions in changed_actions(whole["actions"]):
        yield place, {**whole, "actions": actions}


@cache
def cases_of(name: str) -> CaseFile:
    return read_shape(SHIPPED / "packs" / f"{name}.cases.yaml", CaseFile)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_has_enough_cases(name: str) -> None:
    assert len(cases_of(name).cases) >= LEAST


@pytest.mark.parametrize(("name", "place"), [(name, place) for name in PACKS for place in mutants(name)])
def test_no_rule_can_be_changed_without_a_case_that_differs(name: str, place: str) -> None:
    pack = load_pack(name)
    data = mutants(name)[place]
    calendars = {calendar: pack.calendar_named(calendar) for _, calendar in pack.calendar_ids()}
    other = PolicyPack.model_validate(data).with_calendars(calendars)
    assert not all(result.agrees for result in run_cases(other, cases_of(name), load_phrases("en")))


@pytest.mark.parametrize("name", PACKS)
def test_cases_bring_about_the_comment_and_the_report(name: str) -> None:
    pack = load_pack(name)
    here = Destination(
        tracker="case",
        prefix="warranty",
        phrases=load_phrases("en"),
        zone=ZoneInfo("Asia/Shanghai"),
        report_project="CASE",
    )
    made = set()
    for case in cases_of(name).cases:
        issue = issue_of(case)
        found = plan(
            [Judged(issue, judge(issue, pack, case.now))], [pack], {"case": here}, limits=Limits(), now=case.now
        )
        made |= {type(planned.change) for planned in found.changes}
    assert {UpsertComment, UpsertReport} <= made


@pytest.mark.parametrize("name", PACKS)
def test_a_shipped_pack_contradicts_itself_nowhere(name: str) -> None:
    found = lint(load_pack(name), horizon=HORIZON)
    assert [each for each in found if each.weight is Weight.ERROR] == []
    assert {each.rule.value for each in found} <= {"calendar_years"}  # the State Council names them one by one


@pytest.mark.parametrize("name", PACKS)
def test_every_target_says_where_it_was_agreed_and_is_named_in_both_languages(name: str) -> None:
    for kpi in load_pack(name).kpis.values():
        assert kpi.source.startswith("section")
        assert set(kpi.title) == {"en", "zh"}
