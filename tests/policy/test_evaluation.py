from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from scanner.model.logic import Truth
from scanner.policy.evaluation import CHIME_MESSAGING, Request, allowed
from scanner.policy.globs import MANY, ONE
from scanner.policy.statements import read_policy

INVOKE = "lambda:InvokeFunction"
ALLOW: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": INVOKE}
DENY = {**ALLOW, "Effect": "Deny"}
HELD = {"Bool": {"a:true": "true"}}
FAILED = {"Bool": {"a:true": "false"}}
UNKNOWN = {"Bool": {"a:unknown": "true"}}


def judge(*statements: dict[str, Any], resource: str | None = None, service: str | None = CHIME_MESSAGING) -> Truth:
    policy = read_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    request = Request(service=service, action=INVOKE, resource=resource, context={"a:true": ("true",)})
    return allowed([policy], request)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param([ALLOW], True, id="allowed"),
        pytest.param([DENY], False, id="denied"),
        pytest.param([ALLOW, DENY], False, id="a denial wins"),
        pytest.param([DENY, ALLOW], False, id="a denial wins in any order"),
        pytest.param([ALLOW, {**DENY, "Condition": FAILED}], True, id="a denial that does not apply"),
        pytest.param([ALLOW, {**DENY, "Condition": UNKNOWN}], UNSET, id="a denial that may apply"),
        pytest.param([{**ALLOW, "Condition": UNKNOWN}, DENY], False, id="denied whether or not allowed"),
        pytest.param([{**ALLOW, "Condition": UNKNOWN}, ALLOW], True, id="allowed anyway"),
        pytest.param([{**ALLOW, "Condition": UNKNOWN}], UNSET, id="allowed perhaps"),
        pytest.param([{**ALLOW, "Condition": {**UNKNOWN, "StringEquals": {"a:true": "x"}}}], False, id="one fails"),
        pytest.param([{**ALLOW, "Action": "s3:*"}], False, id="another action"),
    ],
)
def test_statements_together(statements: list[dict[str, Any]], expected: Truth) -> None:
    assert judge(*statements) is expected


@pytest.mark.parametrize(
    ("element", "actions", "expected"),
    [
        ("Action", "LAMBDA:invokefunction", True),
        ("Action", "lambda:Invoke*", True),
        ("Action", "lambda:Invoke?unction", True),
        ("Action", "*", True),
        ("Action", "lambda:InvokeFunction?", False),
        ("Action", ["lambda:GetFunction", "lambda:*"], True),
        ("Action", "lambda:InvokeFunctionUrl", False),
        ("NotAction", "lambda:Get*", True),
        ("NotAction", ["lambda:Get*", "lambda:invoke*"], False),
        ("NotAction", "*", False),
    ],
)
def test_actions(element: str, actions: Any, expected: Truth) -> None:
    assert judge({"Effect": "Allow", "Principal": "*", element: actions}) is expected


@pytest.mark.parametrize(
    ("principal", "service", "stranger"),
    [
        ("*", True, True),
        ({"AWS": "*"}, True, True),
        ({"AWS": ["111111111111", "*"]}, True, True),
        ({"AWS": "111111111111"}, False, False),
        ({"AWS": "arn:aws:iam::111111111111:root"}, False, False),
        ({"AWS": "arn:aws:iam::*:root"}, UNSET, UNSET),
        ({"Service": CHIME_MESSAGING}, True, False),
        ({"Service": ["events.amazonaws.com", CHIME_MESSAGING]}, True, False),
        ({"Service": "events.amazonaws.com"}, False, False),
        ({"Service": "chime.amazonaws.com"}, UNSET, False),
        ({"Service": "*"}, UNSET, UNSET),
        ({"Service": "*.amazonaws.com"}, UNSET, UNSET),
        ({"Federated": "cognito-identity.amazonaws.com"}, False, False),
    ],
)
def test_principals(principal: Any, service: Truth, stranger: Truth) -> None:
    statement = {**ALLOW, "Principal": principal}

    assert judge(statement) is service
    assert judge(statement, service=None) is stranger


@pytest.mark.parametrize(
    ("principal", "service", "stranger"),
    [
        ({"AWS": "111111111111"}, True, True),
        ({"Service": CHIME_MESSAGING}, False, True),
        ("*", False, False),
        ({"Service": "chime.amazonaws.com"}, UNSET, True),
    ],
)
def test_everybody_but_some(principal: Any, service: Truth, stranger: Truth) -> None:
    statement = {"Effect": "Allow", "NotPrincipal": principal, "Action": INVOKE}

    assert judge(statement) is service
    assert judge(statement, service=None) is stranger


def test_a_denial_of_everybody_but_the_service_leaves_it_in() -> None:
    denial = {"Effect": "Deny", "NotPrincipal": {"Service": CHIME_MESSAGING}, "Action": "*"}

    assert judge(ALLOW, denial) is True
    assert judge(ALLOW, denial, service=None) is False


@pytest.mark.parametrize(
    ("element", "resources", "expected"),
    [
        ("Resource", "*", True),
        ("Resource", "app/*", True),
        ("Resource", "app/channel/*", True),
        ("Resource", "app/channel/?*", True),
        ("Resource", "app/channel/??*", UNSET),
        ("Resource", "app/channel/1", UNSET),
        ("Resource", "app/${aws:PrincipalTag/team}/*", UNSET),
        ("Resource", "app", False),
        ("Resource", ["other", "app/channel/*"], True),
        ("Resource", "APP/*", False),
        ("NotResource", "other/*", True),
        ("NotResource", "app/channel/1*", UNSET),
        ("NotResource", "app/*", False),
    ],
)
def test_resources_of_an_identity(element: str, resources: Any, expected: Truth) -> None:
    statement = {"Effect": "Allow", "Action": INVOKE, element: resources}

    assert judge(statement, resource=f"app/channel/{ONE}{MANY}") is expected


def test_an_identity_without_resources_is_outside_the_grammar() -> None:
    assert judge({"Effect": "Allow", "Action": INVOKE}, resource="app") is UNSET


def test_a_resources_own_policy_is_about_that_resource() -> None:
    assert judge({**ALLOW, "Resource": "arn:aws:lambda:us-east-1:111111111111:function:f"}) is True
    assert judge({**ALLOW, "NotResource": "arn:aws:lambda:us-east-1:111111111111:function:f"}) is UNSET


def test_an_unreadable_policy_is_unknown_but_a_denial_elsewhere_holds() -> None:
    request = Request(action=INVOKE, context={})
    allow, deny = (read_policy(json.dumps({"Statement": each})) for each in (ALLOW, DENY))

    assert allowed([UNSET], request) is UNSET
    assert allowed([UNSET, allow], request) is UNSET
    assert allowed([UNSET, deny], request) is False
