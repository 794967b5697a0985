"""The demo file's expectations agree with simple versions of the rules, applied to what the server answers.

Rules about functions are in `test_demo_functions`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence

from mypy_boto3_chime_sdk_messaging.type_defs import ChannelFlowSummaryTypeDef, ProcessorTypeDef

from scanner.simulator.organisation import Expectation, Organisation, expected
from tests.simulator.conftest import Caller

RULES = {
    "last-processor-fails-open",
    "processor-fails-open",
    "multiple-processors",
    "execution-order-not-contiguous",
    "duplicate-processor-name",
    "same-lambda-twice",
    "cross-account-lambda",
    "cross-region-lambda",
    "unpinned-lambda-version",
    "deceptive-name",
    "unused-channel-flow",
    "duplicate-flow-name",
    "app-instance-without-flow",
    "no-failure-alert",
    "no-tamper-alert",
}


def faults(account_id: str, region: str, name: str, processors: Sequence[ProcessorTypeDef]) -> list[str]:
    orders = sorted(processor["ExecutionOrder"] for processor in processors)
    open_orders = {p["ExecutionOrder"] for p in processors if p["FallbackAction"] == "CONTINUE"}
    names = [processor["Name"] for processor in processors]
    functions = [processor["Configuration"]["Lambda"]["ResourceArn"].split(":") for processor in processors]
    verdicts = {
        "last-processor-fails-open": orders[-1] in open_orders,
        "processor-fails-open": any(order < orders[-1] for order in open_orders),
        "multiple-processors": len(processors) > 1,
        "execution-order-not-contiguous": orders != list(range(1, len(orders) + 1)),
        "duplicate-processor-name": len(set(names)) < len(names),
        "same-lambda-twice": len({":".join(function[:7]) for function in functions}) < len(functions),
        "cross-account-lambda": any(function[4] != account_id for function in functions),
        "cross-region-lambda": any(function[3] != region for function in functions),
        "unpinned-lambda-version": any(function[7:] in ([], ["$LATEST"]) for function in functions),
        "deceptive-name": any(unicodedata.category(letter) in ("Cc", "Cf") for letter in "".join([name, *names])),
    }
    return [rule_id for rule_id, broken in verdicts.items() if broken]


def app_instance_arns(caller: Caller) -> Iterator[str]:
    page = caller.identity.list_app_instances()
    yield from (instance["AppInstanceArn"] for instance in page["AppInstances"])
    while "NextToken" in page:
        page = caller.identity.list_app_instances(NextToken=page["NextToken"])
        yield from (instance["AppInstanceArn"] for instance in page["AppInstances"])


def channel_flows(caller: Caller, app_instance_arn: str) -> list[ChannelFlowSummaryTypeDef]:
    page = caller.messaging.list_channel_flows(AppInstanceArn=app_instance_arn)
    flows = page["ChannelFlows"]
    while "NextToken" in page:
        page = caller.messaging.list_channel_flows(AppInstanceArn=app_instance_arn, NextToken=page["NextToken"])
        flows += page["ChannelFlows"]
    return flows


STATUS, CALL = "Chime ChannelFlow Processing Status", "AWS API Call via CloudTrail"


def alerted(caller: Caller, kind: str) -> bool:
    """Whether an enabled rule with a target matches Chime's events of a kind, or all its events."""
    page = caller.events.list_rules()
    rules = page["Rules"]
    while "NextToken" in page:
        page = caller.events.list_rules(NextToken=page["NextToken"])
        rules += page["Rules"]
    for rule in rules:
        pattern = json.loads(rule.get("EventPattern", "{}"))
        asked = pattern.get("source") == ["aws.chime"] and kind in pattern.get("detail-type", [kind])
        if asked and rule["State"] == "ENABLED" and caller.events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            return True
    return False


def found(caller: Caller, account_id: str, region: str) -> Iterator[Expectation]:
    unheard = {"no-failure-alert": not alerted(caller, STATUS), "no-tamper-alert": not alerted(caller, CALL)}
    for arn in app_instance_arns(caller):
        flows = channel_flows(caller, arn)
        yield from (Expectation(account_id, region, arn, rule_id) for rule_id, fails in unheard.items() if fails)
        if not flows:
            yield Expectation(account_id, region, arn, "app-instance-without-flow")
        if len({flow["Name"] for flow in flows}) < len(flows):
            yield Expectation(account_id, region, arn, "duplicate-flow-name")
        for flow in flows:
            flow_arn = flow["ChannelFlowArn"]
            for rule_id in faults(account_id, region, flow["Name"], flow["Processors"]):
                yield Expectation(account_id, region, flow_arn, rule_id)
            page = caller.messaging.list_channels_associated_with_channel_flow(ChannelFlowArn=flow_arn, MaxResults=1)
            if not page["Channels"]:
                yield Expectation(account_id, region, flow_arn, "unused-channel-flow")


def test_the_demo_expects_exactly_what_is_wrong(caller: Caller, demo: Organisation) -> None:
    everything = {
        expectation
        for account in demo.accounts
        for region in ("us-east-1", "eu-central-1")
        for expectation in found(caller.assuming(account.id).at(region), account.id, region)
    }
    assert everything == {expectation for expectation in expected(demo) if expectation.rule_id in RULES}
