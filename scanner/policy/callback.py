"""A function's execution role: may it call back for an app instance's channels, and what else may it do in Chime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.inventory import CallbackPermission
from scanner.policy.conditions import Context
from scanner.policy.documents import Choice, Policy, Statement, read_policy
from scanner.policy.globs import FRESH, MANY, ONE, iam_glob, matches, meet
from scanner.policy.requests import Request, allowed, names_action
from scanner.policy.verdict import Verdict, all_of, any_of

CALLBACK = "chime:ChannelFlowCallback"
_MAX_REQUESTS = 1000

Document = str | None | UnsetType
_Read = Policy | UnsetType


class _Role(Struct, frozen=True, kw_only=True):
    """What decides over a role's requests, and the app instance they are for."""

    identity: tuple[_Read, ...]
    boundary: _Read | None
    app_instance_arn: str
    context: Context

    def may(self, action: str, resource: str, by: Policy | None = None) -> Verdict:
        """An identity policy (`by` one statement of them alone) allows it, the boundary too, and nothing denies it."""
        request = Request(action=action, resource=resource, context=self.context)
        identity = allowed(self.identity if by is None else [by, *map(_denials, self.identity)], request)
        return identity if self.boundary is None else all_of((identity, allowed([self.boundary], request)))

    def limits(self) -> list[Statement]:
        """The statements that may take something back."""
        limits = [*map(_denials, self.identity), self.boundary]
        return [statement for policy in limits if isinstance(policy, Policy) for statement in policy.statements]


def callback(identity: Sequence[str | None], boundary: Document, *, app_instance_arn: str) -> CallbackPermission:
    """What an execution role may do in Chime, by its policies as JSON texts.

    `identity` holds every inline and attached policy; None is one that could not be read. `boundary` is the document of
    the permissions boundary; None: there is none, UNSET: it could not be read.

    - `allowed`: ChannelFlowCallback is, on every channel of the app instance. Some channels only: not known, since
      which of them use the flow is not looked at here.
    - `excessive`: patterns of allowed actions by which the role may do more in Chime than call back, and patterns of
      resources by which it may call back on more than what belongs to app instances. A wildcard that today names only
      ChannelFlowCallback admits more, too.

    https://docs.aws.amazon.com/chime-sdk/latest/dg/processor-setup.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonchime.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    parts = app_instance_arn.split(":")
    if len(parts) != 6:
        return CallbackPermission()
    role = _Role(
        identity=tuple(UNSET if document is None else read_policy(document) for document in identity),
        boundary=read_policy(boundary) if isinstance(boundary, str) else boundary,
        app_instance_arn=app_instance_arn,
        context=_context(region=parts[3], account_id=parts[4]),
    )
    return CallbackPermission(
        allowed=role.may(CALLBACK, f"{app_instance_arn}/channel/{ONE}{MANY}"), excessive=_excessive(role)
    )


def _context(*, region: str, account_id: str) -> Context:
    """What is known of a call that a function makes to its own app instance.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return {
        "aws:requestedregion": (region,),
        "aws:resourceaccount": (account_id,),
        "aws:principalisawsservice": ("false",),
        "aws:securetransport": ("true",),
        "aws:viaawsservice": ("false",),
    }


def _denials(policy: _Read) -> _Read:
    if isinstance(policy, UnsetType):
        return policy
    return structs.replace(policy, statements=tuple(it for it in policy.statements if not it.allows))


def _excessive(role: _Role) -> tuple[str, ...] | UnsetType:
    found: set[str] = set()
    unknown = UNSET in role.identity
    for policy in role.identity:
        if isinstance(policy, UnsetType):
            continue
        for statement in policy.statements:
            alone = structs.replace(policy, statements=(statement,))
            for pattern, verdict in _excess(statement, alone, role) if statement.allows else ():
                unknown = unknown or verdict is UNSET
                found.update({pattern} if verdict is True else ())
    return UNSET if unknown and not found else tuple(sorted(found))


def _excess(statement: Statement, alone: Policy, role: _Role) -> Iterator[tuple[str, Verdict]]:
    """Every pattern of a statement, and whether it lets the role do more."""
    resources = statement.resources
    if resources is None:
        return
    for label, action in _single(statement.actions, "NotAction"):
        one = _narrowed(alone, actions=action)
        yield label, _some(role, one, product(_other_actions(action, role), _chime_resources(resources, role)))
    for label, resource in _single(resources, "NotResource"):
        one = _narrowed(alone, resources=resource)
        yield label, _some(role, one, [(CALLBACK, _beyond_app_instances(role))])


def _single(choice: Choice, negative: str) -> list[tuple[str, Choice]]:
    """Each pattern by itself; what is left out of everything is one pattern."""
    if choice.negated:
        return [(f"{negative} {', '.join(choice.values)}", choice)]
    return [(value, Choice(values=(value,))) for value in choice.values]


def _narrowed(alone: Policy, *, actions: Choice | None = None, resources: Choice | None = None) -> Policy:
    (statement,) = alone.statements
    narrow = structs.replace(
        statement, actions=actions or statement.actions, resources=resources or statement.resources
    )
    return structs.replace(alone, statements=(narrow,))


def _some(role: _Role, by: Policy, requests: Iterable[tuple[str, str]]) -> Verdict:
    """Whether any of the requests is allowed; there may be more than it is sensible to ask."""
    asked = list(islice(requests, _MAX_REQUESTS))
    verdict = any_of(role.may(action, resource, by) for action, resource in asked)
    return UNSET if verdict is False and len(asked) == _MAX_REQUESTS else verdict


def _other_actions(choice: Choice, role: _Role) -> list[str]:
    """Actions of Chime that the choice names, one for every pattern that gives or takes it; the callback is none."""
    own = ["*"] if choice.negated else choice.values
    limits = [value for statement in role.limits() for value in statement.actions.values]
    actions = _spelled(own, limits, f"chime:{ONE}{MANY}", str.lower)
    return [action for action in actions if action != CALLBACK.lower() and names_action(choice, action)]


def _chime_resources(choice: Choice, role: _Role) -> list[str]:
    own = ["*"] if choice.negated else choice.values
    limits = [value for statement in role.limits() if statement.resources for value in statement.resources.values]
    return _spelled(own, limits, f"arn:{role.app_instance_arn.split(':')[1]}:chime:{ONE}{MANY}", str)


def _spelled(own: Iterable[str], limits: Iterable[str], domain: str, fold: Callable[[str], str]) -> list[str]:
    """A text in the domain for every pattern, and for every two of which one allows and one limits."""
    allows, bounds = ({iam_glob(fold(value)) for value in values} for values in (own, limits))
    pairs = [*product(allows | bounds, [domain]), *product(allows, bounds)]
    texts = {meet(first, second) for first, second in pairs}
    return sorted(text for text in texts if text is not None and matches(domain, text))


def _beyond_app_instances(role: _Role) -> str:
    """A resource of Chime, in the same account and region, that is no app instance nor belongs to one."""
    return ":".join([*role.app_instance_arn.split(":")[:5], FRESH])
