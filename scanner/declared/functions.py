"""The facts of a template's functions that processors invoke: configuration, who may invoke them, roles.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import Any

from msgspec import UNSET, UnsetType, structs

from scanner.declared import intrinsics
from scanner.declared.arns import FunctionName, function_name, same_function, same_version
from scanner.declared.holes import Hole, Lookup, Pending, Text, joined, known, same, text_of, written
from scanner.declared.intrinsics import Resolver
from scanner.declared.policies import access, value
from scanner.declared.requests import Facts, Home
from scanner.declared.roles import TemplateRoles, name_of
from scanner.declared.template_resources import TemplateResource
from scanner.model.facts import CallbackPermission, Function, FunctionAccess, LambdaFunction
from scanner.model.logic import Truth, all_of
from scanner.model.metadata import NOT_YET
from scanner.model.yamltree import Node, Scalar, Table
from scanner.policy.function_url import AUTH_TYPES, UNKNOWN_URL, FunctionUrl

FUNCTION, SERVERLESS = "AWS::Lambda::Function", "AWS::Serverless::Function"
ALIAS, VERSION = "AWS::Lambda::Alias", "AWS::Lambda::Version"
URL = "AWS::Lambda::Url"
PERMISSION, INVOKE_CONFIG = "AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig"
_TARGETS = {PERMISSION: "FunctionName", INVOKE_CONFIG: "FunctionName", URL: "TargetFunctionArn"}
_DEFAULT_TIMEOUT = (
    3  # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
)
_LATEST: Text = ("$LATEST",)
_DEFAULT_RETRIES = 2
_ANY: Text = (Hole(name="?"),)
_CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}
_PROPERTIES = {
    "runtime": "Runtime",
    "reserved_concurrency": "ReservedConcurrentExecutions",
    "failure_destination": "DeadLetterConfig",
    "dead_letter_queue": "DeadLetterConfig",
    "timeout_seconds": "Timeout",
    "role_arn": "Role",
}
"""Fact -> the property of a function that has it."""


class Functions:
    """The functions of one template in a world.

    `index` are those where nothing is given: names there have a hole for all that is open, and find what may be meant.
    """

    def __init__(
        self,
        resources: Mapping[str, TemplateResource],
        resolver: Resolver,
        home: Home,
        index: Functions | None = None,
    ) -> None:
        self._resources = resources
        self._resolver = resolver
        self._home = home
        self._index = index or self
        self.roles: TemplateRoles = TemplateRoles(resources, resolver, home, index.roles if index else None)
        self._by_name: Lookup[TemplateResource] | None = None

    def attribute(self, resource: TemplateResource, name: str) -> Text | None:
        """The value of Ref (name "") or Fn::GetAtt for a function, a version, an alias or a role; None: not known."""
        version: Text = (Hole(name=f"{resource.id}.Version", plain=True, new=True),)
        if resource.type in (FUNCTION, SERVERLESS) and name in ("", "Arn"):
            return self._arn(resource) if name else self._name(resource)
        if resource.type == VERSION and name in ("", "Version"):
            return version if name else self._qualified(resource, version)
        if resource.type == ALIAS and name in ("", "AliasArn"):
            return self._qualified(resource, self._text(resource, "Name"))
        return self.roles.attribute(resource, name)

    def configured(self, function: LambdaFunction, arn: Text, owner: Text, facts: Facts, path: str) -> LambdaFunction:
        """The function with the facts that the template has for it; a function from elsewhere stays as it is.

        If it is not certain that it is the template's function, all its facts are unknown.
        """
        named = function_name(arn)
        if named is None or named.partition is None:
            return function
        resource, sure = self._declared(named)
        if resource is None:
            return function
        if not sure:
            return _unknown(function, facts, path, f"whether it is {resource.id}")
        qualifier = named.qualifier
        identified = structs.replace(function, declared=resource.id)
        if f"{path}.arn" in facts.written:  # shorter than an ARN that consists mostly of holes
            shown = f"${{{resource.id}.Arn}}"
            facts.written[f"{path}.arn"] = f"{shown}:{written(qualifier)}" if qualifier else shown
        if resource.type != FUNCTION:
            return identified
        if self._resolver.made(resource) is not True:
            return _unknown(identified, facts, path, f"whether {resource.id} is made")
        role = self._resolver.text(resource.properties.entries.get("Role"))
        if role is not None:
            facts.settled(f"{path}.function.role_arn", role)
        known, places = self._resolver.once(
            ("known", resource.id, qualifier, owner), lambda: self._known(resource, qualifier, role, owner)
        )
        for name, node in places.items():
            facts.at(f"{path}.{name}", node)
        return structs.replace(identified, **known)

    def _known(
        self, resource: TemplateResource, qualifier: Text | None, role: Text | None, owner: Text
    ) -> tuple[Mapping[str, Any], Mapping[str, Node]]:
        """The facts that the template has for a function that `owner` invokes, and their places, by names in rules."""
        places = dict(self._places(resource, qualifier, role))
        statements = self._statements(resource, qualifier)
        known = {
            "function": self._function(resource, qualifier, role),
            "access": access(statements, owner, self._home.account_id, self._url(resource, qualifier)),
            "callback": self.roles.callback(role, owner),
        }
        return known, places

    def _declared(self, named: FunctionName) -> tuple[TemplateResource | None, bool]:
        """The function of this template that a name refers to or may refer to, and whether that is certain."""
        functions = self._index.by_name
        for each in functions.exactly(named.name):
            if same_function(named, self._function_name(each)) is True:
                return each, True
        may_be = None
        for each in functions if named.hides else functions.maybe(named.name):
            truth = same_function(named, self._function_name(each))
            if truth is True:
                return each, True
            if truth is UNSET and may_be is None:
                may_be = each
        return may_be, False

    @property
    def by_name(self) -> Lookup[TemplateResource]:
        """The functions by name. It is empty while names are resolved, since these may refer to functions."""
        if self._by_name is None:
            self._by_name = Lookup()
            self._by_name = Lookup((self._name(each), each) for each in self._of_type(FUNCTION, SERVERLESS))
        return self._by_name

    def _function_name(self, resource: TemplateResource) -> FunctionName:
        home = self._home
        return FunctionName(
            name=self._name(resource), account_id=home.account_id, region=home.region, partition=home.partition
        )

    def _name(self, resource: TemplateResource) -> Text:
        own = resource.properties.entries.get("FunctionName")
        return self._resolver.once(("name", resource.id), lambda: name_of(resource, own, self._resolver))

    def _arn(self, resource: TemplateResource) -> Text:
        return self._written(self._function_name(resource))

    def _written(self, named: FunctionName) -> Text:
        """The ARN of a function, without its qualifier."""
        partition, region = named.partition or self._home.partition, named.region or self._home.region
        account_id = named.account_id or self._home.account_id
        return joined([("arn",), partition, ("lambda",), region, account_id, ("function",), named.name], (":",))

    def _qualified(self, resource: TemplateResource, qualifier: Text | None) -> Text | None:
        function = self._target(resource)
        return None if function is None or qualifier is None else joined([function, qualifier], (":",))

    def _target(self, resource: TemplateResource) -> Text | None:
        """The ARN of the function that a version or an alias belongs to."""
        if (named := self._named(resource)) is None:
            return None
        function, sure = self._declared(named)
        if function is not None and sure:
            return self._arn(function)
        return None if named.hides else self._written(named)

    def _named(self, resource: TemplateResource, property_: str = "FunctionName") -> FunctionName | None:
        """The name of the function in a property of a version, an alias, a permission or the like."""

        def read() -> FunctionName | None:
            text = self._text(resource, property_)
            return None if text is None else function_name(text)

        return self._resolver.once(("named", resource.id, property_), read)

    def _made_for(
        self, function: TemplateResource, type_: str
    ) -> Iterator[tuple[TemplateResource, FunctionName | None, Truth]]:
        """The resources of a type that are or may be for a function, each with its function's name and if it is."""
        own = self._function_name(function)
        for each in self._resolver.once(("for", function.id, type_), partial(self._maybe_for, own, type_)):
            named = self._named(each, _TARGETS[type_])
            is_for = UNSET if named is None else same_function(named, own)
            if is_for is not False and (truth := all_of((is_for, self._resolver.made(each)))) is not False:
                yield each, named, truth

    def _maybe_for(self, function: FunctionName, type_: str) -> Sequence[TemplateResource]:
        return list(self._index.by_target[type_].maybe(function.name))

    @cached_property
    def by_target(self) -> Mapping[str, Lookup[TemplateResource]]:
        """The resources that belong to a function, by type and by the name of their function."""
        targets: dict[str, list[tuple[Text, TemplateResource]]] = {}
        for type_, property_ in _TARGETS.items():
            named = [(each, self._named(each, property_)) for each in self._of_type(type_)]
            targets[type_] = [(_ANY if own is None or own.hides else own.name, each) for each, own in named]
        return {type_: Lookup(named) for type_, named in targets.items()}

    def _function(self, resource: TemplateResource, qualifier: Text | None, role: Text | None) -> Function:
        timeout = self._text(resource, "Timeout")
        return Function(
            exists=True,
            runtime=self._settled(resource, "Runtime"),
            reserved_concurrency=_number(self._settled(resource, "ReservedConcurrentExecutions")),
            failure_destination=self._failure_destination(resource, qualifier),
            dead_letter_queue=self._inner(resource, "DeadLetterConfig", "TargetArn"),
            maximum_retry_attempts=self._retries(resource, qualifier),
            timeout_seconds=_number(known(timeout)) or UNSET if timeout else _DEFAULT_TIMEOUT,
            role_arn=(known(role) or UNSET) if role else UNSET,
        )

    def _failure_destination(self, resource: TemplateResource, qualifier: Text | None) -> str | UnsetType | None:
        """The dead-letter queue or on-failure destination. It counts even if only the deployment settles its ARN."""
        found = [self._inner(resource, "DeadLetterConfig", "TargetArn")]
        for each, truth in self._invoke_configs(resource, qualifier):
            destination = self._inner(each, "DestinationConfig", "OnFailure", "Destination")
            found.append(destination if truth is True else UNSET)
        sure = (each for each in found if isinstance(each, str))
        return next(sure, UNSET if UNSET in found else None)

    def _retries(self, resource: TemplateResource, qualifier: Text | None) -> int | UnsetType:
        configs = list(self._invoke_configs(resource, qualifier))
        told = [_number(self._settled(each, "MaximumRetryAttempts")) for each, _ in configs]
        possible = {_DEFAULT_RETRIES if number is None else number for number in told}
        if not all(truth is True for _, truth in configs) or not configs:
            possible.add(_DEFAULT_RETRIES)
        return possible.pop() if len(possible) == 1 else UNSET

    def _invoke_configs(
        self, resource: TemplateResource, qualifier: Text | None
    ) -> Iterator[tuple[TemplateResource, Truth]]:
        """The configurations of asynchronous invocation that are or may be for a qualifier, each with whether it is."""
        for each, _, is_for in self._made_for(resource, INVOKE_CONFIG):
            truth = all_of((is_for, same(self._text(each, "Qualifier") or _LATEST, qualifier or _LATEST)))
            if truth is not False:
                yield each, truth

    def _statements(self, resource: TemplateResource, qualifier: Text | None) -> list[Any] | None:
        """The statements of a function's resource policy for a qualifier; None if they are not known."""
        own = self._function_name(resource)
        statements = []
        for each, named, is_for in self._made_for(resource, PERMISSION):
            version = UNSET if named is None else same_version(named, own, qualifier)
            truth = all_of((is_for, version))
            if truth is UNSET:
                return None
            if truth:
                statements.append(self._statement(each))
        return statements

    def _url(self, resource: TemplateResource, qualifier: Text | None) -> FunctionUrl:
        """The URL of a function or its alias. If the template declares none, there may still be one.

        Its age is not known, since a URL that exists already keeps its age when the template is deployed again.
        """
        for each, named, is_for in self._made_for(resource, URL):
            own = self._text(each, "Qualifier") or (named and named.qualifier) or _LATEST
            auth_type = self._settled(each, "AuthType")
            if all_of((is_for, same(own, qualifier or _LATEST))) is True and auth_type in AUTH_TYPES:
                return FunctionUrl(exists=True, auth_types=(str(auth_type),))
        return UNKNOWN_URL

    def _statement(self, permission: TemplateResource) -> dict[str, Any]:
        """The policy statement of a permission. Its resource is `*`, so that equal policies share an answer.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html
        """
        principal = self._text(permission, "Principal") or ("",)
        kind = (
            "Service" if str(principal[-1]).endswith((".amazonaws.com", ".amazonaws.com.cn", "URLSuffix}")) else "AWS"
        )
        conditions: dict[str, dict[str, Any]] = {}
        for name, (operator, key) in _CONDITIONS.items():
            node = permission.properties.entries.get(name)
            resolved = None if node is None else self._resolver.resolve(node)
            if resolved is not None:
                conditions.setdefault(operator, {})[key] = value(resolved)
        return {
            "Effect": "Allow",
            "Principal": {kind: principal},
            "Action": self._text(permission, "Action") or ("",),
            "Resource": "*",
            **({"Condition": conditions} if conditions else {}),
        }

    def _places(
        self, resource: TemplateResource, qualifier: Text | None, role: Text | None
    ) -> Iterator[tuple[str, Node]]:
        """The places of a function's facts: those of its properties or, without one, its logical id."""
        for fact in ("function", "access", "callback"):
            yield fact, resource.key
        for fact, name in _PROPERTIES.items():
            if (node := resource.properties.entries.get(name)) is not None:
                yield f"function.{fact}", node
        for config, _ in self._invoke_configs(resource, qualifier):
            if (node := config.properties.entries.get("MaximumRetryAttempts")) is not None:
                yield "function.maximum_retry_attempts", node
        permissions = list(islice(self._made_for(resource, PERMISSION), 2))
        if len(permissions) == 1:
            yield "access", permissions[0][0].key
        if (own := self.roles.declared(role)) is not None:
            yield "callback", own.key

    def _of_type(self, *types: str) -> list[TemplateResource]:
        """The resources of these types, except for those that their condition surely leaves out."""
        resources = self._resources.values()
        return [each for each in resources if each.type in types and self._resolver.made(each) is not False]

    def _text(self, resource: TemplateResource, name: str) -> Text | None:
        return self._resolver.text(resource.properties.entries.get(name))

    def _settled(self, resource: TemplateResource, name: str) -> str | UnsetType | None:
        """The text of a property; None if there is none, UNSET if its value is not known."""
        node = resource.properties.entries.get(name)
        resolved = None if node is None else self._resolver.resolve(node)
        if resolved is None:
            return None
        return resolved.text if isinstance(resolved, Scalar) else UNSET

    def _inner(self, resource: TemplateResource, *names: str) -> str | UnsetType | None:
        """A text inside a property, as the file writes it; None if there is none, UNSET if there may be none."""
        first, *within = names
        if intrinsics.function_name(resource.properties) is not None:
            return UNSET
        own = resource.properties.entries.get(first)
        node = None if own is None else self._resolver.resolve(own)
        for name in within:
            if isinstance(node, Pending):
                return UNSET
            node = node.entries.get(name) if isinstance(node, Table) else None
        if isinstance(node, Pending) and node.optional:
            return UNSET
        text = text_of(node)
        return None if text is None else written(text)


def _unknown(function: LambdaFunction, facts: Facts, path: str, why: str) -> LambdaFunction:
    """The function with unknown facts, which only the deployment settles; `why` is the file's text for them."""
    unknown = {"function": Function(exists=NOT_YET), "access": FunctionAccess(), "callback": CallbackPermission()}
    facts.written |= {f"{path}.{name}": why for name in unknown}
    return structs.replace(function, **unknown)


def _number(text: str | UnsetType | None) -> int | UnsetType | None:
    if isinstance(text, str):
        return int(text) if text.isdecimal() and len(text) < 10 else UNSET
    return text
