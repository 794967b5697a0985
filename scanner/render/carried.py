"""What a report carries over, for the formats. What nobody asked to look for is not shown: it counts nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from scanner.model.moments import moment
from scanner.model.report import CarriedOver, Finding, Report, Status

TITLE = "Carried over"
EXPLAINED = "failed before, and could not be settled this time"


def shown(report: Report) -> list[CarriedOver]:
    """What is carried over and was to be looked for, worst first."""
    entries = [each for each in report.carried_over or () if not each.not_looked_for]
    return sorted(entries, key=lambda entry: entry.finding.severity.rank)


def why(entry: CarriedOver) -> str:
    """``last seen 2026-11-21: GetPolicy: access denied [AccessDenied]``."""
    return f"last seen {moment(entry.last_seen)[:10]}: {entry.reason}"


def unknown(report: Report) -> Iterator[Finding]:
    """What is carried over as unknown findings, for formats that hold nothing else; without those that are there."""
    there = {finding.fingerprint for finding in report.findings} if report.carried_over else ()
    for entry in shown(report):
        if entry.finding.fingerprint not in there:
            message = f"{TITLE}, {why(entry)}; {entry.finding.message}"
            yield structs.replace(entry.finding, status=Status.UNKNOWN, change="existing", message=message, evidence=())
