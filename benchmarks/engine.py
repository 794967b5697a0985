"""Measures the rule engine: evaluations per second, of facts in memory, in one thread, findings and evidence included.

    python benchmarks/engine.py            the default rules over 100,000 flows, and the time to load them
    python benchmarks/engine.py --json     {"evaluations_per_second": N, ...}

An evaluation is one rule on one channel flow; rules that are off do not count. Every fifth flow has a fault. If Cloud
Custodian is installed (pip install c7n), its value filters judge the same flows by the rules that they can express. The
exit code is 1 if a limit is exceeded. Figures are the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from scanner import resources
from scanner.judge.evaluate import Evaluation
from scanner.language import healthy
from scanner.language.rule import Rule, load
from scanner.language.selection import select
from scanner.model.facts import ChannelFlow

FLOWS = 100_000
ROUNDS = 3
NOW = datetime(2026, 11, 1, tzinfo=UTC)
LEAST_PER_SECOND, MOST_LOADING = 1_000_000, 0.150
REGIONS = ("us-east-1", "eu-central-1")
RUNTIMES = ("python3.13", "python3.12", "nodejs22.x", "java21")

Made = TypeVar("Made")


def main() -> int:
    """Measure and print; return exit code 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--flows", type=int, default=FLOWS, metavar="N")
    arguments = parser.parse_args()
    loading, rules = timed(lambda: load([resources.rules()]))
    default = [rule for rule in select(rules, ()) if not rule.off and rule.info.resource == "channel_flow"]
    flows = [flow(number) for number in range(arguments.flows)]
    measured = measure(default, flows)
    figures: dict[str, Any] = {
        "evaluations_per_second": round(measured.per_second),
        "rules": len(default),
        "flows": len(flows),
        "failing_flows": measured.failing,
        "findings": measured.findings,
        "loading_seconds": round(loading, 4),
        "custodian_evaluations_per_second": custodian(flows),
    }
    show(figures, as_json=arguments.json)
    kept = measured.per_second >= LEAST_PER_SECOND and loading < MOST_LOADING
    return 0 if kept else 1


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measurement of one set of rules over all flows."""

    per_second: float
    failing: int
    findings: int


def measure(rules: Sequence[Rule], flows: Sequence[ChannelFlow]) -> Measured:
    """Judge every flow by every rule."""
    rounds = [timed(lambda: judged(rules, flows)) for _ in range(ROUNDS)]
    failing, findings = rounds[0][1]
    seconds = statistics.median(seconds for seconds, _ in rounds)
    return Measured(per_second=len(rules) * len(flows) / seconds, failing=failing, findings=findings)


def judged(rules: Sequence[Rule], flows: Sequence[ChannelFlow]) -> tuple[int, int]:
    """The number of flows with findings, and the number of findings."""
    evaluation = Evaluation(rules, NOW)
    found = [len(evaluation.judge(each).findings) for each in flows]
    return sum(map(bool, found)), sum(found)


def timed(work: Callable[[], Made]) -> tuple[float, Made]:
    """The CPU seconds of a call, which other processes do not affect, and its result."""
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def flow(number: int) -> ChannelFlow:
    """One of many different flows; every fifth one has one of the FAULTS."""
    region, account = REGIONS[number % len(REGIONS)], f"{number % 40:012}"
    app_instance = f"arn:aws:chime:{region}:{account}:app-instance/{number // 25:036}"
    fault = FAULTS[number // 5 % len(FAULTS)] if number % 5 == 0 else {}
    function = {
        "name": f"moderation-{number}",
        "qualifier": "live",
        "function": {**configured(number, account), **fault.get("function", {})},
        "access": fault.get("access", {}),
        "callback": fault.get("callback", {}),
        **fault.get("lambda", {}),
    }
    return healthy.channel_flow(
        {
            "arn": f"{app_instance}/channel-flow/{number:036}",
            "name": f"moderation of tenant {number}",
            "account_id": account,
            "region": region,
            "app_instance": {"arn": app_instance, "id": f"{number // 25:036}"},
            "processors": [{"name": f"moderate {number % 100}", "lambda": function, **fault.get("processor", {})}],
            "tags": {"owner": f"team-{number % 30}"},
            "created_at": NOW - timedelta(days=number % 900),
            "updated_at": NOW - timedelta(days=number % 400),
            **fault.get("flow", {}),
        }
    )


FAULTS: tuple[dict[str, dict[str, Any]], ...] = (
    {"processor": {"fallback_action": "CONTINUE"}},
    {"lambda": {"account_id": "999988887777"}},
    {"lambda": {"region": "ap-southeast-1"}},
    {"lambda": {"qualifier": None}},
    {"flow": {"has_channels": False}},
    {"flow": {"name": "moder\u200bation"}},
    {"function": {"reserved_concurrency": 0}},
    {"function": {"state": "Failed"}},
    {"function": {"runtime": "nodejs16.x"}},
    {"function": {"failure_destination": None}},
    {"access": {"chime_can_invoke": False}},
    {"access": {"chime_invoke_unconditioned": True}},
    {"access": {"foreign_app_instances": ("444455556666",)}},
    {"callback": {"excessive": ("chime:*",)}},
    {"processor": {"execution_order": 2}},
)


def configured(number: int, account: str) -> dict[str, Any]:
    """What differs from function to function."""
    return {
        "runtime": RUNTIMES[number % len(RUNTIMES)],
        "reserved_concurrency": number % 7 or None,
        "failure_destination": f"arn:aws:sqs:us-east-1:{account}:failed-{number}",
        "role_arn": f"arn:aws:iam::{account}:role/processor-{number}",
        "last_modified": NOW - timedelta(hours=number),
    }


def custodian(flows: Sequence[ChannelFlow]) -> int | None:
    """The evaluations per second of Cloud Custodian's value filters; None if it is not installed."""
    try:
        from c7n.filters.core import ValueFilter
    except ImportError:
        return None
    filters = [ValueFilter({"type": "value", **each}).validate() for each in CUSTODIAN_FILTERS]
    records = list(plain(flows[: len(flows) // 10]))

    def judge() -> int:
        return sum(bool(each.match(record)) for record in records for each in filters)

    seconds = statistics.median(timed(judge)[0] for _ in range(ROUNDS))
    return round(len(filters) * len(records) / seconds)


CUSTODIAN_FILTERS: tuple[dict[str, Any], ...] = (
    {"key": "processors[-1].fallback_action", "op": "ne", "value": "ABORT"},
    {"key": "length(processors)", "op": "gt", "value": 1},
    {"key": "processors[0].lambda.qualifier", "op": "in", "value": [None, "$LATEST"]},
    {"key": "processors[0].lambda.function.exists", "value": False},
    {"key": "processors[0].lambda.function.state", "value": "Failed"},
    {"key": "processors[0].lambda.function.reserved_concurrency", "value": 0},
    {"key": "processors[0].lambda.access.public", "value": True},
    {"key": "processors[0].lambda.access.chime_can_invoke", "value": False},
    {"key": "name", "op": "regex", "value": ".*[\u200b-\u200f].*"},
    {"key": "has_channels", "value": False},
)


def plain(flows: Sequence[ChannelFlow]) -> Iterator[Any]:
    """The flows in Custodian's form of resources: decoded JSON."""
    yield from (msgspec.json.decode(msgspec.json.encode(each)) for each in flows)


def show(figures: dict[str, Any], *, as_json: bool) -> None:
    """Print the figures."""
    if as_json:
        print(json.dumps(figures))
        return
    theirs = figures["custodian_evaluations_per_second"]
    print(f"{figures['rules']} rules, {figures['flows']:,} flows, of which {figures['failing_flows']:,} fail something")
    print(f"chimeaudit   {figures['evaluations_per_second']:>12,} evaluations/s, {figures['findings']:,} findings")
    print(f"Custodian    {theirs:>12,} evaluations/s" if theirs else "Custodian    not installed: pip install c7n")
    print(f"loading all rules   {figures['loading_seconds'] * 1000:.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
