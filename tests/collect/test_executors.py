"""scanner.collect.executors: what reads targets, and what keeps it from beginning."""

from __future__ import annotations

import sys

import pytest

from scanner.collect.executors import NoProcessError, Processes


def test_more_processes_than_windows_can_wait_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(NoProcessError, match="61; give --workers fewer or none"):
        Processes((), 62)
