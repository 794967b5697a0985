"""A function's resource policy, seen from the app instance whose flow invokes the function.

Conditions admit sets of callers. They are judged by asking for callers one by one: the app instance itself, callers
that the policy names, and callers that nobody named, spelled in FRESH characters, which stand for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.inventory import FunctionAccess
from scanner.policy.conditions import Context, holds, is_negative
from scanner.policy.documents import Clause, Policy, Statement, read_policy
from scanner.policy.globs import FRESH, MANY, ONE, iam_glob, representatives
from scanner.policy.requests import CHIME_MESSAGING, Request, allowed, concerns
from scanner.policy.verdict import Verdict, any_of

_INVOKE = "lambda:InvokeFunction"
_INVOKE_URL = "lambda:InvokeFunctionUrl"
_ACCOUNT, _ARN = "aws:sourceaccount", "aws:sourcearn"
_NOBODY = FRESH * 12  # an account id that no policy names

_Values = tuple[str | None, ...]
_ALONE: dict[str, _Values] = {"sourceorgid": (None,)}
_ELSEWHERE: dict[str, _Values] = {"sourceorgid": (FRESH,)}


class _Home(Struct, frozen=True, kw_only=True):
    """Where the app instance is at home."""

    arn: str
    account_id: str
    partition: str


class _Caller(Struct, frozen=True, kw_only=True):
    """An app instance for which the service may come."""

    account_id: str
    arn: str


def access(document: str | None, *, app_instance_arn: str, account_id: str) -> FunctionAccess:
    """Who may invoke a function, by the JSON text of its policy (Lambda's GetPolicy); None: it has no policy.

    - `chime_can_invoke`: the messaging service may, on behalf of this app instance.
    - `chime_invoke_unconditioned`: it may on behalf of somebody of whom the policy names nothing. A condition that is
      only wildcards (`*`, `arn:aws:*`), that excludes somebody (StringNotEquals) or that is not asked of a key that may
      be missing (aws:SourceOrgID with ...IfExists) names nobody.
    - `foreign_app_instances`: the values, of conditions that do name something, by which app instances of other
      accounts come in; what comes in unconditioned is not repeated here. Who belongs to an organisation that
      aws:SourceOrgID names is not known.
    - `public`: somebody of whom the policy names nothing may, anonymous or in an AWS account, by API or by function
      URL. The authentication type of a URL restricts nobody: with AWS_IAM any AWS account will do.

    https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    if document is None:
        return FunctionAccess(
            chime_can_invoke=False, chime_invoke_unconditioned=False, public=False, foreign_app_instances=()
        )
    policy, parts = read_policy(document), app_instance_arn.split(":")
    if isinstance(policy, UnsetType) or len(parts) != 6:
        return FunctionAccess()
    home = _Home(arn=app_instance_arn, account_id=account_id, partition=parts[1])
    return FunctionAccess(
        chime_can_invoke=allowed([policy], _by_service(_Caller(account_id=account_id, arn=app_instance_arn))),
        chime_invoke_unconditioned=_admits_nobody_in_particular(policy, home),
        public=any_of(allowed([policy], request) for request in _by_anyone(policy, home.partition)),
        foreign_app_instances=_foreign(policy, home),
    )


def _by_service(caller: _Caller, **organization: _Values) -> Request:
    """What the service sends. It belongs to no organisation; of its caller's it may say the id.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    context: dict[str, _Values] = {
        _ACCOUNT: (caller.account_id,),
        _ARN: (caller.arn,),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (CHIME_MESSAGING,),
        "aws:principalorgid": (None,),
        "lambda:functionurlauthtype": (None,),
        "lambda:invokedviafunctionurl": (None, "false"),
        **{f"aws:{key}": values for key, values in organization.items()},
    }
    return Request(service=CHIME_MESSAGING, action=_INVOKE, context=context)


def _by_anyone(policy: Policy, partition: str) -> Iterator[Request]:
    """Strangers: in an organisation or not, through a VPC endpoint or not, by API or by URL.

    A stranger may name roles as they like, so a condition that leaves the account open keeps nobody out.
    """
    patterns = [iam_glob(value) for value in _values(policy, "aws:principalarn")]
    names = representatives(f"arn:{partition}:iam::{_NOBODY}:{ONE}{MANY}", patterns, without=":")
    ways = [(_INVOKE, None), (_INVOKE_URL, "NONE"), (_INVOKE_URL, "AWS_IAM")]
    for (action, url), organization, endpoint in product(ways, (None, FRESH), (None, FRESH)):
        context = _stranger(url, endpoint)
        for name in [None] if names is None else names:
            member = {"aws:principalorgid": (organization,), "aws:principalaccount": (_NOBODY,)}
            arn: dict[str, _Values] = {} if name is None else {"aws:principalarn": (name,)}
            yield Request(action=action, context={**context, **member, **arn})
    yield Request(action=_INVOKE_URL, context={**_stranger("NONE", None), **_ANONYMOUS})


_ANONYMOUS: Context = {
    "aws:principalorgid": (None,),
    "aws:principalaccount": ("anonymous",),
    "aws:principalarn": (None,),
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


def _stranger(url: str | None, endpoint: str | None) -> Context:
    """Keys of a source are sent by services only, so `...IfExists` on them keeps no stranger out.

    Nor does it on the address, which is not sent where the call comes through a VPC endpoint.
    """
    return {
        _ACCOUNT: (None,),
        _ARN: (None,),
        "aws:sourceorgid": (None,),
        "aws:principalisawsservice": ("false",),
        "aws:principalservicename": (None,),
        "aws:securetransport": ("true",),
        "aws:sourceip": (None if endpoint else FRESH,),
        "aws:sourcevpc": (endpoint,),
        "aws:sourcevpce": (endpoint,),
        "lambda:functionurlauthtype": (url,),
        "lambda:invokedviafunctionurl": ("true",) if url else (None, "false"),
    }


def _admits_nobody_in_particular(policy: Policy, home: _Home) -> Verdict:
    arn = f"arn:{home.partition}:{FRESH}:{FRESH}:{_NOBODY}:{FRESH}"
    nobody = _Caller(account_id=_NOBODY, arn=arn)
    return any_of(allowed([policy], _by_service(nobody, **organization)) for organization in (_ALONE, _ELSEWHERE))


def _foreign(policy: Policy, home: _Home) -> tuple[str, ...] | UnsetType:
    """By each statement that allows, as all that deny leave it."""
    denies = tuple(statement for statement in policy.statements if not statement.allows)
    found: set[str] = set()
    unknown = False
    for statement in policy.statements:
        if not statement.allows or concerns(statement, _by_service(_Caller(account_id="", arn=""))) is False:
            continue
        alone = structs.replace(policy, statements=(statement, *denies))
        if _admits_nobody_in_particular(alone, home) is not True:
            values = _foreign_by(statement, alone, home)
            unknown = unknown or values is UNSET
            found.update(values or ())
    return UNSET if unknown and not found else tuple(sorted(found))


def _foreign_by(statement: Statement, policy: Policy, home: _Home) -> tuple[str, ...] | UnsetType:
    callers = _foreign_callers(policy, home)
    if callers is None:
        return UNSET
    verdicts = [(caller, _may(policy, caller)) for caller in callers]
    found = {value for caller, verdict in verdicts if verdict is True for value in _named(statement, caller, policy)}
    unknown = any(verdict is UNSET for _, verdict in verdicts) or _may_differ_in_case(policy)
    return UNSET if unknown and not found else tuple(found)


def _may_differ_in_case(policy: Policy) -> bool:
    """Whether patterns that heed case and some that do not must both match: callers are not spelled in every case."""
    clauses = _clauses(policy, _ARN)
    return len(clauses) > 1 and any("ignorecase" in clause.operator for clause in clauses)


def _may(policy: Policy, caller: _Caller) -> Verdict:
    """Without an organisation, in one that nobody named, or in whichever."""
    if not _clauses(policy, "aws:sourceorgid"):
        return allowed([policy], _by_service(caller))
    requests = (_by_service(caller, **organization) for organization in (_ALONE, _ELSEWHERE, {}))
    return any_of(allowed([policy], request) for request in requests)


def _foreign_callers(policy: Policy, home: _Home) -> list[_Caller] | None:
    """App instances of other accounts, one for every way in which values of the policy match some; None: too many.

    A value may be a pattern or plain text, as its operator says: both ways are told apart. The service names the
    account that is in the ARN, so what is asked of the account is asked of that part of the ARN.
    """
    accounts = [home.account_id, *_values(policy, _ACCOUNT)]
    before, after = f"{MANY}:" * 4, f":{MANY}"
    globs = [
        *(before + spelled + after for account in accounts for spelled in (account, iam_glob(account))),
        *(spelled for arn in _values(policy, _ARN) for spelled in (arn, iam_glob(arn), arn.lower())),
    ]
    anywhere = f"arn:{home.partition}:chime:{ONE}{MANY}:{ONE * 12}:app-instance/{ONE}{MANY}"
    arns = representatives(anywhere, globs, without=":*?")  # none of which a part of such an ARN holds
    if arns is None:
        return None
    callers = [_Caller(account_id=arn.split(":")[4], arn=arn) for arn in arns]
    return [caller for caller in callers if caller.account_id != home.account_id]


def _clauses(policy: Policy, *keys: str) -> list[Clause]:
    clauses = (clause for statement in policy.statements for clause in statement.conditions)
    return [clause for clause in clauses if clause.key in keys]


def _values(policy: Policy, key: str) -> list[str]:
    return sorted({value for clause in _clauses(policy, key) for value in clause.values})


def _named(statement: Statement, caller: _Caller, policy: Policy) -> list[str]:
    """The values of a statement that let a caller in: accounts before ARNs, which say more than an account."""
    context = _by_service(caller).context
    for key in (_ACCOUNT, _ARN):
        names = [
            value
            for clause in statement.conditions
            if clause.key == key and not is_negative(clause.operator)
            for value in clause.values
            if value.strip("*?")
            and holds(structs.replace(clause, values=(value,)), context, variables=policy.variables) is True
        ]
        if names:
            return names
    return [caller.account_id.replace(_NOBODY, "*").replace(FRESH, "?")]
