"""The database under the ledger: opened, checked, read and written in whole transactions, its errors in plain words.

Rules:

1. A write begins by taking the right to write, so two writers wait for each other and never fail half way.
2. No message holds the database's password, nor a value that was to be written.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from connectors.ledger_schema import ADDED, LEDGER, SCHEMA, VERSION

if TYPE_CHECKING:
    from connectors.ledger_text import Text

T = TypeVar("T")


class LedgerError(Exception):
    """The ledger cannot be used. ``str()`` says which, what was found and what to do."""


class NotALedger(LedgerError):
    """The file or database is something else."""


class LedgerNewer(LedgerError):
    """It was written by a later version of this program."""


class LedgerBusy(LedgerError):
    """Another process holds it for longer than this one waits."""


class Database:
    """An open database with the ledger's tables. Threads may share it. Use ``Database.open``.

    Attributes:
        where: its URL without the password.
    """

    def __init__(self, engine: Engine) -> None:
        self._writes = engine
        self._reads = engine.execution_options(reads=True)
        self.where = engine.url.render_as_string(hide_password=True)
        # A database in memory is one connection, which threads take in turn.
        self._turn: AbstractContextManager[Any] = threading.RLock() if _in_memory(engine.url) else nullcontext()

    @classmethod
    def open(cls, url: str, patience_seconds: float) -> Database:
        """See ``Ledger.open``."""
        database = cls(_engine(url, patience_seconds))
        try:
            with database.writing() as connection:
                _prepare(connection, database.where)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        self._writes.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that may write."""
        with self._turn, _in_plain_words(self.where), self._writes.begin() as connection:
            yield connection

    def whole(self, of: Text[T], body: str, what: str) -> T:
        """A value as it was written down.

        Raises:
            LedgerError: another version of this program wrote it otherwise.
        """
        try:
            return of.read(body)
        except ValueError:
            # The error itself repeats what stands there, which is a customer's.
            raise LedgerError(
                f"{what} in {self.where} cannot be read: it was written by another version of this program; "
                "use that version, or name another ledger (an empty one costs a full read, nothing else)"
            ) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that reads; writers do not wait for it."""
        with self._turn, _in_plain_words(self.where), self._reads.begin() as connection:
            yield connection


def in_batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """At most ``size`` of them at a time: as many as stand in memory, or in one statement."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch


def _engine(text: str, patience_seconds: float) -> Engine:
    try:
        url = make_url(text)
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        if _in_memory(url):
            engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        else:
            _make_private_file(url)
            engine = create_engine(url, connect_args={"timeout": patience_seconds})
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        # The text itself is not repeated: it may hold a password.
        raise LedgerError(
            f"the ledger's address cannot be used ({_first_line(error) if isinstance(error, ImportError) else 'not a database URL that is known here'}); "
            "write it as sqlite:///path/to/ledger.db, or install the driver of another database and write its URL"
        ) from None
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def _make_private_file(url: URL) -> None:
    """The ledger holds what customers wrote: a new file is its owner's only (SQLite's side files take after it)."""
    path = Path(str(url.database))
    if str(path).startswith("file:"):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise LedgerError(
            f"the ledger cannot be made at {path}: {error.strerror}; choose a folder that can be written"
        ) from None


def _set_up_sqlite(connection: Any, _: object) -> None:
    # The driver's own idea of when a transaction begins would let two writers read first and then both fail.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        # Readers and one writer side by side; where the file system cannot, SQLite stays as it was.
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare(connection: Connection, where: str) -> None:
    """Make the tables where there are none; bring up those of an earlier version.

    Raises:
        NotALedger, LedgerNewer: the database is something else, or a later version's.
    """
    tables = set(inspect(connection).get_table_names())
    if SCHEMA.name not in tables:
        # Databases on a server are shared on purpose; a file is one program's.
        if tables and connection.dialect.name == "sqlite":
            raise NotALedger(f"{where} is a database of another program ({_some(tables)}); name another file")
        LEDGER.create_all(connection)
        connection.execute(insert(SCHEMA).values(version=VERSION))
        return
    version = connection.scalar(select(SCHEMA.c.version))
    if version is None or version > VERSION:
        raise LedgerNewer(
            f"{where} is a ledger of version {version}, and this program knows up to {VERSION}: "
            "update the program, or name another ledger (an empty one costs a full read, nothing else)"
        )
    if version < VERSION:
        LEDGER.create_all(connection)
        for since, table, column in ADDED:
            if version < since and column not in {each["name"] for each in inspect(connection).get_columns(table)}:
                kind = LEDGER.tables[table].columns[column].type.compile(connection.dialect)
                connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {column} {kind}"))
        connection.execute(update(SCHEMA).values(version=VERSION))


def _some(tables: set[str]) -> str:
    return "it has " + ", ".join(sorted(tables)[:3])


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:200]


@contextmanager
def _in_plain_words(where: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # `error` itself prints the statement and the values; only the driver's own line goes on.
        said = _first_line(error.orig) if error.orig else type(error).__name__
        if "locked" in said or "busy" in said:
            raise LedgerBusy(
                f"{where} is held by another process ({said}); wait for the other run to end, then try again"
            ) from None
        if "not a database" in said or "malformed" in said:
            raise NotALedger(f"{where} is not a ledger ({said}); name another file, or move this one away") from None
        raise LedgerError(f"{where}: {said}; check that the database is up and can be written") from None
