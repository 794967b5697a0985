"""scanner.declared.serverless_functions: functions of the Serverless Framework are judged as what it makes of them."""

from __future__ import annotations

import pytest

from tests.declared.checking import Check, findings, where

FILE = """
service: chat
provider:
  name: aws
  runtime: nodejs12.x
  iam: {role: {statements: [{Effect: Allow, Action: "chime:ChannelFlowCallback", Resource: "*"}]}}
functions:
  mod-erate:
    handler: index.handler
resources:
  Resources:
    Chat: {Type: "AWS::Chime::AppInstance", Properties: {Name: chat}}
    Mine: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Statement: []}}}
    Flow:
      Type: AWS::Chime::ChannelFlow
      Properties:
        Name: moderated
        AppInstanceArn: !GetAtt Chat.AppInstanceArn
        Processors:
          - Name: one
            ExecutionOrder: 1
            FallbackAction: ABORT
            Configuration: {Lambda: {ResourceArn: !GetAtt ModDasherateLambdaFunction.Arn, InvocationType: ASYNC}}
"""
HANDLER = "handler: index.handler"
RULES = (
    "callback-not-allowed",
    "deprecated-lambda-runtime",
    "disabled-lambda",
    "no-failure-destination",
    "retries-off",
)
FUNCTIONS = "functions:\n  mod-erate:\n    handler: index.handler"
ELSEWHERE = "resources:\n  - ${file(functions.yml)}\n  - Resources:\n"


@pytest.mark.parametrize(
    ("old", "new", "failed", "unknown"),
    [
        ("", "", {"deprecated-lambda-runtime", "no-failure-destination"}, set()),
        (HANDLER, "runtime: python3.13", {"no-failure-destination"}, set()),
        (HANDLER, "image: x", {"no-failure-destination"}, set()),
        (HANDLER, "onError: arn:aws:sqs:us-east-1:111122223333:q", {"deprecated-lambda-runtime"}, set()),
        (HANDLER, "destinations: {onFailure: told}", {"deprecated-lambda-runtime"}, set()),
        (HANDLER, "destinations: {onFailure: {arn: !Ref Q, type: sqs}}", {"deprecated-lambda-runtime"}, set()),
        (HANDLER, "maximumRetryAttempts: 0", {*RULES} - {"callback-not-allowed", "disabled-lambda"}, set()),
        (HANDLER, "reservedConcurrency: 0", {*RULES} - {"callback-not-allowed", "retries-off"}, set()),
        (HANDLER, "role: Mine", {*RULES} - {"disabled-lambda", "retries-off"}, set()),
        (HANDLER, "role: !GetAtt Mine.Arn", {*RULES} - {"disabled-lambda", "retries-off"}, set()),
        (HANDLER, "role: ${env:ROLE}", {*RULES[1:]} - {"disabled-lambda", "retries-off"}, {"callback-not-allowed"}),
        (HANDLER, "iamRoleStatements: []", {*RULES[1:4:2]}, {"callback-not-allowed"}),
        (HANDLER, "runtime: ${env:RUNTIME}", {"no-failure-destination"}, {"deprecated-lambda-runtime"}),
        ("nodejs12.x", "${env:RUNTIME}", {"no-failure-destination"}, {"deprecated-lambda-runtime"}),
        ("iam: {role:", "iam: {other:", {*RULES} - {"disabled-lambda", "retries-off"}, set()),
        ("{statements: [", "{statements: ['${env:X}', ", {*RULES[1:4:2]}, {RULES[0]}),
        (
            "{role: {statements",
            "{role: {managedPolicies: ['${env:X}'], other",
            {*RULES[1:4:2]},
            {RULES[0]},
        ),
        ("resources:\n  Resources:\n", ELSEWHERE, set(), set()),
        ("resources:\n", "resources:\n  extensions: {ModDasherateLambdaFunction: {Properties: {}}}\n", set(), set()),
        (FUNCTIONS, "functions: ${file(functions.yml)}", set(), set()),
        (
            FUNCTIONS,
            "functions: {mod-erate: '${file(f.yml)}'}",
            set(),
            set(),
        ),
    ],
)
def test_a_function_is_judged_as_the_framework_makes_it(
    check: Check, old: str, new: str, failed: set[str], unknown: set[str]
) -> None:
    ended = check(serverless__yml=FILE.replace(old, new, 1))

    assert {*findings(ended)} & {*RULES} == failed, ended.stderr
    assert {*findings(ended, "unknown")} & {*RULES} == unknown, ended.stderr


def test_a_setting_of_all_functions_is_told_where_it_stands(check: Check) -> None:
    found = findings(check(serverless__yml=FILE))["deprecated-lambda-runtime"]["location"]

    assert (found["line"], found["column"]) == where(FILE, "nodejs12.x")


def test_a_provider_in_another_file_leaves_settings_open(check: Check) -> None:
    start, end = FILE.index("provider:"), FILE.index("functions:")

    ended = check(serverless__yml=f"{FILE[:start]}provider: ${{file(provider.yml)}}\n{FILE[end:]}")

    assert {*findings(ended)} & {*RULES} == {"no-failure-destination"}
    assert {*findings(ended, "unknown")} & {*RULES} == {"callback-not-allowed", "deprecated-lambda-runtime"}
