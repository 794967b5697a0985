"""Runs the shell steps of action.yml as GitHub's runner does; steps that use other actions are skipped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ci.shell import BASH, ROOT, load, python, run
from tests.command import Ended

ACTION = load("action.yml")
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
INSTALL, AUDIT, END = (step for step in STEPS if "run" in step)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How the audit's step and the whole action ended, and the outputs that a workflow sees."""

    audit: Ended
    code: int
    outputs: dict[str, str]
    summary: str


@dataclass(frozen=True, kw_only=True)
class Action:
    """The installed action, in a job whose working directory is `workspace`."""

    temp: Path
    workspace: Path

    def __call__(self, inputs: Mapping[str, str], **variables: str) -> Done:
        files = {name: self.workspace.parent / f"{self.workspace.name}-{name}" for name in ("output", "summary")}
        for file in files.values():
            file.write_text("")
        on_github = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "RUNNER_TEMP": str(self.temp),
            **variables,
        }
        audit = step(AUDIT, self.workspace, on_github, contexts(self.temp, inputs, {}))
        assert audit.code == 0, audit.stderr
        outputs = dict(line.split("=", 1) for line in files["output"].read_text().splitlines())
        ended = step(END, self.workspace, on_github, contexts(self.temp, inputs, outputs))
        return Done(audit=audit, code=ended.code, outputs=outputs, summary=files["summary"].read_text())


def install(temp: Path, workspace: Path) -> None:
    """Run the step that installs chimeaudit, beside the libraries that are here, whatever their versions."""
    source = temp.with_name(f"{temp.name}-source")
    for name in ("scanner", "rules", "reports"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "deploy").mkdir()
    for lock in (ROOT / "deploy").glob("*.txt"):
        (source / "deploy" / lock.name).write_text("# none\n")
    on_github = {"RUNNER_TEMP": str(temp), "PYTHONPATH": "."}
    ended = step(INSTALL, workspace, on_github, {**contexts(temp, {}, {}), "github.action_path": str(source)})
    assert ended.code == 0, ended.stderr


def step(of: Mapping[str, Any], home: Path, variables: Mapping[str, str], known: Mapping[str, str]) -> Ended:
    """Run one step, with the expressions in its `env` resolved."""
    own = {name: evaluate(value, known) for name, value in of.get("env", {}).items()}
    return run(BASH, of["run"], home=home, variables={**variables, **own})


def contexts(temp: Path, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
    """The values that expressions in `env` may name."""
    declared = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
    assert inputs.keys() <= declared.keys()
    return {
        **{f"inputs.{name}": value for name, value in {**declared, **inputs}.items()},
        "steps.audit.outputs.exit-code": outputs.get("exit-code", ""),
        "steps.python.outputs.python-path": str(python(temp)),
        "runner.temp": str(temp),
    }


def evaluate(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: known[match[1]], text)
