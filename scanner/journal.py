"""The run directory: what a scan observed, on disk, as it was observed.

    run.json                      what was to be looked at, and since when
    targets/ACCOUNT.REGION.jsonl  one append-only file a target: a line a page of channel flows, a line when an app
                                  instance is complete, a closing line when the target is

Nothing is rewritten: a process that dies leaves at most a torn last line, which readers drop. An app instance counts
only once its own line is there; pages of one that was in flight are passed over.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
from msgspec import Struct

from scanner import files
from scanner.errors import OutputError, UsageError
from scanner.finding import UNKNOWN, Scalar, Scope
from scanner.inventory import AppInstance, ChannelFlow, Gap

VERSION = 1
UNKNOWN_ACCOUNT = UNKNOWN
"""The account of credentials that did not tell theirs."""


class Role(Struct, frozen=True, kw_only=True, order=True):
    """A role to be assumed in an account."""

    arn: str
    session_name: str
    external_id: str | None = None


class Target(Struct, frozen=True, kw_only=True, order=True):
    """One account in one region, and the credentials to read it with: a profile's own, or a role assumed with them."""

    account_id: str
    region: str
    profile: str | None = None
    role: Role | None = None


class RunHeader(Struct, frozen=True, kw_only=True):
    """What a run set out to do. `facets` are collected besides the lists; `gaps` are those of the scope itself."""

    journal_version: int = VERSION
    id: str
    started_at: str
    scope: Scope
    targets: tuple[Target, ...]
    facets: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    options: dict[str, Scalar | tuple[str, ...]]


class _Versioned(Struct):
    """What every version of the header has."""

    journal_version: int = 0


class FlowPage(Struct, frozen=True, kw_only=True, tag="flows"):
    """A page of the channel flows of one app instance."""

    app_instance_arn: str
    flows: tuple[ChannelFlow, ...]


class AppInstanceRead(Struct, frozen=True, kw_only=True, tag="app_instance"):
    """An app instance has been read as far as it can be: the offsets of its pages, and what is missing of it."""

    app_instance: AppInstance
    pages: tuple[int, ...]
    gaps: tuple[Gap, ...] = ()


class TargetRead(Struct, frozen=True, kw_only=True, tag="target"):
    """The target has been read as far as it can be: the offset of each app instance's line, by ARN."""

    index: dict[str, int]
    gaps: tuple[Gap, ...] = ()


Line = FlowPage | AppInstanceRead | TargetRead
_decoder = msgspec.json.Decoder(Line)


class TargetWriter:
    """Appends to one target's file, from many threads; what a write returned from survives the process.

    Raises (each method):
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        with _explained(path):
            path.touch(mode=0o600)
            self._end = _drop_torn_line(path)
        self._index = dict(TargetReader(path).index)
        with _explained(path):
            self._file: BinaryIO = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def app_instances(self) -> frozenset[str]:
        """ARNs of those that an earlier attempt has read already."""
        return frozenset(self._index)

    def page(self, app_instance_arn: str, flows: tuple[ChannelFlow, ...]) -> int:
        """Returns the page's offset."""
        return self._append(FlowPage(app_instance_arn=app_instance_arn, flows=flows))

    def app_instance(self, read: AppInstanceRead) -> None:
        self._index[read.app_instance.arn] = self._append(read)

    def target(self, gaps: tuple[Gap, ...]) -> None:
        self._append(TargetRead(index=self._index, gaps=gaps))

    def _append(self, line: Line) -> int:
        encoded = msgspec.json.encode(line) + b"\n"
        with self._writing, _explained(self._path):
            offset = self._end
            self._end += self._file.write(encoded)
            if self._end != offset + len(encoded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return offset


class TargetReader:
    """What is known of one target; a file that was never begun reads as an empty one.

    Raises (each method):
        UsageError: the file is damaged other than by a torn last line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        closing = _closing_line(path)
        self.complete = closing is not None
        self.gaps = closing.gaps if closing else ()
        self.index = closing.index if closing else dict(self._rebuilt_index())

    def app_instances(self) -> Iterator[AppInstanceRead]:
        """In order of their ARNs."""
        if not self.index:
            return
        with self._path.open("rb") as file:
            for _, offset in sorted(self.index.items()):
                line = self._line_at(file, offset)
                if isinstance(line, AppInstanceRead):
                    yield line

    def flows(self, read: AppInstanceRead) -> Iterator[ChannelFlow]:
        """In the order in which AWS gave them."""
        for offset in read.pages:
            yield from self.page(offset)

    def page(self, offset: int) -> tuple[ChannelFlow, ...]:
        """The flows of one page."""
        with self._path.open("rb") as file:
            line = self._line_at(file, offset)
        return line.flows if isinstance(line, FlowPage) else ()

    def _rebuilt_index(self) -> Iterator[tuple[str, int]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            offset = 0
            for raw in file:
                line = self._decoded(raw, offset) if raw.endswith(b"\n") else None
                if isinstance(line, AppInstanceRead):
                    yield line.app_instance.arn, offset
                offset += len(raw)

    def _line_at(self, file: BinaryIO, offset: int) -> Line:
        file.seek(offset)
        return self._decoded(file.readline(), offset)

    def _decoded(self, raw: bytes, offset: int) -> Line:
        try:
            line: Line = _decoder.decode(raw)
        except ValueError as error:
            message = f"{self._path}: damaged at byte {offset}: {error}"
            raise UsageError(message, hint="Scan again into a new run directory.") from None
        return line


class Journal:
    """One run directory."""

    def __init__(self, directory: Path, header: RunHeader) -> None:
        self.directory = directory
        self.header = header

    @classmethod
    def create(cls, directory: Path, header: RunHeader) -> Journal:
        """Begin a run.

        Raises:
            UsageError: the directory holds a run already.
            OutputError: it cannot be written.
        """
        file = directory / "run.json"
        with _explained(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if file.exists():
                hint = "Go on with it by --resume, or name another directory."
                raise UsageError(f"{directory} holds a run already", hint=hint)
            targets = directory / "targets"
            targets.mkdir(mode=0o700, exist_ok=True)
            if any(targets.iterdir()):
                raise UsageError(f"{targets} holds what another run left", hint="Name an empty directory.")
            files.write_whole(file, [msgspec.json.format(msgspec.json.encode(header), indent=2)])
            file.chmod(0o600)  # the directory may have been there before, open to others
        return cls(directory, header)

    @classmethod
    def open(cls, directory: Path) -> Journal:
        """Take up a run that was begun.

        Raises:
            UsageError: there is none, or another version wrote it.
        """
        file = directory / "run.json"
        try:
            raw = file.read_bytes()
            version = msgspec.json.decode(raw, type=_Versioned).journal_version
            header = msgspec.json.decode(raw, type=RunHeader) if version == VERSION else None
        except OSError as error:
            hint = "Name the directory that --run-dir named when the scan began."
            raise UsageError(f"{directory} holds no run: {error.strerror}", hint=hint) from None
        except ValueError as error:
            raise UsageError(f"{file} is damaged: {error}", hint="Scan again into a new run directory.") from None
        if header is None:
            message = f"{file} was written by another version of chimeaudit"
            raise UsageError(message, hint="Read it with that version, or scan again.")
        return cls(directory, header)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other scans from writing here at the same time.

        Raises:
            UsageError: one is.
        """
        with _explained(self.directory):
            lock = (self.directory / "lock").open("wb")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                hint = "Wait until it has ended, or name another directory."
                raise UsageError(f"another scan is writing to {self.directory}", hint=hint) from None
            yield

    def target_path(self, target: Target) -> Path:
        return self.directory / "targets" / f"{target.account_id}.{target.region}.jsonl"

    def reader(self, target: Target) -> TargetReader:
        return TargetReader(self.target_path(target))

    @property
    def complete(self) -> bool:
        """Whether every target was read as far as it can be."""
        return all(self.reader(target).complete for target in self.header.targets)


def interrupted(target: Target) -> Gap:
    """What a target is that was not read to its end."""
    return Gap(
        account_id=target.account_id,
        region=target.region,
        operation="ListAppInstances",
        code="Interrupted",
        reason="the scan stopped before this region was read to its end; go on with --resume",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Make room or name another directory with --run-dir; --resume goes on with what was written."
        raise OutputError(f"the journal {path} cannot be written: {error.strerror}", hint=hint) from None


def _drop_torn_line(path: Path) -> int:
    """Cut off an unfinished last line; returns where the file ends now."""
    with path.open("r+b") as file:
        end = _end_of_line(file, file.seek(0, os.SEEK_END))
        file.truncate(end)
    return end


def _closing_line(path: Path) -> TargetRead | None:
    if not path.exists():
        return None
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        end = _end_of_line(file, size)
        file.seek(_end_of_line(file, end - 1) if end else 0)
        last = file.readline()
    if not last.startswith(b'{"type":"target"'):
        return None
    with suppress(ValueError):
        line = _decoder.decode(last)
        return line if isinstance(line, TargetRead) else None
    return None


def _end_of_line(file: BinaryIO, before: int) -> int:
    """The offset just behind the last newline that stands before the offset `before`; 0 where there is none."""
    step = 1 << 16
    while before > 0:
        start = max(0, before - step)
        file.seek(start)
        newline = file.read(before - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        before = start
    return 0
