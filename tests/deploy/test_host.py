"""The systemd units and the cron line: what they run is run here, with the paths of the test in place of theirs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import CHIMEAUDIT, environment
from tests.deliver.conftest import Cloud, Run
from tests.deploy.template import DEPLOY

INSTALLED = "/opt/chimeaudit/bin/chimeaudit"
SERVICE = (DEPLOY / "chimeaudit.service").read_text()
CRON = (DEPLOY / "chimeaudit.cron").read_text()
SYSTEMD = shutil.which("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with the command where it is installed."""
    folder = tmp_path / "units"
    folder.mkdir()
    for name in ("chimeaudit.service", "chimeaudit.timer"):
        (folder / name).write_text((DEPLOY / name).read_text().replace(INSTALLED, CHIMEAUDIT))
    return sorted(folder.iterdir())


@pytest.mark.skipif(SYSTEMD is None, reason="there is no systemd-analyze")
def test_systemd_takes_the_units_and_finds_the_service_well_confined(units: list[Path]) -> None:
    assert SYSTEMD
    verified = subprocess.run([SYSTEMD, "verify", *units], capture_output=True, text=True, check=False)
    judged = subprocess.run(
        [SYSTEMD, "security", "--offline=true", "--threshold=20", "--no-pager", units[0]],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


def test_the_service_runs_night_after_night(run: Run, home: Path) -> None:
    (home / "chimeaudit").mkdir()
    (start,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", SERVICE, re.MULTILINE)
    line = start.replace("\\\n", " ").replace("%S", str(home)).replace("${EXTERNAL_ID}", "an-external-id")
    program, *arguments = shlex.split(line)

    codes = [run(*arguments, "--regions", "us-east-1").code for _ in range(2)]

    assert program == INSTALLED
    assert codes == [1, 3]
    assert "SuccessExitStatus=1 3" in SERVICE
    assert json.loads((home / "chimeaudit" / "latest.json").read_text())["findings"]


@pytest.mark.parametrize(("external_id", "said"), [("an-external-id", ""), ("not an id", "exit code 2")])
def test_the_cron_line_says_when_there_was_no_result(cloud: Cloud, tmp_path: Path, external_id: str, said: str) -> None:
    (line,) = [line for line in CRON.splitlines() if line.startswith("0 3 ")]
    *_, user, script = line.split(maxsplit=6)
    (tmp_path / "environment").write_text(f"EXTERNAL_ID={shlex.quote(external_id)}\n")
    for theirs, ours in {
        INSTALLED: CHIMEAUDIT,
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
    assert "%" not in script, "cron would make a line break of it"
    assert ended.returncode == 0
    assert ended.stdout.endswith(f"{said}\n")
    assert bool(said) != (tmp_path / "latest.json").exists()
