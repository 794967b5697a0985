"""The inventory alone: as CSV with a row for each processor, or as JSON Lines with an item a line.

In the CSV what was not observed stands before what was, so that a sheet that is not complete does not look so.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UnsetType

from scanner.model.report import VERDICTS, InventoryItem, PipelineStep, Report
from scanner.render.csv import Row, named, sheet
from scanner.render.json import encoded
from scanner.render.wording import gap_cause

COLUMNS = (
    "type",
    "verdict",
    "account_id",
    "account_name",
    "region",
    "app_instance_name",
    "app_instance_arn",
    "name",
    "arn",
    "execution_order",
    "processor",
    "fallback_action",
    "function_arn",
    *VERDICTS,
    "message",
    "location",
)
_IDS = ("account_id", "account_name", "app_instance_name", "name", "processor")
MISSING = "This report has no inventory."


def render(report: Report, *, lines: bool = False, for_excel: bool = False) -> Iterator[str]:
    """The inventory as CSV, or as JSON Lines (`lines`); `for_excel` as in scanner.render.csv.

    Coverage is left out of JSON Lines; the exit code and the other formats report it.
    """
    if not lines:
        return sheet(COLUMNS, named(_rows(report), report), _IDS if for_excel else None)
    return (f"{line}\n" for line in encoded(report.inventory or ()))


def _rows(report: Report) -> Iterator[Row]:
    for sentence in report.coverage.not_examined:
        yield {"type": "not_examined", "message": sentence}
    for gap in report.coverage.gaps:
        yield {
            "type": "gap",
            "verdict": "waived" if gap.waiver else "not_observed",
            "account_id": gap.account_id,
            "region": gap.region,
            "arn": gap.resource_arn,
            "message": gap_cause(gap),
        }
    if isinstance(report.inventory, UnsetType):
        yield {"type": "not_examined", "message": MISSING}
        return
    app_instance = None
    for item in report.inventory:
        if item.type == "app_instance":
            app_instance = item
        row = _row(item)
        if app_instance and item.app_instance_arn and item.app_instance_arn == app_instance.arn:
            row["app_instance_name"] = app_instance.name
        for step in item.processors or ():
            yield row | _step(step)
        if item.processors is None:
            yield row | {"message": "Its processors were not observed."}
        elif not item.processors:
            yield row


def _row(item: InventoryItem) -> dict[str, str | None]:
    location = None if isinstance(item.location, UnsetType) else item.location
    return {
        "type": item.type,
        "verdict": item.verdict or "not_judged",
        "account_id": item.account_id,
        "region": item.region,
        "app_instance_arn": item.app_instance_arn,
        "name": item.name,
        "arn": item.arn,
        "location": f"{location.file}:{location.line}:{location.column}" if location else None,
        **{each: ", ".join(id_ for id_, own in item.verdicts.items() if own == each) for each in VERDICTS},
    }


def _step(step: PipelineStep) -> dict[str, str | None]:
    order = step.execution_order
    return {
        "execution_order": None if order is None else str(order),
        "processor": step.name,
        "fallback_action": step.fallback_action,
        "function_arn": step.lambda_arn,
    }
