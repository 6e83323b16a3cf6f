"""A site with a register: coverage in a run, the radar, and a register made from a table."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.ledger import Ledger
from flows.exit_codes import Exit
from flows.radar import grids
from policies.radar import Expiring
from tests.flows.workshop import NOW, at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

TABLE = """\
id,customer,accepted,duration,match_project,defect
north-1,North & Sons,2025-04-01,12mo,CAR,included | 4.1
south-1,=South(),2025-03-05,1y,VAN,included | 4.1
"""
REGISTER = """\
zone: Asia/Shanghai
contracts:
  - id: north-1
    customer: North & Sons
    match: [{project: CAR}]
    begins: {accepted: 2025-04-01}
    duration: 12mo
  - id: south-1
    customer: South
    match: [{project: VAN}]
    begins: {accepted: 2025-03-05}
    duration: 1y
"""


@pytest.fixture
def register(workshop: Workshop) -> Path:
    """The site names a register: north is covered until 1 April, south was until 5 March."""
    workshop.edit("zone: Asia/Shanghai\n", "zone: Asia/Shanghai\ncontracts: contracts.yaml\n")
    file = workshop.folder / "contracts.yaml"
    file.write_text(REGISTER, encoding="utf-8")
    return file


@pytest.mark.usefixtures("register")
def test_the_radar_shows_what_ends_soon_with_its_open_covered_issues(workshop: Workshop, warranty: Command) -> None:
    workshop.north.open("CAR", "Horn is mute", by="carla", at=at("07 10:00"))
    said = warranty("radar", "--json")
    assert said.code == Exit.FINE
    (row,) = said.document["contracts"]
    assert (row["contract"], row["last"], row["days_left"], row["within"]) == ("north-1", "2026-04-01", 23, 30)
    assert [(claim["ref"]["key"], claim["decision"]) for claim in row["open"]] == [
        ("CAR-1", "in"),
        ("CAR-2", "in"),
        ("CAR-3", "in"),
    ]
    assert row["open"][0]["breached"] == ["acknowledgement", "assessment"]
    shown = warranty("radar").out
    for words in ("Contracts that end soon", "north-1", "2026-04-01 (Asia/Shanghai)", "23 d", "Brakes squeal"):
        assert words in shown, words


@pytest.mark.usefixtures("register")
def test_a_radar_over_nothing_that_ends_says_so(workshop: Workshop, warranty: Command) -> None:
    (workshop.folder / "contracts.yaml").write_text("contracts: []\n", encoding="utf-8")
    assert "no contract ends within 90 days" in warranty("radar").out


@pytest.mark.usefixtures("register")
def test_a_radar_that_could_not_see_everything_says_so(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("http://127.0.0.1/south", "http://127.0.0.1/dead")
    said = warranty("radar")
    assert said.code == Exit.PARTLY
    assert "north-1" in said.out
    assert "amber" in said.out
    assert any("south" in line for line in warranty("radar", "--json").document["not_whole"])


def test_confidential_issues_are_counted_on_the_radar() -> None:
    row = Expiring(
        contract="a", customer="A", last=date(2026, 4, 1), zone="UTC", days_left=3, within=30, confidential=2
    )
    contracts, claims = grids((row,), "UTC")
    assert contracts.rows == (("30 days", "a", "A", "2026-04-01 (UTC)", "3 d", "2", "0"),)
    assert (claims.rows, claims.note) == ((), "2 confidential issues are counted and not listed")


def test_a_site_without_a_register_has_no_radar(warranty: Command) -> None:
    said = warranty("radar")
    assert said.code == Exit.BAD_INPUT
    assert "has no register of contracts" in said.err


@pytest.mark.usefixtures("register")
def test_an_issue_is_explained_with_its_coverage(warranty: Command) -> None:
    assert "coverage in: within term; contract north-1; 2025-04-01 to 2026-04-01" in warranty("explain", "CAR-1").out
    assert "coverage out: ended; contract south-1; 2025-03-05 to 2026-03-05" in warranty("explain", "VAN-1").out
    assert warranty("explain", "VAN-1", "--json").document["coverage"]["decision"] == "out"


def test_what_no_history_tells_is_named_beside_the_coverage(register: Path, warranty: Command) -> None:
    register.write_text(REGISTER.replace("{project: CAR}", "{project: CAR, reporter: carla}"), encoding="utf-8")
    assert "2025-04-01 to 2026-04-01 (Asia/Shanghai); as it stands now: reporter" in warranty("explain", "CAR-1").out
    assert "as it stands now" not in warranty("explain", "VAN-1").out
    assert warranty("explain", "CAR-1", "--json").document["coverage"]["undated"] == ["reporter"]


def test_an_issue_is_judged_by_the_policy_its_contract_was_agreed_under(register: Path, warranty: Command) -> None:
    register.write_text(REGISTER + "    policy: after-sales\n", encoding="utf-8")
    said = warranty("plan", "--json")
    assert said.code == Exit.FINE
    judged_by = {one["key"]: one["policy"] for one in said.document["issues"]}
    assert judged_by == {"CAR-1": "standard-warranty@1", "CAR-2": "standard-warranty@1", "VAN-1": "after-sales@1"}
    assert {"north", "south", "south (after-sales)"} == set(said.document["summary"]) | {"south"}
    assert warranty("explain", "VAN-1", "--json").document["policy"] == "after-sales@1"
    assert "after-sales@1" in warranty("explain", "VAN-1", "--replay", "as-then").out
    assert "by contract south-1" in warranty("doctor").out
    shown = warranty("plan").out
    assert "2 issues, policy standard-warranty@1, as of" in shown
    assert "1 issue, policy after-sales@1, as of" in shown


def test_a_candidate_is_replayed_on_the_calendar_of_the_contract(register: Path, warranty: Command) -> None:
    register.write_text(REGISTER + "    calendar: always\n", encoding="utf-8")
    for key, calendars in (("CAR-1", {"cn-office", "always"}), ("VAN-1", {"always"})):
        told = warranty("explain", key, "--replay", "as-if", "--pack", "standard-warranty", "--json").document
        assert (key, {one["calendar"] for one in told["verdicts"] if one["calendar"]}) == (key, calendars)


def test_labels_of_the_policy_before_come_off_once_triage_has_found_the_contract(
    workshop: Workshop, register: Path, warranty: Command
) -> None:
    text = REGISTER.replace("{project: CAR}", "{label: north}") + "    policy: standard-warranty\n"
    register.write_text(text.replace("duration: 12mo", "duration: 12mo\n    policy: after-sales"), encoding="utf-8")
    car = workshop.north.find("CAR-1")
    assert warranty("apply").code == Exit.FINE
    assert "warranty::acknowledgement::overdue" in workshop.north.find("CAR-1").labels
    workshop.north.relabel(car, add=("north",), remove=(), by="lena", at=at("09 12:30"))
    later = workshop.north.now = NOW + timedelta(hours=1)
    assert warranty("apply", now=later).code == Exit.FINE
    labels = workshop.north.find("CAR-1").labels
    assert "warranty::acknowledgement::overdue" not in labels
    assert "warranty::first-response::overdue" in labels
    assert warranty("apply", "--json", now=later).document["receipts"] == []


GOLDEN = """\
id: golden
version: 1
clocks:
  answer:
    stop: first_response
    goals:
      - {when: {contract_tier: gold}, within: 4h}
      - {within: 24h}
"""


def test_the_tier_of_a_contract_chooses_the_goal_and_is_shown(
    register: Path, workshop: Workshop, warranty: Command
) -> None:
    (workshop.folder / "golden.yaml").write_text(GOLDEN, encoding="utf-8")
    workshop.edit("pack: standard-warranty\n", "pack: golden.yaml\n")
    register.write_text(REGISTER + "    tier: gold\n", encoding="utf-8")
    assert "; contract south-1, gold; 2025-03-05" in warranty("explain", "VAN-1").out
    assert "; contract north-1; 2025-04-01" in warranty("explain", "CAR-1").out
    south, north = (warranty("explain", key, "--json").document for key in ("VAN-1", "CAR-1"))
    assert (south["coverage"]["tier"], south["verdicts"][0]["goal"]) == ("gold", "4h")
    assert (north["coverage"]["tier"], north["verdicts"][0]["goal"]) == ("", "24h")
    told = {one["key"]: one["coverage"]["tier"] for one in warranty("plan", "--json").document["issues"]}
    assert told == {"CAR-1": "", "CAR-2": "", "VAN-1": "gold"}


def test_a_tier_that_no_contract_of_the_site_agrees_on_is_told_at_its_line(
    register: Path, workshop: Workshop, warranty: Command
) -> None:
    file = workshop.folder / "golden.yaml"
    file.write_text(GOLDEN, encoding="utf-8")

    def told() -> list[tuple[int, str]]:
        found = warranty("lint", str(file), "--json").document["findings"]
        return [(one["line"], one["mend"]) for one in found if "contract_tier" in one["where"]]

    register.write_text(REGISTER + "    tier: Gold\n", encoding="utf-8")
    assert told() == [(7, "did you mean Gold?")]
    register.write_text(REGISTER + "    tier: gold\n", encoding="utf-8")
    assert told() == []
    workshop.edit("contracts: contracts.yaml\n", "")
    assert [line for line, _mend in told()] == [7]


def test_a_run_under_a_contracts_policy_writes_once_and_then_nothing(register: Path, warranty: Command) -> None:
    register.write_text(REGISTER + "    policy: after-sales\n", encoding="utf-8")
    assert warranty("apply").code == Exit.FINE
    again = warranty("apply", "--json")
    assert again.document["receipts"] == []


@pytest.mark.parametrize("word", ["policy", "calendar"])
def test_a_contract_that_names_what_is_not_there_is_refused_with_its_line_before_anything_is_read(
    register: Path, warranty: Command, word: str
) -> None:
    register.write_text(REGISTER + f"    {word}: premium\n", encoding="utf-8")
    said = warranty("plan")
    assert said.code == Exit.BAD_INPUT
    assert f"contracts.yaml:{len(REGISTER.splitlines()) + 1}" in said.err
    assert f"contracts[1].{word}" in said.err


@pytest.mark.usefixtures("register")
def test_a_persons_label_is_respected_and_shown(workshop: Workshop, warranty: Command) -> None:
    van = workshop.south.find("VAN-1")
    workshop.south.relabel(van, add=("warranty::coverage::goodwill",), remove=(), by="lena", at=at("09 11:30"))
    shown = warranty("explain", "VAN-1").out
    assert "coverage goodwill: by hand (Lena; the register says out); contract south-1" in shown


def test_triage_finds_the_contract_and_relabelling_later_moves_no_issue_to_another(
    workshop: Workshop, register: Path, warranty: Command
) -> None:
    register.write_text(
        REGISTER.replace("{project: CAR}", "{label: north}").replace("{project: VAN}", "{label: south}"),
        encoding="utf-8",
    )
    car = workshop.north.find("CAR-1")
    assert "coverage unknown: no contract" in warranty("explain", "CAR-1").out
    workshop.north.relabel(car, add=("north",), remove=(), by="lena", at=at("04 10:00"))
    workshop.north.relabel(car, add=("south",), remove=("north",), by="lena", at=at("09 11:00"))
    found = warranty("explain", "CAR-1", "--json").document["coverage"]
    assert (found["decision"], found["contract"], found["candidates"]) == ("in", "north-1", ["north-1"])
    assert len(found["evidence"]) == 2


@pytest.mark.usefixtures("register")
def test_coverage_stands_as_a_label_and_a_second_run_writes_nothing(workshop: Workshop, warranty: Command) -> None:
    pack = workshop.folder / "pack.yaml"
    pack.write_text(
        "id: trial\nversion: 1\n"
        "clocks: {first_response: {stop: first_response, goals: [{within: 24h}]}}\n"
        "severities: [high, normal]\nactions: [{do: coverage}, {do: comment}]\n",
        encoding="utf-8",
    )
    workshop.edit("pack: standard-warranty", "pack: pack.yaml")
    first = warranty("apply", "--json")
    assert first.code == Exit.FINE
    assert "warranty::coverage::in" in workshop.north.find("CAR-2").labels
    assert "warranty::coverage::out" in workshop.south.find("VAN-1").labels
    again = warranty("apply", "--json").document
    assert again["plan"]["changes"] == []


def test_mistakes_of_a_register_end_every_command_that_needs_it(
    workshop: Workshop, register: Path, warranty: Command
) -> None:
    register.write_text(REGISTER.replace("12mo", "12"), encoding="utf-8")
    said = warranty("plan")
    assert said.code == Exit.BAD_INPUT
    assert "contracts.yaml:7 at contracts[0].duration" in said.err
    workshop.edit("contracts: contracts.yaml", "contracts: none.yaml")
    assert "no such file" in warranty("plan").err


def test_a_table_becomes_a_register_file(tmp_path: Path, command: Command) -> None:
    table = tmp_path / "contracts.csv"
    table.write_text(TABLE, encoding="utf-8")
    said = command("contracts", "import", str(table), "--zone", "Asia/Shanghai")
    assert said.code == Exit.FINE
    assert said.out.startswith("zone: Asia/Shanghai\ncontracts:\n- id: north-1\n")
    assert 'customer: "\'=South()"' in said.out
    assert command("contracts", "import", str(table), "--json").document["contracts"][0]["duration"] == "12mo"


def test_mistakes_of_a_table_are_told_at_once_and_nothing_is_printed(tmp_path: Path, command: Command) -> None:
    table = tmp_path / "contracts.csv"
    table.write_text(TABLE.replace("12mo", "12").replace("2025-03-05", "5.3.2025"), encoding="utf-8")
    said = command("contracts", "import", str(table))
    assert said.code == Exit.BAD_INPUT
    assert said.out == ""
    assert "contracts.csv:2 at duration: found '12'" in said.err
    assert "contracts.csv:3 at accepted: found '5.3.2025'" in said.err


def test_an_edited_contract_has_every_issue_recorded_anew(register: Path, warranty: Command) -> None:
    warranty("plan", now=at("09 12:00"))
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        before = len(list(ledger.verdicts("workshop")))
    register.write_text(REGISTER.replace("duration: 1y", "duration: 2y"), encoding="utf-8")
    warranty("plan", now=at("09 12:01"))
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        anew = {one.issue.key for one in list(ledger.verdicts("workshop"))[before:]}
    assert "VAN-1" in anew
