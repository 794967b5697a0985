"""The shell of pipelines, run as their runners run it."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.command import Ended, environment

ROOT = Path(__file__).parent.parent.parent
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell"""


def load(name: str) -> Any:
    """A YAML file of the repository."""
    return yaml.safe_load((ROOT / name).read_text())


def run(shell: Sequence[str], script: str, *, home: Path, variables: Mapping[str, str]) -> Ended:
    """Run a script. pip takes what it needs from the libraries that are here, and asks no index."""
    own = {
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # which pip reads as: no isolation
        "PYTHONWARNINGS": "default",
    }
    ended = subprocess.run(
        [*shell, "-c", script],
        env=environment(home, {**own, **variables}),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)
