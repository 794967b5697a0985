"""Kleene's logic with three values: true, false, and UNSET for unknown."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

Truth = bool | UnsetType


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's "or": true if one is true, else unknown if one is unknown, else false; false of none."""
    unknown = False
    for truth in truths:
        if truth is True:
            return True
        unknown = unknown or truth is UNSET
    return UNSET if unknown else False


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's "and": false if one is false, else unknown if one is unknown, else true; true of none."""
    unknown = False
    for truth in truths:
        if truth is False:
            return False
        unknown = unknown or truth is UNSET
    return UNSET if unknown else True


def negate(truth: Truth) -> Truth:
    """Kleene's "not": the negation of unknown is unknown."""
    return UNSET if isinstance(truth, UnsetType) else not truth


def agreed(truths: Iterable[Truth]) -> Truth:
    """The value if all cases agree; UNSET if they do not, since it is unknown which case applies."""
    cases = set(truths)
    return cases.pop() if len(cases) == 1 else UNSET
