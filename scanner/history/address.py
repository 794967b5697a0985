"""The database URL of a history. It may hold a password, which must never be shown."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from scanner.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

_EXTRA = "chimeaudit[history]"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_MODULES = ("sqlalchemy", "alembic", "psycopg")
_SECRET = ("password", "sslpassword")
_FORMS = "Write sqlite:///chimeaudit.db or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."


class Address(Struct, frozen=True, kw_only=True):
    """A database. `name` is for messages: it has no user, password or options."""

    url: URL
    name: str

    def __repr__(self) -> str:
        return f"Address({self.name})"

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; None for PostgreSQL."""
        return Path(self.url.database or "") if self.url.drivername == "sqlite" else None

    def without_secrets(self, text: str) -> str:
        """The text with passwords masked; a database may repeat them in its errors."""
        query = (self.url.query.get(key) for key in _SECRET)
        for secret in filter(None, (self.url.password, *(str(value) for value in query if value))):
            text = text.replace(secret, "***")
        return text


def parse(text: str) -> Address:
    """Parse a database URL, without opening the database.

    Raises:
        ImportError: a package of the extra is installed but cannot be imported.
        UsageError: the extra is not installed, or the URL is invalid or of an unsupported database.
    """
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"--history needs {', '.join(missing)}", hint=f"Install it: pip install '{_EXTRA}'")
    import_module("alembic.command")  # fails before anything is scanned if it cannot be imported
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the message omits the URL, which may hold a password
        raise UsageError("--history: that is not the URL of a database", hint=_FORMS) from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise UsageError(f"--history: a history cannot be kept in {url.drivername!r:.40}", hint=_FORMS)
    if not url.database or url.database == ":memory:":
        raise UsageError(f"--history: {url.drivername} names no database", hint=_FORMS)
    complaint = _complaint(url, text)
    if complaint is not None:
        raise UsageError(f"--history: {complaint}", hint=_FORMS)
    url = url.set(drivername=driver)
    return Address(url=url, name=_name(url))


def _complaint(url: URL, text: str) -> str | None:
    """What is wrong with a URL, or None; it repeats nothing that may be part of a password."""
    if url.drivername.startswith("sqlite"):
        if url.host:
            return "sqlite has no host; a file stands after three slashes"
        return "sqlite takes no options; a ? in the name of a file is written %3F" if "?" in text else None
    if "@" in (url.host or ""):
        return "found two @; expected one, and %40 for that of a password"
    return _no_option(url)


def _no_option(url: URL) -> str | None:
    """The error message of PostgreSQL's library on an unknown option in the URL, or None."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo("", **dict.fromkeys(url.query, ""))
    except ProgrammingError as error:
        return str(error).strip()
    return None


def _name(url: URL) -> str:
    if url.drivername == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or ''}{port}/{url.database}"
