"""The AWS session of deliveries. It uses the credentials in the AWS variables, never those of a scan.

It is restricted to the operations that deliveries send, as a scan's session is to reading.
"""

from __future__ import annotations

from typing import Any

from scanner.aws.failure import FailedCallError, MalformedAnswerError
from scanner.aws.session import Aws
from scanner.model.operations import OBTAINING_CREDENTIALS, Operation
from scanner.store.journal import Role

_S3 = (
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CreateMultipartUpload",
    "GetObject",
    "HeadBucket",  # botocore sends it to find the region of a bucket
    "PutObject",
    "UploadPart",
)
DELIVERING = OBTAINING_CREDENTIALS | {
    *(Operation("s3", name) for name in _S3),
    Operation("sns", "Publish"),
    Operation("securityhub", "BatchImportFindings"),
}

# Members of every successful answer. Without them the answer is incomplete, or not from AWS.
_PROMISED = {
    "CompleteMultipartUpload": ("ETag",),
    "CreateMultipartUpload": ("UploadId",),
    "Publish": ("MessageId",),
    "PutObject": ("ETag",),
    "UploadPart": ("ETag",),
}


def connect() -> Aws:
    """Create the session for deliveries.

    Raises:
        UsageError: the AWS configuration cannot be read.
    """
    return Aws(allowed=DELIVERING)


def client(aws: Aws, service: str, region: str, role: Role | None = None) -> Any:
    """A client that treats an answer without the members that AWS promises as a failure.

    Raises:
        UsageError: the configuration leads to no endpoint.
    """
    made = aws.client(service, region, role=role)
    made.meta.events.register("after-call", _keep_promises)
    return made


def _keep_promises(**event: Any) -> None:
    parsed = event["parsed"]
    if event["http_response"].status_code >= 300 or "Error" in parsed:
        return
    lacking = [name for name in _PROMISED.get(event["model"].name, ()) if parsed.get(name) in (None, "")]
    if lacking:
        raise MalformedAnswerError(f"the answer is malformed: it has no {lacking[0]}")


def why(error: FailedCallError) -> str:
    """The reason and code of a failed call. Of its advice, which is for scans, only what to allow is kept."""
    code, reason = error.explained
    what, _, step = reason.partition("; ")
    return f"{what}; {step} [{code}]" if step.startswith("allow ") else f"{what} [{code}]"
