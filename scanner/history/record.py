"""Records a run in one transaction: what it saw, its gaps, and what it changes in the life of findings.

Also removes old runs and findings that were fixed before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, text

from scanner.errors import UsageError
from scanner.history import life, queries, sightings
from scanner.history.address import Address
from scanner.history.database import insert, kept, written
from scanner.history.life import RecordedRun
from scanner.model.moments import moment
from scanner.model.report import Finding, Report
from scanner.model.trend import Pruned, Trend
from scanner.store.spool import Spool

_OLD_FIXED = "state = 'fixed' AND judged_at < :before"
_PRUNE = {
    "changes": f"DELETE FROM change WHERE fingerprint IN (SELECT fingerprint FROM finding WHERE {_OLD_FIXED})",
    "findings": f"DELETE FROM finding WHERE {_OLD_FIXED}",
    "runs": "DELETE FROM run WHERE started_at < :before",
}


class Recorded(Struct, frozen=True, kw_only=True):
    """The report, whose findings have the time at which they were first seen, and the trend over all nights."""

    report: Report
    trend: Trend


def record(address: Address, report: Report, *, reports: Mapping[str, str], directory: Path) -> Recorded:
    """Record a report; `reports` has the paths, by format, to which it is about to be written.

    The findings that are returned are kept on disk, in `directory` if it is writable.

    Raises:
        UsageError: it is the report of a check: what files declare need not be deployed.
        OutputError: the database cannot be written, or there is no room for the findings; nothing was recorded.
    """
    if report.coverage.in_scope.files:
        raise UsageError(
            "--history: found the report of a check, of files; expected one of a scan",
            hint="Leave --history out.",
        )
    run = RecordedRun(id=kept(report.run.id), at=moment(report.run.started_at))
    with written(address) as connection:
        before = connection.scalar(text("DELETE FROM run WHERE id = :run RETURNING reports"), {"run": run.id})
        written_before = {} if before is None else msgspec.json.decode(before, type=dict[str, str])
        insert(connection, "run", [_run_row(report, run, {**written_before, **reports})])
        insert(connection, "gap", _gap_rows(report, run))
        sightings.stage(connection, report.findings)
        life.judge(connection, run, again=before is not None)
        dated = Spool(directory, Finding)
        sightings.date(connection, report.findings, dated)
        trend = queries.trend(connection)
    return Recorded(report=structs.replace(report, findings=dated), trend=trend)


def prune(connection: Connection, before: str) -> Pruned:
    """Remove the runs that began before a time (as text), with their gaps, and findings that were fixed before it.

    Open and waived findings keep their whole life.
    """
    return Pruned(
        **{name: connection.execute(text(delete), {"before": before}).rowcount for name, delete in _PRUNE.items()}
    )


def _run_row(report: Report, run: RecordedRun, reports: Mapping[str, str]) -> dict[str, Any]:
    seen, scope = report.coverage.observed, report.coverage.in_scope
    return {
        "id": run.id,
        "started_at": run.at,
        "finished_at": moment(report.run.finished_at),
        "version": kept(report.tool.version),
        "rules_digest": kept(report.tool.rules_digest),
        "options": _json(report.run.options),
        "scope": _json(report.scope),
        "rules": _json([rule.id for rule in report.rules]),
        "summary": _json(report.summary),
        "reports": _json(reports),
        "complete": report.coverage.complete,
        "accounts_in_scope": scope.accounts,
        "targets_in_scope": scope.targets,
        "accounts": seen.accounts,
        "targets": seen.targets,
        "app_instances": seen.app_instances,
        "channel_flows": seen.channel_flows,
        "processors": seen.processors,
    }


def _gap_rows(report: Report, run: RecordedRun) -> Iterator[dict[str, Any]]:
    for position, gap in enumerate(report.coverage.gaps):
        yield {
            "run_id": run.id,
            "position": position,
            "account_id": kept(gap.account_id),
            "region": kept(gap.region),
            "resource_arn": kept(gap.resource_arn),
            "operation": kept(gap.operation),
            "code": kept(gap.code),
            "reason": kept(gap.reason),
            "waived": gap.waiver is not None,
        }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
