"""Turns AWS's answers into facts; a missing or unknown value becomes an unknown fact with a gap."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar, get_args

from msgspec import UNSET, Struct, UnsetType, field

from scanner.aws import wire
from scanner.model.facts import (
    AppInstance,
    ChannelFlow,
    FallbackAction,
    Gap,
    LambdaFunction,
    Processor,
    in_execution_order,
)
from scanner.model.logic import Truth

_RESOURCE_ARN = re.compile(r"arn:(?P<partition>[^:]+):[^:]*:(?P<region>[^:]+):(?P<account_id>[^:]+):.+", re.DOTALL)
_FALLBACK_ACTIONS: dict[str, FallbackAction] = {action: action for action in get_args(FallbackAction)}

Value = TypeVar("Value")


class ArnFields(Struct, frozen=True):
    """The partition, region and account of a resource."""

    partition: str
    region: str
    account_id: str


class _Unknown(Struct, frozen=True):
    """Collects the gaps in facts of one resource, by path; `operation` is the one that should give the facts."""

    arn: str
    fields: ArnFields
    operation: str
    gaps: dict[str, Gap] = field(default_factory=dict)

    def note(self, path: str, code: str, reason: str) -> None:
        self.gaps[path] = Gap(
            account_id=self.fields.account_id,
            region=self.fields.region,
            resource_arn=self.arn,
            operation=self.operation,
            code=code,
            reason=reason,
        )

    def unless_missing(self, where: str, name: str, value: Value | UnsetType | None) -> Value | UnsetType:
        """The value; UNSET and a gap if there is none. The path is built only then: this runs six times a flow."""
        if value is None or value is UNSET:
            self.note(where + name, "MissingValue", f"AWS's answer has no {where}{name}; scan again later")
            return UNSET
        return value

    def not_understood(self, path: str, value: str) -> UnsetType:
        shown = value if len(value) <= 80 else f"{value[:80]}..."
        self.note(path, "UnknownValue", f'this version does not know the {path} "{shown}"; upgrade chimeaudit')
        return UNSET


def app_instance(seen: wire.AppInstanceSummary, account_id: str, region: str) -> AppInstance:
    """An app instance from a list. Account and region of the list count if its ARN does not have them."""
    fields = _arn_fields(seen.arn, account_id, region)
    unknown = _Unknown(seen.arn, fields, "ListAppInstances")
    return AppInstance(
        arn=seen.arn,
        id=seen.arn.rpartition("/")[2],
        name=unknown.unless_missing("", "name", seen.Name),
        account_id=fields.account_id,
        region=fields.region,
        partition=fields.partition,
        gaps=unknown.gaps,
    )


def channel_flow(seen: wire.ChannelFlowSummary, owner: AppInstance) -> ChannelFlow:
    """A channel flow from a list, with its processors in execution order."""
    fields = _arn_fields_within(owner, seen.arn)
    unknown = _Unknown(seen.arn, fields, "ListChannelFlows")
    unknown.gaps.update({f"app_instance.{path}": gap for path, gap in owner.gaps.items()})
    return ChannelFlow(
        arn=seen.arn,
        name=unknown.unless_missing("", "name", seen.Name),
        account_id=fields.account_id,
        region=fields.region,
        partition=fields.partition,
        app_instance=owner.ref,
        processors=_processors(seen.Processors, unknown),
        gaps=unknown.gaps,
    )


def _arn_fields_within(owner: AppInstance, arn: str) -> ArnFields:
    """The fields of an ARN; one that begins with the owner's, as usual, is not parsed, which is faster."""
    if arn.startswith(f"{owner.arn}/"):
        return ArnFields(owner.partition, owner.region, owner.account_id)
    return _arn_fields(arn, owner.account_id, owner.region)


def _arn_fields(arn: str, account_id: str, region: str) -> ArnFields:
    match = _RESOURCE_ARN.fullmatch(arn)
    return ArnFields(**match.groupdict()) if match else ArnFields("aws", region, account_id)


def _processors(seen: Sequence[wire.Processor] | None, unknown: _Unknown) -> tuple[Processor, ...] | UnsetType:
    if seen is None:
        return unknown.unless_missing("", "processors", None)
    ordered = in_execution_order(seen, lambda processor: processor.ExecutionOrder, _ties)
    return tuple(_processor(*each, f"processors[{index}].", unknown) for index, each in enumerate(ordered))


def _ties(processor: wire.Processor) -> tuple[str, str]:
    return _lambda(processor).ResourceArn or "", processor.Name or ""


def _processor(seen: wire.Processor, is_first: Truth, is_last: Truth, where: str, unknown: _Unknown) -> Processor:
    function = _lambda(seen)
    return Processor(
        name=unknown.unless_missing(where, "name", seen.Name),
        execution_order=unknown.unless_missing(where, "execution_order", seen.ExecutionOrder),
        is_first=unknown.unless_missing(where, "is_first", is_first),
        is_last=unknown.unless_missing(where, "is_last", is_last),
        fallback_action=_fallback_action(seen.FallbackAction, where, unknown),
        invocation_type=unknown.unless_missing(where, "invocation_type", function.InvocationType or None),
        lambda_=_function(function.ResourceArn, where, unknown),
    )


def _fallback_action(seen: str | None, where: str, unknown: _Unknown) -> FallbackAction | UnsetType:
    if seen is None:
        return unknown.unless_missing(where, "fallback_action", None)
    return _FALLBACK_ACTIONS.get(seen) or unknown.not_understood(f"{where}fallback_action", seen)


def _function(arn: str | None, where: str, unknown: _Unknown) -> LambdaFunction | UnsetType:
    if arn is None:
        return unknown.unless_missing(where, "lambda", None)
    return LambdaFunction.of(arn) or unknown.not_understood(f"{where}lambda", arn)


def _lambda(processor: wire.Processor) -> wire.LambdaConfiguration:
    configuration = processor.Configuration
    return (configuration and configuration.Lambda) or wire.LambdaConfiguration()
