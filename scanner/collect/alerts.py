"""The facet ``alerts``: the rules on a target's default event bus, and whether they have targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, UnsetType

from scanner.aws import ownership
from scanner.aws.calls import first_items, new_items
from scanner.aws.failure import calling
from scanner.aws.wire import EventBridgeRule, ListRules, ListTargetsByRule
from scanner.collect.threads import SingleFlight
from scanner.model.facts import AppInstance
from scanner.model.logic import Truth, all_of, any_of
from scanner.policy import Event, failure_event, matches, tamper_events


class Alerts:
    """The EventBridge rules of one target. Each is read once, and its own targets only if it may match."""

    def __init__(self) -> None:
        self._rules: SingleFlight[str, tuple[EventBridgeRule, ...]] = SingleFlight()
        self._targets: SingleFlight[str, bool] = SingleFlight()
        self._tamper_alerts: SingleFlight[str, Truth] = SingleFlight()

    def failure_alert(self, client: Any, app_instance: AppInstance) -> Truth:
        """Whether a rule reports to somebody when a processor of the app instance cannot be invoked.

        Raises:
            FailedCallError: the rules or their targets could not be read.
        """
        event = failure_event(app_instance.arn, app_instance.account_id, app_instance.region)
        return self._reported(client, app_instance, event)

    def tamper_alert(self, client: Any, app_instance: AppInstance) -> Truth:
        """Whether rules report to somebody when a flow is disassociated, updated or deleted.

        Each of these may have a rule of its own. The answer is the same for all app instances. Whether a trail logs the
        calls, without which there are no events, is not asked.

        Raises:
            FailedCallError: the rules or their targets could not be read.
        """
        events = tamper_events(app_instance.account_id, app_instance.region)
        told = (self._reported(client, app_instance, event) for event in events)
        return self._tamper_alerts.get("", lambda: all_of(told))

    def _reported(self, client: Any, app_instance: AppInstance, event: Event) -> Truth:
        """Whether an enabled rule with a target matches an event. Targets are asked for until one surely does."""
        rules = self._rules.get("", lambda: tuple(_rules(client, app_instance)))
        truths = [(rule, all_of((_is_enabled(rule.State), matches(rule.EventPattern, event)))) for rule in rules]
        likely = [(rule, truth) for truth_first in (True, UNSET) for rule, truth in truths if truth is truth_first]
        return any_of(all_of((truth, self._has_targets(client, rule))) for rule, truth in likely)

    def _has_targets(self, client: Any, rule: EventBridgeRule) -> bool:
        return self._targets.get(rule.Name, lambda: _has_targets(client, rule))


def _is_enabled(state: str | None) -> bool | UnsetType:
    """Whether a rule is enabled, for which there is more than one state.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html
    """
    if state == "DISABLED":
        return False
    return True if state and state.startswith("ENABLED") else UNSET


def _rules(client: Any, app_instance: AppInstance) -> Iterator[EventBridgeRule]:
    for page in new_items(client, ListRules):
        with calling("events", ListRules.__name__):
            for rule in page:
                ownership.check_account(rule.Arn, app_instance.arn)
        yield from page


def _has_targets(client: Any, rule: EventBridgeRule) -> bool:
    return bool(first_items(client, ListTargetsByRule, Rule=rule.Name))
