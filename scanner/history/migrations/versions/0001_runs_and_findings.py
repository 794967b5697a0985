"""Creates the first tables: runs, gaps, findings and their changes.

Times are texts, as in the JSON report: ``2026-11-22T03:00:12Z``. Such texts sort, in every database alike.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _runs()
    _what_a_run_left_open()
    _findings()


def _runs() -> None:
    # A run: when, with which options and rules, and how much of its scope it saw.
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("started_at", "finished_at", "version", "rules_digest"),
        *_texts("options", "scope", "rules", "summary"),  # JSON
        *_texts("reports"),  # JSON: the paths of its reports, by format
        sa.Column("complete", sa.Boolean, nullable=False),
        *_numbers("accounts_in_scope", "targets_in_scope"),
        *_numbers("accounts", "targets", "app_instances", "channel_flows", "processors"),
    )
    op.create_index("run_by_time", "run", ["started_at", "id"])


def _what_a_run_left_open() -> None:
    # The gaps of a run.
    op.create_table(
        "gap",
        _of_a_run(),
        *_numbers("position"),
        *_texts("account_id"),
        *_texts("region", "resource_arn", null=True),
        *_texts("operation", "code", "reason"),
        sa.Column("waived", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "position"),
    )
    # What a run could not judge, because a fact was missing.
    op.create_table("not_judged", _of_a_run(), *_texts("rule_id", "resource_arn"))
    op.create_index("not_judged_by_place", "not_judged", ["run_id", "rule_id", "resource_arn"])


def _findings() -> None:
    # A finding as of the last run that judged it (`judged_at`). A run that could not judge it leaves its state.
    op.create_table(
        "finding",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        *_texts("rule_id", "severity", "title", "message", "resource_type"),
        *_texts("resource_arn", "resource_name", null=True),
        *_texts("account_id", "region"),
        *_texts("app_instance_arn", "app_instance_name", null=True),
        *_texts("state"),  # open, waived or fixed
        *_texts("first_seen", "last_seen", "judged_at"),
        *_texts("since"),  # when it was last opened
    )
    op.create_index("finding_by_state", "finding", ["state", "first_seen"])
    # A change of a finding's state by a run. There are no foreign keys, so that it outlives its run.
    op.create_table(
        "change",
        *_texts("fingerprint", "run_id", "at"),
        *_texts("was", null=True),  # null for the first time that it was seen
        *_texts("now", "since"),
        sa.PrimaryKeyConstraint("fingerprint", "run_id"),
    )
    op.create_index("change_by_run", "change", ["run_id"])


def _of_a_run() -> sa.Column[str]:
    return sa.Column("run_id", sa.Text, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False)


def _texts(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]
