"""The roles and managed policies of a fake AWS's account, in the pages of GetAccountAuthorizationDetails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.answers import Answer, Call, xml

OPERATION = "GetAccountAuthorizationDetails"
POOL = "cognito-identity.amazonaws.com"


def allowing(*actions: str, resource: str = "*", **members: Any) -> dict[str, Any]:
    """A policy that allows these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **members}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trusting(*providers: str) -> dict[str, Any]:
    """A trust policy that lets the users of these identity providers assume the role."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": [*providers]}}
    return {"Version": "2012-10-17", "Statement": [statement]}


SERVICE = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
ANYBODY = allowing("chime:SendChannelMessage", resource="arn:aws:chime:*:*:app-instance/*/user/*")
ONESELF = allowing("chime:SendChannelMessage", resource=f"arn:aws:chime:*:*:app-instance/*/user/${{{POOL}:sub}}")


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role. Documents are objects, or texts that are no JSON; what is None is left out of the answer.

    `attached` has ARNs, or names of the account's own policies.
    """

    name: str = "chat"
    trust: Any = field(default_factory=lambda: trusting(POOL))
    inline: Sequence[Any] | None = ()
    attached: Sequence[str] | None = ()
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A managed policy; with `versions` below 1 the answer has none, and older ones allow everything."""

    name: str
    document: Any
    versions: int = 1
    arn: str | None = None


@dataclass(kw_only=True)
class Roles:
    """The answers about every account, as a fault of a fake AWS; `size` things on a page, in this order."""

    things: list[Role | Policy]
    size: int = 100
    before: Callable[[Call], Answer | None] = lambda _: None

    def __call__(self, call: Call) -> Answer | None:
        if call.operation != OPERATION:
            return None
        return self.before(call) or self._page(call)

    def _page(self, call: Call) -> Answer:
        account = call.account or "111122223333"
        start = int(call.parameters.get("Marker", 0))
        end = start + self.size
        page = self.things[start:end]
        roles = "".join(_role(each, account) for each in page if isinstance(each, Role))
        policies = "".join(_policy(each, account) for each in page if isinstance(each, Policy))
        return answer(roles, policies, marker=str(end) if end < len(self.things) else None)


def answer(roles: str, policies: str, marker: str | None = None) -> Answer:
    """A page of these roles and policies."""
    more = "<IsTruncated>false</IsTruncated>"
    if marker is not None:
        more = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"
    return xml(
        OPERATION,
        f"<UserDetailList/><GroupDetailList/>{more}"
        f"<RoleDetailList>{roles}</RoleDetailList><Policies>{policies}</Policies>",
    )


def _role(role: Role, account: str) -> str:
    arn = role.arn or f"arn:aws:iam::{account}:role{role.path}{role.name}"
    inline = _members(role.inline, lambda each: f"<PolicyName>p</PolicyName>{_tag('PolicyDocument', _document(each))}")
    attached = _members(role.attached, lambda each: _tag("PolicyArn", escape(_policy_arn(each, account))))
    tags = "".join(
        f"<member><Key>{escape(key)}</Key><Value>{escape(each)}</Value></member>" for key, each in role.tags.items()
    )
    boundary = role.boundary and _tag("PermissionsBoundaryArn", _policy_arn(role.boundary, account))
    return _tag(
        "member",
        f"<Path>{role.path}</Path>{_tag('RoleName', escape(role.name))}<RoleId>AROAEXAMPLEEXAMPLE</RoleId>"
        f"{_tag('Arn', escape(arn))}<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
        f"{'' if role.trust is None else _tag('AssumeRolePolicyDocument', _document(role.trust))}"
        f"{'' if inline is None else _tag('RolePolicyList', inline)}"
        f"{'' if attached is None else _tag('AttachedManagedPolicies', attached)}"
        f"{_tag('PermissionsBoundary', boundary) if boundary else ''}{_tag('Tags', tags)}",
    )


def _policy(policy: Policy, account: str) -> str:
    older = allowing("*")
    versions = "".join(
        f"<member><VersionId>v{number}</VersionId>"
        f"<IsDefaultVersion>{str(number == policy.versions).lower()}</IsDefaultVersion>"
        f"{_tag('Document', _document(policy.document if number == policy.versions else older))}</member>"
        for number in range(1, policy.versions + 1)
    )
    return _tag(
        "member",
        f"<PolicyName>{policy.name}</PolicyName><Arn>{policy.arn or _policy_arn(policy.name, account)}</Arn>"
        f"<DefaultVersionId>v{policy.versions}</DefaultVersionId><PolicyVersionList>{versions}</PolicyVersionList>",
    )


def _policy_arn(name: str, account: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:iam::{account}:policy/{name}"


def _document(document: Any) -> str:
    return quote(document if isinstance(document, str) else json.dumps(document), safe="")


def _members(items: Sequence[Any] | None, text: Callable[[Any], str]) -> str | None:
    return None if items is None else "".join(_tag("member", text(each)) for each in items)


def _tag(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"
