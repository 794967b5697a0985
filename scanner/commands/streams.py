"""Standard input, output and error as they may be: closed, full, of any encoding, or with nobody who reads on."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO, TextIO, cast

import click

from scanner.errors import OutputError

_NOBODY_THERE = (errno.EPIPE, errno.EBADF)
_LOOKALIKES = {"─": "-", "━": "-", "│": "|", "…": ".", "×": "x"}


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
