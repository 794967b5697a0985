"""The channel flows and app instances that a CloudFormation template, also one of the CDK, will make.

`kinds` recognises the resources that make them. `unread` finds other parts that may make flows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain

from scanner.declared.callers import referred_to
from scanner.declared.chat_roles import ChatRoles
from scanner.declared.functions import Functions
from scanner.declared.holes import Hole, Pending, Text, joined, text_of
from scanner.declared.intrinsics import Resolver
from scanner.declared.kinds import APP_INSTANCE, CHANNEL_FLOW, NATIVE, kind, request
from scanner.declared.requests import Facts, Home, channel_flow, member, tags
from scanner.declared.template_resources import CUSTOM, NOTHING, TemplateResource, resources
from scanner.declared.unread import Unreads
from scanner.model.facts import AppInstance, ChannelFlow
from scanner.model.metadata import aws_only
from scanner.model.yamltree import Mistakes, Node, Table

_REQUEST = ("Name", "AppInstanceArn", "Processors", "Tags")


Group = tuple[AppInstance | None, list[ChannelFlow]]
"""An app instance with its flows; or None with the flows of app instances that the template does not make."""


class Template:
    """One template, to be deployed at `home`."""

    def __init__(self, root: Table, file: str, home: Home, mistakes: Mistakes) -> None:
        self._root = root
        self._file = file
        self._home = home
        self._mistakes = mistakes
        self._resources = resources(root)
        self._naming: set[str] = set()
        self._attributes: dict[tuple[str, str], Text | None] = {}
        self._requests: dict[str, Table] = {}
        self._resolver = Resolver(root, _pseudo(home), self._attribute, mistakes)
        self._functions = Functions(self._resources, self._resolver, home)
        self.roles = ChatRoles(self._resources, self._resolver, self._functions.roles, file, mistakes)
        self._kinds = {id_: kind(resource, self._resolver) for id_, resource in self._resources.items()}
        self.unread = Unreads(root, file, self._resources, self._kinds, self._resolver)

    @property
    def metadata(self) -> list[tuple[str, Node]]:
        """The value under `chimeaudit` in the metadata of resources, each with the key of its resource."""
        declared = ((f"{self._file}#{id_}", resource.metadata) for id_, resource in self._resources.items())
        return [(key, node) for key, node in declared if node is not None]

    def groups(self) -> Iterator[Group]:
        """The app instances and flows that the template makes."""
        flows = {owner: [self._flow(each, owner) for each in made] for owner, made in self._flows.items()}
        for resource in self._of_kind(APP_INSTANCE):
            yield self._app_instance(resource), flows.pop(resource.id, [])
        yield None, [flow for members in flows.values() for flow in members]

    @cached_property
    def _flows(self) -> dict[str | None, list[TemplateResource]]:
        """The resources that make flows, by the logical id of their app instance; None: it is not in the template."""
        flows: dict[str | None, list[TemplateResource]] = {}
        for resource in self._of_kind(CHANNEL_FLOW):
            owner = self._owner(member(self._request(resource), "AppInstanceArn"))
            flows.setdefault(owner, []).append(resource)
        return flows

    def _of_kind(self, wanted: str) -> list[TemplateResource]:
        """The resources that make something of a kind, without those whose condition surely does not hold."""
        return [
            resource
            for id_, resource in self._resources.items()
            if self._kinds[id_] == wanted and self._resolver.made(resource) is not False
        ]

    def _request(self, resource: TemplateResource) -> Table:
        """The resolved request of a resource; if it is unknown as a whole, each member is."""
        if resource.id not in self._requests:
            self._requests[resource.id] = self._resolved_request(resource)
        return self._requests[resource.id]

    def _resolved_request(self, resource: TemplateResource) -> Table:
        carried = request(resource)
        resolved = self._resolver.resolve(carried)
        if isinstance(resolved, Pending):
            return replace(carried, entries=dict.fromkeys(_REQUEST, resolved))
        return resolved if isinstance(resolved, Table) else NOTHING

    def _may_have_other_flows(self, app_instance: TemplateResource) -> bool:
        """Whether an app instance may have other flows than the template shows.

        It may if some part of the template is not followed, its ARN is passed on, a flow has no clear app instance, or
        a flow may not be made.
        """
        may_not_be = any(
            each.condition != app_instance.condition and self._resolver.made(each) is not True
            for each in self._flows.get(app_instance.id, [])
        )
        handed_on = app_instance.id in self._handed_on
        return bool(self.unread.found) or handed_on or self._has_flows_of_unclear_owner or may_not_be

    @cached_property
    def _has_flows_of_unclear_owner(self) -> bool:
        owners = (member(self._request(each), "AppInstanceArn") for each in self._flows.get(None, []))
        return any(isinstance(owner, Pending) for owner in owners)

    @cached_property
    def _handed_on(self) -> frozenset[str]:
        """The logical ids that outputs and SSM parameters, which other stacks can read, may refer to."""
        parameters = [each.properties for each in self._resources.values() if each.type == "AWS::SSM::Parameter"]
        return frozenset(
            chain.from_iterable(map(referred_to, (self._root.entries.get("Outputs", NOTHING), *parameters)))
        )

    def _facts(self, resource: TemplateResource) -> Facts:
        facts = Facts(file=self._file, id=resource.id, mistakes=self._mistakes)
        facts.at("", resource.key)
        return facts

    def _flow(self, resource: TemplateResource, owner: str | None) -> ChannelFlow:
        return channel_flow(
            self._request(resource),
            self._facts(resource),
            self._home,
            app_instance_name=None if owner is None else self._app_instance_name(self._resources[owner]),
            configured=self._functions.configured,
        )

    def _app_instance(self, resource: TemplateResource) -> AppInstance:
        facts = self._facts(resource)
        facts.untold |= aws_only(AppInstance)
        if self._may_have_other_flows(resource):
            facts.untold.add("flows")
        request = self._request(resource)
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
            tags=tags(member(request, "Tags"), facts),
            declared=facts.declaration,
        )

    def _app_instance_name(self, resource: TemplateResource) -> Text:
        return text_of(member(self._request(resource), "Name")) or (resource.id,)

    def _owner(self, arn: Node | None) -> str | None:
        """The logical id of the app instance in this template that has the ARN; None if there is none."""
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
        """The value of Ref or Fn::GetAtt for the resources that matter here; it is cached."""
        resource = self._resources.get(id_)
        if resource is None or id_ in self._naming:
            return None
        if (id_, name) not in self._attributes:
            self._naming.add(id_)
            try:
                self._attributes[id_, name] = self._worked_out(resource, name)
            finally:
                self._naming.discard(id_)
        return self._attributes[id_, name]

    def _worked_out(self, resource: TemplateResource, name: str) -> Text | None:
        match NATIVE.get(resource.type), name:
            case "AppInstance", ("" | "AppInstanceArn"):
                return self._arn(resource.id)
            case "ChannelFlow", ("" | "Arn"):
                return self._flow_arn(resource)
        if resource.type.startswith(CUSTOM) and kind(resource, self._resolver) == APP_INSTANCE:
            return self._arn(resource.id) if name == "" or name.lower().endswith("arn") else None
        return self._functions.attribute(resource, name)

    def _flow_arn(self, flow: TemplateResource) -> Text | None:
        owner = self._resolver.text(member(request(flow), "AppInstanceArn"))
        return owner and joined([owner, (Hole(name=flow.id, plain=True, new=True),)], ("/channel-flow/",))


def _pseudo(home: Home) -> Mapping[str, Text]:
    """The pseudo parameters.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """
    names = ("AWS::StackName", "AWS::StackId", "AWS::URLSuffix", "AWS::NotificationARNs")
    return {
        "AWS::Partition": home.partition,
        "AWS::Region": home.region,
        "AWS::AccountId": home.account_id,
        **{name: (Hole(name=name, plain=name in ("AWS::StackName", "AWS::URLSuffix")),) for name in names},
    }
