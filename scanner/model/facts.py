"""Facts, what was seen in AWS; and gaps, what could not be seen.

A fact is UNSET where it is not known, and None where it is known to be absent. The field names are those that rules
read (``lambda_`` is ``lambda`` there, and in the journal). A fact that a file declares knows its place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field


class Spot(Struct, frozen=True, kw_only=True, gc=False):
    """A line and a column, from 1."""

    line: int
    column: int


class Declaration(Struct, frozen=True, kw_only=True):
    """How a file declares a resource that may not be deployed yet.

    `file` is what reports call it (scanner.store.repository); `id` tells the resource from others in it, and is the
    logical id in a template. By the path of the fact: `spots`, where its value stands ("" is the resource itself), and
    `written`, what the file says of a fact that only the deployment settles. `untold` are the paths of facts that no
    file could tell.
    """

    file: str
    id: str
    spots: dict[str, Spot]
    written: dict[str, str] = {}
    untold: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """What identifies the resource from run to run."""
        return f"{self.file}#{self.id}"

    def spot(self, path: str) -> Spot:
        """Where the value at a path stands, or the nearest thing that it would stand in."""
        return self.spots[_within(path, self.spots) or ""]

    def unsettled(self, path: str) -> str | None:
        """What the file says of a fact that only the deployment settles, or of what the fact lies in."""
        within = _within(path, self.written)
        return None if within is None else self.written[within]

    def is_untold(self, path: str) -> bool:
        """Whether no file could tell the fact."""
        return _within(path, self.untold) is not None


def _within(path: str, paths: Container[str]) -> str | None:
    """The path itself, or the longest one that it lies in."""
    while path and path not in paths:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path if path in paths else None


def facet(name: str) -> Meta:
    """Marks facts that cost calls of their own: they are collected only where a rule reads one of them."""
    return Meta(extra={"facet": name})


def says(description: str) -> Meta:
    """Tells authors of rules what a fact is: editors show it."""
    return Meta(description=description)


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
    `other_accounts` are the accounts, or organisations, in which somebody may invoke it or gain control of its code.
    """

    chime_can_invoke: Annotated[
        bool | UnsetType, says("Whether its resource policy lets the service invoke it for this app instance.")
    ] = UNSET
    chime_invoke_unconditioned: Annotated[
        bool | UnsetType, says("Whether it lets the service invoke it for the app instances of strangers, too.")
    ] = UNSET
    public: Annotated[bool | UnsetType, says("Whether it lets anyone invoke it.")] = UNSET
    foreign_app_instances: Annotated[
        tuple[str, ...] | UnsetType,
        says("Patterns, ARNs or account ids by which it admits app instances of other accounts."),
    ] = UNSET
    other_accounts: Annotated[
        tuple[str, ...] | UnsetType,
        says("Accounts, or organisations, in which somebody may invoke it or gain control of its code."),
    ] = UNSET


class CallbackPermission(Struct, frozen=True, kw_only=True, gc=False):
    """What a function's execution role may do in Chime: call back for its channels, and what goes beyond that.

    `excessive` holds the action patterns beyond ChannelFlowCallback, and the resource patterns beyond channels.
    """

    allowed: Annotated[
        bool | UnsetType,
        says("Whether the execution role may call ChannelFlowCallback for the channels of this app instance."),
    ] = UNSET
    excessive: Annotated[
        tuple[str, ...] | UnsetType,
        says("Action and resource patterns by which the role may do more in Chime than call back."),
    ] = UNSET


class Function(Struct, frozen=True, kw_only=True, gc=False):
    """A Lambda function as it is configured, for the qualifier that the processor names; from GetFunctionConfiguration,
    GetFunctionConcurrency and GetFunctionEventInvokeConfig.

    Of one that does not exist everything else is None. `failure_destination` is the ARN to which events go that could
    not be processed; `reserved_concurrency` is None where none is reserved.
    """

    exists: Annotated[bool, says("Whether there is a function of this ARN and qualifier.")]
    runtime: Annotated[str | UnsetType | None, says("Its runtime, such as python3.13; absent for an image.")] = UNSET
    state: Annotated[
        str | UnsetType | None, says("Active, Pending, Inactive, Failed, or another state that Lambda tells.")
    ] = UNSET
    last_update_status: Annotated[str | UnsetType | None, says("Successful, InProgress or Failed.")] = UNSET
    reserved_concurrency: Annotated[
        int | UnsetType | None,
        says("The concurrency that is reserved for it; absent where none is, and 0 switches it off."),
    ] = UNSET
    failure_destination: Annotated[
        str | UnsetType | None,
        says("The ARN to which events go that could not be processed; absent where they are lost."),
    ] = UNSET
    timeout_seconds: Annotated[int | UnsetType | None, says("How long it may run.")] = UNSET
    role_arn: Annotated[str | UnsetType | None, says("The ARN of its execution role.")] = UNSET
    last_modified: Annotated[datetime | UnsetType | None, says("When its code or configuration last changed.")] = UNSET


_FUNCTION_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z0-9-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account_id>[0-9]{12})"
    r":function:(?P<name>[A-Za-z0-9_.-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


class LambdaFunction(Struct, frozen=True, kw_only=True, gc=False):
    """The function a processor invokes, as its ARN says; `qualifier` is a version or an alias.

    `declared` is how a file tells it from other functions where its ARN is not settled, or where it declares it too.
    """

    arn: Annotated[str, says("The ARN as the processor has it, with its qualifier if it has one.")]
    partition: Annotated[str, says("The partition of the ARN: aws, aws-cn or aws-us-gov.")]
    account_id: Annotated[str, says("The account of the function.")]
    region: Annotated[str, says("The region of the function.")]
    name: Annotated[str, says("The name of the function.")]
    qualifier: Annotated[str | None, says("The version or alias that the ARN names; absent where it names none.")] = (
        None
    )
    function: Annotated[Function | UnsetType, facet("function"), says("The function as it is configured.")] = UNSET
    access: Annotated[
        FunctionAccess | UnsetType | None,
        facet("function"),
        says("Who may invoke it; absent where the function does not exist."),
    ] = UNSET
    callback: Annotated[
        CallbackPermission | UnsetType | None,
        facet("callback_role"),
        says("What its execution role may do; absent where the function does not exist."),
    ] = UNSET
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
        """The ARN without its qualifier; where it is not settled yet, what tells the function from others."""
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

    name: Annotated[str | UnsetType, says("The name of the processor.")] = UNSET
    execution_order: Annotated[int | UnsetType, says("Its place in the flow, from 1.")] = UNSET
    is_first: Annotated[bool | UnsetType, says("Whether it has the lowest execution order.")] = UNSET
    is_last: Annotated[bool | UnsetType, says("Whether it has the highest execution order.")] = UNSET
    fallback_action: Annotated[
        FallbackAction | UnsetType,
        says("What happens to a message when the processor cannot be reached: it goes on, or it fails."),
    ] = UNSET
    invocation_type: Annotated[str | UnsetType, says("How the function is invoked: ASYNC.")] = UNSET
    lambda_: Annotated[LambdaFunction | UnsetType, says("The function that the processor invokes.")] = UNSET


def is_at_end(end: Callable[[list[int]], int], order: int | None, orders: Sequence[int | None]) -> bool | None:
    """Whether a processor is first (`end` is min) or last (max); None where the orders do not tell."""
    if len(orders) == 1:
        return True
    known = [each for each in orders if each is not None]
    return order == end(known) if len(known) == len(orders) else None


class AppInstanceRef(Struct, frozen=True, kw_only=True, gc=False):
    """The app instance that a channel flow belongs to."""

    arn: Annotated[str, says("The ARN of the app instance.")]
    id: Annotated[str, says("The id of the app instance, the end of its ARN.")]
    name: Annotated[str | UnsetType, says("The name of the app instance.")] = UNSET


class ChannelFlow(Struct, frozen=True, kw_only=True, gc=False):
    """A channel flow; its processors stand in execution order.

    `gaps` maps the path of a fact that is unknown (``processors[0].fallback_action``) to the reason.
    """

    arn: Annotated[str, says("The ARN of the channel flow.")]
    name: Annotated[str | UnsetType, says("The name of the channel flow.")] = UNSET
    account_id: Annotated[str, says("The account it is in.")]
    region: Annotated[str, says("The region it is in.")]
    partition: Annotated[str, says("The partition of its ARN: aws, aws-cn or aws-us-gov.")]
    app_instance: Annotated[AppInstanceRef, says("The app instance that it belongs to.")]
    processors: Annotated[tuple[Processor, ...] | UnsetType, says("Its processors, in execution order.")] = UNSET
    tags: Annotated[dict[str, str] | UnsetType, facet("tags"), says("Its tags, by key.")] = UNSET
    created_at: Annotated[datetime | UnsetType, facet("detail"), says("When it was created.")] = UNSET
    updated_at: Annotated[datetime | UnsetType, facet("detail"), says("When it was last changed.")] = UNSET
    has_channels: Annotated[bool | UnsetType, facet("channels"), says("Whether any channel is associated with it.")] = (
        UNSET
    )
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET


class AppInstance(Struct, frozen=True, kw_only=True, gc=False):
    """One chat tenant; `gaps` as those of a channel flow."""

    arn: Annotated[str, says("The ARN of the app instance.")]
    id: Annotated[str, says("The id of the app instance, the end of its ARN.")]
    name: Annotated[str | UnsetType, says("The name of the app instance.")] = UNSET
    account_id: Annotated[str, says("The account it is in.")]
    region: Annotated[str, says("The region it is in.")]
    partition: Annotated[str, says("The partition of its ARN: aws, aws-cn or aws-us-gov.")]
    tags: Annotated[dict[str, str] | UnsetType, facet("tags"), says("Its tags, by key.")] = UNSET
    failure_alert: Annotated[
        bool | UnsetType,
        facet("alerts"),
        says("Whether an EventBridge rule with a target tells when a processor cannot be invoked."),
    ] = UNSET
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET

    @property
    def ref(self) -> AppInstanceRef:
        return AppInstanceRef(arn=self.arn, id=self.id, name=self.name)
