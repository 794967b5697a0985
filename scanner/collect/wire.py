"""What AWS must have said: the answers we rely on, decoded strictly from the bytes of the response.

botocore reads a body that was cut off as an empty answer, and a list page without its list as an empty page. Both would
become a clean report about something nobody saw. So the bytes are decoded here first: an answer that is not whole JSON
of the expected shape is malformed, is asked for again, and ends as an error.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class LambdaConfiguration(Struct, frozen=True):
    ResourceArn: str | None = None
    InvocationType: str | None = None


class ProcessorConfiguration(Struct, frozen=True):
    Lambda: LambdaConfiguration | None = None


class Processor(Struct, frozen=True):
    Name: str | None = None
    Configuration: ProcessorConfiguration | None = None
    ExecutionOrder: int | None = None
    FallbackAction: str | None = None


class ChannelFlowSummary(Struct, frozen=True):
    ChannelFlowArn: str
    Name: str | None = None
    Processors: tuple[Processor, ...] | None = None

    @property
    def arn(self) -> str:
        return self.ChannelFlowArn


class AppInstanceSummary(Struct, frozen=True):
    AppInstanceArn: str
    Name: str | None = None

    @property
    def arn(self) -> str:
        return self.AppInstanceArn


class ListAppInstances(Struct, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_identity-chime_ListAppInstances.html"""

    AppInstances: tuple[AppInstanceSummary, ...] | None
    NextToken: str | None = None

    @property
    def items(self) -> tuple[AppInstanceSummary, ...]:
        return self.AppInstances or ()


class ListChannelFlows(Struct, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListChannelFlows.html"""

    ChannelFlows: tuple[ChannelFlowSummary, ...] | None
    NextToken: str | None = None

    @property
    def items(self) -> tuple[ChannelFlowSummary, ...]:
        return self.ChannelFlows or ()


class Tag(Struct, frozen=True):
    Key: str
    Value: str = ""


class ListTagsForResource(Struct, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListTagsForResource.html"""

    Tags: tuple[Tag, ...] | None = None


class ChannelFlowDetail(Struct, frozen=True):
    CreatedTimestamp: float | None = None
    LastUpdatedTimestamp: float | None = None


class DescribeChannelFlow(Struct, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_DescribeChannelFlow.html"""

    ChannelFlow: ChannelFlowDetail


class ListChannelsAssociatedWithChannelFlow(Struct, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListChannelsAssociatedWithChannelFlow.html"""

    Channels: tuple[dict[str, Any], ...] | None
    NextToken: str | None = None


class DeadLetterConfig(Struct, frozen=True):
    TargetArn: str | None = None


class GetFunctionConfiguration(Struct, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html"""

    FunctionArn: str
    PackageType: str | None = None
    Runtime: str | None = None
    Role: str | None = None
    Timeout: int | None = None
    LastModified: str | None = None
    State: str | None = None
    LastUpdateStatus: str | None = None
    DeadLetterConfig: DeadLetterConfig | None = None


class GetFunctionConcurrency(Struct, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html"""

    ReservedConcurrentExecutions: int | None = None


class GetPolicy(Struct, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html"""

    Policy: str


class OnFailure(Struct, frozen=True):
    Destination: str | None = None


class DestinationConfig(Struct, frozen=True):
    OnFailure: OnFailure | None = None


class GetFunctionEventInvokeConfig(Struct, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html"""

    DestinationConfig: DestinationConfig | None = None


class Rule(Struct, frozen=True):
    Arn: str
    Name: str
    State: str | None = None
    EventPattern: str | None = None

    @property
    def arn(self) -> str:
        return self.Arn


class ListRules(Struct, frozen=True):
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html"""

    Rules: tuple[Rule, ...] | None
    NextToken: str | None = None

    @property
    def items(self) -> tuple[Rule, ...]:
        return self.Rules or ()


class ListTargetsByRule(Struct, frozen=True):
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html"""

    Targets: tuple[dict[str, Any], ...] | None
    NextToken: str | None = None


AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]


class Account(Struct, frozen=True):
    """`State` succeeds `Status`: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html"""

    Id: AccountId
    Status: str | None = None
    State: str | None = None

    @property
    def arn(self) -> str:
        return self.Id

    @property
    def is_suspended(self) -> bool:
        return (self.State or self.Status) in {"SUSPENDED", "CLOSED"}


class ListAccounts(Struct, frozen=True):
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html"""

    Accounts: tuple[Account, ...] | None
    NextToken: str | None = None

    @property
    def items(self) -> tuple[Account, ...]:
        return self.Accounts or ()


class ListAccountsForParent(ListAccounts, frozen=True):
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html"""


class OrganizationalUnit(Struct, frozen=True):
    Id: str

    @property
    def arn(self) -> str:
        return self.Id


class ListOrganizationalUnitsForParent(Struct, frozen=True):
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html"""

    OrganizationalUnits: tuple[OrganizationalUnit, ...] | None
    NextToken: str | None = None

    @property
    def items(self) -> tuple[OrganizationalUnit, ...]:
        return self.OrganizationalUnits or ()


_BY_SERVICE: dict[str, tuple[type[Struct], ...]] = {
    "chime-sdk-identity": (ListAppInstances, ListTagsForResource),
    "chime-sdk-messaging": (
        DescribeChannelFlow,
        ListChannelFlows,
        ListChannelsAssociatedWithChannelFlow,
        ListTagsForResource,
    ),
    "events": (ListRules, ListTargetsByRule),
    "lambda": (GetFunctionConcurrency, GetFunctionConfiguration, GetFunctionEventInvokeConfig, GetPolicy),
    "organizations": (ListAccounts, ListAccountsForParent, ListOrganizationalUnitsForParent),
}
ANSWERS = {(service, answer.__name__): answer for service, answers in _BY_SERVICE.items() for answer in answers}
"""What is decoded here, by service and operation. IAM and STS answer in XML, which a cut makes unreadable anyway."""

# msgspec sets a type up when it is first used; threads that use it for the first time together crash the process
_DECODERS: dict[type[Struct], Decoder[Any]] = {answer: Decoder(answer) for answer in ANSWERS.values()}

Answer = TypeVar("Answer", bound=Struct)


def decode(body: bytes, answer: type[Answer]) -> Answer:
    """Decode the body of a 200 answer, of one of the types in `ANSWERS`.

    Text that is no Unicode (a lone surrogate, a broken byte) becomes U+FFFD, so that one hostile name neither hides the
    page it stands on nor goes unseen.

    Raises:
        ValueError: the body is not whole JSON, or not of the answer's shape.
    """
    decoder: Decoder[Answer] = _DECODERS[answer]
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(_as_unicode(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _as_unicode(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        return _SURROGATE.sub(_REPLACEMENT, json.dumps(json.loads(text), ensure_ascii=False))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def token_body(answer: Struct) -> bytes:
    """A body with nothing but the answer's NextToken, if it has one."""
    token = getattr(answer, "NextToken", None)
    return msgspec.json.encode({"NextToken": token} if token else {})


def error_body(body: bytes) -> bytes:
    """The text members of an error's body; botocore's own parser stumbles over anything else."""
    try:
        error = json.loads(body.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        error = None
    members = error.items() if isinstance(error, dict) else ()
    return json.dumps({name: value for name, value in members if isinstance(value, str)}).encode()
