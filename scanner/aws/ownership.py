"""Whose is what AWS names in an answer: what is of another account or region is no fact of the one that was asked."""

from __future__ import annotations

import re
from typing import Any

from botocore.session import Session

from scanner.aws.failure import MalformedAnswerError, OtherAccountError
from scanner.model.facts import LambdaFunction

_ROLE = "chimeaudit:role"
_PLAIN = re.compile(r"[a-z0-9-]{0,32}")


def app_instances(client: Any, account_id: str, region: str) -> str:
    """How the ARN of every app instance of an account and region begins."""
    return f"arn:{client.meta.partition}:chime:{region}:{account_id}:app-instance/"


def check_assumed_roles(session: Session) -> None:
    """Let no client of the session take a role of another account for the one asked for.

    Whoever assumes it: we, or botocore for a profile.
    """
    session.register("before-parameter-build.sts", _remember_role)
    session.register("after-call.sts", _check_assumed_role)


def _remember_role(**event: Any) -> None:
    event["context"][_ROLE] = event["params"].get("RoleArn")


def _check_assumed_role(**event: Any) -> None:
    asked, assumed = event["context"].get(_ROLE), event["parsed"].get("AssumedRoleUser", {}).get("Arn")
    if asked and assumed is not None:
        check_place(str(assumed), asked)


def check_same(arn: str, asked: str) -> None:
    """Refuse another ARN than the one that was asked about.

    Raises:
        OtherAccountError: it is of another account, region or partition, or of none.
        MalformedAnswerError: it is of the right one, and something else than was asked for.
    """
    if arn != asked:
        check_place(arn, asked)
        raise MalformedAnswerError("the answer is malformed: it names something else than was asked for")


def check_prefix(arn: str, prefix: str) -> None:
    """Refuse an ARN that does not begin so and go on; raises as `check_same` does."""
    if not arn.startswith(prefix) or len(arn) == len(prefix):
        check_same(arn, f"{prefix}?")


def check_function(arn: str, asked: LambdaFunction) -> None:
    """Refuse the ARN of another function, whatever its qualifier; raises as `check_same` does."""
    if not arn.startswith(f"{asked.unqualified_arn}:"):
        check_same(arn, asked.unqualified_arn)


def check_place(arn: str, asked: str) -> None:
    """Refuse an ARN of another partition, region or account than the one that was asked about.

    Raises:
        OtherAccountError: it is.
    """
    if _place(arn) != _place(asked):
        raise OtherAccountError(f"AWS answered for {_named(arn)}, and {_named(asked)} was asked about")


def check_account(arn: str, asked: str) -> None:
    """Refuse an ARN that names another account than that of the one that was asked about, wherever either is.

    Raises:
        OtherAccountError: it does.
    """
    place, own = _place(arn), _place(asked)
    if place and own and place[2] != own[2]:
        raise OtherAccountError(f"AWS answered for {_named(arn)}, and account {own[2]} was asked about")


def _place(arn: str) -> tuple[str, ...]:
    """Partition, region and account."""
    parts = arn.split(":", 5)
    return (parts[1], parts[3], parts[4]) if len(parts) == 6 and parts[0] == "arn" else ()


def _named(arn: str) -> str:
    """In words; what a hostile answer says in place of an account is not repeated."""
    place = _place(arn)
    if not place or not place[2] or not all(map(_PLAIN.fullmatch, place)):
        return "no account"
    partition, region, account_id = place
    where = f" in {region}" if region else ""
    return f"account {account_id}{where}{'' if partition == 'aws' else f' of partition {partition}'}"
