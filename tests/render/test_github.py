"""scanner.render.github: no more annotations than GitHub shows, and no text that ends one."""

from __future__ import annotations

import re

import pytest
from msgspec import structs

from scanner.model.report import Location, Report, ReportedGap, Severity
from scanner.render import Format, render
from scanner.render.github import inert
from tests.render import sample

LINE = re.compile(r"::(error|warning) [^:\n]*::[^\r\n]+\n")


def text(report: Report) -> str:
    return "".join(render(report, Format.GITHUB))


def test_a_finding_stands_on_its_line() -> None:
    report = sample.rich()
    located = [
        structs.replace(each, location=Location(file="a:b,c%.yaml", line=3, column=7)) for each in report.findings
    ]

    first = text(structs.replace(report, findings=located)).split("\n")[0]

    assert first.startswith("::error file=a%3Ab%2Cc%25.yaml,line=3,col=7,title=")


def test_hostile_text_ends_no_annotation_and_begins_none() -> None:
    lines = text(sample.hostile()).splitlines(keepends=True)

    assert lines
    assert all(LINE.fullmatch(line) or line.startswith("Not examined: ") for line in lines)


def test_text_outside_annotations_is_no_command_of_the_old_syntax() -> None:
    report = sample.clean()
    told = structs.replace(report.coverage, not_examined=("##[error]a.yaml: a loop", "::error::b.yaml"))

    rendered = text(structs.replace(report, coverage=told))

    assert rendered == "Not examined: \\u0023#[error]a.yaml: a loop\nNot examined: ::error::b.yaml\n"


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("::error::a", "\\u003a:error::a"),
        ("a\n \t::stop-commands::b", "a\n \t\\u003a:stop-commands::b"),
        ("a ::b:: :c", "a ::b:: :c"),
        ("a ##[error]b ###[c", "a \\u0023#[error]b #\\u0023#[c"),
    ],
)
def test_a_line_that_the_runner_would_take_for_a_command_is_escaped(given: str, printed: str) -> None:
    assert inert(given) == printed


@pytest.mark.parametrize(("missed", "shown"), [(1, 1), (5, 5), (50, 5)])
def test_gaps_are_shown_however_many_other_warnings_there_are(missed: int, shown: int) -> None:
    report = sample.many(200)
    findings = [structs.replace(each, severity=Severity.MEDIUM) for each in report.findings]
    counts = dict.fromkeys(report.summary.by_severity, 0) | {"medium": len(findings)}
    place = Location(file="cut.json", line=3, column=7)
    gaps = tuple(
        ReportedGap(account_id="unknown", operation="ReadFile", code="InvalidFile", reason=f"{number}", location=place)
        for number in range(missed)
    )
    coverage = structs.replace(report.coverage, complete=False, gaps=gaps)
    summary = structs.replace(report.summary, by_severity=counts)

    lines = text(structs.replace(report, findings=findings, coverage=coverage, summary=summary)).splitlines()

    warnings = [line for line in lines if line.startswith("::warning ")]
    at = "::warning file=cut.json,line=3,col=7,title=Coverage is NOT complete::Not observed: "
    assert len(warnings) == 10
    assert sum(line.startswith(at) for line in warnings) == shown
    assert f"::{200 + missed - 9} more warnings;" in warnings[-1]


def test_no_more_than_github_shows_the_worst_first_and_the_rest_is_counted() -> None:
    report = sample.many(200)

    lines = text(report).splitlines()

    for level in ("error", "warning"):
        own = [line for line in lines if line.startswith(f"::{level} ")]
        assert len(own) <= 10
    assert any("more error" in line or "more warning" in line for line in lines)
