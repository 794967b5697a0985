"""Whether an execution role may call back for an app instance's channels, and what else it may do in Chime."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, product
from typing import TypeGuard

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.facts import CallbackPermission
from scanner.model.logic import Truth, any_of
from scanner.policy.evaluation import DIRECT, Request, names_action, permitted, resource_glob
from scanner.policy.globs import MANY, ONE, iam_glob, matches, representatives
from scanner.policy.iam_conditions import Context
from scanner.policy.statements import Choice, Policy, Statement, read_policy

CALLBACK = "chime:ChannelFlowCallback"
_MAX_REQUESTS = 1000  # for all patterns of a role together; beyond it the answer is unknown

Document = str | None | UnsetType
_Read = Policy | UnsetType


class _Place(Struct, frozen=True, kw_only=True):
    """The app instance's partition, region and account, and the ARN of the calling role if it is known."""

    partition: str
    region: str
    account_id: str
    role_arn: str | None

    @property
    def arns(self) -> str:
        return f"arn:{self.partition}:chime:{self.region}:{self.account_id}:"

    def context(self, resource: str) -> Context:
        """The context of a call upon a resource. Region and account are known only for resources of this place."""
        own: Context = {"aws:requestedregion": (self.region,), "aws:resourceaccount": (self.account_id,)}
        role: Context = {}
        if self.role_arn:
            role = {"aws:principalarn": (self.role_arn,), "aws:principalaccount": (self.role_arn.split(":")[4],)}
        return {**DIRECT, **role, **(own if resource.startswith(self.arns) else {})}


class _Role(Struct, frozen=True, kw_only=True):
    """The policies that decide on a role's requests."""

    identity: tuple[_Read, ...]
    boundary: _Read | None
    home: _Place

    def may(self, action: str, resource: str, by: Policy | None = None) -> Truth:
        """Whether an identity policy and the boundary allow the action and nothing denies it.

        With `by`, a single statement, only that statement may allow it.
        """
        request = Request(action=action, resource=resource, context=self.home.context(resource))
        identity = self.identity if by is None else [by, *map(_denials, self.identity)]
        return permitted(identity, self.boundary, request)

    def statements(self) -> list[Statement]:
        policies = filter(_is_read, (*self.identity, self.boundary))
        return [statement for policy in policies for statement in policy.statements]


def callback(
    identity: Sequence[str | None], boundary: Document, *, app_instance_arn: str, role_arn: str | None = None
) -> CallbackPermission:
    """What an execution role may do in Chime, according to its policies as JSON texts.

    `identity` holds every inline and attached policy; None is one that could not be read. `boundary` is the document of
    the permissions boundary; None: there is none, UNSET: it could not be read.

    - `allowed`: whether ChannelFlowCallback is allowed on every channel of the app instance. It is unknown where only
      some channels are allowed, since this function does not know which of them use the flow.
    - `excessive`: the action patterns that let the role do more in Chime than call back, and the resource patterns that
      let it call back beyond app instances. A wildcard is excessive even if ChannelFlowCallback is the only action that
      it names today. The misspelled `appInstance/` that AWS's guide prints matches no resource and so admits nothing.

    https://docs.aws.amazon.com/chime-sdk/latest/dg/processor-setup.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonchime.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    asks_who = any("aws:principal" in each.lower() for each in (*identity, boundary) if isinstance(each, str))
    is_arn = role_arn is not None and len(role_arn.split(":")) == 6
    return _callback(tuple(identity), boundary, app_instance_arn, role_arn if asks_who and is_arn else None)


# Judging policies takes longer than reading them, and many flows share functions and roles.
@lru_cache(maxsize=1024)
def _callback(
    identity: tuple[str | None, ...], boundary: Document, app_instance_arn: str, role_arn: str | None
) -> CallbackPermission:
    parts = app_instance_arn.split(":")
    if len(parts) != 6:
        return CallbackPermission()
    role = _Role(
        identity=tuple(UNSET if document is None else read_policy(document) for document in identity),
        boundary=read_policy(boundary) if isinstance(boundary, str) else boundary,
        home=_Place(partition=parts[1], region=parts[3], account_id=parts[4], role_arn=role_arn),
    )
    channels = f"{app_instance_arn}/channel/{ONE}{MANY}"
    return CallbackPermission(allowed=role.may(CALLBACK, channels), excessive=_excessive(role))


def _is_read(policy: _Read | None) -> TypeGuard[Policy]:
    return isinstance(policy, Policy)


def _denials(policy: _Read) -> _Read:
    if isinstance(policy, UnsetType):
        return policy
    return structs.replace(policy, statements=tuple(it for it in policy.statements if not it.allows))


class _Universe(Struct, frozen=True, kw_only=True):
    """Chime actions (without the callback) and resources: one for each case that a role's policies distinguish."""

    actions: list[str]
    resources: list[str]
    beyond_app_instances: list[str]


def _universe(role: _Role) -> _Universe | None:
    """What to try a role's policies with; None: too much. Actions are in lower case, since IAM ignores their case.

    The resource `*` stands for actions that take no resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonchime.html
    """
    action_globs = [iam_glob(value.lower()) for each in role.statements() for value in each.actions.values]
    resource_globs = [
        resource_glob(value, variables=variables)
        for each in role.statements()
        for value in (each.resources.values if each.resources else ())
        for variables in (True, False)
    ]
    partition = role.home.partition
    app_instances = f"arn:{partition}:chime:{MANY}:{MANY}:app-instance{MANY}"
    actions = representatives(f"chime:{ONE}{MANY}", [*action_globs, CALLBACK.lower()])
    resources = representatives(
        f"arn:{partition}:chime:{MANY}:{MANY}:{ONE}{MANY}",
        [*resource_globs, app_instances, role.home.arns + MANY],
        without=":",
    )
    if actions is None or resources is None:
        return None
    resources = tuple(resource for resource in resources if not _is_misspelled(resource))
    return _Universe(
        actions=[action for action in actions if action != CALLBACK.lower()],
        resources=["*", *resources],
        beyond_app_instances=[resource for resource in resources if not matches(app_instances, resource)],
    )


def _is_misspelled(resource: str) -> bool:
    """Whether the ARN misspells `app-instance`, so that no resource can have it."""
    kind = resource.split(":", 5)[5].partition("/")[0]
    return kind != "app-instance" and kind.lower().replace("-", "").replace("_", "") == "appinstance"


def _excessive(role: _Role) -> tuple[str, ...] | UnsetType:
    universe = _universe(role)
    if UNSET in role.identity or universe is None:
        return UNSET
    truths = list(_judged(role, universe))
    found = {pattern for pattern, truth in truths if truth is True}
    unknown = any(truth is UNSET for _, truth in truths)
    return UNSET if unknown and not found else tuple(sorted(found))


def _judged(role: _Role, universe: _Universe) -> Iterator[tuple[str, Truth]]:
    """Each pattern of each allowing statement, and whether it lets the role do too much."""
    budget = iter(range(_MAX_REQUESTS))
    for policy in filter(_is_read, role.identity):
        for statement in policy.statements:
            for pattern, narrowed, requests in _excess(statement, universe) if statement.allows else ():
                by = structs.replace(policy, statements=(narrowed,))
                yield (
                    pattern,
                    any_of(
                        role.may(action, resource, by) if next(budget, None) is not None else UNSET
                        for action, resource in islice(requests, _MAX_REQUESTS + 1)
                    ),
                )


def _excess(statement: Statement, universe: _Universe) -> Iterator[tuple[str, Statement, Iterable[tuple[str, str]]]]:
    """Each pattern of a statement, the statement narrowed to that pattern, and the (action, resource) pairs to try."""
    for label, actions in _single(statement.actions, "NotAction"):
        named = [action for action in universe.actions if names_action(actions, action)]
        yield label, structs.replace(statement, actions=actions), product(named, universe.resources)
    for label, resources in _single(statement.resources, "NotResource") if statement.resources else ():
        beyond = universe.beyond_app_instances
        yield label, structs.replace(statement, resources=resources), product([CALLBACK], beyond)


def _single(choice: Choice, negative: str) -> list[tuple[str, Choice]]:
    """Each pattern on its own, with its label; a negated choice (`NotAction`) counts as one pattern."""
    if choice.negated:
        return [(f"{negative} {', '.join(choice.values)}", choice)]
    return [(value, Choice(values=(value,))) for value in choice.values]
