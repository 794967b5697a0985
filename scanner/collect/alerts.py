"""The facet ``alerts``: the rules on a target's default event bus, and whether they have targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, UnsetType, structs

from scanner.aws import ownership
from scanner.aws.calls import ask, new_items
from scanner.aws.failure import calling
from scanner.aws.wire import EventBridgeRule, ListRules
from scanner.collect.threads import SingleFlight
from scanner.model.facts import AppInstance
from scanner.policy import EventRule, listens


class Alerts:
    """The EventBridge rules of one target. Each is read once, and its own targets only if it may match."""

    def __init__(self) -> None:
        self._rules: SingleFlight[str, tuple[EventBridgeRule, ...]] = SingleFlight()
        self._targets: SingleFlight[str, bool] = SingleFlight()

    def failure_alert(self, client: Any, app_instance: AppInstance) -> bool | UnsetType:
        """Whether a rule reports to somebody when a processor of the app instance cannot be invoked.

        Raises:
            FailedCallError: the rules or their targets could not be read.
        """
        rules = self._rules.get("", lambda: tuple(_rules(client, app_instance)))
        return _listens([self._with_targets(client, rule, app_instance) for rule in rules], app_instance)

    def _with_targets(self, client: Any, rule: EventBridgeRule, app_instance: AppInstance) -> EventRule:
        event_rule = EventRule(pattern=rule.EventPattern, enabled=_is_enabled(rule.State), has_targets=True)
        if _listens([event_rule], app_instance) is False:
            return event_rule
        has_targets = self._targets.get(rule.Name, lambda: _has_targets(client, rule))
        return structs.replace(event_rule, has_targets=has_targets)


def _listens(rules: list[EventRule], app_instance: AppInstance) -> bool | UnsetType:
    return listens(
        rules, app_instance_arn=app_instance.arn, account_id=app_instance.account_id, region=app_instance.region
    )


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
    answer = ask(client, "ListTargetsByRule", Rule=rule.Name, Limit=1)
    return bool(answer.Targets or answer.NextToken)
