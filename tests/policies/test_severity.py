"""The least severity a pack gives: judged by it all along, whoever writes the priority and when."""

from __future__ import annotations

from datetime import timedelta

from policies.issue import Actor, Role, SeverityChanged
from policies.loader import load_pack
from policies.verdict import judge
from tests.policies.build_issue import at, build_issue

PACK = load_pack("standard-warranty")
OURS = Actor(id="us", role=Role.OWN)
AMY = Actor(id="amy", name="Amy", role=Role.RESPONDER)


def due_of(*events: SeverityChanged, severity: str | None) -> object:
    issue = build_issue(*events, category="security", severity=severity)
    found = {verdict.clock: verdict for verdict in judge(issue, PACK, at(5))}["resolution"]
    return found.due_at - issue.opened_at if found.due_at else None


def change(hour: int, by: Actor, before: str | None, after: str | None) -> SeverityChanged:
    return SeverityChanged(id=f"s{hour}", at=at(hour), actor=by, before=before, after=after)


def test_a_security_report_is_judged_as_high_before_and_after_we_write_the_priority() -> None:
    unwritten = due_of(severity="normal")
    written = due_of(change(3, OURS, "normal", "high"), severity="high")
    assert unwritten == written == timedelta(hours=72)


def test_the_floor_never_lowers() -> None:
    assert due_of(severity="urgent") == timedelta(hours=72)


def test_no_severity_at_all_is_the_least_grave() -> None:
    assert due_of(severity=None) == timedelta(hours=72)


def test_where_a_person_lowered_it_the_floor_ends() -> None:
    lowered = due_of(change(3, AMY, "high", "normal"), severity="normal")
    assert isinstance(lowered, timedelta)
    assert lowered > timedelta(hours=72)


def test_what_we_lower_ourselves_is_no_persons_word() -> None:
    assert due_of(change(3, OURS, "high", "normal"), severity="normal") == timedelta(hours=72)
