from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from scanner.model.facts import FunctionAccess
from scanner.policy.access import access, may_hang_on_url
from scanner.policy.function_url import NO_URL, UNKNOWN_URL, FunctionUrl
from tests.policy.strategies import APP, EXAMPLES, HOME, OTHER

Json = dict[str, Any]

THIRD = "333333333333"
FUNCTION = f"arn:aws:lambda:us-east-1:{THIRD}:function:moderate"
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


def ask(*statements: Json, url: FunctionUrl = UNKNOWN_URL) -> FunctionAccess:
    text = json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": list(statements)})
    return access(text, app_instance_arn=APP, account_id=HOME, function_arn=FUNCTION, url=url)


def member(key: str, value: str) -> Json:
    return {"StringEquals": {key: value}}


def found(can: Any, unconditioned: Any, foreign: Any, public: Any = False, others: Any = ()) -> FunctionAccess:
    return FunctionAccess(
        chime_can_invoke=can,
        chime_invoke_unconditioned=unconditioned,
        foreign_app_instances=foreign,
        public=public,
        other_accounts=others,
    )


CLOSED = found(False, False, ())
FINE = found(True, False, ())


def when(**condition: Json) -> FunctionAccess:
    return ask({**BARE, "Condition": {operator.replace("_", ":"): keys for operator, keys in condition.items()}})


def test_without_a_policy_nobody_may() -> None:
    assert access(None, app_instance_arn=APP, account_id=HOME) == CLOSED


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"Statement": [{}]}', "null", "*"])
def test_of_an_invalid_policy_nothing_is_known(text: str) -> None:
    assert access(text, app_instance_arn=APP, account_id=HOME) == FunctionAccess()


def test_an_invalid_arn_is_no_app_instance() -> None:
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
        pytest.param(ANYBODYS, found(True, True, ()), id="any account"),
        pytest.param("arn:aws:chime:us-east-1:*:*", found(True, True, ()), id="any account in a region"),
        pytest.param("arn:aws:chime:*:????????????:*", found(True, True, ()), id="any twelve digits"),
        pytest.param("arn:aws:chime:*:???????????:*", found(False, False, ()), id="any eleven digits"),
        pytest.param("arn:aws:chime:*:*:app-instance/????????-????-*", found(False, True, ()), id="any id"),
        pytest.param("arn:aws:chime:*:1*:*", found(True, False, ("arn:aws:chime:*:1*:*",)), id="some accounts"),
        pytest.param("arn:aws:lambda:*:*:*", found(False, False, ()), id="no app instance"),
        pytest.param("arn:aws:*:*:*:*", found(True, True, ()), id="anything"),
    ],
)
def test_source_arn_with_wildcards(value: Any, expected: FunctionAccess) -> None:
    assert when(ArnLike={"aws:SourceArn": value}) == expected
    assert when(ArnEquals={"aws:SourceArn": value}) == expected
    assert when(StringLike={"aws:SourceArn": value}) == expected
    assert when(ArnLikeIfExists={"aws:SourceArn": value}) == expected


@pytest.mark.parametrize("value", ["*", "**", "arn:*", "arn:aws:*", "arn:aws:chime:*"])
def test_an_arn_pattern_with_missing_parts_is_outside_the_grammar(value: str) -> None:
    judged = when(ArnLike={"aws:SourceArn": value})

    assert judged.chime_can_invoke is UNSET
    assert judged.foreign_app_instances is UNSET


def test_a_text_pattern_has_no_parts() -> None:
    assert when(StringLike={"aws:SourceArn": "arn:aws:*"}) == found(True, True, ())
    assert when(StringLike={"aws:SourceArn": "arn:aws:chime:*"}) == found(True, True, ())
    assert when(StringLike={"aws:SourceArn": "*"}) == found(True, True, ())
    assert when(StringLike={"aws:SourceArn": f"*:{OTHER}:*"}) == found(False, False, (f"*:{OTHER}:*",))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:SourceAccount": "*"}},
        {"StringLike": {"aws:SourceAccount": "?" * 12}},
        {"StringNotEquals": {"aws:SourceAccount": OTHER}},
        {"ArnNotLike": {"aws:SourceArn": THEIRS}},
        {"Null": {"aws:SourceAccount": "false"}},
        {"StringEqualsIfExists": {"aws:SourceOrgID": "o-mine"}},
        {"StringLike": {"aws:SourceOrgID": "o-*"}},
        {"StringLike": {"aws:SourceOrgID": "o-" + "?" * 17}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    ],
    ids=json.dumps,
)
def test_a_condition_that_names_nobody_counts_as_none(condition: Json) -> None:
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


def test_operators_that_ignore_case() -> None:
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
        pytest.param({"Condition": {"ArnLike": {"aws:SourceArn": "*"}}}, found(UNSET, UNSET, UNSET), id="a bare star"),
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
        pytest.param({**PUBLIC, "Condition": {"StringLike": {"aws:SourceVpce": "vpce-*"}}}, True, id="every endpoint"),
        pytest.param({**PUBLIC, "Condition": {"StringLike": {"aws:SourceVpce": "vpce-0*"}}}, True, id="of any 17"),
        pytest.param({**PUBLIC, "Condition": {"StringLike": {"aws:SourceVpce": "vpce-????????"}}}, True, id="of any 8"),
        pytest.param(
            {**PUBLIC, "Condition": {"StringLike": {"aws:SourceVpce": "vpce-0f*"}}}, False, id="few endpoints"
        ),
        pytest.param({**PUBLIC, "Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True, id="every VPC"),
        pytest.param({**PUBLIC, "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, True, id="organisations"),
        pytest.param({**PUBLIC, "Condition": {"StringLike": {"aws:PrincipalAccount": "?" * 12}}}, True, id="accounts"),
        pytest.param({**PUBLIC, "Condition": {"StringEquals": {"lambda:EventSourceToken": "t"}}}, False, id="a token"),
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
            {**PUBLIC, "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}, True, id="no organisation"
        ),
    ],
)
def test_public(statement: Json, public: object) -> None:
    assert ask(statement).public is public


BY_URL: Json = {**PUBLIC, "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}
OLD, NEW = (
    FunctionUrl(exists=True, auth_types=("NONE",)),
    FunctionUrl(exists=True, auth_types=("NONE",), needs_both=True),
)
SIGNED = structs.replace(NEW, auth_types=("AWS_IAM",))


def of_type(auth_type: str) -> Json:
    return {"StringEquals": {"lambda:FunctionUrlAuthType": auth_type}}


@pytest.mark.parametrize(
    ("statements", "url", "public"),
    [
        pytest.param([URL, BY_URL], NEW, True, id="both actions"),
        pytest.param([{**URL, "Condition": of_type("NONE")}, BY_URL], NEW, True, id="as documented, for NONE"),
        pytest.param([{**URL, "Condition": of_type("AWS_IAM")}, BY_URL], SIGNED, True, id="as documented, for AWS_IAM"),
        pytest.param([{**URL, "Condition": of_type("AWS_IAM")}, BY_URL], NEW, False, id="the other type"),
        pytest.param([URL], NEW, False, id="one action of two"),
        pytest.param([URL], OLD, UNSET, id="one action, of a URL that may be exempt"),
        pytest.param([BY_URL], OLD, False, id="the other action alone"),
        pytest.param([URL, BY_URL], NO_URL, False, id="no URL"),
        pytest.param([URL, BY_URL], UNKNOWN_URL, UNSET, id="nobody knows whether there is a URL"),
        pytest.param([URL], UNKNOWN_URL, UNSET, id="nor of which age"),
        pytest.param([URL, PUBLIC], UNKNOWN_URL, True, id="anybody may by the API"),
        pytest.param([{**PUBLIC, "Action": "lambda:*", "Condition": of_type("NONE")}], NEW, UNSET, id="a key of one"),
        pytest.param(
            [{**URL, "Condition": {"BoolIfExists": {"lambda:InvokedViaFunctionUrl": "false"}}}, BY_URL],
            NEW,
            UNSET,
            id="a key of the other",
        ),
        pytest.param(
            [{**URL, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, BY_URL], SIGNED, False, id="members"
        ),
        pytest.param(
            [{**URL, "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, BY_URL], NEW, False, id="unsigned"
        ),
    ],
)
def test_a_url_lets_in_whom_both_actions_do(statements: list[Json], url: FunctionUrl, public: object) -> None:
    assert ask(*statements, url=url).public is public


@pytest.mark.parametrize(
    ("statement", "others"),
    [
        pytest.param({"Principal": {"AWS": OTHER}}, (OTHER,), id="an account"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}}, (OTHER,), id="its root"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:role/path/x"}}, (OTHER,), id="a role"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:user/x"}}, (OTHER,), id="a user"),
        pytest.param({"Principal": {"AWS": f"arn:aws:sts::{OTHER}:assumed-role/x/s"}}, (OTHER,), id="a session"),
        pytest.param({"Principal": {"AWS": [HOME, OTHER]}}, (OTHER,), id="one of two"),
        pytest.param({"Principal": {"AWS": HOME}}, (), id="the own account"),
        pytest.param({"Principal": {"AWS": THIRD}}, (), id="the account of the function"),
        pytest.param({"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}, (), id="a role that was deleted"),
        pytest.param({"Principal": {"Service": "events.amazonaws.com"}}, (), id="a service"),
        pytest.param({"Principal": {"Federated": f"arn:aws:iam::{OTHER}:saml-provider/x"}}, UNSET, id="federated"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:role/*"}}, UNSET, id="outside the grammar"),
        *(
            pytest.param({"Principal": {"AWS": OTHER}, "Action": action}, (OTHER,), id=str(action))
            for action in (
                *("*", "lambda:*", "lambda:Update*", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
                *("lambda:AddPermission", "lambda:PutResourcePolicy", ["lambda:GetFunction", "LAMBDA:INVOKEFUNCTION"]),
            )
        ),
        *(
            pytest.param({"Principal": {"AWS": OTHER}, "Action": action}, (), id=action)
            for action in ("lambda:Get*", "lambda:PublishLayerVersion", "lambda:PublishVersion", "s3:*")
        ),
        pytest.param({"Principal": {"AWS": OTHER}, "Action": "lambda:InvokeFunctionUrl"}, UNSET, id="by a URL"),
        pytest.param({"Principal": "*"}, (), id="anybody, of which public tells"),
        pytest.param({"Principal": "*", "Action": "lambda:UpdateFunctionCode"}, ("*",), id="anybody may change it"),
        pytest.param({"Principal": "*", "Condition": member("aws:PrincipalOrgID", "o-1")}, ("o-1",), id="organisation"),
        pytest.param(
            {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-a*"}}},
            ("o-a*",),
            id="some of them",
        ),
        pytest.param({"Principal": "*", "Condition": member("aws:PrincipalAccount", OTHER)}, (OTHER,), id="by its id"),
        pytest.param(
            {"Principal": "*", "Condition": member("aws:PrincipalAccount", HOME)}, (), id="the own, by its id"
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalAccount": "2*"}}},
            ("2???????????",),
            id="digits",
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/x"}}},
            (OTHER,),
            id="a role by its ARN",
        ),
        pytest.param(
            {
                "Principal": {"AWS": OTHER},
                "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/x"}},
            },
            (),
            id="nobody",
        ),
        pytest.param(
            {"Principal": {"AWS": OTHER}, "Condition": member("aws:SourceAccount", OTHER)}, (), id="a service's"
        ),
        pytest.param(
            {"Principal": {"AWS": OTHER}, "Condition": member("aws:PrincipalOrgID", "o-1")}, UNSET, id="member"
        ),
        pytest.param(
            {"Principal": {"AWS": OTHER}, "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}},
            UNSET,
            id="from a network",
        ),
        pytest.param({"Principal": "*", "Condition": member("aws:SourceVpce", "vpce-1")}, UNSET, id="by an endpoint"),
        pytest.param({"NotPrincipal": {"AWS": HOME}, "Action": "lambda:Update*"}, ("*",), id="all but one"),
    ],
)
def test_other_accounts(statement: Json, others: object) -> None:
    assert ask(HEALTHY, {"Effect": "Allow", "Action": "lambda:InvokeFunction", **statement}).other_accounts == others


def test_what_is_unknown_of_strangers_is_reported_once() -> None:
    tagged = ask({**PUBLIC, "Condition": member("aws:PrincipalTag/team", "chat")})
    networked = ask({**PUBLIC, "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}})

    assert (tagged.public, tagged.other_accounts) == (UNSET, ())
    assert (networked.public, networked.other_accounts) == (False, UNSET)


def test_a_denial_keeps_another_account_out() -> None:
    root, role = {"AWS": f"arn:aws:iam::{OTHER}:root"}, {"AWS": f"arn:aws:iam::{OTHER}:role/x"}
    session = {"AWS": f"arn:aws:sts::{OTHER}:assumed-role/x/s"}

    def judged(let_in: Json, kept_out: Json) -> object:
        return ask({**PUBLIC, "Principal": let_in}, {**PUBLIC, "Effect": "Deny", "Principal": kept_out}).other_accounts

    assert judged(root, root) == judged(role, root) == judged(session, role) == judged(session, session) == ()
    assert judged(root, role) == judged(role, session) == (OTHER,)


def test_an_account_may_be_admitted_by_the_url_alone() -> None:
    by_url = {**BY_URL, "Principal": {"AWS": OTHER}}
    use = {**URL, "Principal": {"AWS": OTHER}}

    assert ask(by_url, use, url=SIGNED).other_accounts == (OTHER,)
    assert ask(by_url, use, url=NEW).other_accounts == ()
    assert ask(by_url, use, url=NO_URL).other_accounts == ()


def test_a_url_matters_only_if_the_policy_allows_its_use() -> None:
    def matters(*statements: Json) -> bool:
        return may_hang_on_url(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))

    assert matters(URL)
    assert matters({**PUBLIC, "Action": "lambda:*"})
    assert not matters(PUBLIC)
    assert not matters(HEALTHY, {**URL, "Effect": "Deny"})
    assert not may_hang_on_url("no policy")
    assert not may_hang_on_url(None)


def test_everybody_includes_the_service() -> None:
    assert ask(PUBLIC) == found(True, True, (), True)
    assert ask({**PUBLIC, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}) == found(
        False, False, (), others=("o-1",)
    )


def test_a_denial_of_strangers_makes_a_function_not_public() -> None:
    deny = {"Effect": "Deny", "NotPrincipal": {"Service": "messaging.chime.amazonaws.com"}, "Action": "*"}

    assert ask(PUBLIC, deny) == found(True, True, ())


def test_variables_are_plain_text_in_the_first_version() -> None:
    statement = {**BARE, "Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}
    text = json.dumps({"Version": "2008-10-17", "Statement": statement})

    assert access(text, app_instance_arn=APP, account_id=HOME) == CLOSED


def test_patterns_that_would_take_too_long_are_unknown() -> None:
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

    assert len(structs.asdict(access(mutated, app_instance_arn=APP, account_id=HOME))) == 5


LIVE = f"{FUNCTION}:live"


@pytest.mark.parametrize(
    ("resource", "asked", "can"),
    [
        (LIVE, LIVE, True),
        (FUNCTION, LIVE, False),
        (f"{FUNCTION}:old", LIVE, False),
        ([f"{FUNCTION}:old", LIVE], LIVE, True),
        (f"{FUNCTION}:*", LIVE, True),
        (f"{FUNCTION}:*", FUNCTION, False),
        (f"{FUNCTION}*", FUNCTION, True),
        (f"{FUNCTION}-other", FUNCTION, False),
        (LIVE, FUNCTION, False),
        (FUNCTION, FUNCTION, True),
        (FUNCTION, f"{FUNCTION}:$LATEST", True),
        (f"{FUNCTION}:$LATEST", f"{FUNCTION}:$LATEST", True),
        (f"{FUNCTION}:$LATEST", FUNCTION, False),
        ("arn:aws:lambda:*:${aws:PrincipalAccount}:function:moderate:live", LIVE, True),
        ("*", LIVE, True),
    ],
)
def test_a_policy_counts_for_the_function_version_or_alias_that_it_names(resource: Any, asked: str, can: bool) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": {**HEALTHY, "Resource": resource}})

    assert access(text, app_instance_arn=APP, account_id=HOME, function_arn=asked) == (FINE if can else CLOSED)


@pytest.mark.parametrize("pattern", ["*{}*", "arn:*{}*", "*:{}:*", "*{}:app-instance/*"])
def test_an_account_in_a_pattern_is_no_region_and_no_app_instance(pattern: str) -> None:
    ours, theirs = pattern.format(HOME), pattern.format(OTHER)

    assert when(StringLike={"aws:SourceArn": ours}) == FINE
    assert when(StringLike={"aws:SourceArn": theirs}) == found(False, False, (theirs,))


def test_a_denial_of_another_version_takes_nothing_away() -> None:
    text = json.dumps({"Statement": [HEALTHY, {**PUBLIC, "Effect": "Deny", "Resource": f"{FUNCTION}:1"}]})

    assert access(text, app_instance_arn=APP, account_id=HOME, function_arn=FUNCTION) == FINE


@pytest.mark.parametrize(("excepted", "can"), [(LIVE, False), (f"{FUNCTION}:old", True)])
def test_what_not_resource_leaves_out_is_not_allowed(excepted: str, can: Any) -> None:
    statement = {**{name: HEALTHY[name] for name in HEALTHY if name != "Resource"}, "NotResource": excepted}
    text = json.dumps({"Statement": statement})

    assert access(text, app_instance_arn=APP, account_id=HOME, function_arn=LIVE).chime_can_invoke is can
