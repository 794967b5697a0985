"""Where run directories are kept when nobody names one: under the XDG state directory, a folder a run."""

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
    """https://specifications.freedesktop.org/basedir-spec/latest/; None for a user who has no home directory."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return state / "chimeaudit" / "runs"


def new_id(now: datetime) -> str:
    """Sorts by time, and two runs that begin together differ."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def make(run_id: str) -> Path:
    """A directory for a new run: a temporary one where none can be made under the state directory."""
    directory = (home() or Path()) / run_id
    if directory.is_absolute():
        with suppress(OSError):
            directory.mkdir(mode=0o700, parents=True)
            return directory
    with suppress(OSError):
        return Path(tempfile.mkdtemp(prefix="chimeaudit-"))
    return directory  # whoever begins the run there is told why it cannot be


def unfinished(now: datetime, oldest: timedelta) -> Iterator[Journal]:
    """The runs that began within that time, stopped before their end, and that no scan is writing to; newest first."""
    for journal in _journals():
        with suppress(UsageError, OutputError):  # damaged, nobody's to write to, or a scan writes to it
            if abs(now - journal.header.began) <= oldest and not journal.complete:
                with journal.locked():
                    pass
                yield journal


def prune(now: datetime) -> None:
    """Remove finished runs that began longer ago than KEPT."""
    for journal in _journals():
        with suppress(UsageError):  # a damaged one is nothing to a scan that begins
            if journal.header.began < now - KEPT and journal.complete:
                shutil.rmtree(journal.directory, ignore_errors=True)


def _journals() -> Iterator[Journal]:
    """Newest first; what another version wrote, or is no run at all, is passed over."""
    place = home()
    names: list[str] = []
    with suppress(OSError):  # there is none yet, or it cannot be read
        names = os.listdir(place) if place else []  # noqa: PTH208 - names, to be sorted
    for name in sorted(names, reverse=True):
        with suppress(UsageError):
            yield Journal.open(Path(place or "") / name)
