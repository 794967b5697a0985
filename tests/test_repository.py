"""scanner.repository: where the repository begins that a folder lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.repository import top


def test_a_folder_and_those_below_it_lie_in_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    below = tmp_path / "infra" / "deep"
    below.mkdir(parents=True)

    assert top(below) == top(tmp_path / "infra") == top(tmp_path) == tmp_path


def test_a_worktree_has_git_as_a_file_and_the_nearest_repository_counts(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "vendored"
    inner.mkdir()
    (inner / ".git").write_text("gitdir: elsewhere\n")

    assert top(inner) == inner


def test_a_link_is_followed_first(tmp_path: Path) -> None:
    repository, outside = tmp_path / "repository", tmp_path / "outside"
    for folder in (repository / ".git", repository / "infra", outside):
        folder.mkdir(parents=True)
    (outside / "link").symlink_to(repository / "infra")

    assert top(outside / "link") == repository


def test_a_relative_folder_counts_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")

    assert top(Path()) == tmp_path


def test_outside_a_repository_there_is_no_top(tmp_path: Path) -> None:
    assert top(tmp_path) is None


def test_links_in_circles_and_a_working_directory_that_is_gone_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "again").symlink_to("again")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert top(tmp_path / "again") is None
    assert top(Path()) is None
