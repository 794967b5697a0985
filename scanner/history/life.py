"""Works out what a run changes in the life of each finding.

A finding that the run saw is open or waived. One that it looked for and did not see is fixed. One that it did not look
for keeps its state. Runs are ordered by the time at which they began.

A run may be recorded late, after one that began later. It then sets back the time at which a finding was first seen or
was fixed, and opens findings that no later run judged. It changes nothing that a later run decided. Findings that came
and went between two recorded runs are not noticed. A run that is recorded again replaces its earlier record.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, text

from scanner.history.database import AT_ONCE, insert
from scanner.history.sightings import DETAILS
from scanner.model.facts import Gap
from scanner.model.report import Resource, Scope
from scanner.outcome.observed_scope import ObservedScope

_COLUMNS = ", ".join(DETAILS)

_NOT_JUDGED = """
INSERT INTO not_judged (run_id, rule_id, resource_arn)
SELECT DISTINCT :run, rule_id, COALESCE(resource_arn, '') FROM sighting WHERE state = 'unknown'
"""

# A run makes at most one change to a finding, from its state before the run, even if it is recorded again.
_CHANGES = """
INSERT INTO change (fingerprint, run_id, at, was, now, since)
SELECT seen.fingerprint, :run, :at, known.state, seen.state,
       CASE WHEN known.state IN ('open', 'waived') THEN known.since ELSE :at END
FROM sighting AS seen LEFT JOIN finding AS known ON known.fingerprint = seen.fingerprint
WHERE seen.state IN ('open', 'waived')
  AND (known.fingerprint IS NULL OR (known.state <> seen.state AND known.judged_at <= :at))
ON CONFLICT (fingerprint, run_id) DO UPDATE SET now = excluded.now
"""
_FINDINGS = f"""
INSERT INTO finding (fingerprint, {_COLUMNS}, state, first_seen, last_seen, judged_at, since)
SELECT fingerprint, {_COLUMNS}, state, :at, :at, :at, :at FROM sighting WHERE state IN ('open', 'waived')
ON CONFLICT (fingerprint) DO UPDATE SET
  {", ".join(f"{name} = excluded.{name}" for name in DETAILS)}, last_seen = excluded.last_seen,
  judged_at = excluded.judged_at, state = excluded.state,
  since = CASE WHEN finding.state = 'fixed' THEN excluded.since ELSE finding.since END
WHERE finding.judged_at <= excluded.judged_at
"""

# For findings that a later run has already judged, a late run changes only when they were seen. A period that began
# when the finding was first seen begins earlier, too.
_SEEN = "fingerprint IN (SELECT fingerprint FROM sighting WHERE state IN ('open', 'waived'))"
_LATE = (
    f"""
    UPDATE change SET since = :at WHERE {_SEEN} AND since > :at AND since =
      (SELECT known.first_seen FROM finding AS known WHERE known.fingerprint = change.fingerprint)
    """,
    f"UPDATE change SET at = :at, run_id = :run WHERE {_SEEN} AND was IS NULL AND at > :at",
    f"""
    UPDATE finding SET since = CASE WHEN since = first_seen THEN :at ELSE since END, first_seen = :at
    WHERE {_SEEN} AND first_seen > :at
    """,
    f"UPDATE finding SET last_seen = :at WHERE {_SEEN} AND last_seen < :at",
)

# Findings that may be fixed: those that the run did not see, except for those that it could not judge.
_MISSED = f"""
SELECT fingerprint, {_COLUMNS} FROM finding AS known
WHERE fingerprint > :after AND {{which}}
  AND NOT EXISTS (SELECT 1 FROM not_judged AS blank WHERE blank.run_id = :run
    AND blank.rule_id = known.rule_id AND blank.resource_arn = COALESCE(known.resource_arn, ''))
ORDER BY fingerprint LIMIT :most
"""
_NOT_SEEN = f"state <> 'fixed' AND judged_at <= :at AND NOT {_SEEN}"
_OPENED_LATE = f"state <> 'fixed' AND judged_at < :at AND {_SEEN}"
_FIXED_EARLIER = f"state = 'fixed' AND judged_at > :at AND last_seen < :at AND NOT {_SEEN}"
_FIXED = (
    """
    INSERT INTO change (fingerprint, run_id, at, was, now, since)
    SELECT known.fingerprint, :run, :at, known.state, 'fixed', known.since
    FROM finding AS known JOIN gone ON gone.fingerprint = known.fingerprint WHERE true
    ON CONFLICT (fingerprint, run_id) DO UPDATE SET now = excluded.now
    """,
    "UPDATE finding SET state = 'fixed', judged_at = :at WHERE fingerprint IN (SELECT fingerprint FROM gone)",
)
_EARLIER = """
UPDATE change SET at = :at, run_id = :run
WHERE now = 'fixed' AND at > :at AND fingerprint IN (SELECT fingerprint FROM gone)
"""

# After a run was recorded again: undo what only its first record had seen, and what only that had fixed.
_TAKE_BACK = (
    """
    DELETE FROM finding WHERE fingerprint IN
      (SELECT fingerprint FROM change WHERE run_id = :run AND was IS NULL AND now = 'fixed')
    """,
    "DELETE FROM change WHERE run_id = :run AND was IS NULL AND now = 'fixed'",
    """
    UPDATE finding SET since = (SELECT since FROM change WHERE run_id = :run AND fingerprint = finding.fingerprint)
    WHERE fingerprint IN
      (SELECT fingerprint FROM change WHERE run_id = :run AND was IN ('open', 'waived') AND now <> 'fixed')
    """,
    "DELETE FROM change WHERE run_id = :run AND was = now",
)


# What a run looked at. Open verdicts are read only for resources that have a gap of their own; the others are compared
# in the database, so that memory does not grow with them.
_LOOKED = "SELECT scope, rules FROM run WHERE id = :run"
_GAPS = """
SELECT account_id, region, resource_arn, operation, code, reason FROM gap WHERE run_id = :run ORDER BY position
"""
_LEFT_OPEN = """
SELECT DISTINCT blank.rule_id, blank.resource_arn FROM gap
  JOIN not_judged AS blank ON blank.run_id = gap.run_id AND blank.resource_arn = gap.resource_arn
WHERE gap.run_id = :run
"""


class RecordedRun(Struct, frozen=True, kw_only=True):
    """A recorded run; `at` is the time at which it began, as text."""

    id: str
    at: str


def judge(connection: Connection, run: RecordedRun, *, again: bool) -> None:
    """Write what the run changes in the life of findings; `again`: the run was recorded before."""
    _run_all(connection, run, _NOT_JUDGED, _CHANGES, _FINDINGS)
    observed = _observed_scope(connection, run)
    _missed(connection, run, observed, _NOT_SEEN, *_FIXED)
    if again:
        _run_all(connection, run, *_TAKE_BACK)
    for number, later in enumerate(_later(connection, run)):
        if number == 0:
            _run_all(connection, run, *_LATE)
            _missed(connection, run, observed, _FIXED_EARLIER, _EARLIER)
        _missed(connection, later, _observed_scope(connection, later), _OPENED_LATE, *_FIXED)


def _run_all(connection: Connection, run: RecordedRun, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement), {"run": run.id, "at": run.at})


def _missed(connection: Connection, run: RecordedRun, observed: ObservedScope, which: str, *statements: str) -> None:
    """Run the statements on findings that the run looked for and did not see; they find these in table `gone`.

    `which` is an SQL condition on the findings to consider.
    """
    missed = text(_MISSED.format(which=which))
    after = ""
    while rows := connection.execute(missed, {"run": run.id, "at": run.at, "after": after, "most": AT_ONCE}).all():
        gone = [{"fingerprint": row.fingerprint} for row in rows if not observed.missing(row.rule_id, _resource(row))]
        insert(connection, "gone", gone)
        after = rows[-1].fingerprint
    _run_all(connection, run, *statements, "DELETE FROM gone")


def _resource(row: Any) -> Resource:
    return Resource(
        type=row.resource_type,
        arn=row.resource_arn,
        name=row.resource_name,
        account_id=row.account_id,
        region=row.region,
        app_instance_arn=row.app_instance_arn,
        app_instance_name=row.app_instance_name,
    )


def _later(connection: Connection, run: RecordedRun) -> list[RecordedRun]:
    """The recorded runs that began later than this one, in order."""
    later = text("SELECT id, started_at FROM run WHERE started_at > :at ORDER BY started_at, id")
    return [RecordedRun(id=row.id, at=row.started_at) for row in connection.execute(later, {"at": run.at}).all()]


def _observed_scope(connection: Connection, run: RecordedRun) -> ObservedScope:
    looked = connection.execute(text(_LOOKED), {"run": run.id}).one()
    gaps = connection.execute(text(_GAPS), {"run": run.id}).mappings()
    left_open = connection.execute(text(_LEFT_OPEN), {"run": run.id})
    return ObservedScope(
        rules=msgspec.json.decode(looked.rules, type=tuple[str, ...]),
        scope=msgspec.json.decode(looked.scope, type=Scope),
        gaps=(Gap(**each) for each in gaps),
        unknown=dict.fromkeys(((row.rule_id, row.resource_arn) for row in left_open), ""),
    )
