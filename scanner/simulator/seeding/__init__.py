"""Creates an organisation in the backends; there is one module for each service."""

from __future__ import annotations

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam.models import AccessKey
from moto.moto_api._internal import mock_random
from moto.organizations.models import organizations_backends

from scanner.simulator.organisation import Organisation, placed
from scanner.simulator.seeding.accounts import create_audit_role, create_auditor, seed_organization, seed_roles
from scanner.simulator.seeding.chime import seed_app_instance
from scanner.simulator.seeding.functions import seed_alerts, seed_functions


def reset() -> None:
    """Reset everything that moto simulates in this process, and the seed of its random identifiers."""
    BackendDict.reset()
    organizations_backends.master_accounts.clear()
    reset_model_data()
    mock_random.seed(0)


def seed(organisation: Organisation) -> AccessKey:
    """Create the organisation, and return the access key of a user in its management account.

    Raises:
        UsageError: a part of it cannot exist, such as an app instance in a region without Amazon Chime SDK.
    """
    seed_organization(organisation)
    for account in organisation.accounts:
        create_audit_role(account.id, organisation)
        seed_roles(account)
        seed_functions(account)
        seed_alerts(account)
    for instance in placed(organisation):
        seed_app_instance(instance)
    return create_auditor(organisation)
