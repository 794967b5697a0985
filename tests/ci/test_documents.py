"""The pipelines in docs/ci.md and README pass linters, and use inputs that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.action import ACTION
from tests.ci.linting import check_jsonschema, pre_commit, zizmor
from tests.ci.shell import ROOT, load

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Loader(yaml.SafeLoader):
    """A loader that accepts GitLab's `!reference`."""


def _reference(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_Loader.add_constructor("!reference", _reference)


def blocks(name: str) -> list[str]:
    """The YAML blocks of a page, with a commit in place of the word that stands for one."""
    found = re.findall(r"```yaml\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)
    return [block.replace("COMMIT", COMMIT) for block in found]


def with_key(key: str) -> list[str]:
    """The blocks of docs/ci.md with a key at their top level."""
    return [block for block in blocks("docs/ci.md") if key in yaml.load(block, _Loader)]  # noqa: S506 - a safe loader


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def steps_of_the_action(text: str) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(text)["jobs"].values()
    return [step for job in jobs for step in job["steps"] if "OWNER/chimeaudit@" in step.get("uses", "")]


@pytest.mark.parametrize("text", with_key("jobs"))
def test_a_workflow_is_valid_and_safe_and_its_inputs_exist(tmp_path: Path, text: str) -> None:
    workflow = written(tmp_path, ".github/workflows/chimeaudit.yml", text)

    check_jsonschema("vendor.github-workflows", workflow)
    zizmor(workflow)
    (step,) = steps_of_the_action(text)
    assert step["with"].keys() <= ACTION["inputs"].keys()


def test_both_commands_are_shown() -> None:
    shown = [step["with"].get("command", "check") for text in with_key("jobs") for step in steps_of_the_action(text)]

    assert shown == ["check", "scan"]


def test_every_input_and_output_is_documented() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()

    for name in (*ACTION["inputs"], *ACTION["outputs"]):
        assert f"`{name}`" in page


def test_the_gitlab_pipeline_is_valid_and_extends_existing_jobs(tmp_path: Path) -> None:
    (text,) = with_key("include")
    jobs = yaml.load(text, _Loader)  # noqa: S506 - a safe loader

    check_jsonschema("vendor.gitlab-ci", written(tmp_path, ".gitlab-ci.yml", text))
    used = {job["extends"] for job in jobs.values() if "extends" in job}
    assert used == {".chimeaudit-check", ".chimeaudit-scan"} <= load("deploy/ci/gitlab.yml").keys()


def test_the_hook_in_the_documentation_is_valid_and_exists(tmp_path: Path) -> None:
    (text,) = with_key("repos")
    (hook,) = yaml.safe_load(text)["repos"][0]["hooks"]

    pre_commit("validate-config", written(tmp_path, ".pre-commit-config.yaml", text))
    assert hook["id"] in [each["id"] for each in load(".pre-commit-hooks.yaml")]
    assert hook["args"][-1] == "--"


def test_the_inputs_in_the_readme_exist() -> None:
    (text,) = (block for block in blocks("README.md") if "OWNER/chimeaudit@" in block)

    (step,) = yaml.safe_load(text)
    assert step["with"].keys() <= ACTION["inputs"].keys()
