"""The execution roles of functions in a template, and what they may do in Chime.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from msgspec import UNSET

from scanner.declared.arns import FIELDS, same_arn
from scanner.declared.holes import Hole, Lookup, Pending, Text, joined, same, split, text_of, written
from scanner.declared.intrinsics import Resolver
from scanner.declared.policies import about_chime, callback, chat_role, value
from scanner.declared.requests import Home
from scanner.declared.template_resources import TemplateResource
from scanner.declared.user_policies import UserPolicies
from scanner.model.facts import CallbackPermission
from scanner.model.logic import Truth, all_of, any_of
from scanner.model.yamltree import Listing, Node, Table
from scanner.policy import ChatRole, LeftOut

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


class TemplateRoles:
    """The roles of one template in a world, and the policies that are attached to them.

    `index` are those where nothing is given (scanner.declared.functions.Functions).
    """

    def __init__(
        self,
        resources: Mapping[str, TemplateResource],
        resolver: Resolver,
        home: Home,
        index: TemplateRoles | None = None,
    ) -> None:
        self._resources = resources
        self._resolver = resolver
        self.home = home
        self._index = index or self

    def attribute(self, resource: TemplateResource, name: str) -> Text | None:
        """The value of Ref (name "") or Fn::GetAtt for a role or managed policy; None: not known."""
        match resource.type, name:
            case "AWS::IAM::Role", "":
                return self._name(resource, "RoleName")
            case "AWS::IAM::Role", "Arn":
                return self._arn("role", resource, "RoleName")
            case "AWS::IAM::ManagedPolicy", ("" | "PolicyArn" | "Arn"):
                return self._arn("policy", resource, "ManagedPolicyName")
        return None

    def declared(self, arn: Text | None) -> TemplateResource | None:
        """The role of this template that surely has the ARN; None if there is none."""

        def found() -> TemplateResource | None:
            return next((each for each in self._named(ROLE, arn) if self._has(each, arn) is True), None)

        return self._resolver.once(("role", arn), found)

    def callback(self, arn: Text | None, app_instance: Text) -> CallbackPermission | Any:
        """What a role may do in Chime; UNSET if the template does not declare the role.

        If the template may declare it, what it may do is unknown.
        """
        role = self.declared(arn)
        if role is None:
            may_be = any(self._has(each, arn) is not False for each in self._named(ROLE, arn))
            return CallbackPermission() if may_be else UNSET
        identity = [about_chime(each) for each in self._identity(role)]
        return callback(identity, self._boundary(role), app_instance)

    def chat_role(self, role: TemplateResource, app_instance: Text, *, is_given: bool) -> ChatRole | LeftOut | None:
        """What a role lets signed-in users do, as scanner.policy.chat_role; `app_instance` is an app instance's ARN."""
        documents = UserPolicies(
            arn=_plain(self.arn(role)),
            trust=self._document(role.properties, "AssumeRolePolicyDocument"),
            identity=list(self._identity(role)),
            boundary=self._boundary(role),
        )
        return chat_role(documents, app_instance, is_given=is_given)

    def unknown_policies(self, role: TemplateResource) -> list[str]:
        """The ARNs, as the template writes them, of managed policies of a role whose documents are not known."""
        properties = role.properties.entries
        arns = [text_of(each) for each in self._items(properties.get("ManagedPolicyArns"))]
        arns.append(self._resolver.text(properties.get("PermissionsBoundary")))
        return [written(arn) for arn in arns if arn is not None and self._managed(arn) is UNSET]

    def all(self) -> list[TemplateResource]:
        """The roles that the deployment makes or may make."""
        return self._of_type(ROLE)

    def arn(self, role: TemplateResource) -> Text:
        return self._arn("role", role, "RoleName")

    def name(self, role: TemplateResource) -> Text:
        return self._name(role, "RoleName")

    def _identity(self, role: TemplateResource) -> Iterator[Any]:
        properties = role.properties.entries
        for policy in self._items(properties.get("Policies")):
            yield self._document(policy)
        for arn in self._items(properties.get("ManagedPolicyArns")):
            yield self._managed(text_of(arn))
        policies = {each.id: each for each in self._index.attached.maybe(self._name(role, "RoleName"))}
        for each in policies.values():
            attached = self._is_attached(each, role)
            if attached is not False and (attached := all_of((attached, self._resolver.made(each)))) is not False:
                yield self._document(each.properties) if attached else UNSET

    def _is_attached(self, policy: TemplateResource, role: TemplateResource) -> Truth:
        name = self._name(role, "RoleName")
        return any_of(same(each, name) for each in self._roles_of(policy))

    def _roles_of(self, policy: TemplateResource) -> list[Text]:
        """The names of the roles to which a policy is attached."""
        own = policy.properties.entries
        names = [text_of(item) for item in self._items(own.get("Roles"))]
        names.append(self._resolver.text(own.get("RoleName")))
        return [each for each in names if each is not None]

    @cached_property
    def attached(self) -> Lookup[TemplateResource]:
        """The policies, by the names of the roles to which each is attached."""
        policies = self._of_type(INLINE, ROLE_POLICY, MANAGED)
        return Lookup((name, each) for each in policies for name in self._roles_of(each))

    def _named(self, type_: str, arn: Text | None) -> Iterator[TemplateResource]:
        """All resources of a type that may have the ARN; some others may be among them."""
        if arn is None:
            return iter(())
        name = _name_in(arn)
        by_name = self._index.by_name[type_]
        return by_name.maybe(name) if name else iter(by_name)

    @cached_property
    def by_name(self) -> Mapping[str, Lookup[TemplateResource]]:
        """Roles and managed policies, by the last part of their ARNs."""
        arns = {
            type_: [(self.attribute(each, "Arn"), each) for each in self._of_type(type_)] for type_ in (ROLE, MANAGED)
        }
        return {type_: Lookup((_name_in(arn) or (), each) for arn, each in named) for type_, named in arns.items()}

    def _has(self, role: TemplateResource, arn: Text | None) -> Truth:
        own = self.attribute(role, "Arn")
        return False if arn is None or own is None else same_arn(arn, own)

    def _boundary(self, role: TemplateResource) -> Any:
        node = role.properties.entries.get("PermissionsBoundary")
        resolved = None if node is None else self._resolver.resolve(node)
        return None if resolved is None else self._managed(text_of(resolved))

    def _managed(self, arn: Text | None) -> Any:
        """The document of a managed policy of the template, or of one of AWS's that this module knows; else UNSET."""
        own = next((each for each in self._named(MANAGED, arn) if self._has(each, arn) is True), None)
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

    def _document(self, holder: Node, name: str = "PolicyDocument") -> Any:
        node = holder.entries.get(name) if isinstance(holder, Table) else None
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

    def _of_type(self, *types: str) -> list[TemplateResource]:
        """The resources of these types, except for those that their condition surely leaves out."""
        resources = self._resources.values()
        return [each for each in resources if each.type in types and self._resolver.made(each) is not False]

    def _name(self, resource: TemplateResource, property_: str) -> Text:
        return name_of(resource, resource.properties.entries.get(property_), self._resolver)

    def _arn(self, kind: str, resource: TemplateResource, property_: str) -> Text:
        return self._resolver.once(("arn", resource.id), partial(self._made_arn, kind, resource, property_))

    def _made_arn(self, kind: str, resource: TemplateResource, property_: str) -> Text:
        home, path = self.home, self._resolver.text(resource.properties.entries.get("Path")) or ("/",)
        name = joined([(kind,), path, self._name(resource, property_)])
        return joined([("arn",), home.partition, ("iam",), (), home.account_id, name], (":",))


def name_of(resource: TemplateResource, own: Node | None, resolver: Resolver) -> Text:
    """A resource's own name or, without one, a hole for the name that the deployment makes up. Its holes are plain."""
    resolved = None if own is None else resolver.resolve(own)
    name = text_of(resolved) or (Hole(name=resource.id, new=True),)
    if isinstance(resolved, Pending) and resolved.optional:  # it may be either
        return name
    return _plain(name)


def _plain(text: Text) -> Text:
    return tuple(replace(piece, plain=True) if isinstance(piece, Hole) else piece for piece in text)


def _name_in(arn: Text | None) -> Text | None:
    """The part of an ARN after the account; None if holes hide it."""
    fields = split(arn, ":", FIELDS - 1) if arn else []
    return fields[-1] if len(fields) == FIELDS else None


def _document(statements: list[Any]) -> Any:
    return {"Version": "2012-10-17", "Statement": statements}
