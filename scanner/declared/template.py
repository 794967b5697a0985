"""CloudFormation templates, those of the CDK among them: which channel flows and app instances a stack will make.

CloudFormation has no type for them. The construct library cdk-amazon-chime-resources makes them by a custom resource
whose properties name the kind and hold the request: https://github.com/cdklabs/cdk-amazon-chime-resources
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from scanner.declared.documents import parts
from scanner.declared.functions import Functions
from scanner.declared.intrinsics import Resolver
from scanner.declared.pending import Hole, Pending, Text, joined, known, text_of
from scanner.declared.requests import Facts, Home, channel_flow, member, tags
from scanner.declared.resources import CUSTOM, NOTHING, Resource, resources
from scanner.inventory import AppInstance, ChannelFlow
from scanner.source import Mistakes, Node, Scalar, Table, plain

CHANNEL_FLOW, APP_INSTANCE = "ChannelFlow", "AppInstance"
_LOOP, _TRANSFORM = "Fn::ForEach::", "Fn::Transform"
_NESTED = "AWS::CloudFormation::Stack"
_SDK_CALL = (
    "Custom::AWS"  # https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources.AwsCustomResource.html
)
_MAKES_FLOWS = re.compile("channel-?flow", re.IGNORECASE)
_UNTOLD_OF_APP_INSTANCES = {"failure_alert"}


Group = tuple[AppInstance | None, list[ChannelFlow]]
"""An app instance with its flows; None, and the flows of others."""


class Template:
    """One template, to be deployed at `home`."""

    def __init__(self, root: Table, file: str, home: Home, mistakes: Mistakes) -> None:
        self._root = root
        self._file = file
        self._home = home
        self._mistakes = mistakes
        self._resources = resources(root)
        self._naming: set[str] = set()
        self._resolver = Resolver(root, _pseudo(home), self._attribute)
        self._functions = Functions(self._resources, self._resolver, home)
        self._kinds = {id_: _kind(resource, self._resolver) for id_, resource in self._resources.items()}

    @property
    def unseen(self) -> list[str]:
        """Sentences on what the template makes in ways that are not followed here."""
        section = self._root.entries["Resources"]
        names = section.entries if isinstance(section, Table) else {}
        told = [f"what {name} makes; loops are not unrolled" for name in names if name.startswith(_LOOP)]
        if "Transform" in self._root.entries or any(name.startswith(_TRANSFORM) for name in names):
            told.append("what its transforms make of it; they run when it is deployed")
        for id_, resource in self._resources.items():
            if resource.type == _NESTED:
                told.append(f"what the stack {id_} holds, unless its template is judged too")
            if resource.type == _SDK_CALL and _MAKES_FLOWS.search(json.dumps(plain(resource.properties))):
                told.append(f"the channel flow that {id_} makes by an SDK call of its own")
        return [f"{self._file}: {each}." for each in told]

    @property
    def metadata(self) -> list[tuple[str, Node]]:
        """What stands under `chimeaudit` in the metadata of resources, by the key of the resource."""
        declared = ((f"{self._file}#{id_}", resource.metadata) for id_, resource in self._resources.items())
        return [(key, node) for key, node in declared if node is not None]

    def groups(self) -> Iterator[Group]:
        """What the template makes."""
        flows: dict[str | None, list[ChannelFlow]] = {}
        for resource in self._of_kind(CHANNEL_FLOW):
            resolved = self._resolver.resolve(_properties(resource))
            request = resolved if isinstance(resolved, Table) else NOTHING
            owner = self._owner(member(request, "AppInstanceArn"))
            flows.setdefault(owner, []).append(self._flow(resource, request, owner))
        for resource in self._of_kind(APP_INSTANCE):
            yield self._app_instance(resource), flows.pop(resource.id, [])
        yield None, [flow for members in flows.values() for flow in members]

    def _of_kind(self, kind: str) -> list[Resource]:
        """Without those whose condition surely does not hold."""
        return [
            resource
            for id_, resource in self._resources.items()
            if self._kinds[id_] == kind
            and (resource.condition is None or self._resolver.holds(resource.condition) is not False)
        ]

    def _may_have_other_flows(self, id_: str) -> bool:
        """Whether its flows may be made elsewhere: its ARN is handed on, or a flow here has no clear owner."""
        outputs = self._root.entries.get("Outputs")
        if outputs is not None and self._names(outputs, id_):
            return True
        owners = (
            self._resolver.resolve(node)
            for resource in self._of_kind(CHANNEL_FLOW)
            if (node := member(_properties(resource), "AppInstanceArn")) is not None
        )
        return any(isinstance(owner, Pending) and self._owner(owner) is None for owner in owners)

    def _names(self, node: Node, id_: str) -> bool:
        """Whether anything in there refers to a resource."""
        if isinstance(node, Scalar):
            return node.text == id_ or node.text.startswith(f"{id_}.") or f"${{{id_}" in node.text
        return any(self._names(each, id_) for each in parts(node))

    def _facts(self, resource: Resource) -> Facts:
        facts = Facts(file=self._file, id=resource.id, mistakes=self._mistakes)
        facts.at("", resource.key)
        return facts

    def _flow(self, resource: Resource, request: Table, owner: str | None) -> ChannelFlow:
        return channel_flow(
            request,
            self._facts(resource),
            self._home,
            app_instance_name=None if owner is None else self._app_instance_name(self._resources[owner]),
            configured=self._functions.configured,
        )

    def _app_instance(self, resource: Resource) -> AppInstance:
        facts = self._facts(resource)
        facts.untold |= _UNTOLD_OF_APP_INSTANCES
        if self._may_have_other_flows(resource.id):
            facts.untold.add("flows")
        request = _properties(resource)
        if (name := member(request, "Name")) is not None:
            facts.at("name", name)
        arn = self._arn(resource.id)
        return AppInstance(
            arn=facts.not_yet("arn", arn),
            id=facts.not_yet("id", arn[-1:]),
            name=facts.settled("name", self._app_instance_name(resource)),
            account_id=facts.not_yet("account_id", self._home.account_id),
            region=facts.not_yet("region", self._home.region),
            partition=facts.not_yet("partition", self._home.partition),
            tags=tags(member(self._resolver.resolve(request), "Tags"), facts),
            declared=facts.declaration,
        )

    def _app_instance_name(self, resource: Resource) -> Text:
        return self._resolver.text(member(_properties(resource), "Name")) or (resource.id,)

    def _owner(self, arn: Node | None) -> str | None:
        """The logical id of the app instance of this template that has the ARN."""
        text = text_of(arn)
        last = text[-1] if text else None
        if isinstance(last, Hole) and self._kinds.get(last.name) == APP_INSTANCE and text == self._arn(last.name):
            return last.name
        return None

    def _arn(self, id_: str) -> Text:
        home, hole = self._home, Hole(name=id_, plain=True)
        fields: list[Text] = [
            ("arn",),
            home.partition,
            ("chime",),
            home.region,
            home.account_id,
            ("app-instance/", hole),
        ]
        return joined(fields, (":",))

    def _attribute(self, id_: str, name: str) -> Text | None:
        """What Ref and Fn::GetAtt give of the resources that matter here."""
        resource = self._resources.get(id_)
        if resource is None or id_ in self._naming:
            return None
        self._naming.add(id_)
        try:
            if resource.type.startswith(CUSTOM) and _kind(resource, self._resolver) == APP_INSTANCE:
                return self._arn(id_) if name == "" or name.lower().endswith("arn") else None
            return self._functions.attribute(resource, name)
        finally:
            self._naming.discard(id_)


def _kind(resource: Resource, resolver: Resolver) -> str | None:
    """ChannelFlow or AppInstance, where a custom resource makes one."""
    if not resource.type.startswith(CUSTOM):
        return None
    said = member(resource.properties, "ResourceType")
    kind = said.text if isinstance(said, Scalar) else None
    if said is not None and kind is None:
        kind = known(resolver.text(said) or (Hole(name="?"),))
    if kind is None and resource.type.startswith("Custom::"):
        kind = resource.type.removeprefix("Custom::")
    return next((each for each in (CHANNEL_FLOW, APP_INSTANCE) if (kind or "").lower() == each.lower()), None)


def _properties(resource: Resource) -> Table:
    """The request that a custom resource carries."""
    inner = member(resource.properties, "Properties")
    return inner if isinstance(inner, Table) else resource.properties


def _pseudo(home: Home) -> Mapping[str, Text]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"""
    names = ("AWS::StackName", "AWS::StackId", "AWS::URLSuffix", "AWS::NotificationARNs")
    return {
        "AWS::Partition": home.partition,
        "AWS::Region": home.region,
        "AWS::AccountId": home.account_id,
        **{name: (Hole(name=name, plain=name in ("AWS::StackName", "AWS::URLSuffix")),) for name in names},
    }
