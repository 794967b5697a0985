"""Who in AWS accounts may invoke a function or gain control of its code, according to its resource policy.

A condition admits a set of callers. It is judged by trying callers one by one: those that the policy names, and
strangers. A stranger has ids of the form that AWS issues and stands for everybody whom the policy does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.logic import Truth, all_of, any_of, negate
from scanner.policy import issued
from scanner.policy.evaluation import Request, account_of, allowed, is_whole_account, names_action
from scanner.policy.function_url import INVOKE, INVOKE_URL, FunctionUrl
from scanner.policy.globs import FRESH, MANY, ONE, iam_glob, representatives
from scanner.policy.iam_conditions import Context, is_negative
from scanner.policy.statements import Policy, Statement, clauses_of, values_of

ANYBODY = "*"
_ORG, _ACCOUNT, _ARN = "aws:principalorgid", "aws:principalaccount", "aws:principalarn"
_AUTH_TYPE, _VIA_URL = "lambda:functionurlauthtype", "lambda:invokedviafunctionurl"
_BY_API: Context = {_AUTH_TYPE: (None,), _VIA_URL: (None, "false")}
_CONTROL: dict[str, Context] = {
    "lambda:UpdateFunctionCode": {_AUTH_TYPE: (None,), _VIA_URL: (None,)},
    "lambda:UpdateFunctionConfiguration": {_AUTH_TYPE: (None,), _VIA_URL: (None,)},
    "lambda:PutResourcePolicy": {_AUTH_TYPE: (None,), _VIA_URL: (None,)},
    "lambda:AddPermission": {},
}
"""The actions that give control of a function's code, each with the context keys that are sent with it.

The configuration names layers and handler, and whoever may change the policy can allow themselves the rest. Publishing
a layer or a version is not among them: neither runs until the configuration names it.
"""
_ANONYMOUS: Context = {_ORG: (None,), _ACCOUNT: ("anonymous",), _ARN: (None,)}
"""The keys of an anonymous caller.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""
_UNSIGNED_KEYS: Context = {
    "aws:sourceaccount": (None,),
    "aws:sourcearn": (None,),
    "aws:sourceorgid": (None,),
    "aws:principalisawsservice": ("false",),
    "aws:principalservicename": (None,),
    "aws:securetransport": ("true",),
    "lambda:eventsourcetoken": (None, FRESH),
}
"""The keys of every caller that is no AWS service.

Only services send aws:Source... keys, so `...IfExists` on them excludes nobody else. A caller may send an event source
token, but a stranger cannot know the right one.
"""


_NETWORK_KEYS = ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce")


class _Caller(Struct, frozen=True, kw_only=True):
    """A caller: the ARN of a principal in an account, or None for a stranger, and the context keys that they send."""

    principal: str | None = None
    context: Context


class _Function:
    """What a policy and a URL allow callers to do with a function."""

    def __init__(self, policy: Policy, url: FunctionUrl) -> None:
        self._url = url
        self._about = {action: _about(policy, action) for action in (INVOKE, INVOKE_URL, *_CONTROL)}

    def may_be_invoked(self, caller: _Caller) -> Truth:
        return any_of((self._may(caller, INVOKE, _BY_API), self.may_be_invoked_by_url(caller, "AWS_IAM")))

    def may_be_invoked_by_url(self, caller: _Caller, auth_type: str) -> Truth:
        """Whether a caller may invoke by URL; the two actions that this takes have different condition keys."""
        url = self._url
        if url.exists is False or auth_type not in url.auth_types:
            return False
        sure = all_of((url.exists, True if url.auth_types == (auth_type,) else UNSET))
        use = self._may(caller, INVOKE_URL, {_AUTH_TYPE: (auth_type,)})
        invoke = self._may(caller, INVOKE, {_AUTH_TYPE: (None, auth_type), _VIA_URL: ("true",)})
        return all_of((sure, use, any_of((invoke, negate(url.needs_both)))))

    def may_be_controlled(self, caller: _Caller) -> Truth:
        return any_of(self._may(caller, action, keys) for action, keys in _CONTROL.items())

    def lets_in(self, callers: Iterable[_Caller]) -> Truth:
        return any_of(any_of((self.may_be_invoked(each), self.may_be_controlled(each))) for each in callers)

    def _may(self, caller: _Caller, action: str, keys: Context) -> Truth:
        policy = self._about[action]
        if policy is None:
            return False
        return allowed([policy], Request(principal=caller.principal, action=action, context={**caller.context, **keys}))


def _about(policy: Policy, action: str) -> Policy | None:
    """The statements of a policy on one action; None where they surely allow it to nobody in an AWS account."""
    statements = tuple(each for each in policy.statements if names_action(each.actions, action))
    if not any(each.allows and _names_accounts(each) for each in statements):
        return None
    return structs.replace(policy, statements=statements)


def may_anyone_invoke(policy: Policy, partition: str, url: FunctionUrl) -> Truth:
    """Whether strangers may invoke: signed by the API or the function's URL, or anonymously by the URL."""
    if not any(each.allows and _names_accounts(each) for each in policy.statements):
        return False
    function, networks = _Function(policy, url), _networks(policy)
    signed = any_of(function.may_be_invoked(caller) for caller in _strangers(policy, partition))
    anonymous = (_Caller(context={**_UNSIGNED_KEYS, **network, **_ANONYMOUS}) for network in networks)
    return any_of((signed, *(function.may_be_invoked_by_url(caller, "NONE") for caller in anonymous)))


def other_accounts(
    policy: Policy, own: frozenset[str], partition: str, url: FunctionUrl
) -> tuple[str, ...] | UnsetType:
    """The accounts, other than `own`, in which somebody may invoke the function or gain control of its code.

    An organisation id stands for all its accounts, `?` for a digit that a pattern leaves open, and ANYBODY for
    strangers who may gain control. Whether strangers may invoke is the question of `may_anyone_invoke`.
    """
    if not any(each.allows and _names_accounts(each) for each in policy.statements):
        return ()
    principals = _principals(policy, own, partition)
    if principals is None:
        return UNSET
    function = _Function(policy, url)
    others = [each for each in principals if account_of(each) not in own]
    truths = [each for principal in others for each in _admitted(function, policy, principal)]
    found = {name for name, truth in truths if truth is True}
    unknown = any(truth is UNSET for _, truth in truths) or _may_differ_in_case(policy)
    return UNSET if unknown and not found else tuple(sorted(found))


def _admitted(function: _Function, policy: Policy, principal: str) -> Iterator[tuple[str, Truth]]:
    """The names under which a principal would be reported, each with whether it is admitted."""
    account = account_of(principal) or ""
    organizations = (None, *issued.organizations(values_of(policy, _ORG)))
    if account != issued.ACCOUNT:
        named = map(_example, values_of(policy, _ORG))
        yield account.replace(FRESH, "?"), function.lets_in(_members(policy, principal, (*organizations, *named)))
        return
    callers = [caller for each in organizations for caller in _members(policy, principal, (each,))]
    control = any_of(function.may_be_controlled(caller) for caller in callers)
    invocation = any_of(function.may_be_invoked(caller) for caller in callers)
    yield ANYBODY, control
    if {} not in _networks(policy):  # from a network that the policy names, which `may_anyone_invoke` does not try
        yield ANYBODY, UNSET if invocation is UNSET else False
    if True not in (control, invocation):
        for name in _named_organizations(policy):
            yield name, function.lets_in(_members(policy, principal, (_example(name),)))


def _strangers(policy: Policy, partition: str) -> Iterator[_Caller]:
    """Strangers with and without an organisation, through a VPC endpoint and not.

    Strangers can give their roles any name, so a condition on the name excludes nobody unless it names the account.
    """
    patterns = [iam_glob(value) for value in values_of(policy, _ARN)]
    names = representatives(f"arn:{partition}:iam::{issued.ACCOUNT}:{ONE}{MANY}", patterns, without=":")
    organizations = (None, *issued.organizations(values_of(policy, _ORG)))
    for organization, network in product(organizations, _networks(policy)):
        member: Context = {_ORG: (organization,), _ACCOUNT: (issued.ACCOUNT,)}
        for name in [None] if names is None else names:
            arn: Context = {} if name is None else {_ARN: (name,)}
            yield _Caller(context={**_UNSIGNED_KEYS, **network, **member, **arn})


def _networks(policy: Policy) -> list[Context]:
    """The networks from which a stranger may call. A call through a VPC endpoint does not send aws:SourceIp."""
    if not any(values_of(policy, key) for key in _NETWORK_KEYS):
        return [{}]
    vpcs = issued.vpcs(values_of(policy, "aws:sourcevpc"))
    endpoints = issued.endpoints(values_of(policy, "aws:sourcevpce"))
    outside: Context = {"aws:sourceip": (FRESH,), "aws:sourcevpc": (None,), "aws:sourcevpce": (None,)}
    inside: list[Context] = [
        {"aws:sourceip": (None,), "aws:sourcevpc": (vpc,), "aws:sourcevpce": (endpoint,)}
        for vpc, endpoint in product(vpcs, endpoints)
    ]
    return [outside, *inside]


def _members(policy: Policy, principal: str, organizations: tuple[str | None, ...]) -> Iterator[_Caller]:
    """A principal in one of these organisations, once for each network that they may call from, any network included.

    A principal in the account that stands for strangers is one whom the policy does not name.
    """
    named = None if account_of(principal) == issued.ACCOUNT else principal
    arn: Context = {_ARN: (principal,)} if _is_user_or_role(principal) else {}
    member: Context = {_ORG: organizations, _ACCOUNT: (account_of(principal),), **arn}
    networks = _networks(policy)
    for network in networks if {} in networks else (*networks, {}):
        yield _Caller(principal=named, context={**_UNSIGNED_KEYS, **network, **member})


def _may_differ_in_case(policy: Policy) -> bool:
    """Whether case-sensitive and case-insensitive clauses on the ARN must both hold.

    That cannot be judged, since callers are not tried in every spelling.
    """
    clauses = clauses_of(policy, _ARN)
    return len(clauses) > 1 and any("ignorecase" in clause.operator for clause in clauses)


def _named_organizations(policy: Policy) -> list[str]:
    return sorted(
        {
            value
            for statement in policy.statements
            if statement.allows
            for clause in statement.conditions
            if clause.key == _ORG and not is_negative(clause.operator)
            for value in clause.values
        }
    )


def _example(pattern: str) -> str:
    return pattern.replace("*", FRESH).replace("?", FRESH)


def _names_accounts(statement: Statement) -> bool:
    """Whether a statement may concern somebody in an account. A service name with a wildcard may: AWS does not say."""
    who = statement.principals
    return (
        who is None or who.negated or any(kind != "Service" or "*" in name or "?" in name for kind, name in who.values)
    )


def _principals(policy: Policy, own: frozenset[str], partition: str) -> list[str] | None:
    """Principals in accounts, one for each case that the policy distinguishes; None: too many."""
    named = sorted({value for each in policy.statements for value in _named_principals(each)})
    if not (clauses_of(policy, _ARN) or clauses_of(policy, _ACCOUNT)):
        members = {f"arn:{partition}:iam::{account_of(each)}:{FRESH}" for each in named if is_whole_account(each)}
        stranger = f"arn:{partition}:iam::{issued.ACCOUNT}:{FRESH}"
        return [stranger, *sorted(members), *(each for each in named if not is_whole_account(each))]
    accounts = sorted({*own, *values_of(policy, _ACCOUNT), *filter(None, map(account_of, named))})
    before, after = f"{MANY}:" * 4, f":{MANY}"
    globs = [
        *(before + spelled + after for account in accounts for spelled in (account, iam_glob(account))),
        *(spelled for arn in values_of(policy, _ARN) for spelled in (arn, iam_glob(arn), arn.lower())),
        *named,
    ]
    found = representatives(f"arn:{partition}:iam::{ONE * 12}:{ONE}{MANY}", globs, without=":*?")
    others = (each for each in named if not (is_whole_account(each) or _is_user_or_role(each)))
    return None if found is None else [*found, *others]


def _is_user_or_role(principal: str) -> bool:
    return ":iam:" in principal and "-provider/" not in principal


def _named_principals(statement: Statement) -> list[str]:
    """The accounts, users, roles and federated users that a statement names. Lambda does not document the last."""
    values = statement.principals.values if statement.principals else ()
    return [value for kind, value in values if (account_of(value) if kind == "AWS" else kind != "Service")]
