"""Run by Alembic: takes the connection, and the transaction it is in, from ``scanner.history.database``."""

from __future__ import annotations

from alembic import context

from scanner.history.schema import VERSIONS, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSIONS,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
