"""The controls of frameworks as CSV for spreadsheets: a row for each control, with the same guards as the findings'.

The first rows say what was not examined and not observed, so that a sheet never looks whole that is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.model.report import Control, Report, RuleCounts
from scanner.render.csv import sheet
from scanner.render.wording import gap_line, waived

COLUMNS = (
    "record",
    "framework",
    "control",
    "supports",
    "status",
    "accepted",
    "passed",
    "failed",
    "unknown",
    "waived",
    "not_applicable",
    "rules",
    "accepted_risks",
    "message",
)


def render(report: Report) -> Iterator[str]:
    """A header, then a row for each sentence on what is not examined, each gap and each control."""
    return sheet(COLUMNS, _rows(report))


def _rows(report: Report) -> Iterator[dict[str, str | None]]:
    for sentence in report.coverage.not_examined:
        yield {"record": "not_examined", "message": sentence}
    for gap in report.coverage.gaps:
        yield {"record": "gap", "status": "waived" if gap.waiver else "not_observed", "message": gap_line(gap)}
    accepted = _accepted(report)
    for control in report.controls or ():
        risks = dict.fromkeys(risk for id_ in control.rules for risk in accepted.get(id_, ()))
        yield _control(control) | {"accepted_risks": "\n".join(risks)}


def _accepted(report: Report) -> dict[str, dict[str, None]]:
    """Who accepted failures, until when and why, by the rule's id."""
    accepted: dict[str, dict[str, None]] = {}
    for finding in report.findings:
        if finding.waiver:
            accepted.setdefault(finding.rule_id, {})[waived(finding.waiver)] = None
    return accepted


def _control(control: Control) -> dict[str, str | None]:
    numbers = {name: str(getattr(control, name)) for name in RuleCounts.__struct_fields__}
    return numbers | {
        "record": "control",
        "framework": control.framework,
        "control": control.control,
        "supports": control.supports,
        "status": control.status,
        "accepted": "yes" if control.accepted else "no",
        "rules": "\n".join(control.rules),
    }
