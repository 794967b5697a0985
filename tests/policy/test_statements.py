from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from scanner.policy.statements import (
    MAX_CHARACTERS,
    Choice,
    Clause,
    Policy,
    Principals,
    Statement,
    read_json,
    read_policy,
)

BARE = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction"}


def read(*statements: dict[str, Any], **document: Any) -> Policy:
    policy = read_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements), **document}))
    assert isinstance(policy, Policy)
    return policy


def statement(**elements: Any) -> Statement:
    return read({**BARE, **elements}).statements[0]


def test_a_whole_document() -> None:
    text = """{
      "Version": "2012-10-17", "Id": "default",
      "Statement": [{
        "Sid": "chime", "Effect": "Deny", "NotPrincipal": {"Service": "messaging.chime.amazonaws.com"},
        "NotAction": ["lambda:Get*", "lambda:List*"], "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}, "Bool": {"aws:SecureTransport": false}}
      }]
    }"""

    assert read_policy(text) == Policy(
        statements=(
            Statement(
                allows=False,
                principals=Principals(values=(("Service", "messaging.chime.amazonaws.com"),), negated=True),
                actions=Choice(values=("lambda:Get*", "lambda:List*"), negated=True),
                resources=Choice(values=("arn:aws:lambda:us-east-1:123456789012:function:f",)),
                conditions=(
                    Clause(operator="stringequals", key="aws:sourceaccount", values=("123456789012",)),
                    Clause(operator="bool", key="aws:securetransport", values=("false",)),
                ),
            ),
        )
    )


def test_one_statement_needs_no_list() -> None:
    assert read_policy(json.dumps({"Statement": BARE})) == read_policy(json.dumps({"Statement": [BARE]}))


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", [("AWS", "*")]),
        ({"AWS": "*"}, [("AWS", "*")]),
        ({"AWS": ["111111111111", "222222222222"]}, [("AWS", "111111111111"), ("AWS", "222222222222")]),
        ({"Service": "a.amazonaws.com", "AWS": "*"}, [("Service", "a.amazonaws.com"), ("AWS", "*")]),
    ],
)
def test_forms_of_a_principal(principal: Any, expected: list[tuple[str, str]]) -> None:
    principals = statement(Principal=principal).principals

    assert principals == Principals(values=tuple(expected))


def test_values_are_text_however_they_are_written() -> None:
    condition = {"NumericEquals": {"a:number": [1, "2"]}, "Bool": {"a:bool": True}}

    assert [clause.values for clause in statement(Condition=condition).conditions] == [("1", "2"), ("true",)]


@pytest.mark.parametrize(("version", "variables"), [("2012-10-17", True), ("2008-10-17", False)])
def test_variables_exist_from_the_second_version_on(version: str, variables: bool) -> None:
    assert read(BARE, Version=version).variables is variables


def test_without_a_version_it_is_the_first() -> None:
    policy = read_policy(json.dumps({"Statement": BARE}))

    assert isinstance(policy, Policy)
    assert policy.variables is False


def without(element: str) -> dict[str, Any]:
    return {name: value for name, value in BARE.items() if name != element}


@pytest.mark.parametrize(
    ("name", "document"),
    {
        "no object": [BARE],
        "no statement": {"Version": "2012-10-17"},
        "a version of the future": {"Version": "2099-01-01", "Statement": BARE},
        "a version that is no text": {"Version": ["2012-10-17"], "Statement": BARE},
        "an element of the future": {"Statement": {**BARE, "Unless": {}}},
        "a lower-case element": {"Statement": {**without("Effect"), "effect": "Allow"}},
        "another document element": {"Statement": BARE, "Statements": BARE},
        "no effect": {"Statement": without("Effect")},
        "an effect of the future": {"Statement": {**BARE, "Effect": "Audit"}},
        "an effect that is no text": {"Statement": {**BARE, "Effect": ["Allow"]}},
        "no action": {"Statement": without("Action")},
        "no actions": {"Statement": {**BARE, "Action": []}},
        "Action and NotAction": {"Statement": {**BARE, "NotAction": "*"}},
        "Resource and NotResource": {"Statement": {**BARE, "Resource": "*", "NotResource": "*"}},
        "Principal and NotPrincipal": {"Statement": {**BARE, "NotPrincipal": "*"}},
        "a principal of a kind of the future": {"Statement": {**BARE, "Principal": {"Robot": "*"}}},
        "a principal that is another text": {"Statement": {**BARE, "Principal": "111111111111"}},
        "nobody": {"Statement": {**BARE, "Principal": {}}},
        "a condition that is a list": {"Statement": {**BARE, "Condition": []}},
        "an operator without keys": {"Statement": {**BARE, "Condition": {"StringEquals": "a"}}},
        "a key without values": {"Statement": {**BARE, "Condition": {"StringEquals": {"a": []}}}},
        "a value that is an object": {"Statement": {**BARE, "Condition": {"StringEquals": {"a": {}}}}},
        "a value that is null": {"Statement": {**BARE, "Condition": {"StringEquals": {"a": None}}}},
        "a key in two spellings": {"Statement": {**BARE, "Condition": {"StringEquals": {"a": "1", "A": "2"}}}},
        "a pattern that is too long": {"Statement": {**BARE, "Action": "a" * 1025}},
        "too many wildcards in a pattern": {"Statement": {**BARE, "Action": "a*" * 17}},
        "one bad statement among good ones": {"Statement": [BARE, {**BARE, "Effect": "Audit"}, BARE]},
    }.items(),
)
def test_what_departs_from_the_grammar_is_not_read_in_part(name: str, document: Any) -> None:
    assert read_policy(json.dumps(document)) is UNSET, name


def test_the_limits_of_a_pattern_are_within_it() -> None:
    assert statement(Action=["a" * 1024, "a*" * 16]).actions.values == ("a" * 1024, "a*" * 16)


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "empty": "",
        "cut off": json.dumps({"Statement": BARE})[:-1],
        "not a number": "[NaN]",
        "infinite": "[-Infinity]",
        "a number of too many digits": f"[{'9' * 5000}]",
        "a key twice": '{"a": 1, "a": 1}',
        "half a character": r'["\ud800"]',
        "a noncharacter": r'["\ufdd0"]',
        "a noncharacter in a key": r'{"a": {"\ufdd1": 1}}',
        "deep": "[" * 33 + "]" * 33,
        "deep beyond recursion": "[" * MAX_CHARACTERS,
        "long": f'["{"a" * MAX_CHARACTERS}"]',
    }.items(),
)
def test_invalid_json_is_refused(name: str, text: str) -> None:
    assert read_json(text) is UNSET, name
    assert read_policy(text) is UNSET, name


def test_the_limits_of_json_are_within_it() -> None:
    deep, long = "[" * 32 + "]" * 32, f'"{"a" * (MAX_CHARACTERS - 2)}"'

    assert read_json(deep) == json.loads(deep)
    assert read_json(long) == json.loads(long)


@given(st.text() | st.from_regex(r'[\[\]{}",:\\a-c*0-9]*', fullmatch=True))
def test_no_text_raises(text: str) -> None:
    assert read_policy(text) is UNSET
