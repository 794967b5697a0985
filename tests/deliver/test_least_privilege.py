"""The actions in the policies of docs/nightly.md are enough for each delivery, and one less is not.

moto distinguishes only some resources of these services, so here each statement is for all resources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends

from scanner.simulator.server import start
from tests.command import Ended, chimeaudit

ACCOUNT = "111122223333"
PAGE = (Path(__file__).parents[2] / "docs" / "nightly.md").read_text()
PLACES = {"BUCKET": "audit", "TOPIC": "audit", "REGION": "us-east-1", "ACCOUNT": ACCOUNT}
S3, SNS, HUB = (
    json.loads(re.sub("|".join(PLACES), lambda match: PLACES[match[0]], policy))
    for policy in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
)
DELIVERIES = {
    "s3": (S3, ["-o", "s3://audit/latest.json"]),
    "sns": (SNS, ["--notify", f"arn:aws:sns:us-east-1:{ACCOUNT}:audit"]),
    "securityhub": (HUB, ["--securityhub", "--delivery-role", "chimeaudit-delivery"]),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An AWS that enforces policies, with a bucket, a topic and the delivery role in each account."""
    with start(enforce_iam=True) as aws:
        s3_backends[ACCOUNT]["aws"].create_bucket("audit", "us-east-1")
        sns_backends[ACCOUNT]["us-east-1"].create_topic("audit")
        for account in ("444455556666", "777788889999", "888899990000"):
            iam = iam_backends[account]["aws"]
            iam.create_role("chimeaudit-delivery", "{}", "/", None, "", [], "3600")
            iam.put_role_policy("chimeaudit-delivery", "all", _without(HUB, ""))
        yield aws.url


def _without(policy: Any, action: str) -> str:
    statements = [
        {**each, "Action": [name for name in _actions(each) if name != action], "Resource": "*"}
        for each in policy["Statement"]
    ]
    return json.dumps({**policy, "Statement": [each for each in statements if each["Action"]]})


def _actions(statement: Any) -> list[str]:
    listed = statement["Action"]
    return [listed] if isinstance(listed, str) else listed


def _deliver(url: str, home: Path, policy: str, arguments: list[str]) -> Ended:
    """Deliver as a user with this policy."""
    iam = iam_backends[ACCOUNT]["aws"]
    name = f"user-{len(iam.users)}"
    iam.create_user("us-east-1", name)
    iam.put_user_policy(name, "deliver", policy)
    key = iam.create_access_key(name)
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }
    return chimeaudit("report", "rich.json", *arguments, home=home, variables=variables)


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_the_policy_is_enough(url: str, home: Path, delivery: str) -> None:
    policy, arguments = DELIVERIES[delivery]

    ended = _deliver(url, home, _without(policy, ""), arguments)

    assert ended.code == 0, ended.stderr


@pytest.mark.parametrize(
    ("delivery", "action"),
    [
        ("s3", "s3:PutObject"),
        ("sns", "sns:Publish"),
        ("securityhub", "securityhub:BatchImportFindings"),
        ("securityhub", "sts:AssumeRole"),
    ],
)
def test_without_one_of_its_actions_that_action_is_named(url: str, home: Path, delivery: str, action: str) -> None:
    policy, arguments = DELIVERIES[delivery]

    ended = _deliver(url, home, _without(policy, action), arguments)

    assert ended.code == 70
    assert f"allow {action} [" in ended.stderr
