"""Fixtures for tests that drive the installed command against an AWS on loopback."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from scanner import cli
from tests.command import Ended, chimeaudit, environment
from tests.fake_aws import FakeAws, serve

Scan = Callable[..., Ended]

# How long an example takes says how busy the machine is, and no more.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are CPUs: for a third of their time tests wait for processes, browsers and retries."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A laptop may lack what a test needs; in continuous integration nobody would see that it never ran."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI may not: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """As above, for a module that skips itself."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, which CI may not: {report.longrepr}"
    return report


def pytest_collection_finish() -> None:
    """The tests themselves are no garbage, and take time to look through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests run: not in a step of a GitHub workflow, unless one says so."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """An AWS with nothing in it yet."""
    with serve(FakeAws()) as fake:
        yield fake


@pytest.fixture
def aws_in_environment(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """That AWS, as the tests' own process finds it."""
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def scan(aws: FakeAws, tmp_path: Path) -> Scan:
    """`chimeaudit scan` against that AWS."""

    def run(*arguments: str, **variables: str) -> Ended:
        return chimeaudit("scan", *arguments, home=tmp_path, variables={**aws.variables, **variables})

    return run


@pytest.fixture
def quick_scan(
    aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scan:
    """As `scan`, one attempt a call and without a process of its own: for long tables of small cases."""
    variables = environment(tmp_path, {**aws.variables, "AWS_MAX_ATTEMPTS": "1"})
    for name in tuple(os.environ):
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        code = cli.run(["scan", *arguments])
        captured = capsys.readouterr()
        return Ended(code=code, stdout=captured.out, stderr=captured.err)

    return run
