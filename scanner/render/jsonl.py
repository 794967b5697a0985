"""The findings as JSON Lines: each the finding object of the JSON report, on a line of its own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from scanner.model.report import Report


def render(report: Report) -> Iterator[str]:
    """A line a finding. Coverage has no place here; the exit code and the other formats tell of it."""
    for finding in report.findings:
        yield f"{msgspec.json.encode(finding).decode()}\n"
