"""Measures recording nights in a history, in seconds and memory: a first night, the same again, one with changes.

    python -m benchmarks.history                      SQLite, 100,000 findings
    python -m benchmarks.history --url postgresql+psycopg://...   an empty database there
    python -m benchmarks.history --postgresql         a temporary PostgreSQL
    python -m benchmarks.history --json 10000         the same as JSON, for another size

The exit code is 1 if recording a night takes longer than 10 s.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from benchmarks.report import report
from scanner.history import address
from scanner.history.address import Address
from scanner.history.record import record
from scanner.model.report import Finding, Report
from scanner.store.spool import Spool

SIZE = 100_000
LIMIT = 10.0
CHANGED = 10
"""In the night with changes, one of so many findings is gone, and as many are new."""


class Measured(Struct, frozen=True, kw_only=True):
    """Seconds of wall time and of this process's CPU (PostgreSQL has its own process); peak memory in 10^6 bytes."""

    database: str
    night: str
    findings: int
    seconds: float
    cpu_seconds: float
    peak: float


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure recording nights in a history.")
    parser.add_argument("size", nargs="?", type=int, default=SIZE, metavar="FINDINGS")
    parser.add_argument("--url", help="an empty database")
    parser.add_argument("--postgresql", action="store_true", help="make a temporary PostgreSQL")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.url or f"sqlite:///{folder}/history.db"
        if options.postgresql:
            url = temporary(stack)
        measured = list(nights(address.parse(url), options.size, folder))
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(measured), indent=2).decode() + "\n")
    else:
        print_table(measured)
    slow = [one for one in measured if one.seconds > LIMIT]
    sys.stderr.writelines(f"{one.night} took {one.seconds:.1f} s, and may take {LIMIT:g}\n" for one in slow)
    return 1 if slow else 0


def temporary(stack: ExitStack) -> str:
    from tests.history import postgresql

    programs = postgresql.binaries()
    if programs is None:
        sys.exit("PostgreSQL is not installed")
    return stack.enter_context(postgresql.running(programs)).create("history")


def nights(history: Address, size: int, folder: Path) -> Iterator[Measured]:
    head, findings = made(size, folder)
    whole = spooled(head, findings, folder)
    yield measured(history, "first night", whole, folder)
    yield measured(history, "nothing changed", night(whole, 2), folder)
    kept = spooled(head, changed(whole), folder)
    yield measured(history, f"1 in {CHANGED} fixed, 1 in {CHANGED} new", night(kept, 3), folder)
    yield measured(history, "all fixed", structs.replace(night(whole, 4), findings=()), folder)


def made(size: int, folder: Path) -> tuple[Report, Iterator[Finding]]:
    """The report without its findings, and the findings; another process makes them, whose memory does not count."""
    head, lines = folder / "head.json", folder / "findings.jsonl"
    maker = multiprocessing.get_context("spawn").Process(target=write, args=(size, head, lines))
    maker.start()
    maker.join()
    return msgspec.json.decode(head.read_bytes(), type=Report), read(lines)


def read(lines: Path) -> Iterator[Finding]:
    with lines.open("rb") as file:
        yield from map(msgspec.json.Decoder(Finding).decode, file)


def write(size: int, head: Path, lines: Path) -> None:
    whole = report(size)
    head.write_bytes(msgspec.json.encode(structs.replace(whole, findings=())))
    with lines.open("wb") as file:
        file.writelines(msgspec.json.encode(finding) + b"\n" for finding in whole.findings)


def spooled(head: Report, findings: Iterable[Finding], folder: Path) -> Report:
    spool, findings = Spool(folder, Finding), iter(findings)
    while several := list(islice(findings, 1_000)):
        spool.extend(several)
    return structs.replace(head, findings=spool)


def night(what: Report, number: int) -> Report:
    began = f"2026-11-{21 + number:02}T03:00:12Z"
    return structs.replace(what, run=structs.replace(what.run, id=f"night-{number}", started_at=began))


def changed(what: Report) -> Iterator[Finding]:
    for number, finding in enumerate(what.findings):
        if number % CHANGED == 0:
            arn = f"{finding.resource.arn}-new"
            yield structs.replace(
                finding,
                resource=structs.replace(finding.resource, arn=arn),
                fingerprint=f"{finding.fingerprint[:-1]}x",
            )
        else:
            yield finding


def measured(history: Address, name: str, what: Report, folder: Path) -> Measured:
    start, cpu = time.perf_counter(), time.process_time()
    record(history, what, reports={}, directory=folder)
    return Measured(
        database=history.url.get_backend_name(),
        night=name,
        findings=len(what.findings),
        seconds=round(time.perf_counter() - start, 2),
        cpu_seconds=round(time.process_time() - cpu, 2),
        peak=round(peak() / 1e6, 1),
    )


def peak() -> int:
    """The peak memory of this process in bytes."""
    if sys.platform != "win32":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    raise NotImplementedError("benchmarks need POSIX")


def print_table(measured: list[Measured]) -> None:
    row = "{:<11}  {:<28}  {:>9}  {:>8}  {:>8}  {:>8}\n".format
    sys.stdout.write(row("database", "night", "findings", "seconds", "CPU s", "peak MB"))
    for one in measured:
        sys.stdout.write(
            row(
                one.database,
                one.night,
                f"{one.findings:,}",
                f"{one.seconds:.2f}",
                f"{one.cpu_seconds:.2f}",
                f"{one.peak:.0f}",
            )
        )


if __name__ == "__main__":
    sys.exit(main())
