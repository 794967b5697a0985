"""Which accounts an AWS Organization has."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.aws.calls import new_items
from scanner.aws.session import Aws
from scanner.aws.wire import Account, ListAccounts, ListAccountsForParent, ListOrganizationalUnitsForParent


def accounts(aws: Aws, unit: str | None) -> Iterator[Account]:
    """Every account of the organisation, or of an organizational unit and those below it.

    Raises:
        FailedCallError: they cannot be listed (on).
    """
    client = aws.client("organizations", aws.home_region)
    if unit:
        yield from _below(client, unit, set())
    else:
        for page in new_items(client, ListAccounts):
            yield from page


def _below(client: object, parent: str, searched: set[str]) -> Iterator[Account]:
    if parent in searched:
        return
    searched.add(parent)
    for page in new_items(client, ListAccountsForParent, ParentId=parent):
        yield from page
    for units in new_items(client, ListOrganizationalUnitsForParent, ParentId=parent):
        for unit in units:
            yield from _below(client, unit.Id, searched)
