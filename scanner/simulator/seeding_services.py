"""Creates what an account has in each region: functions, the rules on its event bus, app instances and channel flows.

The time of creation is constant, so that answers never change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time

from moto.core.base_backend import SERVICE_BACKEND, BackendDict
from moto.events.models import events_backends

from scanner.errors import UsageError
from scanner.simulator import organisation as described
from scanner.simulator.lambdareads.models import Function, lambdareads_backends
from scanner.simulator.models import AppInstance, Channel, ChannelFlow, Processor, User, chimesdk_backends
from scanner.simulator.organisation import Account
from scanner.simulator.surroundings import Function as Described
from scanner.simulator.surroundings import FunctionPolicy, function_policy

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


def seed_functions(account: Account) -> None:
    """Create an account's functions with their versions, aliases and policies.

    Raises:
        UsageError: a region does not exist.
    """
    for region, functions in account.functions.items():
        backend = in_region(lambdareads_backends, account.id, region, service="Lambda")
        for name, function in functions.items():
            arn = f"arn:aws:lambda:{region}:{account.id}:function:{name}"
            backend.functions[name] = _function(arn, function)


def _function(arn: str, described: Described) -> Function:
    region, account_id, _, name = arn.split(":")[3:]
    queue = f"arn:aws:sqs:{region}:{account_id}:{name}-failures"
    return Function(
        arn=arn,
        name=name,
        role_arn=f"arn:aws:iam::{account_id}:role/{described.role}",
        runtime=described.runtime,
        state=described.state,
        last_update_status=described.last_update_status,
        reserved_concurrency=described.reserved_concurrency,
        dead_letter_arn=queue if described.on_failure == "queue" else None,
        versions=described.versions,
        aliases=frozenset((*described.aliases, *described.aliases_to_latest)),
        aliases_to_latest=frozenset(described.aliases_to_latest),
        retries=described.retries,
        policies=_policies(arn, described),
        failure_destinations={
            qualifier: queue for qualifier in described.qualifiers if described.on_failure == "destination"
        },
        urls=described.urls,
        modified=CREATED,
    )


def _policies(arn: str, described: Described) -> dict[str, dict[str, object]]:
    policies: dict[str, FunctionPolicy] = dict.fromkeys(described.qualifiers, described.policy) | described.policies
    found = {
        qualifier: function_policy(policy, arn if qualifier == "$LATEST" else f"{arn}:{qualifier}")
        for qualifier, policy in policies.items()
    }
    return {qualifier: policy for qualifier, policy in found.items() if policy is not None}


def seed_alerts(account: Account) -> None:
    """Create an account's rules on the event bus: alerts, and other rules.

    Raises:
        UsageError: a region does not exist.
    """
    for region, alerts in account.all_alerts.items():
        backend = in_region(events_backends, account.id, region, service="EventBridge")
        topics = f"arn:aws:sns:{region}:{account.id}"
        for pattern_name, alert in alerts.items():
            for n in range(1, alert.repeat + 1):
                name = pattern_name.replace("{n}", str(n))
                backend.put_rule(
                    name,
                    event_pattern=None if alert.schedule else json.dumps(alert.pattern),
                    scheduled_expression=alert.schedule,
                    state=alert.state,
                )
                targets = [{"Id": topic, "Arn": f"{topics}:{topic}"} for topic in alert.targets]
                backend.put_targets(name, None, targets)


def seed_app_instance(instance: described.Placed) -> None:
    """Create an app instance with its channel flows.

    Raises:
        UsageError: Amazon Chime SDK does not exist in the region.
    """
    backend = in_region(chimesdk_backends, instance.account_id, instance.region, service="Amazon Chime SDK")
    backend.app_instances[instance.arn] = AppInstance(
        arn=instance.arn,
        name=instance.name,
        retention_days=instance.app_instance.retention_days,
        created=CREATED,
        channel_flows={flow.arn: _channel_flow(flow, instance) for flow in instance.channel_flows},
        channels={channel.arn: channel for channel in _channels(instance)},
        users={user.arn: user for user in _users(instance)},
    )
    backend.tagger.tag_resource(instance.arn, _tags(instance.app_instance.tags))
    for flow in instance.channel_flows:
        backend.tagger.tag_resource(flow.arn, _tags(flow.channel_flow.tags))


def _channel_flow(flow: described.PlacedFlow, instance: described.Placed) -> ChannelFlow:
    return ChannelFlow(
        arn=flow.arn,
        name=flow.name,
        processors=tuple(
            _processor(processor, number, instance) for number, processor in enumerate(flow.channel_flow.processors, 1)
        ),
        created=CREATED,
        updated=datetime.combine(flow.channel_flow.updated, time(), UTC) if flow.channel_flow.updated else CREATED,
    )


def _channels(instance: described.Placed) -> Iterator[Channel]:
    """The channels of each flow, and those without one."""
    numbers = [(flow.arn, flow.channel_flow.channels) for flow in instance.channel_flows]
    for flow_arn, number in (*numbers, (None, instance.app_instance.channels)):
        for occurrence in range(1, number + 1):
            arn = described.child_arn(f"{instance.arn}/channel", flow_arn or "no flow", occurrence)
            yield Channel(arn=arn, name=f"channel {occurrence}", flow_arn=flow_arn, created=CREATED)


def _users(instance: described.Placed) -> Iterator[User]:
    """The admins, and a user who is none."""
    yield User(arn=f"{instance.arn}/user/visitor", name="Visitor", is_admin=False)
    for number in range(1, instance.app_instance.admins + 1):
        yield User(arn=f"{instance.arn}/user/admin-{number}", name=f"Admin {number}", is_admin=True)


def _processor(processor: described.Processor, number: int, instance: described.Placed) -> Processor:
    lambda_arn = processor.lambda_
    if not lambda_arn.startswith("arn:"):
        lambda_arn = f"arn:aws:lambda:{instance.region}:{instance.account_id}:function:{lambda_arn}"
    return Processor(
        name=processor.name or lambda_arn.split(":")[6],
        lambda_arn=lambda_arn,
        execution_order=processor.order or number,
        fallback_action=processor.fallback,
    )


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
