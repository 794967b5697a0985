"""The file of one target in a run directory: lines are appended while the target is read, and are read later.

It has a line for each page of channel flows, a line for each app instance that is complete, one for the roles of the
account if they were read with this target, and a closing line for the complete target.

Nothing is rewritten. A process that dies leaves at most a torn last line, which readers drop. An app instance counts
only if its own line is there; pages of an app instance without one are ignored.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from scanner.errors import OutputError, UsageError
from scanner.model.facts import AppInstance, ChannelFlow, Gap, Role
from scanner.store import files


class FlowPage(Struct, frozen=True, kw_only=True, tag="flows"):
    """A page of the channel flows of one app instance."""

    app_instance_arn: str
    flows: tuple[ChannelFlow, ...]


class AppInstanceRead(Struct, frozen=True, kw_only=True, tag="app_instance"):
    """An app instance that was read as far as possible: the byte offsets of its pages, and its gaps."""

    app_instance: AppInstance
    pages: tuple[int, ...]
    gaps: tuple[Gap, ...] = ()


class RolesRead(Struct, frozen=True, kw_only=True, tag="roles"):
    """The roles of an account that signed-in users are given, by ARN, as far as they could be read.

    `left_out` is how many roles of signed-in users are not among them, since nobody asked what they allow. The region
    of a gap is `GLOBAL`, or None if it is the gap of the whole account.
    """

    roles: tuple[Role, ...] = ()
    left_out: int = 0
    gaps: tuple[Gap, ...] = ()


class TargetRead(Struct, frozen=True, kw_only=True, tag="target"):
    """A target that was read as far as possible: the byte offset of each app instance's line, by ARN, and its gaps.

    `roles` is the byte offset of the line with the account's roles, if this target has one.
    """

    index: dict[str, int]
    gaps: tuple[Gap, ...] = ()
    roles: int | UnsetType = UNSET


Line = FlowPage | AppInstanceRead | RolesRead | TargetRead


_decoder = msgspec.json.Decoder(Line)


_PAGE_PREFIX = b'{"type":"flows",'


class TargetWriter:
    """Appends to the file of one target. Many threads may use it; once a write returns, its line survives the process.

    The file is locked, since threads of a scan that was stopped may still write after the run directory was unlocked.
    On Windows it is not, since a lock there would keep readers out as well.

    Raises:
        UsageError: another scan writes to the file.
        OutputError (each method, too): the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._is_torn = False
        with ExitStack() as unless_all_is_well:
            with explaining_writes(path):
                self._file: BinaryIO = unless_all_is_well.enter_context(files.open_own(path, "ab", buffering=0))
            if sys.platform != "win32":
                lock_file(self._file, path)
            with explaining_writes(path):
                self._end = _drop_torn_line(path)
            before = TargetReader(path)
            self._index, self._roles = dict(before.index), before.roles_at
            unless_all_is_well.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close and unlock the file."""
        self._file.close()

    @property
    def app_instances(self) -> frozenset[str]:
        """The ARNs of the app instances that were already read."""
        return frozenset(self._index)

    @property
    def has_roles(self) -> bool:
        """Whether the roles of the account were already read."""
        return self._roles is not UNSET

    def page(self, app_instance_arn: str, flows: tuple[ChannelFlow, ...]) -> int:
        """Write a page of channel flows; return its byte offset."""
        return self._append(FlowPage(app_instance_arn=app_instance_arn, flows=flows))

    def app_instance(self, read: AppInstanceRead) -> None:
        self._index[read.app_instance.arn] = self._append(read)

    def roles(self, read: RolesRead) -> None:
        self._roles = self._append(read)

    def target(self, gaps: tuple[Gap, ...]) -> None:
        self._append(TargetRead(index=self._index, gaps=gaps, roles=self._roles))

    def absorb(self, lines: Iterable[bytes]) -> TargetRead | None:
        """Copy the lines of this target from another journal, except for the closing line, which is returned.

        Raises:
            ValueError: the lines are not those of a journal.
        """
        offset = 0
        moved: dict[int, int] = {}
        for raw in lines:
            line = None if raw.startswith(_PAGE_PREFIX) else _decoder.decode(raw)
            match line:
                case AppInstanceRead():
                    self.app_instance(structs.replace(line, pages=tuple(moved[page] for page in line.pages)))
                case RolesRead():
                    self.roles(line)
                case TargetRead():
                    return line
                case _:
                    moved[offset] = self._append_encoded(raw)
            offset += len(raw)
        return None

    def _append(self, line: Line) -> int:
        return self._append_encoded(msgspec.json.encode(line) + b"\n")

    def _append_encoded(self, encoded: bytes) -> int:
        with self._writing, explaining_writes(self._path):
            if self._is_torn:  # a line after half a line would be lost with it
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            offset = self._end
            self._is_torn = True
            self._end += self._file.write(encoded)
            self._is_torn = self._end != offset + len(encoded)
            if self._is_torn:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return offset


class TargetReader:
    """Reads the file of one target; a missing file reads as an empty one.

    Raises (each method):
        UsageError: the file cannot be read, or is damaged in another way than by a torn last line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._explained():
            closing = _closing_line(path)
        self.complete = closing is not None
        self.gaps = closing.gaps if closing else ()
        if closing is None:
            closing = self._rebuilt()
        self.index, self.roles_at = closing.index, closing.roles

    @property
    def roles(self) -> RolesRead | None:
        """The roles of the account; None if they were not read with this target."""
        if isinstance(self.roles_at, UnsetType):
            return None
        with self._opened() as file:
            line = self._line_at(file, self.roles_at)
        if not isinstance(line, RolesRead):
            raise self._damaged(self.roles_at, "the account's roles should be here")
        return line

    def app_instances(self, besides: Container[str] = ()) -> Iterator[AppInstanceRead]:
        """The app instances in order of their ARNs, without those whose ARN is in `besides`."""
        wanted = sorted((arn, offset) for arn, offset in self.index.items() if arn not in besides)
        if not wanted:
            return
        with self._opened() as file:
            for arn, offset in wanted:
                line = self._line_at(file, offset)
                if not isinstance(line, AppInstanceRead) or line.app_instance.arn != arn:
                    raise self._damaged(offset, f"{arn} should be here")
                yield line

    def flows(self, read: AppInstanceRead) -> Iterator[ChannelFlow]:
        """The channel flows of an app instance, in the order in which AWS listed them."""
        for offset in read.pages:
            yield from self.page(read.app_instance.arn, offset)

    def page(self, app_instance_arn: str, offset: int) -> tuple[ChannelFlow, ...]:
        """The channel flows of the page at a byte offset."""
        with self._opened() as file:
            line = self._line_at(file, offset)
        if not isinstance(line, FlowPage) or line.app_instance_arn != app_instance_arn:
            raise self._damaged(offset, f"channel flows of {app_instance_arn} should be here")
        return line.flows

    def _rebuilt(self) -> TargetRead:
        """What the closing line would say, from the other lines."""
        index: dict[str, int] = {}
        roles: int | UnsetType = UNSET
        if not self._path.exists():
            return TargetRead(index=index)
        with self._opened() as file:
            offset = 0
            for raw in file:
                line = self._decoded(raw, offset) if raw.endswith(b"\n") else None
                match line:
                    case AppInstanceRead():
                        index[line.app_instance.arn] = offset
                    case RolesRead():
                        roles = offset
                offset += len(raw)
        return TargetRead(index=index, roles=roles)

    def _opened(self) -> BinaryIO:
        with self._explained():
            return files.open_own(self._path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _unreadable(self._path, error) from None

    def _line_at(self, file: BinaryIO, offset: int) -> Line:
        try:
            file.seek(offset)
            raw = file.readline()
        except (OSError, ValueError) as error:
            raise self._damaged(offset, str(error)) from None
        return self._decoded(raw, offset)

    def _decoded(self, raw: bytes, offset: int) -> Line:
        try:
            line: Line = _decoder.decode(raw)
        except (ValueError, RecursionError) as error:
            raise self._damaged(offset, str(error)) from None
        return line

    def _damaged(self, offset: int, what: str) -> UsageError:
        message = f"{self._path}: damaged at byte {offset}: {what}"
        return UsageError(message, hint="Scan again into a new run directory.")


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be read: {error.strerror}", hint="Scan again into a new run directory.")


def lock_file(file: BinaryIO, path: Path) -> None:
    """Keep other scans from writing to `path` until the file is closed or the process ends.

    portalocker locks the file that is open here, which `files.open_own` has checked. Libraries that open the file of a
    lock themselves may follow a link or empty somebody's file.

    Raises:
        UsageError: another scan is writing to it.
        OutputError: its file system cannot lock files.
    """
    import portalocker

    try:
        portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        hint = "Wait until it has ended, or name another directory."
        raise UsageError(f"another scan is writing to {path}", hint=hint) from None
    except portalocker.LockException as error:
        hint = "Name a directory on another file system with --run-dir."
        raise OutputError(f"{path} cannot be locked: {error}", hint=hint) from None


@contextmanager
def explaining_writes(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into errors for users; `path` is the journal that is written.

    Raises:
        OutputError: the block raised OSError.
    """
    try:
        yield
    except OSError as error:
        hint = "Make room, or name another directory with --run-dir."
        raise OutputError(f"the journal {path} cannot be written: {error.strerror}", hint=hint) from None


def _drop_torn_line(path: Path) -> int:
    """Cut off an unfinished last line; return the file's new size."""
    with files.open_own(path, "r+b") as file:
        end = _end_of_line(file, file.seek(0, os.SEEK_END))
        file.truncate(end)
    return end


def _closing_line(path: Path) -> TargetRead | None:
    if not path.exists():
        return None
    with files.open_own(path) as file:
        size = file.seek(0, os.SEEK_END)
        end = _end_of_line(file, size)
        file.seek(_end_of_line(file, end - 1) if end else 0)
        last = file.readline()
    if not last.startswith(b'{"type":"target"'):
        return None
    with suppress(ValueError, RecursionError):
        line = _decoder.decode(last)
        return line if isinstance(line, TargetRead) else None
    return None


def _end_of_line(file: BinaryIO, before: int) -> int:
    """The offset after the last newline before the offset `before`; 0 if there is none."""
    step = 1 << 16
    while before > 0:
        start = max(0, before - step)
        file.seek(start)
        newline = file.read(before - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        before = start
    return 0
