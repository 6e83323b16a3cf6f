"""Coverage on its way out: the register from its file, the label, the comment, the clock of what is out of warranty."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from policies.business_calendar import ALWAYS
from policies.cases import CaseFile, run_cases
from policies.changes import Relabel, UpsertComment
from policies.coverage import Coverage, Decision, Ground, Window
from policies.destination import Destination
from policies.document import Paragraph
from policies.issue import Actor, Issue, IssueRef, LabelsChanged, Opened, Role, State, Word
from policies.loader import load_phrases, load_register, load_table
from policies.note import note
from policies.pack import PolicyPack
from policies.plan import Limits, plan
from policies.problem import InputError
from policies.register_csv import as_yaml
from policies.term import CalendarMonths, Term
from policies.verdict import Judged, Status, judge
from policies.warranty import Contract, Match, Register, covered

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPENED = datetime(2026, 3, 2, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
CUSTOMER = Actor(id="carl", role=Role.CUSTOMER)
JANE = Actor(id="jane", name="Jane", role=Role.RESPONDER)
TEXT = """zone: Asia/Shanghai
contracts:
  - id: acme-1
    customer: Acme
    match: [{project: CAR}]
    begins: {accepted: 2026-03-01}
    duration: 12mo
"""
SERVED = {"coverage": ["in", "goodwill", "unknown"]}
PACK: dict[str, Any] = {
    "id": "trial",
    "version": 1,
    "clocks": {
        "first_response": {"stop": "first_response", "goals": [{"within": "24h"}]},
        "paid_response": {
            "start": {"coverage": ["out", "disputed"]},
            "stop": "first_response",
            "goals": [{"within": "72h"}],
        },
        "resolution": {"stop": {"state": "resolved"}, "goals": [{"when": SERVED, "within": "48h"}]},
    },
    "actions": [{"do": "coverage"}, {"do": "comment"}],
}


def register(tmp_path: Path, text: str = TEXT) -> Register:
    file = tmp_path / "contracts.yaml"
    file.write_text(text, encoding="utf-8")
    return load_register(file)


def issue(*events: LabelsChanged, **changed: Any) -> Issue:
    plain: dict[str, Any] = {
        "ref": IssueRef("here", "CAR", "CAR-1", "1"),
        "title": "The wipers stop",
        "type": Word("1", "Bug"),
        "status": Word("1", "Open"),
        "state": State.OPEN,
        "reporter": CUSTOMER,
        "opened_at": OPENED,
        "updated_at": OPENED,
        "events": (Opened(id="opened", at=OPENED, actor=CUSTOMER), *events),
    }
    return Issue(**{**plain, **changed})


def a_contract(last: date) -> Register:
    term = Term(begins=last.replace(year=last.year - 1), duration=CalendarMonths(12))
    return Register(
        (Contract(id="acme-1", customer="Acme", zone=SHANGHAI, term=term, match=(Match(project=("CAR",)),)),)
    )


IN, OUT = a_contract(date(2026, 12, 31)), a_contract(date(2026, 2, 28))


def destination(language: str = "en") -> Destination:
    return Destination(tracker="here", prefix="warranty", phrases=load_phrases(language), zone=SHANGHAI)


def pack() -> PolicyPack:
    return PolicyPack.model_validate(PACK).with_calendars({"always": ALWAYS})


def changes(one: Issue) -> list[Relabel | UpsertComment]:
    judged = Judged(one, judge(one, pack(), NOW))
    found = plan([judged], [pack()], {"here": destination()}, limits=Limits(), now=NOW)
    return [each.change for each in found.changes if isinstance(each.change, Relabel | UpsertComment)]


# ------------------------------------------------------------------------------------------------------------ the files


def test_a_register_is_loaded_from_its_file(tmp_path: Path) -> None:
    (contract,) = register(tmp_path).contracts
    assert (contract.id, contract.term.begins, str(contract.zone)) == ("acme-1", date(2026, 3, 1), "Asia/Shanghai")


def test_every_mistake_of_a_register_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = TEXT + (
        "    supersedes: [acme-9]\n"
        "    clauses: {defect: {cover: inclded, clause: '4'}}\n"
        "  - {id: acme-1, customer: B, match: [{projct: X}], begins: {}, duration: 12}\n"
    )
    with pytest.raises(InputError) as refused:
        register(tmp_path, text)
    told = [(problem.line, problem.path, problem.nearest) for problem in refused.value.problems]
    assert (8, "contracts[0].supersedes[0]", "") in told
    assert (9, "contracts[0].clauses.defect.cover", "included") in told
    assert (10, "contracts[1].id", "") in told
    assert (10, "contracts[1].match[0].projct", "project") in told
    assert (10, "contracts[1].begins", "") in told
    assert (10, "contracts[1].duration", "") in told


def test_a_contract_id_that_stands_twice_is_told_with_its_line(tmp_path: Path) -> None:
    again = TEXT + TEXT.partition("contracts:\n")[2]
    with pytest.raises(InputError) as refused:
        register(tmp_path, again)
    (problem,) = refused.value.problems
    assert (problem.line, problem.path, problem.found) == (8, "contracts[1].id", "'acme-1'")


def test_a_table_is_loaded_from_its_file_and_becomes_a_register(tmp_path: Path) -> None:
    table = tmp_path / "contracts.csv"
    table.write_text("id,customer,accepted,duration,match_project\nacme-1,Acme,2026-03-01,12mo,CAR\n", encoding="utf-8")
    assert register(tmp_path, as_yaml(load_table(table, "Asia/Shanghai"))) == register(tmp_path)


def test_the_mistakes_of_a_table_are_told_with_file_line_and_column(tmp_path: Path) -> None:
    table = tmp_path / "contracts.csv"
    table.write_text("id,customer,accepted,duration,match_project\na,A,yesterday,12,CAR\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_table(table)
    assert [(problem.file, problem.line, problem.path) for problem in refused.value.problems] == [
        (str(table), 2, "accepted"),
        (str(table), 2, "duration"),
    ]


def test_a_table_that_is_not_text_says_so(tmp_path: Path) -> None:
    table = tmp_path / "contracts.csv"
    table.write_bytes("客户".encode("gbk"))
    with pytest.raises(InputError, match="a table of contracts \\(CSV\\) in UTF-8"):
        load_table(table)
    with pytest.raises(InputError, match="no such file; expected a table of contracts"):
        load_table(tmp_path / "none.csv")


# ------------------------------------------------------------------------------------------------------------ the label


def test_the_coverage_is_shown_as_an_exclusive_label() -> None:
    assert changes(covered(issue(), IN, NOW)) == [Relabel(add=("warranty::coverage::in",))]
    stale = covered(issue(labels=frozenset({"warranty::coverage::unknown", "vip"})), IN, NOW)
    assert changes(stale) == [Relabel(add=("warranty::coverage::in",), remove=("warranty::coverage::unknown",))]


def test_the_label_that_is_right_already_is_left_alone() -> None:
    assert changes(covered(issue(labels=frozenset({"warranty::coverage::in"})), IN, NOW)) == []


def test_without_a_register_nothing_is_said_of_coverage() -> None:
    assert changes(issue(labels=frozenset({"warranty::coverage::in"}))) == []


def test_a_persons_label_stays_and_ours_gives_way() -> None:
    put = LabelsChanged(id="l1", at=NOW, actor=JANE, added=("warranty::coverage::goodwill",))
    both = frozenset({"warranty::coverage::goodwill", "warranty::coverage::out"})
    assert changes(covered(issue(put, labels=both), OUT, NOW)) == [Relabel(remove=("warranty::coverage::out",))]


@pytest.mark.parametrize(("state", "told"), [(State.OPEN, True), (State.CLOSED, False), (None, True)])
def test_what_is_out_of_warranty_is_never_silent_while_it_is_open(state: State | None, *, told: bool) -> None:
    found = changes(covered(issue(state=state), OUT, NOW))
    assert [isinstance(change, UpsertComment) for change in found] == ([True, False] if told else [False])


def test_an_issue_out_of_warranty_has_a_clock_of_its_own() -> None:
    standing = {v.clock: v.status for v in judge(covered(issue(), OUT, NOW), pack(), NOW)}
    assert standing == {
        "first_response": Status.RUNNING,
        "paid_response": Status.RUNNING,
        "resolution": Status.NOT_APPLICABLE,
    }


def test_an_unknown_coverage_blocks_no_response_clock() -> None:
    standing = {v.clock: v.status for v in judge(covered(issue(), Register(), NOW), pack(), NOW)}
    assert standing == {
        "first_response": Status.RUNNING,
        "paid_response": Status.NOT_APPLICABLE,
        "resolution": Status.RUNNING,
    }


# ---------------------------------------------------------------------------------------------------------- the comment

WINDOW = Window(date(2026, 3, 1), date(2027, 3, 1), OPENED, NOW, "Asia/Shanghai")
PLAIN = Coverage(
    decision=Decision.IN,
    computed=Decision.IN,
    ground=Ground.WITHIN_TERM,
    computed_ground=Ground.WITHIN_TERM,
    reported_at=OPENED,
)


def line(coverage: Coverage, language: str = "en") -> str:
    one = replace(issue(), coverage=coverage)
    document = note(Judged(one, ()), pack(), destination(language))
    (first, *_rest) = [block for block in document.blocks if isinstance(block, Paragraph)]
    return "".join(text.text for text in first.runs)


def test_the_comment_names_contract_window_clause_and_documents() -> None:
    told = replace(PLAIN, contract="acme-1", window=WINDOW, clause="4.1", documents=("A1", "L7"))
    assert line(told) == (
        "Coverage: in warranty (reported within the term)."
        " Contract acme-1 covers 2026-03-01 to 2027-03-01 (Asia/Shanghai). Clause: 4.1. The end rests on: A1; L7."
    )


def test_the_comment_shows_whose_decision_it_is_and_what_the_register_says() -> None:
    told = replace(PLAIN, decision=Decision.GOODWILL, ground=Ground.BY_HAND, overridden_by="Jane", contract="acme-1")
    assert line(replace(told, computed=Decision.OUT, computed_ground=Ground.ENDED)) == (
        "Coverage: goodwill (decided by a person). Contract: acme-1."
        " Jane decided this; the register says: out of warranty (reported after the term ended)."
    )


def test_the_comment_names_all_contracts_that_claim_an_issue() -> None:
    told = replace(PLAIN, decision=Decision.DISPUTED, ground=Ground.SEVERAL_CONTRACTS, candidates=("a", "b"))
    assert line(told) == "Coverage: disputed (several contracts cover it). Contracts that claim it: a, b."


def test_the_comment_names_what_is_missing_of_the_history() -> None:
    told = replace(PLAIN, decision=Decision.UNKNOWN, ground=Ground.HISTORY_GAP, gap="history entries not delivered: 2")
    assert line(told) == (
        "Coverage: unknown (a part of its history is missing). Missing: history entries not delivered: 2."
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_decision_and_ground_has_words_in_every_language(language: str) -> None:
    for decision in Decision:
        for ground in Ground:
            assert line(replace(PLAIN, decision=decision, ground=ground), language)


# ------------------------------------------------------------------------------------------------------------ the cases


def test_a_pack_case_may_tell_the_coverage_and_that_a_person_changed_it() -> None:
    case = {
        "opened": "2026-03-02T09:00:00+08:00",
        "now": "2026-03-02T12:00:00+08:00",
        "expect": {"paid_response": {"status": "running", "started": "2026-03-02T10:00:00+08:00"}},
    }
    turned = {"at": "2026-03-02T10:00:00+08:00", "coverage": "out"}
    file = CaseFile.model_validate(
        {
            "cases": [
                {**case, "name": "out after an hour", "coverage": "in", "events": [turned]},
                {**case, "name": "no register, a person decides", "events": [turned]},
                {
                    **case,
                    "name": "in from the start",
                    "coverage": "in",
                    "expect": {"paid_response": {"status": "not_applicable"}},
                    "changes": ["add label warranty::coverage::in"],
                },
                {**case, "name": "no register", "expect": {"resolution": {"status": "running"}}, "changes": []},
            ]
        }
    )
    assert [(result.name, result.differences) for result in run_cases(pack(), file, load_phrases("en"))] == [
        ("out after an hour", ()),
        ("no register, a person decides", ()),
        ("in from the start", ()),
        ("no register", ()),
    ]
