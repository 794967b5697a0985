"""Whether a policy allows a request: principals, actions, resources and conditions together, as IAM evaluates them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import UNSET, Struct, UnsetType

from scanner.model.logic import Truth, all_of, any_of, negate
from scanner.policy.globs import iam_glob, matches, matches_all
from scanner.policy.iam_conditions import Context, holds
from scanner.policy.statements import Choice, Policy, Principals, Statement

CHIME_MESSAGING = "messaging.chime.amazonaws.com"
"""The service that invokes processors: https://docs.aws.amazon.com/chime-sdk/latest/dg/processor-setup.html"""

CHIME = "chime.amazonaws.com"
"""An older service name that public examples use. AWS does not document whether it works for processors."""


DIRECT: Context = {
    "aws:principalisawsservice": ("false",),
    "aws:securetransport": ("true",),
    "aws:sourceaccount": (None,),
    "aws:sourcearn": (None,),
    "aws:sourceorgid": (None,),
    "aws:sourceorgpaths": (None,),
    "aws:viaawsservice": ("false",),
}
"""The context of every call that somebody other than an AWS service makes. Only services send the aws:Source... keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

_VARIABLE = re.compile(r"\$\{[^}]*\}?")


class Request(Struct, frozen=True, kw_only=True):
    """A request that IAM decides on.

    The caller is an AWS `service`, a `principal` (an ARN), a user of an identity `provider` (its ARN, or a name such as
    cognito-identity.amazonaws.com), or, without any of these, somebody in an AWS account that no policy names.
    `resource` is a glob, and the permission must hold for everything that it matches. It is None for a resource's own
    policy.
    """

    service: str | None = None
    principal: str | None = None
    provider: str | None = None
    action: str
    resource: str | None = None
    context: Context


def allowed(policies: Iterable[Policy | UnsetType], request: Request) -> Truth:
    """Whether a statement allows the request and none denies it. UNSET among `policies` is one that is not known."""
    read = list(policies)
    allow = any_of(_some(policy, request, allows=True) for policy in read)
    deny = any_of(_some(policy, request, allows=False) for policy in read)
    return all_of((allow, negate(deny)))


def permitted(identity: Iterable[Policy | UnsetType], boundary: Policy | UnsetType | None, request: Request) -> Truth:
    """Whether identity policies allow a request, and the permissions boundary, if there is one, allows it, too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    own = allowed(identity, request)
    return own if boundary is None else all_of((own, allowed([boundary], request)))


def _some(policy: Policy | UnsetType, request: Request, *, allows: bool) -> Truth:
    if isinstance(policy, UnsetType):
        return UNSET
    relevant = (statement for statement in policy.statements if statement.allows is allows)
    return any_of(applies(statement, request, variables=policy.variables) for statement in relevant)


def applies(statement: Statement, request: Request, *, variables: bool) -> Truth:
    """Whether a statement applies to a request, be it to allow or to deny; `variables` as in Policy."""
    return all_of(
        (
            concerns(statement, request),
            is_about(statement.resources, request.resource, variables=variables),
            *(holds(clause, request.context, variables=variables) for clause in statement.conditions),
        )
    )


def concerns(statement: Statement, request: Request) -> Truth:
    """Whether the statement names the caller and the action; its conditions are not looked at."""
    return all_of((_is_by(statement.principals, request), names_action(statement.actions, request.action)))


def names_action(choice: Choice, action: str) -> bool:
    """Whether an Action or NotAction element covers an action, ignoring case.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return choice.negated != any(matches(iam_glob(value.lower()), action.lower()) for value in choice.values)


def is_about(choice: Choice | None, resource: str | None, *, variables: bool) -> Truth:
    """Whether a statement covers the resource. Of a resource's own policy (None) only NotResource leaves that open."""
    if resource is None:
        return UNSET if choice and choice.negated else True
    if choice is None:
        return UNSET
    named = any_of(_covers(value, resource, variables=variables) for value in choice.values)
    return negate(named) if choice.negated else named


def _covers(pattern: str, resource: str, *, variables: bool) -> Truth:
    glob = resource_glob(pattern, variables=variables)
    covered = matches_all(glob, resource)
    return covered if covered is False or glob == iam_glob(pattern) else UNSET


def resource_glob(pattern: str, *, variables: bool) -> str:
    """A glob of all that a pattern of a Resource element may match, whatever values its policy variables have."""
    return iam_glob(_VARIABLE.sub("*", pattern) if variables else pattern)


def _is_by(principals: Principals | None, request: Request) -> Truth:
    if principals is None:
        return True
    named = any_of(_is(kind, value, request) for kind, value in principals.values)
    return negate(named) if principals.negated else named


def _is(kind: str, value: str, request: Request) -> Truth:
    """Whether a principal element names the caller. `"*"` is everybody, services included.

    AWS does not say what a wildcard does elsewhere: the grammar has none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
    """
    if (kind, value) == ("AWS", "*"):
        return True
    if request.provider is not None:
        return _provides(kind, value, request.provider)
    if "*" in value or "?" in value:
        return UNSET
    if (kind, value, request.service) == ("Service", CHIME, CHIME_MESSAGING):
        return UNSET
    if kind == "Service":
        return value == request.service
    if request.principal is None:
        return False
    # Lambda does not document what it makes of federated users.
    return _names(value, request.principal) if kind == "AWS" else UNSET


def _provides(kind: str, value: str, provider: str) -> Truth:
    if kind != "Federated" or not matches(iam_glob(value), provider):
        return False
    return UNSET if "*" in value or "?" in value else True


def account_of(principal: str) -> str | None:
    """The account of a principal, an ARN or an account id. None for anything else, as the id of a deleted principal."""
    parts = principal.split(":")
    if len(parts) == 6 and parts[0] == "arn":
        return parts[4]
    return principal if len(principal) == 12 and principal.isdecimal() else None


def is_whole_account(principal: str) -> bool:
    """Whether a principal stands for everybody in an account: an account id, or the ARN of its root."""
    return principal.isdecimal() or principal.endswith(":root")


def _names(value: str, principal: str) -> bool:
    """Whether a principal element names a principal: an account names everybody in it, a role names its sessions.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    account = account_of(value)
    if account is None or account != account_of(principal):
        return False
    return value == principal or is_whole_account(value) or _role(value) == _session(principal) is not None


def _role(arn: str) -> str | None:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return name.rpartition("/")[2] if kind == "role" else None


def _session(arn: str) -> str | None:
    """The name of the role that a session assumed, without the role's path; None for anything else."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return name.partition("/")[0] if kind == "assumed-role" else None
