"""Who may write for a site: one process, named so that another can tell whether it is still there."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from connectors.ledger_database import LedgerError
from connectors.ledger_schema import LEASES
from policies.issue import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.ledger_database import Database


class RunInProgress(LedgerError):
    """Another run may write for this site just now. Attributes: run, until: which, and until when unless it renews."""

    def __init__(self, site: str, run: str, until: datetime) -> None:
        self.run = run
        self.until = until
        super().__init__(
            f"run {run} is writing for site {site!r}, until {until:%Y-%m-%d %H:%M:%S} UTC at the latest unless it renews; "
            f"wait for it to end. If it was killed on another machine, it is passed over after that time"
        )


class LeaseLost(LedgerError):
    """The lease ran out and another run took it: stop writing."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, as far as another process can name it. Attributes: host: machine and process namespace."""

    host: str
    pid: int

    @classmethod
    def this_process(cls) -> Holder:
        namespace = Path("/proc/self/ns/pid")
        # Containers may share a host name and number their processes alike.
        within = namespace.readlink() if namespace.is_symlink() else ""
        return cls(f"{socket.gethostname()} {within}".strip(), os.getpid())

    def is_dead(self) -> bool:
        """True only if it surely is: it ran here, and no process has its number."""
        if self.host != Holder.this_process().host or sys.platform == "win32":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


class Leases:
    """The leases of a ledger. Mixed into ``ledger.Ledger``, whose rules hold here."""

    _database: Database

    def take_lease(
        self,
        site: str,
        run: str,
        now: datetime,
        *,
        lasts: timedelta = timedelta(minutes=10),
        holder: Holder | None = None,
        is_dead: Callable[[Holder], bool] = Holder.is_dead,
    ) -> None:
        """Become the one run that may write for a site until ``now + lasts``.

        A lease that ran out is taken over, and so is one whose process surely is dead: killing a run with any signal
        does not stop the next one on the same machine, and elsewhere for no longer than ``lasts``.

        Raises:
            RunInProgress: another run holds it.
        """
        me = holder or Holder.this_process()
        with self._database.writing() as connection:
            query = select(LEASES).where(LEASES.c.site == site).with_for_update()
            row = connection.execute(query).mappings().one_or_none()
            if (
                row is not None
                and row["run"] != run
                and row["until"] > now
                and not is_dead(Holder(row["host"], row["pid"]))
            ):
                raise RunInProgress(site, row["run"], row["until"])
            connection.execute(delete(LEASES).where(LEASES.c.site == site))
            connection.execute(
                insert(LEASES).values(
                    site=site, run=run, host=me.host, pid=me.pid, since=utc(now), until=utc(now) + lasts
                )
            )

    def renew_lease(self, site: str, run: str, now: datetime, *, lasts: timedelta = timedelta(minutes=10)) -> None:
        """Hold the lease until ``now + lasts``. Call it between writes.

        Raises:
            LeaseLost: it ran out and another run took it, or it was given back.
        """
        with self._database.writing() as connection:
            held = connection.execute(
                update(LEASES).where(LEASES.c.site == site, LEASES.c.run == run).values(until=utc(now) + lasts)
            )
            if held.rowcount != 1:
                raise LeaseLost(
                    f"run {run} no longer holds site {site!r}: another run took over; nothing more is written"
                )

    def give_back_lease(self, site: str, run: str) -> None:
        """End the lease if this run holds it."""
        with self._database.writing() as connection:
            connection.execute(delete(LEASES).where(LEASES.c.site == site, LEASES.c.run == run))
