"""Runs the shell of pipelines as their runners do."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
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


def python(home: Path) -> Path:
    """A runner's Python in `home`. The virtual environments that it makes see the libraries installed here."""
    wrapper = home.with_name(f"{home.name}-image") / "python"
    wrapper.parent.mkdir(exist_ok=True)
    here = f"lib/python{sysconfig.get_python_version()}/site-packages/here.pth"
    draft = wrapper.with_name(f"python.{os.getpid()}")
    draft.write_text(
        f"""#!/bin/sh
        {shlex.quote(sys.executable)} "$@" || exit
        for last; do :; done
        case " $* " in *" -m venv "*) echo {shlex.quote(sysconfig.get_path("purelib"))} > "$last/{here}" ;; esac
        """
    )
    draft.chmod(0o755)
    draft.replace(wrapper)  # in one step, since another worker may be running it
    return wrapper


def run(shell: Sequence[str], script: str, *, home: Path, variables: Mapping[str, str]) -> Ended:
    """Run a script. pip uses the libraries installed here, and no index."""
    own = {
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads 0 as: no isolation
        "PYTHONWARNINGS": "default",
    }
    given = environment(home, {**own, **variables})
    ended = subprocess.run(
        [*shell, "-c", script],
        env={**given, "PATH": f"{python(home).parent}:{given['PATH']}"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)
