"""Creates app instances, channel flows, their channels and tags."""

from __future__ import annotations

from datetime import UTC, datetime, time

from scanner.simulator import organisation as described
from scanner.simulator.models import AppInstance, Channel, ChannelFlow, Processor, chimesdk_backends
from scanner.simulator.seeding.shared import CREATED, in_region


def seed_app_instance(instance: described.Placed) -> None:
    """Create an app instance with its channel flows.

    Raises:
        UsageError: Amazon Chime SDK does not exist in the region.
    """
    backend = in_region(chimesdk_backends, instance.account_id, instance.region, service="Amazon Chime SDK")
    backend.app_instances[instance.arn] = AppInstance(
        arn=instance.arn,
        name=instance.name,
        retention_days=instance.app_instance.retention_days,
        created=CREATED,
        channel_flows={flow.arn: _channel_flow(flow, instance) for flow in instance.channel_flows},
    )
    backend.tagger.tag_resource(instance.arn, _tags(instance.app_instance.tags))
    for flow in instance.channel_flows:
        backend.tagger.tag_resource(flow.arn, _tags(flow.channel_flow.tags))


def _channel_flow(flow: described.PlacedFlow, instance: described.Placed) -> ChannelFlow:
    return ChannelFlow(
        arn=flow.arn,
        name=flow.name,
        processors=tuple(
            _processor(processor, place, instance) for place, processor in enumerate(flow.channel_flow.processors, 1)
        ),
        channels=tuple(
            Channel(
                arn=described.child_arn(f"{instance.arn}/channel", flow.arn, occurrence), name=f"channel {occurrence}"
            )
            for occurrence in range(1, flow.channel_flow.channels + 1)
        ),
        created=CREATED,
        updated=datetime.combine(flow.channel_flow.updated, time(), UTC) if flow.channel_flow.updated else CREATED,
    )


def _processor(processor: described.Processor, place: int, instance: described.Placed) -> Processor:
    lambda_arn = processor.lambda_
    if not lambda_arn.startswith("arn:"):
        lambda_arn = f"arn:aws:lambda:{instance.region}:{instance.account_id}:function:{lambda_arn}"
    return Processor(
        name=processor.name or lambda_arn.split(":")[6],
        lambda_arn=lambda_arn,
        execution_order=processor.order or place,
        fallback_action=processor.fallback,
    )


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
