"""The channels and admins of the app instances of a fake AWS, with the bearer's rights as the service has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.answers import Answer, Call, error, page, truth

SECRET = "Ada Lovelace"
"""The name of every admin and channel, and in the metadata of channels: it must not show up anywhere."""


@dataclass(kw_only=True)
class Tenant:
    """The channels of each app instance, as a fault of a fake AWS; whoever is no admin sees no channel.

    `channels` has the number of each channel's flow, by its id, or None. `gone` are admins who do not exist any more.
    `before` may change things before each call.
    """

    channels: dict[str, int | None] = field(default_factory=dict)
    admins: list[str] = field(default_factory=lambda: ["user/zoe", "user/adam"])
    gone: set[str] = field(default_factory=set)
    created: Mapping[str, float] = field(default_factory=dict)
    before: Callable[[Call], None] = lambda _: None

    def __call__(self, call: Call) -> Answer | None:
        self.before(call)
        match call.operation:
            case "ListAppInstanceAdmins":
                admins = [{"Admin": {"Arn": f"{call.app_instance_arn}/{each}", "Name": SECRET}} for each in self.admins]
                return truth(page("AppInstanceAdmins", admins, call.token))
            case "ListChannels":
                return self._as_bearer(call, str(call.app_instance_arn), lambda: self._list(call))
            case "ListChannelsAssociatedWithChannelFlow":
                return self._of_flow(call)
            case "DescribeChannel":
                arn = call.parameters["channel"]
                return self._as_bearer(call, arn.partition("/channel/")[0], lambda: self._describe(arn))
        return None

    def _as_bearer(self, call: Call, app_instance_arn: str, answer: Callable[[], Answer]) -> Answer:
        bearer = call.parameters["bearer"].removeprefix(f"{app_instance_arn}/")
        if bearer in self.gone:
            return error(
                422, "Unknown", "An invalid app instance user ARN was supplied for the x-amz-chime-bearer header."
            )
        return answer() if bearer in self.admins else error(403, "ForbiddenException")

    def _list(self, call: Call) -> Answer:
        arns = [f"{call.app_instance_arn}/channel/{each}" for each in self.channels]
        return truth(page("Channels", [_channel(arn) for arn in arns], call.token))

    def _of_flow(self, call: Call) -> Answer:
        app_instance, _, number = call.parameters["channel-flow-arn"].partition("/channel-flow/")
        arns = [f"{app_instance}/channel/{id_}" for id_, flow in self.channels.items() if flow == int(number)]
        return truth(page("Channels", [_channel(arn) for arn in arns], call.token))

    def _describe(self, arn: str) -> Answer:
        app_instance, _, id_ = arn.partition("/channel/")
        if id_ not in self.channels:
            return error(403, "ForbiddenException")
        flow = self.channels[id_]
        named = {} if flow is None else {"ChannelFlowArn": f"{app_instance}/channel-flow/{flow:04}"}
        return truth({"Channel": {**_channel(arn), **named, "CreatedTimestamp": self.created.get(id_, 1.0)}})


def _channel(arn: str) -> dict[str, Any]:
    return {"ChannelArn": arn, "Name": SECRET, "Mode": "UNRESTRICTED", "Privacy": "PRIVATE", "Metadata": SECRET}
