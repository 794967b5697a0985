"""Which signals stop a scan as Ctrl-C does; tests/commands/test_scan_outages.py sends real ones."""

from __future__ import annotations

import signal
from enum import IntEnum

import pytest

from scanner.commands import scan

POSIX = IntEnum("POSIX", {"SIGINT": 2, "SIGHUP": 1, "SIGTERM": 15})
WINDOWS = IntEnum("WINDOWS", {"SIGINT": 2, "SIGTERM": 15, "SIGBREAK": 21})


@pytest.mark.parametrize(("system", "stopping"), [(POSIX, {1, 15}), (WINDOWS, {15, 21})])
@pytest.mark.parametrize("ignored", [None, 1, 15])
def test_signals_that_end_a_process_stop_a_scan_unless_they_are_ignored(
    system: type[IntEnum], stopping: set[int], ignored: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = {number: signal.SIG_IGN if number == ignored else signal.SIG_DFL for number in system}
    before = dict(handlers)
    monkeypatch.setattr(signal, "Signals", system)
    monkeypatch.setattr(signal, "getsignal", handlers.__getitem__)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)

    with scan._interruptible():
        assert {number for number, handler in handlers.items() if callable(handler)} == stopping - {ignored}

    assert handlers == before
