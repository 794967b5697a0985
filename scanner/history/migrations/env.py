"""Alembic runs this file. It uses the connection of ``scanner.history.database``, with its open transaction."""

from __future__ import annotations

from alembic import context

from scanner.history.database import VERSIONS

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSIONS,
    render_as_batch=True,  # SQLite alters a table by creating a new one
)
with context.begin_transaction():
    context.run_migrations()
