"""Contracts that end soon, and what is open under them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from policies.coverage import Decision
from policies.issue import Actor, Issue, IssueRef, LabelsChanged, Opened, Role, State, Word
from policies.radar import Expiring, radar
from policies.term import CalendarMonths, Term
from policies.verdict import Judged, Reason, ReasonCode, Status, Verdict
from policies.warranty import Contract, Match, Register

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def contract(id_: str, last: date, zone: ZoneInfo = SHANGHAI) -> Contract:
    term = Term(begins=last.replace(year=last.year - 1), duration=CalendarMonths(12))
    return Contract(id=id_, customer=id_.upper(), zone=zone, term=term, match=(Match(project=(id_,)),))


def issue(project: str, number: int, **changed: object) -> Issue:
    at = datetime(2026, 10, number, tzinfo=UTC)
    reporter = Actor(id="carl", role=Role.CUSTOMER)
    plain = Issue(
        ref=IssueRef("lab", project, f"{project}#{number}", str(number)),
        title=f"Defect {number}",
        type=Word("1", "Bug"),
        status=Word("1", "Open"),
        state=State.OPEN,
        category="defect",
        severity="high",
        reporter=reporter,
        opened_at=at,
        updated_at=at,
        events=(Opened(id=f"e{number}", at=at, actor=reporter),),
    )
    return replace(plain, **changed)  # type: ignore[arg-type]  # any field of an issue


def judged(one: Issue, status: Status = Status.RUNNING) -> Judged:
    reason = Reason(ReasonCode.WITHIN_GOAL)
    verdict = Verdict(
        clock="resolution", cycle=1, status=status, reason=reason, judged_at=NOON, policy="p@1", digest="0" * 16
    )
    return Judged(one, (verdict,))


def test_a_contract_is_shown_under_the_nearest_horizon_it_ends_within() -> None:
    last = {"a": 0, "b": 30, "c": 31, "d": 60, "e": 61, "f": 90, "g": 91, "h": -1}
    register = Register(
        tuple(contract(id_, date(2026, 11, 21) + timedelta(days=n)) for id_, n in reversed(last.items()))
    )
    found = radar(register, (), NOON)
    assert [(row.contract, row.days_left, row.within) for row in found] == [
        ("a", 0, 30),
        ("b", 30, 30),
        ("c", 31, 60),
        ("d", 60, 60),
        ("e", 61, 90),
        ("f", 90, 90),
    ]


@pytest.mark.parametrize(("zone", "left"), [("Asia/Shanghai", 9), ("UTC", 10)])
def test_today_is_a_day_of_the_contracts_zone(zone: str, left: int) -> None:
    evening = datetime(2026, 11, 20, 20, tzinfo=UTC)
    (row,) = radar(Register((contract("a", date(2026, 11, 30), ZoneInfo(zone)),)), (), evening)
    assert (row.days_left, row.zone, row.customer) == (left, zone, "A")


def test_a_contract_that_has_not_begun_to_run_is_not_on_the_radar() -> None:
    awaited = Contract(
        id="a",
        customer="A",
        zone=SHANGHAI,
        term=Term(begins=None, duration=CalendarMonths(1)),
        match=(Match(project=("a",)),),
    )
    assert radar(Register((awaited,)), (), NOON) == ()


def only(*issues: Judged) -> Expiring:
    (row,) = radar(Register((contract("a", date(2026, 12, 1)), contract("z", date(2027, 11, 1)))), issues, NOON)
    return row


def test_open_covered_issues_are_listed_oldest_first_with_what_is_broken() -> None:
    row = only(judged(issue("a", 5), Status.OVERDUE), judged(issue("a", 3)), judged(issue("z", 4)))
    assert [(claim.ref.key, claim.breached, claim.decision) for claim in row.open] == [
        ("a#3", (), Decision.IN),
        ("a#5", ("resolution",), Decision.IN),
    ]
    assert (row.open[0].title, row.open[0].category, row.open[0].severity) == ("Defect 3", "defect", "high")


@pytest.mark.parametrize("state", [State.RESOLVED, State.VERIFIED, State.CLOSED, State.CANCELLED])
def test_what_is_over_is_not_listed(state: State) -> None:
    assert only(judged(issue("a", 3, state=state))).open == ()


def test_what_is_not_covered_is_not_listed_and_what_goodwill_covers_is() -> None:
    jane = Actor(id="jane", role=Role.RESPONDER)

    def told(number: int, word: str) -> Judged:
        label = f"warranty::coverage::{word}"
        event = LabelsChanged(id=f"l{number}", at=NOON - timedelta(days=1), actor=jane, added=(label,))
        return judged(issue("a", number, labels=frozenset({label})).with_events(event))

    row = only(told(3, "out"), told(4, "goodwill"))
    assert [(claim.ref.key, claim.decision) for claim in row.open] == [("a#4", Decision.GOODWILL)]


def test_confidential_issues_are_counted_and_not_listed() -> None:
    row = only(judged(issue("a", 3, confidential=True)), judged(issue("a", 4)))
    assert ([claim.ref.key for claim in row.open], row.confidential) == (["a#4"], 1)
