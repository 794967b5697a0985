"""scanner.render.controls: controls as CSV, with what was not seen and who accepted what."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest

from scanner.model.report import Report
from scanner.render import controls
from tests.render import sample


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(controls.render(report)).splitlines(keepends=True)))


def test_each_control_is_a_row_after_the_gaps_with_the_risks_that_were_accepted() -> None:
    report = sample.rich()

    found = rows(report)

    kinds = [row["record"] for row in found]
    assert kinds == sorted(kinds, key=["not_examined", "gap", "control"].index)
    assert kinds.count("gap") == len(report.coverage.gaps)
    own = {row["control"]: row for row in found if row["record"] == "control"}
    assert own["SC-24"]["status"] == "not-satisfied"
    assert int(own["SC-24"]["passed"]) == report.summary.by_status["pass"]
    assert own["CC6.1"]["rules"] == "last-processor-fails-open"
    assert "waived until 2027-01-31 by chat-team: Read-only announcement" in own["CC6.1"]["accepted_risks"]
    assert (own["MSG|1 <b>"]["supports"], own["MSG|1 <b>"]["status"]) == ("", "not-determined")


@pytest.mark.parametrize("build", [sample.hostile, sample.rich, sample.empty])
def test_no_cell_acts_as_a_formula(build: Callable[[], Report]) -> None:
    assert not [cell for row in rows(build()) for cell in row.values() if cell.startswith(tuple("=+-@"))]
