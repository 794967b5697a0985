"""The files in .github pass public linters, and the shell in them does what it should."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.linting import actionlint, check_jsonschema, zizmor
from tests.ci.shell import BASH, ROOT, run
from tests.command import Ended

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
JOBS: dict[str, dict[str, Any]] = {
    f"{file.stem}: {name}": job for file in WORKFLOWS for name, job in yaml.safe_load(file.read_text())["jobs"].items()
}


def test_linters_find_nothing() -> None:
    actionlint(*WORKFLOWS)
    zizmor(GITHUB)
    check_jsonschema("vendor.github-workflows", *WORKFLOWS)
    check_jsonschema("vendor.dependabot", GITHUB / "dependabot.yml")
    forms = GITHUB / "ISSUE_TEMPLATE"
    check_jsonschema("vendor.github-issue-config", forms / "config.yml")
    check_jsonschema("vendor.github-issue-forms", *(form for form in forms.glob("*.yml") if form.stem != "config"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_nothing_but_what_its_jobs_ask_for(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())

    assert workflow["permissions"] == {}
    assert "pull_request_target" not in workflow[True]  # YAML reads `on` as true
    assert all("uses" in job or job["timeout-minutes"] for job in workflow["jobs"].values())


def test_writing_is_only_allowed_to_releases() -> None:
    writing = {
        (job, *(name for name, level in allowed["permissions"].items() if level == "write"))
        for job, allowed in JOBS.items()
        if "write" in allowed["permissions"].values()
    }

    assert writing == {
        ("release: attest", "attestations", "id-token"),
        ("release: pypi", "id-token"),
        ("release: image", "attestations", "id-token", "packages"),
        ("release: release", "contents"),
    }


@pytest.mark.parametrize("job", ["pypi", "image"])
def test_nothing_is_published_before_it_was_tested_built_and_attested(job: str) -> None:
    assert set(JOBS[f"release: {job}"]["needs"]) == {"tests", "build", "attest"}
    assert JOBS["release: tests"]["uses"].endswith("/workflows/ci.yml")


def test_an_image_that_a_job_runs_is_pinned_and_taken_from_no_cache() -> None:
    steps = [step for job in JOBS.values() for step in job.get("steps", ()) if "docker/setup-" in step.get("uses", "")]

    assert len(steps) == 2
    for step_ in steps:
        image = step_["with"].get("image") or step_["with"]["driver-opts"].removeprefix("image=")
        assert re.fullmatch(r"[\w/]+:[\w.-]+@sha256:[0-9a-f]{64}", image)
        assert [on for name, on in step_["with"].items() if name.startswith("cache-")] == [False]


def test_an_action_is_pinned_to_one_commit_everywhere() -> None:
    pins: defaultdict[str, set[str]] = defaultdict(set)
    for file in (*WORKFLOWS, ROOT / "action.yml", ROOT / "docs" / "ci.md"):
        for action, pin in re.findall(r"uses: (?!OWNER)([\w/-]+)@(.*)", file.read_text()):
            pins[action].add(pin)

    assert len(pins) > 10
    for found in pins.values():
        (pin,) = found
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin)


def test_every_python_that_is_supported_is_tested_on_linux() -> None:
    matrix = JOBS["ci: linux"]["strategy"]["matrix"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert matrix["python"] == re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    assert project["requires-python"] == f">={matrix['python'][0]}"
    assert matrix["include"] == [{"python": "3.11", "what": "all"}]


def test_the_unit_tests_leave_out_what_exists(tmp_path: Path) -> None:
    """A folder that was renamed would be left out no longer."""
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"')
    (tmp_path / "python").chmod(0o755)

    ended = run(BASH, f"{ROOT}/.ci/unit {tmp_path}/python", home=tmp_path, variables={})

    assert ended.code == 0, ended.stderr
    ignored = re.findall("--ignore=(.+)", ended.stdout)
    assert len(ignored) > 10
    assert [path for path in ignored if not (ROOT / path).exists()] == []


def step(job: str, name: str, home: Path, **variables: str) -> tuple[Ended, str]:
    """Run a step of a job as its runner does; return how it ended, and its outputs."""
    (found,) = (each for each in JOBS[job]["steps"] if each.get("name") == name)
    assert variables.keys() >= found.get("env", {}).keys()
    output = home / "output"
    output.touch()
    ended = run(BASH, found["run"], home=home, variables={"GITHUB_OUTPUT": str(output), **variables})
    return ended, output.read_text()


def program(home: Path, name: str) -> str:
    """A PATH on which a program of this name prints its arguments."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text('#!/bin/sh\nprintf "%s\\n" "$@"')
    (folder / name).chmod(0o755)
    return f'PATH="{folder}:$PATH"'


@pytest.mark.parametrize(("version", "prerelease"), [("1.2.3", "false"), ("1.2.3rc1", "true")])
def test_a_release_knows_its_version_and_whether_another_follows(tmp_path: Path, version: str, prerelease: str) -> None:
    for name in (".ci", "scanner"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / ".ci" / "release.py", tmp_path / ".ci")
    (tmp_path / "scanner" / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {version} - 2026-12-01\n\n- A rule\n")

    ended, output = step("release: build", "Check that version, tag and CHANGELOG agree", tmp_path, TAG=f"v{version}")

    assert ended.code == 0, ended.stderr
    assert output.splitlines() == [f"version={version}", f"prerelease={prerelease}"]
    assert (tmp_path / "out/release/notes.md").read_text() == "- A rule\n"


def test_the_image_has_the_name_that_the_registry_accepts(tmp_path: Path) -> None:
    ended, output = step("release: image", "Name the image", tmp_path, GITHUB_REPOSITORY="Chime/Audit")

    assert (ended.code, output) == (0, "image=ghcr.io/chime/audit\n")


def test_the_image_is_tried_on_both_architectures_and_signed_by_its_digest(tmp_path: Path) -> None:
    steps = {each.get("name"): each for each in JOBS["release: image"]["steps"]}
    path = (program(tmp_path, "docker"), program(tmp_path, "cosign"))
    script = "\n".join((*path, steps["Try the image"]["run"], steps["Sign the image"]["run"]))

    ended = run(BASH, script, home=tmp_path, variables={"IMAGE": "ghcr.io/chime/audit", "DIGEST": "sha256:1"})

    image = "ghcr.io/chime/audit@sha256:1"
    tries = [f"run --rm --pull always --platform linux/{each} {image} rules test" for each in ("amd64", "arm64")]
    assert " ".join(ended.stdout.split()) == " ".join((*tries, f"sign --yes --recursive {image}"))


def test_the_release_holds_every_file(tmp_path: Path) -> None:
    files = ("dist/a.tar.gz", "dist/a.whl", "release/a.cdx.json", "release/notes.md")
    for name in files:
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).touch()
    (make,) = (each for each in JOBS["release: release"]["steps"] if "run" in each)
    script = f"{program(tmp_path, 'gh')}\n{make['run']}"

    variables = {"TAG": "v1.2.3", "PRERELEASE": "false", "GITHUB_REPOSITORY": "Chime/Audit"}
    ended = run(BASH, script, home=tmp_path, variables=variables)

    arguments = ended.stdout.splitlines()
    assert arguments[:5] == ["release", "create", "v1.2.3", "--repo", "Chime/Audit"]
    assert "--prerelease=false" in arguments
    assert arguments[-4:] == ["files/release/notes.md", *(f"files/{name}" for name in files[:3])]
