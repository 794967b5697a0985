"""Measures how cost grows with size and what a cluster saves; a model extends it to organisations of any size.

    python -m benchmarks.scale            a tenth of the sizes; some minutes
    python -m benchmarks.scale --full     1,000 accounts x 1,000 channel flows, 1,000,000 of them in one account
    python -m benchmarks.scale --only cluster | growth | inventory

The model has two numbers: the CPU time of a target and of a call. A size to which it was not fitted shows how good it
is.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from msgspec import Struct

from benchmarks.collect import _environment, begun, peak_mb
from benchmarks.server import serving
from benchmarks.shape import Shape, least_calls

PAIRS = 5
GOAL = 1.3
COORDINATOR_GOAL_MB = 300
INVENTORY_PAIRS = 3
INVENTORY_GOAL = 1.5
INVENTORY_GOAL_MB = 20
RATE = 10  # calls per second, account and region: an assumption, since AWS documents no limit for these operations


class Cost(Struct, frozen=True, kw_only=True):
    """The cost of a run: collecting, judging by the rules that read lists, and writing a JSON report."""

    targets: int
    calls: int
    channel_flows: int
    findings: int
    seconds: float
    cpu: float
    peak_mb: float
    journal_mb: float
    report_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the sizes that docs/performance.md quotes")
    parser.add_argument("--only", choices=("cluster", "growth", "inventory"), action="append", help="some of it")
    chosen = parser.parse_args(arguments)
    parts = chosen.only or ("cluster", "growth", "inventory")
    if "cluster" in parts:
        print(cluster(1_000_000 if chosen.full else 100_000))
    if "growth" in parts:
        print(growth(1 if chosen.full else 10))
    if "inventory" in parts:
        print(inventory(10_000 if chosen.full else 1_000))


def cluster(channel_flows: int) -> str:
    """Compare two workers with one process, and measure the coordinator's memory."""
    shape = Shape(accounts=200, flows=(50,) * 3, app_instances=20)
    pairs = [(_timed(shape, workers=0), _timed(shape, workers=2)) for _ in range(PAIRS)]
    gain = median(one.seconds / two.seconds for one, two in pairs)
    large = _timed(Shape(accounts=5, regions=2, app_instances=channel_flows // 1_000, flows=(100,)), workers=2)
    return (
        f"Two Dask workers take {median(two.seconds for _, two in pairs):.1f} s for 200 targets without latency, one "
        f"process {median(one.seconds for one, _ in pairs):.1f} s: {gain:.2f} times as fast (goal {GOAL:g}; median of "
        f"{PAIRS} pairs)\n"
        f"The coordinator of {large.channel_flows:,} channel flows with {large.findings:,} findings: "
        f"{large.peak_mb:.0f} MB (goal {COORDINATOR_GOAL_MB})\n"
    )


def growth(divisor: int) -> str:
    """Measure three sizes, fit the model to two of them, and compare it with the third; then project larger ones."""
    many = Shape(accounts=1_000 // divisor, flows=(1,))
    deep = Shape(accounts=1, app_instances=10_000 // divisor, flows=(100,))
    both = Shape(accounts=1_000 // divisor, app_instances=10, flows=(100,))
    costs = [_timed(shape, workers=0) for shape in (many, deep, both)]
    a_target, a_call = _fitted(costs[0], costs[1])
    head = (
        "targets | calls | channel flows | findings | seconds | CPU seconds | model | peak MB | journal MB | report MB"
    )
    lines = [f"| {head} |", "|---" * 10 + "|"]
    lines += [_line(cost, a_target * cost.targets + a_call * cost.calls) for cost in costs]
    lines += ["", f"{a_target * 1000:.1f} ms of CPU a target, {a_call * 1000:.2f} ms a call.", ""]
    lines += _projected(a_target, a_call)
    return "\n".join(lines)


def inventory(app_instances: int) -> str:
    """Compare a scan whose JSON report has an inventory with one without."""
    shape = Shape(accounts=1, app_instances=app_instances, flows=(100,))
    pairs = [(_timed(shape, workers=0), _timed(shape, workers=0, inventory=True)) for _ in range(INVENTORY_PAIRS)]
    ratio = median(listed.cpu / plain.cpu for plain, listed in pairs)
    more = median(listed.peak_mb - plain.peak_mb for plain, listed in pairs)
    return (
        f"An inventory of {pairs[0][1].channel_flows:,} channel flows takes {ratio:.2f} times the CPU time of a scan "
        f"without (goal {INVENTORY_GOAL:g}; median of {INVENTORY_PAIRS} pairs), {more:+.0f} MB of memory (goal "
        f"{INVENTORY_GOAL_MB}), and {pairs[0][1].report_mb - pairs[0][0].report_mb:,.0f} MB of the report\n"
    )


def _fitted(one: Cost, other: Cost) -> tuple[float, float]:
    """The CPU time of a target and of a call, fitted to two runs."""
    determinant = one.targets * other.calls - other.targets * one.calls
    a_target = (one.cpu * other.calls - other.cpu * one.calls) / determinant
    return a_target, (one.targets * other.cpu - other.targets * one.cpu) / determinant


def _projected(a_target: float, a_call: float) -> list[str]:
    """Lines on organisations whose targets have 3 app instances of 100 flows, one of them 10,000 app instances."""
    shape = Shape(app_instances=3, flows=(100,))
    giant = sum(least_calls(Shape(app_instances=10_000, flows=(100,)), frozenset()).values())
    each = sum(least_calls(shape, frozenset()).values())
    lines = [
        "| accounts x 2 regions | calls | CPU hours | 1 worker | 16 workers | API alone | workers until then |",
        "|---" * 7 + "|",
    ]
    for accounts in (1_000, 10_000, 100_000):
        targets = 2 * accounts
        calls = targets * each + giant
        cpu = targets * a_target + calls * a_call
        least = giant / RATE
        lines.append(
            f"| {accounts:,} | {calls:,} | {cpu / 3600:.1f} | {_span(max(cpu, least))} | {_span(max(cpu / 16, least))} "
            f"| {_span(least)} | {max(1, round(cpu / least))} |"
        )
    return lines


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _line(cost: Cost, model: float) -> str:
    return (
        f"| {cost.targets:,} | {cost.calls:,} | {cost.channel_flows:,} | {cost.findings:,} | {cost.seconds:.1f} "
        f"| {cost.cpu:.1f} | {model:.1f} | {cost.peak_mb:.0f} | {cost.journal_mb:.1f} | {cost.report_mb:.1f} |"
    )


def _timed(shape: Shape, workers: int, *, inventory: bool = False) -> Cost:
    """The cost of a run in a separate process against a new server, on a new cluster if `workers` is not 0."""
    with (
        serving(shape) as url,
        _cluster(url, workers) as address,
        ProcessPoolExecutor(1, get_context("spawn"), _environment, (url,)) as fresh,
    ):
        return fresh.submit(run, shape, address, inventory=inventory).result()


@contextmanager
def _cluster(url: str, workers: int) -> Iterator[str | None]:
    """The address of a new scheduler with `workers` workers of one thread each; None for no workers."""
    if not workers:
        yield None
        return
    from distributed import LocalCluster

    before = dict(os.environ)
    _environment(url)
    try:
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local:
            yield local.scheduler_address
    finally:
        os.environ.clear()
        os.environ.update(before)


def run(shape: Shape, address: str | None, *, inventory: bool = False) -> Cost:
    """Measure collecting, judging and writing; imports, and joining a cluster, are not measured."""
    from scanner.cluster.coordinator import Cluster
    from scanner.collect.executors import Threads
    from scanner.collect.run import Collection
    from scanner.judge.audit import Audit
    from scanner.language.rule import load
    from scanner.language.selection import select
    from scanner.render import Format, render
    from scanner.resources import rules
    from scanner.store.files import write_whole

    reading_lists = tuple(rule for rule in select(load([rules()]), ()) if not rule.facets)
    with tempfile.TemporaryDirectory() as directory:
        journal = begun(shape, frozenset(), Path(directory))
        audit = Audit(journal, reading_lists, inventory=inventory)
        targets = journal.header.targets
        place = Cluster(address, targets, audit.part_judge) if address else Threads(targets)
        began = time.perf_counter(), time.process_time()
        Collection(
            journal, place, on_result=lambda done: audit.judge(done.target) if address else None, on_verdicts=audit.take
        ).run()
        report = audit.report("2026-01-01T00:00:00Z")
        path = Path(directory) / "report.json"
        write_whole(path, (piece.encode() for piece in render(report, Format.JSON)))
        assert report.coverage.complete
        return Cost(
            targets=shape.targets,
            calls=sum(least_calls(shape, frozenset()).values()),
            channel_flows=report.coverage.observed.channel_flows,
            findings=len(report.findings),
            seconds=time.perf_counter() - began[0],
            cpu=time.process_time() - began[1],
            peak_mb=peak_mb(),
            journal_mb=sum(each.stat().st_size for each in (journal.directory / "targets").iterdir()) / 1e6,
            report_mb=path.stat().st_size / 1e6,
        )


if __name__ == "__main__":
    main()
