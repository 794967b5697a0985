"""The failures as SARIF 2.1.0, in the form that GitHub code scanning needs.

Waived findings are left out: code scanning ignores `suppressions` and would show them as open alerts. Unknown findings
are left out too, but failures that are carried over are there, so that they are not taken for fixed. Gaps are among the
notifications.

https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, structs

from scanner.model.edits import Edit
from scanner.model.moments import moment
from scanner.model.report import Finding, Location, Report, ReportedGap, Resource, RuleInfo, Severity, Status
from scanner.outcome.remediation import filled
from scanner.render import carried
from scanner.render.text import visible, visible_lines
from scanner.render.wording import clipped, count, explained_at, file_and_line, from_top, gap_line, requirements

MOST_RESULTS = 25_000  # GitHub refuses a file with more results
_TOP = "%SRCROOT%"
_MOST_TAGS = 20
_MOST_CHARACTERS = 1024
_LEVELS: dict[Severity, Literal["error", "warning", "note"]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub's levels: over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low, 0.0 no security alert.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.1",
}


def render(report: Report) -> Iterator[str]:
    """A log with one run: the worst failures first, no more than GitHub accepts."""
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [build_run(report)],
    }
    yield f"{msgspec.json.format(msgspec.json.encode(log), indent=2).decode()}\n"


def build_run(report: Report) -> dict[str, Any]:
    failures = (finding for finding in report.findings if finding.status is Status.FAIL)
    worst = heapq.nsmallest(MOST_RESULTS, failures, key=lambda finding: finding.severity.rank)
    return {
        "tool": {"driver": build_driver(report)},
        "invocations": [build_invocation(report, len(worst))],
        "originalUriBaseIds": {_TOP: {"description": {"text": "The top of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": build_results(worst, report.rules) + build_carried(report, MOST_RESULTS - len(worst)),
        **build_properties(report),
    }


def build_properties(report: Report) -> dict[str, Any]:
    """What the rules came to, as a property bag: code scanning would show results of the kind `pass` as alerts."""
    counts = report.summary.rules
    return {} if counts is UNSET else {"properties": {"judgements": counts}}


def build_driver(report: Report) -> dict[str, Any]:
    return {
        "name": report.tool.name,
        "version": report.tool.version,
        "rules": [build_rule(rule) for rule in report.rules],
    }


def build_rule(rule: RuleInfo) -> dict[str, Any]:
    help_text = "\n\n".join(
        (rule.rationale.strip(), filled(rule.remediation).strip(), "\n".join((*explained_at(rule), *rule.references)))
    )
    return {
        "id": rule.id,
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.rationale),
        "help": {"text": visible_lines(help_text)},
        **({"helpUri": page[0]} if (page := explained_at(rule)) else {}),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": list(dict.fromkeys(("security", rule.topic, *requirements(rule))))[:_MOST_TAGS],
            "precision": "very-high",
            "security-severity": _SCORES[rule.severity],
        },
    }


def build_invocation(report: Report, shown: int) -> dict[str, Any]:
    """The invocation, with notifications on results that were cut, gaps, and what is not examined."""
    coverage = report.coverage
    failed = report.summary.by_status["fail"]
    notifications = [build_notification("note", sentence) for sentence in coverage.not_examined]
    notifications += [build_gap(gap) for gap in coverage.gaps]
    if shown < failed:
        cut = f"Only the worst {count(shown, 'failure')} of {failed:,} are listed; the JSON report has all of them."
        notifications.insert(0, build_notification("warning", cut))
    return {
        "executionSuccessful": True,
        "startTimeUtc": moment(report.run.started_at),
        "endTimeUtc": moment(report.run.finished_at),
        "toolExecutionNotifications": notifications,
    }


def build_gap(gap: ReportedGap) -> dict[str, Any]:
    where = {"locations": [build_physical(gap.location)]} if gap.location else {}
    return build_notification("note" if gap.waiver else "error", f"Not observed: {gap_line(gap)}") | where


def build_notification(level: Literal["note", "warning", "error"], text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": visible(text)}}


def build_results(findings: Sequence[Finding], rules: Sequence[RuleInfo]) -> list[dict[str, Any]]:
    places = {rule.id: (index, rule) for index, rule in enumerate(rules)}
    return [build_result(finding, *places[finding.rule_id]) for finding in findings]


def build_carried(report: Report, most: int) -> list[dict[str, Any]]:
    """What failed before and could not be settled, as open results: code scanning closes what is left out as fixed."""
    entries = [each for each in carried.shown(report) if each.finding.is_known_failure]
    places = {rule.id: (index, rule) for index, rule in enumerate(report.rules)}
    known = [each for each in entries if each.finding.rule_id in places][:most]
    return [
        build_result(structs.replace(each.finding, edits=UNSET), *places[each.finding.rule_id])
        | {
            "kind": "open",
            "level": "none",
            "message": _message(f"{carried.TITLE}, {carried.why(each)}; {each.finding.message}"),
        }
        for each in known
    ]


def build_result(finding: Finding, index: int, rule: RuleInfo) -> dict[str, Any]:
    return {
        "ruleId": finding.rule_id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": _message(finding.message),
        "locations": [
            {**build_physical(file_and_line(finding, rule.topic)), "logicalLocations": build_logical(finding.resource)}
        ],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint},
        **({"fixes": [build_fix(finding.edits)]} if finding.edits else {}),
    }


def build_fix(edits: Sequence[Edit]) -> dict[str, Any]:
    """The edits as one fix, which editors offer to make."""
    return {
        "description": _message(", ".join(dict.fromkeys(f"{edit.name}: {edit.new}" for edit in edits))),
        "artifactChanges": [
            {"artifactLocation": build_artifact(edit.file), "replacements": [build_replacement(edit)]} for edit in edits
        ],
    }


def build_replacement(edit: Edit) -> dict[str, Any]:
    start = {"startLine": edit.line, "startColumn": edit.column}
    return {
        "deletedRegion": {**start, "endLine": edit.line, "endColumn": edit.end_column},
        "insertedContent": {"text": edit.new},
    }


def build_physical(where: Location) -> dict[str, Any]:
    region = {"startLine": max(where.line, 1), "startColumn": max(where.column, 1)}
    return {"physicalLocation": {"artifactLocation": build_artifact(where.file), "region": region}}


def build_artifact(file: str) -> dict[str, Any]:
    return {"uri": quote(from_top(file), safe="/"), "uriBaseId": _TOP}


def build_logical(resource: Resource) -> list[dict[str, Any]]:
    name, arn = resource.name or resource.arn, resource.arn
    return [{"kind": "resource", "name": visible(name or "unnamed"), **({"fullyQualifiedName": arn} if arn else {})}]


def _message(text: str) -> dict[str, str]:
    """A message of one paragraph, cut to the length that GitHub accepts."""
    return {"text": visible(clipped(" ".join(text.split()), _MOST_CHARACTERS)) or "-"}
