"""Custom fields of a site, from Jira over HTTP to the contract an issue finds and the instant its clock starts at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from flows.exit_codes import Exit
from flows.site import Site
from policies.issue import Word
from policies.problem import InputError

if TYPE_CHECKING:
    from tests.flows.conftest import Command, Said

OPENED = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
NOW = "2026-03-06T12:00:00+08:00"
TOKEN = "sandbox-token-8c1e"
CALLED = "2026-03-04T23:30:00.000+0800"

SITE = """\
name: fields
pack: pack.yaml
zone: Asia/Shanghai
contracts: contracts.yaml
trackers:
  - name: support
    kind: jira
    url: {url}
    {user}
    token: {{env: FIELDS_TOKEN}}
    projects: [CAR]
    states: {{Open: open, Closed: closed}}
    fields: {{reported_at: customfield_10050, contract: Contract number}}
    responders: [lena]
"""
PACK = """\
id: trial
version: 1
severities: [high, normal]
clocks: {first_response: {start: reported, stop: first_response, goals: [{within: 48h}]}}
actions: [{do: coverage}, {do: comment}]
"""
CONTRACTS = """\
zone: Asia/Shanghai
contracts:
  - id: acme-a17
    customer: Acme
    match: [{organisation: Acme, field: {contract: A-17}}]
    products: [{name: Car, lines: ["2"]}]
    begins: {accepted: 2025-03-05}
    duration: 12mo
  - id: acme-b4
    customer: Acme
    match: [{organisation: Acme, field: {contract: B-4}}]
    begins: {accepted: 2025-03-05}
    duration: 12mo
"""


@dataclass
class Desk:
    """A Jira that keeps contract numbers, and ``warranty COMMAND`` on the site over it."""

    store: Store
    file: Path
    cloud: bool
    command: Command

    def warranty(self, *arguments: str) -> Said:
        return self.command(*arguments, "--site", str(self.file), "--now", NOW, "--json")

    def edit(self, before: str, after: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert before in text
        self.file.write_text(text.replace(before, after), encoding="utf-8")

    def asked(self, ending: str) -> int:
        return sum(request.path.endswith(ending) for request in self.store.requests)

    def labels(self, title: str) -> list[str]:
        return [label for issue in self.store.issues.values() if issue.title == title for label in issue.labels]

    def coverage(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.warranty("explain", key).document["coverage"]
        return found

    def bad(self) -> dict[str, dict[str, Any]]:
        findings = self.warranty("doctor").document["findings"]
        return {one["subject"]: one for one in findings if not one["ok"] and one["subject"].startswith("support")}


def _store(*, cloud: bool) -> Store:
    store = Store(Clock.fixed(OPENED))
    store.create_user("carla", "Carla", username="carla", email="carla@acme.test", customer=True)
    store.create_user("bot", "Bot", username="bot", email="bot@acme.test", zone="Asia/Shanghai")
    store.create_token(TOKEN, "bot")
    statuses = [Word("1", "Open", "new"), Word("6", "Closed", "done")]
    store.create_project("CAR", "Car", kind="jira", statuses=statuses, types=[Word("1", "Bug")])
    picker = "com.atlassian.jira.plugin.system.customfieldtypes:"
    store.create_field("customfield_10050", "Called at", "datetime", f"{picker}datetime")
    store.create_field("customfield_10051", "Called on", "date", f"{picker}datepicker")
    store.create_field("customfield_10060", "Contract number", "string", f"{picker}textfield")
    store.create_field(
        "customfield_10002", "Organizations", "array:sd-customerorganization",
        "com.atlassian.servicedesk:sd-customer-organizations",
    )  # fmt: skip
    acme = {"id": "7", "name": "Acme"}
    extra: dict[str, Any] = {
        "customfield_10050": CALLED,
        "customfield_10060": " a-17 ",
        "customfield_10002": [acme if cloud else {**acme, "_links": {}}],
        "versions": [{"id": "3", "name": "2.3"}],
    }
    store.create_issue("CAR", "Brakes squeal", actor="carla", at=OPENED, extra=extra)
    store.create_issue(
        "CAR", "Old car", actor="carla", at=OPENED, extra={**extra, "versions": [{"id": "1", "name": "1.9"}]}
    )
    store.create_issue("CAR", "No call", actor="carla", at=OPENED, extra={**extra, "customfield_10050": None})
    # What is written later has a later instant: a tracker that shows the same one says that nothing changed.
    store.clock.advance(timedelta(hours=1))
    return store


@pytest.fixture(params=["jira-cloud", "jira-dc"])
def desk(
    request: pytest.FixtureRequest, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    cloud = request.param == "jira-cloud"
    store = _store(cloud=cloud)
    with Sandbox(store) as sandbox:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FIELDS_TOKEN", TOKEN)
        file = tmp_path / "fields.yaml"
        user = "user: bot@acme.test" if cloud else 'user: ""'
        file.write_text(SITE.format(url=sandbox.url(request.param), user=user), encoding="utf-8")
        (tmp_path / "pack.yaml").write_text(PACK, encoding="utf-8")
        (tmp_path / "contracts.yaml").write_text(CONTRACTS, encoding="utf-8")
        yield Desk(store, file, cloud, command)


def test_an_issue_finds_its_contract_by_organisation_and_number_on_the_day_of_the_call(desk: Desk) -> None:
    found = desk.coverage("CAR-1")
    # It was accepted on 5 March 2025 for a year: covered when it was told of, no longer when it was written down.
    assert (found["contract"], found["decision"], found["ground"]) == ("acme-a17", "in", "within_term")
    assert found["reported_at"] == "2026-03-04T15:30:00Z"
    assert (desk.coverage("CAR-3")["decision"], desk.coverage("CAR-3")["ground"]) == ("out", "ended")


def test_an_affected_version_outside_the_contract_is_not_covered(desk: Desk) -> None:
    found = desk.coverage("CAR-2")
    assert (found["contract"], found["decision"], found["ground"]) == ("acme-a17", "out", "other_version")


def test_a_clock_that_starts_with_the_report_starts_at_the_call(desk: Desk) -> None:
    (verdict,) = desk.warranty("explain", "CAR-1").document["verdicts"]
    assert verdict["started_at"] == "2026-03-04T15:30:00Z"
    assert verdict["due_at"] == "2026-03-06T15:30:00Z"
    assert verdict["reason"]["evidence"][:2] == ["reported_at", "opened"]
    (later,) = desk.warranty("explain", "CAR-3").document["verdicts"]
    assert later["started_at"] == "2026-03-06T01:00:00Z"


def test_a_second_run_writes_nothing_and_the_fields_are_looked_up_once_a_run(desk: Desk) -> None:
    first = desk.warranty("apply")
    assert first.code == Exit.FINE
    assert first.document["plan"]["changes"]
    assert "warranty::coverage::in" in desk.labels("Brakes squeal")
    assert desk.asked("/field") == 1
    assert desk.warranty("apply").document["plan"]["changes"] == []
    for ledger in desk.file.parent.glob(".warranty/*.db"):
        ledger.unlink()
    assert desk.warranty("apply").document["plan"]["changes"] == []


def test_fields_named_later_are_read_of_issues_that_were_cached_without_them(desk: Desk) -> None:
    desk.edit("reported_at: customfield_10050, contract: Contract number", "")
    desk.warranty("apply")
    desk.edit("fields: {}", "fields: {reported_at: Called at, contract: customfield_10060}")
    desk.warranty("apply")
    assert "warranty::coverage::in" in desk.labels("Brakes squeal")


def test_a_site_that_names_no_field_asks_once_a_day_which_ones_a_service_desk_keeps(desk: Desk) -> None:
    desk.edit("    fields: {reported_at: customfield_10050, contract: Contract number}\n", "")
    (desk.file.parent / "contracts.yaml").write_text("contracts: []\n", encoding="utf-8")
    for _ in range(2):
        assert desk.warranty("plan").code == Exit.FINE
    assert desk.asked("/field") == 1


# ------------------------------------------------------------------------------------------------------------ doctor


def test_the_doctor_tells_which_fields_are_meant(desk: Desk) -> None:
    assert desk.bad().keys() <= {"support: permission ASSIGN_ISSUES in CAR"}
    told = {one["subject"]: one["detail"] for one in desk.warranty("doctor").document["findings"]}
    assert told["support: field reported_at"] == "customfield_10050 (Called at)"
    assert told["support: field contract"] == "customfield_10060 (Contract number)"
    assert told["support: field organisation"] == "customfield_10002 (Organizations)"


def test_a_field_that_is_not_there_is_a_finding_with_the_nearest_and_ends_the_reading(desk: Desk) -> None:
    desk.edit("Contract number", "Contract numbers")
    finding = desk.bad()["support: field contract"]
    assert "there is no field 'Contract numbers'" in finding["detail"]
    assert finding["advice"] == "Write fields: {contract: customfield_10060} if 'Contract number' is meant"
    said = desk.warranty("plan")
    assert said.code == Exit.TRACKER
    assert "there is no field 'Contract numbers'" in said.out + said.err


def test_a_field_that_contracts_are_matched_by_and_nobody_reads_is_found(desk: Desk) -> None:
    desk.edit("contract: Contract number", "contracts: Contract number")
    findings = desk.warranty("doctor").document["findings"]
    (finding,) = [one for one in findings if one["subject"].startswith("contracts")]
    assert (finding["subject"], finding["ok"]) == ("contracts: field 'contract'", False)
    assert finding["advice"] == "write 'contracts' in contracts.yaml, or name 'contract' under fields in fields.yaml"
    desk.edit("{reported_at: customfield_10050, contracts: Contract number}", "{x: Called on}")
    findings = desk.warranty("doctor").document["findings"]
    (finding,) = [one for one in findings if one["subject"].startswith("contracts")]
    assert finding["advice"] == "name it under fields of a tracker in fields.yaml"
    desk.edit("{x: Called on}", "{CONTRACT: Contract number}")
    told = [(one["detail"], one["ok"]) for one in desk.warranty("doctor").document["findings"]]
    assert ("2 in contracts.yaml", True) in told


def test_a_field_that_is_read_without_being_named_is_not_missed(desk: Desk) -> None:
    contracts = desk.file.parent / "contracts.yaml"
    contracts.write_text(CONTRACTS.replace("field: {contract:", "field: {request_type:"), encoding="utf-8")
    told = [(one["detail"], one["ok"]) for one in desk.warranty("doctor").document["findings"]]
    assert ("2 in contracts.yaml", True) in told


def test_a_field_that_holds_days_does_not_say_when_it_was_reported(desk: Desk) -> None:
    desk.edit("customfield_10050", "Called on")
    finding = desk.bad()["support: field reported_at"]
    assert "holds a date, which does not say at what hour" in finding["detail"]
    assert finding["advice"] == "Name a field of type date-time"


def test_a_name_that_two_fields_bear_is_told_with_their_ids(desk: Desk) -> None:
    desk.store.create_field("customfield_10061", "contract number", "string", "x:y")
    finding = desk.bad()["support: field contract"]
    assert "2 fields fit 'Contract number': customfield_10060 (Contract number), customfield_10061" in finding["detail"]
    assert "customfield_10060" in finding["advice"]


# --------------------------------------------------------------------------------------------------------- site file


def site_file(folder: Path, before: str = "", after: str = "") -> Path:
    file = folder / "fields.yaml"
    text = SITE.format(url="https://example.test", user="")
    assert before in text
    file.write_text(text.replace(before, after) if before else text, encoding="utf-8")
    (folder / "contracts.yaml").write_text(CONTRACTS, encoding="utf-8")
    return file


FIELDS = "{reported_at: customfield_10050, contract: Contract number}"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("{organization: X}", "did you mean 'organisation'?"),
        ("{Reported at: X}", "did you mean 'reported_at'?"),
        ("{contract: X, Contract: Y}", "each word once, whatever its case: contract"),
        ('{contract: ""}', "fields.contract"),
        ("{contract: 7}", "fields.contract"),
    ],
)
def test_mistakes_among_the_fields_are_told_with_their_line(tmp_path: Path, fields: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        Site.load(site_file(tmp_path, FIELDS, fields))
    assert told in str(refused.value)
    assert "fields.yaml:13" in str(refused.value)


def test_a_contract_that_is_found_by_organisation_has_it_looked_for_by_its_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDS_TOKEN", TOKEN)
    site = Site.load(site_file(tmp_path))
    named = {"reported_at": "customfield_10050", "contract": "Contract number"}
    assert site.connection(site.trackers[0]).fields == {"organisation": "", **named}
    own = Site.load(site_file(tmp_path, "{reported_at", "{organisation: Customer, reported_at"))
    assert own.connection(own.trackers[0]).fields == {"organisation": "Customer", **named}


def test_gitlab_has_no_custom_fields_and_the_label_is_named_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDS_TOKEN", TOKEN)
    with pytest.raises(InputError, match="gitlab has no custom fields to read; match by label instead"):
        Site.load(site_file(tmp_path, "kind: jira", "kind: gitlab"))
    file = site_file(tmp_path, f"    fields: {FIELDS}\n", "")
    file.write_text(file.read_text(encoding="utf-8").replace("kind: jira", "kind: gitlab"), encoding="utf-8")
    site = Site.load(file)
    # The register asks for organisations; there is nothing to look for here.
    assert site.connection(site.trackers[0]).fields == {}
