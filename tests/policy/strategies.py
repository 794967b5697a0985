"""Hypothesis strategies for policies in a small world, in which a few requests cover all cases."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from tests.policy.concrete import MESSAGING

Json = dict[str, Any]

EXAMPLES = settings(max_examples=int(os.environ.get("POLICY_EXAMPLES", "100")), deadline=None)
"""Set POLICY_EXAMPLES=5000 to try more examples."""

HOME, OTHER, NOBODY = "111111111111", "222222222222", "999999999999"
APP = f"arn:aws:chime:us-east-1:{HOME}:app-instance/own"
UNKNOWN = "a:unknown"


def one_or_more(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


def spelled(key: str) -> st.SearchStrategy[str]:
    return st.sampled_from([key, key.upper(), key.lower()])


def operators(*names: str) -> st.SearchStrategy[str]:
    plain = st.sampled_from([*names, *(name.lower() for name in names)])
    return (
        plain
        | plain.map("{}IfExists".format)
        | plain.map("ForAllValues:{}".format)
        | plain.map("ForAnyValue:{}".format)
    )


_TEXT = operators("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
_ARN = operators("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", "StringLike", "StringEquals", "StringNotLike")

ACCOUNTS = st.sampled_from([HOME, OTHER, "*", "?" * 12, "2*", "*2", "1*", "11111111111", f"?{HOME[1:]}"])
ARNS = st.sampled_from(
    [
        APP,
        f"{APP}/*",
        f"{APP}*",
        f"arn:aws:chime:us-east-1:{HOME}:app-instance/*",
        f"arn:aws:chime:*:{HOME}:app-instance/*",
        f"arn:aws:chime:*:{OTHER}:app-instance/other",
        f"arn:aws:chime:us-east-1:{OTHER}:*",
        "arn:aws:chime:*:*:app-instance/*",
        "arn:aws:chime:us-east-1:*:app-instance/own",
        "arn:aws:chime:*",
        "arn:aws:*",
        "arn:*",
        "arn:aws:*:*:*:*",
        "arn:aws:lambda:*:*:*",
        "*",
        "?*",
        f"*:{OTHER}:*",
        "*/other",
        "*o*",
    ]
)


def _clause(key: str, operator: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.builds(lambda op, name, value: {op: {name: value}}, operator, spelled(key), one_or_more(values))


def _null(key: str) -> st.SearchStrategy[Json]:
    return st.sampled_from([{"Null": {key: "true"}}, {"Null": {key: "false"}}, {"Null": {key: False}}])


def _bool(key: str) -> st.SearchStrategy[Json]:
    return st.sampled_from([{"Bool": {key: "true"}}, {"Bool": {key: False}}, {"BoolIfExists": {key: "true"}}])


_UNKNOWN = _clause(UNKNOWN, _TEXT, st.sampled_from(["x", "*"])) | _null(UNKNOWN)
_SOURCE = (
    _clause("aws:SourceAccount", _TEXT, ACCOUNTS)
    | _clause("aws:SourceArn", _ARN, ARNS)
    | _clause("aws:SourceOrgID", _TEXT, st.sampled_from(["o-mine", "*", "o-*"]))
    | _null("aws:SourceAccount")
    | _null("aws:SourceArn")
)
_STRANGER = (
    _clause("aws:PrincipalOrgID", _TEXT, st.sampled_from(["o-mine", "*", "o-*", "o-" + "?" * 10]))
    | _clause("aws:PrincipalAccount", _TEXT, st.sampled_from([OTHER, "*", "2*"]))
    | _clause(
        "aws:PrincipalArn",
        _ARN,
        st.sampled_from([f"arn:aws:iam::{OTHER}:role/x", "arn:aws:iam::*:role/admin*", "arn:aws:iam::*:user/*", "*"]),
    )
    | _clause("aws:SourceIp", operators("IpAddress", "NotIpAddress"), st.sampled_from(["0.0.0.0/0", "198.51.100.0/24"]))
    | _clause("aws:SourceVpce", _TEXT, st.sampled_from(["vpce-1", "*", "vpce-*", "vpce-0*"]))
    | _clause("lambda:FunctionUrlAuthType", _TEXT, st.sampled_from(["NONE", "AWS_IAM"]))
    | _bool("lambda:InvokedViaFunctionUrl")
    | _bool("aws:PrincipalIsAWSService")
    | _bool("aws:SecureTransport")
    | _null("aws:PrincipalOrgID")
)


def _together(clauses: list[Json]) -> Json:
    condition: Json = {}
    for clause in clauses:
        for operator, keys in clause.items():
            if not any(operator.lower() == known.lower() for known in condition):
                condition[operator] = keys
    return condition


def conditions(clauses: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.lists(clauses, max_size=3).map(_together)


def _statement(elements: Json, *more: Json) -> Json:
    return {name: value for part in (elements, *more) for name, value in part.items()}


def statements(*parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    effect = st.sampled_from([{"Effect": "Allow"}, {"Effect": "Allow"}, {"Effect": "Deny"}])
    return st.builds(_statement, effect, *parts)


def documents(statement: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.lists(statement, min_size=1, max_size=3).map(lambda each: {"Version": "2012-10-17", "Statement": each})


_PRINCIPALS: st.SearchStrategy[Json] = st.sampled_from(
    [
        *[{"Principal": {"Service": MESSAGING}}] * 4,
        *[{"Principal": "*"}] * 2,
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": [OTHER, f"arn:aws:iam::{OTHER}:root"]}},
        {"Principal": {"AWS": [f"arn:aws:iam::{OTHER}:role/x", HOME]}},
        {"Principal": {"Federated": f"arn:aws:iam::{OTHER}:saml-provider/x"}},
        {"Principal": {"Service": ["events.amazonaws.com", MESSAGING]}},
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"Service": "chime.amazonaws.com"}},
        {"Principal": {"Service": "*"}},
        {"NotPrincipal": {"AWS": OTHER}},
        {"NotPrincipal": {"Service": MESSAGING}},
    ]
)
_INVOCATIONS: st.SearchStrategy[Json] = st.sampled_from(
    [
        *[{"Action": "lambda:InvokeFunction"}] * 4,
        {"Action": "lambda:*"},
        {"Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]},
        {"Action": "lambda:Update*"},
        {"Action": ["lambda:GetFunction", "LAMBDA:invokefunctionurl"]},
        {"Action": "lambda:InvokeFunction?*"},
        {"NotAction": "lambda:InvokeFunctionUrl"},
        {"NotAction": ["lambda:Get*"]},
        {"Action": "s3:*"},
    ]
)
RESOURCE_POLICIES = documents(
    statements(
        _PRINCIPALS,
        _INVOCATIONS,
        conditions(_SOURCE | _SOURCE | _STRANGER | _UNKNOWN).map(lambda condition: {"Condition": condition}),
    )
)

_ACTIONS = one_or_more(
    st.sampled_from(
        [
            *["chime:ChannelFlowCallback"] * 3,
            "CHIME:channelflowcallback",
            "chime:ChannelFlowCallback*",
            "chime:ChannelFlow*",
            "chime:*Callback",
            "chime:ChannelFlowCallback?",
            "chime:Send*",
            "chime:?",
            "chime:??*",
            "chime:*",
            "*",
            "lambda:*",
            "*:*",
            "c*k",
        ]
    )
)
_RESOURCES = one_or_more(
    st.sampled_from(
        [
            "*",
            APP,
            *[f"{APP}/*"] * 3,
            f"{APP}/channel/*",
            f"{APP}/channel/??*",
            f"{APP}/channel/c",
            f"arn:aws:chime:us-east-1:{HOME}:app-instance/*",
            f"arn:aws:chime:us-east-1:{HOME}:appInstance/*",
            f"arn:aws:chime:us-east-1:{HOME}:*",
            "arn:aws:chime:*:*:app-instance/*",
            "arn:aws:chime:us-west-2:*:*",
            f"arn:aws:chime:*:{OTHER}:*",
            "arn:*",
            "*/channel/*",
            "*ing/*",
            "?",
            "arn:aws:s3:::bucket/*",
        ]
    )
)


def _choice(element: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.builds(lambda name, value: {name: value}, st.sampled_from([element] * 4 + [f"Not{element}"]), values)


_PLACE = (
    _clause("aws:RequestedRegion", _TEXT, st.sampled_from(["us-east-1", "us-west-2", "us-*"]))
    | _clause("aws:ResourceAccount", _TEXT, st.sampled_from([HOME, OTHER, "*"]))
    | _bool("aws:SecureTransport")
    | _bool("aws:ViaAWSService")
)
IDENTITY_POLICIES = documents(
    statements(
        _choice("Action", _ACTIONS),
        _choice("Resource", _RESOURCES),
        st.just({}) | conditions(_PLACE | _UNKNOWN).map(lambda condition: {"Condition": condition}),
    )
)
