"""Channel flows and app instances of which little is known, for the tests of judging."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from scanner.language.vocabulary import AppInstance
from scanner.model.facts import AppInstanceRef, ChannelFlow, Gap, LambdaFunction, Processor

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
APP_INSTANCE = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/a"


def function(name: str = "moderation", account: str = ACCOUNT, qualifier: str | None = "1") -> LambdaFunction:
    arn = f"arn:aws:lambda:us-east-1:{account}:function:{name}{f':{qualifier}' if qualifier else ''}"
    return LambdaFunction(
        arn=arn, partition="aws", account_id=account, region="us-east-1", name=name, qualifier=qualifier
    )


def flow(
    *processors: Processor, name: str | UnsetType = "flow", gaps: dict[str, Gap] | None = None, known: bool = True
) -> ChannelFlow:
    return ChannelFlow(
        arn=f"{APP_INSTANCE}/channel-flow/f",
        name=name,
        account_id=ACCOUNT,
        region="us-east-1",
        partition="aws",
        app_instance=AppInstanceRef(arn=APP_INSTANCE, id="a", name="support"),
        processors=processors if known else UNSET,
        gaps=gaps or {},
    )


def app_instance(name: str | UnsetType = "support") -> AppInstance:
    return AppInstance(arn=APP_INSTANCE, id="a", name=name, account_id=ACCOUNT, region="us-east-1", partition="aws")


def gap(operation: str = "ListChannelFlows", reason: str = "access was denied") -> Gap:
    return Gap(account_id=ACCOUNT, region="us-east-1", operation=operation, code="AccessDenied", reason=reason)
