"""On behalf of which app instances the messaging service may invoke a function, according to its resource policy.

A condition admits a set of app instances. It is judged by trying callers one by one: the app instance whose flow
invokes the function, those that the policy names, and strangers. A stranger has an id of the form that AWS issues and
stands for every app instance that the policy does not name.
"""

from __future__ import annotations

import re

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.logic import Truth, any_of
from scanner.policy import issued
from scanner.policy.evaluation import CHIME_MESSAGING, Request, allowed, concerns
from scanner.policy.function_url import INVOKE
from scanner.policy.globs import FRESH, MANY, ONE, iam_glob, representatives
from scanner.policy.iam_conditions import holds, is_negative
from scanner.policy.statements import Policy, Statement, clauses_of, values_of

_ACCOUNT, _ARN, _ORG = "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"
_REGION = f"{ONE * 2}-{ONE}{MANY}"  # a form that no account has
_NOT_IN_AN_ARN = ":*?"  # no part of an ARN that AWS issues holds these
_DIGITS = re.compile("[0-9]{2}")
_ACCOUNT_ID = re.compile("[0-9]{12}")

_Values = tuple[str | None, ...]


class FlowOwner(Struct, frozen=True, kw_only=True):
    """An app instance on whose behalf the service invokes a function."""

    account_id: str
    arn: str

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]


def admits(policy: Policy, caller: FlowOwner) -> Truth:
    """Whether the service may invoke the function on behalf of this app instance, whatever its organisation is."""
    return allowed([policy], _by_service(caller, None))


def admits_strangers(policy: Policy, partition: str) -> Truth:
    """Whether the service may invoke the function for an app instance of an account that the policy does not name."""
    arns = values_of(policy, _ARN)
    strangers = representatives(
        f"arn:{partition}:chime:{_REGION}:{issued.ACCOUNT}:app-instance/{issued.APP_INSTANCE}",
        [spelled for arn in arns for spelled in (arn, iam_glob(arn), arn.lower())],
        without=_NOT_IN_AN_ARN,
    )
    if strangers is None:
        return UNSET
    callers = (FlowOwner(account_id=issued.ACCOUNT, arn=arn) for arn in strangers if _may_exist(arn))
    return any_of(_admits_from_elsewhere(policy, caller) for caller in callers)


def _may_exist(arn: str) -> bool:
    """Whether no account id stands for the region or the app instance's id, as `*123456789012*` might have it."""
    return not (_DIGITS.search(arn.split(":")[3]) or _ACCOUNT_ID.fullmatch(arn.rpartition("/")[2]))


def _by_service(caller: FlowOwner, organization: _Values | None) -> Request:
    """The request that the service sends. `organization` holds the values of aws:SourceOrgID; None: not known.

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


def _admits_from_elsewhere(policy: Policy, caller: FlowOwner) -> Truth:
    """Whether the caller is admitted if it has no organisation, or one that the policy does not name."""
    organizations = (None, *issued.organizations(values_of(policy, _ORG)))
    return any_of(allowed([policy], _by_service(caller, (each,))) for each in organizations)


def foreign(policy: Policy, home: FlowOwner) -> tuple[str, ...] | UnsetType:
    """The condition values that admit app instances of other accounts, after denials; UNSET: not known."""
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


def _foreign_by(statement: Statement, policy: Policy, home: FlowOwner) -> tuple[str, ...] | UnsetType:
    callers = _foreign_callers(policy, home)
    if callers is None:
        return UNSET
    truths = [(caller, _may(policy, caller)) for caller in callers]
    found = {value for caller, truth in truths if truth is True for value in _named(statement, caller, policy)}
    unknown = any(truth is UNSET for _, truth in truths) or _may_differ_in_case(policy)
    return UNSET if unknown and not found else tuple(found)


def _may_differ_in_case(policy: Policy) -> bool:
    """Whether case-sensitive and case-insensitive clauses on the ARN must both hold.

    That cannot be judged, since callers are not tried in every spelling.
    """
    clauses = clauses_of(policy, _ARN)
    return len(clauses) > 1 and any("ignorecase" in clause.operator for clause in clauses)


def _may(policy: Policy, caller: FlowOwner) -> Truth:
    """Whether the caller is admitted, without an organisation or with any."""
    if not clauses_of(policy, _ORG):
        return admits(policy, caller)
    return any_of((_admits_from_elsewhere(policy, caller), admits(policy, caller)))


def _foreign_callers(policy: Policy, home: FlowOwner) -> list[FlowOwner] | None:
    """App instances of other accounts: one for each combination of the policy's values that can match. None: too many.

    Whether a value is a pattern or plain text depends on its operator, so both readings are tried. The service sends
    the account that is in the ARN, so account values are compared with that part of the ARN.
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
    callers = [FlowOwner(account_id=arn.split(":")[4], arn=arn) for arn in arns if _may_exist(arn)]
    return [caller for caller in callers if caller.account_id != home.account_id]


def _named(statement: Statement, caller: FlowOwner, policy: Policy) -> list[str]:
    """The values of a statement that admit a caller: its account values or, where none matches, its ARN values."""
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
