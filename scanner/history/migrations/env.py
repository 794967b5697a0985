"""Run by Alembic: takes the connection, and the transaction it is in, from ``scanner.history.database``."""

from __future__ import annotations

from alembic import context

from scanner.history.database import VERSIONS

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSIONS,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
