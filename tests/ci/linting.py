"""Public linters, offline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from check_jsonschema import main
from click.testing import CliRunner

BIN = Path(sys.executable).parent


def check_jsonschema(schema: str, *files: Path) -> None:
    """Check files against a schema in check-jsonschema: SchemaStore's for GitHub's files, GitLab's own."""
    transform = ("--data-transform", "gitlab-ci") if schema == "vendor.gitlab-ci" else ()  # for !reference
    ended = CliRunner().invoke(main, ["--builtin-schema", schema, *transform, *map(str, files)])  # starts in seconds
    assert ended.exit_code == 0, ended.output


def zizmor(*files: Path) -> None:
    """Check workflows for text that becomes shell, actions that are not pinned, and needless permissions."""
    _passes("zizmor", "--offline", "--persona=pedantic", "--no-progress", *map(str, files))


def actionlint(*files: Path) -> None:
    """Check the expressions, inputs and names in workflows."""
    _passes("actionlint", "-no-color", *map(str, files))


def pre_commit(command: str, file: Path) -> None:
    """Run pre-commit's `validate-manifest` or `validate-config`."""
    _passes("pre-commit", command, str(file))


def _passes(tool: str, *arguments: str) -> None:
    ended = subprocess.run([BIN / tool, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
