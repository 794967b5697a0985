"""Finds parts of a template that may make or unmake channel flows in a form that is not supported.

These are resources of other types, calls of the API, and parts that are inserted at deployment. They are reported if
the template has to do with Chime.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from scanner.declared.callers import Providers, call_in, speaks
from scanner.declared.intrinsics import LOOP, TRANSFORM, Resolver, function_name
from scanner.declared.kinds import CHANNEL_FLOW, NATIVE, kind_node, named_kind
from scanner.declared.requests import member
from scanner.declared.template_resources import AWS, CUSTOM, TemplateResource, nested_template
from scanner.model.yamltree import Listing, Node, Scalar, Table, plain

_MODULE = "::MODULE"  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/modules.html
_NESTED = frozenset(
    {
        "AWS::CloudFormation::Stack",
        "AWS::CloudFormation::StackSet",
        "AWS::Serverless::Application",
        "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
    }
)
_HARMLESS = frozenset(
    f"AWS::Chime::{name}"
    for name in (
        *("AppInstanceBot", "AppInstanceUser", "MediaInsightsPipelineConfiguration"),
        *("MediaPipelineKinesisVideoStreamPool", "SipMediaApplication", "VoiceConnector"),
    )
)
"""Harmless types: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Chime.html"""
_CHANNEL = "AWS::Chime::Channel"
_PASSIVE = ("AWS::CloudTrail::", "AWS::CloudWatch::", "AWS::IAM::", "AWS::Logs::", "AWS::SSO::", "AWS::Organizations::")
"""Types that watch for calls or permit them."""
_STORES = frozenset(
    {
        *("AWS::AppSync::GraphQLSchema", "AWS::Athena::NamedQuery", "AWS::Lambda::Permission"),
        *("AWS::SecretsManager::Secret", "AWS::SSM::Parameter"),
    }
)
"""Types that only store text."""
_CHIME = re.compile(
    r"AWS::Chime|\bchime:|chime-?sdk|chime\.amazonaws|-chime\.|:chime:|messaging-chime|channel[-_]?flow|app-instance/",
    re.IGNORECASE,
)
"""Text that has to do with Chime SDK messaging; a webhook of the Amazon Chime app does not count."""
NAMES_CHIME = re.compile(r"(?<!hooks\.)chime(?![-_]?(?:web)?-?hook)|channel[-_]?flow", re.IGNORECASE)
"""A name that has to do with Chime SDK messaging."""
_FLOW = re.compile(r"channel[-_]?flow", re.IGNORECASE)
_APP_INSTANCE = re.compile(r"app[-_]?instance(?![-_]?(?:admin|bot|user))", re.IGNORECASE)
_FALLBACK = re.compile(r"fallback[-_]?action", re.IGNORECASE)
ABOUT_FLOWS = re.compile(f"{_FLOW.pattern}|{_FALLBACK.pattern}", re.IGNORECASE)
"""Text that has to do with channel flows."""
_FLOW_KEY = re.compile(r"channel[-_]?flow\w*?", re.IGNORECASE)
_REFERENCE_KEY = re.compile(r"\w*(?:arn|id)s?", re.IGNORECASE)
_TRANSFORMED = "what its transforms make of it; they run when it is deployed"


class Unread(Struct, frozen=True, kw_only=True):
    """A part of a file that may make or unmake flows.

    Nothing is missed if `unless` is judged, too: a file, or what a plan covers, as `awscc_chime_channel_flow.NAME`.
    """

    place: Node
    what: str
    unless: str | None = None


class Unreads:
    """Finds the parts of one template that may make or unmake flows; `kinds` has the kind of each resource."""

    def __init__(
        self,
        root: Table,
        file: str,
        resources: Mapping[str, TemplateResource],
        kinds: Mapping[str, str | None],
        resolver: Resolver,
    ) -> None:
        self._root = root
        self._file = file
        self._resources = resources
        self._kinds = kinds
        self._resolver = resolver
        self._providers = Providers(resources)

    @cached_property
    def found(self) -> tuple[Unread, ...]:
        """The parts that were found, in the order of the file; those that concern the whole file come first."""
        return (*self._put_in(), *self._untyped(), *filter(None, map(self._unread, self._resources.values())))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Sentences on parts that make no flow, but whose effect on flows is not known."""
        sentences = [
            f"whether a channel flow processes the channel {each.id}; a template cannot associate one"
            for each in self._resources.values()
            if each.type == _CHANNEL
        ]
        if self._is_about_chime and "Transform" in self._root.entries and not self._has_macro:
            sentences.append(_TRANSFORMED)
        return tuple(f"{self._file}: {each}." for each in sentences)

    @cached_property
    def _is_about_chime(self) -> bool:
        return any(self._kinds.values()) or any(
            speaks(node, _CHIME) for name, node in self._root.entries.items() if name != "Description"
        )

    @cached_property
    def _has_macro(self) -> bool:
        declared = self._root.entries.get("Transform")
        transforms = declared.items if isinstance(declared, Listing) else filter(None, [declared])
        return any(map(_is_macro, transforms))

    def _put_in(self) -> Iterator[Unread]:
        """The loops and macros that may make resources. Inside a resource they make only its properties."""
        declared = [node for key in ("Transform", TRANSFORM) if (node := self._root.entries.get(key)) is not None]
        if (self._has_macro or TRANSFORM in self._root.entries) and any(map(self._matters, declared)):
            place = self._root.keys.get("Transform") or self._root.keys[TRANSFORM]
            yield Unread(place=place, what=_TRANSFORMED)
        for key, place in self._section.keys.items():
            if key.startswith(LOOP) and self._matters(self._section.entries[key]):
                yield Unread(place=place, what=f"what {key} makes; loops are not unrolled")
            if key == TRANSFORM and self._matters(self._section.entries[key]):
                yield Unread(place=place, what=_TRANSFORMED)
        for id_, node in self._section.entries.items():
            if (
                isinstance(node, Table)
                and TRANSFORM in node.entries
                and self._matters(node)
                and not id_.startswith(LOOP)
            ):
                yield Unread(place=node.keys[TRANSFORM], what=_TRANSFORMED)

    def _untyped(self) -> Iterator[Unread]:
        for id_, node in self._section.entries.items():
            if id_ not in self._resources and not id_.startswith((TRANSFORM, LOOP)) and self._matters(node):
                what = f"what {id_} is; its Type is not written out"
                yield Unread(place=self._section.keys[id_], what=what)

    @property
    def _section(self) -> Table:
        section = self._root.entries["Resources"]
        return section if isinstance(section, Table) else Table(line=1, column=1, entries={}, keys={})

    def _matters(self, node: Node) -> bool:
        return self._is_about_chime or speaks(node, NAMES_CHIME) or speaks(node, _FALLBACK)

    def _unread(self, resource: TemplateResource) -> Unread | None:
        if self._kinds[resource.id] is not None or self._resolver.made(resource) is False:
            return None
        what = self._may_make(resource)
        if what is None:
            return None
        own = nested_template(resource, self._file) if resource.type in _NESTED else None
        return Unread(place=resource.key, what=what, unless=own)

    def _may_make(self, resource: TemplateResource) -> str | None:
        """What a resource may make or unmake, in words; None if it makes no flow."""
        id_, type_ = resource.id, resource.type
        if type_.endswith(_MODULE):
            return (
                f"what the module {id_} makes; modules are expanded when it is deployed"
                if self._named(resource)
                else None
            )
        if type_ in _NESTED:
            return f"what the stack {id_} holds, unless its template is judged too" if self._named(resource) else None
        if type_.startswith(AWS) and not type_.startswith(CUSTOM):
            return self._may_aws_make(resource)
        if self._is_about_chime or speaks(resource.properties, _FALLBACK):
            return self._may_custom_make(resource)
        return _by_type(resource) if NAMES_CHIME.search(type_) else None

    def _named(self, resource: TemplateResource) -> bool:
        """Whether a resource has to do with Chime, according to its name, its type, its properties or the template."""
        return bool(NAMES_CHIME.search(f"{resource.id} {resource.type}")) or self._matters(resource.properties)

    def _may_aws_make(self, resource: TemplateResource) -> str | None:
        type_ = resource.type
        if type_ in NATIVE:
            return _of_no_known_request(resource)
        if "Chime" in type_ or _FLOW.search(type_):
            return None if type_ in _HARMLESS or type_ == _CHANNEL else _by_type(resource)
        if not self._is_about_chime or type_.startswith(_PASSIVE) or type_ in _STORES:
            return None
        return self._may_call(resource)

    def _may_call(self, resource: TemplateResource) -> str | None:
        for node in (resource.properties, resource.init):
            resolved = None if node is None else self._resolver.resolve(node)
            if resolved is not None and (call := call_in(resolved)) is not None:
                return f"the channel flows that {resource.id} may make or unmake; it calls {call}"
        return None

    def _may_custom_make(self, resource: TemplateResource) -> str | None:
        if (calling := self._may_call(resource)) is not None:
            return calling
        kind_at, provider = kind_node(resource), resource.properties.entries.get("ServiceToken")
        kind = named_kind(resource, self._resolver)
        if kind_at is not None and kind is None:
            return f"what {resource.id} makes; its resourceType is only settled when it is deployed"
        named = (resource.type, *(str(plain(each)) for each in (kind_at, provider) if each is not None))
        if any(map(_FLOW.search, named)) or _APP_INSTANCE.search(resource.type) or _specifies(resource.properties):
            return _of_no_known_request(resource)
        if NAMES_CHIME.search(resource.type) and kind is None:
            return _by_type(resource)
        if kind is None and provider is not None and self._may_provide(provider):
            return f"the channel flows that {resource.id} may make; its function may call Chime for that"
        return None

    def _may_provide(self, provider: Node) -> bool:
        """Whether a custom resource's function may make flows. If it makes one that is judged, it may for that."""
        return repr(plain(provider)) not in self._tokens_of_flows and self._providers.may_make_flows(provider)

    @cached_property
    def _tokens_of_flows(self) -> frozenset[str]:
        """The service tokens of the functions that make flows that are judged."""
        makers = (each for id_, each in self._resources.items() if self._kinds[id_] == CHANNEL_FLOW)
        tokens = (each.properties.entries.get("ServiceToken") for each in makers)
        return frozenset(repr(plain(each)) for each in tokens if each is not None)


def _by_type(resource: TemplateResource) -> str:
    return f"the channel flows that {resource.id} may make or unmake; its type {resource.type} is not known here"


def _of_no_known_request(resource: TemplateResource) -> str:
    return f"the channel flow that {resource.id} may make; its properties hold no request that is known here"


def _specifies(node: Node) -> bool:
    """Whether properties specify a flow; holding or passing on a flow's ARN does not count."""
    if isinstance(node, Table):
        is_request = all(member(node, name) is not None for name in ("AppInstanceArn", "Processors"))
        return is_request or any(
            _is_specification(key, value) or _specifies(value) for key, value in node.entries.items()
        )
    if isinstance(node, Listing):
        return any(map(_specifies, node.items))
    return isinstance(node, Scalar) and _FALLBACK.search(node.text) is not None


def _is_specification(key: str, value: Node) -> bool:
    if _FALLBACK.search(key):
        return True
    if _FLOW_KEY.fullmatch(key) is None or _REFERENCE_KEY.fullmatch(key):
        return False
    return not _is_reference(value) or key.lower().endswith("name")


def _is_reference(value: Node) -> bool:
    match value:
        case Table():
            return function_name(value) is not None
        case Listing():
            return all(map(_is_reference, value.items))
        case Scalar():
            return value.text.startswith(("arn:", "{{resolve:", "${")) or not isinstance(value.value, str)
    return False


def _is_macro(transform: Node) -> bool:
    """Whether a transform of the whole template may make any resource; most of AWS's own expand only their own types.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html
    """
    name = member(transform, "Name") or transform
    text = name.text if isinstance(name, Scalar) else ""
    return not text.startswith(AWS) or text == "AWS::Include"
