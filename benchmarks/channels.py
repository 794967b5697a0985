"""Measures the facet all_channels for one app instance: calls, time without latency and rates, and memory.

python -m benchmarks.channels            100,000 channels
python -m benchmarks.channels --full     1,000,000 channels; a few minutes
python -m benchmarks.channels --json     for machines
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import msgspec
from msgspec import Struct

from benchmarks import collect
from benchmarks.server import STATISTICS, Statistics
from benchmarks.shape import Shape, pages
from scanner.model.facts import Channels

FLOWS = 10
OPEN = 400
FEW = 1_000
GOAL_MB = 64
NO_RATE = 1e9


class Row(Struct, frozen=True, kw_only=True):
    """One run. `least_calls`: a page of admins, the pages of all lists, and one call for each suspect."""

    channels: int
    unprocessed: int
    calls: int
    least_calls: int
    seconds: float
    cpu: float
    peak_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="1,000,000 channels instead of 100,000")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args(arguments)
    rows = [_measured(number) for number in (FEW, 1_000_000 if chosen.full else 100_000)]
    print(msgspec.json.encode(rows).decode() if chosen.json else _table(rows))


def _measured(channels: int) -> Row:
    shape = Shape(flows=(FLOWS,), channels=channels, open_channels=OPEN)
    return collect.on_a_server(shape, read)


def read(shape: Shape) -> Row:
    """Read the channels of the only app instance, without rates."""
    from scanner.collect import channels
    from scanner.collect.run import Collection
    from scanner.collect.task import ChannelTerms

    channels._LISTS_PER_SECOND = NO_RATE
    terms = ChannelTerms(calls_per_second=NO_RATE, most=10 * shape.channels)
    with tempfile.TemporaryDirectory() as directory:
        journal = collect.begun(shape, frozenset({"all_channels"}), Path(directory))
        began = time.perf_counter(), time.process_time()
        Collection(journal, channels=terms).run()
        seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
        (app_instance,) = journal.reader(journal.header.targets[0]).app_instances()
    with urlopen(os.environ["AWS_ENDPOINT_URL"] + STATISTICS) as answer:  # noqa: S310 - our own server
        statistics = msgspec.json.decode(answer.read(), type=Statistics)
    found = app_instance.app_instance.channels
    assert isinstance(found, Channels)
    assert (found.count, found.unprocessed) == (shape.channels, shape.open_channels)
    of_flows = sum(pages(len(shape.channels_of(flow, FLOWS))) for flow in range(FLOWS))
    return Row(
        channels=shape.channels,
        unprocessed=shape.open_channels,
        calls=sum(statistics.calls.values()),
        least_calls=2 + 1 + pages(shape.channels) + of_flows + shape.open_channels,
        seconds=seconds,
        cpu=cpu,
        peak_mb=collect.peak_mb(),
    )


def _table(rows: Sequence[Row]) -> str:
    head = "| channels | without a flow | calls | least possible | seconds | CPU seconds | peak MB |"
    lines = (
        f"| {row.channels:,} | {row.unprocessed:,} | {row.calls:,} | {row.least_calls:,} | {row.seconds:.1f} "
        f"| {row.cpu:.1f} | {row.peak_mb:.0f} |"
        for row in rows
    )
    growth = rows[-1].peak_mb - rows[0].peak_mb
    return "\n".join((head, "|---" * 7 + "|", *lines, "", f"Growth: {growth:.0f} MB (goal {GOAL_MB})"))


if __name__ == "__main__":
    main()
