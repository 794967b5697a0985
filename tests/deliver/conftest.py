from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scanner.render import Format, render
from scanner.simulator.server import SimulatedAWS, start
from tests.answers import client_variables
from tests.command import Ended, chimeaudit
from tests.deliver.incomplete_aws import IncompleteAws, serving
from tests.render import sample
from tests.simulator.conftest import Caller

Run = Callable[..., Ended]


@dataclass(frozen=True)
class Cloud:
    """A simulated AWS, and access to what was delivered to it."""

    aws: SimulatedAWS
    made: list[str] = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        return Caller.of(self.aws)

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"audit-{len(self.made)}"
        self.made.append(name)
        self.caller.client("s3").create_bucket(Bucket=name)
        return name

    def content(self, bucket: str, key: str) -> bytes:
        body: bytes = self.caller.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def topic(self) -> Topic:
        """A new topic with a queue that receives its messages."""
        name = f"topic-{len(self.made)}"
        self.made.append(name)
        sns, sqs = self.caller.client("sns"), self.caller.client("sqs")
        arn = sns.create_topic(Name=name)["TopicArn"]
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{self.aws.account_id}:{name}")
        return Topic(arn, sqs, queue)

    def findings(self, account: str, region: str) -> list[dict[str, Any]]:
        """The findings in Security Hub of an account and region."""
        caller = self.caller if account == self.aws.account_id else self.caller.assuming(account)
        pages = caller.at(region).client("securityhub").get_paginator("get_findings").paginate()
        return [finding for page in pages for finding in page["Findings"]]


@dataclass(frozen=True)
class Topic:
    arn: str
    sqs: Any
    queue: str

    def messages(self) -> list[dict[str, str]]:
        """The published messages, with SNS's names of their parts."""
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with start() as aws:
        yield Cloud(aws)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with saved reports."""
    for name, report in {"rich": sample.rich(), "clean": sample.clean(), "hostile": sample.hostile()}.items():
        (tmp_path / f"{name}.json").write_text("".join(render(report, Format.JSON)))
    return tmp_path


@pytest.fixture
def run(cloud: Cloud, home: Path) -> Run:
    """Run the command with the credentials of the simulated AWS."""

    def run(*arguments: str, **variables: str) -> Ended:
        return chimeaudit(*arguments, home=home, variables={**cloud.aws.environment, **variables})

    return run


@pytest.fixture
def incomplete_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[IncompleteAws]]:
    """The AWS of this process, which leaves things out of its answers."""
    with serving() as url:
        variables = {
            **client_variables(url),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield IncompleteAws


def one_line(ended: Ended, complaint: str) -> None:
    """Assert that the command printed this complaint in one line, a hint, and no traceback."""
    assert "Traceback" not in ended.stderr
    assert sum(complaint in line for line in ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("hint: ")
