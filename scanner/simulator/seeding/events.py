"""The rules on the default event bus of each region."""

from __future__ import annotations

import json

from moto.events.models import events_backends

from scanner.simulator.organisation import Account
from scanner.simulator.seeding.regions import in_region


def seed_alerts(account: Account) -> None:
    """Alerts, and whatever else listens to the bus. Raises UsageError for a region that does not exist."""
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
