"""Runs the command as a user does: a process of its own, its exit code, what it prints, what it leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import preloaded

CHIMEAUDIT = str(Path(sys.executable).with_name("chimeaudit"))


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

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
        """Those of the report."""
        assert "Traceback" not in self.stderr
        found: list[dict[str, Any]] = self.report["coverage"]["gaps"]
        return found

    @property
    def error(self) -> str:
        """What a refusal says: one line, and one with a hint."""
        message, hint = self.stderr.splitlines()
        assert message.startswith("error: ")
        assert hint.startswith("hint: ")
        return message


def environment(home: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the surroundings but the PATH, and few retries, so that a dead server is dead soon."""
    return {
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
    """Run it to its end: from a process that has loaded it, unless the variables speak to the interpreter itself."""
    if variables and any(map(_OF_THE_INTERPRETER.match, variables)):
        return installed(*arguments, home=home, variables=variables)
    command = (CHIMEAUDIT, *arguments)
    code, out, err = preloaded.run(command, environment(home, variables), home, seconds=120)
    return Ended(code=code, stdout=out.decode(), stderr=err.decode())


def installed(*arguments: str, home: Path, variables: Mapping[str, str] | None = None) -> Ended:
    """The same as its users start it."""
    return started(CHIMEAUDIT, *arguments, home=home, variables=variables)


def started(*command: str, home: Path, variables: Mapping[str, str] | None = None) -> Ended:
    """Any command, in a process of its own."""
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
