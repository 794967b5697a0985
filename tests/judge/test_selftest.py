"""scanner.judge.selftest: tests inside rule files."""

from __future__ import annotations

from pathlib import Path

from scanner.judge import selftest
from tests.language.rule_files import SOUND, loaded


def test_tests_that_agree_are_silent(tmp_path: Path) -> None:
    assert selftest.run([loaded(tmp_path)]) == []


def test_a_test_that_disagrees_says_where_what_and_why(tmp_path: Path) -> None:
    rule = loaded(tmp_path, tests=[*SOUND["tests"], {"name": "wrong", "given": {"name": "x"}, "expect": "pass"}])

    (mistake,) = selftest.run([rule])

    assert mistake.file == str(tmp_path / "topic" / "sound.yaml")
    assert mistake.line > 20
    assert mistake.message == 'test "wrong" got fail (name is x, required: equals flow); expected pass'


def test_each_test_can_set_parameters(tmp_path: Path) -> None:
    params = {"wanted": {"type": "string", "default": "flow", "description": "The name"}}
    tests = [*SOUND["tests"], {"name": "own", "given": {"name": "x"}, "params": {"wanted": "x"}, "expect": "pass"}]

    rule = loaded(tmp_path, params=params, require={"name": {"equals": {"param": "wanted"}}}, tests=tests)

    assert selftest.run([rule]) == []


def test_a_verdict_without_reasons_is_enough(tmp_path: Path) -> None:
    rule = loaded(tmp_path, tests=[*SOUND["tests"], {"name": "wrong", "given": {"name": "flow"}, "expect": "unknown"}])

    (mistake,) = selftest.run([rule])

    assert mistake.message == 'test "wrong" got pass; expected unknown'
