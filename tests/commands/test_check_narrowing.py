"""`chimeaudit check` of some of the files: patterns, what git ignores, and what a branch changed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.declared.checking import Check, checking, custom, files, gaps, processor, request, template

BAD = request(processor(FallbackAction="CONTINUE"))
BAD_TEMPLATE = template(F=custom("ChannelFlow", BAD))
Git = Callable[..., str]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A repository with one commit, of nothing; the fixture runs git in it."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(tmp_path)}
    own |= {f"GIT_{who}_{what}": f"{who}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=os.environ | own, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    run("commit", "-q", "--allow-empty", "-m", "begin")
    return run


def put(folder: Path, **contents: object) -> None:
    """Write files; names have `__` for a dot and `___` for a slash."""
    for name, content in contents.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def not_examined(ended: object) -> list[str]:
    return list(ended.report["coverage"]["not_examined"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("by", ["option", "configuration"])
def test_what_a_pattern_fits_is_out_of_scope_and_counted(check: Check, tmp_path: Path, by: str) -> None:
    put(
        tmp_path,
        a__json=request(),
        vendor___b__json=BAD,
        deep___vendor___c__json="{ broken fallbackAction",
        d__t__json=BAD,
    )
    patterns = ["vendor", "*.t.json"]
    if by == "configuration":
        put(tmp_path, chimeaudit__yaml=f"exclude: {json.dumps(patterns)}\n")

    ended = check(".", *(f"--exclude={each}" for each in patterns if by == "option"))

    assert ended.code == 0, ended.stderr
    assert ended.report["coverage"]["complete"]
    assert ended.report["scope"]["files"] == ["a.json"]
    assert "Files that --exclude or exclude in the configuration leaves out: 3." in not_examined(ended)
    assert check(".", "--exclude=no/such").code == (2 if by == "option" else 0)


def test_a_pattern_holds_for_a_file_that_is_named_and_nothing_left_is_not_green(check: Check, tmp_path: Path) -> None:
    put(tmp_path, a__json=BAD)

    assert check("a.json", "--exclude=a.*").code == 2
    assert check("a.json", "--exclude=a.*", "--skip-others").code == 0


@pytest.mark.parametrize("pattern", ["", " ", "/", "./"])
def test_an_empty_pattern_is_refused(check: Check, tmp_path: Path, pattern: str) -> None:
    put(tmp_path, a__json=BAD)

    assert "a pattern is empty" in check("a.json", f"--exclude={pattern}").stderr
    put(tmp_path, chimeaudit__yaml=f"exclude: ['{pattern}']\n")
    refused = check("a.json")
    assert refused.code == 2
    assert "chimeaudit.yaml:1:11:" in refused.stderr


@pytest.mark.usefixtures("git")
def test_folders_of_build_tools_are_read_though_they_are_hidden_and_ignored(check: Check, tmp_path: Path) -> None:
    put(tmp_path, __gitignore="cdk.out\n.aws-sam\n.serverless\n")
    put(tmp_path, cdk__out___a__json=BAD_TEMPLATE, __aws_sam___x__json=BAD)
    for name in (".aws-sam/build/t.json", ".aws-sam/cache/t.json", ".serverless/u.json", ".other/v.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(BAD_TEMPLATE))

    assert files(check(".")) == {"cdk.out/a.json", ".aws-sam/build/t.json", ".serverless/u.json"}
    assert files(check(".other")) == {".other/v.json"}


@pytest.mark.usefixtures("git")
def test_what_git_ignores_is_passed_over_unless_it_declares_something(check: Check, tmp_path: Path) -> None:
    form = {"steps": [{"fallbackAction": "CONTINUE"}]}
    put(tmp_path, __gitignore="out/\n*.gen.json\n")
    put(tmp_path, a__json=request(), out___form__json=form, out___x__txt="text", out___data__json={"a": 1})
    put(tmp_path, out___t__json=BAD_TEMPLATE, r__gen__json=BAD)

    ended = check(".")
    everything = check(".", "--no-gitignore")

    assert files(ended) == files(everything) == {"out/t.json", "r.gen.json"}
    assert ended.report["coverage"]["complete"]
    assert "Skipped   3 files that git ignores (--no-gitignore reads all)" in ended.stderr
    assert gaps(everything) == ["out/form.json:1:1: channel flows in a form that is not known"]
    assert gaps(check("out/form.json")) or check("out/form.json").code == 2


@pytest.mark.usefixtures("git")
def test_a_broken_template_is_told_though_git_ignores_it(check: Check, tmp_path: Path) -> None:
    put(tmp_path, __gitignore="*\n", a__json=request(), t__json='{"Resources": {')

    ended = check(".")

    assert ended.code == 2
    assert "t.json:1:16" in ended.stderr


def test_only_what_a_branch_changed_is_judged(check: Check, git: Git, tmp_path: Path) -> None:
    put(tmp_path, old__json=BAD, edited__json=request(), staged__json=request(), __gitignore="ignored.json")
    put(tmp_path, ignored__json=BAD, committed__json=request())
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "branch")
    put(tmp_path, committed__json=BAD)
    git("commit", "-qam", "two")
    put(tmp_path, staged__json=BAD)
    git("add", "-A")
    put(tmp_path, edited__json=BAD, new__json=BAD)
    git("checkout", "-q", "--detach")

    ended = check(".", "--changed-since", "main")

    assert files(ended) == {"committed.json", "staged.json", "edited.json", "new.json", "ignored.json"}
    assert "Files that have not changed since main: 2." in not_examined(ended)
    assert ended.code == 1
    assert ended.report["run"]["options"]["changed_since"] == "main"


def test_nothing_that_changed_is_no_error(check: Check, git: Git, tmp_path: Path) -> None:
    put(tmp_path, a__json=BAD)
    git("add", "-A")
    git("commit", "-qm", "one")

    ended = check("a.json", "--changed-since", "main")

    assert ended.code == 0, ended.stderr
    assert "Files that have not changed since main: 1." in not_examined(ended)


@pytest.mark.parametrize(
    ("changed", "judged"),
    [
        ("infra/nested/child.json", {"infra/parent.json", "infra/nested/child.json"}),
        ("infra/parent.json", {"infra/parent.json", "infra/nested/child.json"}),
        ("infra/src/deep/app.py", {"infra/sam.json"}),
        ("infra/a name.txt", {"infra/odd.json"}),
        ("chimeaudit.yaml", {"infra/parent.json", "infra/nested/child.json", "infra/sam.json", "infra/odd.json"}),
        ("README.md", set()),
    ],
)
def test_a_template_is_judged_to_which_a_changed_file_belongs(
    check: Check, git: Git, tmp_path: Path, changed: str, judged: set[str]
) -> None:
    def made_of(part: str) -> dict[str, object]:
        return template(F=custom("ChannelFlow", BAD), N={"Type": "AWS::X::Y", "Properties": {"From": part}})

    put(tmp_path, infra___parent__json=made_of("./nested/child.json"), infra___nested___child__json=BAD_TEMPLATE)
    put(tmp_path, infra___sam__json=made_of("src/"), infra___odd__json=made_of("a name.txt"), README__md="see infra")
    put(tmp_path, infra___src___deep___app__py="1", chimeaudit__yaml="fail_on: high\n")
    (tmp_path / "infra" / "a name.txt").write_text("1")
    git("add", "-A")
    git("commit", "-qm", "one")
    with (tmp_path / changed).open("a") as file:
        file.write("\n")

    ended = check(".", "--changed-since=HEAD")

    assert files(ended) == judged, ended.stderr


def test_a_template_is_judged_that_takes_a_value_from_a_changed_one(check: Check, git: Git, tmp_path: Path) -> None:
    def bad(**more: object) -> dict[str, object]:
        return {**template(F=custom("ChannelFlow", BAD)), **more}

    stored = {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/p"}}
    put(tmp_path, gives__json=bad(Outputs={"O": {"Value": "1", "Export": {"Name": "x"}}}), other__json=BAD_TEMPLATE)
    put(tmp_path, takes__json=bad(Metadata={"M": {"Fn::ImportValue": "x"}}), stored__json=bad(Parameters=stored))
    git("add", "-A")
    git("commit", "-qm", "one")
    with (tmp_path / "gives.json").open("a") as file:
        file.write("\n")

    assert files(check(".", "--changed-since=HEAD")) == {"gives.json", "takes.json"}


@pytest.mark.parametrize("ref", ["nowhere", "--output=x", "", "a b", "main:a.json", "HEAD@{no}"])
def test_an_unknown_commit_is_one_line(check: Check, git: Git, tmp_path: Path, ref: str) -> None:
    put(tmp_path, a__json=BAD)
    git("add", "-A")
    git("commit", "-qm", "one")

    ended = check(".", f"--changed-since={ref}")

    assert ended.code == 2
    assert "--changed-since" in ended.stderr.splitlines()[0]
    assert not (tmp_path / "x").exists()


def test_no_repository_is_one_line(check: Check, tmp_path: Path) -> None:
    put(tmp_path, a__json=BAD)

    ended = check(".", "--changed-since=main")

    assert ended.code == 2
    assert "error: --changed-since: this is no git repository" in ended.stderr


def test_git_runs_no_program_that_a_repository_names(check: Check, git: Git, tmp_path: Path) -> None:
    put(tmp_path, a__json=BAD, __gitignore="b")
    git("add", "-A")
    git("commit", "-qm", "one")
    pwned = tmp_path / "pwned"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {pwned}\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager", "core.editor"):
        git("config", name, str(program))
    hook = tmp_path / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_bytes(program.read_bytes())
    hook.chmod(0o755)
    put(tmp_path, a__json=request())

    assert check(".", "--changed-since=main").code == 0
    assert not pwned.exists()
