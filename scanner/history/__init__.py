"""Keeps runs and the life of each finding over many nights, in SQLite or PostgreSQL. Nothing else uses SQLAlchemy."""
