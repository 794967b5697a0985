"""Prints for commands: results on standard output, messages on standard error, with width and colour.

A stream may be closed, full, of any encoding, or closed by its reader at any time.
"""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO, TextIO, cast

import click
from msgspec import Struct

from scanner.errors import OutputError
from scanner.model.moments import stamp
from scanner.render import github
from scanner.render.text import visible

_FALLBACK_WIDTH = 140
_LOOKALIKES = {"─": "-", "━": "-", "│": "|", "…": ".", "×": "x"}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://[^\s'\"]*")
_HARMLESS = {"s3", "tcp", "tls"}
"""Schemes of URLs that hold no secrets: objects in S3, and schedulers."""
_TELLING = 4
"""How many characters after the scheme decide whether a URL in a message is one of the command line."""


def prepare() -> None:
    """Make sure that all standard streams exist and accept every character.

    A closed descriptor is opened on the null device. Otherwise the next file that is opened would get its number, and
    with it what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin, sys.stdout, sys.stderr = (each or as_closed() for each in (sys.stdin, sys.stdout, sys.stderr))
    codecs.register_error("lookalike", _lookalike)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="lookalike")


def _lookalike(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that the stream cannot encode by as many others, so that columns stay aligned."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    return "".join(_LOOKALIKES.get(char, "?") for char in refused), error.end


def as_closed() -> TextIO:
    """A stream that takes the place of one that was closed before the command began."""
    return cast("TextIO", _Closed())


class _Closed(io.TextIOBase):
    def write(self, _: str) -> int:
        raise OSError(errno.EBADF, "it is closed")

    @property
    def buffer(self) -> BinaryIO:
        raise OSError(errno.EBADF, "it is closed")


def printed(pieces: Iterable[str | bytes], *, may_be_cut: bool = False) -> str | None:
    """Print on standard output; return None, or a line on why not everything could be printed.

    Text is printed in the stream's encoding, with its terminal codes; bytes as they are. With `may_be_cut` it is no
    error if the stream is closed or its reader stops early.
    """
    try:
        for piece in pieces:
            _put(piece, sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        if may_be_cut and (is_unread(error) or error.errno == errno.EBADF):
            return None
        return (
            "standard output: nobody reads it to its end" if is_unread(error) else f"standard output: {error.strerror}"
        )
    return None


def encoded(text: str) -> bytes:
    """Text for machines as UTF-8 bytes, which do not depend on the stream's encoding."""
    return text.encode(errors="backslashreplace")


def out(text: str | bytes) -> None:
    """Print the whole result of a command on standard output. The reader may stop early.

    Raises:
        OutputError: it cannot be printed.
    """
    try:
        _put(text, sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        if not is_unread(error):
            raise OutputError(f"standard output: {error.strerror}", hint="Make room, or send it elsewhere.") from None


def is_unread(error: BaseException) -> bool:
    """Whether the reader of a pipe has gone, which is an invalid argument on Windows, as a bad name of a file is."""
    unread = isinstance(error, BrokenPipeError)
    if sys.platform == "win32" and isinstance(error, OSError):
        unread = unread or (error.errno == errno.EINVAL and error.filename is None)
    return unread


def err(text: str | bytes) -> None:
    """Print on standard error; failures are ignored, since they could not be reported either."""
    with suppress(OSError):
        _put(text, sys.stderr)


def _put(piece: str | bytes, stream: TextIO) -> None:
    if isinstance(piece, str):
        click.echo(piece, stream, nl=False, color=True)
    else:  # click might write a byte order mark first
        stream.flush()
        stream.buffer.write(piece)
        stream.buffer.flush()


def drop(stream: TextIO) -> OSError | None:
    """Flush a stream, or drop what it holds: otherwise Python would try again at exit and change the exit code.

    Return the error if it could not be flushed.
    """
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def inert(text: str) -> str:
    """The text as it may be printed: in a GitHub workflow, the runner must not find a command in it."""
    return github.inert(text) if on_github() else text


def on_github() -> bool:
    """Whether the command runs in a step of a GitHub workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def say(line: str) -> None:
    """Print a message that is not a result, on standard error."""
    err(f"{inert(visible(line))}\n")


def masked(message: str, arguments: Iterable[str]) -> str:
    """The message with ``scheme://***`` in place of URLs that are in the command's arguments and may hold secrets."""
    urls = [url for argument in arguments if (url := _URL.search(argument)) and url["scheme"] not in _HARMLESS]
    for url in urls:
        whole = url.string[url.start() :]
        for written in (whole, repr(whole)[1:-1]):
            message = message.replace(written, _shown(url))
    starts = tuple(url[0][: len(url["scheme"]) + len("://") + _TELLING] for url in urls)
    return _URL.sub(lambda found: _shown(found) if found[0].startswith(starts) else found[0], message)


def _shown(url: re.Match[str]) -> str:
    return f"{url['scheme']}://***"


def width() -> int:
    """The width of the terminal in columns."""
    return shutil.get_terminal_size((_FALLBACK_WIDTH, 24)).columns


def wants_color(stream: TextIO) -> bool:
    """Whether to print colours on a stream: https://no-color.org"""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class LogFormat(StrEnum):
    """The format of messages on standard error."""

    TEXT = "text"
    JSON = "json"


class Log(Struct, frozen=True, kw_only=True):
    """Prints messages on standard error, as text or JSON; details only if `verbose`, none of them if `quiet`."""

    form: LogFormat = LogFormat.TEXT
    verbose: bool = False
    quiet: bool = False

    def tell(self, event: str, message: str, **fields: object) -> None:
        """Print one line, unless `quiet`: `message` for people, `event` and `fields` for machines."""
        if self.quiet:
            return
        if self.form is LogFormat.TEXT:
            say(message)
            return
        time = stamp(datetime.now(UTC))
        line = json.dumps({"time": time, "event": event, "message": message, **fields})
        err(encoded(f"{inert(line)}\n"))

    def detail(self, event: str, message: str, **fields: object) -> None:
        """Print one line of detail, if `verbose`."""
        if self.verbose:
            self.tell(event, message, **fields)
