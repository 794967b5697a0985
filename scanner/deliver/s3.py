"""Writes reports to S3, encrypted, and reads them back."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from msgspec import Struct

from scanner.aws.failure import FailedCallError, calling, containing
from scanner.deliver.destinations import S3Object
from scanner.deliver.session import client, connect, why
from scanner.errors import OutputError, UsageError

_IN_MEMORY = _PART = 8 << 20
_ATTEMPTS = 3
_BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
# Larger objects are sent in parts, one after the other, so that only one part is in memory.
_TRANSFER = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, use_threads=False)


class Storing(Struct, frozen=True, kw_only=True):
    """How objects are stored. Without a KMS key, S3 encrypts with its own keys (AES256)."""

    kms_key: str | None = None
    bucket_owner: str | None = None

    @property
    def _owner(self) -> dict[str, str]:
        return {"ExpectedBucketOwner": self.bucket_owner} if self.bucket_owner else {}

    @property
    def _encryption(self) -> dict[str, str]:
        if self.kms_key:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        return {"ServerSideEncryption": "AES256"}

    def put(self, to: S3Object, pieces: Iterable[bytes], content_type: str) -> None:
        """Write an object, replacing one of the same key. It is written as a whole, or not at all.

        Raises:
            OutputError: it could not be written.
        """
        with SpooledTemporaryFile(_IN_MEMORY) as file:
            try:
                file.writelines(pieces)
                file.seek(0)
            except OSError as error:
                raise _unwritten(to, f"there is no room for it on the way: {error.strerror}") from None
            self._upload(to, file, {"ContentType": content_type, **self._encryption, **self._owner})

    def _upload(self, to: S3Object, file: IO[bytes], arguments: dict[str, str]) -> None:
        try:
            client = _client()
            with containing("PutObject"), calling("s3", "PutObject"):
                client.upload_fileobj(file, to.bucket, to.key, ExtraArgs=arguments, Config=_TRANSFER)
        except UsageError as error:
            raise _unwritten(to, error.message) from None
        except FailedCallError as error:
            raise _unwritten(to, self._explained(error, client, to)) from None

    def get(self, at: S3Object) -> bytes | None:
        """Read an object; None if the bucket has no object of that key.

        Raises:
            UsageError: the object cannot be read.
        """
        client = _client()
        try:
            return self._read(client, at)
        except FailedCallError as error:
            if _code(error) == "NoSuchKey":
                return None
            # Without permission to list the bucket, S3 answers 403 for a key that does not exist.
            hint = (
                "Mend that or the name; s3:ListBucket tells an object that is not there from one that may not be read."
            )
            raise UsageError(f"{at} cannot be read: {self._explained(error, client, at)}", hint=hint) from None

    def _read(self, client: Any, at: S3Object, attempts: int = _ATTEMPTS) -> bytes:
        """Read a whole object, again if the answer breaks off."""
        try:
            with calling("s3", "GetObject"):
                body: bytes = client.get_object(Bucket=at.bucket, Key=at.key, **self._owner)["Body"].read()
        except FailedCallError as error:
            if attempts == 1 or not isinstance(error.cause, _BROKEN_OFF):
                raise
            return self._read(client, at, attempts - 1)
        return body

    def _explained(self, error: FailedCallError, client: Any, at: S3Object) -> str:
        if _code(error) == "NoSuchBucket":
            return "there is no such bucket [NoSuchBucket]"
        if isinstance(error.cause, _BROKEN_OFF):
            return f"it broke off on the way, {_ATTEMPTS} times"
        if self.bucket_owner and _status(error) == HTTPStatus.FORBIDDEN:
            return f"{self._whose(client, at.bucket)} [{_code(error)}]"
        return why(error)

    def _whose(self, client: Any, bucket: str) -> str:
        """Why access was denied. S3's error is the same for a bucket of another account and a missing permission."""
        others = f"the bucket belongs to another account than {self.bucket_owner}, which --s3-bucket-owner names"
        if not _is_there(client, Bucket=bucket):
            return f"access denied; either {others}, or s3:PutObject and s3:GetObject are not allowed"
        if not _is_there(client, Bucket=bucket, **self._owner):
            return others
        return "access denied; allow s3:PutObject and s3:GetObject"


def _client() -> Any:
    aws = connect()
    return client(aws, "s3", aws.home_region)


def _is_there(client: Any, **bucket: str) -> bool:
    try:
        with calling("s3", "HeadBucket"):
            client.head_bucket(**bucket)
    except FailedCallError:
        return False
    return True


def _status(error: FailedCallError) -> int:
    cause = error.cause
    return cause.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(cause, ClientError) else 0


def _code(error: FailedCallError) -> str | None:
    return error.cause.response["Error"]["Code"] if isinstance(error.cause, ClientError) else None


def _unwritten(to: S3Object, reason: str) -> OutputError:
    return OutputError(f"the report {to} could not be written: {reason}", hint="Name another place with -o.")
