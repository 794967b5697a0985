"""Facts, what was seen in AWS; and gaps, what could not be seen.

A fact is UNSET where it is not known, and None where it is known to be absent. The field names are those that rules
read (``lambda_`` is ``lambda`` there, and in the journal).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from scanner.declaration import Declaration


def facet(name: str) -> Meta:
    """Marks facts that cost calls of their own: they are collected only where a rule reads one of them."""
    return Meta(extra={"facet": name})


NOT_YET: Any = UNSET
"""What only the deployment will settle of a resource that a file declares, such as its ARN or its account.

Of what AWS has told these facts are always known, so their types do not speak of it. Rules take every unset fact as
unknown.
"""

FallbackAction = Literal["CONTINUE", "ABORT"]
"""What happens to a message when its processor cannot be reached: it goes on, or it fails.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_Processor.html
"""


FAULT = "Fault"
"""The code of a gap that chimeaudit itself is to blame for."""

READ_FILE = "ReadFile"
"""The operation of a gap that is a file."""


def partition_of(region: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


class Gap(Struct, frozen=True, kw_only=True, gc=False):
    """Something in scope that was not observed.

    `operation` is AWS's name of the call (ListChannelFlows), `code` AWS's error code or ours where AWS gave none, and
    `reason` one sentence in plain words. A whole account has no region; a whole target has no resource ARN.
    """

    account_id: str
    region: str | None = None
    resource_arn: str | None = None
    operation: str
    code: str
    reason: str


class FunctionAccess(Struct, frozen=True, kw_only=True, gc=False):
    """Who may invoke a function, seen from the app instance whose flow invokes it; from its resource policy.

    `foreign_app_instances` are the patterns, ARNs or account ids by which it admits app instances of other accounts.
    """

    chime_can_invoke: bool | UnsetType = UNSET
    chime_invoke_unconditioned: bool | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    foreign_app_instances: tuple[str, ...] | UnsetType = UNSET


class CallbackPermission(Struct, frozen=True, kw_only=True, gc=False):
    """What a function's execution role may do in Chime: call back for its channels, and what goes beyond that.

    `excessive` holds the action patterns beyond ChannelFlowCallback, and the resource patterns beyond channels.
    """

    allowed: bool | UnsetType = UNSET
    excessive: tuple[str, ...] | UnsetType = UNSET


class Function(Struct, frozen=True, kw_only=True, gc=False):
    """A Lambda function as it is configured, for the qualifier that the processor names; from GetFunctionConfiguration,
    GetFunctionConcurrency and GetFunctionEventInvokeConfig.

    Of one that does not exist everything else is None. `failure_destination` is the ARN to which events go that could
    not be processed; `reserved_concurrency` is None where none is reserved.
    """

    exists: bool
    runtime: str | UnsetType | None = UNSET
    state: str | UnsetType | None = UNSET
    last_update_status: str | UnsetType | None = UNSET
    reserved_concurrency: int | UnsetType | None = UNSET
    failure_destination: str | UnsetType | None = UNSET
    timeout_seconds: int | UnsetType | None = UNSET
    role_arn: str | UnsetType | None = UNSET
    last_modified: datetime | UnsetType | None = UNSET


_FUNCTION_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z0-9-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account_id>[0-9]{12})"
    r":function:(?P<name>[A-Za-z0-9_.-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


class LambdaFunction(Struct, frozen=True, kw_only=True, gc=False):
    """The function a processor invokes, as its ARN says; `qualifier` is a version or an alias.

    `declared` is how a file tells it from other functions where its ARN is not settled, or where it declares it too.
    """

    arn: str
    partition: str
    account_id: str
    region: str
    name: str
    qualifier: str | None = None
    function: Annotated[Function | UnsetType, facet("function")] = UNSET
    access: Annotated[FunctionAccess | UnsetType | None, facet("function")] = UNSET
    callback: Annotated[CallbackPermission | UnsetType | None, facet("callback_role")] = UNSET
    declared: str | UnsetType = UNSET

    @classmethod
    def of(cls, arn: str) -> LambdaFunction | None:
        """The function that has this ARN; None where it is not that of a function."""
        match = _FUNCTION_ARN.fullmatch(arn)
        if match is None:
            return None
        return cls(
            arn=arn,
            partition=match["partition"],
            account_id=match["account_id"],
            region=match["region"],
            name=match["name"],
            qualifier=match["qualifier"],
        )

    @property
    def unqualified_arn(self) -> str:
        """Of a function whose ARN is not settled yet, what tells it from others."""
        if self.arn is NOT_YET:
            return str(self.declared)
        return self.arn if self.qualifier is None else self.arn.removesuffix(f":{self.qualifier}")

    @property
    def identity(self) -> str:
        """What tells it from others on every run, whatever becomes of its name and version."""
        return self.unqualified_arn if isinstance(self.declared, UnsetType) else self.declared


class Processor(Struct, frozen=True, kw_only=True, gc=False, rename={"lambda_": "lambda"}):
    """One step of a channel flow.

    Where two processors share the lowest or highest execution order, both are first or last: the service does not say
    which of them runs first.
    """

    name: str | UnsetType = UNSET
    execution_order: int | UnsetType = UNSET
    is_first: bool | UnsetType = UNSET
    is_last: bool | UnsetType = UNSET
    fallback_action: FallbackAction | UnsetType = UNSET
    invocation_type: str | UnsetType = UNSET
    lambda_: LambdaFunction | UnsetType = UNSET


def is_at_end(end: Callable[[list[int]], int], order: int | None, orders: Sequence[int | None]) -> bool | None:
    """Whether a processor is first (`end` is min) or last (max); None where the orders do not tell."""
    if len(orders) == 1:
        return True
    known = [each for each in orders if each is not None]
    return order == end(known) if len(known) == len(orders) else None


class AppInstanceRef(Struct, frozen=True, kw_only=True, gc=False):
    """The app instance that a channel flow belongs to."""

    arn: str
    id: str
    name: str | UnsetType = UNSET


class ChannelFlow(Struct, frozen=True, kw_only=True, gc=False):
    """A channel flow; its processors stand in execution order.

    `gaps` maps the path of a fact that is unknown (``processors[0].fallback_action``) to the reason.
    """

    arn: str
    name: str | UnsetType = UNSET
    account_id: str
    region: str
    partition: str
    app_instance: AppInstanceRef
    processors: tuple[Processor, ...] | UnsetType = UNSET
    tags: Annotated[dict[str, str] | UnsetType, facet("tags")] = UNSET
    created_at: Annotated[datetime | UnsetType, facet("detail")] = UNSET
    updated_at: Annotated[datetime | UnsetType, facet("detail")] = UNSET
    has_channels: Annotated[bool | UnsetType, facet("channels")] = UNSET
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET


class AppInstance(Struct, frozen=True, kw_only=True, gc=False):
    """One chat tenant; `gaps` as those of a channel flow."""

    arn: str
    id: str
    name: str | UnsetType = UNSET
    account_id: str
    region: str
    partition: str
    tags: Annotated[dict[str, str] | UnsetType, facet("tags")] = UNSET
    failure_alert: Annotated[bool | UnsetType, facet("alerts")] = UNSET
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET

    @property
    def ref(self) -> AppInstanceRef:
        return AppInstanceRef(arn=self.arn, id=self.id, name=self.name)
