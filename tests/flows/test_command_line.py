"""The command line: what it imports, how it says no, and that its help tells the truth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from flows import cli, exit_codes, instant
from flows.exit_codes import Exit
from flows.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

# Runs one command line over the workshop and then tells whether Prefect, or a tracker's library, was imported.
PROGRAM = """
import os, sys
from pathlib import Path
from tests.flows import workshop
place = workshop.build(Path.cwd())
os.environ["WORKSHOP_TOKEN"] = workshop.TOKEN
if "radar" in sys.argv:
    place.edit("zone: Asia/Shanghai\\n", "zone: Asia/Shanghai\\ncontracts: contracts.yaml\\n")
    from policies.loader import load_table
    from policies.register_csv import as_yaml
    Path("contracts.yaml").write_text(as_yaml(load_table(Path("contracts.csv"), "UTC")), encoding="utf-8")
from flows import cli
code = cli.run([part.replace("SITE", str(place.file)) for part in sys.argv[1:]])
found = sorted({name.split(".")[0] for name in sys.modules} & {"prefect", "fastapi", "jira", "gitlab"})
print("IMPORTED", int(code), *found)
"""

CASE: dict[str, Any] = {
    "id": "one",
    "kind": "elapsed",
    "calendar": {
        "tz": "UTC",
        "weekly": {str(day): [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    },
    "start": "2026-03-02T10:00:00Z",
    "end": "2026-03-02T12:00:00Z",
    "events": [],
    "target_minutes": None,
    "expected": {"elapsed_minutes": 120},
    "own_check": {},
    "agreement": "agrees",
    "tags": [],
}

MAP = str(Path(__file__).resolve().parents[2] / "docs" / "examples" / "servicenow-map.yaml")
CONTRACTS = "id,customer,accepted,duration,match_project\nnorth-1,North,2025-04-01,12mo,CAR\n"
INCIDENT: dict[str, Any] = {
    "id": "INC1",
    "opened_at": "2026-03-02T10:00:00",
    "created_at": "2026-03-02T10:00:00",
    "resolved_at": None,
    "closed_at": None,
    "priority": "3 - Moderate",
    "reopen_count": 0,
    "history": [{"at": "2026-03-02T10:00:00", "mod": 0, "changed": {"state": "New", "priority": "3 - Moderate"}}],
}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("plan", "--site", "SITE", "--now", "2026-03-09T04:00:00Z"),
        ("apply", "--site", "SITE", "--now", "2026-03-09T04:00:00Z"),
        ("explain", "CAR-1", "--site", "SITE"),
        ("doctor", "--site", "SITE"),
        ("check", "standard-warranty"),
        ("cases", "cases.jsonl"),
        ("explain", "CAR-1", "--site", "SITE", "--replay", "as-then", "--now", "2026-03-09T04:00:00Z"),
        ("lint", "standard-warranty"),
        ("lint", "standard-warranty", "--site", "SITE", "--now", "2026-03-09T04:00:00Z"),
        ("schema",),
        ("schema", "--markdown"),
        ("calendars", "freeze", "CN", "2024-2026", "--json"),
        ("contracts", "import", "contracts.csv"),
        ("judge", "incidents.jsonl", "--map", MAP, "--pack", "standard-warranty"),
        ("radar", "--site", "SITE", "--now", "2026-03-09T04:00:00Z"),
        ("sandbox", "--help"),
        ("enforce", "--help"),
        ("demo", "--help"),
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_no_command_but_an_orchestrated_one_imports_prefect(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "cases.jsonl").write_text(json.dumps(CASE) + "\n", encoding="utf-8")
    (tmp_path / "contracts.csv").write_text(CONTRACTS, encoding="utf-8")
    (tmp_path / "incidents.jsonl").write_text(json.dumps(INCIDENT) + "\n", encoding="utf-8")
    root = str(__file__).rsplit("/tests/", 1)[0]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": root, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "IMPORTED 0", done.stdout + done.stderr
    assert done.stderr == ""


def test_the_help_shows_every_exit_code_with_its_meaning(command: Command) -> None:
    said = command("--help")
    assert said.code == Exit.FINE
    for code, meaning in exit_codes.MEANING.items():
        assert f"{code.value:>4}  {meaning}" in said.out
    assert set(exit_codes.MEANING) == set(Exit)


def _named(group: click.Group) -> Iterator[str]:
    """Every command under a group by the words it is called with."""
    for name, found in group.commands.items():
        if isinstance(found, click.Group):
            yield from (f"{name} {below}" for below in _named(found))
        else:
            yield name


@pytest.mark.parametrize("name", sorted(_named(cli.cli)))
def test_every_command_has_help_and_json(command: Command, name: str) -> None:
    said = command(*name.split(), "--help")
    assert said.code == Exit.FINE
    assert "--json" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan",), "Missing option '--site'"),
        (("plan", "--site", "nowhere.yaml"), "no such file"),
        (("plan", "--site", "example-jira", "--now", "yesterday"), "not an instant"),
        (("plan", "--site", "example-jira", "--now", "2026-03-09T04:00:00"), "has no offset"),
        (("check", "standard-waranty"), "did you mean 'standard-warranty'"),
        (("cases", "missing.jsonl"), "does not exist"),
        (("plane",), "No such command"),
    ],
)
def test_bad_input_is_told_in_one_block_without_a_traceback(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    said = command(*arguments)
    assert said.code == Exit.BAD_INPUT
    assert words in said.err
    assert "Traceback" not in said.err


def test_with_json_a_refusal_is_a_document_too(command: Command) -> None:
    said = command("plan", "--site", "nowhere.yaml", "--json")
    assert said.document["exit"] == Exit.BAD_INPUT
    assert "no such file" in said.document["error"]


def test_a_missing_variable_is_named(workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    del workshop
    monkeypatch.delenv("WORKSHOP_TOKEN")
    said = warranty("plan")
    assert said.code == Exit.BAD_INPUT
    assert "WORKSHOP_TOKEN" in said.err


def test_a_defect_is_one_block_and_its_text_is_not_shown(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def tripping(*_: object) -> None:
        raise ZeroDivisionError("secret-in-a-message")

    monkeypatch.setattr("flows.collecting.collect_all", tripping)
    said = warranty("plan")
    assert said.code == Exit.DEFECT
    assert "ZeroDivisionError" in said.err
    assert "secret-in-a-message" not in said.err
    monkeypatch.setenv("WARRANTY_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        warranty("plan")


def test_an_interrupt_ends_with_its_own_code(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.collecting.collect_all", interrupted)
    assert warranty("plan").code == Exit.INTERRUPTED


def test_a_ledger_that_is_none_is_told_and_left_as_it_is(workshop: Workshop, warranty: Command) -> None:
    (workshop.folder / ".warranty").mkdir()
    file = workshop.folder / ".warranty" / "workshop.db"
    file.write_text("this is a letter, not a database\n" * 50, encoding="utf-8")
    said = warranty("plan")
    assert said.code == Exit.BAD_INPUT
    assert "workshop.db" in said.err
    assert file.read_text(encoding="utf-8").startswith("this is a letter")


def test_an_instant_is_read_with_its_offset_and_kept_in_utc() -> None:
    assert instant.read("2026-03-09T12:00:00+08:00").isoformat() == "2026-03-09T04:00:00+00:00"
    assert instant.read(None).microsecond == 0
    with pytest.raises(Refusal):
        instant.read("2026-03-09")
    with pytest.raises(Refusal, match="--at '2026-03-09' has no offset") as refused:
        instant.read("2026-03-09", "--at")
    assert "2026-03-09T00:00:00Z" in refused.value.advice


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"]
)
def test_an_instant_that_no_calendar_knows_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="no calendar knows"):
        instant.read(text)


def test_an_empty_key_names_no_issue(command: Command) -> None:
    said = command("explain", " ", "--site", "sandbox")
    assert (said.code, said.err.splitlines()[0]) == (Exit.BAD_INPUT, "error: an empty key names no issue")


def test_cases_that_agree_end_fine_and_one_that_differs_does_not(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(CASE) + "\n", encoding="utf-8")
    assert command("cases", str(file)).code == Exit.FINE
    file.write_text(json.dumps({**CASE, "expected": {"elapsed_minutes": 121}}) + "\n", encoding="utf-8")
    said = command("cases", str(file), "--json")
    assert said.code == Exit.FOUND
    assert [one["id"] for one in said.document["differ"]] == ["one"]
    assert "one" in command("cases", str(file)).out


@pytest.mark.parametrize("line", ["no json", "[]", '{"id": 1}', json.dumps({**CASE, "start": "never"})])
def test_a_line_that_is_no_case_is_named(command: Command, tmp_path: Path, line: str) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(CASE) + "\n" + line + "\n", encoding="utf-8")
    said = command("cases", str(file))
    assert said.code == Exit.BAD_INPUT
    assert "cases.jsonl:2" in said.err


def test_a_file_without_a_case_proves_nothing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text("\n", encoding="utf-8")
    said = command("cases", str(tmp_path / "cases.jsonl"))
    assert said.code == Exit.BAD_INPUT
    assert "found no case" in said.err


@pytest.mark.shared_data
def test_no_shared_case_differs(command: Command, shared_data: Path) -> None:
    said = command("cases", str(shared_data / "clock_cases.jsonl"), "--json")
    assert said.code == Exit.FINE
    assert said.document["agree"] > 200


def test_the_shipped_packs_cases_agree(command: Command) -> None:
    said = command("check", "standard-warranty", "--json")
    assert said.code == Exit.FINE
    assert said.document["failed"] == []
    assert said.document["cases"] > 10


def test_a_pack_with_mistakes_tells_all_of_them(command: Command, tmp_path: Path) -> None:
    pack = tmp_path / "bad.yaml"
    pack.write_text(
        "id: Bad Name\nversion: 0\ncalender: x\nclocks:\n  answer: {stop: frist_response, goals: [{within: 8q}]}\n",
        encoding="utf-8",
    )
    said = command("check", str(pack))
    assert said.code == Exit.BAD_INPUT
    assert len([line for line in said.err.splitlines() if "bad.yaml:" in line]) >= 5
