"""A checkout with somebody else's code in it, under names that Python looks for: the recipes run none of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ci import test_gitlab, test_jenkins
from tests.ci.action import AUDIT, INSTALL, contexts, step
from tests.ci.shell import ROOT, run
from tests.ci.test_gitlab import job
from tests.command import Ended, installed
from tests.declared.checking import processor, request, write

MODULES = (
    *("venv", "ensurepip", "pip", "setuptools", "hatchling", "sitecustomize", "usercustomize"),
    *("encodings", "site", "runpy", "multiprocessing", "json", "random", "secrets"),
    *("click", "msgspec", "yaml", "boto3", "scanner", "chimeaudit"),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Whatever of it is imported or run leaves a file `pwned` in the folder above."""
    folder = tmp_path / "checkout"
    hostile = f"open({str(tmp_path / 'pwned')!r}, 'a').write(__name__ + '\\n')\n"
    for name in MODULES:
        (folder / name).mkdir(parents=True)
        for module in (f"{name}.py", f"{name}/__init__.py", f"{name}/__main__.py"):
            write(folder / module, hostile)
    site = folder / ".chimeaudit" / "lib" / "python3.13" / "site-packages"
    site.mkdir(parents=True)
    for file in (folder / "evil.pth", site / "evil.pth"):
        write(file, f"import sys; {hostile}")
    write(folder / ".chimeaudit" / "ensurepip.py", hostile)
    write(folder / "create.json", request(processor(FallbackAction="CONTINUE")))
    return folder


def in_github(checkout: Path, **variables: str) -> Ended:
    temp = checkout.with_name("temp")
    files = {name: str(checkout.with_name(name)) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    given = {"RUNNER_TEMP": str(temp), **files, **variables}
    temp.mkdir()
    known = contexts(temp, {"paths": "create.json"}, {})
    assert step(INSTALL, checkout, given, known).code == 0
    return step(AUDIT, checkout, given, known)


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
    install, check, _ = test_jenkins.SCRIPTS
    assert run(("sh", "-xe"), install, home=checkout, variables=own).code == 0
    return run(("sh", "-xe"), check, home=checkout, variables=own)


@pytest.mark.parametrize("recipe", [in_github, in_gitlab, in_jenkins])
def test_a_recipe_runs_nothing_of_the_checkout(checkout: Path, recipe: Callable[..., Ended]) -> None:
    variables = {"PYTHONPATH": ".", "PYTHONSTARTUP": "sitecustomize.py", "PYTHONHOME": ""}

    ended = recipe(checkout, **variables)

    assert "last-processor-fails-open" in ended.stdout + ended.stderr
    assert not checkout.with_name("pwned").exists()
    assert test_gitlab.TEMPLATE[".chimeaudit-scan"]["script"][-1].startswith("python -I -m scanner scan ")


@pytest.mark.parametrize("elsewhere", [("--workers", "2"), ("--cluster", "local")])
def test_a_process_that_a_scan_starts_imports_nothing_of_where_it_works(
    checkout: Path, elsewhere: tuple[str, str]
) -> None:
    ended = installed("scan", "--demo", "--regions", "eu-central-1", *elsewhere, "-o", "json:-", home=checkout)

    assert ended.code == 1, ended.stderr
    assert ended.report["coverage"]["complete"]
    assert not checkout.with_name("pwned").exists()
