"""Writes files whole: a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write beside the target, then rename. A link is followed; a pipe or device is written to as it is.

    Raises:
        OSError: as the operating system says it; nothing is left behind.
    """
    with suppress(FileNotFoundError):
        path.stat()  # a loop of links, a name that is too long
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.writelines(pieces)
        return
    beside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
