"""Small pieces that the parts of the HTML page share: counts with nouns, times, names, shortened lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from scanner.model.moments import utc
from scanner.model.report import Resource
from scanner.render.text import visible
from scanner.render.verdict import Tone

T = TypeVar("T")
_ARN = re.compile(
    r"\barn:[a-z0-9-]+:(?:lambda:[a-z0-9-]*:\d*:function:([\w$-]+(?::[\w$-]+)?)"
    r"|iam::\d*:role/(?:[\w+=,.@-]*/)*([\w+=,.@-]*\w))",
    re.ASCII,
)
_ARN_PART = re.compile(r"[^:/]*[:/]|[^:/]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Banner:
    """A headline, a sentence that explains it, and the tone that styles both."""

    tone: Tone
    headline: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut(Generic[T]):
    """The first items of a list, and how many were left out."""

    items: tuple[T, ...]
    more: int

    @property
    def total(self) -> int:
        return len(self.items) + self.more

    def first(self, limit: int) -> Cut[T]:
        """At most `limit` of the items; none if the limit is negative."""
        shown = self.items[: max(limit, 0)]
        return Cut(items=shown, more=self.total - len(shown))


def cut(items: Iterable[T], limit: int) -> Cut[T]:
    """At most `limit` of the items."""
    return Cut(items=tuple(items), more=0).first(limit)


def number(value: int) -> str:
    """The number with commas, as ``100,000``."""
    return f"{value:,}"


def count(value: int, singular: str, plural: str | None = None) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def moment(text: str) -> str:
    """A time as people write it, in UTC; a text that is not a time stays as it is."""
    parsed = _parsed(text)
    return text if parsed is None else f"{parsed:%Y-%m-%d %H:%M} UTC"


def duration(start: str, end: str) -> str | None:
    """``4 min 35 s``; None where a time is unknown or the end is before the start."""
    first, last = _parsed(start), _parsed(end)
    if first is None or last is None or last < first:
        return None
    minutes, seconds = divmod(int((last - first).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def short(message: str) -> str:
    """A message for a row: of a function's ARN its name and qualifier, of a role's its name.

    The page's script shortens in the same way (reports/html/script/finding.js).
    """
    return _ARN.sub(lambda match: match[1] or match[2], message)


def arn_parts(arn: str) -> tuple[str, ...]:
    """The parts of an ARN between which a line may break."""
    return tuple(_ARN_PART.findall(arn))


def resource_name(resource: Resource) -> str:
    """The resource's name or, without one, the end of its ARN."""
    return resource.name or tail(resource.arn) or "unnamed"


def app_instance_name(resource: Resource) -> str:
    """The app instance's name or, without one, its id; a role is in none."""
    if resource.type == "role":
        return "no app instance"
    return resource.app_instance_name or tail(resource.app_instance_arn) or "not observed"


def resource_kind(resource: Resource) -> str:
    """What a resource is, as a word at the beginning of a line."""
    return resource.type.capitalize().replace("_", " ")


def term(field: str, value: str) -> str:
    """One term of the page's query language, with hidden characters escaped as on the page."""
    value = visible(value)
    if not value or re.search(r'[\s",()]', value):
        value = '"{}"'.format(value.replace('"', '""'))
    return f"{field}:{value}"


def tail(arn: str | None) -> str:
    """The part of an ARN after its last slash."""
    return (arn or "").rpartition("/")[2]


def _parsed(text: str) -> datetime | None:
    try:
        return utc(text)
    except (ValueError, OverflowError):
        return None
