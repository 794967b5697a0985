"""The facet ``callback_role``: the policies and the boundary of a function's execution role, as JSON texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from scanner.aws import ownership
from scanner.aws.calls import ask, iam_items, iam_member
from scanner.aws.failure import FailedCallError, calling
from scanner.collect.threads import SingleFlight


class RolePolicies(Struct, frozen=True, kw_only=True):
    """All inline and attached policies of a role, and its permissions boundary; None if it has none."""

    identity: tuple[str, ...]
    boundary: str | None = None


class RoleReader:
    """Reads the roles of one account's functions; a managed policy that many roles share is read once."""

    def __init__(self) -> None:
        self._roles: SingleFlight[str, RolePolicies] = SingleFlight()
        self._managed: SingleFlight[str, str] = SingleFlight()

    def policies(self, client: Any, role_arn: str) -> RolePolicies:
        """The policies of a role; none if the role does not exist.

        Raises:
            FailedCallError: the role or one of its policies could not be read.
        """
        return self._roles.get(role_arn, lambda: self._read(client, role_arn))

    def _read(self, client: Any, role_arn: str) -> RolePolicies:
        name = role_arn.rpartition("/")[2]
        try:
            role = iam_member(ask(client, "GetRole", RoleName=name), "GetRole", "Role")
            with calling("iam", "GetRole"):
                ownership.check_account(str(role.get("Arn")), role_arn)
        except FailedCallError as failed:
            if not failed.is_not_found:
                raise
            return RolePolicies(identity=())
        identity = (*self._inline(client, name), *self._attached(client, name))
        if "PermissionsBoundary" not in role:
            return RolePolicies(identity=identity)
        arn = iam_member(role["PermissionsBoundary"], "GetRole", "PermissionsBoundaryArn")
        return RolePolicies(identity=identity, boundary=self._document(client, arn))

    def _inline(self, client: Any, role: str) -> Iterator[str]:
        for name in iam_items(client, "ListRolePolicies", "PolicyNames", RoleName=role):
            policy = ask(client, "GetRolePolicy", RoleName=role, PolicyName=name)
            yield unquote(iam_member(policy, "GetRolePolicy", "PolicyDocument"))

    def _attached(self, client: Any, role: str) -> Iterator[str]:
        for policy in iam_items(client, "ListAttachedRolePolicies", "AttachedPolicies", RoleName=role):
            yield self._document(client, iam_member(policy, "ListAttachedRolePolicies", "PolicyArn"))

    def _document(self, client: Any, policy_arn: str) -> str:
        return self._managed.get(policy_arn, lambda: _managed_policy(client, policy_arn))


def _managed_policy(client: Any, arn: str) -> str:
    policy = iam_member(ask(client, "GetPolicy", PolicyArn=arn), "GetPolicy", "Policy")
    with calling("iam", "GetPolicy"):
        ownership.check_same(str(policy.get("Arn", arn)), arn)
    version_id = iam_member(policy, "GetPolicy", "DefaultVersionId")
    version = ask(client, "GetPolicyVersion", PolicyArn=arn, VersionId=version_id)
    document = iam_member(iam_member(version, "GetPolicyVersion", "PolicyVersion"), "GetPolicyVersion", "Document")
    return unquote(document)
