"""The ledger's side of ``connectors.cache``: what was learned of a server, kept from run to run until its time is over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectors.ledger_schema import SERVER_FACTS

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from connectors.ledger_database import Database


class LedgerCache:
    """A ``Cache`` of one tracker of a site, as of ``now``."""

    def __init__(self, database: Database, site: str, tracker: str, now: datetime) -> None:
        self._database = database
        self._site = site
        self._tracker = tracker
        self._now = now

    def get(self, key: str) -> Any | None:
        query = select(SERVER_FACTS.c.value).where(*self._named(key), SERVER_FACTS.c.until > self._now)
        with self._database.reading() as connection:
            value = connection.scalar(query)
        return None if value is None else json.loads(value)

    def put(self, key: str, value: Any, lasts: timedelta) -> None:
        row = {"value": json.dumps(value, ensure_ascii=False), "until": self._now + lasts}
        replaced = update(SERVER_FACTS).where(*self._named(key)).values(**row)
        with self._database.writing() as connection:
            if connection.execute(replaced).rowcount:
                return
            try:
                # In a transaction of its own within this one, which goes on where this fails.
                with connection.begin_nested():
                    connection.execute(
                        insert(SERVER_FACTS).values(site=self._site, tracker=self._tracker, key=key, **row)
                    )
            except IntegrityError:
                # Writers side by side learn the same at the same time; SQLite lets in one, other databases both.
                connection.execute(replaced)

    def drop(self, key: str) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(SERVER_FACTS).where(*self._named(key)))

    def _named(self, key: str) -> tuple[Any, ...]:
        return SERVER_FACTS.c.site == self._site, SERVER_FACTS.c.tracker == self._tracker, SERVER_FACTS.c.key == key
