"""README says what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from scanner.errors import ChimeauditError
from scanner.gate import ExitCode
from tests.command import chimeaudit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_printed_scan_is_what_the_command_prints(tmp_path: Path) -> None:
    match = re.search(r"<!-- printed by: chimeaudit (.*?) -->\n```text\n(.*?)```", README, re.DOTALL)
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
    for page in (README, *((ROOT / "docs" / name).read_text() for name in ("architecture.md", "check.md", "ci.md"))):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page):
            assert (ROOT / link).exists() or (ROOT / "docs" / link).exists(), link
