"""The file format of what surrounds channel flows in an account: Lambda functions, their roles, alerts.

All defaults are healthy, so a healthy function is ``name: {}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

PROCESSOR_ROLE = "chat-processor"
"""The default role of functions."""

FAILURE_ALERT, TAMPER_ALERT = "processor-failures", "flows-changed"
"""The names of the alerts in a region that describes none."""

Statement = dict[str, Any]
"""A policy statement in IAM's JSON format."""

FunctionPolicy = Literal["own-region", "own-account", "none"] | tuple[Statement, ...]
"""Which app instances may invoke a function: those of its region or its account, none, or as statements say.

The defaults in a statement are those of AddPermission: ``Allow``, ``lambda:InvokeFunction``, the function.
"""

RolePolicy = Literal["call-back"] | tuple[Statement, ...]
"""``call-back`` allows chime:ChannelFlowCallback on the channels of the account."""

Qualifier = Annotated[str, Meta(pattern=r"^(\$LATEST|[a-zA-Z0-9_-]{1,128})$")]


class Function(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A function. Versions 1 to `versions` are published; each of `aliases` points to the newest.

    - `aliases_to_latest` are further aliases, which point to $LATEST.
    - `last_update_status` is that of $LATEST, since published versions do not change.
    - `on_failure`: where failed events go: a dead-letter queue, an on-failure destination, or nowhere.
    - `retries`: how often Lambda tries again after an error, for each version and alias.
    - `policies`: the policies of aliases and versions that differ from the function's; $LATEST: without qualifier.
    - `urls`: the authentication types of the URLs of aliases and of $LATEST.
    """

    runtime: str = "python3.13"
    state: Literal["Active", "Pending", "Inactive", "Failed"] = "Active"
    last_update_status: Literal["Successful", "InProgress", "Failed"] = "Successful"
    reserved_concurrency: Annotated[int, Meta(ge=0)] | None = None
    on_failure: Literal["queue", "destination", "nothing"] = "queue"
    versions: Annotated[int, Meta(ge=1, le=1000)] = 1
    aliases: tuple[Qualifier, ...] = ("live",)
    aliases_to_latest: tuple[Qualifier, ...] = ()
    retries: Annotated[int, Meta(ge=0, le=2)] = 2
    policy: FunctionPolicy = "own-region"
    policies: dict[Qualifier, FunctionPolicy] = field(default_factory=dict)
    urls: dict[Qualifier, Literal["NONE", "AWS_IAM"]] = field(default_factory=dict)
    role: str = PROCESSOR_ROLE

    @property
    def qualifiers(self) -> tuple[str, ...]:
        return "$LATEST", *map(str, range(1, self.versions + 1)), *self.aliases, *self.aliases_to_latest


IDENTITY_POOL = "cognito-identity.amazonaws.com"
RuleId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*$")]


class Role(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role's policies by name. `attached` and `boundary` are customer managed; AWS's for logs is that of functions.

    `users_of` is the identity provider whose users are given the role: `cognito-identity.amazonaws.com`, or
    ``oidc-provider/HOST`` or ``saml-provider/NAME`` of the account. Without it, functions are.
    """

    users_of: (
        Annotated[str, Meta(pattern=r"^(cognito-identity\.amazonaws\.com|(oidc|saml)-provider/[a-zA-Z0-9._-]+)$")]
        | None
    ) = None
    path: Annotated[str, Meta(pattern=r"^/([!-.0-~]+/)*$")] = "/"
    expect: frozenset[RuleId] = frozenset()
    inline: dict[str, RolePolicy] = field(default_factory=lambda: {"call-back": "call-back"})
    attached: dict[str, RolePolicy] = field(default_factory=dict)
    boundary: RolePolicy | None = None


class Alert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule on the default event bus; by default it matches processors that cannot be invoked.

    With a `schedule` there is no `pattern`. `targets` are SNS topics of the account and region. `repeat` makes several,
    with ``{n}`` in the name as a number.
    """

    repeat: Annotated[int, Meta(ge=1, le=300)] = 1
    pattern: dict[str, Any] = field(
        default_factory=lambda: {
            "source": ["aws.chime"],
            "detail-type": ["Chime ChannelFlow Processing Status"],
            "detail": {"eventType": ["ProcessorInvocationFailure"]},
        }
    )
    schedule: str | None = None
    state: Literal["ENABLED", "DISABLED"] = "ENABLED"
    targets: tuple[str, ...] = ("on-call",)


def tamper_alert() -> Alert:
    """The rule on flows that are disassociated, updated or deleted."""
    return Alert(
        pattern={
            "source": ["aws.chime"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {"eventName": ["DisassociateChannelFlow", "UpdateChannelFlow", "DeleteChannelFlow"]},
        }
    )


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def function_policy(policy: FunctionPolicy, function_arn: str) -> dict[str, Any] | None:
    """The resource policy of a function, or of one of its versions or aliases; None if it permits nothing."""
    if policy == "none":
        return None
    added = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function_arn}
    statements = policy if isinstance(policy, tuple) else [_chime_may_invoke(policy, function_arn)]
    return document([added | statement for statement in statements])


def role_policy(policy: RolePolicy, account_id: str) -> dict[str, Any]:
    """The document of one of a role's policies."""
    if isinstance(policy, tuple):
        return document(policy)
    channels = f"arn:aws:chime:*:{account_id}:app-instance/*"
    return document([{"Effect": "Allow", "Action": "chime:ChannelFlowCallback", "Resource": channels}])


def trust_policy(role: Role, account_id: str) -> dict[str, Any]:
    """The document that says who may assume a role."""
    if role.users_of is None:
        statement = {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    elif role.users_of == IDENTITY_POOL:
        signed_in = {
            "StringEquals": {f"{IDENTITY_POOL}:aud": "us-east-1:3f0c1c1e-5a0c-4d0c-9a39-1f6c1d6f0b1a"},
            "ForAnyValue:StringLike": {f"{IDENTITY_POOL}:amr": "authenticated"},
        }
        statement = _web_identity(role.users_of, signed_in)
    else:
        kind, _, name = role.users_of.partition("/")
        arn = f"arn:aws:iam::{account_id}:{role.users_of}"
        statement = (
            _web_identity(arn, {"StringEquals": {f"{name}:aud": "chat"}}) if kind == "oidc-provider" else _saml(arn)
        )
    return document([{"Effect": "Allow", **statement}])


def _web_identity(provider: str, condition: dict[str, Any]) -> Statement:
    return {
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


def _saml(provider: str) -> Statement:
    return {
        "Principal": {"Federated": provider},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    }


def _chime_may_invoke(reach: Literal["own-region", "own-account", "none"], function_arn: str) -> Statement:
    region, account_id = function_arn.split(":")[3:5]
    instances = f"arn:aws:chime:{region if reach == 'own-region' else '*'}:{account_id}:app-instance/*"
    return {
        "Sid": "ChimeMayInvoke",
        "Principal": {"Service": "messaging.chime.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": instances}},
    }
