from __future__ import annotations

from pathlib import Path

import pytest

from scanner.commands.outputs import Output, parse
from scanner.errors import UsageError
from scanner.render import Format, render
from tests.command import chimeaudit
from tests.render import sample


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("report.html", Output(Format.HTML, "report.html")),
        ("report.JSON", Output(Format.JSON, "report.JSON")),
        ("report.jsonl", Output(Format.JSONL, "report.jsonl")),
        ("results.sarif", Output(Format.SARIF, "results.sarif")),
        ("junit.xml", Output(Format.JUNIT, "junit.xml")),
        ("findings.csv", Output(Format.CSV, "findings.csv")),
        ("summary.md", Output(Format.MARKDOWN, "summary.md")),
        ("ocsf:findings.json", Output(Format.OCSF, "findings.json")),
        ("asff:findings.json", Output(Format.ASFF, "findings.json")),
        ("junit:-", Output(Format.JUNIT, "-")),
    ],
)
def test_the_format_is_named_or_that_of_the_suffix(value: str, expected: Output) -> None:
    assert parse(value) == expected


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("report", "names no format"),
        ("-", "names no format"),
        ("report.pdf", "'pdf' is not a format"),
        ("report.ocsf", "'ocsf' is not a format"),
        ("sarfi:report.json", "'sarfi' is not a format"),
    ],
)
def test_an_output_without_a_format_is_refused_with_the_formats_as_hint(value: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(value)

    assert complaint in caught.value.message
    assert all(form in caught.value.hint for form in Format)


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        parse(f"json:{tmp_path}")


def test_csv_excel_is_for_csv(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("".join(render(sample.rich(), Format.JSON)))

    written = chimeaudit("report", "report.json", "-o", "x.csv", "--csv-excel", home=tmp_path)
    refused = chimeaudit("report", "report.json", "-o", "x.html", "--csv-excel", home=tmp_path)

    assert written.code == 0, written.stderr
    assert (tmp_path / "x.csv").read_bytes().startswith(b'\xef\xbb\xbf"record"')
    assert refused.error == "error: --csv-excel is for reports in CSV, and there is none"
