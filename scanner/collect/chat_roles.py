"""The facet ``chat_roles``: the IAM roles that signed-in users are given, and what they let their users do in Chime.

One listing has all roles and managed policies of an account, in an order that AWS does not document, so that nothing is
judged before its end. Of each page little is kept, compressed: the documents of roles that an identity provider may
assume, and the default version of each policy.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import unquote

from msgspec import UNSET, Struct, UnsetType, structs

from scanner import policy
from scanner.aws import ownership
from scanner.aws.calls import iam_member, iam_pages
from scanner.aws.clients import Clients
from scanner.aws.failure import FailedCallError, MalformedAnswerError, calling, containing
from scanner.collect.noting import Noting, Tolerate
from scanner.model.facts import GLOBAL, Gap, Role
from scanner.policy import ChatRole, LeftOut, RoleDocuments
from scanner.store.target_file import RolesRead

OPERATION = "GetAccountAuthorizationDetails"
_FILTER = ["Role", "LocalManagedPolicy", "AWSManagedPolicy"]
_FACTS = ChatRole.__struct_fields__

_MISSING = "AWS's answer lacks one of its policies; scan again later, or read it and waive this gap"
_UNDECIDED = "its policies alone do not settle what users may do; read them, and waive this gap if all is well"

_Value = TypeVar("_Value")
_Text = bytes | UnsetType
"""A document, compressed; UNSET if AWS's answer lacks it."""


class _Listed(Struct, frozen=True):
    """A role of the list, with its own documents, and the ARNs of the managed policies that it has."""

    role: Role
    trust: _Text
    inline: tuple[_Text, ...]
    attached: tuple[str | UnsetType, ...]
    boundary: str | UnsetType | None


class ChatRoles:
    """Reads the roles of one account, once.

    `tolerate` gets each failure and raises it if a later try may succeed; `before_page` is called before each call.
    """

    def __init__(self, clients: Clients, account_id: str, tolerate: Tolerate, before_page: Callable[[], None]) -> None:
        self._clients = clients
        self._account_id = account_id
        self._tolerate = tolerate
        self._before_page = before_page
        self._listed: list[_Listed] = []
        self._policies: dict[str, _Text] = {}
        self._seen: dict[str, int] = {}
        self._wrong: FailedCallError | None = None

    def read(self) -> RolesRead:
        """The roles, with gaps for what AWS says of another account.

        Raises:
            FailedCallError: the list could not be read to its end, or `tolerate` raised it.
            StoppedError: `before_page` raised it.
        """
        client = self._clients.of("iam")
        own = f"arn:{client.meta.partition}:iam::{self._account_id}:"
        for page in iam_pages(client, OPERATION, self._before_page, Filter=_FILTER):
            for detail in iam_member(page, OPERATION, "RoleDetailList"):
                if self._is_ours(detail, f"{own}role/"):
                    self._take_role(detail, client.meta.partition)
            for detail in iam_member(page, OPERATION, "Policies"):
                if self._is_ours(detail, f"{own}policy/", f"arn:{client.meta.partition}:iam::aws:policy/"):
                    self._take_policy(detail)
        if not any(arn.startswith(own) for arn in self._seen):
            self._clients.check_owner()
        gaps: tuple[Gap, ...] = ()
        if self._wrong:
            self._tolerate(self._wrong)
            gaps = (self._wrong.gap(self._account_id, GLOBAL),)
        judged = [self._judged(each) for each in sorted(self._listed, key=lambda each: each.role.arn)]
        return RolesRead(
            roles=tuple(each for each in judged if isinstance(each, Role)),
            left_out=sum(isinstance(each, LeftOut) for each in judged),
            gaps=gaps,
        )

    def _is_ours(self, detail: dict[str, Any], own: str, *others: str) -> bool:
        """Whether a role or policy belongs to the account or to AWS itself; if not, the answer is wrong."""
        arn = str(iam_member(detail, OPERATION, "Arn"))
        if arn.startswith(others):
            return True
        try:
            with calling("iam", OPERATION):
                ownership.check_prefix(arn, own)
        except FailedCallError as failed:
            self._wrong = self._wrong or failed
            return False
        return True

    def _take_role(self, detail: dict[str, Any], partition: str) -> None:
        role = Role(
            arn=detail["Arn"],
            name=detail.get("RoleName", UNSET),
            account_id=self._account_id,
            partition=partition,
            tags={iam_member(tag, OPERATION, "Key"): tag.get("Value", "") for tag in detail.get("Tags", ())},
        )
        boundary = detail.get("PermissionsBoundary")
        listed = _Listed(
            role=role,
            trust=_packed(detail.get("AssumeRolePolicyDocument")),
            inline=_each(detail.get("RolePolicyList"), lambda inline: _packed(inline.get("PolicyDocument"))),
            attached=_each(detail.get("AttachedManagedPolicies"), lambda attached: attached.get("PolicyArn", UNSET)),
            boundary=None if boundary is None else boundary.get("PermissionsBoundaryArn", UNSET),
        )
        if self._is_new(role.arn, repr(listed)) and _may_be_given(listed):
            self._listed.append(listed)

    def _take_policy(self, detail: dict[str, Any]) -> None:
        default = detail.get("DefaultVersionId")
        texts = [
            _packed(version.get("Document"))
            for version in detail.get("PolicyVersionList", ())
            if version.get("IsDefaultVersion") or (default and version.get("VersionId") == default)
        ]
        text = texts[0] if len(texts) == 1 else UNSET
        if self._is_new(detail["Arn"], text):
            self._policies[detail["Arn"]] = text

    def _is_new(self, arn: str, content: object) -> bool:
        """Whether a role or policy was not seen before: a list that changes while it is read may repeat some."""
        known = self._seen.get(arn)
        if known is None:
            self._seen[arn] = hash(content)
            return True
        with calling("iam", OPERATION):
            if known != hash(content):
                raise MalformedAnswerError("the answer is malformed: two things that differ have one ARN")
        return False

    def _judged(self, listed: _Listed) -> Role | LeftOut | None:
        """The role with what it allows; None if it turns out that nobody is given it."""
        noting = Noting(listed.role, self._tolerate)
        noting.missing("", {"name": listed.role.name}, OPERATION, listed.role.arn)
        identity = (*listed.inline, *(self._text(arn) for arn in listed.attached))
        boundary = None if listed.boundary is None else self._text(listed.boundary)
        documents = RoleDocuments(
            arn=listed.role.arn,
            trust=_unpacked(listed.trust),
            identity=tuple(map(_unpacked, identity)),
            boundary=None if boundary is None else _unpacked(boundary),
        )
        judged = noting.read(_FACTS, listed.role.arn, OPERATION, lambda: policy.chat_role(documents))
        if not isinstance(judged, ChatRole):
            return structs.replace(listed.role, gaps=noting.gaps) if isinstance(judged, UnsetType) else judged
        if UNSET in (listed.trust, *identity, boundary):
            noting.explain("", structs.asdict(judged), _gap(listed.role, "MissingValue", _MISSING))
        noting.explain("", structs.asdict(judged), _gap(listed.role, "Undecided", _UNDECIDED))
        return structs.replace(listed.role, **structs.asdict(judged), gaps=noting.gaps)

    def _text(self, arn: str | UnsetType) -> _Text:
        return UNSET if isinstance(arn, UnsetType) else self._policies.get(arn, UNSET)


def _may_be_given(listed: _Listed) -> bool:
    """Whether an identity provider may assume the role, which its trust policy alone decides."""
    try:
        with containing(OPERATION):
            return policy.chat_role(RoleDocuments(arn=listed.role.arn, trust=_unpacked(listed.trust))) is not None
    except FailedCallError:  # a fault, which is noted when the role is judged
        return True


def _gap(role: Role, code: str, reason: str) -> Gap:
    return Gap(
        account_id=role.account_id,
        region=role.region,
        resource_arn=role.arn,
        operation=OPERATION,
        code=code,
        reason=reason,
    )


def _packed(document: str | None) -> _Text:
    return UNSET if document is None else zlib.compress(unquote(document).encode())


def _unpacked(text: _Text) -> str | UnsetType:
    return UNSET if isinstance(text, UnsetType) else zlib.decompress(text).decode()


def _each(items: Iterable[Any] | None, of: Callable[[Any], _Value | UnsetType]) -> tuple[_Value | UnsetType, ...]:
    """What `of` gives for each item; UNSET if AWS's answer lacks the list."""
    return (UNSET,) if items is None else tuple(map(of, items))
