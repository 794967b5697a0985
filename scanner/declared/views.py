"""What a template's resources are in one world: the requests that they hold, and the facts in these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, structs

from scanner.declared.chat_roles import ChatRoles
from scanner.declared.functions import Functions
from scanner.declared.holes import Hole, Pending, Text, joined, text_of
from scanner.declared.intrinsics import Resolver
from scanner.declared.kinds import APP_INSTANCE, NATIVE, kind, request
from scanner.declared.requests import Facts, Home, channel_flow, member, tags
from scanner.declared.template_resources import CUSTOM, NOTHING, TemplateResource
from scanner.declared.worlds import Impossible, World
from scanner.language.vocabulary import AppInstance, key, narrowed
from scanner.model.facts import AppInstanceRef, ChannelFlow
from scanner.model.logic import Truth
from scanner.model.metadata import NOT_YET, aws_only
from scanner.model.yamltree import Mistakes, Node, Table

if TYPE_CHECKING:
    from scanner.declared.elsewhere import Elsewhere

_STACK, _OUTPUT = "AWS::CloudFormation::Stack", "Outputs."
_NAMES = frozenset({"arn", "name"})
_REQUEST = ("Name", "AppInstanceArn", "Processors", "Tags")


class Source(Struct, frozen=True, kw_only=True):
    """A template, to be deployed at `home`; `kinds` has the kind of each resource, `requests` keeps what they hold."""

    root: Table
    file: str
    home: Home
    resources: Mapping[str, TemplateResource]
    kinds: Mapping[str, str | None]
    mistakes: Mistakes
    requests: dict[str, Table] = {}

    def request(self, resource: TemplateResource) -> Table:
        """The request that a resource holds, as it is written."""
        if resource.id not in self.requests:
            self.requests[resource.id] = request(resource)
        return self.requests[resource.id]


class Neighbours(Struct, frozen=True, kw_only=True):
    """What other templates of a run hand to one that is deployed at `home` (scanner.declared.worlds.Beyond)."""

    elsewhere: Elsewhere
    home: Home

    def imported(self, name: str) -> Text:
        return self.elsewhere.imported(name, self.home)

    def stored(self, name: str, written: str) -> Text:
        return self.elsewhere.stored(name, self.home, written)


class View:
    """The resources of a template in a world; `index` is the view where nothing is given.

    Raises (every method):
        Split, Impossible: as the world does.
    """

    def __init__(self, source: Source, world: World, index: View | None = None) -> None:
        self._source = source
        self._home = source.home
        if source.home.elsewhere is not None:
            world = structs.replace(world, beyond=Neighbours(elsewhere=source.home.elsewhere, home=source.home))
        self._world = world
        self._naming: set[str] = set()
        self._requests: dict[str, Table] = {}
        self.resolver = Resolver(source.root, _pseudo(source.home), self._attribute, source.mistakes, world)
        known = index.functions if index else None
        self.functions: Functions = Functions(source.resources, self.resolver, source.home, known)
        self.chat_roles = ChatRoles(source.resources, self.resolver, self.functions.roles, source.file, source.mistakes)

    def made(self, resource: TemplateResource) -> Truth:
        """Whether a resource is made; UNSET if its condition is not known."""
        return self.resolver.made(resource)

    def request(self, resource: TemplateResource) -> Table:
        """The resolved request of a resource; if it is unknown as a whole, each member is."""
        if resource.id not in self._requests:
            self._requests[resource.id] = self._resolved_request(resource)
        return self._requests[resource.id]

    def _resolved_request(self, resource: TemplateResource) -> Table:
        carried = self._source.request(resource)
        resolved = self.resolver.resolve(carried)
        if isinstance(resolved, Pending):
            return structs.replace(carried, entries=dict.fromkeys(_REQUEST, resolved))
        return resolved if isinstance(resolved, Table) else NOTHING

    def named(self, resource: TemplateResource, name: str) -> Node | None:
        """A member of a resource's request; the others are not looked at."""
        carried = self._source.request(resource)
        own = member(carried, name)
        return self.resolver.resolve(own) if own is not None else member(self.request(resource), name)

    def flow(self, resource: TemplateResource) -> ChannelFlow:
        """The facts of a flow."""
        request = self.request(resource)
        owner = self.owner(member(request, "AppInstanceArn"))
        return channel_flow(
            request,
            self._facts(resource),
            self._home,
            app_instance_name=None if owner is None else self._app_instance_name(self._source.resources[owner]),
            configured=self.functions.configured,
        )

    def app_instance(
        self, resource: TemplateResource, flows: Iterable[TemplateResource], *, may_have_others: bool
    ) -> AppInstance:
        """The facts of an app instance with these flows; `may_have_others`: it may also have flows from elsewhere."""
        facts = self._facts(resource)
        facts.untold |= aws_only(AppInstance)
        if may_have_others:
            facts.untold.add("flows")
        request = self.request(resource)
        if (name := member(request, "Name")) is not None:
            facts.at("name", name)
        arn = self.arn(resource.id)
        own = () if may_have_others else tuple(sorted(map(self._listed, flows), key=key))
        return AppInstance(
            arn=facts.not_yet("arn", arn),
            id=facts.not_yet("id", arn[-1:]),
            name=facts.settled("name", self._app_instance_name(resource)),
            account_id=facts.not_yet("account_id", self._home.account_id),
            region=facts.not_yet("region", self._home.region),
            partition=facts.not_yet("partition", self._home.partition),
            tags=tags(member(request, "Tags"), facts),
            flows=UNSET if may_have_others else own,
            declared=facts.declaration.holding("flows", [flow.declared for flow in own]),
        )

    def _listed(self, flow: TemplateResource) -> ChannelFlow:
        """The facts of a flow that a rule on its app instance reads; each may split the world."""
        reads = self._home.reads_of_flows
        if reads <= _NAMES:
            facts = self._facts(flow)
            name = facts.settled("name", text_of(self.named(flow, "Name")))
            owner = AppInstanceRef(arn=NOT_YET, id=NOT_YET)
            home = dict.fromkeys(("arn", "account_id", "region", "partition"), NOT_YET)
            return ChannelFlow(**home, name=name, app_instance=owner, declared=facts.declaration)
        whole = self.flow(flow)
        return narrowed(whole, reads, whole)

    def owner(self, arn: Node | None) -> str | None:
        """The logical id of the app instance in this template that has the ARN; None if there is none."""
        text = text_of(arn)
        last = text[-1] if text else None
        is_own = isinstance(last, Hole) and self._source.kinds.get(last.name) == APP_INSTANCE
        return last.name if isinstance(last, Hole) and is_own and text == self.arn(last.name) else None

    def _facts(self, resource: TemplateResource) -> Facts:
        source = self._source
        facts = Facts(file=source.file, id=resource.id, mistakes=source.mistakes, by_default=self.resolver.by_default)
        facts.at("", resource.key)
        return facts

    def _app_instance_name(self, resource: TemplateResource) -> Text:
        return text_of(self.named(resource, "Name")) or (resource.id,)

    def arn(self, id_: str) -> Text:
        """The ARN of an app instance of the template."""
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
        if (whole := f"{id_}.{name}") in self._source.resources:  # a serverless function's alias, in Fn::Sub
            id_, name = whole, ""
        resource = self._source.resources.get(id_)
        if resource is None or id_ in self._naming:
            return None
        return self.resolver.once(("attribute", id_, name), partial(self._naming_it, resource, name))

    def _naming_it(self, resource: TemplateResource, name: str) -> Text | None:
        self._naming.add(resource.id)
        try:
            return self._worked_out(resource, name)
        finally:
            self._naming.discard(resource.id)

    def _worked_out(self, resource: TemplateResource, name: str) -> Text | None:
        if self._world.given and self.made(resource) is False:
            raise Impossible  # nothing may refer to it
        match NATIVE.get(resource.type), name:
            case "AppInstance", ("" | "AppInstanceArn"):
                return self.arn(resource.id)
            case "ChannelFlow", ("" | "Arn"):
                return self._flow_arn(resource)
        if resource.type == _STACK and name.startswith(_OUTPUT) and self._home.elsewhere is not None:
            return self._home.elsewhere.output(self._source.file, resource, name.removeprefix(_OUTPUT))
        if resource.type.startswith(CUSTOM) and kind(resource, self.resolver) == APP_INSTANCE:
            return self.arn(resource.id) if name == "" or name.lower().endswith("arn") else None
        return self.functions.attribute(resource, name)

    def _flow_arn(self, flow: TemplateResource) -> Text | None:
        owner = self.resolver.text(member(self._source.request(flow), "AppInstanceArn"))
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
