"""Every error a user can meet, with the exit code it ends in and the next step to take.

ChimeauditError            70  a fault of ours, where nothing below fits
├── UsageError              2  a bad option, configuration or input file
│   ├── InvalidRulesError          2  all mistakes of all rule files at once
│   ├── InvalidConfigurationError  2  all mistakes of chimeaudit.yaml, and of the rules with it, at once
│   └── InvalidFilesError          2  all mistakes of the files that were to be judged, at once
│       └── NothingJudgedError     2  there was nothing else
├── DisagreementError       1  a rule's verdicts are not those that its tests expect
├── NothingScannedError     4  no credentials, no network, every target denied
├── BrokenInstallationError  70  something that comes with chimeaudit is not there
├── OutputError            70  a report or the history could not be written, or a report not delivered
└── InterruptedScanError  130  stopped by a signal; what was observed is in the journal
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any


class ChimeauditError(Exception):
    """An error to be shown as one line, followed by a hint that says what to do next."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """An error of a worker process is pickled on its way to the user."""
        return partial(type(self), hint=self.hint), (self.message,)


class UsageError(ChimeauditError):
    """The command, its configuration or an input file cannot be used as it stands."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True, order=True)
class Mistake:
    """One mistake in an input file. `line` and `column` count from 1; of a file that is not there, they are 0."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}"


class _MistakenError(UsageError):
    """Files that cannot be used, with everything that is wrong with them."""

    where = "the files"
    consequence = "nothing was begun"
    other_way = "leave the file out"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        count, them = ("1 mistake", "it") if len(self.mistakes) == 1 else (f"{len(self.mistakes)} mistakes", "them")
        hint = f"{count} in {self.where}; {self.consequence}. Mend {them}, or {self.other_way}."
        super().__init__("\n".join(map(str, self.mistakes)), hint=hint)


class InvalidRulesError(_MistakenError):
    """Everything that is wrong with the rules that were to be loaded."""

    where = "the rules"
    other_way = "leave the file out of --rules"


class InvalidConfigurationError(_MistakenError):
    """Everything that is wrong with the configuration, and with the rules that it names."""

    where = "the configuration"
    other_way = "name another file with --config"


class InvalidFilesError(_MistakenError):
    """Everything that is wrong with the files that were to be judged; what else there is was judged all the same."""

    consequence = "what else there is was judged"


class DisagreementError(ChimeauditError):
    """A rule does not say what its tests expect of it."""

    exit_code = 1


class NothingJudgedError(InvalidFilesError):
    """Not one of the files could be judged."""

    consequence = "nothing was judged"


class NothingScannedError(ChimeauditError):
    """Not one target could be looked at."""

    exit_code = 4


class BrokenInstallationError(ChimeauditError):
    """Something that was installed with chimeaudit, or that it depends on, is not there or does not load."""

    def __init__(self, what: str, *, hint: str = "Install chimeaudit again; -v prints details.") -> None:
        super().__init__(f"the installation is broken: {what}", hint=hint)


class OutputError(ChimeauditError):
    """A report or the history could not be written, or a report not delivered."""


class InterruptedScanError(ChimeauditError):
    """A signal ended the scan before everything in scope was read."""

    exit_code = 130
