"""Ids of strangers: of the form that AWS issues, but named by no policy.

A pattern that matches every id of its kind (`o-*`, `vpce-*`, twelve `?`) matches them; a pattern that names somebody
does not. FRESH stands for each character that AWS chooses.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scanner.policy.globs import FRESH, iam_glob, matches

ACCOUNT = FRESH * 12
APP_INSTANCE = "-".join(FRESH * length for length in (8, 4, 4, 4, 12))


def organizations(patterns: Iterable[str]) -> list[str]:
    """Ids of organisations: one for each combination of the patterns that can match."""
    return _representatives([f"o-{FRESH * length}" for length in range(10, 33)], patterns)


def endpoints(patterns: Iterable[str]) -> list[str]:
    """Ids of VPC endpoints: one for each combination of the patterns that can match."""
    return _representatives(_resource_ids("vpce"), patterns)


def vpcs(patterns: Iterable[str]) -> list[str]:
    """Ids of VPCs: one for each combination of the patterns that can match."""
    return _representatives(_resource_ids("vpc"), patterns)


def _resource_ids(kind: str) -> list[str]:
    """Ids of a kind of resource (such as `vpc`): 17 characters, the first so far always 0, or the older 8."""
    return [f"{kind}-0{FRESH * 16}", f"{kind}-{FRESH * 17}", f"{kind}-{FRESH * 8}"]


def _representatives(ids: Sequence[str], patterns: Iterable[str]) -> list[str]:
    globs = [iam_glob(pattern) for pattern in patterns]
    if not globs:
        return [*ids[:1]]
    found: dict[tuple[bool, ...], str] = {}
    for each in ids:
        found.setdefault(tuple(matches(glob, each) for glob in globs), each)
    return list(found.values())
