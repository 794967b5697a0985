"""Puts the findings of one run into a temporary table, so that SQL can compare them with the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, text

from scanner.history.database import AT_ONCE, kept
from scanner.model.report import Finding, Status
from scanner.store.spool import Spool

_STATES = {Status.FAIL: "open", Status.WAIVED: "waived"}
DETAILS = (
    "rule_id",
    "severity",
    "title",
    "message",
    "resource_type",
    "resource_arn",
    "resource_name",
    "account_id",
    "region",
    "app_instance_arn",
    "app_instance_name",
)
_SIGHTING = ("position", "fingerprint", *DETAILS, "state")

# The state is open, waived, `unknown` if the rule could not be judged, or `repeated` if the report has it twice.
_MAKE = f"""
CREATE TEMPORARY TABLE sighting (
  position INTEGER PRIMARY KEY, fingerprint TEXT, {", ".join(f"{name} TEXT" for name in DETAILS)}, state TEXT)
"""
_ONCE = """
UPDATE sighting SET state = 'repeated' WHERE state <> 'unknown' AND position NOT IN
  (SELECT MIN(position) FROM sighting WHERE state <> 'unknown' GROUP BY fingerprint)
"""


def stage(connection: Connection, findings: Iterable[Finding]) -> None:
    """Create and fill the temporary table `sighting`, and create `gone`, for findings that are not seen any more."""
    connection.execute(text(_MAKE))
    connection.execute(text("CREATE TEMPORARY TABLE gone (fingerprint TEXT PRIMARY KEY)"))
    rows = (_sighting(position, finding) for position, finding in enumerate(findings))
    copy = _copy_postgresql if connection.dialect.name == "postgresql" else _copy_sqlite
    copy(connection, rows)
    connection.execute(text("CREATE INDEX sighting_by_fingerprint ON sighting (fingerprint)"))
    connection.execute(text("ANALYZE sighting"))
    connection.execute(text(_ONCE))


def _sighting(position: int, finding: Finding) -> tuple[int | str | None, ...]:
    resource = finding.resource
    texts = (
        finding.fingerprint,
        finding.rule_id,
        finding.severity.value,
        finding.title,
        finding.message,
        resource.type,
        resource.arn,
        resource.name,
        resource.account_id,
        resource.region,
        resource.app_instance_arn,
        resource.app_instance_name,
    )
    return (position, *map(kept, texts), _STATES.get(finding.status, "unknown"))


def _copy_postgresql(connection: Connection, rows: Iterable[Sequence[object]]) -> None:
    """Copy rows into `sighting`: https://www.psycopg.org/psycopg3/docs/basic/copy.html"""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY sighting ({', '.join(_SIGHTING)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _copy_sqlite(connection: Connection, rows: Iterable[Sequence[object]]) -> None:
    driver: Any = connection.connection.driver_connection
    driver.executemany(f"INSERT INTO sighting VALUES ({', '.join('?' * len(_SIGHTING))})", rows)


def date(connection: Connection, findings: Iterable[Finding], dated: Spool[Finding]) -> None:
    """Add the findings to `dated`, each with the time at which it was first seen.

    An unknown finding has such a time only if it was open before. One that was fixed or waived counts as new when it
    fails again.
    """
    seen = text("""
        SELECT CASE WHEN sighting.state <> 'unknown' OR known.state = 'open' THEN known.first_seen END
        FROM sighting LEFT JOIN finding AS known ON known.fingerprint = sighting.fingerprint
        WHERE position >= :first AND position < :end ORDER BY position
    """)
    remaining, first = iter(findings), 0
    while several := list(islice(remaining, AT_ONCE)):
        times = connection.scalars(seen, {"first": first, "end": first + len(several)}).all()
        dated.extend(
            structs.replace(finding, first_seen=time or finding.first_seen)
            for finding, time in zip(several, times, strict=True)
        )
        first += len(several)
