"""Reports in S3: written whole and encrypted, and read back."""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from msgspec import Struct

from scanner.collect.failure import FailedCallError, calling
from scanner.deliver.places import S3Object
from scanner.deliver.session import connect, why
from scanner.errors import OutputError, UsageError

_IN_MEMORY = _PART = 8 << 20
# What is larger than a part is sent in parts, one after the other, each read from disk when its turn comes.
_TRANSFER = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, use_threads=False)


class Storing(Struct, frozen=True, kw_only=True):
    """How objects are stored. Without a KMS key, S3 encrypts with keys of its own (AES256)."""

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
        """Write an object, in place of the one that has its key. It is there as a whole, or not at all.

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
            with calling("s3", "PutObject"):
                client.upload_fileobj(file, to.bucket, to.key, ExtraArgs=arguments, Config=_TRANSFER)
        except UsageError as error:
            raise _unwritten(to, error.message) from None
        except FailedCallError as error:
            raise _unwritten(to, _explained(error)) from None

    def get(self, at: S3Object) -> bytes | None:
        """The object; None where the bucket has none of that key.

        Raises:
            UsageError: it cannot be read.
        """
        client = _client()
        try:
            with calling("s3", "GetObject"):
                body: bytes = client.get_object(Bucket=at.bucket, Key=at.key, **self._owner)["Body"].read()
        except FailedCallError as error:
            if _code(error) == "NoSuchKey":
                return None
            # S3 answers 403 for a key that is not there to those who may not list the bucket.
            hint = (
                "Mend that or the name; s3:ListBucket tells an object that is not there from one that may not be read."
            )
            raise UsageError(f"{at} cannot be read: {_explained(error)}", hint=hint) from None
        return body


def _client() -> Any:
    aws = connect()
    return aws.client("s3", aws.home_region)


def _explained(error: FailedCallError) -> str:
    return "there is no such bucket [NoSuchBucket]" if _code(error) == "NoSuchBucket" else why(error)


def _code(error: FailedCallError) -> str | None:
    return error.cause.response["Error"]["Code"] if isinstance(error.cause, ClientError) else None


def _unwritten(to: S3Object, reason: str) -> OutputError:
    return OutputError(f"the report {to} could not be written: {reason}", hint="Name another place with -o.")
