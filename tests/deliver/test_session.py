"""scanner.deliver.session: deliveries can send only their own operations."""

from __future__ import annotations

from typing import Any

import pytest

from scanner.aws.hardening import ALLOWED
from scanner.deliver import senders
from scanner.deliver.destinations import Topic
from scanner.deliver.notice import Notice
from scanner.deliver.session import DELIVERING, connect
from scanner.errors import ChimeauditError, OutputError
from scanner.model.operations import OBTAINING_CREDENTIALS
from tests.fake_aws import FakeAws


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("s3", "delete_object", {"Bucket": "bucket", "Key": "key"}),
        ("s3", "put_bucket_policy", {"Bucket": "bucket", "Policy": "{}"}),
        ("sns", "subscribe", {"TopicArn": "arn", "Protocol": "https"}),
        ("securityhub", "batch_update_findings", {"FindingIdentifiers": [{"Id": "i", "ProductArn": "p"}]}),
        ("chime-sdk-identity", "list_app_instances", {}),
        ("lambda", "invoke", {"FunctionName": "f"}),
    ],
)
def test_what_no_delivery_needs_is_stopped_before_it_is_sent(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, service: str, method: str, arguments: dict[str, Any]
) -> None:
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    client = connect().client(service, "us-east-1")

    with pytest.raises(ChimeauditError, match="refused to call"):
        getattr(client, method)(**arguments)

    assert not aws.calls


def test_what_scans_cannot_deliver_and_what_delivers_cannot_scan() -> None:
    assert ALLOWED & DELIVERING == OBTAINING_CREDENTIALS


@pytest.mark.usefixtures("incomplete_aws")
def test_a_topic_that_answers_without_a_message_id_is_a_failed_delivery() -> None:
    topic = Topic("arn:aws:sns:us-east-1:111122223333:audit", "us-east-1")

    with pytest.raises(OutputError, match=f"{topic} was not notified: the answer is malformed: it has no MessageId"):
        senders.publish(topic, Notice(headline="h", lines=()))
