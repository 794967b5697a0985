"""The AWS of deliveries: a session of its own, with the credentials that the AWS variables name, never the scanner's.

It is fenced as the scanner's is, to what deliveries send and nothing else.
"""

from __future__ import annotations

from scanner.collect.aws import Aws
from scanner.collect.failure import FailedCallError
from scanner.facets import OBTAINING_CREDENTIALS, Operation

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


def connect() -> Aws:
    """A connection for deliveries.

    Raises:
        UsageError: the AWS configuration cannot be read.
    """
    return Aws(allowed=DELIVERING)


def why(error: FailedCallError) -> str:
    """The code and the plain words. A scan's next step is not a delivery's, but what to allow is."""
    code, reason = error.explained
    what, _, step = reason.partition("; ")
    return f"{what}; {step} [{code}]" if step.startswith("allow ") else f"{what} [{code}]"
