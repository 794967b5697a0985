"""What AWS must have said: the answers we rely on, decoded strictly from the bytes of the response.

botocore reads a body that was cut off as an empty answer, and a list page without its list as an empty page. Both would
become a clean report about something nobody saw. So the bytes are decoded here first: an answer that is not whole JSON
of the expected shape is malformed, is asked for again, and ends as an error.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, TypeVar
from xml.etree import ElementTree

import msgspec
from msgspec import Meta, Struct, field
from msgspec.json import Decoder

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class _Member(Struct, frozen=True, omit_defaults=True):
    """Written again, it says no more than what it was read from."""


class _Answer(_Member, frozen=True, kw_only=True):
    """What no answer has, but an error does, whatever its status."""

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
        """A resource has one tag of a key."""
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
    ChannelArn: str | None = None


class ListChannelsAssociatedWithChannelFlow(_Answer, frozen=True):
    """https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_ListChannelsAssociatedWithChannelFlow.html"""

    Channels: tuple[Channel, ...]
    NextToken: str | None = None


class DeadLetterConfig(_Member, frozen=True):
    TargetArn: str | None = None


class GetFunctionConfiguration(_Answer, frozen=True):
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


class ListTargetsByRule(_Answer, frozen=True):
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html"""

    Targets: tuple[dict[str, Any], ...]
    NextToken: str | None = None


AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]


class Account(_Member, frozen=True):
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
    "chime-sdk-identity": (ListAppInstances, ListTagsForResource),
    "chime-sdk-messaging": (
        DescribeChannelFlow,
        ListChannelFlows,
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
"""What is decoded here, by service and operation. IAM and STS answer in XML, which botocore decodes."""

# msgspec sets a type up when it is first used; threads that use it for the first time together crash the process
_DECODERS: dict[type[Struct], Decoder[Any]] = {answer: Decoder(answer) for answer in ANSWERS.values()}

_anything: Decoder[Any] = Decoder()
_encoder = msgspec.json.Encoder()
_ERROR_MEMBERS = _Answer.__struct_fields__
_TOO_DEEP = "nested too deeply"

Answer = TypeVar("Answer", bound=Struct)


def decode(body: bytes, answer: type[Answer]) -> Answer:
    """Decode the body of an answer with status 200, of one of the types in `ANSWERS`.

    Text that is no Unicode (a lone surrogate, a broken byte) becomes U+FFFD, so that one hostile name neither hides the
    page it stands on nor goes unseen.

    Raises:
        ValueError: the body is not whole JSON, not of the answer's shape, contradicts itself, or is an error.
    """
    decoder: Decoder[Answer] = _DECODERS[answer]
    try:
        decoded = decoder.decode(body)
        doubted = _may_repeat_a_name(body, decoded)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = _as_unicode(body)
        decoded, doubted = decoder.decode(text), True
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if doubted:
        _refuse_repeated_names(body)
    _check(decoded)
    return decoded


def _may_repeat_a_name(body: bytes, decoded: Struct) -> bool:
    """Whether an object in it may have two members of one name, of which decoding drops one.

    What is dropped has a colon, and so what was decoded, written again, has fewer. Members that we do not know are
    dropped, too: then all is decoded. Only an escape may hide a colon.
    """
    if b"\\" in body and b"\\u003" in body:
        return True
    colons = body.count(b":")
    if _encoder.encode(decoded).count(b":") == colons:
        return False
    return _encoder.encode(_anything.decode(body)).count(b":") != colons


def _refuse_repeated_names(body: bytes) -> None:
    try:
        json.loads(body.decode("utf-8", errors="replace"), object_pairs_hook=_without_repeated_names)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _without_repeated_names(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) < len(members):
        raise ValueError("an object has two members of one name")


def _check(answer: Struct) -> None:
    """Refuse what decodes well and is no answer all the same."""
    if any(getattr(answer, name) is not None for name in _ERROR_MEMBERS):
        raise ValueError("it has the members of an error")
    items = getattr(answer, "items", ())
    arns = {item.arn for item in items}
    if len(arns) < len(items) and len(arns) < len({*items}):
        raise ValueError("two things that differ have one ARN")


def _as_unicode(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        return _SURROGATE.sub(_REPLACEMENT, json.dumps(json.loads(text), ensure_ascii=False))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def check_xml(body: bytes) -> None:
    """Refuse an answer of IAM or STS that contradicts itself, or is an error though its status is none.

    Raises:
        ValueError: it does, or is no XML.
    """
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - botocore's own parser reads it just so
    except ElementTree.ParseError:
        raise ValueError("it is not whole XML") from None
    for element in root.iter():
        names = [child.tag for child in element if _local(child) != "member"]
        if len({*names}) < len(names):
            raise ValueError("it says one thing twice")
        if _local(element) in {"Error", "ErrorResponse"}:
            raise ValueError("it has the members of an error")
        if _local(element) == "IsTruncated" and element.text not in {"true", "false"}:
            raise ValueError("it does not say whether more is to follow")


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


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
