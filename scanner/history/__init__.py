"""Runs and the life of every finding over many nights, in SQLite or PostgreSQL; only here is SQLAlchemy spoken."""
