"""action.yml: its shell steps run; what only GitHub can run is linted."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.answers import error
from tests.ci.action import ACTION, AUDIT, END, INSTALL, STEPS, Action, contexts, step
from tests.ci.linting import check_jsonschema, zizmor
from tests.ci.shell import ROOT
from tests.declared.checking import processor as declared
from tests.declared.checking import request, write
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor

BAD = request(declared(FallbackAction="CONTINUE"))
OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
HOSTILE = [
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "'\" && touch pwned #",
    "--version",
    "-h",
    "a\ntouch pwned",
]
BY_LINE = {"rules", "args", "paths", "exclude"}
FLAGS = {"org", "allow-gaps"}
NOT_FOR_THE_COMMAND = {"command", "upload-sarif", "category"}


def test_a_bad_file_fails_with_its_reports_annotations_and_summary(action: Action, tmp_path: Path) -> None:
    write(tmp_path / "create.json", BAD)

    done = action({"paths": "create.json"})

    sarif = json.loads(Path(done.outputs["sarif"]).read_text())
    report = json.loads(Path(done.outputs["json"]).read_text())
    assert done.code == 1
    assert done.outputs["exit-code"] == "1"
    assert Path(done.outputs["html"]).stat().st_size
    assert sarif["runs"][0]["results"][0]["ruleId"] == report["findings"][0]["rule_id"] == "last-processor-fails-open"
    assert "\n::error file=create.json,line=" in done.audit.stdout
    assert done.summary.startswith("# chimeaudit\n")


def test_a_good_file_passes_and_the_working_directory_is_judged_where_nothing_is_named(
    action: Action, tmp_path: Path
) -> None:
    write(tmp_path / "create.json", request())

    done = action({})

    assert (done.code, done.outputs["exit-code"]) == (0, "0")
    assert "::error" not in done.audit.stdout


def test_inputs_become_options(action: Action, tmp_path: Path) -> None:
    write(tmp_path / "a file.json", BAD)
    write(tmp_path / "-o=b.json", BAD)

    done = action({"paths": "a file.json\n\n  -o=b.json\n", "fail-on": "critical", "args": "--no-github\n-v"})

    report = json.loads(Path(done.outputs["json"]).read_text())
    assert done.code == 0
    assert report["scope"]["files"] == ["-o=b.json", "a file.json"]
    assert report["run"]["options"]["fail_on"] == "critical"
    assert not done.summary


def test_a_scan_ends_with_the_code_of_the_scan(action: Action, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    failing = action({"command": "scan"}, **aws.variables)
    aws.inventory = {}
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.region == "eu-central-1" else None]
    incomplete = action({"command": "scan"}, **aws.variables)
    allowed = action({"command": "scan", "allow-gaps": "true"}, **aws.variables)

    assert [done.code for done in (failing, incomplete, allowed)] == [1, 3, 0]
    assert "::error title=last-processor-fails-open" in failing.audit.stdout
    assert "**Coverage is NOT complete**" in incomplete.summary


def test_a_usage_error_is_2_and_nothing_is_uploaded(action: Action) -> None:
    for inputs in (
        {"paths": "missing.json", "fail-on": "no"},
        {"command": "rules"},
        {"org": "yes"},
        {"paths": "a\n--", "command": "scan"},
    ):
        done = action(inputs)

        assert done.code == 2, inputs
        assert "sarif" not in done.outputs
        assert "error" in done.audit.stdout + done.audit.stderr


@pytest.mark.parametrize("value", HOSTILE)
def test_no_input_is_shell_or_another_option(tmp_path: Path, value: str) -> None:
    temp, workspace = tmp_path / "temp", tmp_path / "workspace"
    stub = temp / "chimeaudit" / "bin" / "python"
    for folder in (stub.parent, workspace):
        folder.mkdir(parents=True)
    stub.write_text(f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open('argv.json', 'w'))\n")
    stub.chmod(0o755)
    texts = ACTION["inputs"].keys() - NOT_FOR_THE_COMMAND

    done = Action(temp=temp, workspace=workspace)(dict.fromkeys(texts, value))

    given = json.loads((workspace / "argv.json").read_text())
    options, files = given[: given.index("--")], given[given.index("--") + 1 :]
    assert done.code == 0
    assert [path.name for path in workspace.iterdir()] == ["argv.json"]
    assert files == value.split("\n")
    for name in texts - BY_LINE:
        assert f"--{name}={value}" in options
    assert options[-len(files) :] == value.split("\n"), "args alone are taken as they are"


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_command_is_refused_and_not_repeated(action: Action, tmp_path: Path, value: str) -> None:
    done = action({"command": value})

    assert done.code == 2
    assert "pwned" not in done.audit.stdout + done.audit.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [each for each in HOSTILE if "\n" not in each])
def test_hostile_paths_are_refused_with_an_error(action: Action, tmp_path: Path, value: str) -> None:
    done = action({"paths": value})

    assert done.code == 2
    assert f"error: {value}: found nothing" in done.audit.stderr
    assert not list(tmp_path.iterdir())


def test_an_audit_that_never_began_is_a_fault(tmp_path: Path) -> None:
    assert step(END, tmp_path, {}, contexts(tmp_path, {}, {})).code == 70


def test_only_libraries_of_the_locks_are_installed() -> None:
    """The fixture has run this step with locks that name none, since other versions may be here."""
    *locked, own = re.findall("^pip (.+)$", INSTALL["run"], re.MULTILINE)

    assert all("--require-hashes" in each for each in locked)
    assert set(re.findall(r"\$SOURCE/([\w/.-]+)", " ".join(locked))) == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "deploy").glob("*.txt")
    }
    assert own == '--no-deps --no-build-isolation "$SOURCE"'


def test_the_upload_comes_between_the_audit_and_the_end() -> None:
    order = [step.get("id") or step.get("uses", "").partition("@")[0] or step["name"] for step in STEPS]

    assert order[-3:] == ["audit", "github/codeql-action/upload-sarif", END["name"]]
    assert END["if"] == "${{ !cancelled() }}"


def test_no_expression_stands_in_shell_and_every_input_is_used() -> None:
    text = (ROOT / "action.yml").read_text()

    assert not [step["name"] for step in STEPS if "${{" in step.get("run", "")]
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert ACTION["inputs"].keys() - NOT_FOR_THE_COMMAND <= {name.lower().replace("_", "-") for name in AUDIT["env"]}


def test_public_linters_find_nothing() -> None:
    check_jsonschema("vendor.github-actions", ROOT / "action.yml")
    zizmor(ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml")
