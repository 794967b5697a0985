"""Fixtures for tests that drive the installed command against an AWS on loopback."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from scanner import cli
from tests import demo, once
from tests.command import Ended, chimeaudit, environment
from tests.demo import Demo
from tests.fake_aws import FakeAws, serve

Scan = Callable[..., Ended]

# For IRIs, which nothing here has, jsonschema would compile 38 grammars on import: half of the time that finding all
# tests takes. It goes without if this module lacks its function.
sys.modules["rfc3987_syntax"] = ModuleType("rfc3987_syntax")

# The time that an example takes depends on how busy the machine is. The same examples each time: a change that fails
# did not fail by chance. `--hypothesis-profile search` tries others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", settings.get_profile("search"), derandomize=True)
settings.load_profile("here")


def _skips_fail() -> bool:
    return bool(os.environ.get("CI")) and sys.platform == "linux"  # others lack what some tests need


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more worker than CPUs, since tests wait a third of their time for processes, browsers and retries."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make skipped tests fail in continuous integration, where nobody would notice that they never run."""
    report = yield
    if _skips_fail() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI may not: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Make skipped modules fail in continuous integration."""
    report = yield
    if _skips_fail() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, which CI may not: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a server on one worker, which starts it once."""
    for item in items:
        fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
        if any(found[-1].scope == "module" for found in fixtures.values()):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_finish() -> None:
    """Exclude the tests themselves from garbage collection, which takes time to look through them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tests run as if outside GitHub, unless a test says otherwise."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One scan of the whole demo organisation."""
    return Demo(once.folder(tmp_path_factory, "demo", demo.scan))


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """An empty fake AWS."""
    with serve(FakeAws()) as fake:
        yield fake


@pytest.fixture
def aws_in_environment(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """The fake AWS, with its variables in the environment of this process."""
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def scan(aws: FakeAws, tmp_path: Path) -> Scan:
    """Run `chimeaudit scan` against the fake AWS."""

    def run(*arguments: str, **variables: str) -> Ended:
        return chimeaudit("scan", *arguments, home=tmp_path, variables={**aws.variables, **variables})

    return run


@pytest.fixture
def quick_scan(
    aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scan:
    """Run `chimeaudit scan` in this process, with one attempt for each call: fast enough for many small cases."""
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
