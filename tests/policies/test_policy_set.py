"""What a contract agrees chooses the policy and the calendar that judge; everything else is judged by the site's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from policies.changes import UpsertReport, described
from policies.coverage import Coverage, Decision, Ground
from policies.loader import load_pack, load_policy_set, load_register
from policies.plan import Limits, plan
from policies.problem import InputError
from policies.summary import summaries
from policies.term import day_start
from policies.warranty import covered
from tests.policies.build_issue import at, build_destination, build_issue

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from policies.issue import Issue
    from policies.policy_set import PolicySet
    from policies.verdict import Judged

OWN = """\
id: own
version: 1
clocks:
  answer: {stop: first_response, goals: [{within: 8bh}]}
  calm: {stop: first_response, goals: [{within: 8bh, calendar: office}]}
actions:
  - {do: label}
  - {do: report}
"""
GOLD = OWN.replace("id: own", "id: gold").replace("within: 8bh}", "within: 2h}")
OFFICE = """\
id: office
zone: UTC
weekly: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"], thu: ["09:00-17:00"], fri: ["09:00-17:00"]}
"""
ROW = "{{id: {id}, customer: C, match: [{{label: {id}}}], begins: {{accepted: 2026-01-01}}, duration: 12mo{more}}}"


def site(folder: Path, *rows: str, more: tuple[str, ...] = ("gold.yaml",)) -> PolicySet:
    """A site's policies in a folder with a pack of its own, another one, and a calendar."""
    (folder / "calendars").mkdir()
    (folder / "calendars" / "office.yaml").write_text(OFFICE, encoding="utf-8")
    (folder / "own.yaml").write_text(OWN, encoding="utf-8")
    (folder / "gold.yaml").write_text(GOLD, encoding="utf-8")
    contracts = folder / "contracts.yaml"
    contracts.write_text("contracts:\n" + "".join(f"  - {row}\n" for row in rows), encoding="utf-8")
    return load_policy_set("own.yaml", folder, load_register(contracts), contracts, more)


def row(id_: str, more: str = "") -> str:
    return ROW.format(id=id_, more=more and f", {more}")


def under(contract: str, number: int = 1) -> Issue:
    """An issue for which the register found this contract."""
    issue = build_issue(number=number)
    ground = Ground.WITHIN_TERM
    coverage = Coverage(
        decision=Decision.IN,
        computed=Decision.IN,
        ground=ground,
        computed_ground=ground,
        reported_at=issue.opened_at,
        contract=contract,
    )
    return replace(issue, coverage=coverage)


def test_an_issue_is_judged_by_the_policy_its_contract_was_agreed_under(tmp_path: Path) -> None:
    policies = site(tmp_path, row("plain"), row("golden", "policy: gold"))
    judged = {id_: policies.judge(under(id_), at(3)) for id_ in ("plain", "golden", "")}
    assert {id_: one.pack.name if one.pack else "" for id_, one in judged.items()} == {
        "plain": "own@1",
        "golden": "gold@1",
        "": "own@1",
    }
    assert policies.of(build_issue()) is policies.own


def test_a_contracts_calendar_takes_the_place_of_the_packs_and_a_goals_own_calendar_stays(tmp_path: Path) -> None:
    policies = site(tmp_path, row("plain"), row("office", "calendar: office"))
    # Monday 01:00 UTC: eight hours round the clock end at 09:00, those of the office at 17:00.
    for contract, answer, calm in (("plain", at(8), at(16)), ("office", at(16), at(16))):
        one, other = policies.judge(under(contract), at(1)).verdicts
        assert (contract, one.due_at, other.due_at) == (contract, answer, calm)
    plain, office = (policies.judge(under(contract), at(1)).verdicts[0] for contract in ("plain", "office"))
    assert plain.policy == office.policy == "own@1"
    assert plain.digest != office.digest, "which promise judged is proven by its digest"
    assert policies.of(under("office")).latest.calendar == "office"
    assert policies.own.latest.calendar == "always"


def test_policy_and_calendar_of_one_contract_go_together(tmp_path: Path) -> None:
    policies = site(tmp_path, row("both", "policy: gold, calendar: office"))
    pack = policies.of(under("both")).latest
    assert (pack.id, pack.calendar) == ("gold", "office")


def test_a_contract_that_names_the_sites_own_policy_and_calendar_is_judged_as_any_issue(tmp_path: Path) -> None:
    policies = site(tmp_path, row("same", "policy: own, calendar: always"))
    assert not policies.by_contract


def test_a_shipped_policy_needs_no_naming(tmp_path: Path) -> None:
    policies = site(tmp_path, row("care", "policy: after-sales"), more=())
    assert policies.of(under("care")).latest.id == "after-sales"


def test_contracts_that_agree_on_the_same_share_it(tmp_path: Path) -> None:
    policies = site(tmp_path, row("a", "policy: gold"), row("b", "policy: gold"))
    assert policies.of(under("a")) is policies.of(under("b"))


def test_every_contract_that_names_what_is_not_there_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        site(tmp_path, row("a", "policy: glod"), row("b"), row("c", "calendar: ofice"))
    first, second = refused.value.problems
    assert (first.line, first.path, first.found, first.nearest) == (2, "contracts[0].policy", "'glod'", "gold")
    assert (second.line, second.path, second.found, second.nearest) == (4, "contracts[2].calendar", "'ofice'", "office")


def test_the_digest_covers_what_the_contracts_say(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
    plain = site(folders[0], row("x"))
    again = site(folders[1], row("x"))
    longer = site(folders[2], row("x", "tier: gold"))
    assert plain.digest == again.digest
    assert plain.digest != longer.digest
    assert plain.own.digest == longer.own.digest


def test_a_contract_that_names_two_things_that_are_not_there_is_told_of_both(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        site(tmp_path, row("a", "policy: glod, calendar: ofice"))
    assert [each.path for each in refused.value.problems] == ["contracts[0].policy", "contracts[0].calendar"]


def test_the_mistakes_of_all_policies_of_a_site_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOLD.replace("2h", "2"), encoding="utf-8")
    (tmp_path / "two.yaml").write_text(GOLD.replace("first_response", "frist_response"), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        site(tmp_path, row("golden", "policy: gold"), more=("one.yaml", "two.yaml", "none.yaml"))
    assert [each.file.rpartition("/")[2] for each in refused.value.problems] == [
        "one.yaml",
        "two.yaml",
        "two.yaml",
        "none.yaml",
    ]


def test_two_policies_of_one_id_are_refused_and_the_same_one_named_again_is_not(tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(GOLD.replace("2h", "3h"), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(OWN.replace("8bh", "9bh"), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        site(tmp_path, row("golden", "policy: gold"), more=("gold.yaml", "again.yaml", "mine.yaml"))
    first, second = refused.value.problems
    assert (first.file, first.line, first.found) == (str(tmp_path / "again.yaml"), 1, "'gold'")
    assert (second.file, second.found) == (str(tmp_path / "mine.yaml"), "'own'")
    policies = load_policy_set("own.yaml", tmp_path, None, tmp_path, ("gold.yaml", "own.yaml", "gold.yaml"))
    assert (policies.own.latest.id, policies.digest) == ("own", policies.own.digest)


def test_a_candidate_is_tried_on_the_calendar_of_the_contract(tmp_path: Path) -> None:
    policies = site(tmp_path, row("plain"), row("office", "calendar: office"), row("same", "calendar: always"))
    candidate = load_pack("gold.yaml", tmp_path)
    for contract, calendar in (("plain", "always"), ("office", "office"), ("same", "always"), ("", "always")):
        tried = policies.candidate(under(contract), candidate)
        assert (contract, tried.id, tried.calendar) == (contract, "gold", calendar)
        assert tried.calendar_named(calendar).id == calendar
    assert policies.candidate(under("plain"), candidate) is candidate


def test_the_next_change_is_when_a_document_signed_for_a_later_day_comes_to_count(tmp_path: Path) -> None:
    """Monday 2 March: the contract is over, and prolonged by a document of the day after."""
    row = "{id: a, customer: C, match: [{project: CAR}], begins: {accepted: 2025-01-01}, duration: 12mo,"
    site(tmp_path, f"{row} extensions: [{{duration: 6mo, document: Amendment 1, date: 2026-03-03}}]}}")
    register = load_register(tmp_path / "contracts.yaml")
    policies = load_policy_set("own.yaml", tmp_path, register, tmp_path / "contracts.yaml")
    counts = day_start(date(2026, 3, 3), ZoneInfo("UTC"))

    def judged(now: datetime) -> Judged:
        return policies.judge(covered(build_issue(), register, now), now)

    before, there = judged(counts - timedelta(microseconds=1)), judged(counts)
    assert {verdict.next_change_at for verdict in judged(at(20)).verdicts} == {counts}
    assert {verdict.next_change_at for verdict in before.verdicts} == {counts}
    decisions = [one.issue.coverage.decision for one in (before, there) if one.issue.coverage is not None]
    assert decisions == [Decision.OUT, Decision.IN]
    assert counts not in {verdict.next_change_at for verdict in there.verdicts}


def test_the_digest_covers_every_policy_that_judges(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
    plain = site(folders[0], row("x")).digest
    golden = site(folders[1], row("x", "policy: gold")).digest
    office = site(folders[2], row("x", "calendar: office")).digest
    assert len({plain, golden, office}) == 3


def test_in_force_are_each_policy_once_the_sites_own_first(tmp_path: Path) -> None:
    policies = site(tmp_path, row("a", "policy: gold"), row("b", "calendar: office"), row("c", "policy: gold"))
    assert [pack.id for pack in policies.in_force(at(0))] == ["own", "gold"]


def test_each_policy_has_a_summary_of_its_own_and_the_report_holds_them_all(tmp_path: Path) -> None:
    policies = site(tmp_path, row("plain"), row("golden", "policy: gold"))
    judged = [policies.judge(under(id_, number), at(3)) for number, id_ in enumerate(("plain", "golden", "golden"), 1)]
    packs = policies.in_force(at(3))
    elsewhere = policies.judge(replace(under("plain"), ref=replace(build_issue().ref, tracker="there")), at(3))
    own, gold = summaries([*judged, elsewhere], packs, "here")
    assert [(each.name, each.judged) for each in (own, gold)] == [("here", 1), ("here (gold)", 2)]
    where = {"here": build_destination(report_project="CAR")}
    found = plan(judged, packs, where, limits=Limits(), now=at(3))
    (report,) = (planned.change for planned in found.changes if isinstance(planned.change, UpsertReport))
    told = str(report.document)
    assert "own@1" in told
    assert "gold@1" in told
    assert [
        (planned.issue.key, described(planned.change)) for planned in found.changes if planned.issue is not None
    ] == [
        ("CAR-1", ("add label warranty::answer::running", "add label warranty::calm::running")),
        ("CAR-2", ("add label warranty::answer::overdue", "add label warranty::calm::running")),
        ("CAR-3", ("add label warranty::answer::overdue", "add label warranty::calm::running")),
    ]


def test_a_policy_that_judges_nothing_here_has_no_summary_unless_it_is_the_sites_own(tmp_path: Path) -> None:
    policies = site(tmp_path, row("golden", "policy: gold"))
    (only,) = summaries([], policies.in_force(at(3)), "here")
    assert (only.name, only.judged) == ("here", 0)
