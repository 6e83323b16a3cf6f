"""The doctor: what would fail later is found now, each with what to do."""

from __future__ import annotations

import importlib.metadata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connectors.tracker import Words
from flows.exit_codes import Exit
from policies.issue import Word

if TYPE_CHECKING:
    from tests.flows.conftest import Command, Said
    from tests.flows.workshop import Workshop


def bad(said: Said) -> list[dict[str, Any]]:
    return [finding for finding in said.document["findings"] if not finding["ok"]]


def test_a_healthy_site_has_nothing_to_mend(warranty: Command) -> None:
    said = warranty("doctor", "--json")
    assert bad(said) == []
    assert said.code == Exit.FINE
    subjects = {finding["subject"] for finding in said.document["findings"]}
    assert subjects >= {"package flows", "package jira", "Prefect and FastAPI", "pack", "ledger", "north: project CAR"}


def test_a_doctor_writes_nothing(workshop: Workshop, warranty: Command) -> None:
    warranty("doctor")
    assert not [name for server in workshop.servers() for name in server.requests if not name.startswith("GET")]


def test_a_wrong_token_is_found_for_each_tracker(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_TOKEN", "wrong-token-987")
    said = warranty("doctor", "--json")
    assert said.code == Exit.FOUND
    assert {finding["subject"] for finding in bad(said)} >= {"north", "south"}
    assert all("token is right" in finding["advice"] for finding in bad(said))
    assert "wrong-token-987" not in said.out


def test_a_missing_variable_is_a_finding_and_stops_no_other_check(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.edit(
        "url: http://127.0.0.1/south\n    token: {env: WORKSHOP_TOKEN}", "url: http://x\n    token: {env: NONE_SUCH}"
    )
    del monkeypatch
    (finding,) = bad(warranty("doctor", "--json"))
    assert finding["subject"] == "south"
    assert "NONE_SUCH is not set" in finding["detail"]


def test_an_unknown_project_is_found(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("projects: [CAR]", "projects: [CAT]")
    subjects = {finding["subject"] for finding in bad(warranty("doctor", "--json"))}
    assert "north: project CAT" in subjects


def test_words_that_mean_nothing_come_with_the_line_to_add(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words(
        (Word("7", "处理中", "indeterminate"), Word("8", "Wating for customer"), Word("9", "Zzz", "done")),
        (Word("9", "Highest"),),
    )
    monkeypatch.setattr("tests.memory_tracker.MemoryReader.words", lambda *_: words)
    advice = [finding["advice"] for finding in bad(warranty("doctor", "--json"))]
    assert "add `\"处理中\": in_progress` under states of 'north' in workshop.yaml" in advice
    assert "add `\"Wating for customer\": waiting_for_customer` under states of 'north' in workshop.yaml" in advice
    assert "add `\"Zzz\": resolved` under states of 'north' in workshop.yaml" in advice
    assert "add `\"Highest\": high` under severities of 'north' in workshop.yaml" in advice


def test_a_severity_the_pack_does_not_know_is_found(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("High: high", "High: hihg")
    (finding,) = bad(warranty("doctor", "--json"))
    assert finding["advice"] == "write 'high' in workshop.yaml"


def test_a_severity_that_the_policy_of_a_contract_does_not_know_is_found(workshop: Workshop, warranty: Command) -> None:
    contract = (
        "{id: a, customer: A, match: [{project: CAR}], begins: {accepted: 2025-04-01}, duration: 12mo, policy: p}"
    )
    (workshop.folder / "contracts.yaml").write_text(f"contracts: [{contract}]\n", encoding="utf-8")
    pack = "id: p\nversion: 1\nclocks: {answer: {stop: first_response, goals: [{within: 24h}]}}\n"
    (workshop.folder / "p.yaml").write_text(pack + "severities: [P1, normal]\n", encoding="utf-8")
    workshop.edit("zone: Asia/Shanghai\n", "zone: Asia/Shanghai\ncontracts: contracts.yaml\ncontract_packs: [p.yaml]\n")
    (finding,) = bad(warranty("doctor", "--json"))
    assert (finding["subject"], finding["detail"]) == ("north: severity 'high'", "p@1 knows P1, normal")
    assert finding["advice"] == "declare it in p@1, or write a word in workshop.yaml that every pack knows"
    (workshop.folder / "p.yaml").write_text(pack, encoding="utf-8")
    assert bad(warranty("doctor", "--json")) == []


def test_a_calendar_that_ends_before_now_is_found(warranty: Command) -> None:
    (finding,) = bad(warranty("doctor", "--json", now=datetime(2031, 3, 3, tzinfo=UTC)))
    assert finding["subject"] == "calendar cn-office"


def test_nobody_to_answer_is_found(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("    responders: [lena]\n    tiers: {L1: lena, L2: otto, L3: kim}\n", "")
    (finding,) = bad(warranty("doctor", "--json"))
    assert "nobody is a responder" in finding["detail"]


def test_a_shadowed_package_is_found(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.packages_distributions()
    monkeypatch.setattr(
        importlib.metadata, "packages_distributions", lambda: {**real, "connectors": ["warranty-flows", "connectors"]}
    )
    (finding,) = bad(warranty("doctor", "--json"))
    assert finding["subject"] == "package connectors"
    assert "environment of its own" in finding["advice"]


def test_a_pair_of_versions_that_breaks_the_server_is_found(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.165.0" if name == "fastapi" else real(name))
    (finding,) = bad(warranty("doctor", "--json"))
    assert finding["subject"] == "Prefect and FastAPI"


def test_a_ledger_that_does_not_open_is_found(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("zone:", "ledger: nosuchdatabase://x\nzone:")
    (finding,) = bad(warranty("doctor", "--json"))
    assert finding["subject"] == "ledger"
