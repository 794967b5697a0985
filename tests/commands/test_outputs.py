from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from scanner.commands.outputs import Output, parse, parse_all
from scanner.commands.report import ReportOptions
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


def test_a_page_in_a_folder_has_its_style_and_scripts_beside_it(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("".join(render(sample.rich(), Format.JSON)))
    folder = tmp_path / "a #b?%20'\"<c>\n"
    folder.mkdir()
    (folder / "index.html").write_text("the report of last night")
    (folder / "theirs.css").touch()

    ended = chimeaudit(
        *("report", "report.json", "-o", f"html-folder:{folder}/", "--manifest", "SHA256SUMS"), home=tmp_path
    )

    assert ended.code == 0, ended.stderr
    names = {path.name for path in folder.iterdir()}
    assert names == {"index.html", "theirs.css", "chimeaudit.css", "chimeaudit.js", "chimeaudit-early.js"}
    page = (folder / "index.html").read_text()
    assert "<style" not in page
    assert re.findall(r'<script(?: (?:src="([^"]+)"|type="([^"]+)"))?', page) == [
        ("chimeaudit-early.js", ""),
        ("", "application/gzip"),
        ("chimeaudit.js", ""),
    ]
    assert ended.stderr.count("Report    ") == 1
    sums = re.findall(r"^\\?([0-9a-f]{64})  (.+)$", (tmp_path / "SHA256SUMS").read_text(), re.MULTILINE)
    digests = {hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names - {"theirs.css"}}
    assert digests < {digest for digest, _ in sums}


@pytest.mark.parametrize(
    ("folder", "complaint"),
    [
        ("-", "-o html-folder:-: - is no folder"),
        ("file", "-o html-folder:file: file is no folder"),
        ("", "-o 'html-folder:' names no path"),
        ("s3://", "s3://index.html names no object in the bucket"),
        ("taken", "-o html-folder:taken/: taken/chimeaudit.css is a folder"),
        ("https://example.com", "-o html-folder:https://example.com is a URL"),
    ],
)
def test_a_page_in_a_folder_needs_one(
    folder: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/chimeaudit.css").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        parse_all(ReportOptions(output=(f"html-folder:{folder}",)))

    assert complaint in caught.value.message


def test_a_page_in_a_folder_of_a_bucket_is_four_objects() -> None:
    outputs = parse_all(ReportOptions(output=("html-folder:s3://reports/chime/",)))

    assert [(str(output.in_s3), output.content_type.partition(";")[0]) for output in outputs] == [
        ("s3://reports/chime/chimeaudit.css", "text/css"),
        ("s3://reports/chime/chimeaudit-early.js", "text/javascript"),
        ("s3://reports/chime/chimeaudit.js", "text/javascript"),
        ("s3://reports/chime/index.html", "text/html"),
    ]


def test_nothing_else_goes_where_a_page_in_a_folder_has_its_style() -> None:
    with pytest.raises(UsageError, match="2 reports go to"):
        parse_all(ReportOptions(output=("html-folder:out", "csv:out/chimeaudit.css")))
