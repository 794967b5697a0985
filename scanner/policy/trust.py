"""Which identity providers' users may assume a role, according to its trust policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
"""

from __future__ import annotations

from scanner.policy import issued
from scanner.policy.evaluation import Request, allowed
from scanner.policy.globs import FRESH
from scanner.policy.iam_conditions import Context
from scanner.policy.statements import Policy

COGNITO = "cognito-identity.amazonaws.com"
"""The provider that stands for all identity pools. Which of them a trust policy means, its conditions say.

https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

ANY = "*"
"""The providers that a trust policy lets in without naming them."""

_SAML_PROVIDER = ":saml-provider/"
_UNNAMED = (
    COGNITO,
    f"arn:aws:iam::{issued.ACCOUNT}:oidc-provider/{FRESH}",
    f"arn:aws:iam::{issued.ACCOUNT}{_SAML_PROVIDER}{FRESH}",
)
_SIGNED: Context = {"aws:principalisawsservice": ("false",), "aws:securetransport": ("true",)}


def providers(trust: Policy) -> tuple[str, ...]:
    """The providers whose users may assume the role, sorted; ANY stands for those that the policy does not name.

    A provider counts unless the policy surely keeps all its users out. Conditions on a token, such as `aud` and `amr`,
    let some users in, or none: that is not known.
    """
    named = _named(trust)
    return tuple(sorted({provider if provider in named else ANY for provider in _admitted(trust)}))


def admits_identity_pools(trust: Policy) -> bool:
    """Whether a Cognito identity pool may hand out the role, unless the policy surely keeps all of them out."""
    return any("cognito-identity" in provider.lower() for provider in _admitted(trust))


def _named(trust: Policy) -> set[str]:
    principals = [statement.principals for statement in trust.statements if statement.principals]
    return {value for each in principals for kind, value in each.values if kind == "Federated"}


def _admitted(trust: Policy) -> list[str]:
    return [provider for provider in _named(trust).union(_UNNAMED) if _lets_in(trust, provider)]


def _lets_in(trust: Policy, provider: str) -> bool:
    """Whether users of a provider may assume the role, unless it is sure that they may not.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
    """
    actions = {"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}
    if "${" not in provider:  # not in a template
        actions.remove("sts:AssumeRoleWithWebIdentity" if _SAML_PROVIDER in provider else "sts:AssumeRoleWithSAML")
    requests = (Request(provider=provider, action=action, context=_SIGNED) for action in actions)
    return any(allowed([trust], request) is not False for request in requests)
