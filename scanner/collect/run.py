"""Reads all targets of a run, several at once."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from scanner.collect.aws import Aws
from scanner.collect.target import read_target
from scanner.journal import Journal, Target, TargetWriter

TARGETS_AT_ONCE = 8
_GRACE_SECONDS = 1


def collect(aws: Aws, journal: Journal) -> None:
    """Read every target that the journal does not hold yet.

    Raises:
        KeyboardInterrupt: the user stopped it; what was read until then is in the journal.
        OutputError: the journal cannot be written.
    """
    stop = threading.Event()
    threads = ThreadPoolExecutor(TARGETS_AT_ONCE, thread_name_prefix="target")
    unidentified = {gap.account_id for gap in journal.header.gaps}
    running: list[Future[None]] = []
    try:
        running += [
            threads.submit(_read, aws, target, journal, stop)
            for target in journal.header.targets
            if target.account_id not in unidentified
        ]
        done, _ = wait(running, return_when=FIRST_EXCEPTION)
        _raise_any(done)
    except BaseException:
        stop.set()
        threads.shutdown(wait=False, cancel_futures=True)
        wait(running, timeout=_GRACE_SECONDS)
        raise
    threads.shutdown()


def _raise_any(done: set[Future[None]]) -> None:
    for future in done:
        future.result()


def _read(aws: Aws, target: Target, journal: Journal, stop: threading.Event) -> None:
    if not journal.reader(target).complete:
        with TargetWriter(journal.target_path(target)) as writer:
            read_target(aws, target, writer, stop)
