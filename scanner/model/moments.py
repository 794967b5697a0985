"""Times and lengths of time as texts: those of reports, of rules and of the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DURATION = re.compile(r"([1-9][0-9]{0,4})([dh])")
"""A length of time as rules write it: ``90d``, ``12h``."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_UNITS = (("day", "d"), ("hour", "h"), ("minute", "m"), ("second", "s"))


def stamp(time: datetime) -> str:
    """A time in UTC as reports hold it: whole seconds, ``2026-11-22T03:00:12Z``."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def utc(time: str) -> datetime:
    """A time of a report; one without a zone is UTC.

    Raises:
        ValueError, OverflowError: it is no time, or one that a calendar does not have in UTC.
    """
    parsed = datetime.fromisoformat(time)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def moment(time: str) -> str:
    """A time of a report as machines are told it: UTC and whole seconds, ``2026-11-22T03:00:12Z``."""
    return f"{utc(time).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def age(first_seen: str, until: str) -> int:
    """Whole days between two times."""
    return int(days(first_seen, until))


def days(start: str, end: str) -> float:
    """Days between two times; none where they stand the wrong way round."""
    return max((utc(end) - utc(start)).total_seconds() / 86_400, 0.0)


def seconds(text: str, written: re.Pattern[str] = DURATION) -> int | None:
    """A length of time in seconds: a number and its unit, as the pattern's two groups; None where the text is none.

    The units are ``s``, ``m``, ``h`` and ``d``; a number without one is seconds.
    """
    match = written.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2]] if match else None


def in_words(span: timedelta) -> str:
    """A length of time in the largest unit of which it is several: ``90 minutes``."""
    length = int(span.total_seconds())
    fitting = (unit for unit, sign in _UNITS if length > _SECONDS[sign] and length % _SECONDS[sign] == 0)
    unit = next(fitting, "second")
    return f"{length // _SECONDS[unit[0]]} {unit}s"
