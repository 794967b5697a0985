"""Creates the Lambda functions of each region, and the rules on its default event bus."""

from __future__ import annotations

import json

from moto.events.models import events_backends

from scanner.simulator.lambdareads.models import Function, lambdareads_backends
from scanner.simulator.organisation import Account
from scanner.simulator.seeding.shared import CREATED, in_region
from scanner.simulator.surroundings import Function as Described
from scanner.simulator.surroundings import FunctionPolicy, function_policy


def seed_functions(account: Account) -> None:
    """Create an account's functions with their versions, aliases and policies.

    Raises:
        UsageError: a region does not exist.
    """
    for region, functions in account.functions.items():
        backend = in_region(lambdareads_backends, account.id, region, service="Lambda")
        for name, described in functions.items():
            arn = f"arn:aws:lambda:{region}:{account.id}:function:{name}"
            backend.functions[name] = _function(arn, described)


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
        aliases=frozenset(described.aliases),
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
