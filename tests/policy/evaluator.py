"""An independent evaluator of IAM policies, npm's @cloud-copilot/iam-simulate, where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def required() -> None:
    """Skip the test if the evaluator is not installed; in CI it must be."""
    if not (shutil.which("node") and os.environ.get("IAM_SIMULATE")):
        missing = "needs node, and the folder in IAM_SIMULATE into which .ci/run installs @cloud-copilot/iam-simulate"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


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
