"""Reads facets: facts that cost extra calls, read only if a rule needs them, each resource once.

A fact that cannot be read, or cannot be decided, is unknown and gets a gap under its path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs

from scanner import policy
from scanner.aws import ownership
from scanner.aws.calls import ask, first_items
from scanner.aws.clients import Clients
from scanner.aws.failure import calling
from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.wire import ListChannelsAssociatedWithChannelFlow
from scanner.collect.alerts import Alerts
from scanner.collect.callback_role import RoleReader
from scanner.collect.channels import ChannelReader
from scanner.collect.function import FunctionRead, read_function, read_url
from scanner.collect.noting import Noting, Tolerate, facts_in
from scanner.collect.threads import SingleFlight
from scanner.model.facts import (
    AppInstance,
    CallbackPermission,
    ChannelFlow,
    Function,
    FunctionAccess,
    Gap,
    LambdaFunction,
    Processor,
)
from scanner.model.logic import Truth
from scanner.model.metadata import facets_of

_OF_FUNCTIONS = frozenset(facets_of(LambdaFunction).values())
_OF_FLOWS = _OF_FUNCTIONS.union(facets_of(ChannelFlow).values())

# Judging a policy takes longer than reading it, and many flows of an app instance share functions, so it is cached.
_cached_access = lru_cache(maxsize=512)(policy.access)


class Facets:
    """Reads the facets of one target. `tolerate` gets each failure and raises it if a later try may succeed.

    Raises (each method):
        FailedCallError: `tolerate` raised it.
    """

    def __init__(
        self,
        wanted: frozenset[str],
        clients: Clients,
        roles: RoleReader,
        channels: ChannelReader,
        tolerate: Tolerate,
    ) -> None:
        self._wanted = wanted
        self._clients = clients
        self._tolerate = tolerate
        self._functions: SingleFlight[str, FunctionRead] = SingleFlight()
        self._concurrencies: SingleFlight[str, Any] = SingleFlight()
        self._urls: SingleFlight[str, policy.FunctionUrl] = SingleFlight()
        self._roles = roles
        self._channels = channels
        self._alerts = Alerts()

    @property
    def cost_calls(self) -> bool:
        """Whether channel flows have facets to read."""
        return bool(self._wanted & _OF_FLOWS)

    @property
    def need_flows(self) -> bool:
        """Whether the facets of an app instance need the ARNs of all its channel flows."""
        return "all_channels" in self._wanted

    def of_app_instance(self, seen: AppInstance, flows: Sequence[str] = (), broken: Gap | None = None) -> AppInstance:
        """The app instance with its facets. `flows` are the ARNs of its flows; `broken` is the gap that ended them."""
        noting = Noting(seen, self._tolerate)
        facts: dict[str, Any] = {}
        if "tags" in self._wanted:
            facts["tags"] = noting.read(
                ("tags",), seen.arn, "ListTagsForResource", lambda: self._tags(IDENTITY, seen.arn)
            )
        if "alerts" in self._wanted:
            for name, told in (
                ("failure_alert", self._alerts.failure_alert),
                ("tamper_alert", self._alerts.tamper_alert),
            ):
                facts[name] = noting.read((name,), seen.arn, "ListRules", partial(self._alert, told, seen))
            noting.undecided("", facts, "ListRules", seen.arn)
        if "all_channels" in self._wanted:
            read = noting.read(
                ("channels",), seen.arn, "ListChannels", lambda: self._channels.read(seen, flows, broken)
            )
            if not isinstance(read, UnsetType):
                facts["channels"], gap = read
                noting.explain("channels.", facts_in(facts["channels"]), gap)
        return structs.replace(seen, **facts, gaps=noting.gaps)

    def of_flow(self, seen: ChannelFlow) -> ChannelFlow:
        noting = Noting(seen, self._tolerate)
        facts: dict[str, Any] = {}
        if "tags" in self._wanted:
            facts["tags"] = noting.read(
                ("tags",), seen.arn, "ListTagsForResource", lambda: self._tags(MESSAGING, seen.arn)
            )
        if "detail" in self._wanted:
            times = noting.read(
                ("created_at", "updated_at"), seen.arn, "DescribeChannelFlow", lambda: self._times(seen.arn)
            )
            if not isinstance(times, UnsetType):
                facts |= times
                noting.missing("", times, "DescribeChannelFlow", seen.arn)
        if "channels" in self._wanted:
            operation = "ListChannelsAssociatedWithChannelFlow"
            facts["has_channels"] = noting.read(
                ("has_channels",), seen.arn, operation, lambda: self._has_channels(seen.arn)
            )
        if self._wanted & _OF_FUNCTIONS and not isinstance(seen.processors, UnsetType):
            facts["processors"] = tuple(
                self._with_function(processor, f"processors[{index}].lambda", seen, noting)
                for index, processor in enumerate(seen.processors)
            )
        return structs.replace(seen, **facts, gaps=noting.gaps)

    def _with_function(self, processor: Processor, path: str, flow: ChannelFlow, noting: Noting) -> Processor:
        target = processor.lambda_
        if isinstance(target, UnsetType):
            return processor
        paths = [f"{path}.{name}" for name, facet in facets_of(LambdaFunction).items() if facet in self._wanted]
        read = noting.read(paths, target.arn, "GetFunctionConfiguration", lambda: self._function(target))
        if isinstance(read, UnsetType):
            return processor
        facts: dict[str, Any] = {}
        if "function" in self._wanted:
            for part, failed in read.failures.items():
                noting.fail(f"{path}.{part}", target.arn, failed)
            facts["function"] = read.function
            facts["access"] = noting.read(
                (f"{path}.access",), target.arn, "GetPolicy", lambda: self._access(read, target, flow, path, noting)
            )
            noting.missing(f"{path}.function.", self._asked(read.function), "GetFunctionConfiguration", target.arn)
            noting.undecided(f"{path}.access.", facts_in(facts["access"]), "GetPolicy", target.arn)
        if "callback_role" in self._wanted:
            facts["callback"] = noting.read(
                (f"{path}.callback",), target.arn, "GetRole", lambda: self._callback(read, target, flow)
            )
            noting.missing(f"{path}.", {"callback": read.function.role_arn}, "GetFunctionConfiguration", target.arn)
            noting.undecided(f"{path}.callback.", facts_in(facts["callback"]), "GetRole", target.arn)
        return structs.replace(processor, lambda_=structs.replace(target, **facts))

    def _tags(self, service: str, arn: str) -> dict[str, str]:
        answer = ask(self._clients.of(service), "ListTagsForResource", ResourceARN=arn)
        return {tag.Key: tag.Value for tag in answer.Tags}

    def _times(self, arn: str) -> dict[str, datetime | UnsetType]:
        detail = ask(self._clients.of(MESSAGING), "DescribeChannelFlow", ChannelFlowArn=arn).ChannelFlow
        with calling(MESSAGING, "DescribeChannelFlow"):
            ownership.check_same(detail.ChannelFlowArn or arn, arn)
        return {"created_at": _time(detail.CreatedTimestamp), "updated_at": _time(detail.LastUpdatedTimestamp)}

    def _has_channels(self, arn: str) -> bool:
        listing = ListChannelsAssociatedWithChannelFlow
        found = first_items(self._clients.of(MESSAGING), listing, ChannelFlowArn=arn)
        with calling(MESSAGING, listing.__name__):
            for channel in found:
                ownership.check_origin(channel.ChannelArn, arn)
        return bool(found)

    def _alert(self, told: Callable[[Any, AppInstance], Truth], seen: AppInstance) -> Truth:
        return told(self._clients.of("events"), seen)

    def _function(self, target: LambdaFunction) -> FunctionRead:
        def read() -> FunctionRead:
            with calling("lambda", "GetFunctionConfiguration"):
                client = self._clients.of("lambda", account_id=target.account_id, region=target.region)
            return read_function(client, target, self._wanted, self._concurrencies, self._tolerate)

        return self._functions.get(target.arn, read)

    def _asked(self, function: Function) -> dict[str, Any]:
        """The facts that were asked for: with a dead-letter queue, how often Lambda tries again only if wanted."""
        facts = facts_in(function)
        if function.dead_letter_queue and "retries" not in self._wanted:
            del facts["maximum_retry_attempts"]
        return facts

    def _access(
        self, read: FunctionRead, target: LambdaFunction, flow: ChannelFlow, path: str, noting: Noting
    ) -> FunctionAccess | UnsetType | None:
        """What the function's policy allows; the function's URL is read only if it makes a difference."""
        if not read.function.exists:
            return None
        if isinstance(read.policy, UnsetType):
            return UNSET
        judge = partial(
            _cached_access,
            read.policy,
            app_instance_arn=flow.app_instance.arn,
            account_id=flow.account_id,
            function_arn=target.arn,
        )
        without = judge(url=policy.NO_URL)
        if not policy.may_hang_on_url(read.policy):
            return without
        differing = _differing(without, judge(url=policy.SOME_URL))
        if not differing:
            return without
        paths = [f"{path}.access.{name}" for name in differing]
        url = noting.read(paths, target.arn, "GetFunctionUrlConfig", lambda: self._url(target))
        return judge(url=policy.UNKNOWN_URL if isinstance(url, UnsetType) else url)

    def _url(self, target: LambdaFunction) -> policy.FunctionUrl:
        with calling("lambda", "GetFunctionUrlConfig"):
            client = self._clients.of("lambda", account_id=target.account_id, region=target.region)
        return self._urls.get(target.arn, lambda: read_url(client, target))

    def _callback(
        self, read: FunctionRead, target: LambdaFunction, flow: ChannelFlow
    ) -> CallbackPermission | UnsetType | None:
        role_arn = read.function.role_arn
        if not isinstance(role_arn, str):
            return role_arn
        with calling("iam", "GetRole"):
            client = self._clients.of("iam", account_id=target.account_id, region=target.region)
        policies = self._roles.policies(client, role_arn)
        return policy.callback(
            policies.identity, policies.boundary, app_instance_arn=flow.app_instance.arn, role_arn=role_arn
        )


def _time(seconds: float | None) -> datetime | UnsetType:
    try:
        return UNSET if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError, ValueError):
        return UNSET


def _differing(one: Struct, other: Struct) -> list[str]:
    return [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]
