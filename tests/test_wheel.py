"""The installed wheel works without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import once
from tests.command import environment

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, unpacked as by an installation."""
    return once.folder(tmp_path_factory, "wheel", build) / "site"


def build(target: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target / "site")


def test_the_wheel_has_rules_reports_and_botocore_data(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}

    assert "scanner/rules/fallback/last-processor-fails-open.yaml" in names
    assert "scanner/reports/schema/report-1.1.json" in names
    assert any(name.startswith("scanner/reports/html/") for name in names)
    assert sum(name.endswith(".sdk-extras.json") for name in names) == 4
    assert "scanner/simulator/demo.yaml" in names
    assert "scanner/py.typed" in names  # what the classifier "Typing :: Typed" promises
    assert "scanner/history/migrations/versions/0001_runs_and_findings.py" in names


def test_the_wheel_scans(unpacked: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "scanner", "scan", "--demo", "--regions", "eu-central-1", "-o", "report.html"],
        env=environment(tmp_path, {"PYTHONPATH": str(unpacked)}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1, ended.stderr
    assert (tmp_path / "report.html").exists()
