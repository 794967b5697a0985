"""Nights to record: reports of runs that begin a day apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import structs
from sqlalchemy import text

from scanner.history import database, queries
from scanner.history.address import Address
from scanner.history.record import Recorded, record
from scanner.model.report import Finding, Report, Status, Waiver
from scanner.model.trend import Trend
from scanner.render.json import render
from tests.command import Ended, chimeaudit
from tests.render import sample

SECRET = "hunter2-not-to-be-read"
Change = tuple[str, str | None, str]
FIRST = datetime(2026, 11, 1, 3, tzinfo=UTC)
WAIVER = Waiver(reason="known", owner="us", expires="2027-01-01")


def at(night: int) -> str:
    return f"{FIRST + timedelta(days=night):%Y-%m-%dT%H:%M:%SZ}"


def report(night: int, findings: Sequence[Finding] = (), *, run_id: str | None = None, **kinds: Any) -> Report:
    """The report of a run that began in a night."""
    run = structs.replace(
        sample.report().run, id=run_id or f"night-{night:03}", started_at=at(night), finished_at=at(night)
    )
    return structs.replace(sample.report(findings, **kinds), run=run)


def kept(history: Address, what: Report, **reports: str) -> Recorded:
    return record(history, what, reports=reports, directory=Path())


def save(path: Path, night: int, *names: str) -> str:
    """Save a report of a night, with a finding for each name."""
    path.write_text("".join(render(report(night, failing(*names)))))
    return str(path)


def recorded(saved: str, url: str, home: Path) -> Ended:
    """Record a saved report, as users do."""
    return chimeaudit("report", saved, "--history", url, "-o", "json:-", home=home)


def failing(*names: str) -> list[Finding]:
    return [sample.fails_open(sample.flow(name)) for name in names]


def waived(*names: str) -> list[Finding]:
    return [structs.replace(each, status=Status.WAIVED, waiver=WAIVER) for each in failing(*names)]


def trend(history: Address) -> Trend:
    with database.read(history) as connection:
        return queries.trend(connection)


def lives(history: Address) -> dict[str, tuple[str, str, str]]:
    """Name of a channel flow -> its finding's state, and when it was first and last seen."""
    with database.read(history) as connection:
        rows = connection.execute(text("SELECT resource_name, state, first_seen, last_seen FROM finding")).all()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def states(history: Address) -> dict[tuple[str, str], str]:
    """(name of the resource, rule) -> state of the finding."""
    with database.read(history) as connection:
        rows = connection.execute(text("SELECT resource_name, rule_id, state FROM finding")).all()
    return {(row[0], row[1]): row[2] for row in rows}


def changes(history: Address, name: str) -> list[Change]:
    """The changes of a channel flow's finding."""
    return all_changes(history).get(name, [])


def all_changes(history: Address) -> dict[str, list[Change]]:
    """Name of a channel flow -> the changes of its finding: when, from which state, to which state."""
    found: dict[str, list[Change]] = {}
    with database.read(history) as connection:
        for name, *change in connection.execute(
            text(
                "SELECT resource_name, change.at, was, now "
                "FROM change JOIN finding ON finding.fingerprint = change.fingerprint ORDER BY change.at"
            )
        ):
            found.setdefault(name, []).append((change[0], change[1], change[2]))
    return found


def seen(recorded: Recorded) -> list[str | None]:
    return [finding.first_seen for finding in recorded.report.findings]


def names(findings: Iterable[Finding]) -> list[str | None]:
    return [finding.resource.name for finding in findings]
