"""The tables. Changing one takes a migration in ``migrations/versions``, and a test holds that the two agree.

Times are texts, as in the JSON report: ``2026-11-22T03:00:12Z``. They sort, and are the same in every database.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

VERSIONS = "chimeaudit_version"
"""Alembic's table; an application in the same PostgreSQL database may have one of its own."""

metadata = MetaData()


class State(StrEnum):
    """Where a finding is in its life. What is unknown tonight is still what it was."""

    OPEN = "open"
    WAIVED = "waived"
    FIXED = "fixed"


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


# A run: when, under what, and how much of its scope it saw. `scope`, `rules`, `options`, `summary` and `reports` (paths
# of the reports that it wrote, by format) are JSON.
run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    _text("started_at"),
    _text("finished_at"),
    _text("version"),
    _text("rules_digest"),
    _text("options"),
    _text("scope"),
    _text("rules"),
    _text("summary"),
    _text("reports"),
    Column("complete", Boolean, nullable=False),
    _number("accounts_in_scope"),
    _number("targets_in_scope"),
    _number("accounts"),
    _number("targets"),
    _number("app_instances"),
    _number("channel_flows"),
    _number("processors"),
    Index("run_by_time", "started_at", "id"),
)

# What a run could not observe.
gap = Table(
    "gap",
    metadata,
    _text("run_id"),
    _number("position"),
    _text("account_id"),
    _text("region", null=True),
    _text("resource_arn", null=True),
    _text("operation"),
    _text("code"),
    _text("reason"),
    Column("waived", Boolean, nullable=False),
    PrimaryKeyConstraint("run_id", "position"),
    ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
)

# The judgements that a run left open, for want of a fact.
not_judged = Table(
    "not_judged",
    metadata,
    Column("run_id", Text, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    _text("rule_id"),
    _text("resource_arn"),
    Index("not_judged_by_place", "run_id", "rule_id", "resource_arn"),
)

# A finding as the last run that judged it (`judged_at`) left it. `since` is when it was last opened.
finding = Table(
    "finding",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    _text("rule_id"),
    _text("severity"),
    _text("title"),
    _text("message"),
    _text("resource_type"),
    _text("resource_arn", null=True),
    _text("resource_name", null=True),
    _text("account_id"),
    _text("region"),
    _text("app_instance_arn", null=True),
    _text("app_instance_name", null=True),
    _text("state"),
    _text("first_seen"),
    _text("last_seen"),
    _text("judged_at"),
    _text("since"),
    Index("finding_by_state", "state", "first_seen"),
)

# What a run changed in the life of a finding: `was` is null where it saw it first.
change = Table(
    "change",
    metadata,
    _text("fingerprint"),
    _text("run_id"),
    _text("at"),
    _text("was", null=True),
    _text("now"),
    _text("since"),
    PrimaryKeyConstraint("fingerprint", "run_id"),
    Index("change_by_run", "run_id"),
)
