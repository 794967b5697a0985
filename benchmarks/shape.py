"""An organisation that is computed from a few numbers, so that server and client know it without storing it.

Flow number `j` of an app instance invokes version `j % 2` of function `j // 2` (modulo their number), whose role is
`function % roles`. Each role has its own inline policy and two managed policies, which many roles share.
"""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from scanner.model.operations import FACETS, needed

PAGE = 50
REGIONS = ("eu-central-1", "us-east-1")
EVERY_FACET = frozenset(FACETS) - {"all_channels"}
"""The facets that cost a few calls a flow; `benchmarks.channels` measures the other one, which keeps to a rate."""
CALLS_TO_CHIME = sorted({each.name for each in needed(EVERY_FACET) if each.service.startswith("chime")})


class Shape(Struct, frozen=True, kw_only=True):
    """The size of an organisation. `flows` has the numbers of flows of app instances 0, 1, ..., which repeat.

    `limit` is in calls per second for each account, region and service. Each app instance has so many `channels`, of
    which the first `open_channels` have no flow; the flows take turns with the others.
    """

    accounts: int = 1
    regions: int = 1
    app_instances: int = 1
    flows: tuple[int, ...] = (PAGE,)
    functions: int = 20
    roles: int = 5
    managed_policies: int = 4
    alerts: int = 60
    channels: int = 0
    open_channels: int = 0
    latency: float = 0.0
    limit: float | None = None

    @property
    def targets(self) -> int:
        return self.accounts * self.regions

    @property
    def channel_flows(self) -> int:
        return self.targets * sum(map(self.flows_of, range(self.app_instances)))

    def flows_of(self, app_instance: int) -> int:
        return self.flows[app_instance % len(self.flows)]

    def function_of(self, flow: int) -> tuple[int, int]:
        """The number and the version of the function that a flow invokes."""
        return flow // 2 % self.functions, flow % 2

    def managed_of(self, role: int) -> tuple[int, int]:
        """The numbers of the managed policies that are attached to a role."""
        return role % self.managed_policies, (role + 1) % self.managed_policies

    def channels_of(self, flow: int, flows: int) -> range:
        """The numbers of the channels of a flow, one of so many flows of its app instance."""
        return range(self.open_channels + flow, self.channels, flows)

    @staticmethod
    def has_queue(function: int) -> bool:
        """Whether the function's configuration has a dead-letter queue."""
        return function % 4 == 0

    @staticmethod
    def listens(alert: int) -> bool:
        """Whether an EventBridge rule matches the events that somebody must hear of; all have targets."""
        return alert % 20 == 0


def pages(items: int) -> int:
    """The number of pages of a list; an empty list has one."""
    return max(1, -(-items // PAGE))


def least_calls(shape: Shape, facets: frozenset[str]) -> Counter[str]:
    """The least number of calls of each operation that gives the lists and these facets of all targets."""
    app_instances = range(shape.app_instances)
    flows = sum(map(shape.flows_of, app_instances))
    versions = {shape.function_of(flow) for app in app_instances for flow in range(shape.flows_of(app))}
    functions = {number for number, _ in versions}
    roles = {number % shape.roles for number in functions}
    calls = Counter(
        ListAppInstances=pages(shape.app_instances),
        ListChannelFlows=sum(pages(shape.flows_of(app)) for app in app_instances),
    )
    if "tags" in facets:
        calls["ListTagsForResource"] = shape.app_instances + flows
    if "detail" in facets:
        calls["DescribeChannelFlow"] = flows
    if "channels" in facets:
        calls["ListChannelsAssociatedWithChannelFlow"] = flows
    if facets & {"function", "callback_role"}:
        calls["GetFunctionConfiguration"] = len(versions)
    if "function" in facets:
        calls["GetPolicy"] = len(versions)
        calls["GetFunctionEventInvokeConfig"] = sum(not shape.has_queue(number) for number, _ in versions)
        calls["GetFunctionConcurrency"] = len(functions)
    if "callback_role" in facets:
        managed = {policy for role in roles for policy in shape.managed_of(role)}
        for operation in ("GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"):
            calls[operation] = len(roles)
        calls["GetPolicy"] += len(managed)
        calls["GetPolicyVersion"] = len(managed)
    if "alerts" in facets:
        calls["ListRules"] = pages(shape.alerts)
        calls["ListTargetsByRule"] = any(map(shape.listens, range(shape.alerts)))
    return Counter({operation: number * shape.targets for operation, number in calls.items() if number})


def longest_chain(shape: Shape, facets: frozenset[str]) -> int:
    """The longest chain of calls in a target in which each needs the answer to the one before."""
    last = max(app // PAGE + 1 + pages(shape.flows_of(app)) for app in range(shape.app_instances))
    if "callback_role" in facets:
        return last + len(("GetFunctionConfiguration", "ListAttachedRolePolicies", "GetPolicy", "GetPolicyVersion"))
    return last + bool(facets - {"alerts"})
