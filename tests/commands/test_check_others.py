"""`chimeaudit check --skip-others`: of the files that a tool names, not all need declare channel flows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.declared.checking import Check, checking, processor, request, write

BAD = request(processor(FallbackAction="CONTINUE"))


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


def test_what_is_named_is_skipped_as_in_a_folder_and_the_rest_is_judged(check: Check) -> None:
    ended = check("a.json", "b.json", "values.yaml", "--skip-others", a__json=BAD, b__json="{}", values__yaml="{{ x }}")

    assert ended.code == 1
    assert "Skipped   1 file, in which no channel flow is declared" in ended.stderr
    assert "Not read  1 file: no JSON or YAML document" in ended.stderr
    assert ended.report["coverage"]["observed"]["files"] == 1


def test_nothing_to_judge_is_0(check: Check) -> None:
    ended = check("b.json", "--skip-others", b__json="{}")

    assert ended.code == 0, ended.stderr
    assert "nothing was in scope" in ended.stderr
    assert "nothing was judged" in ended.stderr


def test_a_broken_file_that_mentions_flows_is_still_reported(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "cut.json", '{"ChannelFlowArn": "a')

    ended = check("cut.json", "missing.json", "--skip-others")

    assert ended.code == 2
    assert "error: cut.json:1:" in ended.stderr
    assert "missing.json: found nothing" in ended.stderr


@pytest.mark.parametrize("path", ["missing.json", "nothing/*.json", "other.json"])
def test_if_nothing_could_be_judged_only_the_error_is_printed(check: Check, tmp_path: Path, path: str) -> None:
    write(tmp_path / "other.json", "{}")

    ended = check(path)

    assert ended.code == 2
    assert ended.stderr.count("\n") == 2, ended.stderr
    assert ended.error.startswith(f"error: {path}")
    assert "hint: 1 mistake in the files; nothing was judged" in ended.stderr
    assert len(ended.gaps) == 1


def test_files_that_are_named_with_a_bad_path_are_judged(check: Check) -> None:
    ended = check("a.json", "missing.json", a__json=request())

    assert ended.code == 2
    assert "Observed  1 of 2 files" in ended.stderr
    assert "what else there is was judged" in ended.stderr
