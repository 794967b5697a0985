"""Runs, gaps, findings and what became of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first tables."""
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (
                "started_at",
                "finished_at",
                "version",
                "rules_digest",
                "options",
                "scope",
                "rules",
                "summary",
                "reports",
            )
        ),
        sa.Column("complete", sa.Boolean, nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in (
                "accounts_in_scope",
                "targets_in_scope",
                "accounts",
                "targets",
                "app_instances",
                "channel_flows",
                "processors",
            )
        ),
    )
    op.create_index("run_by_time", "run", ["started_at", "id"])
    op.create_table(
        "gap",
        sa.Column("run_id", sa.Text, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("resource_arn", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("operation", "code", "reason")),
        sa.Column("waived", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "position"),
    )
    op.create_table(
        "not_judged",
        sa.Column("run_id", sa.Text, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("resource_arn", sa.Text, nullable=False),
    )
    op.create_index("not_judged_by_place", "not_judged", ["run_id", "rule_id", "resource_arn"])
    op.create_table(
        "finding",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("rule_id", "severity", "title", "message", "resource_type")
        ),
        *(sa.Column(name, sa.Text) for name in ("resource_arn", "resource_name")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("account_id", "region")),
        *(sa.Column(name, sa.Text) for name in ("app_instance_arn", "app_instance_name")),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("state", "first_seen", "last_seen", "judged_at", "since")
        ),
    )
    op.create_index("finding_by_state", "finding", ["state", "first_seen"])
    op.create_table(
        "change",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("fingerprint", "run_id", "at")),
        sa.Column("was", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("now", "since")),
        sa.PrimaryKeyConstraint("fingerprint", "run_id"),
    )
    op.create_index("change_by_run", "change", ["run_id"])
