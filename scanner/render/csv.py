"""The findings as CSV for spreadsheets. Every cell is quoted, and none can act as a formula.

Gaps are rows before the findings, so that an incomplete sheet without findings does not look clean.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from scanner.model.report import CarriedOver, Finding, Report, ReportedGap, Waiver
from scanner.render import carried
from scanner.render.text import visible_lines
from scanner.render.wording import evidence_line, gap_cause, requirements

COLUMNS = (
    "record",
    "status",
    "severity",
    "rule_id",
    "title",
    "account_id",
    "account_name",
    "region",
    "app_instance_name",
    "app_instance_arn",
    "resource_type",
    "resource_name",
    "resource_arn",
    "message",
    "evidence",
    "remediation",
    "references",
    "frameworks",
    "fingerprint",
    "change",
    "first_seen",
    "waived_until",
    "waived_by",
    "waived_because",
    "location",
    "last_seen",
    "not_settled_because",
)
Row = Mapping[str, str | None]
"""Cells by column; those that are left out are empty."""
_IDS = ("account_id", "account_name", "app_instance_name", "resource_name", "fingerprint")
_NUMBER = re.compile(r"[0-9][0-9.,:/eE+-]*")
# From https://owasp.org/www-community/attacks/CSV_Injection, which also lists the full-width forms.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def render(report: Report, *, for_excel: bool = False) -> Iterator[str]:
    """A header, then a row for each sentence on what is not examined, each gap, each finding, and what is carried over.

    With `for_excel` the text has a byte order mark, without which Excel does not read it as UTF-8, and cells that Excel
    would turn into numbers (012345678901) are written as text.
    """
    return sheet(COLUMNS, named(_rows(report), report), _IDS if for_excel else None)


def named(rows: Iterable[Row], report: Report) -> Iterator[Row]:
    """The rows, each with the name of its account in the column `account_name`."""
    for row in rows:
        yield {**row, "account_name": report.scope.names.get(row.get("account_id") or "")}


def sheet(columns: Sequence[str], rows: Iterable[Row], ids: Sequence[str] | None = None) -> Iterator[str]:
    """A header and rows. With `ids`, it is written as Excel opens it, and the cells in these columns as text."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if ids is not None:
        yield "\ufeff"
    yield writer.writerow(columns)
    for row in rows:
        cells = {column: guarded(row.get(column) or "") for column in columns}
        cells |= {column: as_text(cells[column]) for column in ids or ()}
        yield writer.writerow(cells.values())


def as_text(cell: str) -> str:
    """A cell that a spreadsheet would read as a number or date, as a formula that yields its very characters."""
    return f'="{cell}"' if _NUMBER.fullmatch(cell) else cell


def guarded(cell: str) -> str:
    """The text with hidden characters escaped, and a quote in front if a spreadsheet would read it as a formula."""
    shown = visible_lines(cell)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


class _Line:
    """A file for `csv.writer` whose `write` returns the line instead of storing it."""

    def write(self, line: str) -> str:
        return line


def _rows(report: Report) -> Iterator[Row]:
    for sentence in report.coverage.not_examined:
        yield {"record": "not_examined", "message": sentence}
    yield from map(_gap, report.coverage.gaps)
    yield from map(_finding, report.findings)
    yield from map(_carried, carried.shown(report))


def _gap(gap: ReportedGap) -> Row:
    return {
        "record": "gap",
        "status": "waived" if gap.waiver else "not_observed",
        "account_id": gap.account_id,
        "region": gap.region,
        "resource_arn": gap.resource_arn,
        "message": gap_cause(gap),
        **_waiver(gap.waiver),
    }


def _carried(entry: CarriedOver) -> Row:
    settling = {"last_seen": entry.last_seen, "not_settled_because": entry.reason}
    return {**_finding(entry.finding), "record": "carried_over", "status": "carried_over", "change": None, **settling}


def _finding(finding: Finding) -> Row:
    resource, location = finding.resource, finding.location
    return {
        "record": "finding",
        "status": finding.status,
        "severity": finding.severity,
        "rule_id": finding.rule_id,
        "title": finding.title,
        "account_id": resource.account_id,
        "region": resource.region,
        "app_instance_name": resource.app_instance_name,
        "app_instance_arn": resource.app_instance_arn,
        "resource_type": resource.type,
        "resource_name": resource.name,
        "resource_arn": resource.arn,
        "message": finding.message,
        "evidence": _lines(map(evidence_line, finding.evidence)),
        "remediation": finding.remediation.strip(),
        "references": _lines(finding.references),
        "frameworks": _lines(requirements(finding)),
        "fingerprint": finding.fingerprint,
        "change": finding.change,
        "first_seen": finding.first_seen,
        "location": f"{location.file}:{location.line}:{location.column}" if location else None,
        **_waiver(finding.waiver),
    }


def _waiver(waiver: Waiver | None) -> Row:
    if waiver is None:
        return {}
    return {"waived_until": waiver.expires, "waived_by": waiver.owner, "waived_because": waiver.reason}


def _lines(items: Iterable[str]) -> str:
    return "\n".join(items)
