"""The failures as a GitLab Code Quality report: a JSON array, from which GitLab shows new entries in a merge request.

Each entry needs a file. A failure of something deployed gets the file of its rule. Coverage comes first, an entry for
each account, in the configuration file, where gaps can be waived. A file that could not be read is an entry in that
file. Waived and unknown findings are left out: GitLab has no status for them and would show them as open.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from scanner.model.report import Finding, Location, Report, ReportedGap, Severity, Status, fingerprint
from scanner.render import coverage
from scanner.render.causes import lines
from scanner.render.coverage import AccountCoverage
from scanner.render.text import visible
from scanner.render.wording import file_and_line, from_top, gap_line, named

GitLabSeverity = Literal["blocker", "critical", "major", "minor", "info"]
_SEVERITIES: dict[Severity, GitLabSeverity] = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}
_CONFIGURATION = "chimeaudit.yaml"


def render(report: Report) -> Iterator[str]:
    """The JSON array, one entry on each line; it is never held as a whole."""
    before = "[\n"
    for entry in _entries(report):
        yield f"{before}{msgspec.json.encode(entry).decode()}"
        before = ",\n"
    yield "\n]\n"


def _entries(report: Report) -> Iterator[dict[str, Any]]:
    topics = {rule.id: rule.topic for rule in report.rules}
    configuration = Location(file=str(report.run.options.get("config") or _CONFIGURATION), line=1, column=1)
    for account in coverage.by_account(report):
        yield build_coverage(account, configuration)
    for gap in report.coverage.gaps:
        if gap.location and not gap.waiver:
            yield build_unread(gap, gap.location)
    for finding in report.findings:
        if finding.status is Status.FAIL:
            yield build_failure(finding, topics[finding.rule_id])


def build_failure(finding: Finding, topic: str) -> dict[str, Any]:
    return {
        "description": visible(f"{named(finding.resource)}: {finding.message}"),
        "check_name": finding.rule_id,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": build_location(file_and_line(finding, topic)),
    }


def build_coverage(account: AccountCoverage, configuration: Location) -> dict[str, Any]:
    """The entry on an account's coverage, in the configuration file: its gaps, and what no audit examines."""
    sentences = [account.message]
    unplaced = (gap for gap in account.gaps if gap.waiver or not gap.location)
    sentences += [f"Not observed: {line}." for line in lines(unplaced)]
    sentences += [f"Not examined: {sentence}" for sentence in account.not_examined]
    return {
        "description": visible(" ".join(sentences)),
        "check_name": coverage.RULE_ID,
        "fingerprint": account.fingerprint,
        "severity": "info" if account.complete else "critical",
        "location": build_location(configuration),
    }


def build_unread(gap: ReportedGap, where: Location) -> dict[str, Any]:
    """The entry for a file, or part of a file, that could not be read."""
    return {
        "description": visible(f"Not observed: {gap_line(gap)}"),
        "check_name": coverage.RULE_ID,
        "fingerprint": fingerprint(coverage.RULE_ID, where.file, gap.reason),
        "severity": "critical",
        "location": build_location(where),
    }


def build_location(where: Location) -> dict[str, Any]:
    return {"path": visible(from_top(where.file)), "lines": {"begin": max(where.line, 1)}}
