"""Reports in S3: the installed command with a simulated AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.deliver.destinations import S3Object
from scanner.deliver.s3 import Storing
from scanner.errors import OutputError, UsageError
from scanner.render import Format, render
from tests.deliver.conftest import Cloud, Run, one_line
from tests.deliver.incomplete_aws import IncompleteAws
from tests.render import sample

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_reports_are_written_encrypted_with_the_type_of_their_format(cloud: Cloud, run: Run, home: Path) -> None:
    bucket = cloud.bucket()
    places = [f"s3://{bucket}/r.json", f"s3://{bucket}/deep/er/r.html", f"asff:s3://{bucket}/findings", "local.md"]

    ended = run("report", "rich.json", *(f"-o{place}" for place in places))

    assert ended.code == 0, ended.stderr
    assert f"Report    s3://{bucket}/r.json" in ended.stderr
    assert cloud.content(bucket, "r.json") == (home / "rich.json").read_bytes()
    assert json.loads(cloud.content(bucket, "findings"))
    assert (home / "local.md").exists()
    head = cloud.caller.client("s3").head_object(Bucket=bucket, Key="deep/er/r.html")
    assert (head["ServerSideEncryption"], head["ContentType"]) == ("AES256", "text/html; charset=utf-8")


def test_a_kms_key_is_used_where_one_is_named(cloud: Cloud, run: Run) -> None:
    bucket = cloud.bucket()

    ended = run("report", "rich.json", "-o", f"s3://{bucket}/r.json", "--s3-kms-key", KEY)

    assert ended.code == 0, ended.stderr
    head = cloud.caller.client("s3").head_object(Bucket=bucket, Key="r.json")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)


def test_an_object_is_replaced_as_a_whole(cloud: Cloud, run: Run, home: Path) -> None:
    bucket = cloud.bucket()

    for name in ("rich", "clean"):
        assert run("report", f"{name}.json", "-o", f"s3://{bucket}/r.json").code == 0

    assert cloud.content(bucket, "r.json") == (home / "clean.json").read_bytes()


def test_70_where_one_cannot_be_written_and_the_others_are(cloud: Cloud, run: Run) -> None:
    bucket = cloud.bucket()

    ended = run("report", "rich.json", "-o", "s3://no-such-bucket/r.json", "-o", f"s3://{bucket}/r.json")

    assert ended.code == 70
    one_line(ended, "s3://no-such-bucket/r.json could not be written: there is no such bucket [NoSuchBucket]")
    assert cloud.content(bucket, "r.json")


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "[NoCredentials]"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}, "could not be reached"),
        ({"AWS_ENDPOINT_URL": "nowhere"}, "Invalid endpoint: nowhere"),
        ({"AWS_PROFILE": "nobody"}, "profile (nobody) could not be found"),
    ],
)
def test_70_where_aws_cannot_be_spoken_to(run: Run, variables: dict[str, str], complaint: str) -> None:
    ended = run("report", "rich.json", "-o", "s3://audit/r.json", **variables)

    assert ended.code == 70
    one_line(ended, "the report s3://audit/r.json could not be written")
    one_line(ended, complaint)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-o", "s3://Bad_Bucket/r.json"], "'Bad_Bucket' is not the name of a bucket"),
        (["-o", "json:s3://audit/"], "names no object"),
        (["-o", "s3://audit/r.pdf"], "'pdf' is not a format"),
        (["-o", "s3://audit/r"], "names no format"),
        (["-o", "s3://audit/r.json", "-o", "s3://audit/r.json"], "2 reports go to s3://audit/r.json"),
        (["-o", "r.json", "--s3-kms-key", KEY], "none goes there"),
        (["-o", "s3://audit/r.json", "--s3-kms-key", "a key"], "'a key' is not the id, alias or ARN"),
        (["-o", "s3://audit/r.json", "--s3-bucket-owner", "me"], "'me' is not an account id"),
    ],
)
def test_2_before_anything_is_read_for_an_invalid_destination(run: Run, arguments: list[str], complaint: str) -> None:
    for command in (["report", "no-such-report.json"], ["scan", "--demo"]):
        ended = run(*command, *arguments)

        assert ended.code == 2
        assert complaint in ended.error


def test_a_report_is_read_back(cloud: Cloud, run: Run) -> None:
    bucket = cloud.bucket()
    run("report", "rich.json", "-o", f"s3://{bucket}/r.json")

    assert run("report", f"s3://{bucket}/r.json", "-o", "json:-").report["findings"]
    assert run("diff", f"s3://{bucket}/r.json", "clean.json").code in {0, 3}


@pytest.mark.parametrize(
    ("key", "complaint"), [("missing.json", "there is no such object"), ("r.md", "is not JSON, or not all of it")]
)
def test_2_for_what_is_no_report_in_s3(cloud: Cloud, run: Run, key: str, complaint: str) -> None:
    bucket = cloud.bucket()
    run("report", "rich.json", "-o", f"s3://{bucket}/r.md")

    ended = run("report", f"s3://{bucket}/{key}")

    assert ended.code == 2
    assert f"s3://{bucket}/{key} " in ended.error
    assert complaint in ended.error


@pytest.fixture
def here(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Make this process use the simulated AWS."""
    for name, value in cloud.aws.environment.items():
        monkeypatch.setenv(name, value)
    return cloud


def test_a_large_report_is_uploaded_in_parts(here: Cloud) -> None:
    bucket = here.bucket()
    pieces = (b"x" * (1 << 20) for _ in range(20))

    Storing().put(S3Object(bucket, "large"), pieces, "text/plain")

    head = here.caller.client("s3").head_object(Bucket=bucket, Key="large")
    assert head["ContentLength"] == 20 << 20
    assert head["ETag"].strip('"').endswith("-3"), "three parts"
    assert head["ServerSideEncryption"] == "AES256"


def test_a_report_that_breaks_off_leaves_the_old_one(here: Cloud) -> None:
    bucket = here.bucket()
    to = S3Object(bucket, "r.json")
    Storing().put(to, [b"old"], "text/plain")

    def breaks() -> Iterator[bytes]:
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        Storing().put(to, breaks(), "text/plain")

    assert here.content(bucket, "r.json") == b"old"


def test_the_bucket_of_somebody_else_is_named_to_aws(here: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(Storing, "_upload", lambda _self, _to, _file, arguments: sent.append(arguments))

    Storing(bucket_owner="111122223333").put(
        S3Object(here.bucket(), "r"), ["".join(render(sample.clean(), Format.CSV)).encode()], "text/csv"
    )

    assert sent == [
        {"ContentType": "text/csv", "ServerSideEncryption": "AES256", "ExpectedBucketOwner": "111122223333"}
    ]


@pytest.mark.parametrize(
    ("key", "megabytes", "lacking"), [("r.json", 1, "ETag"), ("large", 20, "UploadId"), ("parts", 20, "ETag")]
)
def test_an_answer_without_what_s3_promises_is_no_success(
    incomplete_aws: type[IncompleteAws], key: str, megabytes: int, lacking: str
) -> None:
    with pytest.raises(OutputError, match=f"s3://audit/{key} could not be written: .* it has no {lacking}"):
        Storing().put(S3Object("audit", key), (b"x" * (1 << 20) for _ in range(megabytes)), "text/plain")

    Storing().put(S3Object("audit", "well"), [b"x"], "text/plain")
    assert ("DELETE /audit/parts" in incomplete_aws.asked) == (key == "parts"), "what was begun is taken back"


@pytest.mark.usefixtures("incomplete_aws")
def test_a_body_that_is_cut_off_is_read_again() -> None:
    assert Storing().get(S3Object("audit", "latest.json")) == b"half all"
    with pytest.raises(UsageError, match=r"never\.json cannot be read: it broke off on the way, 3 times"):
        Storing().get(S3Object("audit", "never.json"))


@pytest.mark.parametrize(
    ("bucket", "complaint"),
    [
        ("theirs", "could not be written: the bucket belongs to another account than 111122223333, which"),
        ("mine", "could not be written: access denied; allow s3:PutObject"),
        (
            "secret",
            "could not be written: access denied; either the bucket belongs to another account than 111122223333",
        ),
    ],
)
@pytest.mark.usefixtures("incomplete_aws")
def test_the_bucket_of_another_account_is_distinguished_from_a_missing_permission(bucket: str, complaint: str) -> None:
    with pytest.raises(OutputError) as caught:
        Storing(bucket_owner="111122223333").put(S3Object(bucket, "r"), [b"x"], "text/plain")
    with pytest.raises(UsageError, match=complaint.removeprefix("could not be written: ")[:40]):
        Storing(bucket_owner="111122223333").get(S3Object(bucket, "r"))

    assert complaint in caught.value.message
    assert "[AccessDenied]" in caught.value.message
