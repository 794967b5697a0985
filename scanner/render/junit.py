"""The report as JUnit XML, valid for both the schema of Windyroad and that of Jenkins' xUnit plugin.

Only what both allow is written: no `skipped`, no `file`, no properties of a test case. A failed finding is a failure.
Whatever could not be judged or observed is an error. A rule that passed on something has a test case that passes and
says how often. A waived finding passes and is mentioned in `system-out`, and so is what is carried over, and a value
that a file leaves open until deployment, which is no error.

https://github.com/windyroad/JUnit-Schema, https://github.com/jenkinsci/xunit-plugin (junit-10.xsd)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from msgspec import Struct

from scanner.model.moments import moment
from scanner.model.report import Coverage, Finding, Report, RuleCounts, RuleInfo, Status
from scanner.render import carried
from scanner.render.causes import Cause, by_cause
from scanner.render.text import visible, visible_lines
from scanner.render.wording import evidence_line, explained_at, gap_line, is_open, place, waived

_COVERAGE = "coverage"
_OUTCOMES: dict[Status, Literal["failure", "error"] | None] = {
    Status.FAIL: "failure",
    Status.UNKNOWN: "error",
    Status.WAIVED: None,
}


class _Case(Struct, frozen=True, kw_only=True):
    """A test case, which passes if it has no outcome."""

    name: str
    outcome: Literal["failure", "error"] | None = None
    type: str = ""
    message: str = ""
    text: str = ""


class _Suite(Struct, frozen=True, kw_only=True):
    """The test cases of one rule; `output` holds the lines of `system-out`."""

    name: str
    package: str
    cases: Sequence[_Case]
    output: Sequence[str]


def render(report: Report) -> Iterator[str]:
    """A suite on coverage, then a suite for each rule."""
    root = Element("testsuites")
    for number, suite in enumerate(_suites(report)):
        root.append(build_suite(suite, number, report))
    indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield from (f"{line}\n" for line in tostring(root, encoding="unicode").split("\n"))


def _suites(report: Report) -> Iterator[_Suite]:
    found: dict[str, list[Finding]] = defaultdict(list)
    kept: dict[str, list[str]] = defaultdict(list)
    for entry in carried.shown(report):
        kept[entry.finding.rule_id].append(f"{_name(entry.finding)}: carried over, {carried.why(entry)}")
    for finding in report.findings:
        found[finding.rule_id].append(finding)
    yield _coverage_suite(report.coverage)
    for rule in report.rules:
        yield _rule_suite(rule, found[rule.id], kept[rule.id], (report.summary.rules or {}).get(rule.id))


def _coverage_suite(coverage: Coverage) -> _Suite:
    cases = [_cause_case(cause) for cause in by_cause(coverage.gaps) if not cause.waiver]
    output = [f"Not examined: {sentence}" for sentence in coverage.not_examined]
    output += [gap_line(gap) for gap in coverage.gaps if gap.waiver]
    seen = _Case(name="everything in scope was observed")
    return _Suite(name=_COVERAGE, package=_COVERAGE, cases=cases or [seen], output=output)


def _rule_suite(rule: RuleInfo, findings: Sequence[Finding], kept: Sequence[str], counts: RuleCounts | None) -> _Suite:
    output = [*kept]
    output += [f"{_name(finding)}: {waived(finding.waiver)}" for finding in findings if finding.waiver]
    output += [f"{place(finding)}: {finding.message}" for finding in findings if is_open(finding)]
    cases = [_finding_case(finding, rule) for finding in findings if not is_open(finding)]
    if counts and counts.passed:
        cases.insert(0, _Case(name=f"{counts.passed:,} of {counts.judged:,} passed"))
    return _Suite(name=rule.id, package=rule.topic, cases=cases, output=output)


def _cause_case(cause: Cause) -> _Case:
    """The test case of one cause, with all its gaps."""
    gaps = "\n".join(map(gap_line, cause.gaps))
    return _Case(name=cause.headline, outcome="error", type="not observed", message=cause.line, text=gaps)


def _finding_case(finding: Finding, rule: RuleInfo) -> _Case:
    at = [place(finding)] if finding.location else []
    links = (*explained_at(rule), *finding.references)
    lines = [*at, *map(evidence_line, finding.evidence), "", finding.remediation.strip(), "", *links]
    return _Case(
        name=_name(finding),
        outcome=_OUTCOMES[finding.status],
        type=finding.severity,
        message=finding.message,
        text="\n".join(lines),
    )


def _name(finding: Finding) -> str:
    """A name that is unique in its suite: test reports merge cases of the same name."""
    resource = finding.resource
    what = resource.name or resource.arn or "unnamed"
    where = finding.location.file if finding.location else f"{resource.account_id} {resource.region}"
    return f"{what} ({where}, {finding.fingerprint[:12]})"


def build_suite(suite: _Suite, number: int, report: Report) -> Element:
    outcomes = [case.outcome for case in suite.cases]
    element = Element(
        "testsuite",
        id=str(number),
        name=visible(suite.name),
        package=visible(suite.package),
        timestamp=moment(report.run.started_at).removesuffix("Z"),
        hostname="localhost",
        tests=str(len(outcomes)),
        failures=str(outcomes.count("failure")),
        errors=str(outcomes.count("error")),
        time="0",
    )
    element.append(build_properties(report))
    element.extend(build_case(case, suite.name) for case in suite.cases)
    SubElement(element, "system-out").text = "\n".join(map(visible, suite.output))
    SubElement(element, "system-err").text = ""
    return element


def build_properties(report: Report) -> Element:
    properties = Element("properties")
    for name, value in (
        ("tool", f"{report.tool.name} {report.tool.version}"),
        ("rules_digest", report.tool.rules_digest),
        ("run", report.run.id),
        ("coverage", "complete" if report.coverage.complete else "not complete"),
    ):
        SubElement(properties, "property", name=name, value=visible(value))
    return properties


def build_case(case: _Case, classname: str) -> Element:
    element = Element("testcase", name=visible(case.name), classname=visible(classname), time="0")
    if case.outcome:
        detail = SubElement(element, case.outcome, type=visible(case.type), message=visible(case.message))
        detail.text = visible_lines(case.text)
    return element
