"""The stack that scans every night: its templates, and the command of its task."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.deliver.session import DELIVERING
from scanner.model.operations import ORGANIZATION
from tests.command import chimeaudit
from tests.deliver.conftest import Cloud, Run
from tests.demo import SMALL
from tests.deploy.template import DEPLOY, load, resolved

NIGHTLY = load("nightly.yaml")["Resources"]
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_cloudformation_accepts_the_templates(tmp_path: Path) -> None:
    role = tmp_path / "audit-role.json"
    role.write_text(chimeaudit("iam", "role", home=tmp_path).stdout)
    linter = Path(sys.executable).with_name("cfn-lint")

    ended = subprocess.run([linter, *sorted(DEPLOY.glob("*.yaml")), role], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def command(cloud: Cloud, *, security_hub: bool) -> tuple[list[str], str, Any]:
    """The command of the task, with a bucket and a topic of the simulated AWS."""
    bucket, topic = cloud.bucket(), cloud.topic()
    names = {
        "AuditRoleName": "chimeaudit",
        "AuditExternalId": "an-external-id",
        "DeliveryRoleName": "chimeaudit-delivery",
        "DeliveryExternalId": "another-id",
        "Bucket": bucket,
        "Topic": topic.arn,
        "Key.Arn": KEY,
        "AWS::AccountId": cloud.aws.account_id,
    }
    (container,) = NIGHTLY["Task"]["Properties"]["ContainerDefinitions"]
    return resolved(container["Command"], names, {"HasSecurityHub": security_hub}), bucket, topic


def test_the_nights_of_the_stack_find_notify_and_keep_a_baseline(cloud: Cloud, run: Run) -> None:
    arguments, bucket, topic = command(cloud, security_hub=True)

    first, second = (run(*arguments, *SMALL) for _ in range(2))

    assert (first.code, second.code) == (1, 0), first.stderr + second.stderr
    assert json.loads(cloud.content(bucket, "latest.json"))["findings"]
    assert b"<html" in cloud.content(bucket, "latest.html")
    head = cloud.caller.client("s3").head_object(Bucket=bucket, Key="latest.html")
    assert head["SSEKMSKeyId"] == KEY
    assert len(topic.messages()) == 1
    assert cloud.findings("333344445555", "eu-central-1")
    (event,) = re.findall(r'\$\.event = "(\w+)"', NIGHTLY["ReportWritten"]["Properties"]["FilterPattern"])
    for night in (first, second):
        events = [json.loads(line)["event"] for line in night.stderr.splitlines()]
        assert events.count(event) == 1, "what counts the reports finds no line"


def test_a_night_without_a_report_does_not_count(cloud: Cloud, run: Run) -> None:
    arguments, *_ = command(cloud, security_hub=False)
    arguments[arguments.index("--notify") + 1] = "arn:aws:sns:us-east-1:111122223333:no-such-topic"

    ended = run(*arguments, *SMALL)

    assert ended.code == 70
    assert '"succeeded"' not in ended.stderr


def test_without_security_hub_it_imports_nothing(cloud: Cloud) -> None:
    arguments, *_ = command(cloud, security_hub=False)

    assert not any("hub" in argument or "delivery" in argument for argument in arguments)


def statements(resource: str) -> Iterator[dict[str, Any]]:
    for policy in NIGHTLY[resource]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield statement.get("Fn::If", [None, statement])[1]


def actions(resource: str) -> set[str]:
    listed = (statement["Action"] for statement in statements(resource))
    return {action for each in listed for action in ([each] if isinstance(each, str) else each)}


def test_the_task_may_do_what_it_does_and_no_more() -> None:
    delivering = {operation.action for operation in DELIVERING if operation.service in {"sns", "securityhub"}}

    assert actions("TaskRole") == {
        *(operation.action for operation in ORGANIZATION),
        *delivering,
        "sts:AssumeRole",
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }


@pytest.mark.parametrize("role", ["TaskRole", "ExecutionRole", "SchedulerRole"])
def test_no_role_has_more_than_it_names(role: str) -> None:
    everywhere = {"ecr:GetAuthorizationToken", *(operation.action for operation in ORGANIZATION)}

    assert not any("*" in action for action in actions(role))
    for statement in statements(role):
        if statement["Resource"] == "*":
            listed = statement["Action"]
            assert {listed} if isinstance(listed, str) else set(listed) <= everywhere


def test_nothing_is_public_and_everything_is_encrypted() -> None:
    bucket = NIGHTLY["Bucket"]["Properties"]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (container,) = NIGHTLY["Task"]["Properties"]["ContainerDefinitions"]

    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert NIGHTLY["Topic"]["Properties"]["KmsMasterKeyId"] == NIGHTLY["Log"]["Properties"]["KmsKeyId"]
    assert NIGHTLY["Log"]["Properties"]["RetentionInDays"]
    assert "SecurityGroupIngress" not in NIGHTLY["SecurityGroup"]["Properties"]
    assert container["ReadonlyRootFilesystem"] is True
    assert "Environment" not in container, "a webhook comes from a secret"


NAMES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "111122223333",
    "AuditRoleName": "chimeaudit",
    "DeliveryRoleName": "chimeaudit-delivery",
    "OrganizationId": "o-exampleorgid",
    "ImageRepositoryArn": "arn:aws:ecr:eu-west-1:444455556666:repository/team/chimeaudit",
    "WebhookSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:hook",
    "Bucket.Arn": "arn:aws:s3:::audit",
    "Repository.Arn": "arn:aws:ecr:us-east-1:111122223333:repository/own",
    **{name: f"arn:aws:x:us-east-1:111122223333:{name}" for name in ("Topic", "Key.Arn", "Log.Arn")},
}
ALL = dict.fromkeys(("OwnRepository", "PullsFromEcr", "HasOrganization", "HasSecurityHub", "HasWebhook"), True)


def allowed(resource: str, **conditions: bool) -> dict[str, list[tuple[str, Any]]]:
    """Action -> the resources and conditions with which the role may do it, in a stack with these conditions."""
    policies = resolved(
        NIGHTLY[resource]["Properties"]["Policies"], NAMES, {**ALL, "HasImageRepository": False, **conditions}
    )
    found: dict[str, list[tuple[str, Any]]] = {}
    for statement in (each for policy in policies for each in policy["PolicyDocument"]["Statement"]):
        actions, resources = (
            [value] if isinstance(value, str) else value for value in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            found.setdefault(action, []).extend((each, statement.get("Condition")) for each in resources)
    return found


def test_the_task_reads_the_baseline_alone_and_writes_its_two_reports() -> None:
    may = allowed("TaskRole")
    reports = ["arn:aws:s3:::audit/latest.json", "arn:aws:s3:::audit/latest.html"]

    assert may["s3:GetObject"] == [(reports[0], None)]
    for action in ("s3:PutObject", "s3:AbortMultipartUpload"):
        assert may[action] == [(each, None) for each in reports]


def test_the_task_enters_no_account_of_another_organisation_than_the_one_that_is_named() -> None:
    roles = [f"arn:aws:iam::*:role/{name}" for name in ("chimeaudit", "chimeaudit-delivery")]
    only = {"StringEquals": {"aws:ResourceOrgID": "o-exampleorgid"}}

    assert allowed("TaskRole")["sts:AssumeRole"] == [(role, only) for role in roles]
    assert allowed("TaskRole", HasOrganization=False)["sts:AssumeRole"] == [(role, None) for role in roles]


@pytest.mark.parametrize(
    ("conditions", "repositories"),
    [
        ({}, [NAMES["Repository.Arn"]]),
        ({"OwnRepository": False, "HasImageRepository": True}, [NAMES["ImageRepositoryArn"]]),
        ({"OwnRepository": False, "PullsFromEcr": False}, []),
    ],
)
def test_the_image_is_pulled_from_its_own_repository(conditions: dict[str, bool], repositories: list[str]) -> None:
    may = allowed("ExecutionRole", **conditions)

    assert ("ecr:GetAuthorizationToken" in may) == bool(repositories)
    for action in ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        assert [resource for resource, _ in may.get(action, [])] == repositories


@pytest.mark.parametrize("role", ["TaskRole", "ExecutionRole", "SchedulerRole"])
def test_a_service_takes_a_role_for_this_account_alone(role: str) -> None:
    statement = NIGHTLY[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_alarm_watches_our_schedule_and_no_other_of_the_account() -> None:
    (dimension,) = NIGHTLY["NightNotBegun"]["Properties"]["Dimensions"]

    assert NIGHTLY["Nightly"]["Properties"]["GroupName"] == {"Ref": "ScheduleGroup"}
    assert dimension == {"Name": "ScheduleGroup", "Value": {"Ref": "ScheduleGroup"}}
    assert NIGHTLY["ScheduleGroup"]["Type"] == "AWS::Scheduler::ScheduleGroup"


def test_a_report_that_was_not_written_for_longer_than_a_night_raises_an_alert() -> None:
    alarm, metric = (NIGHTLY[name]["Properties"] for name in ("ReportTooOld", "ReportWritten"))
    (counted,) = metric["MetricTransformations"]
    hours = load("nightly.yaml")["Parameters"]["ReportHours"]

    assert (counted["MetricNamespace"], counted["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    assert (alarm["TreatMissingData"], alarm["Period"]) == ("breaching", 3600)
    assert alarm["EvaluationPeriods"] == {"Ref": "ReportHours"}
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
    assert 24 + 6 < hours["Default"] < 48, "a day and the longest night"


def test_the_exit_codes_that_are_no_result_raise_an_alert() -> None:
    detail = NIGHTLY["NightFailed"]["Properties"]["EventPattern"]["detail"]

    assert detail["$or"] == [
        {"containers": {"exitCode": [{"anything-but": [0, 1, 3]}]}},
        {"stopCode": ["TaskFailedToStart"]},
    ]


def test_the_delivery_role_imports_findings_of_its_own_account_alone() -> None:
    role = load("delivery-role.yaml")["Resources"]["DeliveryRole"]["Properties"]
    (policy,) = role["Policies"]

    assert policy["PolicyDocument"]["Statement"] == {
        "Effect": "Allow",
        "Action": "securityhub:BatchImportFindings",
        "Resource": {
            "Fn::Sub": "arn:${AWS::Partition}:securityhub:*:${AWS::AccountId}:product/${AWS::AccountId}/default"
        },
    }
    assert role["AssumeRolePolicyDocument"]["Statement"]["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}
    }
