"""Measures the collector against a bare server: calls, time and memory, each next to its lower bound.

    python -m benchmarks.collect            a few minutes
    python -m benchmarks.collect --full     to a million channel flows; some minutes more
    python -m benchmarks.collect --json     for machines

Each timing runs several times in separate processes, and the median counts. Runs of the bare boto3 client, with which
it is compared, alternate with them.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from urllib.request import urlopen

import msgspec
from msgspec import Struct, structs

from benchmarks.server import FIRST_ACCOUNT, STATISTICS, Statistics, access_key, serving
from benchmarks.shape import CALLS_TO_CHIME, EVERY_FACET, REGIONS, Shape, least_calls, longest_chain
from scanner.model.facts import Gap
from scanner.model.report import Scope
from scanner.store.journal import Journal, Role, RunHeader, Target
from tests.answers import client_variables

TIMES = 3
LATENCY = 0.03
LIMIT = 20.0
MIXED = (0, 1, 50, 51, 130, 500)
"""Numbers of channel flows of app instances: none, one, a full page, one more, and several pages."""

Value = TypeVar("Value")


class Scenario(Struct, frozen=True, kw_only=True):
    """What is read, and how the server answers."""

    what: str
    shape: Shape
    facets: frozenset[str] = frozenset()


UNLIMITED = (
    Scenario(what="lists", shape=Shape(app_instances=900, flows=MIXED, latency=LATENCY)),
    Scenario(what="one list of 5,000 flows", shape=Shape(flows=(5_000,), latency=LATENCY)),
    Scenario(what="every facet", shape=Shape(app_instances=12, flows=MIXED, latency=LATENCY), facets=EVERY_FACET),
)
LIMITED = (
    Scenario(
        what=f"lists, {LIMIT:g} calls/s", shape=Shape(app_instances=150, flows=MIXED, latency=LATENCY, limit=LIMIT)
    ),
    Scenario(
        what=f"every facet, {LIMIT:g} calls/s",
        shape=Shape(app_instances=3, flows=(1, 50, 90), latency=LATENCY, limit=LIMIT),
        facets=EVERY_FACET,
    ),
)


class Observed(Struct, frozen=True, kw_only=True):
    """What one run of the collector took; `calls` and `gaps` show whether it was correct."""

    seconds: float
    cpu: float
    peak_mb: float
    gaps: int
    calls: dict[str, int]
    throttled: int


class Row(Struct, frozen=True, kw_only=True):
    """A measurement and its bound. `exact`: each operation was called no more often than necessary."""

    what: str
    calls: int
    least_calls: int
    exact: bool
    gaps: int
    seconds: float
    bound: float
    bound_is: str
    ratio: float
    goal: float
    cpu: float
    peak_mb: float


class Clients(Struct, frozen=True, kw_only=True):
    """The cost of a target's clients if each account is entered by a role."""

    targets: int
    cpu_ms: float
    goal_ms: float = 6.0
    run_cpu_ms: float
    mb_after_a_quarter: float
    mb_at_the_end: float


class Memory(Struct, frozen=True, kw_only=True):
    """Peak memory of collecting, judging and writing a JSON report."""

    channel_flows: int
    findings: int
    seconds: float
    peak_mb: float


class Results(Struct, frozen=True, kw_only=True):
    rows: tuple[Row, ...]
    clients: Clients | None
    memory: tuple[Memory, ...]
    memory_goal_mb: float = 50.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 channel flows instead of 200,000")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--only", choices=("time", "limit", "clients", "memory"), action="append", help="some of it")
    chosen = parser.parse_args(arguments)
    parts = chosen.only or ("time", "limit", "clients", "memory")
    rows = [
        *map(_against_boto3, UNLIMITED if "time" in parts else ()),
        *map(_against_limit, LIMITED if "limit" in parts else ()),
    ]
    clients = _clients(accounts=1_000) if "clients" in parts else None
    sizes = (10_000, 1_000_000 if chosen.full else 200_000) if "memory" in parts else ()
    results = Results(rows=tuple(rows), clients=clients, memory=tuple(map(_memory, sizes)))
    print(msgspec.json.encode(results).decode() if chosen.json else _tables(results))


def _against_boto3(scenario: Scenario) -> Row:
    """A row whose bound is the longest chain of calls or the CPU time of a bare client, whichever is longer."""
    runs, cpu = [], []
    for _ in range(TIMES):
        cpu.append(on_a_server(structs.replace(scenario.shape, latency=0.0), bare, scenario.facets))
        runs.append(on_a_server(scenario.shape, collect, scenario.facets))
    chain = longest_chain(scenario.shape, scenario.facets)
    bounds = (chain * scenario.shape.latency, f"{chain} calls in a row"), (median(cpu), "CPU of bare boto3")
    return _row(scenario, runs, max(bounds), goal=1.3)


def _against_limit(scenario: Scenario) -> Row:
    """A row whose bound is the number of calls to Chime at the rate that it allows; other calls run meanwhile."""
    runs = [on_a_server(scenario.shape, collect, scenario.facets) for _ in range(TIMES)]
    calls = sum(least_calls(scenario.shape, scenario.facets)[name] for name in CALLS_TO_CHIME)
    return _row(scenario, runs, (calls / LIMIT, f"{calls} calls to Chime / {LIMIT:g}"), goal=1.2)


def _row(scenario: Scenario, runs: list[Observed], bound: tuple[float, str], goal: float) -> Row:
    least = least_calls(scenario.shape, scenario.facets)
    middle = sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]
    return Row(
        what=scenario.what,
        calls=sum(middle.calls.values()),
        least_calls=least.total(),
        exact=all(run.calls == dict(least) for run in runs),
        gaps=sum(run.gaps for run in runs),
        seconds=middle.seconds,
        bound=bound[0],
        bound_is=bound[1],
        ratio=middle.seconds / bound[0],
        goal=goal,
        cpu=middle.cpu,
        peak_mb=max(run.peak_mb for run in runs),
    )


def _clients(accounts: int) -> Clients:
    shape = Shape(accounts=accounts, regions=2, flows=(1,))
    quarter = structs.replace(shape, accounts=accounts // 4)
    whole = on_a_server(shape, collect, frozenset())
    return Clients(
        targets=shape.targets,
        cpu_ms=median(on_a_server(quarter, make_clients) for _ in range(TIMES)) * 1000,
        run_cpu_ms=whole.cpu / shape.targets * 1000,
        mb_after_a_quarter=on_a_server(quarter, collect, frozenset()).peak_mb,
        mb_at_the_end=whole.peak_mb,
    )


def _memory(channel_flows: int) -> Memory:
    """The memory for so many channel flows, 100 in each app instance, in five accounts and two regions."""
    shape = Shape(accounts=5, regions=2, app_instances=channel_flows // 1_000, flows=(100,))
    return on_a_server(shape, collect_and_judge)


def on_a_server(shape: Shape, measure: Callable[..., Value], *arguments: Any) -> Value:
    """The result of `measure` in a separate process against a new server."""
    with serving(shape) as url, ProcessPoolExecutor(1, get_context("spawn"), _environment, (url,)) as fresh:
        return fresh.submit(measure, shape, *arguments).result()


def _environment(url: str) -> None:
    """Set the variables that boto3 needs, and hide the rest of this machine's configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        **client_variables(url, access_key(f"{FIRST_ACCOUNT}")),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def bare(_: Shape, facets: frozenset[str]) -> float:
    """The CPU seconds of a bare boto3 client for the only target."""
    from benchmarks.bare import seconds

    return seconds(REGIONS[0], facets)


def collect(shape: Shape, facets: frozenset[str]) -> Observed:
    """One run of the collector."""
    with tempfile.TemporaryDirectory() as directory:
        journal = begun(shape, facets, Path(directory))
        seconds, cpu = _collected(journal)
        gaps = sum(len(_gaps(journal, target)) for target in journal.header.targets)
    with urlopen(os.environ["AWS_ENDPOINT_URL"] + STATISTICS) as answer:  # noqa: S310 - our own server
        statistics = msgspec.json.decode(answer.read(), type=Statistics)
    return Observed(
        seconds=seconds,
        cpu=cpu,
        peak_mb=peak_mb(),
        gaps=gaps,
        calls=statistics.calls,
        throttled=statistics.throttled,
    )


def make_clients(shape: Shape) -> float:
    """The CPU seconds for each target: its two clients, and its share of assuming its account's role."""
    from scanner.aws.clients import Clients as OfTarget
    from scanner.aws.hardening import IDENTITY, MESSAGING
    from scanner.aws.session import Aws

    aws = Aws()
    targets = _targets(shape)
    began = time.process_time()
    for target in targets:
        clients = OfTarget(lambda _: aws, target, {}, 48)
        clients.of(IDENTITY)
        clients.of(MESSAGING)
        aws.credentials(_role(target.account_id)).get_frozen_credentials()
        clients.close()
    return (time.process_time() - began) / len(targets)


def collect_and_judge(shape: Shape) -> Memory:
    """Collect, judge by the default rules that read no facet, and write the report."""
    from scanner.judge.audit import audit
    from scanner.language.rule import load
    from scanner.language.selection import select
    from scanner.render import Format, render
    from scanner.resources import rules
    from scanner.store.files import write_whole

    reading_lists = tuple(rule for rule in select(load([rules()]), ()) if not rule.facets)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        journal = begun(shape, frozenset(), Path(directory))
        _collected(journal)
        report = audit(journal, reading_lists, "2026-01-01T00:00:00Z")
        write_whole(Path(directory) / "report.json", (piece.encode() for piece in render(report, Format.JSON)))
        assert report.coverage.complete
        return Memory(
            channel_flows=report.coverage.observed.channel_flows,
            findings=len(report.findings),
            seconds=time.perf_counter() - began,
            peak_mb=peak_mb(),
        )


def begun(shape: Shape, facets: frozenset[str], directory: Path) -> Journal:
    targets = _targets(shape)
    scope = Scope(
        accounts=tuple(dict.fromkeys(each.account_id for each in targets)), regions=REGIONS, chosen_by="shape"
    )
    header = RunHeader(
        id="benchmark",
        started_at="2026-01-01T00:00:00Z",
        scope=scope,
        targets=targets,
        facets=tuple(facets),
        options={},
    )
    return Journal.create(directory / "run", header)


def _targets(shape: Shape) -> tuple[Target, ...]:
    """The targets of an organisation; with several accounts, each has a role to assume."""
    return tuple(
        Target(account_id=account, region=region, role=_role(account) if shape.accounts > 1 else None)
        for account in (f"{FIRST_ACCOUNT + number}" for number in range(shape.accounts))
        for region in REGIONS[: shape.regions]
    )


def _role(account: str) -> Role:
    return Role(arn=f"arn:aws:iam::{account}:role/chimeaudit", session_name="chimeaudit")


def _collected(journal: Journal) -> tuple[float, float]:
    """Collect; return the seconds of wall time and of CPU, without the loading of boto3."""
    from scanner.collect.run import Collection

    began = time.perf_counter(), time.process_time()
    Collection(journal).run()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _gaps(journal: Journal, target: Target) -> list[Gap]:
    reader = journal.reader(target)
    of_flows = (gap for read in reader.app_instances() for flow in reader.flows(read) for gap in flow.gaps.values())
    of_app_instances = (
        gap for read in reader.app_instances() for gap in (*read.gaps, *read.app_instance.gaps.values())
    )
    return [*reader.gaps, *of_app_instances, *of_flows]


def peak_mb() -> float:
    if sys.platform != "win32":
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    raise NotImplementedError("benchmarks need POSIX")


def _tables(results: Results) -> str:
    parts = []
    if results.rows:
        head = "what is read | calls | least possible | gaps | seconds | bound | ratio | goal | CPU seconds | peak MB"
        parts.append("\n".join((f"| {head} |", "|---" * 10 + "|", *map(_line, results.rows))))
    if results.clients:
        parts.append(_clients_line(results.clients))
    if results.memory:
        parts.append(
            "\n".join(
                ("| channel flows | findings | seconds | peak MB |", "|---" * 4 + "|", *map(_size, results.memory))
            )
        )
        growth = results.memory[-1].peak_mb - results.memory[0].peak_mb
        parts.append(f"Growth: {growth:.0f} MB (goal {results.memory_goal_mb:g})")
    return "\n\n".join(parts)


def _line(row: Row) -> str:
    calls = f"{row.calls:,}" if row.exact else f"**{row.calls:,}**"
    return (
        f"| {row.what} | {calls} | {row.least_calls:,} | {row.gaps} | {row.seconds:.2f} "
        f"| {row.bound:.2f}: {row.bound_is} | {row.ratio:.2f} | {row.goal:g} | {row.cpu:.2f} | {row.peak_mb:.0f} |"
    )


def _clients_line(clients: Clients) -> str:
    return (
        f"{clients.targets:,} targets, each account entered by a role: {clients.cpu_ms:.1f} ms of CPU a target for "
        f"clients (goal {clients.goal_ms:g}), {clients.run_cpu_ms:.1f} ms with its calls and all; "
        f"{clients.mb_after_a_quarter:.0f} MB for a quarter of the targets, {clients.mb_at_the_end:.0f} MB for all"
    )


def _size(memory: Memory) -> str:
    return f"| {memory.channel_flows:,} | {memory.findings:,} | {memory.seconds:.1f} | {memory.peak_mb:.0f} |"


if __name__ == "__main__":
    main()
