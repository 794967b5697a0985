"""Puts an organisation into moto's backends: Chime SDK, Organizations and IAM."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from unittest.mock import patch

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam.models import AccessKey, iam_backends
from moto.moto_api._internal import mock_random
from moto.organizations import utils as organizations_utils
from moto.organizations.models import OrganizationsBackend, organizations_backends

from scanner.errors import UsageError
from scanner.simulator import organisation as described
from scanner.simulator.models import AppInstance, Channel, ChannelFlow, Processor, chimesdk_backends

AUDIT_ROLE = "chimeaudit"
"""The role that every account holds for an audit to assume."""

CREATED = datetime(2026, 1, 5, 9, tzinfo=UTC)
PARTITION = "aws"


def reset() -> None:
    """Forget everything that moto simulates in this process, and start its random identifiers over."""
    BackendDict.reset()
    organizations_backends.master_accounts.clear()
    reset_model_data()
    mock_random.seed(0)


def seed(organisation: described.Organisation) -> AccessKey:
    """Put the organisation in place; the key belongs to a user in the management account.

    Raises UsageError for a region where Amazon Chime SDK does not exist.
    """
    _seed_organization(organisation)
    for account in organisation.accounts:
        _create_role(account.id, organisation.management.id)
    for instance in described.placed(organisation):
        _seed_app_instance(instance)
    iam = iam_backends[organisation.management.id][PARTITION]
    iam.create_user(PARTITION, "auditor")
    return iam.create_access_key("auditor")


def _seed_organization(organisation: described.Organisation) -> None:
    management = organisation.management
    backend = organizations_backends[management.id][PARTITION]
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


def _create_role(account_id: str, management_id: str) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{PARTITION}:iam::{management_id}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam_backends[account_id][PARTITION].create_role(
        role_name=AUDIT_ROLE,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )


def _seed_app_instance(instance: described.Placed) -> None:
    backends = chimesdk_backends[instance.account_id]
    if instance.region not in backends:
        raise UsageError(
            f"account {instance.account_id}: Amazon Chime SDK does not exist in {instance.region}",
            hint=f"Use {' or '.join(sorted(backends.regions))}.",
        )
    backend = backends[instance.region]
    backend.app_instances[instance.arn] = AppInstance(
        arn=instance.arn,
        name=instance.name,
        retention_days=instance.app_instance.retention_days,
        created=CREATED,
        channel_flows={flow.arn: _channel_flow(flow, instance) for flow in instance.channel_flows},
    )
    backend.tagger.tag_resource(instance.arn, _tags(instance.app_instance.tags))
    for flow in instance.channel_flows:
        backend.tagger.tag_resource(flow.arn, _tags(flow.channel_flow.tags))


def _channel_flow(flow: described.PlacedFlow, instance: described.Placed) -> ChannelFlow:
    return ChannelFlow(
        arn=flow.arn,
        name=flow.name,
        processors=tuple(
            _processor(processor, place, instance) for place, processor in enumerate(flow.channel_flow.processors, 1)
        ),
        channels=tuple(
            Channel(
                arn=described.child_arn(f"{instance.arn}/channel", flow.arn, occurrence), name=f"channel {occurrence}"
            )
            for occurrence in range(1, flow.channel_flow.channels + 1)
        ),
        created=CREATED,
    )


def _processor(processor: described.Processor, place: int, instance: described.Placed) -> Processor:
    lambda_arn = processor.lambda_
    if not lambda_arn.startswith("arn:"):
        lambda_arn = f"arn:aws:lambda:{instance.region}:{instance.account_id}:function:{lambda_arn}"
    return Processor(
        name=processor.name or lambda_arn.split(":")[6],
        lambda_arn=lambda_arn,
        execution_order=processor.order or place,
        fallback_action=processor.fallback,
    )


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
