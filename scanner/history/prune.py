"""Forgets old runs, and what was fixed before them; what is open or waived keeps its whole life."""

from __future__ import annotations

from sqlalchemy import Connection, text

from scanner.model.trend import Pruned

_OLD_FIXED = "state = 'fixed' AND judged_at < :before"
_STATEMENTS = {
    "changes": f"DELETE FROM change WHERE fingerprint IN (SELECT fingerprint FROM finding WHERE {_OLD_FIXED})",
    "findings": f"DELETE FROM finding WHERE {_OLD_FIXED}",
    "runs": "DELETE FROM run WHERE started_at < :before",
}


def prune(connection: Connection, before: str) -> Pruned:
    """Remove runs that began before then, with their gaps, and findings that were fixed before then."""
    return Pruned(
        **{name: connection.execute(text(delete), {"before": before}).rowcount for name, delete in _STATEMENTS.items()}
    )
