"""How a scan ends: the exit code, or the error that says how to go on."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from scanner.commands.collecting import Ended, Observed
from scanner.commands.reporting import Told
from scanner.commands.request import Asked
from scanner.errors import ChimeauditError, InterruptedScanError, NothingScannedError, OutputError
from scanner.model.facts import FAULT
from scanner.model.report import Report, Severity
from scanner.outcome.gate import ExitCode, gate


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM stops a scan as Ctrl-C does, and so does the end of its terminal, unless nohup has it go on."""
    words = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL]
    for number in words:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in words:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def resumable(asked: Asked, seen: Observed) -> Iterator[None]:
    """Whoever interrupts the telling has what was seen all the same."""
    try:
        yield
    except KeyboardInterrupt:
        message = "interrupted before everything was reported; what was observed is kept"
        go_on = _go_on(asked, seen) if seen.ended is not Ended.ALL_TRIED else _again(asked, seen)
        raise InterruptedScanError(message, hint=f"Go on with it: {go_on}") from None


def check(asked: Asked, seen: Observed, told: Told) -> None:
    """Say how to go on with a scan that was stopped, or with a report that was not written, delivered or recorded.

    Raises:
        ChimeauditError: something was not seen through a fault of ours, or a worker or cluster that is gone.
        InterruptedScanError: the user stopped it.
        OutputError: the journal, a report or the history could not be written, or a report not delivered.
    """
    failures = (*told.failures, *((told.unkept,) if told.unkept else ()))
    if seen.ended is Ended.INTERRUPTED:
        message = "interrupted: what was observed until then is reported"
        raise InterruptedScanError("\n".join((message, *failures)), hint=f"Go on with it: {_go_on(asked, seen)}")
    if failures:
        step = f"then: {_again(asked, seen)}" if seen.journal.exists else "and scan again."
        again = f"Mend that or name another place, {step}"
        hint = again if told.failures else f"Record it again: {_again(asked, seen)}"
        raise OutputError("\n".join(failures), hint=hint)
    if seen.broken:
        raise _broken(asked, seen, seen.broken)
    _check_faults(told.report)
    if seen.ended is Ended.OUT_OF_TIME:
        go_on = f" Go on with it: {_go_on(asked, seen)}" if seen.journal.exists else ""
        awaited = f", waiting for {seen.awaited}" if seen.awaited else ""
        asked.log.tell("out_of_time", f"Stopped by --max-runtime{awaited}; the gaps say what is left.{go_on}")


def verdict(report: Report, fail_on: Severity | None, ended: Ended, *, allow_gaps: bool) -> ExitCode:
    """The exit code.

    Raises:
        NothingScannedError: there is none for what was never seen.
    """
    code = gate(report, fail_on, allow_gaps=allow_gaps)
    if code is not ExitCode.NOTHING_SCANNED:
        return code
    if ended is Ended.OUT_OF_TIME:
        return ExitCode.GAPS
    reason, _, step = report.coverage.gaps[0].reason.partition("; ")
    hint = f"{step[:1].upper()}{step[1:]}." if step else "The report names every gap."
    raise NothingScannedError(f"nothing could be scanned: {reason}", hint=hint)


def _check_faults(report: Report) -> None:
    faults = [gap for gap in report.coverage.gaps if gap.code == FAULT and not gap.waiver]
    if faults:
        count = f"{len(faults)} gap{'s' if len(faults) > 1 else ''}"
        message = f"chimeaudit itself failed, which leaves {count}: {faults[0].reason.partition(';')[0]}"
        hint = "The report names what was not seen. Please report the fault, with what -v prints."
        raise ChimeauditError(message, hint=hint)


def _broken(asked: Asked, seen: Observed, error: ChimeauditError) -> ChimeauditError:
    """The same error, with what there is to go on with."""
    steps = [error.hint] if error.hint else []
    if seen.journal.exists:
        steps += [f"What was observed until then is reported. Go on with it: {_go_on(asked, seen)}"]
    return type(error)(error.message, hint=" ".join(steps))


def _go_on(asked: Asked, seen: Observed) -> str:
    return f"chimeaudit scan --resume --run-dir {shlex.quote(str(seen.journal.directory))}{asked.go_on}"


def _again(asked: Asked, seen: Observed) -> str:
    return f"chimeaudit scan --from {shlex.quote(str(seen.journal.directory))}{asked.again}"
