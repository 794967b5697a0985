from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from scanner.model.logic import Truth
from scanner.policy.events import TAMPERING, failure_event, matches, tamper_events
from tests.policy.strategies import APP, EXAMPLES, HOME, OTHER

STATUS = "Chime ChannelFlow Processing Status"
FAILURE = "ProcessorInvocationFailure"
DOCUMENTED = {"source": ["aws.chime"], "detail-type": [STATUS], "detail": {"eventType": [FAILURE]}}


def ask(pattern: Any) -> Truth:
    text = pattern if pattern is None or isinstance(pattern, str) else json.dumps(pattern)
    return matches(text, failure_event(APP, HOME, "us-east-1"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(DOCUMENTED, True, id="as documented"),
        pytest.param({"source": ["aws.chime"]}, True, id="all of Chime"),
        pytest.param({"source": ["aws.s3"]}, False, id="another service"),
        pytest.param({"source": ["aws.s3", "aws.chime"]}, True, id="two services"),
        pytest.param({"source": ["AWS.chime"]}, False, id="text heeds case"),
        pytest.param({"source": ["aws.*"]}, False, id="an asterisk in text"),
        pytest.param({"source": [{"prefix": "aws."}]}, True, id="prefix"),
        pytest.param({"source": [{"prefix": ""}]}, True, id="an empty prefix"),
        pytest.param({"source": [{"prefix": "aws.s"}]}, False, id="another prefix"),
        pytest.param({"source": [{"prefix": {"equals-ignore-case": "AWS."}}]}, True, id="prefix in any case"),
        pytest.param({"detail-type": [{"suffix": "Status"}]}, True, id="suffix"),
        pytest.param({"detail-type": [{"suffix": {"equals-ignore-case": "STATUS"}}]}, True, id="suffix in any case"),
        pytest.param({"detail-type": [{"wildcard": "Chime *Status"}]}, True, id="wildcard"),
        pytest.param({"detail-type": [{"wildcard": "Chime \\*"}]}, False, id="an escaped wildcard"),
        pytest.param({"source": [{"equals-ignore-case": "AWS.CHIME"}]}, True, id="any case"),
        pytest.param({"source": [{"anything-but": "aws.s3"}]}, True, id="anything but"),
        pytest.param({"source": [{"anything-but": ["aws.s3", "aws.chime"]}]}, False, id="anything but these"),
        pytest.param({"source": [{"anything-but": {"prefix": "aws."}}]}, False, id="anything but a prefix"),
        pytest.param({"source": [{"anything-but": {"suffix": [".s3", ".ec2"]}}]}, True, id="anything but suffixes"),
        pytest.param({"source": [{"anything-but": {"wildcard": "*chime"}}]}, False, id="anything but a wildcard"),
        pytest.param({"source": [{"anything-but": {"numeric": ["=", 1]}}]}, UNSET, id="anything but what is unknown"),
        pytest.param({"source": [{"anything-but": []}]}, UNSET, id="anything but nothing"),
        pytest.param({"source": [{"exists": True}]}, True, id="exists"),
        pytest.param({"source": [{"exists": False}]}, False, id="exists not"),
        pytest.param({"source": [None]}, False, id="null"),
        pytest.param({"source": [1, True]}, False, id="numbers"),
        pytest.param({"source": [{"numeric": [">", 0]}]}, False, id="numeric"),
        pytest.param({"source": [{"cidr": "10.0.0.0/8"}]}, UNSET, id="cidr"),
        pytest.param({"source": [{"resembles": "aws"}]}, UNSET, id="an operator of the future"),
        pytest.param({"source": [{"prefix": "aws.", "suffix": "x"}]}, UNSET, id="two operators"),
        pytest.param({"source": []}, UNSET, id="no alternatives"),
        pytest.param({"source": "aws.chime"}, UNSET, id="no list"),
        pytest.param({"source": {"x": ["aws.chime"]}}, False, id="below a text"),
        pytest.param({"account": [HOME], "region": ["us-east-1"]}, True, id="own account and region"),
        pytest.param({"account": [OTHER]}, False, id="another account"),
        pytest.param({"region": ["us-west-2"]}, False, id="another region"),
        pytest.param({"resources": [APP]}, UNSET, id="resources"),
        pytest.param({"resources": [{"exists": False}]}, UNSET, id="resources exist not"),
        pytest.param({"detail": {"undocumented": ["x"]}}, UNSET, id="an undocumented field"),
        pytest.param({"source": ["aws.s3"], "detail": {"undocumented": ["x"]}}, False, id="one field decides"),
        pytest.param({"detail": {"eventType": ["Other"]}}, False, id="another event"),
        pytest.param({"detail": {"appInstanceArn": [APP]}}, True, id="the app instance"),
        pytest.param({"detail": {"appInstanceArn": [f"{APP}x"]}}, False, id="another app instance"),
        pytest.param({"detail": {"channelArn": [{"prefix": APP}]}}, True, id="all of its channels"),
        pytest.param({"detail": {"channelArn": [{"prefix": f"{APP}/channel/1"}]}}, UNSET, id="some of its channels"),
        pytest.param({"detail": {"channelArn": [{"prefix": f"{APP}/user"}]}}, False, id="none of its channels"),
        pytest.param({"detail": {"channelArn": [{"wildcard": "*/channel/*"}]}}, True, id="any channel"),
        pytest.param({"detail": {"processorResourceArn": ["arn"]}}, UNSET, id="one processor"),
        pytest.param({"detail": {"failureReason": [{"exists": True}]}}, True, id="any reason"),
        pytest.param({"detail": {"failureReason": [{"anything-but": "x"}]}}, UNSET, id="some reasons"),
        pytest.param({"detail": ["x"]}, UNSET, id="a list for an object"),
        pytest.param({"$or": [{"source": ["aws.s3"]}, {"detail-type": [STATUS]}]}, True, id="or"),
        pytest.param({"$or": [{"source": ["aws.s3"]}, {"region": ["us-west-2"]}]}, False, id="neither"),
        pytest.param({"source": ["aws.s3"], "$or": [{"region": ["us-east-1"]}]}, False, id="or is one of all"),
        pytest.param({"detail": {"$or": [{"eventType": [FAILURE]}, {"x": ["y"]}]}}, True, id="or inside"),
        pytest.param({"$or": []}, UNSET, id="or of nothing"),
        pytest.param(
            {"source": ["aws.lambda"], "$or": [{"source": ["aws.chime"]}, {"region": ["eu"]}]}, UNSET, id="or once more"
        ),
        pytest.param(
            {"detail": {"eventType": ["x"]}, "$or": [{"detail": {"eventType": [FAILURE]}}, {"region": ["eu"]}]},
            UNSET,
            id="or once more, deeper",
        ),
        pytest.param(
            {"detail": {"$or": [{"eventType": ["x"]}, {"y": ["z"]}]}, "$or": [{"detail": {"eventType": [FAILURE]}}]},
            UNSET,
            id="or of or",
        ),
        pytest.param(
            {"source": ["aws.chime"], "$or": [{"detail": {"eventType": [FAILURE]}}, {"detail": {"eventType": ["x"]}}]},
            True,
            id="alternatives of one field",
        ),
        pytest.param({}, UNSET, id="empty"),
        pytest.param([], UNSET, id="no object"),
        pytest.param("{", UNSET, id="no JSON"),
        pytest.param(None, False, id="a schedule"),
    ],
)
def test_patterns(pattern: Any, expected: Truth) -> None:
    assert ask(pattern) is expected


CLOUDTRAIL = {"detail-type": ["AWS API Call via CloudTrail"]}


def names(*called: str, **detail: Any) -> dict[str, Any]:
    """The pattern that AWS documents for calls in CloudTrail."""
    return {"source": ["aws.chime"], **CLOUDTRAIL, "detail": {"eventName": list(called), **detail}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(names(*TAMPERING, eventSource=["chime.amazonaws.com"]), [True] * 3, id="as documented"),
        pytest.param({"source": ["aws.chime"]}, [True] * 3, id="all of Chime"),
        pytest.param(CLOUDTRAIL, [True] * 3, id="all of CloudTrail"),
        pytest.param(names("DisassociateChannelFlow"), [True, False, False], id="one call"),
        pytest.param(names("UpdateChannelFlow", "DeleteChannelFlow"), [False, True, True], id="two calls"),
        pytest.param({"detail": {"eventName": [{"suffix": "ChannelFlow"}]}}, [True] * 3, id="suffix"),
        pytest.param({"detail": {"eventName": [{"prefix": "Delete"}]}}, [False, False, True], id="prefix"),
        pytest.param(names(*TAMPERING, eventSource=["s3.amazonaws.com"]), [False] * 3, id="another service"),
        pytest.param(names(*TAMPERING, errorCode=[{"exists": False}]), [True] * 3, id="calls that succeed"),
        pytest.param(names(*TAMPERING, errorCode=[{"exists": True}]), [False] * 3, id="calls that fail"),
        pytest.param(names(*TAMPERING, errorCode=["AccessDenied"]), [False] * 3, id="calls that are denied"),
        pytest.param(names(*TAMPERING, requestParameters={"channelFlowArn": [APP]}), [UNSET] * 3, id="some flows"),
        pytest.param(names(*TAMPERING, userIdentity={"arn": ["x"]}), [UNSET] * 3, id="some callers"),
        pytest.param({**CLOUDTRAIL, "detail": {"userIdentity": {"type": ["Root"]}}}, [False] * 3, id="the root user"),
        pytest.param(names(*TAMPERING, readOnly=[False]), [True] * 3, id="calls that write"),
        pytest.param(names(*TAMPERING, readOnly=[True]), [False] * 3, id="calls that read"),
        pytest.param(names(*TAMPERING, readOnly=["false", 0]), [False] * 3, id="no truth value"),
        pytest.param(names(*TAMPERING, readOnly=[{"exists": True}]), [True] * 3, id="a truth value exists"),
        pytest.param(names(*TAMPERING, readOnly=[{"anything-but": "x"}]), [UNSET] * 3, id="anything but text"),
        pytest.param(
            names(*TAMPERING, errorCode=[{"anything-but": "x"}]), [False] * 3, id="anything but what is not there"
        ),
        pytest.param(DOCUMENTED, [False] * 3, id="failures"),
        pytest.param(None, [False] * 3, id="a schedule"),
    ],
)
def test_patterns_on_calls_that_tamper_with_flows(pattern: Any, expected: list[Truth]) -> None:
    text = None if pattern is None else json.dumps(pattern)

    assert [matches(text, event) for event in tamper_events(HOME, "us-east-1")[::2]] == expected
    assert [matches(text, event) for event in tamper_events(HOME, "us-east-1")[1::2]] == expected


_VALUES = st.sampled_from(["aws.chime", "aws.s3", STATUS, FAILURE, APP, 1, None, True])
_OPERATORS = st.dictionaries(
    st.sampled_from(
        ["prefix", "suffix", "wildcard", "anything-but", "exists", "equals-ignore-case", "numeric", "cidr"]
    ),
    st.recursive(_VALUES, lambda each: st.lists(each) | st.dictionaries(st.sampled_from(["prefix", "x"]), each)),
    max_size=2,
)
_FIELDS = st.sampled_from(["source", "detail-type", "detail", "eventType", "channelArn", "resources", "$or"])
_PATTERNS = st.recursive(
    _VALUES | _OPERATORS, lambda each: st.lists(each, max_size=3) | st.dictionaries(_FIELDS, each, max_size=3)
)


@EXAMPLES
@given(_PATTERNS.map(json.dumps) | st.text())
def test_no_pattern_raises(pattern: str) -> None:
    assert ask(pattern) in (True, False, UNSET)


def test_a_long_pattern_is_judged_in_time() -> None:
    assert ask({"detail": {"channelArn": [{"wildcard": "*a" * 10_000}]}}) is UNSET
