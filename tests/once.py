"""What is made once in a run of the tests, by whichever worker needs it first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import portalocker
import pytest


def folder(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], None]) -> Path:
    """The folder of that name, which all workers share; the first fills it, and tests leave it as it is."""
    base = factory.getbasetemp()
    top = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made, filled = top / name, top / f"{name}.filled"
    with (top / f"{name}.lock").open("w") as lock:
        portalocker.lock(lock, portalocker.LockFlags.EXCLUSIVE)
        if not filled.exists():
            shutil.rmtree(made, ignore_errors=True)  # what a failure left
            made.mkdir()
            fill(made)
            filled.touch()
    return made
