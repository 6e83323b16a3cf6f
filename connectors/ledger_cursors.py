"""Up to where each project was read, and when that was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from connectors.ledger_schema import CURSORS

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ledger_database import Database


@dataclass(frozen=True, slots=True)
class Cursor:
    """Attributes.

    at: what was updated up to then was read.
    read_at: when that reading began; None in ledgers of version 3 and before.
    reconciled_at: when the cached issues were last compared with the tracker's by id; None if never.
    """

    at: datetime
    read_at: datetime | None = None
    reconciled_at: datetime | None = None


class Cursors:
    """The cursors of a ledger. Mixed into ``ledger.Ledger``, whose rules hold here."""

    _database: Database

    def cursor(self, site: str, tracker: str, project: str) -> Cursor | None:
        """Up to where a project was read; None if never."""
        query = select(CURSORS.c.at, CURSORS.c.read_at, CURSORS.c.reconciled_at)
        with self._database.reading() as connection:
            row = connection.execute(query.where(*_whose(site, tracker, project))).one_or_none()
        return None if row is None else Cursor(*row)

    def set_cursor(self, site: str, tracker: str, project: str, at: datetime, read_at: datetime | None = None) -> None:
        """Remember up to where a project was read, and when. Setting it back is allowed: it costs requests, nothing else."""
        changed = update(CURSORS).where(*_whose(site, tracker, project)).values(at=at, read_at=read_at)
        with self._database.writing() as connection:
            if connection.execute(changed).rowcount == 0:
                row = {"site": site, "tracker": tracker, "project": project, "at": at, "read_at": read_at}
                connection.execute(insert(CURSORS).values(**row))

    def set_reconciled(self, site: str, tracker: str, project: str, at: datetime) -> None:
        """Remember it. A project without a cursor has nothing to compare, and nothing is remembered."""
        with self._database.writing() as connection:
            connection.execute(update(CURSORS).where(*_whose(site, tracker, project)).values(reconciled_at=at))


def _whose(site: str, tracker: str, project: str) -> tuple[Any, ...]:
    return CURSORS.c.site == site, CURSORS.c.tracker == tracker, CURSORS.c.project == project
