"""The fence: what may be sent to AWS. Everything else is stopped before it is signed, whoever asked for it."""

from __future__ import annotations

from collections.abc import Set
from functools import partial
from typing import Any

from botocore.session import Session

from scanner.errors import ChimeauditError
from scanner.model.operations import FACETS, OBTAINING_CREDENTIALS, ORGANIZATION, Operation, needed

IDENTITY = "chime-sdk-identity"
MESSAGING = "chime-sdk-messaging"

ALLOWED = needed(FACETS) | ORGANIZATION | OBTAINING_CREDENTIALS


def fence(session: Session, allowed: Set[Operation] = ALLOWED) -> None:
    """Let the clients of this session send only what is allowed; by default, what a scan needs."""
    session.register("before-call", partial(_refuse_the_rest, allowed))


def _refuse_the_rest(allowed: Set[Operation], **event: Any) -> None:
    model = event["model"]
    operation = Operation(model.service_model.service_name, model.name)
    if operation not in allowed:
        raise ChimeauditError(
            f"refused to call {operation.service}:{operation.name}, which is not on the list of what may be sent",
            hint="Nothing was sent. This is a fault of chimeaudit; please report it.",
        )
