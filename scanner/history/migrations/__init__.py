"""Alembic's scripts, which create and upgrade the tables."""
