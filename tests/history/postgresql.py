"""A temporary PostgreSQL: a cluster in a temporary directory, on a random port, run by an unprivileged user."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

import psycopg

from tests.posix import chown, geteuid, nobody

PASSWORD = "between-us/50%@:"
_USER = "chimeaudit"
_SETTINGS = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=20")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running server."""

    port: int

    def url(self, database: str, password: str | None = None) -> str:
        return f"postgresql+psycopg://{_USER}:{quote_plus(password or PASSWORD)}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, encoding: str = "UTF8") -> str:
        """Create a database; return its URL."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=_USER, password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'CREATE DATABASE "{database}" ENCODING {encoding} TEMPLATE template0'.encode())
        return self.url(database)


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the PATH, or Debian's; None if PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return kept[-1].parent if kept else None


@contextmanager
def running(programs: Path) -> Iterator[Cluster]:
    """Create, start and finally stop a cluster."""
    with tempfile.TemporaryDirectory(prefix="pg") as home:
        directory = Path(home)
        secret = directory / "password"
        secret.write_text(PASSWORD)
        unprivileged = _unprivileged(directory)
        data, log, port = directory / "data", directory / "log", _free_port()

        def run(*command: str) -> None:
            subprocess.run([*unprivileged, *command], check=True, cwd=home, stdout=subprocess.DEVNULL)

        run(
            str(programs / "initdb"),
            *("-D", str(data), "-U", _USER, "-A", "scram-sha-256", f"--pwfile={secret}"),
            *("-N", "--locale=C", "--encoding=UTF8"),
        )
        settings = (*_SETTINGS, f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=''")
        options = " ".join(f"-c {setting}" for setting in settings)
        run(str(programs / "pg_ctl"), "-D", str(data), "-l", str(log), "-w", "-o", options, "start")
        try:
            yield Cluster(port=port)
        finally:
            run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")


def _unprivileged(directory: Path) -> tuple[str, ...]:
    """The beginning of a command that runs as an unprivileged user, who then owns the directory; empty if not root."""
    if geteuid() != 0:
        return ()
    user, group = nobody()
    for path in (directory, *directory.iterdir()):
        chown(path, user, group)
    return ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
