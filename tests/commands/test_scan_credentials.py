"""Credentials that cannot be obtained: each error has its cause and a next step, and its profile is not scanned."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scanner.aws.credentials import OwnCredentials
from scanner.aws.failure import CredentialsError
from tests.command import CHIMEAUDIT, Ended, environment, installed
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import ACCOUNT, processor

ROLE = f"role_arn = arn:aws:iam::{ACCOUNT}:role/x"
SSO = f"sso_account_id = {ACCOUNT}\nsso_role_name = Audit\nsso_region = us-east-1\n"
SIGN_IN = "sso_start_url = https://example.awsapps.com/start"
CONFIG = f"""
[profile mfa]
{ROLE}
source_profile = keys
mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/me
[profile keys]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret-example-key
[profile one]
{ROLE}
source_profile = two
[profile two]
{ROLE}
source_profile = one
[sso-session corp]
{SIGN_IN}
sso_region = us-east-1
"""


@pytest.fixture
def scan_as(aws: FakeAws, quick_scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """Scan with a profile `it` that has these settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    aws.inventory = {"us-east-1": {"chat": [Flow(processors=[processor(FallbackAction="CONTINUE")])]}}

    def run(body: str, *more: str, profiles: str = "it", **variables: str) -> Ended:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        (tmp_path / ".aws" / "config").write_text(f"{CONFIG}\n[profile it]\n{body}\n")
        options = ("--regions", "us-east-1", "--select", "last-processor-fails-open", "-o", "json:-")
        return quick_scan("--profile", profiles, *options, *more)

    return run


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    (folder / "certificate").write_bytes(signed.public_bytes(Encoding.PEM))
    return folder / "certificate", folder / "key"


@pytest.fixture
def tls_url(certificate: tuple[Path, Path]) -> Iterator[str]:
    """The URL of a server with a certificate that is not trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    over = threading.Event()

    def answer(listening: socket.socket) -> None:
        while not over.is_set():
            with suppress(OSError), listening.accept()[0] as connection:
                context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        with suppress(OSError):
            socket.create_connection(listening.getsockname(), timeout=1).close()
        thread.join()


@pytest.mark.parametrize(
    ("body", "cause", "step"),
    [
        pytest.param(f"{SSO}sso_session = corp", "nobody has signed in", "aws sso login --profile it", id="no sign-in"),
        pytest.param(f"{SSO}{SIGN_IN}", "nobody has signed in", "aws sso login --profile it", id="no sign-in, older"),
        pytest.param("region = us-east-1", "profile it names no keys", "add them", id="nothing"),
        pytest.param("aws_access_key_id = AKIA", "profile it has no aws_secret_access_key", "complete it", id="half"),
        pytest.param(ROLE, "profile it has no source_profile", "complete it", id="a role alone"),
        pytest.param(f"{ROLE}\nsource_profile = gone", '"gone"', "mend the AWS configuration", id="no source"),
        pytest.param(f"{ROLE}\nsource_profile = one", "circle: it, one, two, one", "mend", id="a circle"),
        pytest.param(
            f"{ROLE}\ncredential_source = Environment", "credential_source Environment", "", id="no variables"
        ),
        pytest.param(f"{ROLE}\ncredential_source = Moon", '"Moon"', "mend", id="no such source"),
        pytest.param(
            f"{ROLE}\nweb_identity_token_file = /nowhere/token",
            "web_identity_token_file /nowhere/token cannot be read (No such file or directory)",
            "put it there",
            id="no token",
        ),
        pytest.param("web_identity_token_file = /nowhere/token", "no role ARN", "mend", id="a token alone"),
        pytest.param(
            "credential_process = /nowhere/program s3cr3t",
            "credential_process /nowhere/program cannot be run (No such file or directory)",
            "mend",
            id="no program",
        ),
        pytest.param("credential_process = false s3cr3t", "credential_process false failed", "by hand", id="it fails"),
        pytest.param("credential_process = echo s3cr3t", "printed no JSON", "by hand", id="no JSON"),
        pytest.param("credential_process =", "credential_process is empty", "mend", id="an empty program"),
        pytest.param("credential_process = 'x s3cr3t", "credential_process 'x cannot be run", "by hand", id="a quote"),
        pytest.param("role_arn = x\nsource_profile = keys", "parameter RoleArn", "mend", id="a role that is none"),
        pytest.param("credential_process = echo []", "printed no JSON", "by hand", id="a list"),
        pytest.param("""credential_process = echo '{"Version": 1}'""", "printed no credentials", "", id="no keys"),
        pytest.param(
            """credential_process = echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","""
            """ "Expiration": "2020-01-01T00:00:00Z"}'""",
            "gave credentials that have expired already",
            "by hand",
            id="expired",
        ),
        pytest.param(
            f"{ROLE}\nsource_profile = program\n[profile program]\ncredential_process = false",
            "credential_process false failed",
            "by hand",
            id="a source whose program fails",
        ),
    ],
)
def test_each_fault_says_its_cause_and_the_next_step(scan_as: Scan, body: str, cause: str, step: str) -> None:
    ended = scan_as(body)

    (gap,) = ended.gaps
    told, _, hint = gap["reason"].partition("; ")
    assert ended.code == 4
    assert told.startswith("profile it: ")
    assert cause in told
    assert step in hint
    assert gap["code"]
    assert f"error: nothing could be scanned: {told}" in ended.stderr
    assert "s3cr3t" not in ended.stdout + ended.stderr


def test_a_sign_in_that_has_expired_says_how_to_renew_it(aws: FakeAws, tmp_path: Path) -> None:
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    token = '{"accessToken": "t0k3n", "expiresAt": "2020-01-01T00:00:00Z", "startUrl": "u", "region": "us-east-1"}'
    name = sha1(b"https://example.awsapps.com/start", usedforsecurity=False).hexdigest()
    (cache / f"{name}.json").write_text(token)
    (tmp_path / ".aws" / "config").write_text(f"[profile it]\n{SSO}{SIGN_IN}\n")

    ended = installed("scan", "--profile", "it", home=tmp_path, variables={"AWS_ENDPOINT_URL": aws.url})

    assert ended.code == 4
    assert "the sign-in to IAM Identity Center has expired\n" in ended.stderr
    assert "aws sso login --profile it" in ended.stderr
    assert "t0k3n" not in ended.stdout + ended.stderr


def test_a_role_that_identity_center_does_not_give_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(f"[profile it]\n{SSO}{SIGN_IN}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    means = OwnCredentials(Session(profile="it"))
    refusal = ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}}, "GetRoleCredentials")  # type: ignore[typeddict-item]  # what matters of it

    told = f"role Audit in account {ACCOUNT}; have the role assigned"
    with pytest.raises(CredentialsError, match=told), means.explaining():
        raise refusal


def test_the_fault_of_one_profile_is_its_gap_and_the_others_are_scanned(scan_as: Scan) -> None:
    ended = scan_as("credential_process = false", profiles="it,keys")

    (gap,) = ended.gaps
    assert (gap["account_id"], gap["operation"]) == ("unknown", "GetCallerIdentity")
    assert ended.report["summary"]["by_rule"]["last-processor-fails-open"] == 1
    assert ended.code == 1


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, "the environment has no AWS_SECRET_ACCESS_KEY"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}, "AWS_CONTAINER_CREDENTIALS_FULL_URI names"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}, "AWS_CONTAINER_CREDENTIALS_FULL_URI names"),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/t", "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/x"},
            "the web_identity_token_file /nowhere/t cannot be read",
        ),
        ({}, "neither the environment nor the default profile has any, and no instance role answers"),
    ],
)
def test_each_fault_of_the_environment_has_its_cause_and_a_next_step(
    quick_scan: Scan, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    ended = quick_scan()

    assert ended.code == 4
    assert words in ended.stderr


@pytest.mark.parametrize("broken", ["config", "credentials"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[profile a]\nregion = us-east-1\ns3cr3t\n", "cannot be parsed (line 3)"),
        (b"s3cr3t\n", "cannot be parsed (line 1)"),
        ("[default]\n".encode("utf-16"), "cannot be parsed"),
    ],
)
def test_a_configuration_that_cannot_be_parsed_is_named_with_its_line(
    quick_scan: Scan, tmp_path: Path, broken: str, content: bytes, words: str
) -> None:
    file = tmp_path / ".aws" / broken
    file.parent.mkdir()
    file.write_bytes(content)

    ended = quick_scan("-o", "json:-")

    (gap,) = ended.gaps
    assert ended.code == 4
    assert f"error: the AWS configuration {file} {words}" in ended.stderr
    assert f"{file} {words}" in gap["reason"]
    assert not ended.report["coverage"]["complete"]
    assert "s3cr3t" not in ended.stdout + ended.stderr


def test_a_configuration_that_may_not_be_read_is_no_empty_one(
    quick_scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".aws" / "config"
    file.parent.mkdir()
    file.touch()
    opened = Path.open

    def refuse(path: Path, *arguments: Any) -> Any:
        if path == file:  # root may read it whatever its mode is
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)

    ended = quick_scan("-o", "json:-")

    assert ended.code == 4
    assert f"{file} cannot be read (Permission denied)" in ended.stderr
    assert [gap["code"] for gap in ended.gaps] == ["InvalidConfig"]


@pytest.mark.parametrize("chosen", [("--profile", "mfa"), ()])
def test_an_mfa_code_without_a_terminal_is_an_error_of_the_credentials_not_an_interruption(
    aws: FakeAws, tmp_path: Path, chosen: tuple[str, ...]
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    variables = {"AWS_ENDPOINT_URL": aws.url} | ({} if chosen else {"AWS_PROFILE": "mfa"})

    ended = subprocess.run(
        [CHIMEAUDIT, "scan", *chosen],
        env=environment(tmp_path, variables),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )

    assert ended.returncode == 4
    assert "asks for an MFA code, and there is no terminal to type it at" in ended.stderr
    assert "aws configure export-credentials --profile mfa" in ended.stderr
    assert not aws.calls


def test_an_mfa_code_is_asked_for_once_in_a_scan(scan_as: Scan, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("scanner.aws.credentials._has_terminal", lambda: True)

    def type_it(prompt: str) -> str:
        asked.append(prompt)
        return "123456"

    monkeypatch.setattr("getpass.getpass", type_it)

    ended = scan_as("", profiles="mfa")

    assert ended.gaps == []
    assert len(asked) == len(aws.asked("AssumeRole")) == 1
    assert aws.asked("AssumeRole")[0].parameters["TokenCode"] == "123456"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "the endpoint's certificate is not trusted"),
        ({"AWS_CA_BUNDLE": "/nowhere/ca.pem"}, "/nowhere/ca.pem, which AWS_CA_BUNDLE names, cannot be read (No such"),
        ({"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}, "/nowhere/ca.pem, which REQUESTS_CA_BUNDLE names, cannot be read"),
        ({"AWS_CA_BUNDLE": os.devnull}, "which AWS_CA_BUNDLE names, cannot be read (it holds no certificate)"),
    ],
)
def test_an_untrusted_certificate_is_an_error_with_the_variable_for_trusted_ones(
    quick_scan: Scan, tls_url: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", tls_url)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    ended = quick_scan()

    assert ended.code == 4
    assert words in ended.stderr
    assert "AWS_CA_BUNDLE" in ended.stderr
