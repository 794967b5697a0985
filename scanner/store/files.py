"""Writes files as a whole, so that a crash leaves the old or the new one; and opens chimeaudit's own files safely."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from scanner.model.phrases import nearest

_BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows changes the ends of lines in other files."""

_MOST_LINKS = 40
"""The most symbolic links that Linux follows in a path."""


def descriptor(path: Path) -> int | None:
    """The number of the open file to which a path such as /dev/stdout or /dev/fd/63 leads; None for other paths."""
    for _ in range(_MOST_LINKS):
        if path.name.isdecimal() and os.path.realpath(path.parent) in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file beside the target, then rename it to the target.

    Links are followed. A pipe, a device or an open file (/dev/fd/63) is written to directly. An existing file keeps its
    mode, owner and group as far as the system allows; a new one gets its mode from the umask.

    Raises:
        OSError: the operating system's error; no partial file is left behind.
    """
    mode = None
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode  # raises for a loop of links or a name that is too long
    number = descriptor(path)
    if number is not None or (mode is not None and not stat.S_ISREG(mode)):
        with path.open("wb") if number is None else os.fdopen(os.dup(number), "wb") as file:
            file.writelines(pieces)
        return
    path = path.resolve()
    beside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with _new(beside, like=path) as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _new(path: Path, *, like: Path) -> BinaryIO:
    """Create a file with the mode, owner and group of `like`, which it will replace."""
    try:
        model = like.stat()
    except FileNotFoundError:
        return path.open("xb")
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb")
    if sys.platform != "win32":  # where the folder's access list says who may read a file
        for owner in ((-1, model.st_gid), (model.st_uid, -1)):
            with suppress(OSError):  # only root may change owners
                os.fchown(file.fileno(), *owner)
        with suppress(OSError):  # a file system without modes
            os.fchmod(file.fileno(), model.st_mode & 0o777)
    return file


def open_own(path: Path, mode: str = "rb", *, buffering: int = -1) -> BinaryIO:
    """Open a file that chimeaudit made, in a folder in which others may have put something in its place.

    A link may lead anywhere, a pipe may never answer, and a file with a second name may be somebody else's. Where the
    system cannot refuse a link while it opens a file, as on Windows, the link is refused before.

    Raises:
        OSError: it is no plain file, or the operating system's error.
    """

    def open_it(name: str, flags: int) -> int:
        if sys.platform != "win32":
            flags |= os.O_NOFOLLOW | os.O_NONBLOCK
        elif path.is_symlink():
            raise OSError(errno.ELOOP, _NOT_OURS)
        number = os.open(name, flags, 0o600)
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or (flags & (os.O_WRONLY | os.O_RDWR) and status.st_nlink > 1):
            os.close(number)
            raise OSError(errno.EINVAL, _NOT_OURS)
        return number

    try:
        return cast("BinaryIO", open(path, mode, buffering=buffering, opener=open_it))
    except OSError as error:
        if error.errno in _OF_OTHERS:
            raise OSError(errno.EINVAL, _NOT_OURS) from None
        raise


_NOT_OURS = "it is a link, a folder, a pipe or a device"
_OF_OTHERS = {errno.ELOOP, errno.ENXIO, errno.EISDIR}


def walk(
    top: str, refused: Callable[[OSError], None], skipped: Container[str] = (), entered: Container[str] = ()
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk a folder and those below it, as os.walk; each is entered once, however many links lead to it.

    Skips folders whose name begins with a dot and that are not `entered`, and the `skipped` ones; calls `refused` for
    those that cannot be read.
    """
    seen: set[tuple[int, int]] = set()
    for parent, folders, files in os.walk(top, followlinks=True, onerror=refused):
        status = os.stat(parent)  # noqa: PTH116 - os.walk gives paths as text
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()  # a link has led to a folder that was already visited
            continue
        seen.add((status.st_dev, status.st_ino))
        own = (name for name in folders if name in entered or not name.startswith("."))
        folders[:] = sorted(name for name in own if name not in skipped)
        yield parent, folders, files


def neighbour(path: Path) -> str:
    """`; did you mean "x"?` if a file beside a path that does not exist has nearly its name, else empty."""
    try:
        return nearest(path.name, os.listdir(path.parent))  # noqa: PTH208 - names, and no order is needed
    except (OSError, ValueError):
        return ""
