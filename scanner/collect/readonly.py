"""The fence: what a scan may send to AWS. Everything else is stopped before it is signed, whoever asked for it."""

from __future__ import annotations

from typing import Any

from botocore.session import Session

from scanner.errors import ChimeauditError
from scanner.facets import FACETS, ORGANIZATION, Operation, needed

IDENTITY = "chime-sdk-identity"
MESSAGING = "chime-sdk-messaging"

OBTAINING_CREDENTIALS = frozenset(
    {
        Operation("sts", "GetCallerIdentity"),
        Operation("sts", "AssumeRole"),
        Operation("sts", "AssumeRoleWithWebIdentity"),
        Operation("sso", "GetRoleCredentials"),
        Operation("sso-oidc", "CreateToken"),
        Operation("signin", "CreateOAuth2Token"),
    }
)
ALLOWED = needed(FACETS) | ORGANIZATION | OBTAINING_CREDENTIALS


def fence(session: Session) -> None:
    """Let the clients of this session send only what is ALLOWED."""
    session.register("before-call", _refuse_the_rest)


def _refuse_the_rest(**event: Any) -> None:
    model = event["model"]
    operation = Operation(model.service_model.service_name, model.name)
    if operation not in ALLOWED:
        raise ChimeauditError(
            f"refused to call {operation.service}:{operation.name}, which no scan needs",
            hint="Nothing was sent. This is a fault of chimeaudit; please report it.",
        )
