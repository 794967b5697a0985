"""The default place of run directories: one folder for each run, under the XDG state directory."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from scanner.errors import OutputError, UsageError
from scanner.store.journal import Journal

KEPT = timedelta(days=14)


def home() -> Path | None:
    """The folder that holds run directories; None for a user without a home directory.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return state / "chimeaudit" / "runs"


def new_id(now: datetime) -> str:
    """A new id of a run: ids sort by time, and are unique even for runs that begin at the same time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def make(run_id: str) -> Path:
    """Make a directory for a new run; a temporary one if the state directory is not writable."""
    directory = (home() or Path()) / run_id
    if directory.is_absolute():
        with suppress(OSError):
            directory.mkdir(mode=0o700, parents=True)
            return directory
    with suppress(OSError):
        return Path(tempfile.mkdtemp(prefix="chimeaudit-"))
    return directory  # creating the journal there will fail and say why


def unfinished(now: datetime, oldest: timedelta) -> Iterator[Journal]:
    """The runs that began at most `oldest` ago and are incomplete, and that no scan is writing to; newest first."""
    for journal in _journals():
        with suppress(UsageError, OutputError):  # damaged, read-only, or in use by a scan
            if abs(now - journal.header.began) <= oldest and not journal.complete:
                with journal.locked():
                    pass
                yield journal


def prune(now: datetime) -> None:
    """Remove finished runs that began longer ago than KEPT."""
    for journal in _journals():
        with suppress(UsageError):  # a damaged run must not stop a new scan
            if journal.header.began < now - KEPT and journal.complete:
                shutil.rmtree(journal.directory, ignore_errors=True)


def _journals() -> Iterator[Journal]:
    """The runs in the default place, newest first; those of other versions, and other folders, are skipped."""
    directory = home()
    names: list[str] = []
    with suppress(OSError):  # the folder does not exist yet, or cannot be read
        names = os.listdir(directory) if directory else []  # noqa: PTH208 - names, to be sorted
    for name in sorted(names, reverse=True):
        with suppress(UsageError):
            yield Journal.open(Path(directory or "") / name)
