from __future__ import annotations

import pytest

from scanner.deliver.destinations import S3Object, Topic, Webhook, s3_object, target
from scanner.errors import UsageError


def test_a_bucket_and_a_key() -> None:
    assert s3_object("s3://audit/a/b c.json") == S3Object("audit", "a/b c.json")
    assert str(s3_object("s3://audit/a/b.json")) == "s3://audit/a/b.json"


@pytest.mark.parametrize(
    "value",
    [
        "s3://",
        "s3:///key.json",
        "s3://audit",
        "s3://audit/",
        "s3://audit/folder/",
        "s3://Audit/key.json",
        "s3://a/key.json",
        "s3://audit/\nkey.json",
        "s3://audit/\udcff.json",
        f"s3://audit/{'ü' * 513}",
    ],
)
def test_an_address_without_an_object_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="s3://"):
        s3_object(value)


def test_the_region_of_a_topic_is_in_its_arn() -> None:
    assert target("arn:aws-cn:sns:cn-north-1:111122223333:audit").region == "cn-north-1"  # type: ignore[union-attr]  # a topic


@pytest.mark.parametrize(
    "url", ["https://hooks.slack.com/services/T/B/x", "http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]/x"]
)
def test_a_webhook_never_shows_its_url(url: str) -> None:
    webhook = target(url)

    assert isinstance(webhook, Webhook)
    assert webhook.url == url
    assert "/x" not in f"{webhook} {webhook!r} {(webhook,)}"


@pytest.mark.parametrize(
    "value",
    [
        "http://hooks.slack.com/secret",
        "http://127.0.0.1.example.com/secret",
        "https:///secret",
        "https://user:secret@example.com/",
        "https://example.com:port/secret",
        "https://[::1/secret",
        "https://example.com/ü-secret",
        "https://example.com/a secret",
        "ftp://example.com/secret",
        "hooks.slack.com/secret",
        "",
    ],
)
def test_an_invalid_target_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        target(value)

    assert "secret" not in f"{caught.value.message}{caught.value.hint}".replace("is a secret", "")


def test_an_arn_of_another_kind_is_refused_and_repeated() -> None:
    with pytest.raises(UsageError, match="arn:aws:sns:us-east-1:1:audit"):
        target("arn:aws:sns:us-east-1:1:audit")


def test_equal_targets_are_one() -> None:
    arn = "arn:aws:sns:us-east-1:111122223333:audit"

    assert target(arn) == Topic(arn, "us-east-1")
