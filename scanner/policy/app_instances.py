"""On behalf of which app instances the messaging service may invoke a function, by the function's resource policy.

Conditions admit sets of app instances. They are judged by asking for them one by one: the one whose flow invokes the
function, those that the policy names, and strangers, who have ids of the form that AWS issues and stand for all others.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.logic import Verdict, any_of
from scanner.policy import issued
from scanner.policy.conditions import holds, is_negative
from scanner.policy.documents import Policy, Statement, clauses_of, values_of
from scanner.policy.function_url import INVOKE
from scanner.policy.globs import FRESH, MANY, ONE, iam_glob, representatives
from scanner.policy.requests import CHIME_MESSAGING, Request, allowed, concerns

_ACCOUNT, _ARN, _ORG = "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"
_REGION = f"{ONE * 2}-{ONE}{MANY}"  # a form that no account has
_NOT_IN_AN_ARN = ":*?"  # no part of an ARN that AWS issues holds these

_Values = tuple[str | None, ...]


class AppInstance(Struct, frozen=True, kw_only=True):
    """An app instance for which the service may come."""

    account_id: str
    arn: str

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]


def admits(policy: Policy, caller: AppInstance) -> Verdict:
    """Whether the service may for this app instance, whatever its organisation is."""
    return allowed([policy], _by_service(caller, None))


def admits_strangers(policy: Policy, partition: str) -> Verdict:
    """Whether it may for an app instance in an account that no policy names, in whichever region."""
    arns = values_of(policy, _ARN)
    strangers = representatives(
        f"arn:{partition}:chime:{_REGION}:{issued.ACCOUNT}:app-instance/{issued.APP_INSTANCE}",
        [spelled for arn in arns for spelled in (arn, iam_glob(arn), arn.lower())],
        without=_NOT_IN_AN_ARN,
    )
    if strangers is None:
        return UNSET
    return any_of(_admits_from_elsewhere(policy, AppInstance(account_id=issued.ACCOUNT, arn=arn)) for arn in strangers)


def _by_service(caller: AppInstance, organization: _Values | None) -> Request:
    """What the service sends. It belongs to no organisation; of its caller's (None: not known) it may say the id.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    context: dict[str, _Values] = {
        _ACCOUNT: (caller.account_id,),
        _ARN: (caller.arn,),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (CHIME_MESSAGING,),
        "aws:principalorgid": (None,),
        "lambda:eventsourcetoken": (None,),
        "lambda:functionurlauthtype": (None,),
        "lambda:invokedviafunctionurl": (None, "false"),
    }
    if organization is not None:
        context[_ORG] = organization
    return Request(service=CHIME_MESSAGING, action=INVOKE, context=context)


def _admits_from_elsewhere(policy: Policy, caller: AppInstance) -> Verdict:
    """Without an organisation, or in one that nobody named."""
    organizations = (None, *issued.organizations(values_of(policy, _ORG)))
    return any_of(allowed([policy], _by_service(caller, (each,))) for each in organizations)


def foreign(policy: Policy, home: AppInstance) -> tuple[str, ...] | UnsetType:
    """The values that let app instances of other accounts in, by each statement that allows, as denials leave it."""
    denies = tuple(statement for statement in policy.statements if not statement.allows)
    found: set[str] = set()
    unknown = False
    for statement in policy.statements:
        if not statement.allows or concerns(statement, _by_service(home, None)) is False:
            continue
        alone = structs.replace(policy, statements=(statement, *denies))
        if admits_strangers(alone, home.partition) is not True:
            values = _foreign_by(statement, alone, home)
            unknown = unknown or values is UNSET
            found.update(values or ())
    return UNSET if unknown and not found else tuple(sorted(found))


def _foreign_by(statement: Statement, policy: Policy, home: AppInstance) -> tuple[str, ...] | UnsetType:
    callers = _foreign_callers(policy, home)
    if callers is None:
        return UNSET
    verdicts = [(caller, _may(policy, caller)) for caller in callers]
    found = {value for caller, verdict in verdicts if verdict is True for value in _named(statement, caller, policy)}
    unknown = any(verdict is UNSET for _, verdict in verdicts) or _may_differ_in_case(policy)
    return UNSET if unknown and not found else tuple(found)


def _may_differ_in_case(policy: Policy) -> bool:
    """Whether patterns that heed case and some that do not must both match: callers are not spelled in every case."""
    clauses = clauses_of(policy, _ARN)
    return len(clauses) > 1 and any("ignorecase" in clause.operator for clause in clauses)


def _may(policy: Policy, caller: AppInstance) -> Verdict:
    """Without an organisation, in one that nobody named, or in whichever."""
    if not clauses_of(policy, _ORG):
        return admits(policy, caller)
    return any_of((_admits_from_elsewhere(policy, caller), admits(policy, caller)))


def _foreign_callers(policy: Policy, home: AppInstance) -> list[AppInstance] | None:
    """App instances of other accounts, one for every way in which values of the policy match some; None: too many.

    A value may be a pattern or plain text, as its operator says: both ways are told apart. The service names the
    account that is in the ARN, so what is asked of the account is asked of that part of the ARN.
    """
    accounts = [home.account_id, *values_of(policy, _ACCOUNT)]
    before, after = f"{MANY}:" * 4, f":{MANY}"
    globs = [
        *(before + spelled + after for account in accounts for spelled in (account, iam_glob(account))),
        *(spelled for arn in values_of(policy, _ARN) for spelled in (arn, iam_glob(arn), arn.lower())),
    ]
    anywhere = f"arn:{home.partition}:chime:{ONE}{MANY}:{ONE * 12}:app-instance/{ONE}{MANY}"
    arns = representatives(anywhere, globs, without=_NOT_IN_AN_ARN)
    if arns is None:
        return None
    callers = [AppInstance(account_id=arn.split(":")[4], arn=arn) for arn in arns]
    return [caller for caller in callers if caller.account_id != home.account_id]


def _named(statement: Statement, caller: AppInstance, policy: Policy) -> list[str]:
    """The values of a statement that let a caller in: accounts before ARNs, which say more than an account."""
    context = _by_service(caller, None).context
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
    return [caller.account_id.replace(issued.ACCOUNT, "*").replace(FRESH, "?")]
