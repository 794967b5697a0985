"""`chimeaudit check` of paths that are no plain files: links, pipes, names that are not valid text."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.declared.checking import Check, checking, files, processor, request, write
from tests.posix import geteuid, mkfifo, seteuid, unix_socket

BAD = request(processor(FallbackAction="CONTINUE"))


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("path", [".", "**/*.json", "**", "./**/**/[ab].json"])
def test_links_that_lead_in_circles_end(check: Check, tmp_path: Path, path: str) -> None:
    for folder in ("one", "two", "three"):
        (tmp_path / folder).mkdir()
        for link in ("again", "and again", "and once more"):
            (tmp_path / folder / link).symlink_to(tmp_path)
    write(tmp_path / "one" / "a.json", BAD)
    write(tmp_path / "b.json", BAD)

    ended = check(path)

    assert ended.code == 1, ended.stderr
    assert files(ended) == {"one/a.json", "b.json"}


def test_a_pattern_enters_what_it_names_though_a_walk_would_not(check: Check, tmp_path: Path) -> None:
    for name in (".github/a.json", "in/node_modules/b.json", "in/node_modules/deep/c.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, BAD)

    assert files(check("**/node_modules/*.json", ".github/**/*.json")) == {".github/a.json", "in/node_modules/b.json"}


@pytest.mark.parametrize("kind", ["link to nothing", "link to itself", "socket", "pipe"])
def test_what_is_no_file_is_skipped_in_a_folder_and_a_mistake_where_it_is_named(
    check: Check, tmp_path: Path, kind: str
) -> None:
    write(tmp_path / "good.json", request())
    path = tmp_path / "none.json"
    match kind:
        case "link to nothing" | "link to itself":
            path.symlink_to(path.name if "itself" in kind else "nowhere")
        case "socket":
            with unix_socket() as listening:
                listening.bind(os.path.relpath(path))
        case "pipe":
            mkfifo(path)

    for in_a_folder in (check("."), check("*.json")):
        assert in_a_folder.code == 0, in_a_folder.stderr
        assert "Not read  1 file" in in_a_folder.stderr
        assert "Skipped" not in in_a_folder.stderr
    if kind != "pipe":
        named = check("none.json")
        assert named.code == 2
        assert "error: none.json: found a file that cannot be read (it is no file, nor a link to one)" in named.stderr


def test_a_pipe_that_is_named_is_read_among_others_too(check: Check, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(json.dumps(BAD),), daemon=True)
    writer.start()

    ended = check("pipe", "--skip-others")

    assert files(ended) == {"pipe"}


def test_a_name_that_is_no_text_is_spelled_out(check: Check, tmp_path: Path) -> None:
    for name, content in ((b"caf\xe9.json", json.dumps(BAD)), (b"cut\xe9.json", json.dumps(BAD)[:-20])):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(content)

    for paths in (["."], [os.fsdecode(b"caf\xe9.json"), os.fsdecode(b"cut\xe9.json")]):
        ended = check(*paths)
        assert ended.code == 2
        assert files(ended) == {"caf\\xe9.json"}
        assert "error: cut\\xe9.json:" in ended.stderr


def test_a_name_with_several_lines_is_printed_on_one(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "a\nerror: b.json", BAD)
    write(tmp_path / "cut\n.json", "{")

    ended = check("cut\n.json", ".")

    assert files(ended) == {"a\\nerror: b.json"}
    assert "error: cut\\n.json:1:2: " in ended.stderr


def test_a_file_that_is_called_like_standard_input_is_itself(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "(standard input)", BAD)

    assert check("(standard input)").code == 1


@pytest.mark.parametrize("path", [".", "**/*.json"])
@pytest.mark.parametrize("mode", [0o444, 0o111])
def test_a_folder_that_cannot_be_entered_or_listed_is_one_line(
    check: Check, tmp_path: Path, path: str, mode: int
) -> None:
    write(tmp_path / "a.json", BAD)
    locked = tmp_path / "locked"
    locked.mkdir()
    for name in "bcd":
        write(locked / f"{name}.json", BAD)
    check("a.json")  # imports what the unprivileged user may not be able to import
    tmp_path.chmod(0o755)
    locked.chmod(mode)

    with as_nobody():
        ended = check(path)

    locked.chmod(0o700)
    assert ended.code == 2, ended.stderr
    assert "error: locked: found a folder that cannot be read (Permission denied)" in ended.stderr
    assert files(ended) == {"a.json"}
    assert len(ended.gaps) == 1


@pytest.mark.parametrize("name", ["locked.json", ".locked.json", "locked.txt"])
def test_a_file_that_may_not_be_read_is_a_mistake_and_not_skipped(check: Check, tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.json", request())
    write(tmp_path / name, BAD)
    check("a.json")  # imports what the unprivileged user may not be able to import
    tmp_path.chmod(0o755)
    (tmp_path / name).chmod(0)

    with as_nobody():
        ended = check(".")

    assert ended.code == 2, ended.stderr
    assert f"error: {name}: found a file that cannot be read (Permission denied)" in ended.stderr
    assert [each["location"]["file"] for each in ended.gaps] == [name]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as an unprivileged user, since permissions do not apply to root."""
    is_root = geteuid() == 0
    seteuid(65534 if is_root else geteuid())
    try:
        yield
    finally:
        seteuid(0 if is_root else geteuid())
