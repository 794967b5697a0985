"""What a role lets the signed-in users do in Chime to whom it is given, according to its policies.

Nobody knows here which app instances the account has, nor who is signed in. So a verdict is about any app instance that
there may be, and about somebody whose policy variables have some value. It is sought by trying requests: one for each
case that the policies distinguish (scanner.policy.globs.representatives). Which resources an action is authorised on is
written in https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonchime.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from itertools import chain
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.logic import Truth, agreed, all_of, any_of
from scanner.policy.evaluation import DIRECT, Request, names_action, permitted, resource_glob
from scanner.policy.globs import FRESH, MANY, ONE, VALUES, iam_glob, matches, representatives
from scanner.policy.iam_conditions import Context
from scanner.policy.statements import Choice, Policy, read_policy
from scanner.policy.trust import COGNITO, admits_identity_pools, providers
from scanner.policy.variables import with_values, worlds

_AS_SOMEBODY = tuple(
    f"chime:{name}"
    for name in (
        *("AssociateChannelFlow", "BatchCreateChannelMembership", "Connect", "CreateChannel", "CreateChannelBan"),
        *("CreateChannelMembership", "CreateChannelModerator", "DeleteChannel", "DeleteChannelBan"),
        *("DeleteChannelMembership", "DeleteChannelMessage", "DeleteChannelModerator", "DescribeChannel"),
        *("DescribeChannelBan", "DescribeChannelMembership", "DescribeChannelMembershipForAppInstanceUser"),
        *("DescribeChannelModeratedByAppInstanceUser", "DescribeChannelModerator", "DisassociateChannelFlow"),
        *("GetChannelMembershipPreferences", "GetChannelMessage", "GetChannelMessageStatus", "ListChannelBans"),
        *("ListChannelMemberships", "ListChannelMembershipsForAppInstanceUser", "ListChannelMessages"),
        *("ListChannelModerators", "ListChannels", "ListChannelsModeratedByAppInstanceUser", "ListSubChannels"),
        *("PutChannelExpirationSettings", "PutChannelMembershipPreferences", "RedactChannelMessage"),
        *("SearchChannels", "SendChannelMessage", "UpdateChannel", "UpdateChannelMessage", "UpdateChannelReadMarker"),
    )
)
"""The messaging actions that are authorised on the bearer, as whom the caller acts; others may be their resources, too.

Connect opens the session in which a user receives messages.
"""
_MOVING_FLOWS = ("chime:AssociateChannelFlow", "chime:DisassociateChannelFlow")
_UPDATE, _DELETE, _CREATE = "chime:UpdateChannelFlow", "chime:DeleteChannelFlow", "chime:CreateChannel"
_BEARERS = ("user", "bot")
_ACTIONS = (*_AS_SOMEBODY, _UPDATE, _DELETE)

MESSAGING_REGIONS = ("us-east-1", "eu-central-1")
"""Where messaging is: https://docs.aws.amazon.com/chime-sdk/latest/dg/sdk-available-regions.html"""
_RESERVED = ":role/aws-reserved/"
"""The path of roles of Identity Center.

https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""
_ID = re.compile(rf"(?!.*:\d{{12}})[A-Za-z0-9:_.@{FRESH}{VALUES}-]+")
"""An id in Chime, whose form is in the patterns of the API's members.

It may hold colons, so that a pattern for another account's ARNs could match an ARN in whose end that account stands.
"""
_ISSUED_ID = re.compile(rf"[0-9A-Fa-f{FRESH}{VALUES}-]+")
"""Of what an app instance's id consists, since AWS makes it up: `*/channel/*` does not stand for one of that name."""
_MAX_REQUESTS = 5_000  # for one role; beyond it the answer is unknown

Document = str | UnsetType
_Read = Policy | UnsetType


class RoleDocuments(Struct, frozen=True, kw_only=True):
    """A role's ARN, and its documents as JSON texts; UNSET is one that is not known.

    `identity` holds every inline and attached policy. `boundary` is None if the role has no permissions boundary.
    `is_given`: an identity pool is known to hand the role out, whatever the trust policy says.
    """

    arn: str
    trust: Document
    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    is_given: bool = False


class Verdicts(Struct, frozen=True, kw_only=True):
    """What a role lets its users do, in the words of scanner.model.facts.Role."""

    acts_as_anyone: Truth = UNSET
    may_remove_flow: Truth = UNSET
    may_change_flow: Truth = UNSET
    may_open_channels: Truth = UNSET


class ChatRole(Verdicts, frozen=True, kw_only=True):
    """A role of signed-in users, and the providers whose users may be given it; UNSET where they are not known."""

    providers: tuple[str, ...] | UnsetType = UNSET


class LeftOut(Enum):
    """A role of signed-in users that is not judged."""

    LEFT_OUT = auto()


LEFT_OUT: Final[Literal[LeftOut.LEFT_OUT]] = LeftOut.LEFT_OUT


def chat_role(documents: RoleDocuments) -> ChatRole | LeftOut | None:
    """What a role lets signed-in users do; None if no identity provider may hand it out.

    A role that identity pools may hand out is judged. One of other providers is judged if a statement names Chime as
    what it lets through, and is left out if none does, as where `*` is allowed. So are roles of Identity Center.

    - `acts_as_anyone`: as a bot or user who is not oneself, in an action that is authorised on the bearer. On which
      channels is left aside, since that is where one acts, not as whom. One's own are the users whose ids policy
      variables tell. Whether a single id that is written out is one's own is unknown.
    - `may_remove_flow`: AssociateChannelFlow or DisassociateChannelFlow on a bearer, a channel and a flow together.
    - `may_change_flow`: UpdateChannelFlow on a flow, or DeleteChannelFlow. AWS lists the latter under channels,
      although the API takes a flow, so it is unknown if it is allowed on only one of them.
    - `may_open_channels`: CreateChannel as anybody at all.

    If the trust policy is not known, what the role surely allows is unknown, too: it may not be given to users at all.
    """
    trust = _read(documents.trust)
    known = isinstance(trust, Policy)
    named = providers(trust) if isinstance(trust, Policy) else ()
    if known and not named and not documents.is_given:
        return None
    if _RESERVED in documents.arn:
        return LEFT_OUT
    identity = tuple(map(_read, documents.identity))
    boundary = None if documents.boundary is None else _read(documents.boundary)
    pools = documents.is_given or (isinstance(trust, Policy) and admits_identity_pools(trust))
    limits = identity if boundary is None else (*identity, boundary)
    if known and not pools and not any(map(_may_name_chime, limits)):
        return LEFT_OUT
    verdicts = _verdicts(documents.arn, identity, boundary)
    if documents.is_given:
        return _chat_role(tuple(sorted({*named, COGNITO})), verdicts)
    return _chat_role(named, verdicts) if known else _chat_role(UNSET, _weakened(verdicts))


def _chat_role(named: tuple[str, ...] | UnsetType, verdicts: Verdicts) -> ChatRole:
    return ChatRole(providers=named, **structs.asdict(verdicts))


def _read(document: Document) -> _Read:
    return read_policy(document) if isinstance(document, str) else UNSET


def _weakened(verdicts: Verdicts) -> Verdicts:
    """The verdicts on a role if it may not be given to users."""
    return Verdicts(**{name: False if truth is False else UNSET for name, truth in structs.asdict(verdicts).items()})


def _may_name_chime(policy: _Read) -> bool:
    """Whether a statement names Chime in what it lets through: in an Action that it allows, or a NotAction that it does
    not deny. A NotAction that it allows lets through what it does not name.
    """
    if isinstance(policy, UnsetType):
        return True
    through = (each.actions for each in policy.statements if each.allows is not each.actions.negated)
    return any(_is_chime(value.lower().partition(":")[0]) for choice in through for value in choice.values)


def _is_chime(service: str) -> bool:
    return bool(service.strip("*?")) and matches(iam_glob(service), "chime")


def _verdicts(arn: str, identity: Sequence[_Read], boundary: _Read | None) -> Verdicts:
    if len(arn.split(":", 5)) < 6:
        return Verdicts()
    policies = tuple(map(_about_chime, identity))
    limit = None if boundary is None else _about_chime(boundary)
    known = [each for each in (*policies, limit) if isinstance(each, Policy)]
    found = [
        _Session(
            arn=arn,
            identity=tuple(_in_world(each, world) for each in policies),
            boundary=None if limit is None else _in_world(limit, world),
        ).verdicts()
        for world in worlds(known, arn)
    ]
    return Verdicts(**{name: agreed(getattr(each, name) for each in found) for name in Verdicts.__struct_fields__})


def _in_world(policy: _Read, world: Mapping[str, str]) -> _Read:
    return with_values(policy, world) if isinstance(policy, Policy) else policy


def _about_chime(policy: _Read) -> _Read:
    """The policy without statements that are about none of the actions that matter."""
    if isinstance(policy, UnsetType):
        return policy
    about = (each for each in policy.statements if _is_about_chime(each.actions))
    return structs.replace(policy, statements=tuple(about))


def _is_about_chime(actions: Choice) -> bool:
    services = {value.partition(":")[0].lower() for value in actions.values}
    may_be = actions.negated or any(each == "chime" or "*" in each or "?" in each for each in services)
    return may_be and any(names_action(actions, action) for action in _ACTIONS)  # which takes longer


@dataclass(frozen=True, kw_only=True)
class _Session:
    """Somebody to whom the role is given, and what its policies allow them in any app instance of its account."""

    arn: str
    identity: tuple[_Read, ...]
    boundary: _Read | None
    budget: Iterator[int] = field(default_factory=lambda: iter(range(_MAX_REQUESTS)))

    def may(self, action: str, resource: str) -> Truth:
        if next(self.budget, None) is None:
            return UNSET
        _, _, _, region, account, _ = resource.split(":", 5)
        context: Context = {
            **DIRECT,
            "aws:principalaccount": (account,),
            "aws:principalarn": (self.arn,),
            "aws:principaltype": ("AssumedRole",),
            "aws:resourceaccount": (account,),
            **({} if FRESH in region else {"aws:requestedregion": (region,)}),
        }
        return permitted(self.identity, self.boundary, Request(action=action, resource=resource, context=context))

    def verdicts(self) -> Verdicts:
        places = list(self._places())

        def anywhere(question: Callable[[_Place], Truth]) -> Truth:
            return any_of(UNSET if place is None else place.certainly(question(place)) for place in places)

        return Verdicts(
            acts_as_anyone=anywhere(_Place.acts_as_anyone),
            may_remove_flow=anywhere(_Place.may_remove_flow),
            may_change_flow=anywhere(_Place.may_change_flow),
            may_open_channels=anywhere(_Place.may_open_channels),
        )

    def _places(self) -> Iterator[_Place | None]:
        """An app instance for each case that the policies distinguish, in each region; None: there are too many cases.

        What a pattern matches inside an app instance depends on where in the pattern the app instance's ARN may end.
        """
        _, partition, _, _, account, _ = self.arn.split(":", 5)
        ends = list(dict.fromkeys(chain.from_iterable(self.globs.values())))
        for region in (*MESSAGING_REGIONS, f"{ONE}{MANY}"):
            domain = f"arn:{partition}:chime:{region}:{account}:app-instance/{ONE}{MANY}"
            found = representatives(domain, ends, without=":/")
            if found is None:
                yield None
            for arn in filter(self._may_exist, found or ()):
                yield _Place(session=self, arn=arn, is_known=region in MESSAGING_REGIONS)

    def _may_exist(self, app_instance: str) -> bool:
        """Whether AWS may have made up an app instance's id, or a policy writes it out."""
        id_ = _id(app_instance)
        return bool(_ISSUED_ID.fullmatch(id_)) or any(f":app-instance/{id_}" in glob for glob in self.globs)

    @cached_property
    def globs(self) -> dict[str, list[str]]:
        """What the policies name as resources, each with its beginnings that may match an app instance's ARN."""
        named = chain.from_iterable(map(_globs, (*self.identity, self.boundary)))
        return {glob: list(_beginnings(glob)) for glob in named}

    @cached_property
    def actions(self) -> list[str]:
        """The actions that are authorised on a bearer, one of those that the policies do not distinguish."""
        read = [each for each in (*self.identity, self.boundary) if isinstance(each, Policy)]
        statements = [statement for policy in read for statement in policy.statements]
        alike = {tuple(names_action(each.actions, name) for each in statements): name for name in _AS_SOMEBODY}
        return list(alike.values())


@dataclass(frozen=True, kw_only=True)
class _Place:
    """An app instance, and what somebody may do there; `is_known`: messaging is in its region."""

    session: _Session
    arn: str
    is_known: bool

    def certainly(self, truth: Truth) -> Truth:
        return truth if self.is_known or truth is False else UNSET

    def acts_as_anyone(self) -> Truth:
        others = any_of(self._may(self.session.actions, kind, f"{MANY}{FRESH}{MANY}") for kind in _BEARERS)
        return others if others is True else any_of((others, self._acts_as_one_who_is_named()))

    def _acts_as_one_who_is_named(self) -> Truth:
        """Whether one may act as somebody whose id is written out, and who is not oneself.

        If it is the only one as whom users of the role may act, it may stand for all of them, as for guests.
        """
        bearers = self._bearers()
        if bearers is None:
            return UNSET
        truths = {each: self._may_any(self.session.actions, [each]) for each in bearers if FRESH not in _id(each)}
        named = [truth for each, truth in truths.items() if not set(VALUES) & set(_id(each))]
        selves = [truth for each, truth in truths.items() if set(VALUES) & set(_id(each))]
        if True in named and (named.count(True) > 1 or True in selves):
            return True
        return UNSET if any(truth is not False for truth in named) else False

    def may_remove_flow(self) -> Truth:
        return any_of(
            all_of(
                (
                    any_of(self._may([action], kind) for kind in _BEARERS),
                    self._may([action], "channel"),
                    self._may([action], "channel-flow"),
                )
            )
            for action in _MOVING_FLOWS
        )

    def may_change_flow(self) -> Truth:
        deletes = agreed(self._may([_DELETE], kind) for kind in ("channel", "channel-flow"))
        return any_of((self._may([_UPDATE], "channel-flow"), deletes))

    def may_open_channels(self) -> Truth:
        return any_of(self._may([_CREATE], kind) for kind in _BEARERS)

    def _may(self, actions: Sequence[str], kind: str, id_: str = f"{ONE}{MANY}") -> Truth:
        """Whether one of the actions is allowed on a resource of a kind whose id matches a glob."""
        resources = self._resources(kind, id_)
        return UNSET if resources is None else self._may_any(actions, resources)

    def _may_any(self, actions: Sequence[str], resources: Sequence[str]) -> Truth:
        return any_of(self.session.may(action, resource) for resource in resources for action in actions)

    def _bearers(self) -> list[str] | None:
        found = [self._resources(kind, f"{ONE}{MANY}") for kind in _BEARERS]
        return None if None in found else [each for resources in found for each in resources or ()]

    @cached_property
    def _globs(self) -> list[str]:
        """What the policies name that may match something in the app instance."""
        named = self.session.globs.items()
        return [glob for glob, beginnings in named if any(matches(each, self.arn) for each in beginnings)]

    def _resources(self, kind: str, id_: str) -> list[str] | None:
        """A resource for each case that the policies distinguish; None: too many."""
        if next(self.session.budget, None) is None:
            return None
        found = representatives(f"{self.arn}/{kind}/{id_}", self._globs, without="/")
        return None if found is None else [each for each in found if _ID.fullmatch(_id(each))]


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _globs(policy: _Read | None) -> Iterator[str]:
    """The globs of a policy's resources."""
    if isinstance(policy, Policy):
        for statement in policy.statements:
            for pattern in statement.resources.values if statement.resources else ():
                yield resource_glob(pattern, variables=policy.variables)


def _beginnings(glob: str) -> Iterator[str]:
    """The parts of a glob that may match an app instance's ARN if the glob goes on with a slash.

    The ARN has one slash itself, so what has more of them does not match it.
    """
    for at, char in enumerate(glob):
        if char in ("/", ONE, MANY) and glob.count("/", 0, at) < 2:
            yield glob[: at + (char == MANY)]
