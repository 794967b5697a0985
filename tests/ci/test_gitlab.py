"""deploy/ci/gitlab.yml: its script lines run in sh, and the reports are those that GitLab documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.ci.linting import check_jsonschema
from tests.ci.shell import ROOT, load, run
from tests.command import CHIMEAUDIT, Ended
from tests.declared.checking import processor as declared
from tests.declared.checking import request, write
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor
from tests.render.test_gitlab import SCHEMA

FILE = "deploy/ci/gitlab.yml"
TEMPLATE = load(FILE)
OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])


def job(name: str, home: Path, *parts: str, **variables: str) -> Ended:
    """Run a job that extends one of the template, as GitLab's runner does: in one shell, which stops at errors."""
    whole = {**TEMPLATE[".chimeaudit"], **TEMPLATE[name]}
    given = {**TEMPLATE[".chimeaudit"]["variables"], **whole["variables"], **variables}
    path = f"{Path(CHIMEAUDIT).parent}:/usr/bin:/bin"
    lines = [line for part in parts or ("script",) for line in whole[part]]
    return run(("sh", "-e"), "\n".join(lines), home=home, variables={"PATH": path, **given})


def code_quality(home: Path) -> list[dict[str, Any]]:
    found = json.loads((home / "chimeaudit" / "code-quality.json").read_text())
    jsonschema.validate(found, SCHEMA)
    return [each for each in found if each["check_name"] != "coverage"]


def test_a_bad_file_fails_and_stands_in_both_reports(tmp_path: Path) -> None:
    write(tmp_path / "create.json", request(declared(FallbackAction="CONTINUE")))

    ended = job(".chimeaudit-check", tmp_path)

    (found,) = code_quality(tmp_path)
    assert ended.code == 1
    assert found["location"]["path"] == "create.json"
    assert found["severity"] == "critical"
    for report in TEMPLATE[".chimeaudit"]["artifacts"]["reports"].values():
        assert (tmp_path / report).stat().st_size


def test_options_and_paths_are_taken_and_patterns_left_to_chimeaudit(tmp_path: Path) -> None:
    write(tmp_path / "create.json", request(declared(FallbackAction="CONTINUE")))
    write(tmp_path / "other.json", "{}")

    ended = job(
        ".chimeaudit-check", tmp_path, CHIMEAUDIT_OPTIONS="--fail-on critical", CHIMEAUDIT_PATHS="*.json ./create.json"
    )

    assert ended.code == 0, ended.stderr
    assert "Skipped   1 file" in ended.stderr, "named by the shell, other.json would be refused"


@pytest.mark.parametrize("text", ["; touch pwned", "$(touch pwned)", "`touch pwned`"])
def test_variables_are_not_run(tmp_path: Path, text: str) -> None:
    write(tmp_path / "create.json", request())

    ended = job(".chimeaudit-check", tmp_path, CHIMEAUDIT_PATHS=text, CHIMEAUDIT_OPTIONS=text)

    assert ended.code == 2
    assert not (tmp_path / "pwned").exists()


def test_a_scan_at_night(tmp_path: Path, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}

    ended = job(".chimeaudit-scan", tmp_path, CHIMEAUDIT_OPTIONS="--regions us-east-1", **aws.variables)

    (found,) = code_quality(tmp_path)
    assert ended.code == 1
    assert found["location"]["path"] == "rules/fallback/last-processor-fails-open.yaml"


def test_the_version_to_install_must_be_given(tmp_path: Path) -> None:
    unsaid = job(".chimeaudit-check", tmp_path, "before_script", "script")

    assert unsaid.code != 0
    assert "say what to install" in unsaid.stderr


def test_the_template_is_valid() -> None:
    check_jsonschema("vendor.gitlab-ci", ROOT / FILE)
