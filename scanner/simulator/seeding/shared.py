"""What seeding shares: a constant time of creation, so that answers never change, and where services exist."""

from __future__ import annotations

from datetime import UTC, datetime

from moto.core.base_backend import SERVICE_BACKEND, BackendDict

from scanner.errors import UsageError

CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)


def in_region(backends: BackendDict[SERVICE_BACKEND], account_id: str, region: str, *, service: str) -> SERVICE_BACKEND:
    """The backend of an account in a region.

    Raises:
        UsageError: the service does not exist in the region.
    """
    there = backends[account_id]
    if region not in there:
        raise UsageError(
            f"account {account_id}: {service} does not exist in {region}",
            hint=f"Use {' or '.join(sorted(there.regions))}.",
        )
    return there[region]
