"""The ledger keeps what it is given, adds and never alters evidence, and lets one run write at a time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import DateTime, Engine, create_mock_engine, event, text

from connectors.ledger import (
    Cursor,
    Holder,
    Judged,
    LeaseLost,
    Ledger,
    LedgerBusy,
    LedgerError,
    LedgerNewer,
    NotALedger,
    Recorded,
    RunInProgress,
    RunState,
)
from connectors.ledger_schema import ADDED, Instant
from connectors.ledger_text import ISSUE, RECEIPT, VERDICT
from connectors.tracker import Connection, CredentialsRefused
from policies.changes import Relabel, SetDueDate, UpsertComment
from policies.cycle import Pause
from policies.document import Document, Paragraph, Table, Text
from policies.duration import ElapsedTime, WorkingDays, WorkingTime
from policies.issue import (
    NOBODY,
    Actor,
    Commented,
    Gap,
    GapKind,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    Role,
    StatusChanged,
    Word,
)
from policies.receipt import Outcome, Receipt
from policies.verdict import Reason, ReasonCode, Status, Verdict

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_issue(number: int = 1, *, tracker: str = "jira", project: str = "CAR", title: str = "Pump leaks") -> Issue:
    ref = IssueRef(tracker, project, f"{project}-{number}", str(10_000 + number), f"http://x.test/{project}-{number}")
    opened = NOW - 5 * HOUR
    return Issue(
        ref=ref,
        title=title,
        type=Word("1", "Bug"),
        status=Word("3", "处理中", "indeterminate"),
        reporter=Actor("ann"),
        opened_at=opened,
        updated_at=NOW - HOUR,
        labels=frozenset({"vip", "sla:ok"}),
        due=date(2026, 3, 9),
        events=(
            Opened(id=f"{number}:o", at=opened, actor=Actor("ann")),
            Commented(id=f"{number}:c", at=opened + HOUR, actor=Actor("bob"), comment="7", public=True, text="on it"),
            StatusChanged(id=f"{number}:s", at=opened + 2 * HOUR, before=Word("1", "新建"), after=Word("3", "处理中")),
        ),
    )


def a_verdict(clock: str = "resolution", *, changes_at: datetime | None = NOW + HOUR) -> Verdict:
    return Verdict(
        clock=clock,
        cycle=1,
        status=Status.RUNNING,
        reason=Reason(ReasonCode.WITHIN_GOAL, "clocks.resolution.goals[0]", ("1:o",)),
        judged_at=NOW,
        policy="standard@1",
        digest="ab12",
        calendar="cn",
        goal=WorkingTime(480),
        started_at=NOW - 5 * HOUR,
        due_at=NOW + 3 * HOUR,
        used=timedelta(hours=5, microseconds=3),
        left=-timedelta(seconds=1, microseconds=1),
        pauses=(Pause(NOW - 2 * HOUR, None, "waiting", "customer", ("1:s",)),),
        next_change_at=changes_at,
    )


def a_receipt(issue: Issue | None = None, *, error: str = "") -> Receipt:
    return Receipt(
        issue=(issue or an_issue()).ref,
        change=Relabel(add=("sla:at-risk",), remove=("sla:ok",)),
        outcome=Outcome.FAILED if error else Outcome.PERFORMED,
        at=NOW,
        prior='{"labels": ["sla:ok", "vip"]}',
        error=error,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{path}") as opened:
        yield opened


# ------------------------------------------------------------------------------------------------------------- opening


def test_a_new_ledger_is_made_with_its_folder_and_is_its_owners_only(ledger: Ledger, path: Path) -> None:
    ledger.begin_run("r1", "acme", NOW)
    assert path.stat().st_mode & 0o077 == 0
    assert all(side.stat().st_mode & 0o077 == 0 for side in path.parent.iterdir())


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    with Ledger.open(f"sqlite:///{path}") as first:
        first.keep("acme", [an_issue()])
    with Ledger.open(f"sqlite:///{path}") as second:
        assert second.issue("acme", "jira", "CAR-1") == an_issue()


def test_a_ledger_in_memory_serves_several_threads() -> None:
    with Ledger.open("sqlite://") as ledger:
        threads = [
            threading.Thread(target=ledger.keep, args=("acme", [an_issue(n) for n in range(t, t + 300)]))
            for t in (0, 300, 600)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(ledger.issues("acme", "jira"))) == 900


def test_threads_write_to_one_file_without_getting_in_each_others_way(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(10):
                ledger.record_receipts("r1", "jira", [a_receipt(an_issue(number))])
                ledger.keep("acme", [an_issue(number)])
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(ledger.receipts("acme")) == 40


def test_a_ledger_of_a_later_version_is_refused_with_what_to_do(path: Path) -> None:
    Ledger.open(f"sqlite:///{path}").close()
    _sql(path, "UPDATE warranty_schema SET version = 99")
    with pytest.raises(LedgerNewer, match=r"version 99, and this program knows up to 5: update the program"):
        Ledger.open(f"sqlite:///{path}")


def test_a_ledger_of_an_earlier_version_is_brought_up_to_date_and_keeps_what_it_holds(path: Path) -> None:
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.keep("acme", [an_issue()])
    _sql(path, "DROP TABLE warranty_addresses")
    _sql(path, "UPDATE warranty_schema SET version = 1")
    with Ledger.open(f"sqlite:///{path}") as ledger:
        assert ledger.read_at("acme", "jira", "http://here.test") is False
        assert ledger.issue("acme", "jira", "CAR-1") == an_issue()


def test_a_ledger_of_version_two_gets_its_new_columns_and_its_verdicts_stay_as_they_were(path: Path) -> None:
    issue, old = an_issue(), replace(a_verdict(), status=Status.MET)
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.begin_run("r1", "acme", NOW)
        ledger.record_verdicts("r1", [Judged(issue.ref, old)])
    for _version, table, column in ADDED:
        _sql(path, f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in ("warranty_judged_by", "warranty_fixes"):
        _sql(path, f"DROP TABLE {table}")
    _sql(path, "UPDATE warranty_schema SET version = 2")
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.begin_run("r2", "acme", NOW + HOUR, "cd34")
        # Its digest covered the calendar, too: what differs now is no sign of another policy.
        ledger.record_verdicts("r2", [Judged(issue.ref, replace(old, digest="cd34", calendar_digest="ef56"))])
        first, second = ledger.history("acme", "CAR-1")
    assert (first.verdict, first.correction_of, second.correction_of) == (old, None, None)
    assert _sql(path, "SELECT version FROM warranty_schema") == [(5,)]


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear customer, " * 100)
    with pytest.raises(NotALedger, match=r"letter\.txt is not a ledger .* name another file"):
        Ledger.open(f"sqlite:///{letter}")
    assert letter.read_text() == "Dear customer, " * 100


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    _sql(other, "CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(NotALedger, match=r"of another program .it has bookmarks"):
        Ledger.open(f"sqlite:///{other}")
    assert _sql(other, "SELECT name FROM sqlite_master") == [("bookmarks",)]


def test_a_folder_that_cannot_be_made_is_an_error_that_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"cannot be made at .*file"):
        Ledger.open(f"sqlite:///{tmp_path}/file/ledger.db")


@pytest.mark.parametrize("url", ["not a url hunter2", "nosuchdb://ann:hunter2@db.test/x", "jdbc:hunter2"])
def test_an_address_that_cannot_be_used_is_not_repeated(url: str) -> None:
    with pytest.raises(LedgerError, match=r"sqlite:///path/to/ledger\.db") as caught:
        Ledger.open(url)
    assert "hunter2" not in str(caught.value)


def test_a_ledger_that_another_process_holds_is_waited_for_briefly_and_then_named(path: Path) -> None:
    Ledger.open(f"sqlite:///{path}").close()
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match=r"ledger\.db is held by another process"):
            Ledger.open(f"sqlite:///{path}", patience_seconds=0.05)
    finally:
        other.close()
    Ledger.open(f"sqlite:///{path}").close()


# --------------------------------------------------------------------------------------------------------------- runs


def test_a_run_is_kept_from_its_beginning_to_its_end(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    ledger.begin_run("r2", "acme", NOW + HOUR)
    ledger.begin_run("other", "elsewhere", NOW)
    ledger.end_run("r1", NOW + HOUR, RunState.AMBER, requests={"GET search": 3}, plan_digest="d1")
    second, first = ledger.runs("acme")
    assert (first.id, first.state, first.ended_at, first.requests) == (
        "r1",
        RunState.AMBER,
        NOW + HOUR,
        {"GET search": 3},
    )
    assert (second.id, second.state, second.ended_at) == ("r2", None, None)


def test_a_run_has_an_id_of_its_own_and_ends_once(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    with pytest.raises(LedgerError, match="there is a run 'r1' already"):
        ledger.begin_run("r1", "acme", NOW)
    ledger.end_run("r1", NOW, RunState.GREEN, requests={})
    with pytest.raises(LedgerError, match="no run 'r1' is going on"):
        ledger.end_run("r1", NOW, RunState.RED, requests={})


# ---------------------------------------------------------------------------------------------------- cursors, issues


def due(ledger: Ledger, site: str = "acme") -> list[str]:
    return [ref.key for ref in ledger.due(site, NOW)]


def settled(ledger: Ledger, site: str, run: str, policy: str, *issues: Issue) -> None:
    """A run keeps these issues and records a verdict of each that changes no more."""
    ledger.begin_run(run, site, NOW, policy)
    ledger.keep(site, issues)
    ledger.record_verdicts(run, [Judged(each.ref, a_verdict()) for each in issues])


def test_under_another_policy_every_cached_issue_of_the_site_is_due_until_it_is_recorded(ledger: Ledger) -> None:
    one, other = an_issue(1), an_issue(2)
    settled(ledger, "acme", "r1", "aa", one, other)
    settled(ledger, "elsewhere", "e1", "aa", one)
    ledger.begin_run("r2", "acme", NOW, "aa")
    ledger.begin_run("r3", "acme", NOW)
    assert due(ledger) == [], "by the same one, or none that is known"
    ledger.begin_run("killed", "acme", NOW, "bb")
    ledger.begin_run("r4", "acme", NOW, "bb")
    assert due(ledger) == ["CAR-1", "CAR-2"]
    assert due(ledger, "elsewhere") == []
    ledger.record_verdicts("r4", [Judged(one.ref, a_verdict())])
    assert due(ledger) == ["CAR-2"]
    ledger.begin_run("r5", "acme", NOW, "aa")
    assert due(ledger) == ["CAR-1", "CAR-2"], "taken back"


def test_what_is_recorded_by_a_policy_that_is_no_longer_the_sites_is_due_at_once(ledger: Ledger) -> None:
    one, other = an_issue(1), an_issue(2)
    settled(ledger, "acme", "r1", "aa", one)
    settled(ledger, "acme", "r2", "bb", one, other)
    assert due(ledger) == []
    ledger.record_verdicts("r1", [Judged(one.ref, a_verdict())])
    assert due(ledger) == ["CAR-1"]


def test_the_fix_of_an_issue_is_the_one_that_it_was_last_recorded_with(ledger: Ledger) -> None:
    one, other = an_issue(1), an_issue(2)
    settled(ledger, "acme", "r1", "aa", one, other)
    settled(ledger, "elsewhere", "e1", "aa", one)
    both = [Judged(each.ref, a_verdict()) for each in (one, other)]
    assert ledger.fixes("acme") == {}
    first, second = ("jira", one.ref.id), ("jira", other.ref.id)
    ledger.record_verdicts("r1", both, {first: "1.1", second: "1.1"})
    assert ledger.fixes("acme") == {first: "1.1", second: "1.1"}
    ledger.record_verdicts("r1", both[:1], {first: "1.2"})
    ledger.record_verdicts("r1", both[1:])
    ledger.record_verdicts("e1", both[:1])
    assert ledger.fixes("acme") == {first: "1.2"}
    assert ledger.fixes("elsewhere") == {}


def test_two_first_runs_at_once_correct_each_other(ledger: Ledger) -> None:
    issue, final = an_issue(), replace(a_verdict(), status=Status.MET)
    ledger.begin_run("r1", "acme", NOW, "aa")
    ledger.record_verdicts("r1", [Judged(an_issue(2).ref, final)])
    ledger.begin_run("r2", "acme", NOW, "bb")
    ledger.record_verdicts("r2", [Judged(issue.ref, replace(final, digest="bb"))])
    ledger.record_verdicts("r1", [Judged(issue.ref, replace(final, digest="aa"))])
    first, second = ledger.history("acme", issue.ref.key)
    assert second.correction_of == first.number


def test_a_cursor_is_kept_per_site_tracker_and_project(ledger: Ledger) -> None:
    assert ledger.cursor("acme", "jira", "CAR") is None
    ledger.set_cursor("acme", "jira", "CAR", NOW)
    ledger.set_cursor("acme", "jira", "CAR", NOW + timedelta(microseconds=7))
    ledger.set_cursor("acme", "jira", "BUS", NOW - HOUR)
    assert ledger.cursor("acme", "jira", "CAR") == Cursor(NOW + timedelta(microseconds=7))
    assert ledger.cursor("acme", "jira", "BUS") == Cursor(NOW - HOUR)
    assert ledger.cursor("other", "jira", "CAR") is None


def test_what_was_read_at_another_address_is_dropped_of_that_tracker_only(ledger: Ledger) -> None:
    ledger.read_at("acme", "jira", "http://here.test")
    ledger.keep("acme", [an_issue(), an_issue(tracker="other")])
    ledger.set_cursor("acme", "jira", "CAR", NOW)
    ledger.set_cursor("acme", "other", "CAR", NOW)
    assert ledger.read_at("acme", "jira", "http://here.test") is False
    assert ledger.cursor("acme", "jira", "CAR") == Cursor(NOW)
    assert ledger.read_at("acme", "jira", "http://there.test") is True
    assert (ledger.cursor("acme", "jira", "CAR"), list(ledger.issues("acme", "jira"))) == (None, [])
    assert ledger.cursor("acme", "other", "CAR") == Cursor(NOW)
    assert len(list(ledger.issues("acme", "other"))) == 1


def test_when_a_project_was_last_compared_is_kept_beside_its_cursor(ledger: Ledger) -> None:
    ledger.set_reconciled("acme", "jira", "CAR", NOW)
    assert ledger.cursor("acme", "jira", "CAR") is None, "nothing was read yet"
    ledger.set_cursor("acme", "jira", "CAR", NOW)
    ledger.set_reconciled("acme", "jira", "CAR", NOW)
    ledger.set_cursor("acme", "jira", "CAR", NOW + HOUR)
    assert ledger.cursor("acme", "jira", "CAR") == Cursor(NOW + HOUR, reconciled_at=NOW)


def test_when_a_project_was_read_is_kept_with_its_cursor(ledger: Ledger) -> None:
    ledger.set_cursor("acme", "jira", "CAR", NOW)
    assert ledger.cursor("acme", "jira", "CAR") == Cursor(NOW)
    ledger.set_cursor("acme", "jira", "CAR", NOW, NOW + HOUR)
    assert ledger.cursor("acme", "jira", "CAR") == Cursor(NOW, NOW + HOUR)


def test_what_we_did_ourselves_wakes_no_issue_and_what_anybody_else_did_does(ledger: Ledger) -> None:
    issue = an_issue()
    assert ledger.keep("acme", [issue]) == {issue.ref.id}
    ledger.begin_run("r1", "acme", NOW)
    ledger.record_verdicts("r1", [Judged(issue.ref, replace(a_verdict(), next_change_at=NOW + 5 * HOUR))])
    ours = LabelsChanged(id="9", at=NOW, actor=Actor("bot", role=Role.OWN), added=("x",))
    echoed = replace(issue, updated_at=NOW, labels=issue.labels | {"x"}, events=(*issue.events, ours))
    assert ledger.keep("acme", [echoed]) == set()
    assert ledger.issue("acme", "jira", "CAR-1") == echoed
    assert ledger.due("acme", NOW) == ()
    assert [ref.key for ref in ledger.due("acme", NOW + 5 * HOUR)] == ["CAR-1"]
    theirs = LabelsChanged(id="10", at=NOW, actor=Actor("ann"), removed=("x",))
    assert ledger.keep("acme", [replace(echoed, events=(*echoed.events, theirs))]) == {issue.ref.id}
    assert [ref.key for ref in ledger.due("acme", NOW)] == ["CAR-1"]


def test_the_known_issues_of_a_project_are_told_with_their_last_update(ledger: Ledger) -> None:
    ledger.keep("acme", [an_issue(1), replace(an_issue(2), updated_at=NOW), an_issue(3, project="BUS")])
    assert ledger.known("acme", "jira", "CAR") == {"10001": NOW - HOUR, "10002": NOW}
    assert ledger.known("acme", "jira", "CAR", NOW) == {"10002": NOW}
    ledger.keep("acme", [replace(an_issue(2), updated_at=NOW, gaps=(Gap(GapKind.COMMENTS, "not delivered"),))])
    assert ledger.known("acme", "jira", "CAR", NOW) == {}, "a gap may be filled without an update"


def test_what_was_learned_of_a_server_lasts_as_long_as_was_said_and_no_longer(ledger: Ledger) -> None:
    ledger.cache("acme", "jira", NOW).put("fields", [{"id": "customfield_1", "name": "供应商"}], HOUR)
    assert ledger.cache("acme", "jira", NOW + HOUR / 2).get("fields") == [{"id": "customfield_1", "name": "供应商"}]
    assert ledger.cache("acme", "jira", NOW + HOUR).get("fields") is None
    assert ledger.cache("acme", "other", NOW).get("fields") is None
    ledger.cache("acme", "jira", NOW).put("fields", [], HOUR)
    assert ledger.cache("acme", "jira", NOW).get("fields") == []
    ledger.cache("acme", "jira", NOW).drop("fields")
    assert ledger.cache("acme", "jira", NOW).get("fields") is None


def test_what_two_learn_at_the_same_time_is_kept_once(ledger: Ledger) -> None:
    others: list[str] = []

    def first(_: SqlConnection, cursor: Any, statement: str, *__: object) -> None:
        """Another writer's row, where a database lets both in."""
        if statement.startswith("SAVEPOINT"):
            others.append(
                "INSERT INTO warranty_server_facts VALUES ('acme', 'jira', 'fields', '[\"theirs\"]', '2030-01-01')"
            )
            cursor.execute(others[0])

    event.listen(Engine, "before_cursor_execute", first)
    try:
        ledger.cache("acme", "jira", NOW).put("fields", ["mine"], HOUR)
    finally:
        event.remove(Engine, "before_cursor_execute", first)
    assert len(others) == 1
    assert ledger.cache("acme", "jira", NOW).get("fields") == ["mine"]


def test_what_was_learned_of_a_server_is_dropped_with_its_address(ledger: Ledger) -> None:
    ledger.read_at("acme", "jira", "http://here.test")
    ledger.cache("acme", "jira", NOW).put("server", "Cloud", HOUR)
    ledger.read_at("acme", "jira", "http://there.test")
    assert ledger.cache("acme", "jira", NOW).get("server") is None


def test_an_address_is_not_kept_as_it_is(path: Path) -> None:
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.read_at("acme", "jira", "http://bot:hunter22@here.test")
    assert b"hunter22" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_cached_issue_is_replaced_and_given_back_as_it_was(ledger: Ledger) -> None:
    ledger.keep("acme", [an_issue(1), an_issue(2), an_issue(1, title="Pump burst")])
    ledger.keep("acme", [an_issue(2, title="Hose torn")])
    ledger.keep("other", [an_issue(1, title="not ours")])
    assert [issue.title for issue in ledger.issues("acme", "jira")] == ["Pump burst", "Hose torn"]
    assert (
        ledger.issue("acme", "jira", "CAR-2") == ledger.issue("acme", "jira", "10002") == an_issue(2, title="Hose torn")
    )
    assert ledger.issue("acme", "jira", "CAR-3") is None


def test_an_issue_read_again_as_it_stands_is_not_written_again_and_a_moved_one_stands_at_its_new_place(
    ledger: Ledger, path: Path
) -> None:
    issue, other = an_issue(1), an_issue(1, tracker="gitlab", project="acme/car")
    assert ledger.keep("acme", [issue, other]) == {issue.ref.id}
    _sql(path, "CREATE TRIGGER rewritten BEFORE UPDATE ON warranty_issues BEGIN SELECT RAISE(ABORT, 'rewritten'); END")
    assert ledger.keep("acme", [issue, other]) == set()
    with pytest.raises(LedgerError, match="rewritten"):
        ledger.keep("acme", [replace(issue, title="Pump burst"), other])
    _sql(path, "DROP TRIGGER rewritten")
    moved = replace(issue, ref=replace(issue.ref, project="BUS", key="BUS-7"))
    assert ledger.keep("acme", [moved, other]) == {issue.ref.id}
    assert list(ledger.issues("acme", "jira", "CAR")) == []
    assert ledger.issue("acme", "jira", "BUS-7") == moved
    assert ledger.issue("acme", "gitlab", "acme/car-1") == other


def test_all_of_many_issues_come_once_by_tracker_and_project(ledger: Ledger) -> None:
    assert ledger.keep("acme", (an_issue(n, project="CAR" if n % 2 else "BUS") for n in range(450))) == {
        str(10_000 + n) for n in range(450)
    }
    assert len({issue.ref.id for issue in ledger.issues("acme", "jira")}) == 450
    assert {issue.ref.project for issue in ledger.issues("acme", "jira", "BUS")} == {"BUS"}
    assert list(ledger.issues("acme", "gitlab")) == []
    assert ledger.forget("acme", "jira", [str(10_000 + n) for n in range(300)]) == 300
    assert len(list(ledger.issues("acme", "jira"))) == 150


@pytest.mark.parametrize("left_out", [0, 1, 200, 449, 450])
def test_issues_that_are_left_out_do_not_come_and_all_others_do_in_their_order(ledger: Ledger, left_out: int) -> None:
    ledger.keep("acme", (an_issue(n) for n in range(450)))
    ledger.keep("acme", [an_issue(1, project="BUS"), an_issue(2, tracker="other")])
    every = [issue.ref.id for issue in ledger.issues("acme", "jira", "CAR")]
    but = frozenset(every[::2] + every[1::2]) if left_out == 450 else frozenset(every[7 : 7 + left_out])
    found = [issue.ref.id for issue in ledger.issues("acme", "jira", "CAR", but=but)]
    assert found == [id_ for id_ in every if id_ not in but]
    assert len(every) == 449, "one of them moved to another project"


def test_many_issues_are_judged_again_each_at_its_own_instant_or_never(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    issues = [an_issue(number, tracker=tracker) for tracker in ("jira", "other") for number in range(1, 61)]
    ledger.keep("acme", issues)
    instants = [None, NOW + HOUR] * 55 + [NOW + number * HOUR for number in range(2, 12)]
    judged = [Judged(one.ref, a_verdict(changes_at=at)) for one, at in zip(issues, instants, strict=True)]
    ledger.record_verdicts("r1", judged)
    for hours in (0, 1, 2, 12, 50_000_000 // 24):
        until = NOW + hours * HOUR
        due = {one.ref.id + one.ref.tracker for one, at in zip(issues, instants, strict=True) if at and at <= until}
        assert {ref.id + ref.tracker for ref in ledger.due("acme", until)} == due


def test_an_issue_is_due_until_judged_and_again_when_a_verdict_changes_by_itself(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    first, second = an_issue(1), an_issue(2)
    ledger.keep("acme", [first, second])
    assert [ref.key for ref in ledger.due("acme", NOW)] == ["CAR-1", "CAR-2"]
    verdicts = [a_verdict("first_response", changes_at=NOW + 3 * HOUR), a_verdict(changes_at=NOW + HOUR)]
    ledger.record_verdicts(
        "r1", [Judged(first.ref, v) for v in verdicts] + [Judged(second.ref, a_verdict(changes_at=None))]
    )
    assert ledger.due("acme", NOW) == ()
    assert [ref.key for ref in ledger.due("acme", NOW + HOUR)] == ["CAR-1"]
    ledger.keep("acme", [replace(second, title="Hose torn")])
    assert [ref.key for ref in ledger.due("acme", NOW)] == ["CAR-2"]


# ------------------------------------------------------------------------------------------------------------ evidence


def test_verdicts_and_receipts_come_back_as_they_were_in_order(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    ledger.begin_run("r2", "acme", NOW + HOUR)
    issue = an_issue()
    later = replace(a_verdict(), judged_at=NOW + HOUR, status=Status.AT_RISK)
    ledger.record_verdicts("r1", [Judged(issue.ref, a_verdict())])
    ledger.record_verdicts("r2", [Judged(issue.ref, later)])
    assert [one.verdict for one in ledger.verdicts("acme")] == [a_verdict(), later]
    assert [one.run for one in ledger.verdicts("acme", tracker="jira", issue_id=issue.ref.id)] == ["r1", "r2"]
    assert list(ledger.verdicts("acme", since=NOW + HOUR)) == [Judged(issue.ref, later, "r2")]
    assert [one.run for one in ledger.verdicts("acme", before=NOW + HOUR)] == ["r1"]
    report = Receipt(issue=None, change=SetDueDate(None), outcome=Outcome.NOT_TRIED, at=NOW)
    ledger.record_receipts("r1", "jira", [a_receipt()])
    ledger.record_receipts("r2", "jira", [report])
    assert ledger.receipts("acme") == (Recorded("r1", "jira", a_receipt()), Recorded("r2", "jira", report))
    assert ledger.receipts("acme", run="r1", issue_id=issue.ref.id)[0].receipt.prior == '{"labels": ["sla:ok", "vip"]}'


FINAL = replace(a_verdict(changes_at=None), status=Status.MET, calendar_digest="ca1")


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (FINAL, replace(FINAL, policy="standard@2", digest="cd34"), "policy standard@1 (ab12) -> standard@2 (cd34)"),
        (FINAL, replace(FINAL, calendar_digest="ca2"), "calendar cn (ca1) -> (ca2)"),
        (FINAL, FINAL, ""),
        (FINAL, replace(FINAL, status=Status.RUNNING), ""),
        (FINAL, replace(FINAL, cycle=2, digest="cd34"), ""),
        (replace(FINAL, status=Status.RUNNING), replace(FINAL, digest="cd34"), ""),
    ],
)
def test_a_final_verdict_judged_otherwise_is_a_new_row_with_a_reason_and_the_old_one_stays(
    ledger: Ledger, first: Verdict, second: Verdict, why: str
) -> None:
    ref = an_issue().ref
    for number, verdict in enumerate((first, second)):
        ledger.begin_run(f"r{number}", "acme", NOW)
        ledger.record_verdicts(f"r{number}", [Judged(ref, verdict)])
    before, after = ledger.history("acme", ref.key)
    assert (before.verdict, after.verdict) == (first, second)
    assert (after.correction, after.correction_of) == (why, before.number if why else None)
    assert (before.correction, before.correction_of) == ("", None)


def test_a_history_follows_a_moved_issue_and_ends_where_it_is_asked_to(ledger: Ledger) -> None:
    ref = an_issue().ref
    ledger.begin_run("r1", "acme", NOW)
    ledger.record_verdicts("r1", [Judged(replace(ref, key="OLD-7"), FINAL)])
    ledger.record_verdicts("r1", [Judged(ref, replace(FINAL, judged_at=NOW + HOUR))])
    assert len(ledger.history("acme", ref.key)) == len(ledger.history("acme", "OLD-7")) == 2
    assert [one.issue.key for one in ledger.history("acme", ref.id, until=NOW)] == ["OLD-7"]
    assert ledger.history("acme", "CAR-999") == ()


def test_many_verdicts_come_in_pages_without_loss(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    judged = [Judged(an_issue(n).ref, a_verdict()) for n in range(1050)]
    assert ledger.record_verdicts("r1", judged) == 1050
    assert [one.issue for one in ledger.verdicts("acme", run="r1")] == [one.issue for one in judged]


def test_evidence_needs_a_run_that_was_begun(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="no run 'r9' was begun"):
        ledger.record_verdicts("r9", [Judged(an_issue().ref, a_verdict())])
    with pytest.raises(LedgerError, match="no run 'r9' was begun"):
        ledger.record_receipts("r9", "jira", [a_receipt()])


@pytest.mark.parametrize("table", ["warranty_verdicts", "warranty_receipts"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET run = 'forged'", "DELETE FROM {}"])
def test_evidence_can_not_be_altered_or_removed_even_by_another_program(
    ledger: Ledger, path: Path, table: str, statement: str
) -> None:
    ledger.begin_run("r1", "acme", NOW)
    ledger.record_verdicts("r1", [Judged(an_issue().ref, a_verdict())])
    ledger.record_receipts("r1", "jira", [a_receipt()])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        _sql(path, statement.format(table))
    with (
        pytest.raises(LedgerError, match="append-only"),
        ledger._database.writing() as connection,
    ):
        connection.execute(text(statement.format(table)))
    assert len(_sql(path, f"SELECT * FROM {table}")) == 1  # noqa: S608 - a table's name of our own


def test_what_another_version_wrote_otherwise_is_an_error_that_says_what_to_do(ledger: Ledger, path: Path) -> None:
    ledger.keep("acme", [an_issue()])
    _sql(path, "UPDATE warranty_issues SET body = replace(body, 'commented', 'sung')")
    with pytest.raises(LedgerError, match=r"issue CAR-1 .* cannot be read: .* name another ledger") as caught:
        list(ledger.issues("acme", "jira"))
    assert "on it" not in str(caught.value)
    with pytest.raises(LedgerError, match=r"issue CAR-1 .* cannot be read"):
        ledger.issue("acme", "jira", "CAR-1")


def test_a_transaction_that_breaks_off_leaves_nothing(ledger: Ledger) -> None:
    ledger.begin_run("r1", "acme", NOW)
    broken = replace(a_verdict(), policy=None)  # type: ignore[arg-type]  # what the database refuses
    with pytest.raises(LedgerError) as caught:
        ledger.record_verdicts("r1", [Judged(an_issue().ref, a_verdict()), Judged(an_issue(2).ref, broken)])
    assert "CAR-2" not in str(caught.value)
    assert list(ledger.verdicts("acme")) == []


def test_no_secret_reaches_the_file(path: Path) -> None:
    token = "glpat-7hWqSecretZ9xTokenOfTheSite"
    connection = Connection(name="jira", url="http://127.0.0.1:1", token=SecretStr(token), user="ann@acme.test")
    refused = CredentialsRefused("401 from the server", tracker=connection.name, doing=f"log in to {connection.url}")
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.begin_run("r1", "acme", NOW)
        ledger.take_lease("acme", "r1", NOW)
        ledger.set_cursor("acme", connection.name, "CAR", NOW)
        ledger.keep("acme", [an_issue(tracker=connection.name, title=f"asked by {connection}")])
        ledger.record_verdicts("r1", [Judged(an_issue().ref, a_verdict())])
        ledger.record_receipts("r1", connection.name, [a_receipt(error=f"{refused} {connection!r}")])
        ledger.end_run("r1", NOW, RunState.RED, requests={"GET myself": 1})
        written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"401 from the server" in written
    assert token.encode() not in written
    assert token.encode() not in path.read_bytes()


# --------------------------------------------------------------------------------------------------------------- lease


def test_one_run_at_a_time_may_write_for_a_site(ledger: Ledger, path: Path) -> None:
    ledger.take_lease("acme", "r1", NOW)
    with Ledger.open(f"sqlite:///{path}") as other:
        other.take_lease("elsewhere", "r2", NOW)
        with pytest.raises(RunInProgress, match="run r1 is writing for site 'acme'") as caught:
            other.take_lease("acme", "r2", NOW + timedelta(minutes=9))
        assert caught.value.until == NOW + timedelta(minutes=10)
        ledger.give_back_lease("acme", "r1")
        other.take_lease("acme", "r2", NOW + timedelta(minutes=9))


def test_a_lease_that_is_renewed_holds_on_and_one_that_ran_out_is_taken_over(ledger: Ledger) -> None:
    ledger.take_lease("acme", "r1", NOW)
    ledger.renew_lease("acme", "r1", NOW + timedelta(minutes=9))
    with pytest.raises(RunInProgress):
        ledger.take_lease("acme", "r2", NOW + timedelta(minutes=18))
    ledger.take_lease("acme", "r2", NOW + timedelta(minutes=19))
    with pytest.raises(LeaseLost, match="run r1 no longer holds site 'acme'"):
        ledger.renew_lease("acme", "r1", NOW + timedelta(minutes=19))
    ledger.give_back_lease("acme", "r1")
    ledger.renew_lease("acme", "r2", NOW + timedelta(minutes=20))


def test_the_lease_of_a_killed_process_is_taken_over_at_once(ledger: Ledger, path: Path) -> None:
    program = (
        "import os, signal\n"
        "from datetime import UTC, datetime\n"
        "from connectors.ledger import Ledger\n"
        f"ledger = Ledger.open({f'sqlite:///{path}'!r})\n"
        "ledger.take_lease('acme', 'r1', datetime(2026, 3, 6, 12, 0, tzinfo=UTC))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False, capture_output=True, timeout=60
    )
    assert (killed.returncode, killed.stderr) == (-9, b"")
    ledger.take_lease("acme", "r2", NOW)


def test_a_process_elsewhere_is_never_taken_for_dead() -> None:
    me = Holder.this_process()
    assert me.pid == os.getpid()
    assert not me.is_dead()
    assert not Holder("another machine", 2**22 + 1).is_dead()


# --------------------------------------------------------------------------------------------------------- round trips

_SINCE_1990 = st.integers(0, 3_000_000_000_000_000)
_INSTANTS = _SINCE_1990.map(lambda us: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
st.register_type_strategy(datetime, _INSTANTS)
_TEXTS = st.text(max_size=12)
st.register_type_strategy(
    Text, st.builds(Text, _TEXTS, st.booleans(), st.booleans(), st.sampled_from(["", "https://x.test/a"]))
)
_BLOCKS = st.one_of(
    st.builds(Paragraph, st.lists(st.from_type(Text), max_size=2).map(tuple)),
    st.builds(
        Table,
        st.just(("a",)),
        st.lists(st.tuples(st.lists(st.from_type(Text), max_size=2).map(tuple)), max_size=2).map(tuple),
    ),
)
st.register_type_strategy(Document, st.builds(Document, st.lists(_BLOCKS, max_size=2).map(tuple)))
st.register_type_strategy(
    Relabel,
    st.sets(_TEXTS, max_size=4).map(lambda names: Relabel(tuple(sorted(names)[::2]), tuple(sorted(names)[1::2]))),
)
_GOALS = st.one_of(
    st.none(),
    st.builds(ElapsedTime, st.integers(1, 10_000)),
    st.builds(WorkingTime, st.integers(1, 10_000)),
    st.builds(WorkingDays, st.integers(1, 400), until_close=st.booleans()),
)
_SPEED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.builds(Issue))
@_SPEED
def test_an_issue_survives_the_ledger(issue: Issue) -> None:
    assert ISSUE.read(ISSUE.write(issue)) == issue


@given(st.builds(Issue))
@_SPEED
def test_an_issue_is_written_as_its_adapter_writes_it_with_its_labels_in_order(issue: Issue) -> None:
    whole = TypeAdapter(Issue).dump_json(issue)
    assert orjson.loads(ISSUE.write(issue)) == orjson.loads(whole) | {"labels": sorted(issue.labels)}
    single = replace(issue, labels=frozenset({"vip"}))
    assert ISSUE.write(single).encode() == TypeAdapter(Issue).dump_json(single)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
@_SPEED
def test_an_instant_stands_in_a_file_as_sqlalchemy_writes_it(instant: datetime) -> None:
    assume(MINYEAR < instant.year < MAXYEAR)
    sqlite, theirs = create_mock_engine("sqlite://", print).dialect, DateTime(timezone=True)
    ours, usual = (kind.dialect_impl(sqlite).bind_processor(sqlite) for kind in (Instant(), theirs))
    assert ours is not None
    assert usual is not None
    assert ours(instant) == usual(instant.astimezone(UTC))
    assert ours(None) is None


@given(st.builds(Verdict, goal=_GOALS))
@_SPEED
def test_a_verdict_survives_the_ledger(verdict: Verdict) -> None:
    assert VERDICT.read(VERDICT.write(verdict)) == verdict


@given(st.builds(Receipt))
@_SPEED
def test_a_receipt_survives_the_ledger(receipt: Receipt) -> None:
    assert RECEIPT.read(RECEIPT.write(receipt)) == receipt


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"events": 7}', '{"events": [{"kind": "eaten"}]}'])
def test_a_text_that_is_no_issue_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ISSUE.read(text)


def test_one_person_of_many_issues_read_is_one_value() -> None:
    first, second = (ISSUE.read(ISSUE.write(an_issue(number))) for number in (1, 2))
    assert (first, second) == (an_issue(1), an_issue(2))
    assert first.events[0].actor is second.events[0].actor


def test_a_receipt_keeps_which_change_it_was() -> None:
    note = UpsertComment("clocks", Document((Paragraph((Text("due 2026-03-07", strong=True),)),)), internal=True)
    receipt = replace(a_receipt(), change=note)
    back = RECEIPT.read(RECEIPT.write(receipt))
    assert back == receipt
    assert isinstance(back.change, UpsertComment)
    assert back.change.mark == note.mark


def test_half_a_character_from_a_tracker_does_not_stop_the_ledger(ledger: Ledger) -> None:
    hostile = replace(an_issue(), title="half \ud83d of a car, a whole \ud83d\ude97, and a \x00", reporter=NOBODY)
    ledger.keep("acme", [hostile])
    kept = ledger.issue("acme", "jira", "CAR-1")
    assert kept is not None
    assert kept.title == "half \ufffd of a car, a whole \U0001f697, and a \x00"


def test_half_a_character_leaves_an_issue_among_those_that_are_known_whole(ledger: Ledger) -> None:
    ledger.keep("acme", [replace(an_issue(), title="half \ud83d of a car")])
    assert set(ledger.known("acme", "jira", "CAR", NOW - 2 * HOUR)) == {"10001"}


def _sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()
