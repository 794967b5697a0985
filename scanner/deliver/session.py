"""The AWS of deliveries: a session of its own, with the credentials that the AWS variables name, never the scanner's.

It is fenced as the scanner's is, to what deliveries send and nothing else.
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
    "HeadBucket",  # botocore asks where a bucket is when it was looked for in the wrong region
    "PutObject",
    "UploadPart",
)
DELIVERING = OBTAINING_CREDENTIALS | {
    *(Operation("s3", name) for name in _S3),
    Operation("sns", "Publish"),
    Operation("securityhub", "BatchImportFindings"),
}

# What AWS always sends with success. Without it something else answered, or not all of its answer came through.
_PROMISED = {
    "CompleteMultipartUpload": ("ETag",),
    "CreateMultipartUpload": ("UploadId",),
    "Publish": ("MessageId",),
    "PutObject": ("ETag",),
    "UploadPart": ("ETag",),
}


def connect() -> Aws:
    """A connection for deliveries.

    Raises:
        UsageError: the AWS configuration cannot be read.
    """
    return Aws(allowed=DELIVERING)


def client(aws: Aws, service: str, region: str, role: Role | None = None) -> Any:
    """A client that takes for success only an answer that has what AWS promises.

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
    """The code and the plain words. A scan's next step is not a delivery's, but what to allow is."""
    code, reason = error.explained
    what, _, step = reason.partition("; ")
    return f"{what}; {step} [{code}]" if step.startswith("allow ") else f"{what} [{code}]"
