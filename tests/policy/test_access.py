from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from scanner.inventory import FunctionAccess
from scanner.policy.access import access
from tests.policy.strategies import APP, EXAMPLES, HOME, OTHER

Json = dict[str, Any]

FUNCTION = f"arn:aws:lambda:us-east-1:{HOME}:function:moderate"
OURS = f"arn:aws:chime:us-east-1:{HOME}:app-instance/*"
THEIRS = f"arn:aws:chime:us-east-1:{OTHER}:app-instance/*"
ANYBODYS = "arn:aws:chime:*:*:app-instance/*"

BARE: Json = {
    "Effect": "Allow",
    "Principal": {"Service": "messaging.chime.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": FUNCTION,
}
HEALTHY: Json = {
    **BARE,
    "Condition": {"StringEquals": {"AWS:SourceAccount": HOME}, "ArnLike": {"AWS:SourceArn": OURS}},
}
PUBLIC: Json = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": FUNCTION}
URL: Json = {**PUBLIC, "Action": "lambda:InvokeFunctionUrl"}


def ask(*statements: Json) -> FunctionAccess:
    text = json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": list(statements)})
    return access(text, app_instance_arn=APP, account_id=HOME)


def found(can: Any, unconditioned: Any, foreign: Any, public: Any = False) -> FunctionAccess:
    return FunctionAccess(
        chime_can_invoke=can, chime_invoke_unconditioned=unconditioned, foreign_app_instances=foreign, public=public
    )


CLOSED = found(False, False, ())
FINE = found(True, False, ())


def when(**condition: Json) -> FunctionAccess:
    return ask({**BARE, "Condition": {operator.replace("_", ":"): keys for operator, keys in condition.items()}})


def test_without_a_policy_nobody_may() -> None:
    assert access(None, app_instance_arn=APP, account_id=HOME) == CLOSED


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"Statement": [{}]}', "null", "*"])
def test_of_what_is_no_policy_nothing_is_known(text: str) -> None:
    assert access(text, app_instance_arn=APP, account_id=HOME) == FunctionAccess()


def test_an_arn_that_is_none_is_no_app_instance() -> None:
    assert access(json.dumps({"Statement": HEALTHY}), app_instance_arn="app", account_id=HOME) == FunctionAccess()


def test_policies_as_they_are_documented() -> None:
    construct_library = {**BARE, "Principal": {"Service": "chime.amazonaws.com"}, "Sid": "ChimeInvoke"}

    assert ask(HEALTHY) == FINE
    assert ask({**HEALTHY, "Condition": {"StringEquals": {"AWS:SourceAccount": HOME}}}) == FINE
    assert ask({**BARE, "Condition": {"ArnLike": {"aws:SourceArn": APP}}}) == FINE
    assert ask(BARE) == found(True, True, ())
    assert ask(construct_library) == found(UNSET, UNSET, UNSET)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(HOME, FINE, id="own account"),
        pytest.param([OTHER, HOME], found(True, False, (OTHER,)), id="another account, too"),
        pytest.param(OTHER, found(False, False, (OTHER,)), id="another account"),
        pytest.param("*", found(False, False, ()), id="an asterisk that is no wildcard"),
        pytest.param("${aws:PrincipalAccount}", found(UNSET, UNSET, UNSET), id="a variable"),
    ],
)
def test_string_equals_source_account(value: Any, expected: FunctionAccess) -> None:
    assert when(StringEquals={"aws:sourceaccount": value}) == expected
    assert when(StringEqualsIfExists={"AWS:SOURCEACCOUNT": value}) == expected
    assert when(ForAllValues_StringEquals={"aws:SourceAccount": value}) == expected
    assert when(ForAnyValue_StringEquals={"aws:SourceAccount": value}) == expected
    assert when(stringequals={"aws:SourceAccount": value}) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(APP, FINE, id="the app instance"),
        pytest.param(OURS, FINE, id="all of the account"),
        pytest.param(f"arn:aws:chime:*:{HOME}:*", FINE, id="anything of the account in any region"),
        pytest.param(f"arn:aws:*:*:{HOME}:*", FINE, id="anything of the account"),
        pytest.param(f"{APP}/*", found(False, False, ()), id="what is below the app instance"),
        pytest.param(THEIRS, found(False, False, (THEIRS,)), id="another account"),
        pytest.param([OURS, THEIRS], found(True, False, (THEIRS,)), id="another account, too"),
        pytest.param(ANYBODYS, found(True, False, (ANYBODYS,)), id="any account"),
        pytest.param("arn:aws:chime:*:1*:*", found(True, False, ("arn:aws:chime:*:1*:*",)), id="some accounts"),
        pytest.param("arn:aws:lambda:*:*:*", found(False, False, ()), id="no app instance"),
        pytest.param("arn:aws:*:*:*:*", found(True, True, ()), id="anything"),
        pytest.param("*", found(True, True, ()), id="a wildcard"),
    ],
)
def test_source_arn_with_wildcards(value: Any, expected: FunctionAccess) -> None:
    assert when(ArnLike={"aws:SourceArn": value}) == expected
    assert when(ArnEquals={"aws:SourceArn": value}) == expected
    assert when(StringLike={"aws:SourceArn": value}) == expected
    assert when(ArnLikeIfExists={"aws:SourceArn": value}) == expected


@pytest.mark.parametrize("value", ["arn:*", "arn:aws:*", "arn:aws:chime:*"])
def test_an_arn_pattern_with_missing_parts_is_outside_the_grammar(value: str) -> None:
    judged = when(ArnLike={"aws:SourceArn": value})

    assert judged.chime_can_invoke is UNSET
    assert judged.foreign_app_instances is UNSET


def test_a_text_pattern_has_no_parts() -> None:
    assert when(StringLike={"aws:SourceArn": "arn:aws:*"}) == found(True, True, ())
    assert when(StringLike={"aws:SourceArn": "arn:aws:chime:*"}) == found(True, False, ("arn:aws:chime:*",))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:SourceAccount": "*"}},
        {"StringLike": {"aws:SourceAccount": "?" * 12}},
        {"StringNotEquals": {"aws:SourceAccount": OTHER}},
        {"ArnNotLike": {"aws:SourceArn": THEIRS}},
        {"Null": {"aws:SourceAccount": "false"}},
        {"StringEqualsIfExists": {"aws:SourceOrgID": "o-mine"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    ],
    ids=json.dumps,
)
def test_a_condition_that_names_nobody_is_none(condition: Json) -> None:
    judged = when(**condition)

    assert judged.chime_invoke_unconditioned is True
    assert judged.foreign_app_instances == ()


def test_an_organisation_pins_the_caller_to_nobody_knows_whom() -> None:
    assert when(StringEquals={"aws:SourceOrgID": "o-mine"}) == found(UNSET, False, UNSET)
    assert when(StringEquals={"aws:SourceOrgID": "o-mine", "aws:SourceAccount": HOME}) == found(UNSET, False, ())


def test_conditions_are_taken_together() -> None:
    assert when(StringLike={"aws:SourceAccount": "2*"}, ArnLike={"aws:SourceArn": OURS}) == CLOSED
    assert when(StringEquals={"aws:SourceAccount": OTHER}, ArnLike={"aws:SourceArn": ANYBODYS}) == found(
        False, False, (OTHER,)
    )
    assert when(StringLike={"aws:SourceAccount": "*2"}, ArnLike={"aws:SourceArn": "arn:aws:chime:*:1*:*"}) == found(
        False, False, ("*2",)
    )


def test_text_that_heeds_no_case() -> None:
    shouted, pattern = {"aws:SourceArn": THEIRS.upper().replace("*", "X")}, {"aws:SourceArn": "*:app-instance/X"}

    assert when(StringEqualsIgnoreCase={"aws:SourceArn": APP.upper()}) == FINE
    assert when(StringEqualsIgnoreCase=shouted) == found(False, False, tuple(shouted.values()))
    assert when(StringEqualsIgnoreCase=shouted, StringLike=pattern) == found(False, False, UNSET)


def test_statements_are_judged_one_by_one() -> None:
    foreign = {**BARE, "Condition": {"ArnLike": {"aws:SourceArn": THEIRS}}}

    assert ask(HEALTHY, foreign) == found(True, False, (THEIRS,))
    assert ask(HEALTHY, BARE) == found(True, True, ())
    assert ask(BARE, foreign) == found(True, True, (THEIRS,))


@pytest.mark.parametrize(
    ("denial", "expected"),
    [
        pytest.param({}, CLOSED, id="the service"),
        pytest.param({"Principal": "*"}, CLOSED, id="everybody"),
        pytest.param({"Action": "lambda:GetFunction"}, found(True, True, ()), id="something else"),
        pytest.param({"Condition": {"StringNotEquals": {"aws:SourceAccount": HOME}}}, FINE, id="other accounts"),
        pytest.param({"Condition": {"StringNotEqualsIfExists": {"aws:SourceAccount": HOME}}}, FINE, id="if they say"),
        pytest.param({"Condition": {"ArnNotLike": {"aws:SourceArn": OURS}}}, FINE, id="other ARNs"),
        pytest.param({"Condition": {"StringEquals": {"aws:SourceAccount": OTHER}}}, found(True, True, ()), id="one"),
        pytest.param(
            {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}},
            found(UNSET, UNSET, UNSET),
            id="some day",
        ),
    ],
)
def test_a_denial_takes_from_what_is_allowed(denial: Json, expected: FunctionAccess) -> None:
    assert ask(BARE, {**BARE, "Effect": "Deny", **denial}) == expected


def test_a_denial_keeps_a_foreign_account_out_that_a_pattern_would_admit() -> None:
    broad = {**BARE, "Condition": {"StringLike": {"aws:SourceAccount": ["1*", OTHER]}}}
    deny = {**BARE, "Effect": "Deny", "Condition": {"StringLike": {"aws:SourceAccount": "2*"}}}

    assert ask(broad, deny) == found(True, False, ("1*",))


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        pytest.param(PUBLIC, True, id="everybody"),
        pytest.param({**PUBLIC, "Principal": {"AWS": "*"}}, True, id="every account"),
        pytest.param({**PUBLIC, "Principal": {"AWS": OTHER}}, False, id="one account"),
        pytest.param({**PUBLIC, "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}}, False, id="its root"),
        pytest.param({**PUBLIC, "Principal": {"Service": "*"}}, UNSET, id="every service, perhaps"),
        pytest.param({**PUBLIC, "Action": "lambda:*"}, True, id="every action"),
        pytest.param({**PUBLIC, "Action": "lambda:GetFunction"}, False, id="another action"),
        pytest.param({**URL, "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}, True, id="URL"),
        pytest.param({**URL, "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}}, True, id="IAM"),
        pytest.param({**PUBLIC, "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}, False, id="by URL"),
        pytest.param({**PUBLIC, "Condition": {"StringEquals": {"aws:SourceAccount": HOME}}}, False, id="source"),
        pytest.param({**PUBLIC, "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": HOME}}}, True, id="if any"),
        pytest.param({**PUBLIC, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False, id="members"),
        pytest.param({**PUBLIC, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, True, id="others"),
        pytest.param({**PUBLIC, "Condition": {"Null": {"aws:PrincipalOrgID": "false"}}}, True, id="any organisation"),
        pytest.param({**PUBLIC, "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}, False, id="network"),
        pytest.param({**PUBLIC, "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True, id="all networks"),
        pytest.param({**PUBLIC, "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, UNSET, id="half of it"),
        pytest.param({**PUBLIC, "Condition": {"IpAddress": {"aws:SourceIp": "nowhere"}}}, UNSET, id="no network"),
        pytest.param({**PUBLIC, "Condition": {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}, True, id="rest"),
        pytest.param(
            {**PUBLIC, "Condition": {"IpAddressIfExists": {"aws:SourceIp": "198.51.100.0/24"}}}, True, id="no address"
        ),
        pytest.param({**PUBLIC, "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, False, id="endpoint"),
        pytest.param({**PUBLIC, "Condition": {"Null": {"aws:SourceVpce": "false"}}}, True, id="any endpoint"),
        pytest.param({**PUBLIC, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True, id="encrypted"),
        pytest.param(
            {**PUBLIC, "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}},
            True,
            id="role name",
        ),
        pytest.param(
            {**PUBLIC, "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}}, True, id="any user"
        ),
        pytest.param(
            {**PUBLIC, "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:*"}}}, False, id="a role"
        ),
        pytest.param({**PUBLIC, "Condition": {"StringEquals": {"aws:PrincipalTag/a": "b"}}}, UNSET, id="a tag"),
        pytest.param(
            {**URL, "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}, True, id="no organisation"
        ),
    ],
)
def test_public(statement: Json, public: object) -> None:
    assert ask(statement).public is public


def test_everybody_includes_the_service() -> None:
    assert ask(PUBLIC) == found(True, True, (), True)
    assert ask({**PUBLIC, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}) == found(False, False, ())


def test_a_denial_of_the_stranger_closes_what_is_public() -> None:
    deny = {"Effect": "Deny", "NotPrincipal": {"Service": "messaging.chime.amazonaws.com"}, "Action": "*"}

    assert ask(PUBLIC, deny) == found(True, True, ())


def test_variables_are_plain_text_before_they_came() -> None:
    statement = {**BARE, "Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}
    text = json.dumps({"Version": "2008-10-17", "Statement": statement})

    assert access(text, app_instance_arn=APP, account_id=HOME) == CLOSED


def test_patterns_that_would_take_too_long_are_given_up() -> None:
    words = [f"*{a}*{b}*{a}*{b}*" for a in "abcdefg" for b in "hijklmn"]

    assert when(StringLike={"aws:SourceArn": words}).foreign_app_instances is UNSET


@EXAMPLES
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_text_raises(text: str) -> None:
    assert access(text, app_instance_arn=APP, account_id=HOME) == FunctionAccess()


@EXAMPLES
@given(st.data())
def test_no_mutation_of_a_policy_raises(data: st.DataObject) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [HEALTHY, PUBLIC]})
    start = data.draw(st.integers(0, len(text)))
    mutated = text[:start] + data.draw(st.text(max_size=3)) + text[start + data.draw(st.integers(0, 3)) :]

    assert len(structs.asdict(access(mutated, app_instance_arn=APP, account_id=HOME))) == 4
