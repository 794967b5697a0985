from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from scanner.model.report import Report
from scanner.render import csv as format_csv
from scanner.render.csv import COLUMNS, guarded
from scanner.render.text import visible_lines
from tests.render import sample


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(format_csv.render(report)), newline="")))


def test_every_cell_is_quoted() -> None:
    first, *_ = format_csv.render(sample.rich())

    assert first == ",".join(f'"{column}"' for column in COLUMNS) + "\r\n"


def test_a_finding_is_a_row() -> None:
    report = sample.rich()

    found = [row for row in rows(report) if row["record"] == "finding"]

    assert [row["fingerprint"] for row in found] == [finding.fingerprint for finding in report.findings]
    waived = next(row for row in found if row["status"] == "waived")
    assert waived["waived_by"] == "chat-team"


def test_a_sheet_without_findings_says_what_was_not_observed() -> None:
    records = [row["record"] for row in rows(sample.nothing_observed())]

    assert records.count("gap") == len(sample.nothing_observed().coverage.gaps)
    assert "not_examined" in records


@given(st.text())
def test_any_text_comes_back_as_it_was_guarded(message: str) -> None:
    report = sample.report([structs.replace(sample.fails_open(sample.flow()), message=message)])

    assert rows(report)[-1]["message"] == guarded(message)


@given(st.text(), st.sampled_from("=+-@\t\r\n＝＋－＠"))
def test_no_cell_is_a_formula(text: str, start: str) -> None:
    cell = guarded(start + text)

    assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert cell.removeprefix("'") == visible_lines(start + text)


def test_excel_gets_a_byte_order_mark_and_ids_as_text() -> None:
    named = structs.replace(sample.flow("2026-11", account="012345678901"), app_instance_name="007")
    report = sample.report([sample.fails_open(named)])

    lines = list(format_csv.render(report, for_excel=True))
    cells = next(row for row in csv.DictReader(lines[1:]) if row["record"] == "finding")

    assert lines[0] == "\ufeff"
    assert (cells["account_id"], cells["resource_name"], cells["app_instance_name"]) == (
        '="012345678901"',
        '="2026-11"',
        '="007"',
    )
    assert cells["region"] == "us-east-1"
    assert "".join(format_csv.render(report))[0] == '"'


@pytest.mark.parametrize("cell", ["12e5", "1", "0x", "a1", '1"&A1', "-1", "=1"])
def test_only_text_that_a_spreadsheet_would_change_becomes_a_formula_and_cannot_end_it(cell: str) -> None:
    shown = format_csv.as_text(format_csv.guarded(cell))

    assert shown == (f'="{cell}"' if cell in ("12e5", "1") else format_csv.guarded(cell))
