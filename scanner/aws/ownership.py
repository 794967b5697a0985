"""Checks that what AWS names in an answer belongs to the account and region that were asked about."""

from __future__ import annotations

import re
from typing import Any

from botocore.session import Session

from scanner.aws.failure import MalformedAnswerError, OtherAccountError
from scanner.model.facts import LambdaFunction

_ROLE = "chimeaudit:role"
_PLAIN = re.compile(r"[a-z0-9-]{0,32}")


def app_instances(client: Any, account_id: str, region: str) -> str:
    """The beginning of the ARNs of all app instances in an account and region."""
    return f"arn:{client.meta.partition}:chime:{region}:{account_id}:app-instance/"


def check_assumed_roles(session: Session) -> None:
    """Make the session's clients check that STS gives the role that was asked for, not one of another account.

    This covers the roles that chimeaudit assumes and those that botocore assumes for a profile.
    """
    session.register("before-parameter-build.sts", _remember_role)
    session.register("after-call.sts", _check_assumed_role)


def _remember_role(**event: Any) -> None:
    event["context"][_ROLE] = event["params"].get("RoleArn")


def _check_assumed_role(**event: Any) -> None:
    asked, assumed = event["context"].get(_ROLE), event["parsed"].get("AssumedRoleUser", {}).get("Arn")
    if asked and assumed is not None:
        check_origin(str(assumed), asked)


def check_same(arn: str, asked: str) -> None:
    """Check that an ARN is the one that was asked about.

    Raises:
        OtherAccountError: it is of another account, region or partition, or no ARN.
        MalformedAnswerError: it is another ARN of the same account and region.
    """
    if arn != asked:
        check_origin(arn, asked)
        raise MalformedAnswerError("the answer is malformed: it names something else than was asked for")


def check_prefix(arn: str, prefix: str) -> None:
    """Check that an ARN begins with a prefix and is longer; raises the errors of `check_same`."""
    if not arn.startswith(prefix) or len(arn) == len(prefix):
        check_same(arn, f"{prefix}?")


def check_function(arn: str, asked: LambdaFunction) -> None:
    """Check that an ARN is that of a function, with any qualifier; raises the errors of `check_same`."""
    if not arn.startswith(f"{asked.bare_arn}:"):
        check_same(arn, asked.bare_arn)


def check_origin(arn: str, asked: str) -> None:
    """Check that an ARN has the partition, region and account of the one that was asked about.

    Raises:
        OtherAccountError: it has not.
    """
    if _origin(arn) != _origin(asked):
        raise OtherAccountError(f"AWS answered for {_named(arn)}, and {_named(asked)} was asked about")


def check_account(arn: str, asked: str) -> None:
    """Check that an ARN has the account of the one that was asked about; other parts are not compared.

    Raises:
        OtherAccountError: it is of another account.
    """
    origin, own = _origin(arn), _origin(asked)
    if origin and own and origin[2] != own[2]:
        raise OtherAccountError(f"AWS answered for {_named(arn)}, and account {own[2]} was asked about")


def _origin(arn: str) -> tuple[str, ...]:
    """The partition, region and account of an ARN; empty if it is none."""
    parts = arn.split(":", 5)
    return (parts[1], parts[3], parts[4]) if len(parts) == 6 and parts[0] == "arn" else ()


def _named(arn: str) -> str:
    """An ARN's account and region in words; an unexpected text in their place is not repeated."""
    origin = _origin(arn)
    if not origin or not origin[2] or not all(map(_PLAIN.fullmatch, origin)):
        return "no account"
    partition, region, account_id = origin
    where = f" in {region}" if region else ""
    return f"account {account_id}{where}{'' if partition == 'aws' else f' of partition {partition}'}"
