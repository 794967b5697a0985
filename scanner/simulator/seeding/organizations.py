"""The organisation around the accounts: its units, and who is suspended."""

from __future__ import annotations

from unittest.mock import patch

from moto.organizations import utils as organizations_utils
from moto.organizations.models import OrganizationsBackend, organizations_backends

from scanner.simulator import organisation as described
from scanner.simulator.seeding.calendar import CREATED


def seed_organization(organisation: described.Organisation) -> None:
    management = organisation.management
    backend = organizations_backends[management.id]["aws"]
    with patch.object(organizations_utils, "make_random_account_id", return_value=management.id):
        backend.create_organization("us-east-1")
    backend.accounts[0].name = management.name
    units: dict[str, str] = {}
    for account in organisation.members:
        with patch.object(organizations_utils, "make_random_account_id", return_value=account.id):
            backend.create_account(AccountName=account.name, Email=f"{account.id}@example.com")
        if account.unit is not None:
            if account.unit not in units:
                units[account.unit] = _create_unit(backend, account.unit)
            backend.get_account_by_id(account.id).parent_id = units[account.unit]
        if account.suspended:
            backend.close_account(AccountId=account.id)
    for member in backend.accounts:
        member.create_time = CREATED.replace(tzinfo=None)


def _create_unit(backend: OrganizationsBackend, name: str) -> str:
    unit = backend.create_organizational_unit(Name=name, ParentId=backend.ou[0].id)
    return str(unit["OrganizationalUnit"]["Id"])
