"""Verdicts on roles of signed-in users, compared with an evaluator that others wrote."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any

from msgspec import UNSET

from tests.policy import evaluator
from tests.policy.test_chat_roles import (
    ACCOUNT,
    APP,
    CHANNEL,
    FLOW,
    LIST,
    OWN,
    ROLE,
    SAMPLES,
    Json,
    allow,
    deny,
    document,
    judged,
    verdicts,
)

ME, OTHER = f"{APP}/user/me", f"{APP}/user/somebody"
THINGS = [f"{APP}/channel/c", f"{APP}/channel-flow/f"]
MOVE, UPDATE, CREATE = "chime:DisassociateChannelFlow", "chime:UpdateChannelFlow", "chime:CreateChannel"
ASKS = [
    *product([MOVE], [ME, OTHER, *THINGS]),
    *product([CREATE, LIST, "chime:SendChannelMessage"], [ME, OTHER]),
    (UPDATE, THINGS[1]),
]
FLOWS = "arn:aws:chime:*:*:app-instance/*/channel-flow/*"
EVERYWHERE = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}, "Bool": {"aws:SecureTransport": "true"}}
STATEMENTS: list[list[Json]] = [
    *(statements for statements, _ in SAMPLES),
    [allow("chime:*", "*"), {"Effect": "Deny", "Action": "chime:*", "NotResource": [OWN, CHANNEL]}],
    [allow("chime:*", "*"), deny("chime:*Flow", "*"), deny(LIST, f"{APP}/user/some*")],
    [{"Effect": "Allow", "NotAction": ["s3:*", "chime:Create*"], "NotResource": FLOWS}],
    [allow("*", "*", Condition=EVERYWHERE)],
    [allow("*", "*", Condition={"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-central-1"]}})],
    [allow(MOVE, OWN, CHANNEL), allow("chime:*Flow", FLOW)],
    [allow("chime:*", "arn:aws:chime:us-east-1:999922223333:*")],
]
_VARIABLE = re.compile(r"\$\{[^}]*\}")
CONTEXT = {"aws:SecureTransport": "true", "aws:RequestedRegion": "us-east-1", "aws:ResourceAccount": ACCOUNT}


def test_an_independent_evaluator_agrees_on_each_request() -> None:
    evaluator.required()
    cases: list[dict[str, Any]] = [
        {
            "identity": [json.loads(_VARIABLE.sub("me", document(*each)))],
            "principal": ROLE,
            "action": action,
            "resource": resource,
            "context": CONTEXT,
        }
        for each in STATEMENTS
        for action, resource in ASKS
    ]
    answers = iter(evaluator.allowed(cases))

    for each in STATEMENTS:
        may = {ask: next(answers) for ask in ASKS}
        acts = any(may[action, OTHER] for action in (MOVE, CREATE, LIST, "chime:SendChannelMessage"))
        removes = (may[MOVE, ME] or may[MOVE, OTHER]) and all(may[MOVE, thing] for thing in THINGS)
        opens = may[CREATE, ME] or may[CREATE, OTHER]
        found = verdicts(judged(*each))
        for mine, theirs in zip((*found[:2], found[3]), (acts, removes, opens), strict=True):
            assert mine in (theirs, UNSET), each
        assert not may[UPDATE, THINGS[1]] or found[2] is True, each
