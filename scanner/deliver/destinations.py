"""Parses the destinations of deliveries, so that mistakes are found before anything is scanned."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from scanner.errors import UsageError

S3 = "s3://"
_MOST_KEY_BYTES = 1024
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_TARGETS = "Name the ARN of an SNS topic, or the https:// URL of a Slack webhook."


class S3Object(Struct, frozen=True):
    """A key in a bucket."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{S3}{self.bucket}/{self.key}"


class Topic(Struct, frozen=True):
    """An SNS topic."""

    arn: str
    region: str

    def __str__(self) -> str:
        return f"SNS topic {self.arn}"


class Webhook(Struct, frozen=True):
    """A webhook. Its URL is a secret, since whoever knows it may post there; only the host may be shown."""

    url: str
    host: str

    def __str__(self) -> str:
        return f"webhook {self.host}"

    __repr__ = __str__


Target = Topic | Webhook


def s3_object(value: str) -> S3Object:
    """Parse ``s3://bucket/key``.

    Raises:
        UsageError: the bucket's name is invalid, or the key is empty, names a folder or cannot be used.
    """
    bucket, _, key = value.removeprefix(S3).partition("/")
    if not _BUCKET.fullmatch(bucket):
        hint = "Write s3://BUCKET/KEY; the name of a bucket has 3 to 63 of a-z, 0-9, '-' and '.'."
        raise UsageError(f"{value}: {bucket!r} is not the name of a bucket", hint=hint)
    if not key or key.endswith("/"):
        raise UsageError(f"{value} names no object in the bucket", hint="Write s3://BUCKET/KEY.")
    if not key.isprintable() or len(key.encode()) > _MOST_KEY_BYTES:
        hint = f"A key has at most {_MOST_KEY_BYTES:,} bytes, and here no control characters."
        raise UsageError(f"{S3}{bucket}/...: the key cannot be used", hint=hint)
    return S3Object(bucket, key)


def target(value: str) -> Target:
    """Parse one value of ``--notify``. Error messages do not repeat what may be a secret.

    Raises:
        UsageError: it is neither the ARN of a topic nor the URL of a usable webhook.
    """
    topic = _TOPIC.fullmatch(value)
    if topic:
        return Topic(value, topic["region"])
    if value.startswith("arn:"):
        raise UsageError(
            f"--notify (or CHIMEAUDIT_NOTIFY): {value!r} is not the ARN of a standard SNS topic", hint=_TARGETS
        )
    url = _split(value)
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        hint = "Use https://; http:// goes only to this machine itself."
        raise UsageError(
            "--notify (or CHIMEAUDIT_NOTIFY): the URL of a webhook is a secret, which http:// would send in the clear",
            hint=hint,
        )
    return Webhook(value, url.hostname or "")


def _split(value: str) -> SplitResult:
    refused = UsageError(
        "--notify (or CHIMEAUDIT_NOTIFY): a target is neither the ARN of a topic nor the URL of a webhook",
        hint=_TARGETS,
    )
    try:
        url = urlsplit(value)
        _ = url.port  # raises ValueError if the port is invalid
    except ValueError:
        raise refused from None
    if url.scheme not in {"https", "http"} or not url.hostname or not value.isascii() or not value.isprintable():
        raise refused
    if "@" in url.netloc or " " in value:
        raise refused
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
