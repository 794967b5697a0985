"""Standard input, output and error as they may be: closed, full, or with nobody who reads on."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO, TextIO, cast

import click

from scanner.errors import OutputError


def as_closed() -> TextIO:
    """Stands in for a stream that was closed before the command began."""
    return cast("TextIO", _Closed())


class _Closed(io.TextIOBase):
    def write(self, _: str) -> int:
        raise OSError(errno.EBADF, "it is closed")

    @property
    def buffer(self) -> BinaryIO:
        raise OSError(errno.EBADF, "it is closed")


def printed(pieces: Iterable[str]) -> str | None:
    """Print on standard output; returns a line that says why not everything could be.

    Terminal codes are passed on: who asks for none does not put them in.
    """
    try:
        for piece in pieces:
            click.echo(piece, nl=False, color=True)
    except OSError as error:
        drop(sys.stdout)
        gone = isinstance(error, BrokenPipeError)
        return "standard output: nobody reads it to its end" if gone else f"standard output: {error.strerror}"
    return None


def out(text: str) -> None:
    """Print what is the whole result of a command. Who has read enough of it may go.

    Raises:
        OutputError: it cannot be printed.
    """
    try:
        click.echo(text, nl=False, color=True)
    except BrokenPipeError:
        drop(sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        raise OutputError(f"standard output: {error.strerror}", hint="Make room, or send it elsewhere.") from None


def told(text: str) -> None:
    """Print on standard error, as far as it can be; where it cannot, nobody could be told of that either."""
    with suppress(OSError):
        click.echo(text, nl=False, err=True, color=True)


def drop(stream: TextIO) -> OSError | None:
    """Write what is left, or drop it: at its end Python would try again, and have an exit code of its own for it."""
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None
