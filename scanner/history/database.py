"""Opens the database of a history: schema, locks, and an error of one line for whatever goes wrong."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, overload
from urllib.parse import quote

import alembic.command
import msgspec
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from scanner.errors import OutputError, UsageError
from scanner.history.address import Address

AT_ONCE = 1_000
"""The number of rows that are held in memory at once."""
_PATIENCE = 60
"""Seconds to wait while another scan writes."""
VERSIONS = "chimeaudit_version"
"""The name of Alembic's table; another application in the same PostgreSQL database may use the default name."""
_LOCK = 0x6368696D65  # an arbitrary number that every chimeaudit uses

for _library in ("alembic", "psycopg", "sqlalchemy"):  # otherwise their logs reach standard error, with tracebacks
    logging.getLogger(_library).addHandler(logging.NullHandler())


@contextmanager
def written(address: Address) -> Iterator[Connection]:
    """A writing transaction, of which there is one at a time. The schema is created or upgraded first if needed.

    Raises:
        OutputError: the database cannot be opened or written, or a newer chimeaudit made it; nothing was changed.
    """
    engine = _engine(address, writes=True)
    _keep_to_its_owner(address)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}s'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            _upgrade(connection, address)
            yield connection
    except _faults(engine) as error:
        message = f"the history in {address.name} could not be written: {_cause(address, error)}"
        raise OutputError(message, hint="Mend what it names; what is in the history is as it was.") from None


@contextmanager
def read(address: Address) -> Iterator[Connection]:
    """A transaction that only reads; permission to read is enough. An older schema is upgraded first.

    Raises:
        UsageError: the database holds no history, or cannot be read.
        OutputError: an older schema could not be upgraded.
    """
    if address.file and not address.file.is_file():
        raise _empty(address)
    engine = _engine(address, writes=False)
    try:
        with engine.begin() as connection:
            revision = _revision(connection)
            behind = _behind(revision, address)
        if revision is None:
            raise _empty(address)
        if behind:
            with written(address):
                pass
        with engine.begin() as connection:
            yield connection
    except _faults(engine) as error:
        message = f"the history in {address.name} cannot be read: {_cause(address, error)}"
        raise UsageError(message, hint="Name the database that `scan --history` wrote.") from None


@contextmanager
def changed(address: Address) -> Iterator[Connection]:
    """A writing transaction, as `written` gives it, on a history that must exist already.

    Raises:
        UsageError: the database holds no history, or cannot be read.
        OutputError: it cannot be written.
    """
    with read(address):
        pass
    with written(address) as connection:
        yield connection


def insert(connection: Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows into a table; all rows have the same columns."""
    rows = iter(rows)
    while several := list(islice(rows, AT_ONCE)):
        names = several[0].keys()
        values = ", ".join(f":{name}" for name in names)
        connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), several)


@overload
def kept(value: str) -> str: ...
@overload
def kept(value: str | None) -> str | None: ...
def kept(value: str | None) -> str | None:
    """The text without NUL, which PostgreSQL refuses."""
    return value if value is None else value.replace("\0", "\N{SYMBOL FOR NULL}")


def _engine(address: Address, *, writes: bool) -> Engine:
    """An engine without a pool, so that no connection stays open while reports are written."""
    return _sqlite(address.file, writes=writes) if address.file else _postgresql(address.url, writes=writes)


def _sqlite(file: Path, *, writes: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        uri = f"file:{quote(str(file))}{'' if writes else _read_as(file)}"
        return sqlite3.connect(uri, timeout=_PATIENCE, uri=True, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _read_as(file: Path) -> str:
    """The URI options with which SQLite opens a file that may be read-only.

    It opens a file in a read-only folder if the file has no log of changes and is called immutable.

    https://www.sqlite.org/wal.html#read_only_databases
    """
    if os.access(file, os.W_OK) and os.access(file.absolute().parent, os.W_OK):
        return ""
    changes = file.with_name(f"{file.name}-wal")
    return "?mode=ro" if changes.exists() and changes.stat().st_size else "?mode=ro&immutable=1"


def _postgresql(url: URL, *, writes: bool) -> Engine:
    """An engine whose isolation does not depend on the server.

    A writer sees what earlier writers committed. A reader sees one snapshot.
    """
    arguments = {
        "connect_timeout": 10,
        "application_name": "chimeaudit",
        "client_encoding": "utf8",
        **({"passfile": os.devnull + "/none"} if _ignored_password_file(url) else {}),
    }
    return create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={key: value for key, value in arguments.items() if key not in url.query or key == "passfile"},
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        execution_options={} if writes else {"postgresql_readonly": True},
    )


def _ignored_password_file(url: URL) -> str | None:
    """The password file that libpq ignores because others may read it, or None.

    libpq would write a warning to standard error itself. On Windows it does not look at who may read the file.

    https://www.postgresql.org/docs/current/libpq-pgpass.html
    """
    named = url.query.get("passfile") or os.environ.get("PGPASSFILE") or "~/.pgpass"
    file = Path(str(named))
    if url.password or "PGPASSWORD" in os.environ:
        return None
    try:
        mode = file.expanduser().stat().st_mode
    except (OSError, RuntimeError):
        return None
    others = 0 if sys.platform == "win32" else mode & 0o077
    return str(named) if not stat.S_ISREG(mode) or others else None


def _keep_to_its_owner(address: Address) -> None:
    """Create a missing SQLite file for its owner alone; SQLite gives that mode to the files beside it, too."""
    if address.file is not None:
        with suppress(OSError):  # the file exists, or SQLite will say why it cannot
            address.file.touch(mode=0o600, exist_ok=False)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a connection: explicit transactions, foreign keys and, where possible, readers beside a writer (WAL)."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    with suppress(sqlite3.OperationalError):  # the file is read-only, or in use
        connection.execute("PRAGMA journal_mode = WAL")


def _faults(engine: Engine) -> tuple[type[Exception], ...]:
    """The exceptions of SQLAlchemy, of the driver where it is used directly, and of decoding what a database holds."""
    driver: type[Exception] = engine.dialect.loaded_dbapi.Error
    return SQLAlchemyError, driver, msgspec.MsgspecError, ValueError


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSIONS}).get_current_revision()


def _scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


@cache
def _migrations() -> ScriptDirectory:
    return ScriptDirectory.from_config(_scripts())


def _behind(revision: str | None, address: Address) -> bool:
    """Whether the schema must be created or upgraded.

    Raises:
        OutputError: this version does not know the schema.
    """
    scripts = _migrations()
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        message = f"the history in {address.name} is of a newer chimeaudit (schema {revision!r:.40})"
        raise OutputError(message, hint="Use that version, or another database.")
    return revision != scripts.get_current_head()


def _upgrade(connection: Connection, address: Address) -> None:
    if _behind(_revision(connection), address):
        config = _scripts()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def _empty(address: Address) -> UsageError:
    return UsageError(
        f"there is no history in {address.name}",
        hint="Record a scan there first, with `chimeaudit scan --history`, or name another.",
    )


def _cause(address: Address, error: Exception) -> str:
    """The first line of the database's error, with passwords masked."""
    message = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    ignored = None if address.file else _ignored_password_file(address.url)
    because = f" ({ignored} is not used, since others may read it: chmod 600)" if ignored else ""
    return f"{address.without_secrets(message.splitlines()[0])}{because}"
