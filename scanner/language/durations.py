"""Lengths of time as rules write them: ``90d``, ``12h``."""

from __future__ import annotations

import re
from datetime import timedelta

EXPECTED = "a duration such as 90d or 12h"

PATTERN = re.compile(r"([1-9][0-9]{0,4})([dh])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


def parse(text: str) -> timedelta | None:
    """The duration, or None where the text is none."""
    match = PATTERN.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None
