"""scanner.collect.target: a huge target is read in shares of about the same size, each app instance in one of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from msgspec import structs

from scanner.aws.failure import StoppedError
from scanner.collect.run import Backlog
from scanner.collect.task import Share, Task, fast
from scanner.collect.worker import Worker
from scanner.store.journal import Target
from scanner.store.target_file import TargetReader
from tests.answers import Call
from tests.fake_aws import FakeAws, Flow
from tests.healthy import ACCOUNT

TARGET = Target(account_id=ACCOUNT, region="us-east-1")


def task(directory: Path, share: Share) -> Task:
    return Task(target=TARGET, facets=frozenset(), path=directory / "0.jsonl", pace=fast(1), share=share)


@pytest.fixture
def worker(aws_in_environment: FakeAws) -> Worker:
    assert aws_in_environment.url
    return Worker(threading.Event(), [TARGET])


@pytest.mark.parametrize(
    ("flows", "share"),
    [
        pytest.param(150, Share(app_instances=500, channel_flows=200), id="large app instances"),
        pytest.param(1, Share(app_instances=7, channel_flows=5_000), id="many app instances"),
        pytest.param(0, Share(app_instances=7, channel_flows=5_000), id="empty app instances"),
    ],
)
def test_every_app_instance_is_in_one_share_and_no_share_is_much_too_large(
    aws: FakeAws, worker: Worker, tmp_path: Path, flows: int, share: Share
) -> None:
    aws.inventory = {"us-east-1": {f"tenant-{number:03}": [Flow()] * flows for number in range(60)}}
    waiting = Backlog(tmp_path)
    waiting.extend([task(tmp_path, share)])
    read: Counter[str] = Counter()
    sizes = []

    for number, each in enumerate(waiting):
        done = worker.do(structs.replace(each, path=tmp_path / f"{number}.jsonl"))
        waiting.extend(done.more)
        found = TargetReader(tmp_path / f"{number}.jsonl").index
        sizes.append(len(found))
        read.update(list(found))
        assert done.complete

    assert set(read.values()) == {1}
    assert len(read) == 60
    assert max(sizes) <= 7
    assert len(aws.asked("ListAppInstances")) == 2
    assert len(aws.asked("ListChannelFlows")) == 60 * max(1, -(-flows // 50))


def test_without_a_share_all_is_read(aws: FakeAws, worker: Worker, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {f"tenant-{number:03}": [Flow()] for number in range(60)}}

    done = worker.do(structs.replace(task(tmp_path, Share(app_instances=1, channel_flows=1)), share=None))

    assert not done.more
    assert len(TargetReader(tmp_path / "0.jsonl").index) == 60


def test_app_instances_that_are_being_read_when_the_scan_is_stopped_stay_open(
    aws_in_environment: FakeAws, tmp_path: Path
) -> None:
    aws, stop = aws_in_environment, threading.Event()
    aws.inventory = {"us-east-1": {"first": [Flow()], "second": [Flow()]}}

    def stopping(call: Call) -> None:
        if call.operation == "GetFunctionConfiguration":
            stop.set()
        elif call.operation == "ListChannelFlows" and str(call.app_instance_arn).endswith("second"):
            stop.wait(20)
            time.sleep(0.3)

    aws.faults = [stopping]
    reading = structs.replace(task(tmp_path, Share(app_instances=9, channel_flows=9)), facets=frozenset({"function"}))

    with pytest.raises(StoppedError):
        Worker(stop, [TARGET]).do(reading)

    assert not TargetReader(tmp_path / "0.jsonl").index
