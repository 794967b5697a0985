"""Shows how far a scan has come, or what is waited for: a bar on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import structs

from scanner.terminal import Log, LogFormat

if TYPE_CHECKING:
    from scanner.collect.run import Progress

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_FRAMES = 0.2


@contextmanager
def shown(ask: Callable[[], Progress], log: Log) -> Iterator[None]:
    """Show what `ask` returns again and again, until the block ends; nothing if the log is quiet."""
    if log.quiet:
        yield
    elif sys.stderr.isatty() and log.form is LogFormat.TEXT:
        with _bar(ask) as show, _every(_SECONDS_BETWEEN_FRAMES, show):
            yield
    else:
        with _every(_SECONDS_BETWEEN_LINES, lambda: _line(ask(), log)):
            yield


@contextmanager
def waiting(words: str, log: Log) -> Iterator[None]:
    """Show what is waited for, until the block ends; nothing if the log is quiet."""
    if log.quiet:
        yield
    elif sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(words):
            yield
    else:
        with _every(_SECONDS_BETWEEN_LINES, lambda: log.tell("waiting", words)):
            yield


@contextmanager
def _bar(ask: Callable[[], Progress]) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("")

        def show() -> None:
            progress = ask()
            bar.update(task, total=progress.targets, completed=progress.targets_read, description=_words(progress))
            bar.refresh()

        show()
        yield show


@contextmanager
def _every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            act()

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    with suppress(RuntimeError):  # no more threads can be started, and this one matters least
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.ident is not None:
            thread.join()


def _line(progress: Progress, log: Log) -> None:
    counts = {name: getattr(progress, name) for name in progress.__struct_fields__ if name != "traffic"}
    log.tell("progress", _words(progress), **counts, **structs.asdict(progress.traffic))


def _words(progress: Progress) -> str:
    traffic = progress.traffic
    throttled = f", {traffic.throttles:,} throttled" if traffic.throttles else ""
    channels = f"{traffic.channels:,} channels, " if traffic.channels else ""
    return (
        f"{progress.accounts_read:,} of {progress.accounts:,} accounts, {traffic.app_instances:,} app instances, "
        f"{traffic.channel_flows:,} channel flows, {channels}{traffic.calls:,} calls{throttled}"
    )
