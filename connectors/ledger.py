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
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from connectors.ledger_cache import LedgerCache
from connectors.ledger_correction import correction_columns, cycle_of, last_given
from connectors.ledger_cursors import Cursor, Cursors
from connectors.ledger_database import Database, LedgerBusy, LedgerError, LedgerNewer, NotALedger, in_batches
from connectors.ledger_fixes import Fixes, note_fixes
from connectors.ledger_issues import Issues, Kept, judge_again
from connectors.ledger_lease import Holder, LeaseLost, Leases, RunInProgress
from connectors.ledger_records import Judged, Recorded, Run, RunState
from connectors.ledger_schema import (
    ADDRESSES,
    AT_ONCE,
    CURSORS,
    FIXES,
    ISSUES,
    JUDGED_BY,
    RECEIPTS,
    RUNS,
    SERVER_FACTS,
    VERDICTS,
    receipt_row,
    verdict_row,
)
from connectors.ledger_text import RECEIPT, VERDICT
from policies.issue import IssueRef
from policies.receipt import Receipt

__all__ = [
    "Cursor",
    "Holder",
    "Judged",
    "Kept",
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

_BATCH = 1000
"""Rows in one statement."""
_PAGE = 200
"""Verdicts in memory at a time where they are read."""

NO_FIXES: Mapping[tuple[str, str], str] = {}

# Built once: to build a statement takes longer than to carry it out.
_ADD_VERDICT = insert(VERDICTS)
_ADD_RECEIPT = insert(RECEIPTS)
_ANOTHER_RUN = select(RUNS.c.id).where(RUNS.c.site == bindparam("site"), RUNS.c.id != bindparam("run")).limit(1)
_RUN = select(RUNS.c.site, RUNS.c.policy_digest).where(RUNS.c.id == bindparam("run"))
_JUDGED_BY = select(JUDGED_BY.c.digest).where(JUDGED_BY.c.site == bindparam("site"))


# ------------------------------------------------------------------------------------------------------------- ledger


class Ledger(Cursors, Fixes, Issues, Leases):
    """An open ledger. Threads may share it. Use ``Ledger.open``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = database.reading
        self._writing = database.writing
        # The site of the runs that wrote evidence, and by what they judge; neither ever changes.
        self._known_runs: dict[str, tuple[str, str | None]] = {}

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

    def begin_run(self, run: str, site: str, now: datetime, judged_by: str = "") -> None:
        """Write down that a run began, and by what it judges. Verdicts and receipts need it.

        Where the run before judged by something else, every cached issue of the site is due, so that what was final is
        corrected, however that run or this one ends.

        Args:
            judged_by: a digest of the policies, and of what words mean and who is who; "" where that is not known.

        Raises:
            LedgerError: there is a run of that id.
        """
        with self._writing() as connection:
            if connection.scalar(select(RUNS.c.id).where(RUNS.c.id == run)) is not None:
                raise LedgerError(f"{self._database.where}: there is a run {run!r} already; give each run its own id")
            connection.execute(
                insert(RUNS).values(
                    id=run,
                    site=site,
                    started_at=now,
                    ended_at=None,
                    state=None,
                    requests="{}",
                    plan_digest="",
                    policy_digest=judged_by or None,
                )
            )
            before = connection.scalar(_JUDGED_BY, {"site": site})
            if not judged_by or judged_by == before:
                return
            connection.execute(delete(JUDGED_BY).where(JUDGED_BY.c.site == site))
            connection.execute(insert(JUDGED_BY).values(site=site, digest=judged_by))
            connection.execute(update(ISSUES).where(ISSUES.c.site == site).values(judge_at=AT_ONCE))

    def end_run(
        self,
        run: str,
        now: datetime,
        state: RunState,
        *,
        requests: Mapping[str, int],
        plan_digest: str = "",
    ) -> None:
        """Write down how a run ended, and how many requests of each kind it sent."""
        with self._writing() as connection:
            done = connection.execute(
                update(RUNS)
                .where(RUNS.c.id == run, RUNS.c.ended_at.is_(None))
                .values(
                    ended_at=now,
                    state=state.value,
                    requests=json.dumps(dict(requests), sort_keys=True),
                    plan_digest=plan_digest,
                )
            )
            if done.rowcount != 1:
                raise LedgerError(f"{self._database.where}: no run {run!r} is going on")

    def runs(self, site: str, *, latest: int = 50) -> tuple[Run, ...]:
        """The site's latest runs, newest first."""
        query = select(RUNS).where(RUNS.c.site == site).order_by(RUNS.c.started_at.desc(), RUNS.c.id.desc())
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
        whose = (ADDRESSES.c.site == site, ADDRESSES.c.tracker == tracker)
        with self._writing() as connection:
            before = connection.scalar(select(ADDRESSES.c.digest).where(*whose))
            if before == digest:
                return False
            connection.execute(delete(ADDRESSES).where(*whose))
            connection.execute(insert(ADDRESSES).values(site=site, tracker=tracker, digest=digest))
            if before is None:
                return False
            for table in (CURSORS, FIXES, SERVER_FACTS, ISSUES):
                connection.execute(delete(table).where(table.c.site == site, table.c.tracker == tracker))
        return True

    def cache(self, site: str, tracker: str, now: datetime) -> LedgerCache:
        """What a connector may keep from run to run of a tracker's server."""
        return LedgerCache(self._database, site, tracker, now)

    # ----------------------------------------------------------------------------------------------------- evidence

    def record_verdicts(
        self, run: str, judged: Iterable[Judged], fixes: Mapping[tuple[str, str], str] = NO_FIXES
    ) -> int:
        """Add verdicts of a run, and note on each cached issue when it is to be judged again. Returns how many.

        Hand in all verdicts of an issue together: the soonest of their ``next_change_at`` counts. A verdict of a cycle
        that was final already, under another policy or calendar, is recorded as a correction of the one before. Where
        another run has begun meanwhile that judges by something else, the issues are due at once.

        Args:
            fixes: (tracker, id) -> with which released fix an issue was judged; only of issues that have one.
        """
        everything = list(judged)
        again: dict[tuple[str, str], datetime | None] = {}
        for one in everything:
            whose, at = (one.issue.tracker, one.issue.id), one.verdict.next_change_at
            before = again.get(whose)
            again[whose] = at if before is None else before if at is None else min(before, at)
        with self._writing() as connection:
            site, judged_by = self._known(connection, run)
            # In a first run there is nothing to correct.
            some = connection.scalar(_ANOTHER_RUN, {"site": site, "run": run}) is not None
            for batch in in_batches(everything, _BATCH):
                whom = {(one.issue.tracker, one.issue.id) for one in batch} if some else ()
                given = last_given(connection, site, whom)
                rows = [
                    verdict_row(run, site, one.issue, one.verdict)
                    | correction_columns(given.get(cycle_of(one.issue, one.verdict)), one.verdict)
                    for one in batch
                ]
                connection.execute(_ADD_VERDICT, rows)
            if judged_by is not None and judged_by != connection.scalar(_JUDGED_BY, {"site": site}):
                again = dict.fromkeys(again, AT_ONCE)
            judge_again(connection, site, again)
            note_fixes(connection, site, again, fixes)
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
        where = [VERDICTS.c.site == site]
        where += [VERDICTS.c.run == run] if run is not None else []
        where += [VERDICTS.c.tracker == tracker] if tracker is not None else []
        where += [VERDICTS.c.issue_id == issue_id] if issue_id is not None else []
        where += [VERDICTS.c.judged_at >= since] if since is not None else []
        where += [VERDICTS.c.judged_at < before] if before is not None else []
        after = 0
        while True:
            query = select(VERDICTS).where(*where, VERDICTS.c.n > after).order_by(VERDICTS.c.n)
            with self._reading() as connection:
                rows = connection.execute(query.limit(_PAGE)).mappings().all()
            for row in rows:
                ref = IssueRef(row["tracker"], row["project"], row["issue_key"], row["issue_id"], row["url"])
                yield Judged(
                    ref,
                    self._database.whole(VERDICT, row["body"], f"verdict {row['n']}"),
                    row["run"],
                    row["n"],
                    row["correction_of"],
                    row["correction"] or "",
                )
            if len(rows) < _PAGE:
                return
            after = rows[-1]["n"]

    def history(self, site: str, key: str, *, until: datetime | None = None) -> tuple[Judged, ...]:
        """Every verdict ever given of an issue, by its key or id, in the order they were given: the evidence.

        Args:
            until: leave out what was judged after this instant.
        """
        mine = (VERDICTS.c.site == site, or_(VERDICTS.c.issue_key == key, VERDICTS.c.issue_id == key))
        query = select(VERDICTS.c.tracker, VERDICTS.c.issue_id).where(*mine).order_by(VERDICTS.c.n.desc()).limit(1)
        with self._reading() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            return ()
        given = self.verdicts(site, tracker=found[0], issue_id=found[1])
        return tuple(one for one in given if until is None or one.verdict.judged_at <= until)

    def record_receipts(self, run: str, tracker: str, receipts: Iterable[Receipt]) -> None:
        """Add the receipts of an answer, as soon as it is there: a killed run then leaves the proof of what it did."""
        with self._writing() as connection:
            site, _ = self._known(connection, run)
            for batch in in_batches(receipts, _BATCH):
                connection.execute(_ADD_RECEIPT, [receipt_row(run, site, tracker, each) for each in batch])

    def receipts(
        self, site: str, *, run: str | None = None, tracker: str | None = None, issue_id: str | None = None
    ) -> tuple[Recorded, ...]:
        """Receipts in the order they were written: of a run, of an issue."""
        where = [RECEIPTS.c.site == site]
        where += [RECEIPTS.c.run == run] if run is not None else []
        where += [RECEIPTS.c.tracker == tracker] if tracker is not None else []
        where += [RECEIPTS.c.issue_id == issue_id] if issue_id is not None else []
        query = select(RECEIPTS.c.n, RECEIPTS.c.run, RECEIPTS.c.tracker, RECEIPTS.c.body).where(*where)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(RECEIPTS.c.n)).all()
        return tuple(Recorded(of, at, self._database.whole(RECEIPT, body, f"receipt {n}")) for n, of, at, body in rows)

    def _known(self, connection: Connection, run: str) -> tuple[str, str | None]:
        """The site of a run, and by what it judges."""
        if run not in self._known_runs:
            found = connection.execute(_RUN, {"run": run}).one_or_none()
            if found is None:
                raise LedgerError(f"{self._database.where}: no run {run!r} was begun; call begin_run first")
            self._known_runs[run] = found.site, found.policy_digest
        return self._known_runs[run]
