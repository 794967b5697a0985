"""Converts times and lengths of time in reports, rules and options from and to text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DURATION = re.compile(r"([1-9][0-9]{0,4})([dh])")
"""A length of time in rules, such as ``90d`` or ``12h``."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_UNITS = (("day", "d"), ("hour", "h"), ("minute", "m"), ("second", "s"))


def stamp(time: datetime) -> str:
    """A time as text for reports: UTC, whole seconds, as ``2026-11-22T03:00:12Z``."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def utc(time: str) -> datetime:
    """Parse a time in a report; without a zone it is UTC.

    Raises:
        ValueError: the text is no time.
        OverflowError: the time is out of range in UTC.
    """
    parsed = datetime.fromisoformat(time)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def moment(time: str) -> str:
    """A time in a report, normalised: UTC, whole seconds, as ``2026-11-22T03:00:12Z``."""
    return f"{utc(time).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def age(first_seen: str, until: str) -> int:
    """Whole days between two times."""
    return int(days(first_seen, until))


def days(start: str, end: str) -> float:
    """Days between two times; 0 if the end is before the start."""
    return max((utc(end) - utc(start)).total_seconds() / 86_400, 0.0)


def seconds(text: str, written: re.Pattern[str] = DURATION) -> int | None:
    """The seconds in a length of time, such as ``90d``; None if the text does not match the pattern.

    The pattern's two groups are the number and its unit: ``s``, ``m``, ``h`` or ``d``; without a unit, seconds.
    """
    match = written.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2]] if match else None


def in_words(span: timedelta) -> str:
    """A length of time in words, in the largest unit that gives more than one, as ``90 minutes``."""
    length = int(span.total_seconds())
    fitting = (unit for unit, sign in _UNITS if length > _SECONDS[sign] and length % _SECONDS[sign] == 0)
    unit = next(fitting, "second")
    return f"{length // _SECONDS[unit[0]]} {unit}s"


def about(seconds: float) -> str:
    """A length of time in words, roughly: ``less than a minute``, ``17 minutes``, ``3 hours``."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    number, unit = (minutes, "minute") if minutes < 120 else (round(minutes / 60), "hour")
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
