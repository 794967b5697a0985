"""What commands print with: standard input, output and error as they may be, width and colour, and progress lines.

A stream may be closed, full, of any encoding, or with nobody who reads on.
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

_NOBODY_THERE = (errno.EPIPE, errno.EBADF)
_FALLBACK_WIDTH = 140
_LOOKALIKES = {"─": "-", "━": "-", "│": "|", "…": ".", "×": "x"}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://[^\s'\"]*")
_HARMLESS = {"s3", "tcp", "tls"}
"""Schemes of what holds none: places in S3, and schedulers."""
_TELLING = 4
"""Characters behind the scheme that tell a URL of the command line from others, which a message may well repeat."""


def prepare() -> None:
    """Let every stream be there, and none refuse a character.

    A number that is closed is given to the null device: the next file that is opened would have it, and get what others
    print.
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
    """As many characters as there were, so that columns stay columns."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    return "".join(_LOOKALIKES.get(char, "?") for char in refused), error.end


def as_closed() -> TextIO:
    """Stands in for a stream that was closed before the command began."""
    return cast("TextIO", _Closed())


class _Closed(io.TextIOBase):
    def write(self, _: str) -> int:
        raise OSError(errno.EBADF, "it is closed")

    @property
    def buffer(self) -> BinaryIO:
        raise OSError(errno.EBADF, "it is closed")


def printed(pieces: Iterable[str | bytes], *, may_be_cut: bool = False) -> str | None:
    """Print on standard output; returns a line that says why not everything could be.

    Text is for people, in the stream's own encoding. Terminal codes are passed on: who asks for none does not put them
    in. What is a copy may be cut: who reads it may have read enough, or nobody may be there to read it.
    """
    try:
        for piece in pieces:
            _put(piece, sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        if may_be_cut and error.errno in _NOBODY_THERE:
            return None
        gone = isinstance(error, BrokenPipeError)
        return "standard output: nobody reads it to its end" if gone else f"standard output: {error.strerror}"
    return None


def encoded(text: str) -> bytes:
    """What a machine reads: UTF-8, whatever the stream's encoding is."""
    return text.encode(errors="backslashreplace")


def out(text: str | bytes) -> None:
    """Print what is the whole result of a command. Who has read enough of it may go.

    Raises:
        OutputError: it cannot be printed.
    """
    try:
        _put(text, sys.stdout)
    except BrokenPipeError:
        drop(sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        raise OutputError(f"standard output: {error.strerror}", hint="Make room, or send it elsewhere.") from None


def told(text: str | bytes) -> None:
    """Print on standard error, as far as it can be; where it cannot, nobody could be told of that either."""
    with suppress(OSError):
        _put(text, sys.stderr)


def _put(piece: str | bytes, stream: TextIO) -> None:
    if isinstance(piece, str):
        click.echo(piece, stream, nl=False, color=True)
    else:  # by click, a byte order mark may come first
        stream.flush()
        stream.buffer.write(piece)
        stream.buffer.flush()


def drop(stream: TextIO) -> OSError | None:
    """Write what is left, or drop it: at its end Python would try again, and have an exit code of its own for it."""
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def inert(text: str) -> str:
    """The text as it may be printed here: where GitHub's runner reads along, it finds no command in it."""
    return github.inert(text) if on_github() else text


def on_github() -> bool:
    """Whether this is a step of a GitHub workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def say(line: str) -> None:
    """Tell the user something that is not a result."""
    told(f"{inert(visible(line))}\n")


def masked(message: str, arguments: Iterable[str]) -> str:
    """The message, with ``scheme://***`` for every URL that was an argument or a part of one."""
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
    """Columns of the terminal."""
    return shutil.get_terminal_size((_FALLBACK_WIDTH, 24)).columns


def wants_color(stream: TextIO) -> bool:
    """https://no-color.org"""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class LogFormat(StrEnum):
    """How lines look."""

    TEXT = "text"
    JSON = "json"


class Log(Struct, frozen=True, kw_only=True):
    """Where lines go. `verbose` lets details through."""

    form: LogFormat = LogFormat.TEXT
    verbose: bool = False

    def tell(self, event: str, message: str, **fields: object) -> None:
        """One line; `event` and `fields` say to a machine what `message` says to a person."""
        if self.form is LogFormat.TEXT:
            say(message)
            return
        time = stamp(datetime.now(UTC))
        line = json.dumps({"time": time, "event": event, "message": message, **fields})
        told(encoded(f"{inert(line)}\n"))

    def detail(self, event: str, message: str, **fields: object) -> None:
        """A line that only those want who asked for more."""
        if self.verbose:
            self.tell(event, message, **fields)
