"""The shipped site over the real sandbox: both trackers, over HTTP, with the demo's scenario."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.ledger import Ledger
from connectors.sandbox.faults import Fault
from connectors.sandbox.scenario import read
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from flows.exit_codes import Exit
from tests.flows.conftest import Command, Said

ROOT = Path(__file__).resolve().parent.parent.parent
LATER = "2026-11-20T16:10:00+08:00"
Warranty = Callable[..., Said]


@dataclass
class Stage:
    """The sandbox, and ``warranty COMMAND`` on its site."""

    store: Store
    sandbox: Sandbox
    warranty: Warranty


@pytest.fixture
def stage(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    store = read("warranty").store()
    with Sandbox(store) as sandbox:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("WARRANTY_SANDBOX_URL", f"http://127.0.0.1:{sandbox.port}")
        monkeypatch.setenv("WARRANTY_SANDBOX_TOKEN", "sandbox-token")
        monkeypatch.setenv("WARRANTY_SANDBOX_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")

        def run(*arguments: str) -> Said:
            return command(*arguments, "--site", "sandbox", "--now", LATER)

        yield Stage(store, sandbox, run)


def writes(stage: Stage) -> list[str]:
    """Requests that change something, as the server noted them; GraphQL queries are told by their first word."""
    return [
        f"{request.method} {request.path}"
        for request in stage.store.requests
        if request.method != "GET" and not _reads(request.path, request.body)
    ]


def _reads(path: str, body: Any) -> bool:
    if path.endswith(("search/jql", "changelog/bulkfetch", "/search")):
        return True
    return path.endswith("/graphql") and not str((body or {}).get("query", "")).lstrip().startswith("mutation")


def test_a_plan_reads_both_trackers_and_writes_to_neither(stage: Stage) -> None:
    said = stage.warranty("plan", "--json")
    assert said.code == Exit.FINE
    assert {issue["tracker"] for issue in said.document["issues"]} == {"jira", "gitlab"}
    assert len(said.document["plan"]["changes"]) > 40
    assert writes(stage) == []


def test_apply_writes_once_and_even_without_a_ledger_nothing_is_left(stage: Stage, tmp_path: Path) -> None:
    first = stage.warranty("apply", "--json")
    assert first.code == Exit.FINE
    assert {one["outcome"] for one in first.document["receipts"]} == {"performed"}
    stage.store.requests.clear()
    assert stage.warranty("apply", "--json").document["plan"]["changes"] == []
    (tmp_path / "ledger.db").unlink()
    assert stage.warranty("apply", "--json").document["plan"]["changes"] == []
    assert writes(stage) == []


def test_what_was_written_stands_in_the_trackers(stage: Stage) -> None:
    stage.warranty("apply")
    overdue, patched = stage.store.issue("CAR-3"), stage.store.issue("CAR-7")
    assert overdue is not None
    assert patched is not None
    assert set(overdue.labels) >= {"warranty::resolution::overdue", "warranty::tier::L3"}
    assert "warranty::patch::v2.4.1" in patched.labels
    reports = [issue for issue in stage.store.issues.values() if "warranty::report" in issue.labels]
    assert sorted(issue.project for issue in reports) == ["CAR", "acme/car"]


def test_a_site_adopted_now_labels_and_reports_and_sends_no_one_a_message(
    stage: Stage, command: Command, tmp_path: Path
) -> None:
    shipped = ROOT / "flows" / "sites" / "sandbox.yaml"
    site = tmp_path / "adopted.yaml"
    site.write_text(f"adopted_at: {LATER}\n{shipped.read_text(encoding='utf-8')}", encoding="utf-8")
    before = {key: (tuple(each.assignees), each.due, each.priority) for key, each in stage.store.issues.items()}
    arguments = ("--site", str(site), "--now", LATER, "--json")
    first = command("apply", *arguments)
    assert first.code == Exit.FINE
    assert {each["change"]["kind"] for each in first.document["plan"]["changes"]} == {"relabel", "upsert_report"}
    assert {each["reason"] for each in first.document["plan"]["held_back"]} == {"adoption"}
    found = stage.store.issues
    assert {key: (tuple(found[key].assignees), found[key].due, found[key].priority) for key in before} == before
    assert not [each for issue in found.values() for each in issue.comments if each.author == "warranty-bot"]
    assert command("apply", *arguments).document["plan"]["changes"] == []


def test_our_comments_are_hidden_from_the_customer_unless_the_site_says_otherwise(stage: Stage) -> None:
    stage.warranty("apply")
    ours = [
        comment
        for issue in stage.store.issues.values()
        for comment in issue.comments
        if comment.author == "warranty-bot"
    ]
    assert len(ours) > 4
    assert all(comment.internal for comment in ours)


def test_a_confidential_issue_is_not_told_of_in_the_report_or_on_the_terminal(stage: Stage) -> None:
    said = stage.warranty("apply")
    assert "Diagnostic port" not in said.out
    for issue in stage.store.issues.values():
        if "warranty::report" in issue.labels:
            assert "Diagnostic port" not in json.dumps(issue.description)


def test_a_paused_and_reopened_issue_is_explained(stage: Stage) -> None:
    said = stage.warranty("explain", "CAR-6")
    assert said.code == Exit.FINE
    for words in (
        "paused: awaiting customer",
        "status 已解决 -> 处理中",
        "promised within 48h",
        "next change by itself",
    ):
        assert words in said.out


def test_an_issue_of_gitlab_is_explained_by_its_full_reference(stage: Stage) -> None:
    assert "雷达误报障碍物" in stage.warranty("explain", "acme/car#9").out


def test_the_doctor_finds_the_sandbox_in_order(stage: Stage) -> None:
    said = stage.warranty("doctor", "--json")
    assert [finding for finding in said.document["findings"] if not finding["ok"]] == []


def test_the_doctor_finds_a_token_that_may_only_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARRANTY_SANDBOX_TOKEN", "sandbox-read-only")
    said = stage.warranty("doctor", "--json")
    assert said.code == Exit.FOUND
    bad = {finding["subject"].split(":")[0] for finding in said.document["findings"] if not finding["ok"]}
    assert bad == {"jira", "gitlab"}


def test_a_wrong_token_and_a_dead_server_are_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARRANTY_SANDBOX_TOKEN", "nobodys-token")
    wrong = stage.warranty("plan")
    assert wrong.code == Exit.TRACKER
    assert "nobodys-token" not in wrong.out + wrong.err


def test_a_run_killed_while_it_writes_is_finished_by_the_next(stage: Stage, tmp_path: Path) -> None:
    stage.store.faults.add(Fault("latency", method="PUT|POST", seconds=0.02, times=None))
    program = "from flows.cli import main; main()"
    arguments = ["apply", "--site", "sandbox", "--now", LATER]
    child = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until(lambda: len(writes(stage)) >= 8 or child.poll() is not None)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=30)
    assert child.returncode == -signal.SIGKILL
    stage.store.faults.clear()
    assert stage.warranty("apply").code == Exit.FINE
    assert stage.warranty("plan", "--json").document["plan"]["changes"] == []
    for issue in stage.store.issues.values():
        ours = [comment for comment in issue.comments if comment.author == "warranty-bot"]
        assert len(ours) <= 1, issue.key


@pytest.mark.parametrize("command", ["apply", "enforce"])
def test_a_run_that_is_asked_to_end_tidies_up(command: str, stage: Stage, tmp_path: Path) -> None:
    stage.store.faults.add(Fault("latency", method="PUT|POST", seconds=0.02, times=None))
    program = "from flows.cli import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, command, "--site", "sandbox", "--now", LATER],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # A process that stayed behind would hold it open.
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until(lambda: len(writes(stage)) >= 5 or child.poll() is not None)
        child.terminate()
        child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == Exit.INTERRUPTED
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        ledger.take_lease("sandbox", "next", datetime.now(UTC), is_dead=lambda _: False)


def _until(reached: Callable[[], bool]) -> None:
    limit = time.monotonic() + 90
    while not reached():
        assert time.monotonic() < limit
        time.sleep(0.002)


def test_exported_issues_are_served_with_a_site_file_that_can_be_planned(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = {
        "id": "1001",
        "key": "ABC-1",
        "fields": {
            "summary": "Wipers stop",
            "project": {"id": "1", "key": "ABC", "name": "Abc"},
            "issuetype": {"id": "1", "name": "Bug"},
            "status": {"id": "3", "name": "处理中", "statusCategory": {"key": "indeterminate"}},
            "created": "2026-03-02T09:00:00.000+0800",
            "updated": "2026-03-03T09:00:00.000+0800",
            "labels": [],
            "comment": {"comments": [], "total": 0},
        },
        "changelog": {"total": 0, "histories": []},
    }
    (tmp_path / "issues.jsonl").write_text(json.dumps(issue) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    program = "from flows.cli import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, "sandbox", "--port", "0", "--load", "issues.jsonl", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        told = ""
        while not told.rstrip().endswith("}\n}") and not told.endswith("\n}\n"):
            told += child.stdout.readline()
        document = json.loads(told)
        for name, value in document["variables"].items():
            monkeypatch.setenv(name, value)
        options = document["options"].split()
        planned = command("plan", *options, "--now", "2026-03-09T12:00:00+08:00", "--json")
        assert planned.code == Exit.FINE
        assert [one["state"] for one in planned.document["issues"]] == ["in_progress"]
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=30) == 0
        if child.stdout is not None:
            child.stdout.close()


def test_a_file_without_issues_and_an_unknown_scenario_are_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("[1]\n", encoding="utf-8")
    for arguments in (("--load", str(tmp_path / "none.jsonl")), ("--scenario", "waranty")):
        said = command("sandbox", "--port", "0", *arguments)
        assert said.code == Exit.BAD_INPUT
        assert "Traceback" not in said.err


def test_a_port_that_is_taken_is_told(stage: Stage, command: Command) -> None:
    said = command("sandbox", "--port", str(stage.sandbox.port))
    assert said.code == Exit.BAD_INPUT
    assert "choose another with --port" in said.err
