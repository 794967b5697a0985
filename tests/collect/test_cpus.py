"""scanner.collect.cpus, on Linux and where a process cannot choose its CPUs."""

from __future__ import annotations

import sys

import pytest

from scanner.collect import cpus


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_a_process_runs_anywhere_where_the_system_cannot_keep_it_on_a_cpu(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert cpus.shares(3) == (None, None, None)
    assert cpus.share(2) is None
    cpus.stay_on(0)
    with cpus.staying_on(0):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps processes on CPUs")
def test_each_cpu_has_its_share_of_the_processes_on_linux() -> None:
    first, *_ = cpus.shares(1)
    assert first is not None

    with cpus.staying_on(first):
        assert cpus.shares(2) == (first, first)
        assert cpus.share(7) == first
