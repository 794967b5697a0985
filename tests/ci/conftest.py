"""Runs the shell of pipelines with bash or sh, as their runners do, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ci.action import Action, install
from tests.ci.hostile_checkout import hostile


@pytest.fixture(scope="module")
def runner_temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder, in which the action's step has installed chimeaudit."""
    temp = tmp_path_factory.mktemp("runner")
    checkout = hostile(tmp_path_factory.mktemp("workspace") / "checkout")
    install(temp, checkout)
    assert not checkout.with_name("pwned").exists(), "code of a pull request was run"
    return temp


@pytest.fixture
def action(runner_temp: Path, tmp_path: Path) -> Action:
    """The action, as a step of a job whose working directory is `tmp_path`."""
    return Action(temp=runner_temp, workspace=tmp_path)
