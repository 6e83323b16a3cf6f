"""With which released fix an issue's verdicts were last recorded: a release changes them, and leaves no trace on the issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from connectors.ledger_database import in_batches
from connectors.ledger_schema import FIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from connectors.ledger_database import Database

_TOGETHER = 1000
"""Ids in one statement."""


class Fixes:
    """The fixes of a ledger. Mixed into ``ledger.Ledger``, whose rules hold here."""

    _database: Database

    def fixes(self, site: str) -> dict[tuple[str, str], str]:
        """By tracker and id of the issue, as ``Ledger.record_verdicts`` was told; none for an issue without one."""
        query = select(FIXES.c.tracker, FIXES.c.id, FIXES.c.fix).where(FIXES.c.site == site)
        with self._database.reading() as connection:
            return {(tracker, id_): fix for tracker, id_, fix in connection.execute(query)}


def note_fixes(
    connection: Connection, site: str, recorded: Iterable[tuple[str, str]], fixes: Mapping[tuple[str, str], str]
) -> None:
    """Take down with which fix these issues, by (tracker, id), were recorded; with none where ``fixes`` has none."""
    ids: dict[str, list[str]] = {}
    for tracker, id_ in recorded:
        ids.setdefault(tracker, []).append(id_)
    rows: list[dict[str, Any]] = []
    for tracker, mine in ids.items():
        for batch in in_batches(mine, _TOGETHER):
            whose = (FIXES.c.site == site, FIXES.c.tracker == tracker, FIXES.c.id.in_(batch))
            connection.execute(delete(FIXES).where(*whose))
        rows += [
            {"site": site, "tracker": tracker, "id": id_, "fix": fixes[tracker, id_]}
            for id_ in mine
            if (tracker, id_) in fixes
        ]
    if rows:
        connection.execute(insert(FIXES), rows)
