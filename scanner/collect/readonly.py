"""The fence: what a scan may send to AWS. Everything else is stopped before it is signed, whoever asked for it."""

from __future__ import annotations

from typing import Any

from botocore.session import Session

from scanner.errors import ChimeauditError

IDENTITY = "chime-sdk-identity"
MESSAGING = "chime-sdk-messaging"

OBSERVING = frozenset({(IDENTITY, "ListAppInstances"), (MESSAGING, "ListChannelFlows")})
OBTAINING_CREDENTIALS = frozenset(
    {
        ("sts", "GetCallerIdentity"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sso", "GetRoleCredentials"),
        ("sso-oidc", "CreateToken"),
        ("signin", "CreateOAuth2Token"),
    }
)
CHOOSING_ACCOUNTS = frozenset(
    ("organizations", operation)
    for operation in ("ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent")
)
ALLOWED = OBSERVING | CHOOSING_ACCOUNTS | OBTAINING_CREDENTIALS


def fence(session: Session) -> None:
    """Let the clients of this session send only what is ALLOWED."""
    session.register("before-call", _refuse_the_rest)


def _refuse_the_rest(**event: Any) -> None:
    model = event["model"]
    service, operation = model.service_model.service_name, model.name
    if (service, operation) not in ALLOWED:
        raise ChimeauditError(
            f"refused to call {service}:{operation}, which no scan needs",
            hint="Nothing was sent. This is a fault of chimeaudit; please report it.",
        )
