"""Facts: what was observed in AWS or declared in a file. Gaps: what could not be observed.

A fact is UNSET if it is not known, and None if it is known to be absent. Rules use the names of the fields (``lambda_``
is ``lambda`` in rules and in the journal). A resource that a file declares has the places of its facts in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType, field

from scanner.model.logic import Truth
from scanner.model.metadata import AWS_ONLY, NOT_YET, Declaration, facet, says
from scanner.model.runtimes import RUNTIMES, RuntimeDates

Value = TypeVar("Value")

FallbackAction = Literal["CONTINUE", "ABORT"]
"""What happens to a message when its processor cannot be reached: it goes on, or it fails.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_Processor.html
"""


FAULT = "Fault"
"""The code of a gap that a fault of chimeaudit has caused."""

READ_FILE = "ReadFile"
"""The operation of a gap that is a file which could not be read."""

GLOBAL = "global"
"""The region of what belongs to an account as a whole, such as an IAM role."""


def partition_of(region: str) -> str:
    """The partition of a region: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


class Gap(Struct, frozen=True, kw_only=True, gc=False):
    """Something in scope that was not observed.

    `operation` is AWS's name of the call (ListChannelFlows), `code` AWS's error code or, without one, chimeaudit's own.
    `reason` is one sentence in plain words. The gap of a whole account has no region, that of a target no resource ARN.
    """

    account_id: str
    region: str | None = None
    resource_arn: str | None = None
    operation: str
    code: str
    reason: str


class FunctionAccess(Struct, frozen=True, kw_only=True, gc=False):
    """Who may invoke a function according to its resource policy, as seen from the app instance whose flow invokes it.

    `foreign_app_instances` are the patterns, ARNs or account ids by which the policy admits app instances of other
    accounts. `other_accounts` are the accounts or organisations in which somebody may invoke the function or gain
    control of its code.
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
    """What a function's execution role may do in Chime: whether it may call back, and what else it may do.

    `excessive` holds the action patterns beyond ChannelFlowCallback and the resource patterns beyond app instances.
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
    """The configuration of a Lambda function, for the qualifier that the processor names.

    It comes from GetFunctionConfiguration, GetFunctionConcurrency and GetFunctionEventInvokeConfig.

    If the function does not exist, all other facts are None. `failure_destination` is the ARN to which failed events
    go. `reserved_concurrency` is None if none is reserved. `maximum_retry_attempts` is UNSET without a gap if there is
    a dead-letter queue, for which the call is made only with the facet ``retries``.
    """

    exists: Annotated[bool, says("Whether there is a function of this ARN and qualifier.")]
    runtime: Annotated[str | UnsetType | None, says("Its runtime, such as python3.13; absent for an image.")] = UNSET
    state: Annotated[
        str | UnsetType | None,
        AWS_ONLY,
        says("Active, Pending, Inactive, Failed, or another state that Lambda tells."),
    ] = UNSET
    last_update_status: Annotated[str | UnsetType | None, AWS_ONLY, says("Successful, InProgress or Failed.")] = UNSET
    reserved_concurrency: Annotated[
        int | UnsetType | None,
        says("The concurrency that is reserved for it; absent where none is, and 0 switches it off."),
    ] = UNSET
    failure_destination: Annotated[
        str | UnsetType | None,
        says("The ARN to which events go that could not be processed; absent where they are lost."),
    ] = UNSET
    dead_letter_queue: Annotated[
        str | UnsetType | None, says("The ARN of its dead-letter queue or topic; absent where it has none.")
    ] = UNSET
    maximum_retry_attempts: Annotated[
        int | UnsetType | None,
        says("How often Lambda tries again after an error; with a dead-letter queue, of the facet `retries`, too."),
    ] = UNSET
    version: Annotated[
        str | UnsetType | None, AWS_ONLY, says("The version that the qualifier leads to: a number or $LATEST.")
    ] = UNSET
    timeout_seconds: Annotated[int | UnsetType | None, says("How long it may run.")] = UNSET
    role_arn: Annotated[str | UnsetType | None, says("The ARN of its execution role.")] = UNSET
    last_modified: Annotated[
        datetime | UnsetType | None, AWS_ONLY, says("When its code or configuration last changed.")
    ] = UNSET

    @property
    def runtime_deprecated_at(self) -> datetime | UnsetType | None:
        """When AWS deprecates its runtime, or did; absent where no date is known, and for an image."""
        return self._of_runtime(lambda dates: dates.deprecated)

    @property
    def runtime_create_blocked_at(self) -> datetime | UnsetType | None:
        """When AWS begins to refuse new functions with its runtime, or did; absent where no date is known."""
        return self._of_runtime(lambda dates: dates.create_blocked)

    @property
    def runtime_update_blocked_at(self) -> datetime | UnsetType | None:
        """When AWS begins to refuse updates of functions with its runtime, or did; absent where no date is known."""
        return self._of_runtime(lambda dates: dates.update_blocked)

    def _of_runtime(self, chosen: Callable[[RuntimeDates], datetime | None]) -> datetime | UnsetType | None:
        if isinstance(self.runtime, UnsetType):
            return UNSET
        dates = RUNTIMES.get(self.runtime or "")
        return None if dates is None else chosen(dates)


def _function_arn(*, partition: str, region: str, account_id: str, name: str, qualifier: str) -> re.Pattern[str]:
    return re.compile(
        rf"arn:(?P<partition>{partition}):lambda:(?P<region>{region}):(?P<account_id>{account_id})"
        rf":function:(?P<name>{name})(?::(?P<qualifier>{qualifier}))?"
    )


_FUNCTION_ARN = _function_arn(
    partition="aws[a-z0-9-]*",
    region="[a-z0-9-]+",
    account_id="[0-9]{12}",
    name="[A-Za-z0-9_.-]+",
    qualifier=r"\$LATEST|[A-Za-z0-9_-]+",
)
_LIKE_FUNCTION_ARN = _function_arn(partition="[^:]*", region="[^:]*", account_id="[^:]*", name="[^:]*", qualifier=".*")


def parts_of_function_arn(arn: str) -> Mapping[str, str | None] | None:
    """What an ARN says of a function, as its fields in LambdaFunction, even if AWS would not give such an ARN."""
    match = _LIKE_FUNCTION_ARN.fullmatch(arn)
    return None if match is None else match.groupdict()


class LambdaFunction(Struct, frozen=True, kw_only=True, gc=False):
    """The function that a processor invokes, with the parts of its ARN; `qualifier` is a version or an alias.

    `declared` is the function's id in a file that declares it or that does not settle its ARN. `ambiguous`: the file
    does not settle whether another processor of the flow invokes the same function.
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
    ambiguous: bool | UnsetType = UNSET

    @classmethod
    def of(cls, arn: str) -> LambdaFunction | None:
        """The function with this ARN; None if it is no function's ARN."""
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
    def bare_arn(self) -> str:
        """The ARN, which must be settled, without its qualifier."""
        return self.arn if self.qualifier is None else self.arn.removesuffix(f":{self.qualifier}")

    @property
    def unqualified_arn(self) -> str | UnsetType:
        """The ARN without its qualifier; where it is not settled, what tells it from others, if anything does."""
        if self.ambiguous is True:
            return UNSET
        if self.arn is not NOT_YET:
            return self.bare_arn
        place = (self.partition, self.region, self.account_id)
        if NOT_YET in (*place, self.name):
            return str(self.declared)
        return "arn:{}:lambda:{}:{}:function:{}".format(*place, self.name)

    @property
    def identity(self) -> str:
        """An id of the function that is stable across runs, whatever its name and version become."""
        return self.bare_arn if isinstance(self.declared, UnsetType) else self.declared


class Processor(Struct, frozen=True, kw_only=True, gc=False, rename={"lambda_": "lambda"}):
    """One step of a channel flow.

    If processors share the lowest or highest execution order, all of them are first or last: AWS does not document
    which one runs first.
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


def in_execution_order(
    processors: Iterable[Value], order: Callable[[Value], int | None], ties: Callable[[Value], object] = lambda _: ()
) -> list[tuple[Value, Truth, Truth]]:
    """Processors by execution order, each with whether it is first and whether it is last; UNSET if that is unclear.

    Those of unknown order come last. `ties` is what orders those of the same order, so that every run gives the same.
    """
    ordered = sorted(processors, key=lambda each: (order(each) is None, order(each) or 0, ties(each)))
    orders = [order(each) for each in ordered]
    known = [each for each in orders if each is not None]
    if len(ordered) > 1 and len(known) < len(orders):
        return [(each, UNSET, UNSET) for each in ordered]
    first, last = min(known, default=None), max(known, default=None)
    return [(each, own == first, own == last) for each, own in zip(ordered, orders, strict=True)]


class AppInstanceRef(Struct, frozen=True, kw_only=True, gc=False):
    """The app instance to which a channel flow belongs."""

    arn: Annotated[str, says("The ARN of the app instance.")]
    id: Annotated[str, says("The id of the app instance, the end of its ARN.")]
    name: Annotated[str | UnsetType, says("The name of the app instance.")] = UNSET


class ChannelFlow(Struct, frozen=True, kw_only=True, gc=False):
    """A channel flow, with its processors in execution order.

    `gaps` maps the path of an unknown fact (``processors[0].fallback_action``) to the gap that explains it.
    """

    arn: Annotated[str, says("The ARN of the channel flow.")]
    name: Annotated[str | UnsetType, says("The name of the channel flow.")] = UNSET
    account_id: Annotated[str, says("The account it is in.")]
    region: Annotated[str, says("The region it is in.")]
    partition: Annotated[str, says("The partition of its ARN: aws, aws-cn or aws-us-gov.")]
    app_instance: Annotated[AppInstanceRef, says("The app instance that it belongs to.")]
    processors: Annotated[tuple[Processor, ...] | UnsetType, says("Its processors, in execution order.")] = UNSET
    tags: Annotated[dict[str, str] | UnsetType, facet("tags"), says("Its tags, by key.")] = UNSET
    created_at: Annotated[datetime | UnsetType, facet("detail"), AWS_ONLY, says("When it was created.")] = UNSET
    updated_at: Annotated[datetime | UnsetType, facet("detail"), AWS_ONLY, says("When it was last changed.")] = UNSET
    has_channels: Annotated[
        bool | UnsetType, facet("channels"), AWS_ONLY, says("Whether any channel is associated with it.")
    ] = UNSET
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET


class Channels(Struct, frozen=True, kw_only=True, gc=False):
    """The channels of an app instance, as one of its admins sees them.

    A suspect is a channel that no channel flow lists. It counts as unprocessed once AWS's description of the channel
    names no flow either. What was not seen, and suspects that nobody asked about, leave the exact number unknown.
    """

    count: Annotated[int | UnsetType, says("How many channels the app instance has.")] = UNSET
    suspects: Annotated[int | UnsetType, says("How many of the channels that were seen no channel flow lists.")] = UNSET
    unprocessed: Annotated[int | UnsetType, says("How many channels have no channel flow, exactly.")] = UNSET
    unprocessed_at_least: Annotated[
        int | UnsetType, says("How many channels surely have no channel flow, however little else was seen.")
    ] = UNSET
    unprocessed_examples: Annotated[
        tuple[str, ...] | UnsetType, says("The ARNs of some channels without a channel flow, at most 20.")
    ] = UNSET
    seen_as: Annotated[
        str | UnsetType, says("The ARN of the admin as whom the channels were listed, or what a template says.")
    ] = UNSET


class AppInstance(Struct, frozen=True, kw_only=True, gc=False):
    """An app instance; `gaps` maps the path of an unknown fact to the gap that explains it."""

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
        AWS_ONLY,
        says("Whether an EventBridge rule with a target tells when a processor cannot be invoked."),
    ] = UNSET
    tamper_alert: Annotated[
        bool | UnsetType,
        facet("alerts"),
        AWS_ONLY,
        says("Whether EventBridge rules with a target tell when a flow is disassociated, updated or deleted."),
    ] = UNSET
    channels: Annotated[
        Channels | UnsetType, facet("all_channels"), AWS_ONLY, says("All its channels, listed as one of its admins.")
    ] = UNSET
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET

    @property
    def ref(self) -> AppInstanceRef:
        return AppInstanceRef(arn=self.arn, id=self.id, name=self.name)


class Role(Struct, frozen=True, kw_only=True, gc=False):
    """An IAM role that signed-in users of a chat are given, and what it lets them do in Chime.

    Its policies and permissions boundary tell; limits from outside are not known. `gaps`: path of a fact -> its gap.
    """

    arn: Annotated[str, says("The ARN of the role.")]
    name: Annotated[str | UnsetType, says("The name of the role.")] = UNSET
    account_id: Annotated[str, says("The account it is in.")]
    region: Annotated[str, says("Always global: IAM has no regions.")] = GLOBAL
    partition: Annotated[str, says("The partition of its ARN: aws, aws-cn or aws-us-gov.")]
    tags: Annotated[dict[str, str] | UnsetType, facet("chat_roles"), says("Its tags, by key.")] = UNSET
    providers: Annotated[
        tuple[str, ...] | UnsetType,
        facet("chat_roles"),
        says(
            "The identity providers whose users may be given it: cognito-identity.amazonaws.com, or a provider's ARN."
        ),
    ] = UNSET
    acts_as_anyone: Annotated[
        bool | UnsetType,
        facet("chat_roles"),
        says("Whether it lets its users act as other app instance users, among whom may be admins."),
    ] = UNSET
    may_remove_flow: Annotated[
        bool | UnsetType,
        facet("chat_roles"),
        says("Whether it lets its users disassociate a channel from its flow, or associate another flow."),
    ] = UNSET
    may_change_flow: Annotated[
        bool | UnsetType, facet("chat_roles"), says("Whether it lets its users update or delete channel flows.")
    ] = UNSET
    may_open_channels: Annotated[
        bool | UnsetType,
        facet("chat_roles"),
        says("Whether it lets its users create channels, which begin without a flow."),
    ] = UNSET
    gaps: dict[str, Gap] = field(default_factory=dict)
    declared: Declaration | UnsetType = UNSET
