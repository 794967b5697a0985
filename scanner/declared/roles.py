"""What a template says of the roles that functions run with.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from scanner.declared.intrinsics import Resolver
from scanner.declared.pending import Hole, Text, joined, known, text_of, written
from scanner.declared.policies import about_chime, callback, value
from scanner.declared.requests import Home
from scanner.declared.resources import Resource
from scanner.inventory import CallbackPermission
from scanner.source import Listing, Node, Table

ROLE, INLINE, ROLE_POLICY, MANAGED = (
    "AWS::IAM::Role",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::ManagedPolicy",
)
_AWS_MANAGED = ":iam::aws:policy/"
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_NOTHING_OF_CHIME = frozenset(
    {
        *("AWSLambdaBasicExecutionRole", "AWSLambdaBasicDurableExecutionRolePolicy", "AWSLambdaDynamoDBExecutionRole"),
        *("AWSLambdaENIManagementAccess", "AWSLambdaInvocation-DynamoDB", "AWSLambdaKinesisExecutionRole"),
        *("AWSLambdaMSKExecutionRole", "AWSLambdaRole", "AWSLambdaSQSQueueExecutionRole"),
        *("AWSLambdaVPCAccessExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"),
        *("CloudWatchLambdaInsightsExecutionRolePolicy", "AmazonComprehendReadOnly", "ComprehendReadOnly"),
        *("ComprehendFullAccess", "AmazonRekognitionReadOnlyAccess", "AmazonSQSFullAccess", "AmazonS3ReadOnlyAccess"),
        *("AmazonDynamoDBFullAccess", "AmazonDynamoDBReadOnlyAccess", "SecretsManagerReadWrite"),
    }
)
_EVERYTHING = {"AdministratorAccess": "*", "AmazonChimeFullAccess": "chime:*"}


class Roles:
    """The roles of one template, and the policies that are attached to them."""

    def __init__(self, resources: Mapping[str, Resource], resolver: Resolver, home: Home) -> None:
        self._resources = resources
        self._resolver = resolver
        self._home = home

    def attribute(self, resource: Resource, name: str) -> Text | None:
        """What Ref (name "") and Fn::GetAtt give of roles and managed policies."""
        match resource.type, name:
            case "AWS::IAM::Role", "":
                return self._name(resource, "RoleName")
            case "AWS::IAM::Role", "Arn":
                return self._arn("role", self._name(resource, "RoleName"))
            case "AWS::IAM::ManagedPolicy", ("" | "PolicyArn"):
                return self._arn("policy", self._name(resource, "ManagedPolicyName"))
        return None

    def declared(self, arn: Text | None) -> Resource | None:
        """The role of this template that has the ARN."""
        roles = self._of_type(ROLE)
        return next((each for each in roles if arn and self.attribute(each, "Arn") == arn), None)

    def callback(self, arn: Text | None, app_instance: Text) -> CallbackPermission | Any:
        """What the role may do in Chime; UNSET where the template does not declare it."""
        role = self.declared(arn)
        if role is None:
            return UNSET
        identity = [about_chime(each) for each in self._identity(role)]
        return callback(identity, self._boundary(role), app_instance)

    def _identity(self, role: Resource) -> Iterator[Any]:
        properties = role.properties.entries
        for policy in self._items(properties.get("Policies")):
            yield self._document(policy)
        for arn in self._items(properties.get("ManagedPolicyArns")):
            yield self._managed(text_of(arn))
        for each in (*self._of_type(INLINE), *self._of_type(ROLE_POLICY), *self._of_type(MANAGED)):
            if self._is_attached(each, role):
                yield self._document(each.properties)

    def _is_attached(self, policy: Resource, role: Resource) -> bool:
        own = policy.properties.entries
        names = [text_of(item) for item in self._items(own.get("Roles"))]
        names.append(self._resolver.text(own.get("RoleName")))
        return self._name(role, "RoleName") in names

    def _boundary(self, role: Resource) -> Any:
        node = role.properties.entries.get("PermissionsBoundary")
        resolved = None if node is None else self._resolver.resolve(node)
        return None if resolved is None else self._managed(text_of(resolved))

    def _managed(self, arn: Text | None) -> Any:
        """The document of a managed policy: one of the template, or one of AWS's that are known here."""
        own = next((each for each in self._of_type(MANAGED) if arn and self.attribute(each, "") == arn), None)
        if own is not None:
            return self._document(own.properties)
        path = written(arn) if arn else ""
        name = path.rpartition("/")[2]
        if _AWS_MANAGED not in path:
            return UNSET
        if name in _NOTHING_OF_CHIME:
            return _document([])
        if name in _EVERYTHING:
            return _document([{"Effect": "Allow", "Action": _EVERYTHING[name], "Resource": "*"}])
        return UNSET

    def _document(self, holder: Node) -> Any:
        node = holder.entries.get("PolicyDocument") if isinstance(holder, Table) else None
        resolved = None if node is None else self._resolver.resolve(node)
        if not isinstance(resolved, Table):
            return UNSET
        document = value(resolved)
        statements = document.get("Statement")
        return {**document, "Statement": statements if isinstance(statements, list) else [statements]}

    def _items(self, node: Node | None) -> Sequence[Node]:
        resolved = None if node is None else self._resolver.resolve(node)
        if isinstance(resolved, Listing):
            return resolved.items
        return () if resolved is None else (resolved,)

    def _of_type(self, type_: str) -> list[Resource]:
        return [
            each
            for each in self._resources.values()
            if each.type == type_ and (each.condition is None or self._resolver.holds(each.condition) is not False)
        ]

    def _name(self, resource: Resource, property_: str) -> Text:
        own = self._resolver.text(resource.properties.entries.get(property_))
        return own if own and known(own) is not None else (Hole(name=resource.id, plain=True),)

    def _arn(self, kind: str, name: Text) -> Text:
        home = self._home
        return joined([("arn",), home.partition, ("iam",), (), home.account_id, joined([(f"{kind}/",), name])], (":",))


def _document(statements: list[Any]) -> Any:
    return {"Version": "2012-10-17", "Statement": statements}
