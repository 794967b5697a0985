"""scanner.language.message: placeholders must be paths of values that can be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.rule_files import messages


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("{}", "found the placeholder {}; expected the path of a field in braces, such as {name}"),
        ("{name", "found a brace that does not belong to a placeholder"),
        ("{app_instance}", "found the placeholder {app_instance}, which is a record; expected a value in it, such as"),
        ("{processors}", "found the placeholder {processors}, which is a list; expected a field with a single value"),
    ],
)
def test_an_invalid_placeholder_is_a_mistake_with_a_hint(tmp_path: Path, message: str, told: str) -> None:
    (found,) = messages(tmp_path, message=message)

    assert found.startswith(told)


def test_a_placeholder_of_any_record_is_accepted_if_the_condition_is_mistaken(tmp_path: Path) -> None:
    found = messages(
        tmp_path, require={"processors": {"each": {"fallback_acton": "ABORT"}}}, message="{lambda.arn} {name} {nope}"
    )

    assert [message.partition(";")[0] for message in found] == [
        'unknown field "fallback_acton"',
        'unknown placeholder "nope"',
    ]
