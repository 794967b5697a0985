"""What a template says of the functions that processors invoke: their configuration, who may invoke them, their roles.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET, UnsetType, structs

from scanner.declared.intrinsics import Resolver
from scanner.declared.pending import Hole, Text, joined, known, split, written
from scanner.declared.policies import access, value
from scanner.declared.requests import Facts, Home
from scanner.declared.resources import Resource
from scanner.declared.roles import Roles
from scanner.inventory import Function, LambdaFunction
from scanner.source import Node, Scalar, Table

FUNCTION, SERVERLESS = "AWS::Lambda::Function", "AWS::Serverless::Function"
ALIAS, VERSION = "AWS::Lambda::Alias", "AWS::Lambda::Version"
PERMISSION, INVOKE_CONFIG = "AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig"
_DEFAULT_TIMEOUT = (
    3  # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
)
_LATEST = "$LATEST"
_ARN_FIELDS = 7
_CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


class Functions:
    """The functions of one template."""

    def __init__(self, resources: Mapping[str, Resource], resolver: Resolver, home: Home) -> None:
        self._resources = resources
        self._resolver = resolver
        self._home = home
        self._roles = Roles(resources, resolver, home)

    def attribute(self, resource: Resource, name: str) -> Text | None:
        """What Ref (name "") and Fn::GetAtt give of functions, their versions and aliases, and of roles."""
        version: Text = (Hole(name=f"{resource.id}.Version", plain=True),)
        if resource.type in (FUNCTION, SERVERLESS) and name in ("", "Arn"):
            return self._arn(self._name(resource)) if name else self._name(resource)
        if resource.type == VERSION and name in ("", "Version"):
            return version if name else self._qualified(resource, version)
        if resource.type == ALIAS and name in ("", "AliasArn"):
            return self._qualified(resource, self._text(resource, "Name"))
        return self._roles.attribute(resource, name)

    def configured(self, function: LambdaFunction, arn: Text, owner: Text, facts: Facts, path: str) -> LambdaFunction:
        """The function with all that the template says of it; one of another place stays as it is."""
        resource = self._declared(arn)
        if resource is None:
            return function
        fields = split(arn, ":", _ARN_FIELDS)
        qualifier = fields[_ARN_FIELDS] if len(fields) > _ARN_FIELDS else None
        identified = structs.replace(function, declared=resource.id)
        if f"{path}.arn" in facts.written:  # shorter than an ARN that is mostly holes
            shown = f"${{{resource.id}.Arn}}"
            facts.written[f"{path}.arn"] = f"{shown}:{written(qualifier)}" if qualifier else shown
        if resource.type != FUNCTION or self._made(resource) is not True:
            return identified
        role = self._resolver.text(resource.properties.entries.get("Role"))
        self._mark(resource, facts, path)
        statements = self._statements(resource, qualifier)
        if role is not None:
            facts.settled(f"{path}.function.role_arn", role)
        return structs.replace(
            identified,
            function=self._function(resource, qualifier, role),
            access=access(statements, owner, self._home.account_id),
            callback=self._roles.callback(role, owner),
        )

    def _declared(self, arn: Text) -> Resource | None:
        """The function of this template that an ARN is that of, qualified or not."""
        unqualified = split(arn, ":", _ARN_FIELDS)[:_ARN_FIELDS]
        return next((each for each in self._all() if self._fields(each) == unqualified), None)

    def _all(self) -> Iterator[Resource]:
        return (each for each in self._resources.values() if each.type in (FUNCTION, SERVERLESS))

    def _fields(self, resource: Resource) -> list[Text]:
        return split(self._arn(self._name(resource)), ":", _ARN_FIELDS)

    def _name(self, resource: Resource) -> Text:
        own = self._text(resource, "FunctionName")
        return own if own and known(own) is not None else (Hole(name=resource.id, plain=True),)

    def _arn(self, name: Text) -> Text:
        home = self._home
        return joined(
            [("arn",), home.partition, ("lambda",), home.region, home.account_id, ("function",), name], (":",)
        )

    def _qualified(self, resource: Resource, qualifier: Text | None) -> Text | None:
        function = self._target(resource)
        return None if function is None or qualifier is None else joined([function, qualifier], (":",))

    def _target(self, resource: Resource) -> Text | None:
        """The ARN of the function that a version, an alias, a permission or the like belongs to."""
        text = self._text(resource, "FunctionName")
        if text is None or (len(text) == 1 and isinstance(text[0], Hole) and not text[0].plain):
            return None
        return text if len(split(text, ":")) >= _ARN_FIELDS else self._arn(text)

    def _function(self, resource: Resource, qualifier: Text | None, role: Text | None) -> Function:
        timeout = self._text(resource, "Timeout")
        return Function(
            exists=True,
            runtime=self._settled(resource, "Runtime"),
            reserved_concurrency=_number(self._settled(resource, "ReservedConcurrentExecutions")),
            failure_destination=self._failure_destination(resource, qualifier),
            timeout_seconds=_number(known(timeout)) or UNSET if timeout else _DEFAULT_TIMEOUT,
            role_arn=(known(role) or UNSET) if role else UNSET,
        )

    def _failure_destination(self, resource: Resource, qualifier: Text | None) -> str | UnsetType | None:
        """What has an ARN only after the deployment is a destination all the same."""
        if (queue := self._inner(resource, "DeadLetterConfig", "TargetArn")) is not None:
            return written(queue)
        wanted = joined([self._arn(self._name(resource)), qualifier or (_LATEST,)], (":",))
        for each in self._of_type(INVOKE_CONFIG):
            target = self._target(each)
            if target is None:
                return UNSET
            own = self._text(each, "Qualifier") or (_LATEST,)
            if joined([target, own], (":",)) == wanted:
                found = self._inner(each, "DestinationConfig", "OnFailure", "Destination")
                return None if found is None else written(found)
        return None

    def _statements(self, resource: Resource, qualifier: Text | None) -> list[Any] | None:
        """Those of the function's resource policy for a qualifier; None where they are not known."""
        arn = self._arn(self._name(resource))
        wanted = arn if qualifier is None else joined([arn, qualifier], (":",))
        statements = []
        for each in self._of_type(PERMISSION):
            target = self._target(each)
            if target is None or (target == wanted and self._made(each) is not True):
                return None
            if target == wanted:
                statements.append(self._statement(each, wanted))
        return statements

    def _statement(self, permission: Resource, arn: Text) -> dict[str, Any]:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html"""
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
            "Resource": arn,
            **({"Condition": conditions} if conditions else {}),
        }

    def _mark(self, resource: Resource, facts: Facts, path: str) -> None:
        """Where the facts of a function stand: at its properties, else at its logical id."""
        properties = resource.properties
        for name in ("function", "access", "callback"):
            facts.at(f"{path}.{name}", resource.key)
        for fact, name in (
            ("runtime", "Runtime"),
            ("reserved_concurrency", "ReservedConcurrentExecutions"),
            ("failure_destination", "DeadLetterConfig"),
            ("timeout_seconds", "Timeout"),
            ("role_arn", "Role"),
        ):
            if (node := properties.entries.get(name)) is not None:
                facts.at(f"{path}.function.{fact}", node)
        permissions = [each for each in self._of_type(PERMISSION) if self._belongs(each, resource)]
        if len(permissions) == 1:
            facts.at(f"{path}.access", permissions[0].key)
        if (role := self._roles.declared(self._resolver.text(properties.entries.get("Role")))) is not None:
            facts.at(f"{path}.callback", role.key)

    def _belongs(self, permission: Resource, function: Resource) -> bool:
        target = self._target(permission)
        return target is not None and split(target, ":", _ARN_FIELDS)[:_ARN_FIELDS] == self._fields(function)

    def _of_type(self, type_: str) -> list[Resource]:
        """Those that are not surely left out by their condition."""
        return [each for each in self._resources.values() if each.type == type_ and self._made(each) is not False]

    def _made(self, resource: Resource) -> bool | UnsetType:
        return True if resource.condition is None else self._resolver.holds(resource.condition)

    def _text(self, resource: Resource, name: str) -> Text | None:
        return self._resolver.text(resource.properties.entries.get(name))

    def _settled(self, resource: Resource, name: str) -> str | UnsetType | None:
        """A property; None where there is none, UNSET where its value is not known."""
        node = resource.properties.entries.get(name)
        resolved = None if node is None else self._resolver.resolve(node)
        if resolved is None:
            return None
        return resolved.text if isinstance(resolved, Scalar) else UNSET

    def _inner(self, resource: Resource, *names: str) -> Text | None:
        node: Node | None = self._resolver.resolve(resource.properties)
        for name in names:
            node = node.entries.get(name) if isinstance(node, Table) else None
        return self._resolver.text(node)


def _number(text: str | UnsetType | None) -> int | UnsetType | None:
    if isinstance(text, str):
        return int(text) if text.isdecimal() and len(text) < 10 else UNSET
    return text
