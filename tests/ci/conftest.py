"""Runs the shell of pipelines with bash or sh, as their runners do, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import once
from tests.ci.action import Action, install
from tests.ci.hostile_checkout import hostile


@pytest.fixture(scope="session")
def runner_temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder, in which the action's step has installed chimeaudit."""
    return once.folder(tmp_path_factory, "runner", installed_in_a_hostile_checkout)


def installed_in_a_hostile_checkout(temp: Path) -> None:
    workspace = temp.with_name("workspace")
    workspace.mkdir()
    checkout = hostile(workspace / "checkout")
    install(temp, checkout)
    assert not checkout.with_name("pwned").exists(), "code of a pull request was run"


@pytest.fixture
def action(runner_temp: Path, tmp_path: Path) -> Action:
    """The action, as a step of a job whose working directory is `tmp_path`."""
    return Action(temp=runner_temp, workspace=tmp_path)
