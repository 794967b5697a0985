"""Reads recorded runs and the trend over many nights from the tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from scanner.model.moments import age, days
from scanner.model.report import Scope, Severity, Status, Summary
from scanner.model.trend import Night, OpenFinding, PastRun, TimeToFix, Trend

_OLDEST = 20
_RANK = " ".join(("CASE severity", *(f"WHEN '{level}' THEN {level.rank}" for level in Severity), "END"))


def runs(connection: Connection, most: int | None = None) -> tuple[PastRun, ...]:
    """The recorded runs, ordered by the time at which they began; only the newest if `most` is how many."""
    newest_first = text(f"""
        SELECT run.*, (SELECT COUNT(*) FROM gap WHERE gap.run_id = run.id) AS gaps FROM run
        ORDER BY started_at DESC, id DESC {"" if most is None else "LIMIT :most"}
    """)
    found = connection.execute(newest_first, {} if most is None else {"most": most}).mappings()
    return tuple(_past_run(dict(row)) for row in found)[::-1]


def _past_run(row: Mapping[str, Any]) -> PastRun:
    summary = msgspec.json.decode(row["summary"], type=Summary)
    decoded = {name: msgspec.json.decode(row[name]) for name in ("options", "reports")}
    return msgspec.convert(
        {
            **row,
            **decoded,
            "complete": bool(row["complete"]),
            "failed": summary.by_severity,
            "unknown": summary.by_status.get(Status.UNKNOWN, 0),
            "waived": summary.by_status.get(Status.WAIVED, 0),
        },
        PastRun,
    )


def trend(connection: Connection) -> Trend:
    """The trend over all recorded nights. A finding counts with the severity that it had last."""
    nights = tuple(_nights(connection))
    return Trend(
        nights=nights,
        time_to_fix=tuple(_times_to_fix(connection)),
        oldest=tuple(_oldest(connection, nights[-1].started_at)) if nights else (),
    )


def _nights(connection: Connection) -> Iterator[Night]:
    """The runs, ordered by the time at which they began, each with the number of findings that were open after it.

    Runs that began in the same second count as one for this number.
    """
    changes = text("""
        SELECT change.at, change.run_id, change.was, change.now, finding.severity, COUNT(*) AS number
        FROM change JOIN finding ON finding.fingerprint = change.fingerprint
        GROUP BY change.at, change.run_id, change.was, change.now, finding.severity
        ORDER BY change.at
    """)
    runs = text("SELECT id, started_at, complete, accounts, channel_flows FROM run ORDER BY started_at, id")
    pending = [*connection.execute(changes)][::-1]
    open_: Counter[str] = Counter()
    moved: defaultdict[str, Counter[tuple[str | None, str]]] = defaultdict(Counter)
    for run in connection.execute(runs):
        while pending and pending[-1].at <= run.started_at:
            change = pending.pop()
            open_[change.severity] += change.number * ((change.now == "open") - (change.was == "open"))
            moved[change.run_id][change.was, change.now] += change.number
        moves = moved.pop(run.id, Counter())
        yield Night(
            run_id=run.id,
            started_at=run.started_at,
            complete=bool(run.complete),
            accounts=run.accounts,
            channel_flows=run.channel_flows,
            open={severity.value: open_[severity.value] for severity in Severity},
            new=moves[None, "open"],
            reopened=moves["fixed", "open"],
            fixed=moves["open", "fixed"] + moves["waived", "fixed"],
            waived=moves[None, "waived"] + moves["open", "waived"] + moves["fixed", "waived"],
        )


def _times_to_fix(connection: Connection) -> Iterator[TimeToFix]:
    fixed = text("""
        SELECT finding.severity, change.since, change.at, COUNT(*) AS number
        FROM change JOIN finding ON finding.fingerprint = change.fingerprint
        WHERE change.now = 'fixed' GROUP BY finding.severity, change.since, change.at
    """)
    taken: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for row in connection.execute(fixed):
        taken[row.severity].append((days(row.since, row.at), row.number))
    for severity in Severity:
        if times := sorted(taken[severity.value]):
            yield TimeToFix(
                severity=severity,
                fixed=sum(number for _, number in times),
                median_days=round(_median(times), 2),
                longest_days=round(times[-1][0], 2),
            )


def _median(times: Iterable[tuple[float, int]]) -> float:
    """The median time; `times` are sorted (time, number of findings) pairs."""
    times = list(times)
    half, passed = sum(number for _, number in times) / 2, 0
    for time, number in times:
        passed += number
        if passed >= half:
            return time
    raise ValueError("no times")


def _oldest(connection: Connection, until: str) -> Iterator[OpenFinding]:
    oldest = text(f"""
        SELECT fingerprint, rule_id, severity, account_id, region, resource_arn, resource_name, app_instance_name,
               first_seen, last_seen
        FROM finding WHERE state = 'open' ORDER BY first_seen, {_RANK}, fingerprint LIMIT :most
    """)
    names = _account_names(connection)
    for row in connection.execute(oldest, {"most": _OLDEST}).mappings():
        told = {"age_days": age(row["first_seen"], until), "account_name": names.get(row["account_id"])}
        yield msgspec.convert({**row, **told}, OpenFinding)


def _account_names(connection: Connection) -> Mapping[str, str]:
    """The names of accounts by id, as the newest run has them that has any."""
    newest = text("""
        SELECT scope FROM run WHERE scope LIKE '%"account_names":%' ORDER BY started_at DESC, id DESC LIMIT 1
    """)
    scope = connection.scalar(newest)
    return msgspec.json.decode(scope, type=Scope).names if scope else {}
