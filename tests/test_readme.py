"""What README and the documentation say is true."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from scanner.errors import ChimeauditError
from scanner.outcome.gate import ExitCode
from tests.command import chimeaudit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SCANNING = (ROOT / "docs/scan.md").read_text()


def test_the_printed_scan_is_what_the_command_prints(tmp_path: Path) -> None:
    match = re.search(r"<!-- printed by: chimeaudit (.*?) -->\n```text\n(.*?)```", SCANNING, re.DOTALL)
    assert match

    ended = chimeaudit(*shlex.split(match[1]), home=tmp_path, variables={"COLUMNS": "110"})

    assert ended.code == 1, ended.stderr
    summary = ended.stderr.partition("The journal is in ")[2].partition("\n")[2]
    assert f"{ended.stdout}{summary}".strip("\n").split("\n") == match[2].strip("\n").split("\n")


def test_every_exit_code_is_documented() -> None:
    kinds: list[type[ChimeauditError]] = [ChimeauditError, *ChimeauditError.__subclasses__()]
    codes = {kind.exit_code for kind in kinds} | {int(code) for code in ExitCode}

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)} == codes


def test_every_link_to_a_file_leads_somewhere() -> None:
    """On GitHub; tests/test_docs.py checks those of the site, and so those of docs/."""
    for page in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
            assert (ROOT / page).parent.joinpath(link).exists(), (page, link)


@pytest.mark.parametrize("page", ["README.md", "docs/scan.md", "docs/nightly.md"])
def test_every_option_that_is_shown_exists(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text().replace("\\\n", " ")
    shown = re.findall(r"^ {4,}chimeaudit ((?:iam )?[a-z]+)(.*)$", text, re.MULTILINE)

    assert shown
    for command, rest in shown:
        helped = chimeaudit(*command.split(), *(["policy"] if command == "iam" else []), "--help", home=tmp_path)
        assert helped.code == 0, command
        assert set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest.partition("#")[0])) <= set(
            re.findall(r"--?[a-z][a-z-]*", helped.stdout)
        )


def test_every_policy_that_is_shown_is_one() -> None:
    policies = re.findall(r"```json\n(.*?)```", (ROOT / "docs/nightly.md").read_text(), re.DOTALL)

    assert len(policies) == 3
    for policy in map(json.loads, policies):
        assert all(statement.keys() == {"Effect", "Action", "Resource"} for statement in policy["Statement"])


def test_every_path_that_contributors_are_led_to_exists() -> None:
    guide, architecture = ((ROOT / page).read_text() for page in ("CONTRIBUTING.md", "docs/architecture.md"))
    paths = re.findall(r"`((?:benchmarks|docs|reports|rules|scanner|tests)/[^`<*]*)`", guide + architecture)
    modules = re.findall(r"`((?:[a-z_]+\.)+(?!yaml|toml)[a-z_]+)`", architecture)

    assert paths
    assert modules
    named = (*paths, *(f"scanner/{name.replace('.', '/')}.py" for name in modules))
    assert [path for path in named if not (ROOT / path).exists()] == []
