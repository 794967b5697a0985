"""scanner.language.rule_files: which files hold rules, and mistakes about those that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scanner.language import rule
from tests.language.rule_files import mistakes, rule_file
from tests.posix import mkfifo


def test_a_file_named_twice_is_loaded_once(tmp_path: Path) -> None:
    path = rule_file(tmp_path)

    assert len(rule.load([path, tmp_path, path.parent])) == 1


def test_files_are_named_as_the_user_gave_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule_file(tmp_path, severity="x")
    monkeypatch.chdir(tmp_path)

    (mistake,) = mistakes(Path("topic"))

    assert mistake.file == os.path.join("topic", "sound.yaml")  # noqa: PTH118 - a text, not a path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("topics", '); expected a rule file or a folder; did you mean "topic"?'),
        ("x/y", "found nothing to read ("),
        ("x\0", "found nothing to read (not a path)"),
        ("x" * 9999, "found nothing to read ("),
    ],
)
def test_a_path_that_leads_nowhere_is_a_mistake(tmp_path: Path, name: str, message: str) -> None:
    rule_file(tmp_path)

    (mistake,) = mistakes(tmp_path / name)

    assert message in mistake.message


def test_a_folder_without_rules_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no rules here")

    (mistake,) = mistakes(tmp_path)

    assert mistake.message == "found no rules; expected .yaml files in this folder or below"


def test_hidden_files_and_other_suffixes_in_a_folder_are_no_rules(tmp_path: Path) -> None:
    path = rule_file(tmp_path)
    for name in (".#sound.yaml", "notes.md"):
        path.with_name(name).write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("x")

    assert len(rule.load([tmp_path])) == 1


def test_the_suffix_yml_is_a_mistake(tmp_path: Path) -> None:
    path = rule_file(tmp_path)
    path.rename(path.with_suffix(".yml"))

    assert [each_.message for each_ in mistakes(tmp_path)] == ["found the suffix .yml; expected .yaml"]


@pytest.mark.parametrize("direct", [True, False])
def test_a_pipe_is_a_mistake_and_is_not_opened(tmp_path: Path, direct: bool) -> None:
    mkfifo(tmp_path / "pipe.yaml")

    (mistake,) = mistakes(tmp_path / "pipe.yaml" if direct else tmp_path)

    assert mistake.message == "found something that is no file; expected a file"


def test_links_that_lead_nowhere_or_in_circles_are_mistakes(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")

    assert [mistake.message for mistake in mistakes(tmp_path)] == [
        "found a link that leads nowhere; expected a file"
    ] * 2


def test_folders_that_are_links_are_entered_once(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rules").mkdir()
    rule_file(tmp_path / "elsewhere")
    (tmp_path / "rules" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "rules")

    assert [each_.info.id for each_ in rule.load([tmp_path / "rules"])] == ["sound"]


def test_an_unreadable_file_or_folder_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule_file(tmp_path)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "topic"))

    monkeypatch.setattr(os, "scandir", denied)

    assert "found a folder that cannot be read (Permission denied); expected rules" in [
        mistake.message for mistake in mistakes(tmp_path)
    ]
