"""Completion with TAB, in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from scanner import resources
from tests.command import CHIMEAUDIT, chimeaudit, environment
from tests.posix import mkfifo, openpty

LINES = {
    "chimeaudit che": "chimeaudit check",
    "chimeaudit scan --select missing-lambda,topic:fal": "chimeaudit scan --select missing-lambda,topic:fallback",
    "chimeaudit scan --select=profile:av": "chimeaudit scan --select=profile:availability",
    "chimeaudit check -o json:out": "chimeaudit check -o json:outcome/",
    "chimeaudit check templ": "chimeaudit check template.yaml",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder to complete in, and the command on the PATH."""
    (tmp_path / "outcome").mkdir()
    (tmp_path / "template.yaml").touch()
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nregion = us-east-1\n[profile nightly]\nregion = us-east-1\n")
    return tmp_path


def variables(home: Path) -> dict[str, str]:
    path = os.pathsep.join((str(Path(CHIMEAUDIT).parent), os.environ["PATH"]))
    return environment(home, {"PATH": path, "TERM": "dumb", "LC_ALL": "C.UTF-8"})


def typed(shell: list[str], loads: str, lines: Mapping[str, str], home: Path) -> list[str]:
    """Each line as it is after TAB in an interactive shell."""
    keys = "".join(f"{line}\t\x01echo RESULT \n" for line in lines)
    terminal, other = openpty()
    process = subprocess.Popen(
        shell, stdin=other, stdout=other, stderr=other, env=variables(home), cwd=home, start_new_session=True
    )
    os.close(other)
    os.write(terminal, f"{loads}\n{keys}exit\n".encode())
    shown = b""
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:  # on Linux: the other side has ended
        pass
    finally:
        os.close(terminal)
        process.wait(60)
    return [line[7:].strip() for line in shown.decode().splitlines() if line.startswith("RESULT ")]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes(home: Path) -> None:
    loads = 'eval "$(_CHIMEAUDIT_COMPLETE=bash_source chimeaudit)"'

    found = typed(["bash", "--norc", "--noprofile", "-i"], loads, LINES, home)

    assert found == list(LINES.values())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes(home: Path) -> None:
    loads = 'eval "$(_CHIMEAUDIT_COMPLETE=zsh_source chimeaudit)"'

    found = typed(["zsh", "-f", "-i"], loads, LINES, home)

    assert found == list(LINES.values())


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(home: Path) -> None:
    asked = "; ".join(f"complete -C '{line}'" for line in LINES)
    ended = subprocess.run(
        ["fish", "--no-config", "-c", f"_CHIMEAUDIT_COMPLETE=fish_source chimeaudit | source; {asked}"],
        env=variables(home),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    found = {line.partition("\t")[0] for line in ended.stdout.splitlines()}
    assert {line.rpartition(" ")[2] for line in LINES.values()} <= found, ended.stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("chimeaudit ", {"scan", "check", "report", "diff", "history", "rules", "iam"}),
        ("A=b chimeaudit rules sho", {"show"}),
        ("chimeaudit scan --allow-no", {"--allow-no-baseline"}),
        ("chimeaudit rules show missing-l", {"missing-lambda"}),
        ("chimeaudit scan --select missing-l", {"missing-lambda"}),
        ("chimeaudit scan --select fra", {"framework:"}),
        ("chimeaudit iam policy --select severity:", {f"severity:{each}" for each in ("high", "critical")}),
        ("chimeaudit rules show --rules ours.yaml o", {"ours"}),
        ("chimeaudit scan --profile nig", {"nightly"}),
        ("chimeaudit scan --fail-on cri", {"critical"}),
        ("chimeaudit report r.json --output=sarif:templ", {"--output=sarif:template.yaml"}),
        ("chimeaudit report r.json -o gith", {"github:"}),
        ("chimeaudit no-such-command ", set()),
        ("chimeaudit scan --no-such-option ", set()),
        ("chimeaudit scan --accounts pipe --fail-on cri", {"critical"}),
    ],
)
def test_what_is_offered(home: Path, line: str, offered: set[str]) -> None:
    mkfifo(home / "pipe")  # reading it would wait for a writer
    shipped = (resources.rules() / "lambda/missing-lambda.yaml").read_text()
    (home / "ours.yaml").write_text(shipped.replace("id: missing-lambda", "id: ours", 1))

    ended = chimeaudit(home=home, variables={"_CHIMEAUDIT_COMPLETE": "fish_complete", "COMP_LINE": line})

    found = {each.partition(",")[2].partition("\t")[0] for each in ended.stdout.splitlines()}
    assert (ended.code, ended.stderr) == (0, "")
    assert offered <= found


def test_rules_that_cannot_be_read_leave_the_shipped_ones(home: Path) -> None:
    (home / "chimeaudit.yaml").write_text("rules: [")

    ended = chimeaudit(
        home=home, variables={"_CHIMEAUDIT_COMPLETE": "bash_complete", "COMP_LINE": "chimeaudit rules show mi"}
    )

    assert ended.stdout.split() == ["plain,missing-lambda", "plain,missing-required-tags"]


def test_completion_without_candidates_prints_nothing(home: Path) -> None:
    asked = {"_CHIMEAUDIT_COMPLETE": "bash_complete", "COMP_LINE": "chimeaudit rules show no-such-rule"}

    assert chimeaudit(home=home, variables=asked).stdout == ""


def test_a_hint_says_how_to_get_a_script(home: Path) -> None:
    ended = chimeaudit(home=home, variables={"_CHIMEAUDIT_COMPLETE": "tcsh_source"})

    assert ended.code == 2
    assert "bash_source, zsh_source, fish_source" in ended.stderr
