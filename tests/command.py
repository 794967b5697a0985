"""Runs the command as users do, in its own process, and gives its exit code and what it printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    from tests import preloaded

CHIMEAUDIT = str(Path(sysconfig.get_path("scripts")) / "chimeaudit")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The exit code and the output of a command."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> Any:
        """The JSON report that it printed (``-o json:-``)."""
        assert self.stdout, self.stderr
        return json.loads(self.stdout)

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """The gaps in the report that it printed."""
        assert "Traceback" not in self.stderr
        found: list[dict[str, Any]] = self.report["coverage"]["gaps"]
        return found

    @property
    def error(self) -> str:
        """The error of a command that refused to run: one line, and one with a hint."""
        message, hint = self.stderr.splitlines()
        assert message.startswith("error: ")
        assert hint.startswith("hint: ")
        return message


def environment(home: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment with only the PATH of this one, and with few retries, so that a dead server is noticed soon."""
    of_windows: dict[str, str] = {}
    if sys.platform == "win32":  # where no socket opens without the first, and the second is what HOME is elsewhere
        of_windows = {"SYSTEMROOT": os.environ["SYSTEMROOT"], "USERPROFILE": str(home), "PYTHONUTF8": "1"}
    return {
        **of_windows,
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONWARNINGS": "error",
        **(variables or {}),
    }


_OF_THE_INTERPRETER = re.compile("PYTHON|LC_|LANG|TZ")


def chimeaudit(*arguments: str, home: Path, variables: Mapping[str, str] | None = None) -> Ended:
    """Run chimeaudit to its end: forked from a process that has loaded it, unless variables affect the interpreter."""
    if sys.platform != "win32" and not any(map(_OF_THE_INTERPRETER.match, variables or ())):
        command = (CHIMEAUDIT, *arguments)
        code, out, err = preloaded.run(command, environment(home, variables), home, seconds=120)
        return Ended(code=code, stdout=out.decode(), stderr=err.decode())
    return installed(*arguments, home=home, variables=variables)


def installed(*arguments: str, home: Path, variables: Mapping[str, str] | None = None) -> Ended:
    """Run chimeaudit by its installed script, as users do."""
    return started(CHIMEAUDIT, *arguments, home=home, variables=variables)


def started(*command: str, home: Path, variables: Mapping[str, str] | None = None) -> Ended:
    """Run any command in a new process."""
    ended = subprocess.run(
        command,
        env=environment(home, variables),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)
