"""The run of `scan --demo` that many tests look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from tests.command import Ended, chimeaudit

SMALL = ("--regions", "eu-central-1")
"""A region where the demo has three app instances, of which all is seen; a scan takes a fifth of the time."""


@dataclass(frozen=True)
class Demo:
    """How it ended, and the folder with its reports ``out/report.json`` and ``out/report.html``, and its run."""

    home: Path

    @cached_property
    def ended(self) -> Ended:
        return msgspec.json.decode((self.home / "ended.json").read_bytes(), type=Ended)

    @cached_property
    def report(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.home / "out/report.json").read_text())
        return read

    @property
    def run(self) -> Path:
        """The run directory."""
        (only,) = (self.home / "state/chimeaudit/runs").iterdir()
        return only


def scan(home: Path) -> None:
    """Scan the demo organisation in a folder, and note how it ended."""
    ended = chimeaudit("scan", "--demo", "-o", "out/report.html", "-o", "out/report.json", home=home)
    (home / "ended.json").write_bytes(msgspec.json.encode(ended))
