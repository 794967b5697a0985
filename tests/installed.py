"""What .ci/run installs beside the project, for tests; in CI on Linux a skip is a failure (conftest.py)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def folder(variable: str, what: str) -> Path:
    """The folder that an environment variable names; the test is skipped without it. `what` .ci/run puts there."""
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"needs the folder in {variable} into which .ci/run {what}")
    return Path(named)
