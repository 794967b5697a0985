"""Makes the same calls with a bare boto3 client, for comparison: one thread, pages turned by hand, nothing kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3

from benchmarks.shape import PAGE


def seconds(region: str, facets: frozenset[str]) -> float:
    """The CPU seconds that the calls of one target take, without the making of clients."""
    clients = {
        name: boto3.client(name, region_name=region)
        for name in ("chime-sdk-identity", "chime-sdk-messaging", "lambda", "iam", "events")
    }
    began = time.process_time()
    _Calls(clients, facets).all()
    return time.process_time() - began


class _Calls:
    def __init__(self, clients: dict[str, Any], facets: frozenset[str]) -> None:
        self._identity = clients["chime-sdk-identity"]
        self._messaging = clients["chime-sdk-messaging"]
        self._lambda = clients["lambda"]
        self._iam = clients["iam"]
        self._events = clients["events"]
        self._facets = facets
        self._seen: set[str] = set()

    def all(self) -> None:
        for app_instance in _items(self._identity.list_app_instances, "AppInstances", MaxResults=PAGE):
            arn = app_instance["AppInstanceArn"]
            for flow in _items(self._messaging.list_channel_flows, "ChannelFlows", AppInstanceArn=arn, MaxResults=PAGE):
                self._flow(flow["ChannelFlowArn"])
                self._function(flow["Processors"][0]["Configuration"]["Lambda"]["ResourceArn"])
            if "tags" in self._facets:
                self._identity.list_tags_for_resource(ResourceARN=arn)
        if "alerts" in self._facets:
            self._alerts()

    def _flow(self, arn: str) -> None:
        if "tags" in self._facets:
            self._messaging.list_tags_for_resource(ResourceARN=arn)
        if "detail" in self._facets:
            self._messaging.describe_channel_flow(ChannelFlowArn=arn)
        if "channels" in self._facets:
            self._messaging.list_channels_associated_with_channel_flow(ChannelFlowArn=arn, MaxResults=1)

    def _function(self, arn: str) -> None:
        if "function" not in self._facets or not self._first(arn):
            return
        name, _, version = arn.rpartition(":")
        configuration = self._lambda.get_function_configuration(FunctionName=name, Qualifier=version)
        self._lambda.get_policy(FunctionName=name, Qualifier=version)
        if "DeadLetterConfig" not in configuration:
            self._lambda.get_function_event_invoke_config(FunctionName=name, Qualifier=version)
        if self._first(name):
            self._lambda.get_function_concurrency(FunctionName=name)
        if self._first(configuration["Role"]):
            self._role(configuration["Role"].rpartition("/")[2])

    def _role(self, name: str) -> None:
        self._iam.get_role(RoleName=name)
        for policy in self._iam.list_role_policies(RoleName=name)["PolicyNames"]:
            self._iam.get_role_policy(RoleName=name, PolicyName=policy)
        for policy in self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            if self._first(policy["PolicyArn"]):
                version = self._iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
                self._iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)

    def _alerts(self) -> None:
        for rule in _items(self._events.list_rules, "Rules"):
            if "aws.chime" in rule["EventPattern"]:
                self._events.list_targets_by_rule(Rule=rule["Name"], Limit=1)

    def _first(self, key: str) -> bool:
        first = key not in self._seen
        self._seen.add(key)
        return first


def _items(call: Any, member: str, **params: Any) -> Iterator[Any]:
    page = call(**params)
    yield from page[member]
    while "NextToken" in page:
        page = call(**params, NextToken=page["NextToken"])
        yield from page[member]
