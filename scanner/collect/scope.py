"""Decides what is to be looked at: which accounts, in which regions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from msgspec import Struct

from scanner.collect.aws import Aws
from scanner.collect.failure import CALL_ERRORS, explain
from scanner.errors import UsageError
from scanner.finding import Scope
from scanner.inventory import Gap
from scanner.journal import Target

UNKNOWN_ACCOUNT = "unknown"
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}")


class Resolved(Struct, frozen=True, kw_only=True):
    """The targets of a scan. An account that could not be identified still has its targets, and a gap."""

    scope: Scope
    targets: tuple[Target, ...]
    gaps: tuple[Gap, ...] = ()


def resolve(aws: Aws, regions: Sequence[str]) -> Resolved:
    """The account of the current credentials, in `regions` or wherever the service exists.

    Raises:
        UsageError: a region has a name that no region has.
    """
    chosen = tuple(sorted(set(regions))) or aws.regions()
    for region in chosen:
        _check_region(aws, region)
    gaps: tuple[Gap, ...] = ()
    try:
        account_id = aws.account_id()
    except CALL_ERRORS as error:
        account_id = UNKNOWN_ACCOUNT
        failure = explain(error, "sts:GetCallerIdentity")
        gaps = (Gap(account_id=account_id, operation="GetCallerIdentity", code=failure.code, reason=failure.reason),)
    return Resolved(
        scope=Scope(
            accounts=(account_id,),
            regions=chosen,
            chosen_by=f"the account of the current credentials, in {_how_chosen(regions)}",
        ),
        targets=tuple(Target(account_id=account_id, region=region) for region in chosen),
        gaps=gaps,
    )


def _how_chosen(regions: Sequence[str]) -> str:
    return "the regions named by --regions" if regions else "every region where the service exists"


def _check_region(aws: Aws, region: str) -> None:
    """A region that botocore does not list for the service may be newer than botocore; one that looks odd is a slip."""
    if region in aws.regions() or (_REGION.fullmatch(region) and aws.is_region(region)):
        return
    near = difflib.get_close_matches(region, aws.regions(), 1)
    offered = f"Did you mean {near[0]}? " if near else ""
    listed = ", ".join(aws.regions())
    raise UsageError(f"--regions: {region!r} is not an AWS region", hint=f"{offered}The service exists in {listed}.")
