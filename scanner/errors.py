"""All errors that users can get, with the exit code of each.

ChimeauditError            70  a fault of chimeaudit, if nothing below fits
├── UsageError              2  a bad option, configuration or input file
│   ├── InvalidRulesError          2  all mistakes of all rule files at once
│   ├── InvalidConfigurationError  2  all mistakes of chimeaudit.yaml, and of the rules with it, at once
│   └── InvalidFilesError          2  all mistakes of the files to be judged, at once
│       └── NothingJudgedError     2  no file was judged
├── DisagreementError       1  a rule's verdicts differ from those that its tests expect
├── NothingScannedError     4  no credentials, no network, every target denied
├── BrokenInstallationError  70  a part of the installation is missing
├── OutputError            70  a report or the history could not be written, or a report not delivered
└── InterruptedScanError  130  stopped by a signal; what was observed is in the journal
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any


class ChimeauditError(Exception):
    """An error that is shown as one line, followed by a hint on what to do next."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the error with its hint, since errors of worker processes are pickled."""
        return partial(type(self), hint=self.hint), (self.message,)


class UsageError(ChimeauditError):
    """The command, its configuration or an input file cannot be used as it is."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True, order=True)
class Mistake:
    """A mistake in an input file. `line` and `column` count from 1; both are 0 for a mistake about the whole file."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        file = self.file.replace("\n", "\\n")  # a mistake is one line
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        return f"{place}: {self.message}"


class _MistakenError(UsageError):
    """Files cannot be used; it lists all their mistakes."""

    where = "the files"
    consequence = "nothing was begun"
    other_way = "leave the file out"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        count, them = ("1 mistake", "it") if len(self.mistakes) == 1 else (f"{len(self.mistakes)} mistakes", "them")
        hint = f"{count} in {self.where}; {self.consequence}. Mend {them}, or {self.other_way}."
        super().__init__("\n".join(map(str, self.mistakes)), hint=hint)


class InvalidRulesError(_MistakenError):
    """The rules cannot be used; it lists all mistakes in them."""

    where = "the rules"
    other_way = "leave the file out of --rules"


class InvalidConfigurationError(_MistakenError):
    """The configuration cannot be used; it lists all mistakes in it and in the rules that it names."""

    where = "the configuration"
    other_way = "name another file with --config"


class InvalidFilesError(_MistakenError):
    """Some files could not be judged; it lists all mistakes in them. Other files were judged."""

    consequence = "what else there is was judged"


class DisagreementError(ChimeauditError):
    """A rule's verdict differs from that which its tests expect."""

    exit_code = 1


class NothingJudgedError(InvalidFilesError):
    """No file could be judged."""

    consequence = "nothing was judged"


class NothingScannedError(ChimeauditError):
    """No target could be scanned."""

    exit_code = 4


class BrokenInstallationError(ChimeauditError):
    """A part of chimeaudit, or a package that it depends on, is missing or cannot be imported."""

    def __init__(self, what: str, *, hint: str = "Install chimeaudit again; -v prints details.") -> None:
        super().__init__(f"the installation is broken: {what}", hint=hint)


class OutputError(ChimeauditError):
    """A report or the history could not be written, or a report not delivered."""


class InterruptedScanError(ChimeauditError):
    """A signal ended the scan before everything in scope was read."""

    exit_code = 130
