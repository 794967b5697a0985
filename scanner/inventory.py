"""Facts, what was seen in AWS; and gaps, what could not be seen.

A fact is UNSET where it is not known, and None where it is known to be absent. The field names are those that rules
read (``lambda_`` is ``lambda`` there, and in the journal).
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

FallbackAction = Literal["CONTINUE", "ABORT"]
"""What happens to a message when its processor cannot be reached: it goes on, or it fails.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_Processor.html
"""


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


class LambdaFunction(Struct, frozen=True, kw_only=True, gc=False):
    """The function a processor invokes, as its ARN says; `qualifier` is a version or an alias."""

    arn: str
    partition: str
    account_id: str
    region: str
    name: str
    qualifier: str | None = None

    @property
    def unqualified_arn(self) -> str:
        return self.arn if self.qualifier is None else self.arn.removesuffix(f":{self.qualifier}")


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
    gaps: dict[str, Gap] = field(default_factory=dict)


class AppInstance(Struct, frozen=True, kw_only=True, gc=False):
    """One chat tenant."""

    arn: str
    id: str
    name: str | UnsetType = UNSET
    account_id: str
    region: str
    partition: str

    @property
    def ref(self) -> AppInstanceRef:
        return AppInstanceRef(arn=self.arn, id=self.id, name=self.name)
