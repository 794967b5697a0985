"""What a release is made of: the version, the notes, the packages and the bill of materials."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import scanner
from tests.ci.shell import ROOT
from tests.command import Ended, environment, started

NOTES = "### Added\n\n- A rule"
GOOD = f"# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-12-01\n\n{NOTES}\n\n## 1.2.2 - 2026-11-01\n\n- Older"


def release(home: Path, changelog: str, *arguments: str, version: str = "1.2.3") -> Ended:
    """What .ci/release.py says in a checkout with this CHANGELOG and version."""
    for name in (".ci", "scanner"):
        (home / name).mkdir()
    shutil.copy(ROOT / ".ci" / "release.py", home / ".ci")
    (home / "scanner" / "__init__.py").write_text(f'"""Words."""\n\n__version__ = "{version}"\n')
    (home / "CHANGELOG.md").write_text(changelog)
    return started(sys.executable, "-I", ".ci/release.py", *arguments, home=home)


@pytest.mark.parametrize(
    "changelog", [GOOD, GOOD.replace("1.2.3 -", "[1.2.3] -"), GOOD.replace("## Unreleased\n\n", "")]
)
def test_the_notes_of_a_release_are_its_part_of_the_changelog(tmp_path: Path, changelog: str) -> None:
    ended = release(tmp_path, changelog, "v1.2.3")

    assert (ended.code, ended.stdout, ended.stderr) == (0, f"{NOTES}\n", "")


@pytest.mark.parametrize(
    ("changelog", "tag", "words"),
    [
        (GOOD, "v1.2.4", "the tag is v1.2.4, and scanner/__init__.py says 1.2.3: expected v1.2.3"),
        (GOOD, "1.2.3", "the tag is 1.2.3"),
        (GOOD.replace("Unreleased\n", "Unreleased\n\n- Late\n"), "v1.2.3", "still has entries under Unreleased"),
        (GOOD.replace("1.2.3 -", "1.2.4 -"), "v1.2.3", "begins with the release 1.2.4 - 2026-12-01: expected 1.2.3"),
        (GOOD.replace("12-01", "13-01"), "v1.2.3", "expected 1.2.3 - YYYY-MM-DD"),
        (GOOD.replace(" - 2026-12-01", ""), "v1.2.3", "expected 1.2.3 - YYYY-MM-DD"),
        (GOOD.replace(NOTES, ""), "v1.2.3", "says nothing about 1.2.3"),
        ("# Changelog\n\n## Unreleased\n", "v1.2.3", "begins with the release (none)"),
        ("", "v1.2.3", "begins with the release (none)"),
    ],
)
def test_what_does_not_agree_is_not_released(tmp_path: Path, changelog: str, tag: str, words: str) -> None:
    ended = release(tmp_path, changelog, tag)

    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: ")
    assert words in ended.stderr


@pytest.mark.parametrize(
    ("version", "is_one"), [("1.2.3rc1", True), ("1.2.3-rc.1", False), ("1.2", False), ("1.2.3+b", False)]
)
def test_a_version_is_spelled_as_packages_spell_it(tmp_path: Path, version: str, *, is_one: bool) -> None:
    ended = release(tmp_path, GOOD.replace("1.2.3", version), f"v{version}", version=version)

    assert ended.code == (0 if is_one else 1)
    assert ("expected a version such as 1.2.3 or 1.2.3rc1" in ended.stderr) is not is_one


def test_a_release_needs_a_tag(tmp_path: Path) -> None:
    assert release(tmp_path, GOOD).code == 2


def test_the_version_stands_in_one_place() -> None:
    places = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "pyproject.toml", *(ROOT / "scanner").rglob("*.py"))
        if re.search(r'^(__version__|version) = "', path.read_text(), re.MULTILINE)
    }

    assert places == {"scanner/__init__.py"}


def installed(*names: str, home: Path) -> Path:
    """An environment in which these packages seem to be installed; to list all that are here takes a minute."""
    environment = home / "installed"
    venv.create(environment)
    (target,) = environment.glob("lib/python*/site-packages")
    for name in names:
        (about,) = Path(sysconfig.get_path("purelib")).glob(f"{name}-*.dist-info")
        shutil.copytree(about, target / about.name)
    return environment


def test_a_release_is_built_with_a_bill_of_materials(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in (".ci", ".github", "scanner", "rules", "reports", "deploy"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".gitattributes", ".pre-commit-hooks.yaml", "LICENSE", "Makefile", "pyproject.toml", "action.yml"):
        shutil.copy(ROOT / name, checkout)
    for page in ROOT.glob("*.md"):
        shutil.copy(page, checkout)
    as_somebody = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "-A"), (*as_somebody, "commit", "-q", "-m", "All")):
        subprocess.run(["git", *command], cwd=checkout, check=True, env=environment(tmp_path))

    arguments = (sys.executable, str(installed("boto3", "msgspec", home=tmp_path)))
    ended = started(f"{checkout}/.ci/dist", *arguments, home=tmp_path, variables={"PYTHONWARNINGS": "default"})

    assert ended.code == 0, ended.stderr
    name = f"chimeaudit-{scanner.__version__}"
    files = {path.name: path for path in (*(checkout / "dist").iterdir(), *(checkout / "out/release").iterdir())}
    assert files.keys() == {f"{name}.tar.gz", f"{name}-py3-none-any.whl", f"{name}.cdx.json"}
    with zipfile.ZipFile(files[f"{name}-py3-none-any.whl"]) as wheel:
        metadata = Parser().parsestr(wheel.read(f"{name}.dist-info/METADATA").decode())
    assert (metadata["Version"], metadata["Metadata-Version"]) == (scanner.__version__, "2.4")
    with tarfile.open(files[f"{name}.tar.gz"]) as sdist:
        assert {f"{name}/.ci/run", f"{name}/.github/workflows/ci.yml", f"{name}/SECURITY.md"} <= set(sdist.getnames())
    bill = json.loads(files[f"{name}.cdx.json"].read_text())
    assert bill["bomFormat"] == "CycloneDX"
    about = bill["metadata"]["component"]
    assert (about["name"], about["version"]) == ("chimeaudit", scanner.__version__)
    assert {"boto3", "msgspec"} == {component["name"] for component in bill["components"]}
