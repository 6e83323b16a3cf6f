"""A site that takes over an old backlog: the commands over two trackers in memory, adopted now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flows.exit_codes import Exit
from tests.flows.workshop import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop


@pytest.fixture
def adopted(workshop: Workshop) -> Workshop:
    """The workshop, adopted at NOW."""
    workshop.edit("zone: Asia/Shanghai\n", "zone: Asia/Shanghai\nadopted_at: 2026-03-09T12:00:00+08:00\n")
    return workshop


def wanted(warranty: Command, now: datetime = NOW) -> dict[str, Any]:
    said = warranty("plan", "--json", now=now)
    assert said.code == Exit.FINE
    plan: dict[str, Any] = said.document["plan"]
    return plan


def test_the_first_run_writes_labels_and_the_report_and_tells_nobody(adopted: Workshop, warranty: Command) -> None:
    plan = wanted(warranty)
    assert {each["change"]["kind"] for each in plan["changes"]} == {"relabel", "upsert_report"}
    assert {each["reason"] for each in plan["held_back"]} == {"adoption"}
    assert warranty("apply").code == Exit.FINE
    records = [record for server in adopted.servers() for name in ("CAR", "VAN") for record in _of(server, name)]
    assert not [note for record in records for note in record.notes if note.author == "warranty"]
    assert not [record for record in records if record.assignee is not None or record.due is not None]
    assert wanted(warranty)["changes"] == []


def _of(server: Any, project: str) -> list[Any]:
    return list(server.records(project)) if project in server.projects else []


def test_a_word_of_the_customer_after_it_is_answered_in_full(adopted: Workshop, warranty: Command) -> None:
    assert warranty("apply").code == Exit.FINE
    brakes = adopted.north.records("CAR")[0]
    adopted.north.comment(brakes, "Any news?", by="carla", at=NOW + timedelta(hours=1))
    kinds = {each["change"]["kind"] for each in wanted(warranty, NOW + timedelta(hours=2))["changes"]}
    assert "upsert_comment" in kinds


def test_the_plan_shows_what_the_adoption_holds_back(adopted: Workshop, warranty: Command) -> None:
    out = warranty("plan").out
    assert adopted.file.is_file()
    assert "Held back" in out
    assert "adoption" in out


def test_doctor_says_that_adoption_is_on(adopted: Workshop, warranty: Command) -> None:
    findings = {each["subject"]: each for each in warranty("doctor", "--json").document["findings"]}
    assert findings["adoption"]["ok"]
    assert "on since 2026-03-09 12:00 CST" in findings["adoption"]["detail"]
    adopted.edit("2026-03-09T12:00", "2026-03-10T12:00")
    early = {each["subject"]: each for each in warranty("doctor", "--json").document["findings"]}
    assert not early["adoption"]["ok"]
    assert "adopted_at" in early["adoption"]["advice"]


def test_an_adoption_without_an_offset_is_refused(adopted: Workshop, warranty: Command) -> None:
    adopted.edit("+08:00", "")
    said = warranty("plan")
    assert said.code == Exit.BAD_INPUT
    assert "adopted_at" in said.err
