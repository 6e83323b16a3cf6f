"""``explain --replay`` and sites whose policy has versions: what is told, from where, and under which digests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.ledger import Ledger
from flows import collecting
from flows.exit_codes import Exit
from flows.site import Site
from policies.problem import InputError
from tests.flows.workshop import NOW, at
from tests.memory_server import CLOSED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

PACK = """\
id: ours
version: {version}
{begins}
severities: [urgent, high, normal]
clocks:
  first_response:
    stop: first_response
    reopen: ignore
    goals:
      - within: {within}
  resolution:
    stop: {{state: [resolved, closed]}}
    goals:
      - when: {{severity: [urgent, high]}}
        within: 48h
actions:
  - do: label
  - do: comment
  - do: report
"""


def write(path: Path, version: int, within: str, begins: str = "") -> Path:
    path.parent.mkdir(exist_ok=True)
    line = f"effective_from: {begins}" if begins else ""
    path.write_text(PACK.format(version=version, within=within, begins=line), encoding="utf-8")
    return path


@pytest.fixture
def versions(workshop: Workshop) -> Path:
    """The workshop's policy in two versions: from the fifth of March on a first response is due within four hours."""
    folder = workshop.folder / "ours"
    write(folder / "v1.yaml", 1, "24h")
    write(folder / "v2.yaml", 2, "30m", "2026-03-05T00:00:00+08:00")
    workshop.edit("pack: standard-warranty", "pack: ours")
    return folder


@pytest.fixture
def single(workshop: Workshop) -> Path:
    path = write(workshop.folder / "own.yaml", 1, "24h")
    workshop.edit("pack: standard-warranty", "pack: own.yaml")
    return path


# ------------------------------------------------------------------------------------------------------------ versions


@pytest.mark.usefixtures("versions")
def test_each_issue_of_a_run_is_judged_by_the_version_in_force_when_it_was_opened(warranty: Command) -> None:
    document = warranty("plan", "--json").document
    found = {one["key"]: (one["policy"], one["verdicts"][0]["goal"]) for one in document["issues"]}
    assert found == {"CAR-1": ("ours@1", "24h"), "CAR-2": ("ours@2", "30m"), "VAN-1": ("ours@2", "30m")}
    assert document["policy"] == "ours@2"


@pytest.mark.usefixtures("versions")
def test_a_second_run_under_versions_writes_nothing(warranty: Command) -> None:
    warranty("apply")
    assert warranty("apply", "--json").document["receipts"] == []


def test_a_list_of_files_is_a_policy_too(workshop: Workshop, versions: Path, warranty: Command) -> None:
    workshop.edit("pack: ours", f"pack: [{versions.name}/v2.yaml, {versions.name}/v1.yaml]")
    assert warranty("explain", "CAR-1", "--json").document["policy"] == "ours@1"
    assert Site.load(workshop.file).policies().own.on(at("04 12:00")).name == "ours@1"


def test_versions_that_begin_at_one_instant_are_told_with_file_and_line(workshop: Workshop, versions: Path) -> None:
    write(versions / "v3.yaml", 3, "8h", "2026-03-04T16:00:00Z")
    with pytest.raises(InputError, match=r"v3\.yaml:3 at effective_from: found 2026-03-04T16:00:00"):
        Site.load(workshop.file).policies()


def test_an_issue_older_than_the_policy_is_a_line_in_plan_json_and_report(
    workshop: Workshop, single: Path, warranty: Command
) -> None:
    write(single, 1, "24h", "2026-03-05T00:00:00+08:00")
    said = warranty("plan")
    assert "Without a promise" in said.out
    assert "the issue is older than the policy" in said.out
    document = warranty("plan", "--json").document
    assert [line["key"] for line in document["without_goal"]["north"]] == ["CAR-1", "CAR-2"]
    assert not [change for change in document["plan"]["changes"] if change["issue"] == "CAR-1"]
    warranty("apply")
    report = next(each for each in workshop.north.records("CAR") if "warranty::report" in each.labels)
    assert "the issue is older than the policy" in report.description


def test_a_folder_of_versions_is_checked_with_its_cases(command: Command, versions: Path) -> None:
    cases = """\
cases:
  - name: opened under the first version
    opened: 2026-03-04T09:00:00+08:00
    now: 2026-03-05T09:00:00+08:00
    expect: {first_response: {status: at_risk, goal: 24h}}
  - name: opened under the second version
    opened: 2026-03-05T09:00:00+08:00
    now: 2026-03-05T10:00:00+08:00
    expect: {first_response: {status: overdue, goal: 30m}}
"""
    (versions / "ours.cases.yaml").write_text(cases, encoding="utf-8")
    said = command("check", str(versions))
    assert (said.code, "2 of 2 cases agree" in said.out) == (Exit.FINE, True), said.out + said.err


# ------------------------------------------------------------------------------------------------------------- replays


@pytest.mark.usefixtures("single")
def test_as_judged_tells_what_the_ledger_holds_and_asks_no_tracker(
    warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object) -> None:
        raise AssertionError("a tracker was asked")

    warranty("plan", now=at("03 10:00"))
    warranty("plan", now=at("05 10:00"))
    monkeypatch.setattr(collecting, "reading", refused)
    said = warranty("explain", "CAR-1", "--replay", "as-judged")
    assert "replay as judged" in said.out
    document = warranty("explain", "CAR-1", "--replay", "as-judged", "--json").document
    responses = [row for row in document["verdicts"] if row["clock"] == "first_response"]
    assert document["replay"] == "as-judged"
    assert [row["status"] for row in responses] == ["running", "overdue"]
    assert all(row["digest"] and row["policy"] == "ours@1" for row in responses)
    early = warranty("explain", "CAR-1", "--replay", "as-judged", "--at", at("04 00:00").isoformat(), "--json")
    assert {row["judged_at"][:10] for row in early.document["verdicts"]} == {"2026-03-03"}


def test_as_judged_shows_a_correction_beside_the_verdict_it_corrects(
    workshop: Workshop, single: Path, warranty: Command
) -> None:
    warranty("plan")
    # From here on CAR-2 lies behind the cursor: nothing but the policy brings it back.
    workshop.north.comment(workshop.north.find("CAR-1"), "Sorry for the wait", by="lena", at=NOW + timedelta(hours=1))
    warranty("plan", now=NOW + timedelta(hours=2))
    told = warranty("explain", "CAR-2", "--replay", "as-judged").out
    warranty("plan", now=NOW + timedelta(hours=3))
    assert warranty("explain", "CAR-2", "--replay", "as-judged").out == told
    write(single, 2, "30m")
    later = NOW + timedelta(days=1)
    workshop.south.now = workshop.north.now = later
    warranty("plan", now=later)
    once = warranty("explain", "CAR-2", "--replay", "as-judged").out
    warranty("plan", now=later + timedelta(minutes=1))
    assert warranty("explain", "CAR-2", "--replay", "as-judged").out == once
    rows = warranty("explain", "CAR-2", "--replay", "as-judged", "--json").document["verdicts"]
    *before, first, second = (row for row in rows if row["clock"] == "first_response")
    assert not any(row["correction"] for row in before)
    assert (first["status"], second["status"]) == ("met", "missed")
    assert (second["correction_of"], first["correction"]) == (first["number"], "")
    assert second["correction"].startswith("policy ours@1 (")
    assert f"corrects {first['number']}: policy" in warranty("explain", "CAR-2", "--replay", "as-judged").out


def test_as_then_is_blind_to_what_happened_later(workshop: Workshop, versions: Path, warranty: Command) -> None:
    assert versions.is_dir()
    then = at("06 10:20")
    before = warranty("explain", "CAR-2", "--replay", "as-then", "--at", then.isoformat(), "--json").document
    workshop.north.set_status(workshop.north.find("CAR-2"), CLOSED, by="lena", at=at("07 17:00"))
    after = warranty("explain", "CAR-2", "--replay", "as-then", "--at", then.isoformat(), "--json").document
    assert (before["replay"], before["policy"]) == ("as-then", "ours@2")
    assert before["verdicts"] == after["verdicts"]
    assert before["verdicts"][0]["status"] == "running"
    said = warranty("explain", "CAR-2", "--replay", "as-then")
    assert "replay as then: by the versions in force at that instant" in said.out
    assert f"policy digest {before['digest']}, calendars digest {before['calendar_digest']}" in said.out


@pytest.mark.usefixtures("single")
def test_as_if_judges_by_a_candidate_that_is_in_force_nowhere_and_writes_nothing(
    workshop: Workshop, warranty: Command
) -> None:
    candidate = write(workshop.folder / "candidate.yaml", 7, "30m", "2030-01-01T00:00:00Z")
    document = warranty("explain", "CAR-2", "--replay", "as-if", "--pack", str(candidate), "--json").document
    assert (document["replay"], document["policy"], document["verdicts"][0]["status"]) == ("as-if", "ours@7", "missed")
    said = warranty("explain", "CAR-2", "--replay", "as-if", "--pack", str(candidate))
    assert "replay as if: by a candidate" in said.out
    with Ledger.open(f"sqlite:///{workshop.folder}/.warranty/workshop.db") as ledger:
        assert ledger.history("workshop", "CAR-2") == ()


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--replay", "as-if"), "needs a candidate: add --pack PACK"),
        (("--replay", "as-then", "--pack", "standard-warranty"), "takes no --pack"),
        (("--replay", "as-judged", "--pack", "standard-warranty"), "takes no --pack"),
        (("--replay", "as-judged"), "the ledger holds no verdict of CAR-1"),
        (("--at", "2026-03-05T00:00:00Z"), "--pack and --at go with --replay"),
        (("--pack", "standard-warranty"), "--pack and --at go with --replay"),
        (("--replay", "as-before"), "as-before"),
    ],
)
def test_a_replay_asked_for_wrongly_is_refused_with_what_to_do(
    warranty: Command, arguments: tuple[str, ...], why: str
) -> None:
    said = warranty("explain", "CAR-1", *arguments)
    assert said.code == Exit.BAD_INPUT
    assert why in said.err


# ------------------------------------------------------------------------------------------------------------- signals


@pytest.mark.usefixtures("single")
def test_signals_stand_in_plan_explain_and_json_and_in_no_comment(workshop: Workshop, warranty: Command) -> None:
    said = warranty("plan")
    assert "Worth a look" in said.out
    assert "the first response is nothing but an acknowledgement" in said.out
    document = warranty("plan", "--json").document
    assert document["signals"]["north"] == {"hollow_response": 1}
    (signal,) = next(one for one in document["issues"] if one["key"] == "CAR-2")["signals"]
    assert (signal["kind"], signal["clock"], signal["at"]) == (
        "hollow_response",
        "first_response",
        "2026-03-06T03:00:00Z",
    )
    assert "nothing but an acknowledgement" in warranty("explain", "CAR-2").out
    assert warranty("explain", "CAR-2", "--json").document["signals"] == [signal]
    warranty("apply")
    (overdue,) = (each.raw for each in workshop.north.find("CAR-1").notes)
    assert "first response" in overdue
    assert "acknowledgement" not in overdue + str(workshop.north.find("CAR-2").notes)
