"""The ledger's tables.

Rules:

1. Instants are UTC in the database and aware in Python.
2. A fact, verdict or receipt is kept whole as JSON; beside it stand only the columns that are searched by.
3. ``warranty_verdicts`` and ``warranty_receipts`` only grow. On SQLite triggers hold that against any program; on other
   databases it holds because nothing here updates or deletes them.
4. A change of a table raises ``VERSION``; a column that came later stands in ``ADDED`` with the version it came with, so
   that an older ledger is brought up as it is opened. Its rows stay as they are.
5. A final verdict that another policy or calendar judges otherwise is corrected by a new row that names the old one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import DDL, DateTime, ForeignKey, Index, Integer, String, Text, TypeDecorator, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from connectors.ledger_text import ISSUE, RECEIPT, VERDICT
from policies.issue import utc

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from policies.issue import Issue, IssueRef
    from policies.receipt import Receipt
    from policies.verdict import Verdict

VERSION = 4

ADDED: tuple[tuple[int, str, str], ...] = (
    (3, "warranty_verdicts", "calendar_digest"),
    (3, "warranty_verdicts", "correction_of"),
    (3, "warranty_verdicts", "correction"),
    (3, "warranty_runs", "policy_digest"),
    (4, "warranty_cursors", "reconciled_at"),
    (4, "warranty_cursors", "read_at"),
)
"""Columns that came later: (version, table, column). All of them may be empty."""

SITE = String(120)
TRACKER = String(120)
PROJECT = String(400)
KEY = String(400)
RUN = String(64)


class Instant(TypeDecorator[datetime]):
    """An aware instant, in UTC whether the database keeps offsets (PostgreSQL) or not (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        return None if value is None else utc(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else utc(instant)


class Table(DeclarativeBase):
    """What all tables of the ledger belong to."""


class SchemaRow(Table):
    __tablename__ = "warranty_schema"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class RunRow(Table):
    """One run. ``state`` and ``ended_at`` are empty while it goes on, and for ever when it was killed.

    Attributes:
        policy_digest: of all versions and calendars it judged by; empty in runs of version 2 and before.
    """

    __tablename__ = "warranty_runs"
    id: Mapped[str] = mapped_column(RUN, primary_key=True)
    site: Mapped[str] = mapped_column(SITE, index=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    state: Mapped[str | None] = mapped_column(String(8))
    requests: Mapped[str] = mapped_column(Text)
    plan_digest: Mapped[str] = mapped_column(String(64))
    policy_digest: Mapped[str | None] = mapped_column(String(64))


class AddressRow(Table):
    """Where a tracker's cached issues were read from, as a digest: an address out of the environment may hold a secret."""

    __tablename__ = "warranty_addresses"
    site: Mapped[str] = mapped_column(SITE, primary_key=True)
    tracker: Mapped[str] = mapped_column(TRACKER, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class CursorRow(Table):
    """Up to where a project was read.

    Attributes:
        read_at: when that was. reconciled_at: when its issues were last compared by id. Both empty if never.
    """

    __tablename__ = "warranty_cursors"
    site: Mapped[str] = mapped_column(SITE, primary_key=True)
    tracker: Mapped[str] = mapped_column(TRACKER, primary_key=True)
    project: Mapped[str] = mapped_column(PROJECT, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    reconciled_at: Mapped[datetime | None] = mapped_column(Instant)


class ServerFactRow(Table):
    """What was learned of a tracker's server, as JSON, and how long it counts."""

    __tablename__ = "warranty_server_facts"
    site: Mapped[str] = mapped_column(SITE, primary_key=True)
    tracker: Mapped[str] = mapped_column(TRACKER, primary_key=True)
    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(Instant)


class IssueRow(Table):
    """A cached issue. ``judge_at``: when it is to be judged again though nothing happens; empty if never."""

    __tablename__ = "warranty_issues"
    site: Mapped[str] = mapped_column(SITE, primary_key=True)
    tracker: Mapped[str] = mapped_column(TRACKER, primary_key=True)
    id: Mapped[str] = mapped_column(KEY, primary_key=True)
    project: Mapped[str] = mapped_column(PROJECT)
    key: Mapped[str] = mapped_column(KEY)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    judge_at: Mapped[datetime | None] = mapped_column(Instant)
    body: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("warranty_issues_key", "site", "tracker", "key"),
        Index("warranty_issues_judge_at", "site", "judge_at"),
    )


class VerdictRow(Table):
    """A verdict as it was given.

    Attributes:
        digest, calendar_digest: of the policy and of the calendar, apart. The latter is empty in rows of version 2 and
            before, whose ``digest`` covered both.
        correction_of, correction: the row this one corrects, and why; empty for a verdict that corrects none.
    """

    __tablename__ = "warranty_verdicts"
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(RUN, ForeignKey("warranty_runs.id"))
    site: Mapped[str] = mapped_column(SITE)
    tracker: Mapped[str] = mapped_column(TRACKER)
    project: Mapped[str] = mapped_column(PROJECT)
    issue_id: Mapped[str] = mapped_column(KEY)
    issue_key: Mapped[str] = mapped_column(KEY)
    url: Mapped[str] = mapped_column(Text)
    judged_at: Mapped[datetime] = mapped_column(Instant)
    clock: Mapped[str] = mapped_column(String(200))
    cycle: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    policy: Mapped[str] = mapped_column(String(400))
    digest: Mapped[str] = mapped_column(String(128))
    calendar_digest: Mapped[str | None] = mapped_column(String(128))
    correction_of: Mapped[int | None] = mapped_column(Integer)
    correction: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("warranty_verdicts_issue", "site", "tracker", "issue_id"),
        Index("warranty_verdicts_run", "run"),
        Index("warranty_verdicts_judged_at", "site", "judged_at"),
    )


class ReceiptRow(Table):
    """One receipt. ``prior`` is what stood there before, so that a run can be undone one day."""

    __tablename__ = "warranty_receipts"
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(RUN, ForeignKey("warranty_runs.id"), index=True)
    site: Mapped[str] = mapped_column(SITE)
    tracker: Mapped[str] = mapped_column(TRACKER)
    issue_id: Mapped[str] = mapped_column(KEY)
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(32))
    prior: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("warranty_receipts_issue", "site", "tracker", "issue_id"),)


class LeaseRow(Table):
    """Who may write for a site. ``host`` and ``pid`` name the process, so that a dead one is not waited for."""

    __tablename__ = "warranty_leases"
    site: Mapped[str] = mapped_column(SITE, primary_key=True)
    run: Mapped[str] = mapped_column(RUN)
    host: Mapped[str] = mapped_column(String(400))
    pid: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)


def _only_grows(table: str) -> None:
    for verb in ("update", "delete"):
        refusal = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy left it without annotations
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
        )
        event.listen(Table.metadata.tables[table], "after_create", refusal.execute_if(dialect="sqlite"))


_only_grows(VerdictRow.__tablename__)
_only_grows(ReceiptRow.__tablename__)


ISSUES = Table.metadata.tables[IssueRow.__tablename__]
VERDICTS = Table.metadata.tables[VerdictRow.__tablename__]
RECEIPTS = Table.metadata.tables[ReceiptRow.__tablename__]
"""Without the mapper's detours, for statements that write ten thousand rows."""


def issue_row(issue: Issue) -> dict[str, Any]:
    """The columns of a cached issue that follow from it alone, without its name."""
    return {
        "project": issue.ref.project,
        "key": issue.ref.key,
        "updated_at": issue.updated_at,
        "body": ISSUE.write(issue),
    }


def verdict_row(run: str, site: str, ref: IssueRef, verdict: Verdict) -> dict[str, Any]:
    """The columns of a verdict."""
    return {
        "run": run,
        "site": site,
        "tracker": ref.tracker,
        "project": ref.project,
        "issue_id": ref.id,
        "issue_key": ref.key,
        "url": ref.url,
        "judged_at": verdict.judged_at,
        "clock": verdict.clock,
        "cycle": verdict.cycle,
        "status": verdict.status.value,
        "due_at": verdict.due_at,
        "policy": verdict.policy,
        "digest": verdict.digest,
        "calendar_digest": verdict.calendar_digest,
        "body": VERDICT.write(verdict),
    }


def receipt_row(run: str, site: str, tracker: str, receipt: Receipt) -> dict[str, Any]:
    """The columns of a receipt."""
    return {
        "run": run,
        "site": site,
        "tracker": tracker,
        "issue_id": receipt.issue.id if receipt.issue else "",
        "at": receipt.at,
        "kind": receipt.change.kind,
        "outcome": receipt.outcome.value,
        "prior": receipt.prior,
        "body": RECEIPT.write(receipt),
    }
