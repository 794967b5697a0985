"""The functions of a file of the Serverless Framework and their role, as the resources that the framework makes.

https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from scanner.declared.intrinsics import function_name
from scanner.model.yamltree import Listing, Node, Scalar, Table

_ROLE = "IamRoleLambdaExecution"
_TIMEOUT = "6"
_TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole"}
_SPELLED = {"-": "Dash", "_": "Underscore"}
Made = tuple[Scalar, Table]
"""The key and the value of a resource."""


def resources(root: Table) -> dict[str, Made]:
    """The resources that the framework makes, by logical id; none of functions that a variable stands for."""
    made: dict[str, Made] = {}
    provider, given = root.entries.get("provider"), root.entries.get("functions")
    for part in given.items if isinstance(given, Listing) else (given,):
        for name, own in _plain(part).items():
            key = _scalar(name, part.keys[name] if isinstance(part, Table) else own)
            made |= {each.text: (each, node) for each, node in _Function(key, _plain(own), root, provider).resources()}
    return made


class _Function:
    """One function: the key of its name, and what is given for it and, by the provider, for all."""

    def __init__(self, key: Scalar, own: Mapping[str, Node], root: Table, provider: Node | None) -> None:
        self._key = key
        self._own = own
        self._service = root.entries.get("service")
        self._is_known = isinstance(provider, Table) and function_name(provider) is None
        self._shared = _plain(provider)
        iam = _plain(self._shared.get("iam")).get("role")
        self._iam = _plain(iam)
        self._role = own.get("role") or self._shared.get("role") or (None if self._iam else iam)

    def resources(self) -> Iterator[Made]:
        """The function, its configuration of asynchronous invocation if it has one, and the role of all functions."""
        if not self._own:
            return
        name = self._key.text
        id_ = name[:1].upper() + "".join(_SPELLED.get(each, each) for each in name[1:]) + "LambdaFunction"
        yield self._resource(id_, "AWS::Lambda::Function", self._function())
        destination = _plain(self._own.get("destinations")).get("onFailure")
        config = {
            "MaximumRetryAttempts": self._own.get("maximumRetryAttempts"),
            "DestinationConfig": destination
            and self._table({"OnFailure": self._table({"Destination": _plain(destination).get("arn", destination)})}),
        }
        if any(config.values()):
            own = {"FunctionName": self._call("Ref", id_), "Qualifier": _scalar("$LATEST", self._key), **config}
            yield self._resource(f"{id_}EventInvokeConfig", "AWS::Lambda::EventInvokeConfig", own)
        if self._role is None and self._is_known:
            yield self._resource(_ROLE, "AWS::IAM::Role", self._execution_role())

    def _function(self) -> Mapping[str, Node | None]:
        dead_letters = self._own.get("onError")
        return {
            "FunctionName": self._own.get("name") or self._name(),
            "Runtime": None if "image" in self._own else self._given("runtime", None),
            "Timeout": self._given("timeout", _TIMEOUT),
            "ReservedConcurrentExecutions": self._own.get("reservedConcurrency"),
            "DeadLetterConfig": dead_letters and self._table({"TargetArn": dead_letters}),
            "Role": self._role_arn(),
        }

    def _name(self) -> Node:
        """The name that the framework gives: that of the service, which may also be its name alone, comes first."""
        service = _plain(self._service).get("name", self._service)
        if not isinstance(service, Scalar):
            return self._call("Ref", "service")
        return self._call("Fn::Sub", f"{service.text}-${{sls:stage}}-{self._key.text}")

    def _given(self, name: str, default: str | None) -> Node:
        """A setting of the function or of all; a reference to nothing if only the deployment settles it."""
        given = self._own.get(name) or self._shared.get(name)
        if given is None and default is not None and self._is_known:
            return _scalar(default, self._key)
        return given or self._call("Ref", f"provider.{name}")

    def _role_arn(self) -> Node:
        match self._role:
            case _ if "iamRoleStatements" in self._own or not (self._role or self._is_known):
                return self._call("Ref", "provider.iam.role")
            case Scalar(text=text) as role if ":" not in text:
                return replace(self._call("Fn::GetAtt", text, "Arn"), line=role.line, column=role.column)
            case None:
                return self._call("Fn::GetAtt", _ROLE, "Arn")
        return self._role

    def _execution_role(self) -> Mapping[str, Node | None]:
        statements = self._iam.get("statements") or self._shared.get("iamRoleStatements")
        trust: dict[str, Node] = {name: _scalar(text, self._key) for name, text in _TRUST.items()}
        trust["Principal"] = self._table({"Service": _scalar("lambda.amazonaws.com", self._key)})
        return {
            "AssumeRolePolicyDocument": self._table({"Statement": self._list([self._table(trust)])}),
            "ManagedPolicyArns": self._iam.get("managedPolicies") or self._shared.get("iamManagedPolicies"),
            "PermissionsBoundary": self._iam.get("permissionsBoundary")
            or self._iam.get("permissionBoundary")
            or self._shared.get("rolePermissionsBoundary"),
            "Policies": statements
            and self._list([self._table({"PolicyDocument": self._table({"Statement": statements})})]),
        }

    def _resource(self, id_: str, type_: str, properties: Mapping[str, Node | None]) -> Made:
        own = {name: each for name, each in properties.items() if each is not None}
        node = self._table({"Type": _scalar(type_, self._key), "Properties": self._table(own)})
        return replace(self._key, value=id_, text=id_), node

    def _call(self, name: str, *arguments: str) -> Table:
        texts = [_scalar(each, self._key) for each in arguments]
        return self._table({name: texts[0] if len(texts) == 1 else self._list(texts)})

    def _list(self, items: Sequence[Node]) -> Listing:
        return Listing(line=self._key.line, column=self._key.column, items=tuple(items))

    def _table(self, entries: Mapping[str, Node]) -> Table:
        keys = {name: _scalar(name, self._key) for name in entries}
        return Table(line=self._key.line, column=self._key.column, entries=dict(entries), keys=keys)


def _plain(node: Node | None) -> Mapping[str, Node]:
    """The members of a mapping; none of anything else, such as a variable."""
    return node.entries if isinstance(node, Table) and function_name(node) is None else {}


def _scalar(text: str, place: Node) -> Scalar:
    return Scalar(line=place.line, column=place.column, value=text, text=text, plain=False)
