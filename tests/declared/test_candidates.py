"""scanner.declared.candidates: which files paths lead to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scanner.declared.candidates import find
from scanner.errors import Mistake
from tests.posix import remove_in_use


def test_a_working_directory_that_was_deleted_is_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    remove_in_use(gone)
    mistakes: list[Mistake] = []

    found = find(["."], mistakes)

    assert not found
    assert [str(each) for each in mistakes] == [
        ".: leads from the working directory, which was deleted; expected one that is there"
    ]


def test_a_pattern_of_windows_reaches_every_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("infra/top.json", "infra/a/b/deep.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "platform", "win32")
    mistakes: list[Mistake] = []

    found = find(["infra\\**\\*.json"], mistakes)

    assert [each.name for each in found] == ["infra/a/b/deep.json", "infra/top.json"]
    assert mistakes == []
