"""Which resources of a template make channel flows and app instances, and the request that each holds.

CloudFormation's own types hold the request in their properties. Before these existed, the construct library
cdk-amazon-chime-resources used a custom resource whose properties name the kind and hold the request:
https://github.com/cdklabs/cdk-amazon-chime-resources
Any other custom resource counts if it holds such a request, or sends one through the AWS SDK.
"""

from __future__ import annotations

from scanner.declared.holes import known
from scanner.declared.intrinsics import Resolver, function_name
from scanner.declared.requests import member
from scanner.declared.spelling import spelled
from scanner.declared.template_resources import CUSTOM, TemplateResource
from scanner.model.yamltree import Node, Table

CHANNEL_FLOW, APP_INSTANCE = "ChannelFlow", "AppInstance"
NATIVE = {"AWS::Chime::ChannelFlow": CHANNEL_FLOW, "AWS::Chime::AppInstance": APP_INSTANCE}
_KINDS = {kind.lower(): kind for kind in (CHANNEL_FLOW, APP_INSTANCE)}
_NEEDS = {CHANNEL_FLOW: "Processors", APP_INSTANCE: "Name"}


def kind(resource: TemplateResource, resolver: Resolver) -> str | None:
    """ChannelFlow or AppInstance if a resource makes one and holds a request that can be judged; else None."""
    carried = request(resource)
    if resource.sent is not None:
        return _carried(resource.sent[0], carried)
    if not resource.type.startswith(CUSTOM):
        own = NATIVE.get(resource.type)
        return own if own == APP_INSTANCE else _carried(own, carried)
    named = named_kind(resource, resolver)
    if named is not None and named.lower() == APP_INSTANCE.lower():
        return APP_INSTANCE
    carries_flow = all(member(carried, name) is not None for name in ("AppInstanceArn", "Processors"))
    own = _KINDS.get((named or resource.type.removeprefix("Custom::")).lower())
    return _carried(own, carried) or (CHANNEL_FLOW if carries_flow else None)


def _carried(own: str | None, request: Table) -> str | None:
    """The kind if the request for it is or may be present; else None."""
    is_there = own is not None and (member(request, _NEEDS[own]) or function_name(request)) is not None
    return own if is_there else None


def named_kind(resource: TemplateResource, resolver: Resolver) -> str | None:
    """The kind that a custom resource names; None if it is not known."""
    text = resolver.text(kind_node(resource))
    return None if text is None else known(text)


def kind_node(resource: TemplateResource) -> Node | None:
    """The value in which a custom resource names its kind."""
    return member(resource.properties, "ResourceType")


def request(resource: TemplateResource) -> Table:
    """The request that a resource holds."""
    if resource.sent is not None:
        return resource.sent[1]
    if not resource.type.startswith(CUSTOM):
        return resource.properties
    inner = member(resource.properties, "Properties")
    return spelled(inner if isinstance(inner, Table) else resource.properties)
