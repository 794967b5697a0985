"""The Dockerfile has what the stack relies on. It is not built here, which needs a Docker daemon and a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.command import chimeaudit
from tests.deploy.template import DEPLOY, load

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
BUILD, FINAL = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)[1:]


def test_a_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")

    ended = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout


def test_the_copied_files_are_enough_to_build_from(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for line in re.findall(r"^COPY (.+)$", BUILD, re.MULTILINE):
        *paths, target = line.split()
        for path in paths:
            if (ROOT / path).is_dir():
                shutil.copytree(ROOT / path, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / path, source / target)

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=source, check=True, capture_output=True
    )

    assert list((source / "dist").glob("*.whl"))


def test_everything_from_an_index_is_installed_by_its_hash() -> None:
    installed = re.findall(r"pip install (.+?)(?: \\)?$", DOCKERFILE, re.MULTILINE)

    assert len(installed) == 3
    for arguments in installed:
        assert "--require-hashes --requirement requirements" in arguments or arguments.endswith("--no-deps /dist/*.whl")


def test_the_container_runs_unprivileged_and_writes_only_to_its_volumes() -> None:
    (container,) = load("nightly.yaml")["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    (user,) = re.findall(r"^USER (\d+)$", FINAL, re.MULTILINE)
    (volumes,) = re.findall(r"^VOLUME \[(.+)\]$", FINAL, re.MULTILINE)

    assert int(user) > 0
    assert container["User"] == user
    assert f"--uid {user}" in FINAL
    assert {volume.strip('" ') for volume in volumes.split(",")} == {
        mount["ContainerPath"] for mount in container["MountPoints"]
    }
    assert "PYTHONDONTWRITEBYTECODE=1" in FINAL
    assert "XDG_STATE_HOME=/var/lib" in FINAL


def test_a_scan_writes_nothing_but_its_journal_and_what_is_temporary(tmp_path: Path) -> None:
    home, state, temporary = (tmp_path / name for name in ("home", "state", "tmp"))
    for folder in (home, state, temporary):
        folder.mkdir()
    variables = {"XDG_STATE_HOME": str(state), "TMPDIR": str(temporary), "HOME": str(home)}

    ended = chimeaudit("scan", "--demo", "--regions", "eu-central-1", "-o", "json:-", home=home, variables=variables)

    assert ended.report["findings"]
    assert not list(home.iterdir())
    assert not list(temporary.iterdir())
    assert [path.name for path in state.iterdir()] == ["chimeaudit"]
