"""The facet ``callback_role``: the policies of a function's execution role, and its boundary, as JSON texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from botocore import xform_name
from msgspec import Struct

from scanner.aws import ownership
from scanner.aws.calls import ask
from scanner.aws.failure import FailedCallError, MalformedAnswerError, calling
from scanner.collect.once import Once


class RolePolicies(Struct, frozen=True, kw_only=True):
    """Every inline and attached policy; `boundary` is None where there is none."""

    identity: tuple[str, ...]
    boundary: str | None = None


class Roles:
    """The roles of one account's functions; a managed policy that many have attached is read once."""

    def __init__(self) -> None:
        self._roles: Once[str, RolePolicies] = Once()
        self._managed: Once[str, str] = Once()

    def policies(self, client: Any, role_arn: str) -> RolePolicies:
        """The policies of a role; one that does not exist has none.

        Raises:
            FailedCallError: one of them could not be read.
        """
        return self._roles.get(role_arn, lambda: self._read(client, role_arn))

    def _read(self, client: Any, role_arn: str) -> RolePolicies:
        name = role_arn.rpartition("/")[2]
        try:
            role = _member(ask(client, "GetRole", RoleName=name), "GetRole", "Role")
            with calling("iam", "GetRole"):
                ownership.check_account(str(role.get("Arn")), role_arn)
        except FailedCallError as failed:
            if not failed.is_not_found:
                raise
            return RolePolicies(identity=())
        identity = (*self._inline(client, name), *self._attached(client, name))
        if "PermissionsBoundary" not in role:
            return RolePolicies(identity=identity)
        arn = _member(role["PermissionsBoundary"], "GetRole", "PermissionsBoundaryArn")
        return RolePolicies(identity=identity, boundary=self._document(client, arn))

    def _inline(self, client: Any, role: str) -> Iterator[str]:
        for name in _listed(client, "ListRolePolicies", "PolicyNames", role):
            policy = ask(client, "GetRolePolicy", RoleName=role, PolicyName=name)
            yield unquote(_member(policy, "GetRolePolicy", "PolicyDocument"))

    def _attached(self, client: Any, role: str) -> Iterator[str]:
        for policy in _listed(client, "ListAttachedRolePolicies", "AttachedPolicies", role):
            yield self._document(client, _member(policy, "ListAttachedRolePolicies", "PolicyArn"))

    def _document(self, client: Any, policy_arn: str) -> str:
        return self._managed.get(policy_arn, lambda: _managed_policy(client, policy_arn))


def _managed_policy(client: Any, arn: str) -> str:
    policy = _member(ask(client, "GetPolicy", PolicyArn=arn), "GetPolicy", "Policy")
    with calling("iam", "GetPolicy"):
        ownership.check_same(str(policy.get("Arn", arn)), arn)
    version_id = _member(policy, "GetPolicy", "DefaultVersionId")
    version = ask(client, "GetPolicyVersion", PolicyArn=arn, VersionId=version_id)
    document = _member(_member(version, "GetPolicyVersion", "PolicyVersion"), "GetPolicyVersion", "Document")
    return unquote(document)


def _listed(client: Any, operation: str, member: str, role: str) -> Iterator[Any]:
    with calling("iam", operation):
        pages = list(client.get_paginator(xform_name(operation)).paginate(RoleName=role))
        if pages[-1].get("IsTruncated") or pages[-1].get("Marker"):  # botocore takes a page without both for the last
            raise MalformedAnswerError("the answer is malformed: more is to follow, but it does not say so or where")
    for page in pages:
        yield from _member(page, operation, member)


def _member(answer: dict[str, Any], operation: str, name: str) -> Any:
    """A member that IAM always sends; botocore gives an answer without it where the body is not what it should be."""
    with calling("iam", operation):
        if name not in answer:
            raise MalformedAnswerError(f"the answer is malformed: it has no {name}")
    return answer[name]
