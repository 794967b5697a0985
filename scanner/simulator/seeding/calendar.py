"""When everything was made: the same every time, so that what is served is the same too."""

from __future__ import annotations

from datetime import UTC, datetime

CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)
