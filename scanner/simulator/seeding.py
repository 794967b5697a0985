"""Creates an organisation in the backends: accounts first, then what each has in its regions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam.exceptions import IAMException
from moto.iam.models import AccessKey, AWSManagedPolicy, IAMBackend, ManagedPolicy, Role, iam_backends
from moto.moto_api._internal import mock_random
from moto.organizations import utils as organizations_utils
from moto.organizations.models import OrganizationsBackend, organizations_backends

from scanner.errors import UsageError
from scanner.simulator import surroundings
from scanner.simulator.organisation import Account, Organisation, placed
from scanner.simulator.seeding_services import CREATED, seed_alerts, seed_app_instance, seed_functions
from scanner.simulator.surroundings import Statement, document, role_policy, trust_policy


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
    _seed_organization(organisation)
    for account in organisation.accounts:
        _create_audit_role(account.id, organisation)
        _seed_roles(account)
        seed_functions(account)
        seed_alerts(account)
    for instance in placed(organisation):
        seed_app_instance(instance)
    return _create_auditor(organisation)


def _seed_organization(organisation: Organisation) -> None:
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


AUDIT_ROLE = "chimeaudit"
"""The role that an audit assumes in each account."""

AUDITOR = "auditor"

_NAIVE_CREATED = CREATED.replace(tzinfo=None)
_LOGGING: Statement = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


def _create_auditor(organisation: Organisation) -> AccessKey:
    """Create the user in the management account, and return the access key with which an audit starts."""
    iam = _iam(organisation.management.id)
    user = iam.create_user("us-east-1", AUDITOR)
    user.create_date = _NAIVE_CREATED
    user.put_policy("audit", json.dumps(document(organisation.audit_policy)))
    return iam.create_access_key(AUDITOR)


def _create_audit_role(account_id: str, organisation: Organisation) -> None:
    """Create an account's role for audits. It has the auditor's policy, and the management account may assume it."""
    management = f"arn:aws:iam::{organisation.management.id}"
    # The root principal means the whole account, but moto treats it as a user.
    principal = {"AWS": [f"{management}:root", f"{management}:user/{AUDITOR}"]}
    trust = document([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}])
    role = _create_role(_iam(account_id), AUDIT_ROLE, trust)
    role.put_policy("audit", json.dumps(document(organisation.audit_policy)))


def _seed_roles(account: Account) -> None:
    """Create the roles of an account's functions and users.

    Raises:
        UsageError: a policy is invalid.
    """
    iam = _iam(account.id)
    for role in iam.get_roles():  # Organizations has created one
        role.create_date = _NAIVE_CREATED
    logging = _create_logging_policy(iam)
    for name, described in account.all_roles.items():
        role = _create_role(iam, name, trust_policy(described, account.id), described.path)
        if described.users_of is None:
            logging.attach_to(role)
        try:
            _add_policies(iam, role, described)
        except IAMException as error:
            raise UsageError(
                f"account {account.id}: role {name}: {error.message}", hint="IAM would not take it either."
            ) from error


def _add_policies(iam: IAMBackend, role: Role, described: surroundings.Role) -> None:
    for name, policy in described.inline.items():
        iam.put_role_policy(role.name, name, json.dumps(role_policy(policy, iam.account_id)))
    for name, policy in described.attached.items():
        managed = _create_policy(iam, f"{role.name}-{name}", role_policy(policy, iam.account_id))
        managed.attach_to(role)
    if described.boundary is not None:
        boundary = _create_policy(iam, f"{role.name}-boundary", role_policy(described.boundary, iam.account_id))
        role.permissions_boundary_arn = boundary.arn


def _create_role(iam: IAMBackend, name: str, trust: Mapping[str, Any], path: str = "/") -> Role:
    role = iam.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps(trust),
        path=path,
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    role.create_date = _NAIVE_CREATED
    return role


def _create_policy(iam: IAMBackend, name: str, content: Mapping[str, Any]) -> ManagedPolicy:
    policy = iam.create_policy("", "/", json.dumps(content), name, [])
    policy.create_date = policy.update_date = policy.versions[0].create_date = _NAIVE_CREATED
    return policy


def _create_logging_policy(iam: IAMBackend) -> AWSManagedPolicy:
    """Create the only AWS managed policy that functions need; moto can load all of the thousand or none."""
    day = CREATED.isoformat()
    data = {"Path": "/service-role/", "Document": document([_LOGGING]), "CreateDate": day, "UpdateDate": day}
    policy = AWSManagedPolicy.from_data("AWSLambdaBasicExecutionRole", iam.account_id, "us-east-1", data)
    iam.managed_policies[policy.arn] = policy
    return policy


def _iam(account_id: str) -> IAMBackend:
    return iam_backends[account_id]["aws"]
