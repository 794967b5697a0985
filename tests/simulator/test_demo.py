"""What the demo's file expects, held against a plain reading of the rules, over what the server answers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from mypy_boto3_chime_sdk_messaging.type_defs import ProcessorTypeDef

from scanner.simulator.organisation import Expectation, Organisation, expected
from tests.simulator.conftest import Caller


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


def found(caller: Caller, account_id: str, region: str) -> Iterator[Expectation]:
    for arn in app_instance_arns(caller):
        page = caller.messaging.list_channel_flows(AppInstanceArn=arn)
        flows = page["ChannelFlows"]
        while "NextToken" in page:
            page = caller.messaging.list_channel_flows(AppInstanceArn=arn, NextToken=page["NextToken"])
            flows += page["ChannelFlows"]
        for flow in flows:
            for rule_id in faults(account_id, region, flow["Name"], flow["Processors"]):
                yield Expectation(account_id, region, flow["ChannelFlowArn"], rule_id)


def test_the_demo_expects_exactly_what_is_wrong(caller: Caller, demo: Organisation) -> None:
    everything = {
        expectation
        for account in demo.accounts
        for region in ("us-east-1", "eu-central-1")
        for expectation in found(caller.assuming(account.id).at(region), account.id, region)
    }
    assert everything == expected(demo)
