"""Policies of AddPermission: how many stay undecided, and whether an independent evaluator agrees."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from msgspec import UNSET, Struct, structs

from scanner.model.facts import FunctionAccess
from scanner.policy import NO_URL, FunctionUrl, access
from tests.policy import evaluator
from tests.policy.add_permission import (
    ACCOUNT,
    APP_INSTANCE,
    FUNCTION,
    ORGANIZATION,
    OTHER,
    ROLE,
    STRANGER,
    Json,
    policies,
)
from tests.policy.concrete import MESSAGING

FOREIGN = [APP_INSTANCE.replace(ACCOUNT, account) for account in (OTHER, STRANGER)]
PUBLIC_URL, SIGNED_URL = (FunctionUrl(exists=True, auth_types=(each,), needs_both=True) for each in ("NONE", "AWS_IAM"))
URLS = (NO_URL, PUBLIC_URL, SIGNED_URL)
CONTROL = "lambda:UpdateFunctionCode"


def judged(policy: Json, url: FunctionUrl) -> FunctionAccess:
    return access(json.dumps(policy), app_instance_arn=APP_INSTANCE, account_id=ACCOUNT, url=url)


def test_at_most_one_verdict_in_twenty_on_policies_of_add_permission_is_unknown() -> None:
    verdicts = [
        verdict
        for number, policy in enumerate(policies(300))
        for verdict in structs.asdict(judged(policy, URLS[number % len(URLS)])).values()
    ]

    assert verdicts.count(UNSET) <= len(verdicts) / 20


class Ask(Struct, frozen=True, kw_only=True):
    """A request by a service or an ARN; None is an unsigned one."""

    principal: str | None
    action: str = "lambda:InvokeFunction"
    context: dict[str, str]


def by_service(arn: str) -> Ask:
    return Ask(principal=MESSAGING, context={"aws:SourceArn": arn, "aws:SourceAccount": arn.split(":")[4]})


def by_member(principal: str, action: str = "lambda:InvokeFunction") -> Ask:
    organization = {"aws:PrincipalOrgID": ORGANIZATION} if STRANGER not in principal else {}
    return Ask(principal=principal, action=action, context={"aws:PrincipalArn": principal, **organization})


def by_url(principal: str | None, auth_type: str) -> tuple[Ask, Ask]:
    use, invoke = {"lambda:FunctionUrlAuthType": auth_type}, {"lambda:InvokedViaFunctionUrl": "true"}
    if principal is None:
        return (
            Ask(principal=None, action="lambda:InvokeFunctionUrl", context=use),
            Ask(principal=None, context=invoke),
        )
    own = by_member(principal).context
    return (
        Ask(principal=principal, action="lambda:InvokeFunctionUrl", context={**own, **use}),
        Ask(principal=principal, context={**own, **invoke}),
    )


STRANGERS = f"arn:aws:iam::{STRANGER}:role/any"
MEMBERS = [ROLE, f"arn:aws:iam::{OTHER}:role/any"]
ASKS: list[Ask] = [
    *map(by_service, [APP_INSTANCE, *FOREIGN]),
    *(by_member(each, action) for each in (STRANGERS, *MEMBERS) for action in ("lambda:InvokeFunction", CONTROL)),
    *by_url(None, "NONE"),
    *(ask for each in (STRANGERS, *MEMBERS) for ask in by_url(each, "AWS_IAM")),
]


def evaluated(documents: list[Json]) -> Iterator[list[bool]]:
    """The evaluator's verdicts on all of ASKS, for each policy."""
    cases = [
        {
            "policy": document,
            "principal": ask.principal,
            "action": ask.action,
            "resource": FUNCTION,
            "context": ask.context,
        }
        for document in documents
        for ask in ASKS
    ]
    answers = evaluator.allowed(cases)
    for start in range(0, len(answers), len(ASKS)):
        yield answers[start : start + len(ASKS)]


@pytest.fixture
def documents() -> list[Json]:
    evaluator.required()
    return policies(int(os.environ.get("ADD_PERMISSION_POLICIES", "40")))


def test_an_independent_evaluator_agrees_with_certain_verdicts(documents: list[Json]) -> None:
    for document, answers in zip(documents, evaluated(documents), strict=True):
        home, *foreign = answers[:3]
        invoke, control = answers[3:9:2], answers[4:9:2]
        anonymous = answers[9] and answers[10]
        signed = [use and via for use, via in zip(answers[11::2], answers[12::2], strict=True)]
        for url in URLS:
            found = judged(document, url)
            by_signed = signed if url is SIGNED_URL else [False] * len(signed)
            public = invoke[0] or by_signed[0] or (url is PUBLIC_URL and anonymous)
            members = any([*invoke[1:], *by_signed[1:]])

            assert found.chime_can_invoke in (home, UNSET), document
            assert found.chime_invoke_unconditioned in (foreign[1], UNSET), document
            assert found.public in (public, UNSET), document
            if found.foreign_app_instances == ():
                assert foreign[0] <= foreign[1], document
            if found.other_accounts is not UNSET:
                come_in = any(control) or (members and not public)
                assert bool(found.other_accounts) is come_in or (found.other_accounts and members), document
