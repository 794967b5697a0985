"""The run directory, which holds what a scan observed.

run.json                      the scope of the run, and when it began
targets/ACCOUNT.REGION.jsonl  one append-only file for each target (scanner.store.target_file)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from scanner.errors import UsageError
from scanner.model.facts import GLOBAL, Gap
from scanner.model.report import UNKNOWN, Scalar, Scope
from scanner.store import files
from scanner.store.target_file import TargetReader, explaining_writes, lock_file

VERSION = 1
UNKNOWN_ACCOUNT = UNKNOWN
"""Stands for the account of credentials whose account could not be found out."""


class Role(Struct, frozen=True, kw_only=True, order=True):
    """A role to assume in an account."""

    arn: str
    session_name: str
    external_id: str | None = None


class Target(Struct, frozen=True, kw_only=True, order=True):
    """One account in one region, and the credentials to read it with: those of a profile or of a role it assumes."""

    account_id: Annotated[str, Meta(pattern=rf"^([0-9]{{12}}|{UNKNOWN_ACCOUNT})\Z")]  # parts of a file's name
    region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
    profile: str | None = None
    role: Role | None = None


class RunHeader(Struct, frozen=True, kw_only=True):
    """What a run is to do. `facets` are collected besides the lists; `gaps` are those in the scope itself.

    `started_at` is an ISO 8601 time with its zone. `callers` has the accounts of the credentials with which the run
    began, by profile ("" where none was named).

    Raises:
        ValueError: `started_at` is not such a time.
    """

    journal_version: int = VERSION
    id: str
    started_at: str
    scope: Scope
    targets: tuple[Target, ...]
    facets: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    options: dict[str, Scalar | tuple[str, ...]]
    callers: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.began.tzinfo is None:
            raise ValueError(f"started_at {self.started_at!r} has no time zone")

    @property
    def began(self) -> datetime:
        """The time at which the run began."""
        return datetime.fromisoformat(self.started_at)


class _Versioned(Struct):
    """The part of the header that all versions have."""

    journal_version: int = 0


class Journal:
    """A run directory."""

    def __init__(self, directory: Path, header: RunHeader) -> None:
        self.directory = directory
        self.header = header

    @classmethod
    def create(cls, directory: Path, header: RunHeader) -> Journal:
        """Begin a run in a directory, which is created if needed.

        Raises:
            UsageError: the directory holds a run already.
            OutputError: the directory cannot be written.
        """
        file = directory / "run.json"
        with explaining_writes(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.path.lexists(file):
                hint = "Go on with it by --resume, or name another directory."
                raise UsageError(f"{directory} holds a run already", hint=hint)
            targets = directory / "targets"
            _check_targets(directory)
            targets.mkdir(mode=0o700, exist_ok=True)
            if any(targets.iterdir()):
                raise UsageError(f"{targets} holds what another run left", hint="Name an empty directory.")
            files.write_whole(file, [msgspec.json.format(msgspec.json.encode(header), indent=2)])
            file.chmod(0o600)  # the directory may have existed before and be open to others
        return cls(directory, header)

    @classmethod
    def open(cls, directory: Path) -> Journal:
        """Open the directory of an earlier run.

        Raises:
            UsageError: it holds no run, is damaged, or was written by another version.
        """
        file = directory / "run.json"
        try:
            _check_targets(directory)
            with files.open_own(file) as opened:
                raw = opened.read()
            version = msgspec.json.decode(raw, type=_Versioned).journal_version
            header = msgspec.json.decode(raw, type=RunHeader) if version == VERSION else None
        except OSError as error:
            hint = "Name the directory that --run-dir named when the scan began."
            raise UsageError(f"{directory} holds no run: {error.strerror}", hint=hint) from None
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{file} is damaged: {error}", hint="Scan again into a new run directory.") from None
        if header is None:
            message = f"{file} was written by another version of chimeaudit"
            raise UsageError(message, hint="Read it with that version, or scan again.")
        return cls(directory, header)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the run directory against other scans.

        Raises:
            UsageError: another scan is writing here.
            OutputError: the lock cannot be written.
        """
        with explaining_writes(self.directory):
            lock = files.open_own(self.directory / "lock", "ab")
        with lock:
            lock_file(lock, self.directory)
            yield

    @property
    def exists(self) -> bool:
        """Whether the run still exists on disk."""
        return (self.directory / "run.json").exists()

    def target_path(self, target: Target) -> Path:
        return self.directory / "targets" / f"{target.account_id}.{target.region}.jsonl"

    def reader(self, target: Target) -> TargetReader:
        return TargetReader(self.target_path(target))

    @property
    def complete(self) -> bool:
        """Whether all targets were read as far as possible. Targets of an unknown account do not count."""
        known = (target for target in self.header.targets if target.account_id != UNKNOWN_ACCOUNT)
        return all(self.reader(target).complete for target in known)


def is_run(directory: Path) -> bool:
    """Whether a folder looks like a run directory."""
    return (directory / "run.json").is_file() and (directory / "targets").is_dir()


def run_of(path: Path) -> Path | None:
    """The run directory to which a file belongs, or None; `path` must have no links."""
    candidates = (path.parent, path.parent.parent)
    return next((each for each in candidates if {path, path.parent} & {*own_files(each)} and is_run(each)), None)


def own_files(directory: Path) -> tuple[Path, ...]:
    """The paths of which a run directory consists."""
    return tuple(directory / name for name in ("run.json", "targets", "lock"))


def _check_targets(directory: Path) -> None:
    """Refuse a run whose folder of targets is a link.

    Raises:
        UsageError: it is one.
    """
    targets = directory / "targets"
    if targets.is_symlink():
        raise UsageError(f"{targets} is a link, and not of a run", hint="Scan again into a new run directory.")


def first_of_accounts(targets: Iterable[Target]) -> frozenset[Target]:
    """The first target of each account: what belongs to an account as a whole is read with it."""
    return frozenset({target.account_id: target for target in sorted(targets, reverse=True)}.values())


def interrupted(target: Target) -> Gap:
    """The gap of a target that was not read to its end."""
    return _interrupted(target.account_id, target.region, "ListAppInstances", "this region was read to its end")


def roles_interrupted(account_id: str) -> Gap:
    """The gap of an account whose roles were to be read and were not."""
    return _interrupted(account_id, GLOBAL, "GetAccountAuthorizationDetails", "the roles of this account were read")


def _interrupted(account_id: str, region: str, operation: str, what: str) -> Gap:
    return Gap(
        account_id=account_id,
        region=region,
        operation=operation,
        code="Interrupted",
        reason=f"the scan stopped before {what}; go on with --resume",
    )
