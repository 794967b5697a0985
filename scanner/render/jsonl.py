"""The findings as JSON Lines: each line is a finding object of the JSON report."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from scanner.model.report import Report


def render(report: Report) -> Iterator[str]:
    """One line for each finding. Coverage is left out; the exit code and the other formats report it."""
    for finding in report.findings:
        yield f"{msgspec.json.encode(finding).decode()}\n"
