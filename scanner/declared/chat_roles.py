"""The roles of a template that signed-in users are given, and what these let them do in Chime.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-identitypoolroleattachment.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolgroup.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import UNSET, Struct, structs

from scanner.declared.arns import FIELDS
from scanner.declared.holes import Hole, Pending, Text, joined, split, text_of, written
from scanner.declared.intrinsics import Resolver
from scanner.declared.requests import Facts, tags
from scanner.declared.roles import TemplateRoles
from scanner.declared.template_resources import TemplateResource
from scanner.model.facts import Role
from scanner.model.metadata import NOT_YET
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table
from scanner.policy import ChatRole, LeftOut
from scanner.policy.trust import COGNITO

_GIVING = {
    "AWS::Cognito::IdentityPoolRoleAttachment": ("Roles", "RoleMappings"),
    "AWS::Cognito::UserPoolGroup": ("RoleArn",),
}
"""What names the roles that identity pools give to users, by its properties. A group's role is in its users' tokens."""
_FACTS = ChatRole.__struct_fields__


_APP_INSTANCE: Text = (":app-instance/",)
_NO_ROLES = (".Type", ".AmbiguousRoleResolution", ".IdentityProvider", ".Claim", ".MatchType", ".Value")


class _Given(Struct, frozen=True, kw_only=True):
    """The ARN of a role that an identity pool gives to users, with its place and an id of the latter."""

    id: str
    place: Node
    arn: Text


class ChatRoles:
    """The roles of one template that identity providers may hand out, in a world."""

    def __init__(
        self,
        resources: Mapping[str, TemplateResource],
        resolver: Resolver,
        roles: TemplateRoles,
        file: str,
        mistakes: Mistakes,
    ) -> None:
        self._resources = resources
        self._resolver = resolver
        self._roles = roles
        self._home = roles.home
        self._file = file
        self._mistakes = mistakes

    def role(self, role: TemplateResource) -> Role | LeftOut | None:
        """A role with what it allows; LEFT_OUT if it is not judged, None if no identity provider may hand it out."""
        judged = self._roles.chat_role(role, self._some_app_instance, is_given=role.id in self._given)
        return self._role(role, judged) if isinstance(judged, ChatRole) else judged

    def elsewhere(self) -> Iterator[Role]:
        """The roles that identity pools give to their users, but that the template does not hold."""
        others = (each for each in self._attached() if self._roles.declared(each.arn) is None)
        yield from map(self._elsewhere, {each.arn: each for each in others}.values())

    def _role(self, resource: TemplateResource, judged: ChatRole) -> Role:
        facts = self._facts(resource.id, resource.key)
        unknown = self._roles.unknown_policies(resource)
        why = f"what {' and '.join(unknown)} allows" if unknown else "what its documents allow"
        facts.written |= {name: why for name in _FACTS if getattr(judged, name) is UNSET}
        own = resource.properties.entries.get("Tags")
        return structs.replace(
            self._named(facts, self._roles.arn(resource), self._roles.name(resource)),
            tags=tags(None if own is None else self._resolver.resolve(own), facts),
            **structs.asdict(judged),
            declared=facts.declaration,
        )

    def _elsewhere(self, given: _Given) -> Role:
        """A role that an identity pool gives to its users, but that the template does not hold."""
        facts = self._facts(given.id, given.place)
        facts.written |= dict.fromkeys(_FACTS, f"what {written(given.arn)} allows, which this template does not hold")
        facts.untold.add("tags")
        fields = split(given.arn, ":", FIELDS - 1)
        account = fields[4] if len(fields) == FIELDS else (Hole(name="its account"),)
        role = self._named(facts, given.arn, split(given.arn, "/")[-1])
        return structs.replace(
            role,
            account_id=facts.not_yet("account_id", account),
            providers=(COGNITO,),
            declared=facts.declaration,
        )

    def _facts(self, id_: str, place: Node) -> Facts:
        facts = Facts(file=self._file, id=id_, mistakes=self._mistakes, by_default=self._resolver.by_default)
        facts.at("", place)
        return facts

    def _named(self, facts: Facts, arn: Text, name: Text) -> Role:
        """A role of which only this is known. It goes by its file and id, as all that a template makes."""
        facts.written["arn"] = written(arn)
        return Role(
            arn=NOT_YET,
            name=facts.settled("name", name),
            account_id=facts.not_yet("account_id", self._home.account_id),
            partition=facts.not_yet("partition", self._home.partition),
        )

    @property
    def _some_app_instance(self) -> Text:
        home, id_ = self._home, Hole(name="app-instance", plain=True)
        return joined(
            [("arn:",), home.partition, (":chime:",), home.region, (":",), home.account_id, _APP_INSTANCE, (id_,)]
        )

    @cached_property
    def _given(self) -> frozenset[str]:
        """The logical ids of the roles that identity pools of the template give to their users."""
        declared = (self._roles.declared(each.arn) for each in self._attached())
        return frozenset(each.id for each in declared if each is not None)

    def _attached(self) -> Iterator[_Given]:
        """The roles that identity pools give to their users: by default, by rules on claims, or by a user's group."""
        for resource in self._resources.values():
            names = _GIVING.get(resource.type, ())
            for name in names if names and self._resolver.made(resource) is not False else ():
                if (node := resource.properties.entries.get(name)) is not None:
                    is_role = name != "RoleMappings"
                    yield from _arns(self._resolver.resolve(node), f"{resource.id}.{name}", is_role=is_role)


def _arns(node: Node | None, path: str, *, is_role: bool) -> Iterator[_Given]:
    """The ARNs in a value: all texts in it, or those under the key RoleARN; a value that is a hole may hold any."""
    match node:
        case Table():
            for key, each in node.entries.items():
                yield from _arns(each, f"{path}.{key}", is_role=is_role or key == "RoleARN")
        case Listing():
            for number, each in enumerate(node.items):
                yield from _arns(each, f"{path}[{number}]", is_role=is_role)
        case Pending() | Scalar() if is_role or (isinstance(node, Pending) and not path.endswith(_NO_ROLES)):
            if (text := text_of(node)) is not None:
                yield _Given(id=path, place=node, arn=text)
