from __future__ import annotations

import pytest
from msgspec import UNSET

from scanner.model.logic import Truth
from scanner.policy.globs import FRESH
from scanner.policy.iam_conditions import Context, holds, is_negative
from scanner.policy.statements import Clause

ARN = "arn:aws:chime:us-east-1:111111111111:app-instance/own"
CONTEXT: Context = {
    "text": ("Abc",),
    "arn": (ARN,),
    "true": ("true",),
    "missing": (None,),
    "perhaps": (None, "Abc"),
    "anywhere": (FRESH,),
}


def judge(operator: str, key: str, *values: str, variables: bool = True) -> Truth:
    return holds(Clause(operator=operator.lower(), key=key, values=values), CONTEXT, variables=variables)


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("StringEquals", ["Abc"], True),
        ("StringEquals", ["abc"], False),
        ("StringEquals", ["A*"], False),
        ("StringEquals", ["x", "Abc"], True),
        ("StringNotEquals", ["abc"], True),
        ("StringNotEquals", ["x", "Abc"], False),
        ("StringEqualsIgnoreCase", ["aBC"], True),
        ("StringNotEqualsIgnoreCase", ["aBC"], False),
        ("StringLike", ["A*"], True),
        ("StringLike", ["?b?"], True),
        ("StringLike", ["a*"], False),
        ("StringNotLike", ["a*", "b*"], True),
        ("StringNotLike", ["a*", "A*"], False),
        ("ForAllValues:StringLike", ["A*"], True),
        ("ForAllValues:StringEquals", ["x"], False),
        ("ForAnyValue:StringEquals", ["x", "Abc"], True),
        ("ForAnyValue:StringNotEquals", ["Abc"], False),
        ("ForSomeValues:StringEquals", ["Abc"], UNSET),
        ("StringEqualsIfExists", ["x"], False),
        ("Null", ["false"], True),
        ("Null", ["TRUE"], False),
        ("Null", ["maybe"], UNSET),
        ("Null", ["true", "false"], UNSET),
        ("NullIfExists", ["false"], UNSET),
        ("StringEquals", ["${aws:username}"], UNSET),
        ("StringEquals", ["${aws:username}", "Abc"], True),
        ("StringNotEquals", ["${aws:username}", "Abc"], False),
        ("NumericEquals", ["1"], UNSET),
        ("DateGreaterThan", ["2030-01-01T00:00:00Z"], UNSET),
        ("BinaryEquals", ["QQ=="], UNSET),
        ("StringResembles", ["Abc"], UNSET),
        ("", ["Abc"], UNSET),
        (":", ["Abc"], UNSET),
        ("IfExists", ["Abc"], UNSET),
        ("\n", ["Abc"], UNSET),
    ],
)
def test_a_value_that_is_known(operator: str, values: list[str], expected: Truth) -> None:
    assert judge(operator, "text", *values) is expected


def test_variables_are_text_where_there_are_none() -> None:
    assert judge("StringEquals", "text", "${aws:username}", variables=False) is False


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ARN, True),
        ("arn:aws:chime:*:111111111111:app-instance/*", True),
        ("arn:*:*:*:*:*", True),
        ("arn:aws:chime:us-east-1:111111111111:*", True),
        ("arn:aws:chime:us-east-1:222222222222:*", False),
        ("arn:aws:chime:*:app-instance/*", UNSET),
        ("arn:*", UNSET),
        ("arn:aws:s3:*", False),
        ("*", UNSET),
        ("**", UNSET),
        ("", False),
        (f"{ARN}/*", False),
        (f"{ARN}:x", False),
    ],
)
@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
def test_arns_are_compared_part_by_part(operator: str, wanted: str, expected: Truth) -> None:
    negated = operator.replace("Arn", "ArnNot")

    assert judge(operator, "arn", wanted) is expected
    assert judge(negated, "arn", wanted) is (UNSET if expected is UNSET else not expected)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAllValues:StringEqualsIfExists", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", UNSET),
        ("ArnLike", False),
        ("ArnLikeIfExists", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("IpAddress", False),
        ("NotIpAddress", True),
        ("NumericEquals", UNSET),
    ],
)
def test_a_key_that_is_not_sent(operator: str, expected: Truth) -> None:
    assert judge(operator, "missing", "true") is expected


def test_a_key_that_is_perhaps_sent_matters_only_where_it_makes_a_difference() -> None:
    assert judge("StringEquals", "perhaps", "x") is False
    assert judge("StringEquals", "perhaps", "Abc") is UNSET
    assert judge("StringEqualsIfExists", "perhaps", "Abc") is True
    assert judge("Null", "perhaps", "true") is UNSET


def test_a_condition_on_an_unknown_key_is_unknown() -> None:
    assert judge("StringLike", "other", "*") is UNSET
    assert judge("Null", "other", "true") is UNSET


@pytest.mark.parametrize(("wanted", "expected"), [("true", True), ("TRUE", True), ("false", False)])
def test_bool_ignores_case(wanted: str, expected: bool) -> None:
    assert judge("Bool", "true", wanted) is expected


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("0.0.0.0/0", True),
        ("0.0.0.0/1", UNSET),
        ("10.0.0.0/8", False),
        ("198.51.100.7", False),
        ("198.51.100.7/24", False),
        ("2001:db8::/32", False),
        ("::/0", UNSET),
        ("everywhere", UNSET),
    ],
)
def test_a_stranger_is_in_no_named_network_except_the_whole_internet(network: str, expected: Truth) -> None:
    assert judge("IpAddress", "anywhere", network) is expected
    assert judge("IpAddress", "text", network) is UNSET


@pytest.mark.parametrize(
    ("operator", "expected"), [("stringnotlike", True), ("notipaddress", True), ("null", True), ("arnlike", False)]
)
def test_negative_operators(operator: str, expected: bool) -> None:
    assert is_negative(operator) is expected
