"""`chimeaudit check` of files that are nearly JSON or YAML: no member is lost, and a broken file is never judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scanner import resources
from tests.declared.checking import Check, checking, files, findings, processor, request, write

BAD = request(processor(FallbackAction="CONTINUE"))
COMMENTED = json.dumps(BAD).replace('"FallbackAction"', '// deliver all the same\n"FallbackAction"')
"""A file that YAML reads without complaint, but without the fallback action."""
SKIPPED, UNREAD = "Skipped   {}, in which no channel flow is declared", "Not read  {}: no JSON or YAML document"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("name", ["a.json", "A.JSON", "a.template", "a.yaml", "a.jsonc", "a"])
def test_a_comment_in_json_is_a_mistake_with_its_place(check: Check, tmp_path: Path, name: str) -> None:
    write(tmp_path / name, COMMENTED)
    write(tmp_path / "good.json", request())

    for paths in (["."], [name]) if name != "a" else ([name],):
        ended = check(*paths)
        assert ended.code == 2
        assert f"error: {name}:1:{COMMENTED.index('//') + 1}: found a comment; expected a key" in ended.stderr
        assert files(ended) <= {"good.json"}


def test_a_comment_of_json_within_yaml_loses_nothing(check: Check) -> None:
    processors = json.dumps(BAD["Processors"]).replace(
        '"FallbackAction"', '// deliver all the same\n  "FallbackAction"'
    )

    ended = check(a__yaml=f"Name: x\nAppInstanceArn: {BAD['AppInstanceArn']}\nProcessors: {processors}\n")

    assert ended.code == 2
    assert "error: a.yaml:3:" in ended.stderr
    assert "expected # before a comment" in ended.stderr


BROKEN_TEMPLATES = {
    "json": '{"Resources": {"A": 1}, // mine\n "B": 1}',
    "yaml": "Resources:\n  A: {{ x }}\n  B: [\n",
    "flow": "{'a': 1, Resources: {A: [}",
    "comment": '// mine\n{"Resources": {}}',
}


@pytest.mark.parametrize("text", BROKEN_TEMPLATES.values(), ids=BROKEN_TEMPLATES)
def test_a_broken_file_with_resources_in_a_folder_is_reported(check: Check, tmp_path: Path, text: str) -> None:
    write(tmp_path / "good.json", request())
    write(tmp_path / "broken.template", text)

    ended = check(".")

    assert ended.code == 2
    assert "error: broken.template:" in ended.stderr
    assert "Skipped" not in ended.stderr


def test_files_that_are_not_read_are_only_counted(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "good.json", request())
    unread = {
        "tsconfig.json": '{\n // mine\n "compilerOptions": {"strict": true,}\n}',
        "two.yaml": "kind: a\n---\nkind: b\n",
        "make.sh": "#!/bin/sh\naws chime-sdk-messaging describe-channel-flow --name x\n",
        "make.py": 'client.describe_channel_flow(Name="x")\n',
        "notes.yml": "just a word",
    }
    for name, text in unread.items():
        write(tmp_path / name, text)
    write(tmp_path / "package.json", "{}")

    ended = check(".", "-v")

    assert ended.code == 0, ended.stderr
    assert SKIPPED.format("1 file") in ended.stderr
    assert UNREAD.format(f"{len(unread)} files") in ended.stderr
    assert all(f"{name} is not read" in ended.stderr for name in unread)
    assert "package.json is skipped" in ended.stderr


@pytest.mark.parametrize("name", ["main.tf", "make.sh"])
def test_what_cannot_be_read_is_a_mistake_where_it_is_named(check: Check, tmp_path: Path, name: str) -> None:
    write(tmp_path / name, 'resource "a" "b" {\n')

    assert check(name).code == 2


def test_a_name_that_begins_with_a_dot_is_a_name_like_any_other(check: Check, tmp_path: Path) -> None:
    write(tmp_path / ".flow.json", BAD)
    write(tmp_path / ".bashrc", "alias ll='ls -l'\n")

    ended = check(".")

    assert ended.code == 1
    assert files(ended) == {".flow.json"}
    assert UNREAD.format("1 file") in ended.stderr


def test_standard_input_loses_nothing_either(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a", COMMENTED)
    with (tmp_path / "a").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        ended = check("-")

    assert ended.code == 2
    assert "error: (standard input):1:" in ended.stderr


def test_json_in_a_yaml_file_may_have_what_yaml_has(check: Check) -> None:
    text = json.dumps(BAD).replace('"FallbackAction"', '# deliver all the same\n"FallbackAction"')

    assert "last-processor-fails-open" in findings(check(a__yaml=text))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_configuration_rules_and_baseline_are_read_in_whatever_unicode(
    check: Check, tmp_path: Path, encoding: str
) -> None:
    rule = resources.rules() / "fallback" / "last-processor-fails-open.yaml"
    (tmp_path / "last-processor-fails-open.yaml").write_text(rule.read_text(), encoding)
    (tmp_path / "chimeaudit.yaml").write_text("rules: last-processor-fails-open.yaml\n", encoding)
    first = check(a__json=BAD)
    (tmp_path / "baseline.json").write_text(first.stdout, encoding)

    again = check("a.json", "--baseline", "baseline.json")

    assert (first.code, again.code) == (1, 0), again.stderr
    assert {each["id"] for each in again.report["rules"]} == {"last-processor-fails-open"}
