"""App instances, channel flows and the channels associated with them, in one account and region.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Messaging.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from moto.core.base_backend import BackendDict, BaseBackend
from moto.moto_api._internal import mock_random
from moto.utilities.tagging_service import TaggingService

from scanner.simulator.exceptions import BadRequestException, ForbiddenException, UnprocessableEntity

MAX_PAGE = 50
MAX_PROCESSORS = 3

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Processor:
    """One step of a channel flow: a Lambda function, and what happens when it cannot be reached."""

    name: str
    lambda_arn: str
    execution_order: int
    fallback_action: str

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> Processor:
        try:
            function = request["Configuration"]["Lambda"]
            invocation_type = function["InvocationType"]
            processor = cls(
                name=request["Name"],
                lambda_arn=function["ResourceArn"],
                execution_order=request["ExecutionOrder"],
                fallback_action=request["FallbackAction"],
            )
        except (KeyError, TypeError) as error:
            raise BadRequestException("A processor lacks a required member") from error
        if processor.execution_order not in range(1, MAX_PROCESSORS + 1):
            raise BadRequestException(f"ExecutionOrder must be between 1 and {MAX_PROCESSORS}")
        if processor.fallback_action not in ("ABORT", "CONTINUE"):
            raise BadRequestException("FallbackAction must be ABORT or CONTINUE")
        if invocation_type != "ASYNC":
            raise BadRequestException("InvocationType must be ASYNC")
        return processor

    def to_dict(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Configuration": {"Lambda": {"ResourceArn": self.lambda_arn, "InvocationType": "ASYNC"}},
            "ExecutionOrder": self.execution_order,
            "FallbackAction": self.fallback_action,
        }


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel, with the ARN of the channel flow that processes its messages, if one does."""

    arn: str
    name: str
    flow_arn: str | None = None
    is_public: bool = False
    created: datetime

    def summary(self) -> dict[str, Any]:
        privacy = "PUBLIC" if self.is_public else "PRIVATE"
        return {"ChannelArn": self.arn, "Name": self.name, "Mode": "UNRESTRICTED", "Privacy": privacy}

    def to_dict(self) -> dict[str, Any]:
        flow = {} if self.flow_arn is None else {"ChannelFlowArn": self.flow_arn}
        return self.summary() | flow | _timestamps(self.created, self.created)


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of an app instance; admins see all of its channels."""

    arn: str
    name: str
    is_admin: bool

    def to_dict(self) -> dict[str, Any]:
        return {"Admin": {"Arn": self.arn, "Name": self.name}}


@dataclass(frozen=True, kw_only=True)
class ChannelFlow:
    """The processors that a message passes before it is delivered."""

    arn: str
    name: str
    processors: tuple[Processor, ...]
    created: datetime
    updated: datetime

    def summary(self) -> dict[str, Any]:
        processors = [processor.to_dict() for processor in self.processors]
        return {"ChannelFlowArn": self.arn, "Name": self.name, "Processors": processors}

    def to_dict(self) -> dict[str, Any]:
        return self.summary() | _timestamps(self.created, self.updated)


@dataclass(frozen=True, kw_only=True)
class AppInstance:
    """An app instance, with its channel flows, channels and users by ARN."""

    arn: str
    name: str
    metadata: str | None = None
    retention_days: int | None = None
    created: datetime
    channel_flows: dict[str, ChannelFlow] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        metadata = {} if self.metadata is None else {"Metadata": self.metadata}
        return {"AppInstanceArn": self.arn, "Name": self.name} | metadata

    def to_dict(self) -> dict[str, Any]:
        return self.summary() | _timestamps(self.created, self.created)

    def retention_settings(self) -> dict[str, Any]:
        days = {} if self.retention_days is None else {"RetentionDays": self.retention_days}
        return {"ChannelRetentionSettings": days}


def _timestamps(created: datetime, updated: datetime) -> dict[str, float]:
    return {"CreatedTimestamp": created.timestamp(), "LastUpdatedTimestamp": updated.timestamp()}


class ChimeSDKBackend(BaseBackend):
    """Chime SDK identity and messaging: two services that share resources and a signing name."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.app_instances: dict[str, AppInstance] = {}
        self.tagger = TaggingService()

    def list_app_instances(
        self, *, max_results: int, next_token: str | None
    ) -> tuple[Sequence[AppInstance], str | None]:
        return self._page("app-instances", list(self.app_instances.values()), max_results, next_token)

    def describe_app_instance(self, arn: str) -> AppInstance:
        try:
            return self.app_instances[arn]
        except KeyError:
            raise ForbiddenException(f"Not authorized to access {arn}") from None

    def create_app_instance(self, *, name: str, metadata: str | None, tags: list[dict[str, str]] | None) -> AppInstance:
        arn = f"arn:{self.partition}:chime:{self.region_name}:{self.account_id}:app-instance/{mock_random.uuid4()}"
        app_instance = AppInstance(arn=arn, name=name, metadata=metadata, created=datetime.now(UTC))
        self.app_instances[arn] = app_instance
        self.tagger.tag_resource(arn, tags)
        return app_instance

    def list_channel_flows(
        self, app_instance_arn: str, *, max_results: int, next_token: str | None
    ) -> tuple[Sequence[ChannelFlow], str | None]:
        flows = list(self.describe_app_instance(app_instance_arn).channel_flows.values())
        return self._page(f"channel-flows {app_instance_arn}", flows, max_results, next_token)

    def describe_channel_flow(self, arn: str) -> ChannelFlow:
        app_instance = self.app_instances.get(arn.partition("/channel-flow/")[0])
        if app_instance is None or arn not in app_instance.channel_flows:
            raise ForbiddenException(f"Not authorized to access {arn}")
        return app_instance.channel_flows[arn]

    def create_channel_flow(
        self,
        app_instance_arn: str,
        *,
        name: str,
        processors: Sequence[Mapping[str, Any]],
        tags: list[dict[str, str]] | None,
    ) -> ChannelFlow:
        app_instance = self.describe_app_instance(app_instance_arn)
        if not 1 <= len(processors) <= MAX_PROCESSORS:
            raise BadRequestException(f"A channel flow has 1 to {MAX_PROCESSORS} processors")
        now = datetime.now(UTC)
        flow = ChannelFlow(
            arn=f"{app_instance_arn}/channel-flow/{mock_random.uuid4()}",
            name=name,
            processors=tuple(map(Processor.from_request, processors)),
            created=now,
            updated=now,
        )
        app_instance.channel_flows[flow.arn] = flow
        self.tagger.tag_resource(flow.arn, tags)
        return flow

    def delete_channel_flow(self, arn: str) -> None:
        self.describe_channel_flow(arn)
        del self.app_instances[arn.partition("/channel-flow/")[0]].channel_flows[arn]
        self.tagger.delete_all_tags_for_resource(arn)

    def list_channels_associated_with_channel_flow(
        self, arn: str, *, max_results: int, next_token: str | None
    ) -> tuple[Sequence[Channel], str | None]:
        self.describe_channel_flow(arn)
        channels = self._app_instance_of(arn).channels.values()
        own = [channel for channel in channels if channel.flow_arn == arn]
        return self._page(f"channels {arn}", own, max_results, next_token)

    def list_app_instance_admins(
        self, arn: str, *, max_results: int, next_token: str | None
    ) -> tuple[Sequence[User], str | None]:
        admins = [user for user in self.describe_app_instance(arn).users.values() if user.is_admin]
        return self._page(f"admins {arn}", admins, max_results, next_token)

    def list_channels(
        self, app_instance_arn: str, bearer: str, *, max_results: int, next_token: str | None
    ) -> tuple[Sequence[Channel], str | None]:
        """All channels for an admin, for another user the public ones."""
        user = self._user(app_instance_arn, bearer)
        channels = self.describe_app_instance(app_instance_arn).channels.values()
        seen = [channel for channel in channels if user.is_admin or channel.is_public]
        return self._page(f"channels {app_instance_arn} {bearer}", seen, max_results, next_token)

    def describe_channel(self, arn: str, bearer: str) -> Channel:
        app_instance = self._app_instance_of(arn)
        user, channel = self._user(app_instance.arn, bearer), app_instance.channels.get(arn)
        if channel is None or not (user.is_admin or channel.is_public):
            raise ForbiddenException(f"Not authorized to access {arn}")
        return channel

    def _user(self, app_instance_arn: str, bearer: str) -> User:
        user = self.describe_app_instance(app_instance_arn).users.get(bearer)
        if user is None:
            raise UnprocessableEntity("An invalid app instance user ARN was supplied for the bearer")
        return user

    def _app_instance_of(self, arn: str) -> AppInstance:
        """The app instance of a flow or a channel."""
        return self.describe_app_instance("/".join(arn.split("/")[:2]))

    def list_tags_for_resource(self, arn: str) -> list[dict[str, str]]:
        self._must_exist(arn)
        return self.tagger.list_tags_for_resource(arn)["Tags"]

    def tag_resource(self, arn: str, tags: list[dict[str, str]]) -> None:
        self._must_exist(arn)
        self.tagger.tag_resource(arn, tags)

    def _must_exist(self, arn: str) -> None:
        if "/channel-flow/" in arn:
            self.describe_channel_flow(arn)
        else:
            self.describe_app_instance(arn)

    def _page(
        self, listing: str, items: Sequence[Item], max_results: int, next_token: str | None
    ) -> tuple[Sequence[Item], str | None]:
        if not 1 <= max_results <= MAX_PAGE:
            raise BadRequestException(f"MaxResults must be between 1 and {MAX_PAGE}")
        listing = f"{self.account_id} {self.region_name} {listing}"
        start = _position(listing, next_token) if next_token else 0
        end = start + max_results
        return items[start:end], _token(listing, end) if end < len(items) else None


def _token(listing: str, position: int) -> str:
    """A NextToken that only this listing accepts."""
    return f"{position}-{hashlib.sha256(f'{listing} {position}'.encode()).hexdigest()}"


def _position(listing: str, token: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})-[0-9a-f]{64}", token)
    if match is None or token != _token(listing, int(match[1])):
        raise BadRequestException("NextToken is not a token of this listing")
    return int(match[1])


chimesdk_backends = BackendDict(ChimeSDKBackend, "chime-sdk-messaging")
