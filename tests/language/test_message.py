"""scanner.language.message: placeholders must be paths of values that can be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.language import rule
from tests.language.rule_files import messages, rule_file


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("{}", "found the placeholder {}; expected the path of a field in braces, such as {name}"),
        ("{name", "found a brace that belongs to no placeholder"),
        ("name}", "found a brace that belongs to no placeholder"),
        ("{name:>10}", "found the placeholder {name:>10} with a format; expected the path of a field alone"),
        ("{name!r}", "found the placeholder {name!r} with a format; expected the path of a field alone"),
        ("{lambda.arn}", "found the placeholder {lambda.arn}, where the ChannelFlow fails as a whole"),
        ("{tags}", "found the placeholder {tags}, a set of tags; expected one tag, such as {tags.owner}"),
        ("{app_instance}", "found the placeholder {app_instance}, which is a record; expected a value in it, such as"),
        ("{processors}", "found the placeholder {processors}, which is a list; expected a field with a single value"),
    ],
)
def test_an_invalid_placeholder_is_a_mistake_with_a_hint(tmp_path: Path, message: str, told: str) -> None:
    (found,) = messages(tmp_path, message=message)

    assert found.startswith(told)


def test_a_tag_with_signs_in_its_key_is_a_placeholder_and_braces_are_doubled(tmp_path: Path) -> None:
    tests = [
        {"name": "good", "given": {"tags": {"cost:center": "1"}}, "expect": "pass"},
        {"name": "bad", "given": {"tags": {"cost:center": "2"}}, "expect": "fail"},
        {"name": "unknown", "given": {"tags": "unknown"}, "expect": "unknown"},
    ]
    file = rule_file(
        tmp_path, require={"tags.cost:center": "1"}, message="}}{{{tags.cost:center}}} {{{{}}}} {name}", tests=tests
    )
    file.write_text(file.read_text().replace('"tags": "unknown"', '"tags": unknown'))

    (read,) = rule.load([file])

    flow = read.examples[1].given
    assert read.message.render(flow, flow, "", {}) == "}{2} {{}} moderation"


def test_what_fails_as_a_whole_has_no_placeholders_of_its_parts(tmp_path: Path) -> None:
    require = {"flows": {"some": {"processors": {"last": {"fallback_action": "ABORT"}}}}}
    tests = [
        {"name": "good", "given": {}, "expect": "pass"},
        {"name": "bad", "given": {"flows": []}, "expect": "fail"},
    ]

    found = messages(
        tmp_path, resource="app_instance", require=require, tests=tests, message="{flow.name} {lambda.arn}"
    )

    assert found == [
        f"found the placeholder {{{name}}}, where the AppInstance fails as a whole; expected a field of it"
        for name in ("flow.name", "lambda.arn")
    ]


def test_a_placeholder_of_any_record_is_accepted_if_the_condition_is_mistaken(tmp_path: Path) -> None:
    found = messages(
        tmp_path, require={"processors": {"each": {"fallback_acton": "ABORT"}}}, message="{lambda.arn} {name} {nope}"
    )

    assert [message.partition(";")[0] for message in found] == [
        'unknown field "fallback_acton"',
        'unknown placeholder "nope"',
    ]
