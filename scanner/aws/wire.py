"""The shapes of AWS's answers, as far as chimeaudit relies on them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field


class _Member(Struct, frozen=True, omit_defaults=True):
    """A part of an answer. It omits defaults, so that encoding it gives no more members than were decoded."""


class _Answer(_Member, frozen=True, kw_only=True):
    """An answer. Its own fields are members that only errors have, whatever their status."""

    _type: Any = field(default=None, name="__type")
    _code: Any = field(default=None, name="Code")
    _lower_code: Any = field(default=None, name="code")
    _error_code: Any = field(default=None, name="errorCode")
    _message: Any = field(default=None, name="Message")
    _lower_message: Any = field(default=None, name="message")
    _error_message: Any = field(default=None, name="errorMessage")
    _error_type: Any = field(default=None, name="errorType")
    _error: Any = field(default=None, name="Error")
    _lower_error: Any = field(default=None, name="error")


class LambdaConfiguration(_Member, frozen=True):
    ResourceArn: str | None = None
    InvocationType: str | None = None


class ProcessorConfiguration(_Member, frozen=True):
    Lambda: LambdaConfiguration | None = None


class Processor(_Member, frozen=True):
    Name: str | None = None
    Configuration: ProcessorConfiguration | None = None
    ExecutionOrder: int | None = None
    FallbackAction: str | None = None


class ChannelFlowSummary(_Member, frozen=True):
    ChannelFlowArn: str
    Name: str | None = None
    Processors: tuple[Processor, ...] | None = None

    @property
    def arn(self) -> str:
        return self.ChannelFlowArn


class AppInstanceSummary(_Member, frozen=True):
    AppInstanceArn: str
    Name: str | None = None
    Metadata: str | None = None

    @property
    def arn(self) -> str:
        return self.AppInstanceArn


class ListAppInstances(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_identity-chime_ListAppInstances.html"""

    AppInstances: tuple[AppInstanceSummary, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[AppInstanceSummary, ...]:
        return self.AppInstances


class Identity(_Member, frozen=True):
    """A user or bot. Its name is not decoded."""

    Arn: str


class AppInstanceAdminSummary(_Member, frozen=True):
    Admin: Identity

    @property
    def arn(self) -> str:
        return self.Admin.Arn


class ListAppInstanceAdmins(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_identity-chime_ListAppInstanceAdmins.html"""

    AppInstanceAdmins: tuple[AppInstanceAdminSummary, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[AppInstanceAdminSummary, ...]:
        return self.AppInstanceAdmins


class ListChannelFlows(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListChannelFlows.html"""

    ChannelFlows: tuple[ChannelFlowSummary, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[ChannelFlowSummary, ...]:
        return self.ChannelFlows


class Tag(_Member, frozen=True):
    Key: str
    Value: str = ""

    @property
    def arn(self) -> str:
        """The key, which takes the place of an ARN, since a resource has one tag of each key."""
        return self.Key


class ListTagsForResource(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListTagsForResource.html"""

    Tags: tuple[Tag, ...] = ()

    @property
    def items(self) -> tuple[Tag, ...]:
        return self.Tags


class ChannelFlowDetail(_Member, frozen=True):
    ChannelFlowArn: str | None = None
    CreatedTimestamp: float | None = None
    LastUpdatedTimestamp: float | None = None


class DescribeChannelFlow(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_DescribeChannelFlow.html"""

    ChannelFlow: ChannelFlowDetail


class Channel(_Member, frozen=True):
    """A channel of a list. Its name and metadata are not decoded."""

    ChannelArn: str

    @property
    def arn(self) -> str:
        return self.ChannelArn


class ListChannels(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListChannels.html"""

    Channels: tuple[Channel, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[Channel, ...]:
        return self.Channels


class ListChannelsAssociatedWithChannelFlow(ListChannels, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListChannelsAssociatedWithChannelFlow.html"""


class ChannelDetail(_Member, frozen=True):
    """What DescribeChannel tells of a channel. Its name and metadata are not decoded."""

    ChannelArn: str
    ChannelFlowArn: str | None = None
    CreatedTimestamp: float | None = None


class DescribeChannel(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_DescribeChannel.html"""

    Channel: ChannelDetail


class DeadLetterConfig(_Member, frozen=True):
    TargetArn: str | None = None


class GetFunctionConfiguration(_Answer, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html"""

    FunctionArn: str
    Version: str | None = None
    PackageType: str | None = None
    Runtime: str | None = None
    Role: str | None = None
    Timeout: int | None = None
    LastModified: str | None = None
    State: str | None = None
    LastUpdateStatus: str | None = None
    DeadLetterConfig: DeadLetterConfig | None = None


class GetFunctionConcurrency(_Answer, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html"""

    ReservedConcurrentExecutions: int | None = None


class GetPolicy(_Answer, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html"""

    Policy: str


class GetFunctionUrlConfig(_Answer, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionUrlConfig.html"""

    AuthType: str
    FunctionArn: str | None = None
    CreationTime: str | None = None


class OnFailure(_Member, frozen=True):
    Destination: str | None = None


class DestinationConfig(_Member, frozen=True):
    OnFailure: OnFailure | None = None


class GetFunctionEventInvokeConfig(_Answer, frozen=True):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html"""

    DestinationConfig: DestinationConfig | None = None
    MaximumRetryAttempts: int | None = None


class EventBridgeRule(_Member, frozen=True):
    Arn: str
    Name: str
    State: str | None = None
    EventPattern: str | None = None

    @property
    def arn(self) -> str:
        return self.Arn


class ListRules(_Answer, frozen=True):
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html"""

    Rules: tuple[EventBridgeRule, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[EventBridgeRule, ...]:
        return self.Rules


class EventBridgeTarget(_Member, frozen=True):
    Arn: str = ""

    @property
    def arn(self) -> str:
        return self.Arn


class ListTargetsByRule(_Answer, frozen=True):
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html"""

    Targets: tuple[EventBridgeTarget, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[EventBridgeTarget, ...]:
        return self.Targets


AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]


class Account(_Member, frozen=True):
    """`State` replaces `Status`: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html"""

    Id: AccountId
    Name: str | None = None
    Status: str | None = None
    State: str | None = None

    @property
    def arn(self) -> str:
        return self.Id

    @property
    def is_suspended(self) -> bool:
        return (self.State or self.Status) in {"SUSPENDED", "CLOSED"}


class ListAccounts(_Answer, frozen=True):
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html"""

    Accounts: tuple[Account, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[Account, ...]:
        return self.Accounts


class ListAccountsForParent(ListAccounts, frozen=True):
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html"""


class OrganizationalUnit(_Member, frozen=True):
    Id: str

    @property
    def arn(self) -> str:
        return self.Id


class ListOrganizationalUnitsForParent(_Answer, frozen=True):
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html"""

    OrganizationalUnits: tuple[OrganizationalUnit, ...]
    NextToken: str | None = None

    @property
    def items(self) -> tuple[OrganizationalUnit, ...]:
        return self.OrganizationalUnits


_BY_SERVICE: dict[str, tuple[type[Struct], ...]] = {
    "chime-sdk-identity": (ListAppInstanceAdmins, ListAppInstances, ListTagsForResource),
    "chime-sdk-messaging": (
        DescribeChannel,
        DescribeChannelFlow,
        ListChannelFlows,
        ListChannels,
        ListChannelsAssociatedWithChannelFlow,
        ListTagsForResource,
    ),
    "events": (ListRules, ListTargetsByRule),
    "lambda": (
        GetFunctionConcurrency,
        GetFunctionConfiguration,
        GetFunctionEventInvokeConfig,
        GetFunctionUrlConfig,
        GetPolicy,
    ),
    "organizations": (ListAccounts, ListAccountsForParent, ListOrganizationalUnitsForParent),
}
ANSWERS = {(service, answer.__name__): answer for service, answers in _BY_SERVICE.items() for answer in answers}
"""The answers to decode strictly, by service and operation. IAM and STS answer in XML, which botocore decodes."""

ERROR_MEMBERS = _Answer.__struct_fields__
"""The members that errors have and answers do not have."""
