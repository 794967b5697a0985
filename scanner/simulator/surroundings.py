"""What an account holds around its channel flows, as a file says it: Lambda functions, the roles they run as, alerts.

Everything left out is as it should be, so that a healthy function is ``name: {}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

PROCESSOR_ROLE = "chat-processor"
"""The role that functions run as unless they say otherwise."""

FAILURE_ALERT = "processor-failures"
"""The alert of a region that describes none."""

Statement = dict[str, Any]
"""A statement of a policy, as IAM writes it."""

FunctionPolicy = Literal["own-region", "own-account", "none"] | tuple[Statement, ...]
"""Whose app instances may invoke a function: those of its region, or of all regions, in its account.

In a statement, what is left out is what AddPermission would put: ``Allow``, ``lambda:InvokeFunction``, the function.
"""

RolePolicy = Literal["call-back"] | tuple[Statement, ...]
"""``call-back`` allows chime:ChannelFlowCallback on the channels of the account."""

Qualifier = Annotated[str, Meta(pattern=r"^(\$LATEST|[a-zA-Z0-9_-]{1,128})$")]


class Function(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Versions 1 to `versions` are published; each of `aliases` points to the newest.

    `last_update_status` speaks of $LATEST: published versions do not change. `on_failure` is where events go that could
    not be processed: to a dead-letter queue, to an on-failure destination or nowhere. `policies` says what is different
    for one alias or version ($LATEST: without qualifier), as each has a policy of its own. `urls` are the URLs of
    aliases and of the function without qualifier, by how callers authenticate.
    """

    runtime: str = "python3.13"
    state: Literal["Active", "Pending", "Inactive", "Failed"] = "Active"
    last_update_status: Literal["Successful", "InProgress", "Failed"] = "Successful"
    reserved_concurrency: Annotated[int, Meta(ge=0)] | None = None
    on_failure: Literal["queue", "destination", "nothing"] = "queue"
    versions: Annotated[int, Meta(ge=1, le=1000)] = 1
    aliases: tuple[Qualifier, ...] = ("live",)
    policy: FunctionPolicy = "own-region"
    policies: dict[Qualifier, FunctionPolicy] = field(default_factory=dict)
    urls: dict[Qualifier, Literal["NONE", "AWS_IAM"]] = field(default_factory=dict)
    role: str = PROCESSOR_ROLE

    @property
    def qualifiers(self) -> tuple[str, ...]:
        return "$LATEST", *map(str, range(1, self.versions + 1)), *self.aliases


class Role(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Policies by name; `attached` and `boundary` are managed by the customer. AWS's own, for logs, is always there."""

    inline: dict[str, RolePolicy] = field(default_factory=lambda: {"call-back": "call-back"})
    attached: dict[str, RolePolicy] = field(default_factory=dict)
    boundary: RolePolicy | None = None


class Alert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule on the default event bus: by default, for processors that cannot be invoked.

    With a `schedule` there is no `pattern`. `targets` are SNS topics of the account and region. `repeat` makes that
    many of it, ``{n}`` in the name counting.
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


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def function_policy(policy: FunctionPolicy, function_arn: str) -> dict[str, Any] | None:
    """The resource policy that a function, or one of its versions or aliases, has; none where nothing was permitted."""
    if policy == "none":
        return None
    added = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function_arn}
    statements = policy if isinstance(policy, tuple) else [_chime_may_invoke(policy, function_arn)]
    return document([added | statement for statement in statements])


def role_policy(policy: RolePolicy, account_id: str) -> dict[str, Any]:
    """The document of a policy of a role."""
    if isinstance(policy, tuple):
        return document(policy)
    channels = f"arn:aws:chime:*:{account_id}:app-instance/*"
    return document([{"Effect": "Allow", "Action": "chime:ChannelFlowCallback", "Resource": channels}])


def _chime_may_invoke(reach: Literal["own-region", "own-account", "none"], function_arn: str) -> Statement:
    region, account_id = function_arn.split(":")[3:5]
    instances = f"arn:aws:chime:{region if reach == 'own-region' else '*'}:{account_id}:app-instance/*"
    return {
        "Sid": "ChimeMayInvoke",
        "Principal": {"Service": "messaging.chime.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": instances}},
    }
