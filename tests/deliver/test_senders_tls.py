"""Webhooks use TLS, and a server without a valid certificate gets no notice."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scanner.deliver import senders
from scanner.deliver.destinations import Webhook
from scanner.deliver.notice import Notice
from scanner.errors import OutputError
from tests.deliver.fake_webhook import Listener, listening

NOTICE = Notice(headline="h", lines=())

# Warnings are errors; the one on verification that is switched off would look like a refusal.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def certificate(path: Path, address: str, *, ended: bool = False) -> Path:
    """A self-signed certificate with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "listener")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if ended else 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def presenting(shown: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    return context


def post(slack: Listener) -> None:
    senders.post(Webhook(slack.url, "127.0.0.1"), NOTICE)


def refused(shown: Path) -> None:
    """Assert that nothing is posted to a server with this certificate, and that one line says so."""
    with listening(tls=presenting(shown)) as slack, pytest.raises(OutputError, match="was not notified") as caught:
        post(slack)

    assert not slack.posted
    assert "\n" not in caught.value.message


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that an environment variable names as trusted."""
    path = certificate(tmp_path / "trusted.pem", "127.0.0.1")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    return path


def test_a_webhook_with_a_trusted_certificate_gets_the_notice(trusted: Path) -> None:
    with listening(tls=presenting(trusted)) as slack:
        post(slack)

    assert len(slack.posted) == 1


def test_a_webhook_with_an_untrusted_certificate_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    refused(certificate(tmp_path / "own.pem", "127.0.0.1"))


def test_a_webhook_with_another_certificate_than_the_trusted_one_gets_nothing(tmp_path: Path, trusted: Path) -> None:
    assert trusted.exists()
    refused(certificate(tmp_path / "another.pem", "127.0.0.1"))


@pytest.mark.parametrize(("address", "ended"), [("127.0.0.2", False), ("127.0.0.1", True)])
def test_a_webhook_whose_certificate_is_for_another_address_or_time_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, ended: bool
) -> None:
    path = certificate(tmp_path / "own.pem", address, ended=ended)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    refused(path)
