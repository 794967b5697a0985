"""An independent evaluator of IAM policies, npm's @cloud-copilot/iam-simulate, where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import installed


def required() -> None:
    """Skip the test if the evaluator is not installed."""
    installed.folder("IAM_SIMULATE", "installs @cloud-copilot/iam-simulate")
    if not shutil.which("node"):
        pytest.skip("needs node")


def allowed(cases: list[dict[str, Any]]) -> list[bool]:
    """Whether each request is allowed; iam_simulate.mjs says what a case holds."""
    run = subprocess.run(
        ["node", str(Path(__file__).with_name("iam_simulate.mjs"))],
        input=json.dumps(cases),
        capture_output=True,
        check=True,
        text=True,
        timeout=300,
    )
    answers: list[bool] = json.loads(run.stdout)
    return answers
