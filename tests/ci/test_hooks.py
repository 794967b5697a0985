""".pre-commit-hooks.yaml, run by pre-commit in a git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.ci.linting import BIN, pre_commit
from tests.ci.shell import ROOT, load
from tests.command import Ended, environment
from tests.declared.checking import processor, request, write

GOOD = request()
BAD = request(processor(FallbackAction="CONTINUE"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty git repository with the hook, which uses this environment instead of installing from an index."""
    (hook,) = load(".pre-commit-hooks.yaml")
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    write(tmp_path / ".pre-commit-config.yaml", yaml.safe_dump(config))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, env=environment(tmp_path), check=True)
    return tmp_path


def commit(repository: Path) -> Ended:
    """Run pre-commit on all files."""
    own = environment(repository, {"PATH": f"{BIN}:{environment(repository)['PATH']}", "PYTHONWARNINGS": "default"})
    subprocess.run(["git", "add", "--all"], cwd=repository, env=own, check=True)
    ended = subprocess.run(
        ["pre-commit", "run"], cwd=repository, env=own, capture_output=True, text=True, timeout=60, check=False
    )
    return Ended(code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


def test_a_bad_flow_among_other_files_stops_the_commit(repository: Path) -> None:
    write(repository / "bad.yaml", yaml.safe_dump(BAD))
    write(repository / "package.json", "{}")
    write(repository / "values.yml", "{{ not yaml")

    ended = commit(repository)

    assert ended.code == 1
    assert "exit code: 1" in ended.stdout
    assert "last-processor-fails-open" in ended.stdout
    assert "bad.yaml:" in ended.stdout


@pytest.mark.parametrize("name", ["good.json", "--fail-on.json"])
def test_good_flows_and_other_files_pass(repository: Path, name: str) -> None:
    write(repository / name, GOOD)
    write(repository / "package.json", "{}")

    ended = commit(repository)

    assert ended.code == 0, ended.stdout
    assert "Passed" in ended.stdout


def test_other_files_alone_pass(repository: Path) -> None:
    write(repository / "package.json", "{}")

    ended = commit(repository)

    assert ended.code == 0, ended.stdout
    assert "Passed" in ended.stdout


def test_the_name_of_a_file_is_no_option(repository: Path) -> None:
    write(repository / "--select=cross-region-lambda,.json", BAD)

    assert "last-processor-fails-open" in commit(repository).stdout


def test_the_manifest_is_valid() -> None:
    pre_commit("validate-manifest", ROOT / ".pre-commit-hooks.yaml")
