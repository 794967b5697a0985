"""Parses HTTP requests to Chime SDK identity and messaging and answers them."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.common_types import TYPE_RESPONSE

from scanner.simulator.enforcement import DeniesInJson
from scanner.simulator.exceptions import AccessDeniedException, BadRequestException, ForbiddenException
from scanner.simulator.models import MAX_PAGE, ChimeSDKBackend, chimesdk_backends

CHIME_ARN = re.compile(r"arn:[a-z0-9.-]{1,63}:chime:[a-z0-9-]*:[0-9]*:[^/].*", re.DOTALL)


class ChimeSDKResponse(DeniesInJson):
    """What both services share: the backend of the caller's account and region, parameters, pages and tags."""

    @property
    def backend(self) -> ChimeSDKBackend:
        backends = chimesdk_backends[self.current_account]
        if self.region not in backends:
            raise ForbiddenException(f"Amazon Chime SDK does not exist in {self.region}: AWS has no host there to ask")
        return backends[self.region]

    def _denial(self, message: str) -> AccessDeniedException:
        return AccessDeniedException(message)

    def _authenticate_and_authorize_normal_action(self, resource: str = "*") -> None:
        """Check that IAM allows the call on each of the resources on which AWS checks it.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonchime.html
        """
        for each in self._authorised_on() or (resource,):
            super()._authenticate_and_authorize_normal_action(each)

    def _authorised_on(self) -> tuple[str, ...]:
        match self._get_action():
            case "ListAppInstanceAdmins":
                return (self._arn("appInstanceArn"),)
            case "ListChannels":
                return (self._bearer,)
            case "DescribeChannel":
                return self._bearer, self._arn("channelArn")
        return ()

    @property
    def _bearer(self) -> str:
        """The user as whom the call is made."""
        bearer = self.headers.get("x-amz-chime-bearer")
        if not bearer:
            raise BadRequestException("x-amz-chime-bearer is missing")
        return str(bearer)

    def list_tags_for_resource(self) -> TYPE_RESPONSE:
        return _answer(200, {"Tags": self.backend.list_tags_for_resource(self._arn("arn"))})

    def tag_resource(self) -> TYPE_RESPONSE:
        request = self._request_body(ResourceARN=str, Tags=list)
        self.backend.tag_resource(request["ResourceARN"], request["Tags"])
        return _answer(204)

    def _arn(self, parameter: str) -> str:
        arn = self._get_param(parameter)
        if not isinstance(arn, str) or CHIME_ARN.fullmatch(arn) is None:
            raise BadRequestException(f"{parameter} is not an ARN of Amazon Chime SDK")
        return arn

    def _paging(self) -> dict[str, Any]:
        max_results = self._get_param("max-results", str(MAX_PAGE))
        if re.fullmatch(r"[0-9]{1,9}", max_results) is None:
            raise BadRequestException("MaxResults is not a number")
        return {"max_results": int(max_results), "next_token": self._get_param("next-token")}

    def _request_body(self, **required: type) -> dict[str, Any]:
        try:
            request = json.loads(self.body)
        except json.JSONDecodeError as error:
            raise BadRequestException("The body is not JSON") from error
        if not isinstance(request, dict):
            raise BadRequestException("The body is not an object")
        for name, kind in required.items():
            if not isinstance(request.get(name), kind):
                raise BadRequestException(f"{name} is missing, or not of its type")
        return request


class ChimeSDKIdentityResponse(ChimeSDKResponse):
    """The reads of Amazon Chime SDK identity.

    https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Identity.html
    """

    def __init__(self) -> None:
        super().__init__(service_name="chime-sdk-identity")

    def list_app_instances(self) -> TYPE_RESPONSE:
        page, next_token = self.backend.list_app_instances(**self._paging())
        return _answer(200, {"AppInstances": [app_instance.summary() for app_instance in page]}, next_token)

    def describe_app_instance(self) -> TYPE_RESPONSE:
        app_instance = self.backend.describe_app_instance(self._arn("appInstanceArn"))
        return _answer(200, {"AppInstance": app_instance.to_dict()})

    def list_app_instance_admins(self) -> TYPE_RESPONSE:
        page, next_token = self.backend.list_app_instance_admins(self._arn("appInstanceArn"), **self._paging())
        return _answer(200, {"AppInstanceAdmins": [admin.to_dict() for admin in page]}, next_token)

    def get_app_instance_retention_settings(self) -> TYPE_RESPONSE:
        app_instance = self.backend.describe_app_instance(self._arn("appInstanceArn"))
        return _answer(200, {"AppInstanceRetentionSettings": app_instance.retention_settings()})

    def create_app_instance(self) -> TYPE_RESPONSE:
        request = self._request_body(Name=str)
        app_instance = self.backend.create_app_instance(
            name=request["Name"], metadata=request.get("Metadata"), tags=request.get("Tags")
        )
        return _answer(201, {"AppInstanceArn": app_instance.arn})


class ChimeSDKMessagingResponse(ChimeSDKResponse):
    """The reads of Amazon Chime SDK messaging.

    https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Messaging.html
    """

    def __init__(self) -> None:
        super().__init__(service_name="chime-sdk-messaging")

    def list_channel_flows(self) -> TYPE_RESPONSE:
        page, next_token = self.backend.list_channel_flows(self._arn("app-instance-arn"), **self._paging())
        return _answer(200, {"ChannelFlows": [flow.summary() for flow in page]}, next_token)

    def describe_channel_flow(self) -> TYPE_RESPONSE:
        flow = self.backend.describe_channel_flow(self._arn("channelFlowArn"))
        return _answer(200, {"ChannelFlow": flow.to_dict()})

    def create_channel_flow(self) -> TYPE_RESPONSE:
        request = self._request_body(AppInstanceArn=str, Name=str, Processors=list)
        flow = self.backend.create_channel_flow(
            request["AppInstanceArn"],
            name=request["Name"],
            processors=request["Processors"],
            tags=request.get("Tags"),
        )
        return _answer(201, {"ChannelFlowArn": flow.arn})

    def delete_channel_flow(self) -> TYPE_RESPONSE:
        self.backend.delete_channel_flow(self._arn("channelFlowArn"))
        return _answer(204)

    def list_channels_associated_with_channel_flow(self) -> TYPE_RESPONSE:
        page, next_token = self.backend.list_channels_associated_with_channel_flow(
            self._arn("channel-flow-arn"), **self._paging()
        )
        return _answer(200, {"Channels": [channel.summary() for channel in page]}, next_token)

    def list_channels(self) -> TYPE_RESPONSE:
        page, next_token = self.backend.list_channels(self._arn("app-instance-arn"), self._bearer, **self._paging())
        return _answer(200, {"Channels": [channel.summary() for channel in page]}, next_token)

    def describe_channel(self) -> TYPE_RESPONSE:
        channel = self.backend.describe_channel(self._arn("channelArn"), self._bearer)
        return _answer(200, {"Channel": channel.to_dict()})


def _answer(status: int, body: dict[str, Any] | None = None, next_token: str | None = None) -> TYPE_RESPONSE:
    headers = {"status": status, "Content-Type": "application/json"}
    if body is None:
        return status, headers, ""
    return status, headers, json.dumps(body if next_token is None else body | {"NextToken": next_token})
