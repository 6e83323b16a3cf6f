"""Changes and their receipts as values: what may not be said, and how each is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from policies.changes import (
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
    described,
    is_report,
)
from policies.document import Document, Heading, Text
from policies.issue_link import LinkKind
from policies.plan import Plan, PlannedChange
from policies.receipt import Outcome, Receipt
from tests.policies.build_issue import CUSTOMER, OWN, build_issue

if TYPE_CHECKING:
    from policies.changes import Change
    from policies.issue import Actor

PAGE = Document((Heading("Verdicts"),))
MARK = f"warranty-flows:verdicts:{PAGE.digest}"


def test_a_label_is_not_put_on_and_taken_off_at_once() -> None:
    with pytest.raises(ValueError, match=r"label both added and removed: \['vip'\]"):
        Relabel(add=("vip", "late"), remove=("vip",))


def test_labels_are_told_once_and_in_order() -> None:
    assert Relabel(add=("b", "a", "b"), remove=("d", "c")) == Relabel(add=("a", "b"), remove=("c", "d"))


def test_half_a_character_in_a_comment_is_a_content_like_any_other() -> None:
    halves = [UpsertComment("sla", Document((Heading(half),))) for half in ("\ud800", "\ud801")]
    assert halves[0].mark != halves[1].mark
    assert Plan((PlannedChange("jira", None, halves[0], ""),)).digest


def test_only_an_address_of_the_web_becomes_a_link() -> None:
    assert Text("here", url="https://tracker.example/CAR-1").url
    with pytest.raises(ValueError, match="not a web address: 'javascript:alert"):
        Text("here", url="javascript:alert(1)")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Relabel(add=("vip",), remove=("late",)), ("add label vip", "remove label late")),
        (SetPriority("High"), ("set priority High",)),
        (SetDueDate(date(2026, 3, 2)), ("set due date 2026-03-02",)),
        (SetDueDate(None), ("clear due date",)),
        (SetAssignee("bob"), ("assign to bob",)),
        (UpsertComment("verdicts", PAGE), (f"comment {MARK}",)),
        (
            UpsertLink("patch-1", "https://releases.example/1.4.2", "1.4.2", "patch release", proof="patched"),
            ("link 1.4.2: https://releases.example/1.4.2",),
        ),
        (UpsertReport("CAR", "verdicts", "Promises", PAGE, "report"), (f"report {MARK} in CAR",)),
    ],
)
def test_each_change_is_told_in_words(change: Change, told: tuple[str, ...]) -> None:
    assert described(change) == told


def test_a_receipt_holds_its_instant_in_utc_and_refuses_one_without_an_offset() -> None:
    shanghai = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8)))
    receipt = Receipt(issue=None, change=SetPriority("High"), outcome=Outcome.PERFORMED, at=shanghai)
    assert receipt.at == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert receipt.at.tzinfo is UTC
    with pytest.raises(ValueError, match="an instant needs its offset"):
        Receipt(issue=None, change=SetPriority("High"), outcome=Outcome.FAILED, at=datetime(2026, 3, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("reporter", "labels", "ours"),
    [(OWN, {"warranty::report"}, True), (OWN, {"vip"}, False), (CUSTOMER, {"warranty::report"}, False)],
)
def test_a_report_of_ours_bears_our_label_and_was_opened_by_us(reporter: Actor, labels: set[str], ours: bool) -> None:
    issue = build_issue(reporter=reporter, labels=frozenset(labels))
    assert is_report(issue, "warranty::report") is ours


@pytest.mark.parametrize(
    ("relationship", "kind"),
    [("Blocks", LinkKind.BLOCKS), ("is blocked by", LinkKind.BLOCKED_BY), ("patch release", LinkKind.RELATES)],
)
def test_a_link_between_issues_is_of_the_kind_its_relationship_names_and_else_relates_them(
    relationship: str, kind: LinkKind
) -> None:
    assert UpsertLink("patch-1", "https://releases.example/1", "1", relationship, proof="patched").link_kind is kind
