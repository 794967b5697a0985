"""scanner.store.repository: the top of a repository, and the names of its files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scanner.store.repository import from_working_directory, name, names, shown, slashed, top, working_directory
from tests.posix import remove_in_use


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
    remove_in_use(gone)

    assert top(tmp_path / "again") is None
    assert top(Path()) is None


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """Two repositories and a file outside of both; the first holds another repository and links."""
    for folder in ("one/.git", "one/infra", "one/inner/.git", "two/.git", "two/infra"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("one/infra/a.yaml", "one/inner/a.yaml", "one/b.yaml", "two/infra/a.yaml", "two/c.yaml", "d.yaml"):
        (tmp_path / file).touch()
    (tmp_path / "one" / "link.yaml").symlink_to("infra/a.yaml")
    (tmp_path / "one" / "folder").symlink_to("infra")
    (tmp_path / "one" / "nowhere.yaml").symlink_to("gone.yaml")
    (tmp_path / "one" / "out.yaml").symlink_to("../d.yaml")
    return tmp_path


@pytest.mark.parametrize("folder", [".", "one", "one/infra", "two", "/"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("one/infra/a.yaml", "infra/a.yaml"),
        ("one/link.yaml", "infra/a.yaml"),
        ("one/folder/a.yaml", "infra/a.yaml"),
        ("one/infra/../b.yaml", "b.yaml"),
        ("one/nowhere.yaml", "nowhere.yaml"),
        ("two/c.yaml", "c.yaml"),
    ],
)
def test_a_path_is_named_from_the_top_of_its_repository_wherever_one_is(
    repositories: Path, monkeypatch: pytest.MonkeyPatch, folder: str, path: str, expected: str
) -> None:
    monkeypatch.chdir(repositories / folder)

    assert name(str(repositories / path)) == expected


@pytest.mark.parametrize(("folder", "expected"), [("one", "../d.yaml"), ("two/infra", "../../d.yaml"), (".", "d.yaml")])
def test_outside_a_repository_a_path_is_named_from_the_working_directory(
    repositories: Path, monkeypatch: pytest.MonkeyPatch, folder: str, expected: str
) -> None:
    monkeypatch.chdir(repositories / folder)

    assert name(str(repositories / "d.yaml")) == expected


@pytest.mark.parametrize("folder", ["one/infra", "one", ".", "two", "/"])
def test_a_link_that_leads_out_of_its_repository_is_named_itself(
    repositories: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(repositories / folder)

    assert name(str(repositories / "one" / "out.yaml")) == "out.yaml"


def test_outside_a_repository_a_link_is_named_as_what_it_leads_to_in_the_working_directory_or_a_repository(
    repositories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = repositories / "outside"
    outside.mkdir()
    for link, to in (("in.yaml", "x.yaml"), ("up.yaml", "../d.yaml"), ("one.yaml", "../one/infra/a.yaml")):
        (outside / link).symlink_to(to)
    (outside / "x.yaml").touch()
    monkeypatch.chdir(outside)

    assert [name(each) for each in ("in.yaml", "up.yaml", "one.yaml")] == ["x.yaml", "up.yaml", "infra/a.yaml"]


def test_a_repository_within_this_one_belongs_to_it(repositories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repositories / "one" / "infra")
    assert name("../inner/a.yaml") == "inner/a.yaml"

    monkeypatch.chdir(repositories / "one" / "inner")
    assert name("a.yaml") == "a.yaml"


def test_files_of_several_repositories_are_never_named_alike(
    repositories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ["one/infra/a.yaml", "two/infra/a.yaml", "two/c.yaml"]

    monkeypatch.chdir(repositories)
    assert names(paths) == {path: path for path in paths}
    assert names(paths[1:]) == {"two/infra/a.yaml": "infra/a.yaml", "two/c.yaml": "c.yaml"}

    monkeypatch.chdir(repositories / "one" / "infra")
    assert list(names([f"../../{path}" for path in paths]).values()) == [
        "infra/a.yaml",
        "../../two/infra/a.yaml",
        "../../two/c.yaml",
    ]


def test_one_file_by_several_paths_has_one_name(repositories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repositories)

    assert set(names(["one/infra/a.yaml", "one/link.yaml", "one/folder/a.yaml"]).values()) == {"infra/a.yaml"}


def test_a_pipe_of_a_process_keeps_its_name() -> None:
    reading, writing = os.pipe()

    assert name(f"/dev/fd/{reading}").endswith(f"dev/fd/{reading}")
    os.close(reading)
    os.close(writing)


def test_the_working_directory_is_told_from_the_top(repositories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, expected in (("one", "."), ("one/infra", "infra"), (".", None)):
        monkeypatch.chdir(repositories / folder)
        assert working_directory() == expected


@pytest.mark.parametrize(("platform", "expected"), [("win32", "infra/flows.json"), ("linux", "infra\\flows.json")])
def test_on_windows_a_backslash_parts_folders(platform: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names in reports, and with them fingerprints, are the same on every system."""
    monkeypatch.setattr(sys, "platform", platform)

    assert slashed("infra\\flows.json") == shown("infra\\flows.json") == expected


def test_a_file_on_another_drive_of_windows_keeps_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def relpath(_: str) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", relpath)

    assert from_working_directory("D:/flows.json") == "D:/flows.json"
