"""Saved reports that a command reads; ``-`` is standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from scanner import saved
from scanner.errors import UsageError
from scanner.finding import Report

STDIN = "-"


def report(path: str) -> Report:
    """The report saved there.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    name = "standard input" if path == STDIN else path
    try:
        content = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{name} cannot be read: {error.strerror}", hint="Name a report that -o wrote as JSON."
        ) from error
    return saved.decode(content, name)
