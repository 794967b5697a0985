"""JUnit has no single schema: reports must be valid for Windyroad's JUnit.xsd and for Jenkins' junit-10.xsd."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from scanner.model.report import Report, Status
from scanner.render import junit
from tests.render import sample

SUITE = {"id", "name", "package", "timestamp", "hostname", "tests", "failures", "errors", "time"}
SAMPLES = sample.ALL


def root(report: Report) -> Element:
    return fromstring("".join(junit.render(report)))  # noqa: S314 - our own text


def tags(element: Element) -> list[str]:
    return [child.tag for child in element]


@pytest.mark.parametrize("build", SAMPLES)
def test_suites_have_what_both_schemas_require_and_nothing_else(build: Callable[[], Report]) -> None:
    suites = root(build())

    assert (suites.tag, suites.attrib) == ("testsuites", {})
    for number, suite in enumerate(suites):
        assert set(suite.attrib) == SUITE
        assert suite.get("id") == str(number)
        assert suite.get("name")
        assert suite.get("package")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        cases = len(suite.findall("testcase"))
        assert tags(suite) == ["properties", *["testcase"] * cases, "system-out", "system-err"]
        assert suite.get("tests") == str(cases)
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("errors") == str(len(suite.findall("testcase/error")))


@pytest.mark.parametrize("build", SAMPLES)
def test_cases_have_what_both_schemas_require_and_nothing_else(build: Callable[[], Report]) -> None:
    for case in root(build()).iter("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert tags(case) in ([], ["failure"], ["error"])
        assert all(set(outcome.attrib) == {"type", "message"} and not len(outcome) for outcome in case)


def test_names_tell_cases_apart() -> None:
    names = [(case.get("classname"), case.get("name")) for case in root(sample.rich()).iter("testcase")]

    assert len(names) == len(set(names))


def test_failed_is_a_failure_unknown_an_error_and_waived_is_told() -> None:
    report = sample.rich()
    statuses = [finding.status for finding in report.findings]

    suites = root(report)

    rules = [suite for suite in suites if suite.get("name") != "coverage"]
    assert sum(int(suite.get("failures", "")) for suite in rules) == statuses.count(Status.FAIL)
    assert sum(int(suite.get("errors", "")) for suite in rules) == statuses.count(Status.UNKNOWN)
    assert any("waived until 2027-01-31 by chat-team" in (suite.findtext("system-out") or "") for suite in rules)


def test_what_was_not_observed_is_an_error_unless_it_was_waived() -> None:
    coverage = root(sample.rich())[0]

    assert coverage.get("errors") == "2"
    assert "888899990000" in (coverage.findtext("system-out") or "")


def test_a_clean_report_has_a_case_that_passes() -> None:
    seen, passed = root(sample.clean()).iter("testcase")

    assert (seen.get("name"), passed.get("name")) == ("everything in scope was observed", "238 of 238 passed")
    assert not len(seen)
    assert not len(passed)


@given(st.text())
def test_any_text_gives_valid_xml(text: str) -> None:
    finding = sample.fails_open(sample.flow(text, sample.step(fallback="CONTINUE")))

    cases = root(sample.report([structs.replace(finding, message=text, remediation=text)])).iter("testcase")

    assert len(list(cases)) == 2
