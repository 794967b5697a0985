"""Tests that all formats must pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from msgspec import structs

from scanner.model.report import Finding, Report
from scanner.render import CONTENT_TYPES, Format, render
from tests.render import sample

SAMPLES = sample.ALL
STREAMED = [Format.JSON, Format.JSONL, Format.CSV, Format.OCSF, Format.ASFF, Format.GITLAB]
TELLING = [form for form in Format if form not in (Format.HTML, Format.JSONL)]
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
DECEPTIVE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Counted(list[Finding]):
    """Findings that count how many of them were read."""

    read = 0

    def __iter__(self) -> Iterator[Finding]:
        for finding in super().__iter__():
            self.read += 1
            yield finding


def text(report: Report, form: Format) -> str:
    return "".join(render(report, form))


@pytest.mark.parametrize("build", SAMPLES)
@pytest.mark.parametrize("form", Format)
def test_every_report_can_be_rendered_and_ends_in_a_line(form: Format, build: Callable[[], Report]) -> None:
    rendered = text(build(), form)

    assert not rendered or rendered.endswith("\n")
    assert not FORBIDDEN.search(rendered)


def test_every_format_has_a_content_type() -> None:
    assert CONTENT_TYPES.keys() == set(Format)


@pytest.mark.parametrize("form", Format)
def test_the_same_report_gives_the_same_bytes(form: Format) -> None:
    assert text(sample.rich(), form) == text(sample.rich(), form)


@pytest.mark.parametrize("form", TELLING)
def test_gaps_and_what_is_not_examined_are_told(form: Format) -> None:
    report = sample.incomplete()

    rendered = text(report, form)

    for gap in report.coverage.gaps:
        assert gap.code in rendered
    assert "without an app instance user" in rendered


@pytest.mark.parametrize("form", [Format.SARIF, Format.JUNIT, Format.CSV, Format.MARKDOWN, Format.GITLAB])
def test_hidden_characters_are_spelled_out(form: Format) -> None:
    rendered = text(sample.hostile(), form)

    assert not DECEPTIVE.search(rendered)
    assert "u202e" in rendered


@pytest.mark.parametrize("form", STREAMED)
def test_findings_are_written_as_they_are_read(form: Format) -> None:
    findings = Counted(sample.many(50).findings)
    pieces = render(structs.replace(sample.many(50), findings=findings), form)

    for piece in pieces:
        if "last-processor-fails-open" in piece and findings.read:
            break

    assert findings.read < 5
