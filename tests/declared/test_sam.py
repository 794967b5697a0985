"""scanner.declared.sam: serverless functions are judged as the transform leaves them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.declared.checking import APP, Check, custom, findings, processor, request, template

CHANNELS = f"{APP}/channel/*"
CALLBACK = {"Statement": [{"Effect": "Allow", "Action": "chime:ChannelFlowCallback", "Resource": CHANNELS}]}
INVOKE = {"Action": "lambda:InvokeFunction", "Principal": "messaging.chime.amazonaws.com"}
ALIAS = {"Ref": "Moderate.Alias"}
LATEST = {"Fn::GetAtt": ["Moderate", "Arn"]}


def sam(function: Any = LATEST, shared: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A template with a serverless function that moderates; Chime may invoke what the processor names."""
    own = {"Handler": "a.b", "Runtime": "nodejs24.x", **properties}
    allowed = {"Type": "AWS::Lambda::Permission", "Properties": {**INVOKE, "FunctionName": function}}
    declared = template(
        Moderate={"Type": "AWS::Serverless::Function", "Properties": own},
        Allowed=allowed,
        Flow=custom("ChannelFlow", request(processor(function=function))),
    )
    globals_ = {"Globals": {"Function": shared}} if shared else {}
    return {**declared, "Transform": "AWS::Serverless-2016-10-31", **globals_}


ONLY = ("--select", "topic:lambda,callback-not-allowed,callback-role-too-broad,public-lambda-policy")
BARE = {"unpinned-lambda-version", "no-failure-destination", "callback-not-allowed"}
ALLOWED = BARE - {"callback-not-allowed"}
QUEUED = {"DestinationConfig": {"OnFailure": {"Type": "SQS"}}}


@pytest.mark.parametrize(
    ("declared", "failed"),
    [
        (sam(), BARE),
        (sam(Runtime="nodejs12.x"), BARE | {"deprecated-lambda-runtime"}),
        (sam(shared={"Runtime": "nodejs12.x"}), BARE),
        ({**sam(), "Globals": {"Function": {"ReservedConcurrentExecutions": 0}}}, BARE | {"disabled-lambda"}),
        (
            sam(DeadLetterQueue={"Type": "SQS", "TargetArn": "arn:aws:sqs:us-east-1:1:q"}),
            BARE - {"no-failure-destination"},
        ),
        (sam(EventInvokeConfig=QUEUED), BARE - {"no-failure-destination"}),
        (sam(EventInvokeConfig={"MaximumRetryAttempts": 0}), BARE | {"retries-off"}),
        (sam(Policies=CALLBACK), ALLOWED),
        (
            sam(Policies=["CloudWatchPutMetricPolicy", {"SQSPollerPolicy": {}}, CALLBACK]),
            BARE - {"callback-not-allowed"},
        ),
        (sam(Policies="AmazonChimeFullAccess"), (ALLOWED) | {"callback-role-too-broad"}),
        (sam(shared={"Policies": [CALLBACK]}, Policies=["AWSLambdaRole"]), ALLOWED),
        (sam(FunctionUrlConfig={"AuthType": "NONE"}), BARE | {"public-lambda-policy"}),
        (sam(ALIAS, AutoPublishAlias="live", Policies=CALLBACK), {"no-failure-destination"}),
        (sam({"Ref": "ModerateAliaslive"}, AutoPublishAlias="live", Policies=CALLBACK), {"no-failure-destination"}),
        (sam({"Fn::Sub": "${Moderate.Alias}"}, AutoPublishAlias="live", Policies=CALLBACK), {"no-failure-destination"}),
        (sam({"Ref": "Moderate.Version"}, AutoPublishAlias="live", Policies=CALLBACK), {"no-failure-destination"}),
        (
            sam(ALIAS, AutoPublishAlias="live", Policies=CALLBACK, EventInvokeConfig=QUEUED),
            set(),
        ),
    ],
)
def test_a_serverless_function_is_judged_as_after_the_transform(
    check: Check, declared: dict[str, Any], failed: set[str]
) -> None:
    ended = check(*ONLY, "--fail-on", "none", stack__json=declared)

    assert findings(ended).keys() - {"alias-to-latest"} == failed, ended.stderr


def test_a_serverless_function_with_its_own_role_is_judged_by_that(check: Check) -> None:
    declared = sam(Role={"Fn::GetAtt": ["Own", "Arn"]}, Policies=CALLBACK)
    declared["Resources"]["Own"] = {"Type": "AWS::IAM::Role", "Properties": {}}

    assert "callback-not-allowed" in findings(check(*ONLY, stack__json=declared))
