"""scanner.store.files: a written file replaces the old one, and nothing else changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.store.files import open_own, write_whole
from tests.posix import chown, geteuid, mode


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o644, 0o664, 0o666, 0o400])
def test_a_file_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    report.chmod(kept)

    write_whole(report, [b"new"])

    assert (report.read_text(), oct(mode(report))) == ("new", oct(kept))


def test_a_link_is_followed_and_what_it_leads_to_keeps_its_mode(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    report.chmod(0o600)
    (tmp_path / "link").symlink_to(report)

    write_whole(tmp_path / "link", [b"new"])

    assert (report.read_text(), oct(mode(report))) == ("new", "0o600")
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(("umask", "made"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_umask_says_who_may_read_a_new_file(tmp_path: Path, umask: int, made: int) -> None:
    os.umask(umask)

    write_whole(tmp_path / "report.json", [b"new"])

    assert oct(mode(tmp_path / "report.json")) == oct(made)


def test_a_private_file_is_private_while_it_is_written(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    report.chmod(0o600)
    modes: list[str] = []

    def pieces() -> Iterator[bytes]:
        modes.extend(oct(mode(path)) for path in tmp_path.iterdir())
        yield b"new"

    write_whole(report, pieces())

    assert modes == ["0o600", "0o600"]


@pytest.mark.skipif(geteuid() != 0, reason="only root gives files away")
def test_root_leaves_a_file_to_its_owner(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    chown(report, 4321, 1234)

    write_whole(report, [b"new"])

    assert (report.stat().st_uid, report.stat().st_gid) == (4321, 1234)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(report, pieces())

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.json", "old")]


@pytest.mark.parametrize("platform", ["win32", sys.platform])
def test_a_link_is_not_opened_as_an_own_file(tmp_path: Path, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "precious").write_text("others'")
    (tmp_path / "link").symlink_to("precious")
    monkeypatch.setattr(sys, "platform", platform)

    for mode_ in ("rb", "ab", "wb"):
        with pytest.raises(OSError, match="a link"):
            open_own(tmp_path / "link", mode_)

    with open_own(tmp_path / "precious") as opened:
        assert opened.read() == b"others'"


def test_a_file_is_replaced_where_files_have_neither_owner_nor_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.json").write_text("old")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(os, "fchown", raising=False)
    monkeypatch.delattr(os, "fchmod", raising=False)

    write_whole(tmp_path / "report.json", [b"new\n"])

    assert (tmp_path / "report.json").read_bytes() == b"new\n"
