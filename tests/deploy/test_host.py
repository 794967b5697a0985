"""The systemd units and the cron line: their commands run here, with paths of the test."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.command import CHIMEAUDIT, environment
from tests.deliver.conftest import Cloud, Run
from tests.demo import SMALL
from tests.deploy.template import DEPLOY

INSTALLED = "/opt/chimeaudit/bin/chimeaudit"
SERVICE = (DEPLOY / "chimeaudit.service").read_text()
CRON = (DEPLOY / "chimeaudit.cron").read_text()
SYSTEMD = shutil.which("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with the path of the installed command."""
    folder = tmp_path / "units"
    folder.mkdir()
    for kind in ("service", "timer"):
        for unit in DEPLOY.glob(f"*.{kind}"):
            (folder / unit.name).write_text(unit.read_text().replace(INSTALLED, CHIMEAUDIT))
    return sorted(folder.iterdir())


def started(service: str, state: Path) -> str:
    """The command of a unit, with `state` as the folder of its state."""
    (start,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", service, re.MULTILINE)
    return str(start).replace("\\\n", " ").replace("%S", str(state))


@pytest.mark.skipif(SYSTEMD is None, reason="there is no systemd-analyze")
def test_systemd_accepts_the_units_and_finds_the_service_well_confined(units: list[Path]) -> None:
    assert SYSTEMD
    verified = subprocess.run([SYSTEMD, "verify", *units], capture_output=True, text=True, check=False)
    services = [unit for unit in units if unit.suffix == ".service"]
    judged = subprocess.run(
        [SYSTEMD, "security", "--offline=true", "--threshold=20", "--no-pager", *services],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


def test_the_service_runs_night_after_night(run: Run, home: Path) -> None:
    (home / "chimeaudit").mkdir()
    program, *arguments = shlex.split(started(SERVICE, home).replace("${EXTERNAL_ID}", "an-external-id"))

    codes = [run(*arguments, *SMALL).code for _ in range(2)]

    assert program == INSTALLED
    assert codes == [1, 0]
    assert "SuccessExitStatus=1 3" in SERVICE
    assert json.loads((home / "chimeaudit" / "latest.json").read_text())["findings"]
    assert "UMask=0077" in SERVICE


@pytest.mark.parametrize("recipe", ["systemd", "cron"])
def test_a_report_that_is_missing_or_older_than_a_night_is_reported(tmp_path: Path, recipe: str) -> None:
    report = tmp_path / "chimeaudit" / "latest.json"
    report.parent.mkdir()
    if recipe == "systemd":
        command = shlex.split(started((DEPLOY / "chimeaudit-overdue.service").read_text(), tmp_path))
    else:
        (line,) = [line for line in CRON.splitlines() if line.startswith("0 12 ")]
        command = ["/bin/sh", "-c", line.split(maxsplit=6)[-1].replace("/var/lib", str(tmp_path))]
    told = []
    for hours in (None, 33, 31):
        if hours is not None:
            report.write_text("{}")
            os.utime(report, (time.time() - hours * 3600,) * 2)
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        said = "chimeaudit: the report is missing, or older than 32 hours\n" in ended.stdout + ended.stderr
        told.append(said if recipe == "cron" else said and ended.returncode == 1)
        assert said or (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

    assert told == [True, True, False]


@pytest.mark.parametrize(("external_id", "said"), [("an-external-id", ""), ("not an id", "exit code 2")])
def test_the_cron_line_says_when_there_was_no_result(cloud: Cloud, tmp_path: Path, external_id: str, said: str) -> None:
    (line,) = [line for line in CRON.splitlines() if line.startswith("0 3 ")]
    *_, user, script = line.split(maxsplit=6)
    (tmp_path / "environment").write_text(f"EXTERNAL_ID={shlex.quote(external_id)}\n")
    for theirs, ours in {
        f"{INSTALLED} scan": shlex.join([CHIMEAUDIT, "scan", *SMALL]),
        "/etc/chimeaudit/environment": str(tmp_path / "environment"),
        "/var/lib/chimeaudit": str(tmp_path),
    }.items():
        script = script.replace(theirs, ours)

    ended = subprocess.run(
        ["/bin/sh", "-c", script],
        env=environment(tmp_path, cloud.aws.environment),
        capture_output=True,
        text=True,
        check=False,
    )

    assert user == "chimeaudit"
    assert "%" not in CRON, "cron would make a line break of it"
    assert ended.returncode == 0
    assert ended.stdout.endswith(f"{said}\n")
    reports = list(tmp_path.glob("latest.*"))
    assert bool(said) != bool(reports)
    assert not any(path.stat().st_mode & 0o077 for path in reports), "a report is for its owner alone"
