"""The ledger: cursors, cached issues, the verdicts and receipts of every run, and who may write just now.

Rules:

1. The tracker is the memory; this is evidence and cache. Deleting it costs requests, never correctness.
2. Verdicts and receipts are only ever added (``ledger_schema`` says how that is held).
3. No ``Connection`` and no secret ever comes here; ``now`` is always handed in.
4. A method is one transaction: it is in the ledger whole, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Self, TypeVar

from sqlalchemy import Connection, delete, insert, or_, select, update

from connectors.ledger_cache import LedgerCache
from connectors.ledger_correction import correction_columns, cycle_of, last_given
from connectors.ledger_cursors import Cursor, Cursors
from connectors.ledger_database import Database, LedgerBusy, LedgerError, LedgerNewer, NotALedger
from connectors.ledger_lease import Holder, LeaseLost, Leases, RunInProgress
from connectors.ledger_records import Judged, Recorded, Run, RunState
from connectors.ledger_schema import (
    AddressRow,
    CursorRow,
    IssueRow,
    ReceiptRow,
    RunRow,
    ServerFactRow,
    VerdictRow,
    issue_row,
    receipt_row,
    verdict_row,
)
from connectors.ledger_text import ISSUE, RECEIPT, VERDICT, Text
from policies.echo import echoes
from policies.issue import Issue, IssueRef
from policies.receipt import Receipt

__all__ = [
    "Cursor",
    "Holder",
    "Judged",
    "LeaseLost",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LedgerNewer",
    "NotALedger",
    "Recorded",
    "Run",
    "RunInProgress",
    "RunState",
]

T = TypeVar("T")

_BATCH = 200


# ------------------------------------------------------------------------------------------------------------- ledger


class Ledger(Cursors, Leases):
    """An open ledger. Threads may share it. Use ``Ledger.open``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = database.reading
        self._writing = database.writing

    @classmethod
    def open(cls, url: str, *, patience_seconds: float = 5.0) -> Ledger:
        """The ledger at a database URL (``sqlite:///path``, ``postgresql+psycopg://…``); created where there is none.

        Args:
            url: as SQLAlchemy reads it; a password in it is never printed. ``sqlite://`` lives in memory.
            patience_seconds: how long to wait for another process that holds a SQLite file.

        Raises:
            NotALedger, LedgerNewer, LedgerBusy, LedgerError: each says what to do.
        """
        return cls(Database.open(url, patience_seconds))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --------------------------------------------------------------------------------------------------------- runs

    def begin_run(self, run: str, site: str, now: datetime) -> None:
        """Write down that a run began. Verdicts and receipts need it.

        Raises:
            LedgerError: there is a run of that id.
        """
        with self._writing() as connection:
            if connection.scalar(select(RunRow.id).where(RunRow.id == run)) is not None:
                raise LedgerError(f"{self._database.where}: there is a run {run!r} already; give each run its own id")
            connection.execute(
                insert(RunRow).values(
                    id=run, site=site, started_at=now, ended_at=None, state=None, requests="{}", plan_digest=""
                )
            )

    def end_run(
        self,
        run: str,
        now: datetime,
        state: RunState,
        *,
        requests: Mapping[str, int],
        plan_digest: str = "",
        policy_digest: str = "",
    ) -> None:
        """Write down how a run ended, how many requests of each kind it sent, and by which policy it judged."""
        with self._writing() as connection:
            done = connection.execute(
                update(RunRow)
                .where(RunRow.id == run, RunRow.ended_at.is_(None))
                .values(
                    ended_at=now,
                    state=state.value,
                    requests=json.dumps(dict(requests), sort_keys=True),
                    plan_digest=plan_digest,
                    policy_digest=policy_digest or None,
                )
            )
            if done.rowcount != 1:
                raise LedgerError(f"{self._database.where}: no run {run!r} is going on")

    def judged_by(self, site: str) -> str | None:
        """The digest of the policy that the last run which came to its end judged by; None where none says."""
        query = select(RunRow.policy_digest).where(RunRow.site == site, RunRow.ended_at.is_not(None))
        with self._reading() as connection:
            return connection.scalar(query.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(1))

    def runs(self, site: str, *, latest: int = 50) -> tuple[Run, ...]:
        """The site's latest runs, newest first."""
        query = select(RunRow.__table__).where(RunRow.site == site).order_by(RunRow.started_at.desc(), RunRow.id.desc())
        with self._reading() as connection:
            rows = connection.execute(query.limit(latest)).mappings().all()
        return tuple(
            Run(
                id=row["id"],
                site=row["site"],
                started_at=row["started_at"],
                ended_at=row["ended_at"],
                state=RunState(row["state"]) if row["state"] else None,
                requests=json.loads(row["requests"]),
                plan_digest=row["plan_digest"],
            )
            for row in rows
        )

    # ---------------------------------------------------------------------------------------------- trackers' servers

    def read_at(self, site: str, tracker: str, address: str) -> bool:
        """Say from which address a tracker is about to be read. What was cached from another one is dropped.

        Returns:
            Whether it was another address: cache and cursors of the tracker are empty now.
        """
        digest = hashlib.sha256(address.encode()).hexdigest()
        whose = (AddressRow.site == site, AddressRow.tracker == tracker)
        with self._writing() as connection:
            before = connection.scalar(select(AddressRow.digest).where(*whose))
            if before == digest:
                return False
            connection.execute(delete(AddressRow).where(*whose))
            connection.execute(insert(AddressRow).values(site=site, tracker=tracker, digest=digest))
            if before is None:
                return False
            for table in (CursorRow, ServerFactRow, IssueRow):
                connection.execute(delete(table).where(table.site == site, table.tracker == tracker))
        return True

    def cache(self, site: str, tracker: str, now: datetime) -> LedgerCache:
        """What a connector may keep from run to run of a tracker's server."""
        return LedgerCache(self._database, site, tracker, now)

    # ------------------------------------------------------------------------------------------------------- issues

    def keep(self, site: str, issues: Iterable[Issue]) -> frozenset[str]:
        """Cache issues as read (raw facts, before vocabulary and roster); a known one is replaced.

        Returns:
            The ids of those that are new, or that somebody else than our own account did something to (``policies.echo``).
            They are to be judged; the others are when they were to be before.
        """
        awake: set[str] = set()
        for batch in _batches(issues):
            with self._writing() as connection:
                awake |= self._keep(connection, site, batch)
        return frozenset(awake)

    def _keep(self, connection: Connection, site: str, batch: Sequence[Issue]) -> set[str]:
        # The last one wins where a batch holds an issue twice.
        found = {(issue.ref.tracker, issue.ref.id): issue for issue in batch}
        awake: set[str] = set()
        rows: list[dict[str, object]] = []
        for tracker in {tracker for tracker, _ in found}:
            ids = [id_ for of, id_ in found if of == tracker]
            these = (IssueRow.site == site, IssueRow.tracker == tracker, IssueRow.id.in_(ids))
            known = select(IssueRow.id, IssueRow.judge_at, IssueRow.body).where(*these)
            held = {row.id: row for row in connection.execute(known)}
            connection.execute(delete(IssueRow).where(*these))
            for id_ in ids:
                issue = found[tracker, id_]
                if id_ in held and _is_echo(held[id_].body, issue):
                    rows.append(issue_row(site, issue, held[id_].judge_at))
                else:
                    # Until its verdicts are recorded it is to be judged: a run killed in between leaves nothing forgotten.
                    rows.append(issue_row(site, issue, issue.opened_at))
                    awake.add(id_)
        connection.execute(insert(IssueRow), rows)
        return awake

    def issues(self, site: str, tracker: str, project: str | None = None) -> Iterator[Issue]:
        """All cached issues of a tracker or of one project, ordered by id; few are in memory at a time."""
        where = [IssueRow.site == site, IssueRow.tracker == tracker]
        if project is not None:
            where.append(IssueRow.project == project)
        after = ""
        while True:
            query = select(IssueRow.id, IssueRow.key, IssueRow.body).where(*where, IssueRow.id > after)
            with self._reading() as connection:
                rows = connection.execute(query.order_by(IssueRow.id).limit(_BATCH)).all()
            for _, key, body in rows:
                yield self._whole(ISSUE, body, f"issue {key}")
            if len(rows) < _BATCH:
                return
            after = rows[-1][0]

    def known(self, site: str, tracker: str, project: str, since: datetime | None = None) -> dict[str, datetime]:
        """Ids of the cached issues of a project that were updated at or after ``since``, with their ``updated_at``.

        With ``since`` only those of which the whole history is held: a gap may be filled without an update.
        """
        where = [IssueRow.site == site, IssueRow.tracker == tracker, IssueRow.project == project]
        if since is not None:
            # Inside a text of the tracker's the quotes would be escaped.
            where += [IssueRow.updated_at >= since, IssueRow.body.contains('"gaps":[]', autoescape=True)]
        with self._reading() as connection:
            rows = connection.execute(select(IssueRow.id, IssueRow.updated_at).where(*where)).all()
        return {row.id: row.updated_at for row in rows}

    def issue(self, site: str, tracker: str, key: str) -> Issue | None:
        """A cached issue by its key or id."""
        query = select(IssueRow.body).where(IssueRow.site == site, IssueRow.tracker == tracker)
        with self._reading() as connection:
            body = connection.scalar(query.where(IssueRow.id == key))
            if body is None:
                newest = IssueRow.updated_at.desc()
                body = connection.scalar(query.where(IssueRow.key == key).order_by(newest).limit(1))
        return None if body is None else self._whole(ISSUE, body, f"issue {key}")

    def due(self, site: str, now: datetime) -> tuple[IssueRef, ...]:
        """Cached issues to be judged at ``now``, soonest first.

        These are the ones kept since they were last judged, and those with a verdict that changes by itself by then.
        """
        query = (
            select(IssueRow.tracker, IssueRow.project, IssueRow.key, IssueRow.id)
            .where(IssueRow.site == site, IssueRow.judge_at <= now)
            .order_by(IssueRow.judge_at, IssueRow.tracker, IssueRow.id)
        )
        with self._reading() as connection:
            return tuple(IssueRef(*row) for row in connection.execute(query))

    def forget(self, site: str, tracker: str, ids: Iterable[str]) -> int:
        """Drop issues from the cache (deleted or no longer visible at the tracker). Their evidence stays."""
        gone = 0
        for batch in _batches(ids):
            with self._writing() as connection:
                gone += connection.execute(
                    delete(IssueRow).where(IssueRow.site == site, IssueRow.tracker == tracker, IssueRow.id.in_(batch))
                ).rowcount
        return gone

    # ----------------------------------------------------------------------------------------------------- evidence

    def record_verdicts(self, run: str, judged: Iterable[Judged]) -> int:
        """Add verdicts of a run, and note on each cached issue when it is to be judged again. Returns how many.

        Hand in all verdicts of an issue together: the soonest of their ``next_change_at`` counts. A verdict of a cycle
        that was final already, under another policy or calendar, is recorded as a correction of the one before.
        """
        everything = list(judged)
        again: dict[tuple[str, str], datetime | None] = {}
        for one in everything:
            whose, at = (one.issue.tracker, one.issue.id), one.verdict.next_change_at
            before = again.get(whose)
            again[whose] = at if before is None else before if at is None else min(before, at)
        with self._writing() as connection:
            site = self._site_of(connection, run)
            for batch in _batches(everything):
                given = last_given(connection, site, {(one.issue.tracker, one.issue.id) for one in batch})
                rows = [
                    {
                        **verdict_row(run, site, one.issue, one.verdict),
                        **correction_columns(given.get(cycle_of(one.issue, one.verdict)), one.verdict),
                    }
                    for one in batch
                ]
                connection.execute(insert(VerdictRow), rows)
            for (tracker, id_), at in again.items():
                connection.execute(
                    update(IssueRow)
                    .where(IssueRow.site == site, IssueRow.tracker == tracker, IssueRow.id == id_)
                    .values(judge_at=at)
                )
        return len(everything)

    def verdicts(
        self,
        site: str,
        *,
        run: str | None = None,
        tracker: str | None = None,
        issue_id: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Judged]:
        """Recorded verdicts in the order they were given: of a run, of an issue, judged in ``[since, before)``."""
        where = [VerdictRow.site == site]
        where += [VerdictRow.run == run] if run is not None else []
        where += [VerdictRow.tracker == tracker] if tracker is not None else []
        where += [VerdictRow.issue_id == issue_id] if issue_id is not None else []
        where += [VerdictRow.judged_at >= since] if since is not None else []
        where += [VerdictRow.judged_at < before] if before is not None else []
        after = 0
        while True:
            query = select(VerdictRow.__table__).where(*where, VerdictRow.n > after).order_by(VerdictRow.n)
            with self._reading() as connection:
                rows = connection.execute(query.limit(_BATCH)).mappings().all()
            for row in rows:
                ref = IssueRef(row["tracker"], row["project"], row["issue_key"], row["issue_id"], row["url"])
                yield Judged(
                    ref,
                    self._whole(VERDICT, row["body"], f"verdict {row['n']}"),
                    row["run"],
                    row["n"],
                    row["correction_of"],
                    row["correction"] or "",
                )
            if len(rows) < _BATCH:
                return
            after = rows[-1]["n"]

    def history(self, site: str, key: str, *, until: datetime | None = None) -> tuple[Judged, ...]:
        """Every verdict ever given of an issue, by its key or id, in the order they were given: the evidence.

        Args:
            until: leave out what was judged after this instant.
        """
        mine = (VerdictRow.site == site, or_(VerdictRow.issue_key == key, VerdictRow.issue_id == key))
        query = select(VerdictRow.tracker, VerdictRow.issue_id).where(*mine).order_by(VerdictRow.n.desc()).limit(1)
        with self._reading() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            return ()
        given = self.verdicts(site, tracker=found[0], issue_id=found[1])
        return tuple(one for one in given if until is None or one.verdict.judged_at <= until)

    def record_receipts(self, run: str, tracker: str, receipts: Iterable[Receipt]) -> None:
        """Add the receipts of an answer, as soon as it is there: a killed run then leaves the proof of what it did."""
        with self._writing() as connection:
            site = self._site_of(connection, run)
            for batch in _batches(receipts):
                connection.execute(insert(ReceiptRow), [receipt_row(run, site, tracker, each) for each in batch])

    def receipts(
        self, site: str, *, run: str | None = None, tracker: str | None = None, issue_id: str | None = None
    ) -> tuple[Recorded, ...]:
        """Receipts in the order they were written: of a run, of an issue."""
        where = [ReceiptRow.site == site]
        where += [ReceiptRow.run == run] if run is not None else []
        where += [ReceiptRow.tracker == tracker] if tracker is not None else []
        where += [ReceiptRow.issue_id == issue_id] if issue_id is not None else []
        query = select(ReceiptRow.n, ReceiptRow.run, ReceiptRow.tracker, ReceiptRow.body).where(*where)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(ReceiptRow.n)).all()
        return tuple(Recorded(of, at, self._whole(RECEIPT, body, f"receipt {n}")) for n, of, at, body in rows)

    def _whole(self, text: Text[T], body: str, what: str) -> T:
        try:
            return text.read(body)
        except ValueError:
            # The error itself repeats what stands there, which is a customer's.
            raise LedgerError(
                f"{what} in {self._database.where} cannot be read: it was written by another version of this program; "
                "use that version, or name another ledger (an empty one costs a full read, nothing else)"
            ) from None

    def _site_of(self, connection: Connection, run: str) -> str:
        site = connection.scalar(select(RunRow.site).where(RunRow.id == run))
        if site is None:
            raise LedgerError(f"{self._database.where}: no run {run!r} was begun; call begin_run first")
        return site


def _is_echo(before: str, after: Issue) -> bool:
    try:
        return echoes(ISSUE.read(before), after)
    except ValueError:
        # Another version of this program wrote it: it is read anew, and judged.
        return False


def _batches(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := list(islice(rest, _BATCH)):
        yield batch
