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

from sqlalchemy import (
    DDL,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    event,
)

from connectors.ledger_text import ISSUE, RECEIPT, VERDICT
from policies.issue import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Dialect

    from policies.issue import Issue, IssueRef
    from policies.receipt import Receipt
    from policies.verdict import Verdict

VERSION = 5

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

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        # SQLAlchemy's own way is in three steps, and takes five times as long.
        return _without_offset if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        return None if value is None else utc(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else utc(instant)


def _without_offset(instant: datetime | None) -> str | None:
    """In UTC, as SQLAlchemy writes it: ``2026-03-06 12:00:00.000000``."""
    return None if instant is None else utc(instant).isoformat(" ", "microseconds")[:26]


LEDGER = MetaData()
"""All tables of the ledger. Declared without the mapper, which nothing here needs and which takes long to load."""

SCHEMA = Table(
    "warranty_schema",
    LEDGER,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

RUNS = Table(
    "warranty_runs",
    LEDGER,
    Column("id", RUN, primary_key=True),
    Column("site", SITE, index=True, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("state", String(8)),
    Column("requests", Text, nullable=False),
    Column("plan_digest", String(64), nullable=False),
    Column("policy_digest", String(64)),
)
"""One run. ``state`` and ``ended_at`` are empty while it goes on, and for ever when it was killed.

Attributes:
    policy_digest: of all it judges by: the site's policies with their calendars (in runs of version 4 and before of
        nothing else), what its words mean, who is who. Empty in runs of version 2 and before.
"""

JUDGED_BY = Table(
    "warranty_judged_by",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("digest", String(64), nullable=False),
)
"""By what a site's cached issues are judged at present, as a run's ``policy_digest`` says it."""

FIXES = Table(
    "warranty_fixes",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("tracker", TRACKER, primary_key=True),
    Column("id", KEY, primary_key=True),
    Column("fix", Text, nullable=False),
)
"""With which released fix the verdicts of an issue were last recorded; an issue without one has no row."""

ADDRESSES = Table(
    "warranty_addresses",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("tracker", TRACKER, primary_key=True),
    Column("digest", String(64), nullable=False),
)
"""Where a tracker's cached issues were read from, as a digest: an address out of the environment may hold a secret."""

CURSORS = Table(
    "warranty_cursors",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("tracker", TRACKER, primary_key=True),
    Column("project", PROJECT, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("read_at", Instant),
    Column("reconciled_at", Instant),
)
"""Up to where a project was read.

Attributes:
    read_at: when that was. reconciled_at: when its issues were last compared by id. Both empty if never.
"""

SERVER_FACTS = Table(
    "warranty_server_facts",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("tracker", TRACKER, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("value", Text, nullable=False),
    Column("until", Instant, nullable=False),
)
"""What was learned of a tracker's server, as JSON, and how long it counts."""

ISSUES = Table(
    "warranty_issues",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("tracker", TRACKER, primary_key=True),
    Column("id", KEY, primary_key=True),
    Column("project", PROJECT, nullable=False),
    Column("key", KEY, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("judge_at", Instant),
    Column("body", Text, nullable=False),
    Index("warranty_issues_key", "site", "tracker", "key"),
    Index("warranty_issues_judge_at", "site", "judge_at"),
)
"""A cached issue. ``judge_at``: when it is to be judged again though nothing happens; ``NEVER``, or empty, if never."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any clock runs."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Longer than any clock runs. An instant takes another's place in a row; to empty it, SQLite writes the row anew, body
and all."""

VERDICTS = Table(
    "warranty_verdicts",
    LEDGER,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("run", RUN, ForeignKey("warranty_runs.id"), nullable=False),
    Column("site", SITE, nullable=False),
    Column("tracker", TRACKER, nullable=False),
    Column("project", PROJECT, nullable=False),
    Column("issue_id", KEY, nullable=False),
    Column("issue_key", KEY, nullable=False),
    Column("url", Text, nullable=False),
    Column("judged_at", Instant, nullable=False),
    Column("clock", String(200), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("status", String(32), nullable=False),
    Column("due_at", Instant),
    Column("policy", String(400), nullable=False),
    Column("digest", String(128), nullable=False),
    Column("calendar_digest", String(128)),
    Column("correction_of", Integer),
    Column("correction", Text),
    Column("body", Text, nullable=False),
    Index("warranty_verdicts_issue", "site", "tracker", "issue_id"),
    Index("warranty_verdicts_run", "run"),
    Index("warranty_verdicts_judged_at", "site", "judged_at"),
)
"""A verdict as it was given.

Attributes:
    digest, calendar_digest: of the policy and of the calendar, apart. The latter is empty in rows of version 2 and
        before, whose ``digest`` covered both.
    correction_of, correction: the row this one corrects, and why; empty for a verdict that corrects none.
"""

RECEIPTS = Table(
    "warranty_receipts",
    LEDGER,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("run", RUN, ForeignKey("warranty_runs.id"), index=True, nullable=False),
    Column("site", SITE, nullable=False),
    Column("tracker", TRACKER, nullable=False),
    Column("issue_id", KEY, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("prior", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("warranty_receipts_issue", "site", "tracker", "issue_id"),
)
"""One receipt. ``prior`` is what stood there before, so that a run can be undone one day."""

LEASES = Table(
    "warranty_leases",
    LEDGER,
    Column("site", SITE, primary_key=True),
    Column("run", RUN, nullable=False),
    Column("host", String(400), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Who may write for a site. ``host`` and ``pid`` name the process, so that a dead one is not waited for."""


def _only_grows(table: Table) -> None:
    for verb in ("update", "delete"):
        refusal = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy left it without annotations
            f"CREATE TRIGGER {table.name}_no_{verb} BEFORE {verb.upper()} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only: {verb} refused'); END"
        )
        event.listen(table, "after_create", refusal.execute_if(dialect="sqlite"))


_only_grows(VERDICTS)
_only_grows(RECEIPTS)


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
