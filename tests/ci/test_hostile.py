"""The recipes for pipelines run no code of a hostile checkout, which has files that Python would import."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ci import test_gitlab
from tests.ci.action import Action
from tests.ci.hostile_checkout import hostile
from tests.ci.shell import ROOT, run
from tests.ci.test_gitlab import job
from tests.command import Ended, installed

JENKINS = re.findall(r"sh '''(.*?)'''", (ROOT / "deploy" / "ci" / "Jenkinsfile").read_text(), re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return hostile(tmp_path / "checkout")


def in_gitlab(checkout: Path, **variables: str) -> Ended:
    both = ("before_script", "script")
    given = {"CHIMEAUDIT_PACKAGE": str(ROOT), "CHIMEAUDIT_PATHS": "create.json", **variables}
    return job(".chimeaudit-check", checkout, *both, **given)


def in_jenkins(checkout: Path, **variables: str) -> Ended:
    own = {
        "CHIMEAUDIT_PACKAGE": str(ROOT),
        "CHIMEAUDIT_PATH": "create.json",
        "WORKSPACE_TMP": str(checkout.with_name("checkout@tmp")),
        **variables,
    }
    install, check, _ = JENKINS
    assert run(("sh", "-xe"), install, home=checkout, variables=own).code == 0
    return run(("sh", "-xe"), check, home=checkout, variables=own)


@pytest.mark.parametrize("recipe", [in_gitlab, in_jenkins])
def test_a_recipe_runs_nothing_of_the_checkout(checkout: Path, recipe: Callable[..., Ended]) -> None:
    variables = {"PYTHONPATH": ".", "PYTHONSTARTUP": "sitecustomize.py", "PYTHONHOME": ""}

    ended = recipe(checkout, **variables)

    assert ended.code == 1, ended.stderr
    assert "last-processor-fails-open" in ended.stdout
    assert not checkout.with_name("pwned").exists()
    assert test_gitlab.TEMPLATE[".chimeaudit-scan"]["script"][-1].startswith("python -I -m scanner scan ")
    assert "-I -m scanner scan --org --external-id" in JENKINS[-1]


def test_the_action_runs_nothing_of_the_checkout(checkout: Path, runner_temp: Path) -> None:
    """The fixture has run the step that installs in such a checkout as well."""
    done = Action(temp=runner_temp, workspace=checkout)({"paths": "create.json"}, PYTHONPATH=".")

    assert done.code == 1
    assert not checkout.with_name("pwned").exists()


@pytest.mark.parametrize("elsewhere", [("--workers", "2"), ("--cluster", "local")])
def test_a_process_that_a_scan_starts_imports_nothing_from_the_working_directory(
    checkout: Path, elsewhere: tuple[str, str]
) -> None:
    narrowed = ("--regions", "eu-central-1", "--select", "topic:fallback")

    ended = installed("scan", "--demo", *narrowed, *elsewhere, "-o", "json:-", home=checkout)

    assert ended.code == 1, ended.stderr
    assert ended.report["coverage"]["complete"]
    assert not checkout.with_name("pwned").exists()
