"""A broken installation ends with exit code 70, like every fault, not with 1, which means findings."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from scanner import resources
from scanner.errors import BrokenInstallationError
from tests.command import CHIMEAUDIT, Ended, started
from tests.declared.checking import processor, request, write
from tests.posix import needs_posix

_BROKEN = """
import sys
from importlib.abc import MetaPathFinder

class Broken(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {module!r}:
            raise {error}

sys.meta_path.insert(0, Broken())
"""
MISSING = "ModuleNotFoundError('it is not there', name=name)"


def without(module: str, *arguments: str, home: Path, error: str = MISSING, start: tuple[str, ...] = ()) -> Ended:
    """Run the command with a module whose import raises an error."""
    folder = home / "broken"
    folder.mkdir(exist_ok=True)
    write(folder / "sitecustomize.py", _BROKEN.format(module=module, error=error))
    return started(*(start or (CHIMEAUDIT,)), *arguments, home=home, variables={"PYTHONPATH": str(folder)})


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("click", ["--version"]),
        ("msgspec", ["check", "flow.json"]),
        ("yaml", ["rules", "list"]),
        ("rich", ["check", "flow.json"]),
        ("jinja2", ["check", "flow.json", "-o", "report.html"]),
        ("jmespath", ["scan"]),
        ("werkzeug", ["scan", "--demo"]),
        ("tornado", ["scan", "--cluster", "local", "--accounts", "111122223333"]),
        ("mako", ["scan", "--demo", "--regions", "eu-central-1", "--history", "sqlite:///h.db"]),
    ],
)
def test_a_dependency_that_is_missing(tmp_path: Path, module: str, arguments: list[str]) -> None:
    write(tmp_path / "flow.json", request(processor(FallbackAction="CONTINUE")))

    ended = without(module, *arguments, home=tmp_path)

    assert ended.code == 70, ended.stderr
    message, hint = ended.stderr.splitlines()[-2:]
    assert message == "error: the installation is broken: ModuleNotFoundError: it is not there"
    assert hint.startswith("hint: ")
    assert "Traceback" not in ended.stderr
    assert not ended.stdout, "nothing was judged"


@pytest.mark.parametrize(
    "error", ["AttributeError('of another version')", "SyntaxError('not this Python')", "OSError(5)"]
)
def test_a_dependency_that_does_not_load(tmp_path: Path, error: str) -> None:
    ended = without("click", "scan", home=tmp_path, error=error, start=(sys.executable, "-m", "scanner"))

    assert ended.code == 70
    assert ended.error.startswith(f"error: the installation is broken: {error.partition('(')[0]}: ")


def test_a_broken_installation_ends_with_70_if_standard_error_is_closed(tmp_path: Path) -> None:
    needs_posix("/bin/sh")
    for closed in ("2>&-", "2>/dev/full"):
        shell = f'"$0" "$@" {closed}'

        ended = without("click", "scan", home=tmp_path, start=("/bin/sh", "-c", shell, CHIMEAUDIT))

        assert (ended.code, ended.stdout) == (70, ""), closed


@pytest.mark.parametrize("folder", ["rules", "reports"])
@pytest.mark.parametrize("left", [False, True])
def test_data_that_come_with_it_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, left: bool
) -> None:
    if left:
        (tmp_path / "scanner" / folder).mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "scanner")

    with pytest.raises(BrokenInstallationError, match=f"the folder {folder} .* is missing or empty") as caught:
        getattr(resources, folder)()

    assert caught.value.exit_code == 70


def test_the_command_says_which_data_are_missing(tmp_path: Path) -> None:
    package = Path(resources.__file__).parent
    shutil.copytree(package, tmp_path / "scanner", ignore=shutil.ignore_patterns("__pycache__"))

    variables = {"PYTHONPATH": os.fspath(tmp_path)}

    ended = started(sys.executable, "-m", "scanner", "rules", "list", home=tmp_path, variables=variables)

    assert ended.code == 70
    assert ended.stderr.splitlines()[0].startswith("error: the installation is broken: the folder rules ")
