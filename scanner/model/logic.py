"""Kleene's logic: true, false, and UNSET for what is not known."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

Verdict = bool | UnsetType


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    unknown = False
    for verdict in verdicts:
        if verdict is True:
            return True
        unknown = unknown or verdict is UNSET
    return UNSET if unknown else False


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    return negate(any_of(negate(verdict) for verdict in verdicts))


def negate(verdict: Verdict) -> Verdict:
    return UNSET if isinstance(verdict, UnsetType) else not verdict


def agreed(verdicts: Iterable[Verdict]) -> Verdict:
    """What holds in every case, where it is not known which case it is."""
    cases = set(verdicts)
    return cases.pop() if len(cases) == 1 else UNSET
