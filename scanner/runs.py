"""Where run directories are kept when nobody names one: under the XDG state directory, a folder a run."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from scanner.errors import UsageError
from scanner.journal import Journal

KEPT = timedelta(days=14)


def home() -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest/"""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state") / "chimeaudit" / "runs"


def new_id(now: datetime) -> str:
    """Sorts by time, and two runs that begin together differ."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def newest_unfinished(*, demo: bool) -> Path:
    """The run that ``--resume`` goes on with: one of the demo, or one that is none.

    Raises:
        UsageError: there is none.
    """
    for journal in _journals():
        with suppress(UsageError):
            if bool(journal.header.options.get("demo")) == demo and not journal.complete:
                return journal.directory
    raise UsageError(f"no unfinished run in {home()}", hint="Name its directory with --run-dir, or scan anew.")


def prune(now: datetime) -> None:
    """Remove finished runs that began longer ago than KEPT."""
    for journal in _journals():
        with suppress(UsageError):  # a damaged one is nothing to a scan that begins
            if datetime.fromisoformat(journal.header.started_at) < now - KEPT and journal.complete:
                shutil.rmtree(journal.directory, ignore_errors=True)


def _journals() -> Iterator[Journal]:
    """Newest first; what another version wrote, or is no run at all, is passed over."""
    for directory in sorted(home().glob("*"), reverse=True):
        with suppress(UsageError):
            yield Journal.open(directory)
