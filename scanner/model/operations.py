"""The operations that a scan calls: those of the lists, and those of each facet, which rules may add.

The fence around clients, the least-privilege policy and the explanation of a rule all use this table.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

_PREFIXES = {"chime-sdk-identity": "chime", "chime-sdk-messaging": "chime"}


class Operation(Struct, frozen=True, order=True):
    """An operation of AWS, with botocore's names of service and operation."""

    service: str
    name: str

    @property
    def action(self) -> str:
        """The IAM action that allows the operation."""
        return f"{_PREFIXES.get(self.service, self.service)}:{self.name}"


def _operations(**services: str) -> frozenset[Operation]:
    return frozenset(
        Operation(service.replace("_", "-"), name) for service, names in services.items() for name in names.split()
    )


LISTS = _operations(chime_sdk_identity="ListAppInstances", chime_sdk_messaging="ListChannelFlows")
FACETS = {
    "tags": _operations(chime_sdk_identity="ListTagsForResource", chime_sdk_messaging="ListTagsForResource"),
    "detail": _operations(chime_sdk_messaging="DescribeChannelFlow"),
    "channels": _operations(chime_sdk_messaging="ListChannelsAssociatedWithChannelFlow"),
    "function": _operations(
        **{
            "lambda": "GetFunctionConfiguration GetFunctionConcurrency GetFunctionEventInvokeConfig"
            " GetFunctionUrlConfig GetPolicy"
        }
    ),
    "callback_role": _operations(
        **{"lambda": "GetFunctionConfiguration"},
        iam="GetPolicy GetPolicyVersion GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
    ),
    "retries": _operations(**{"lambda": "GetFunctionConfiguration GetFunctionEventInvokeConfig"}),
    "alerts": _operations(events="ListRules ListTargetsByRule"),
    "all_channels": _operations(
        chime_sdk_identity="ListAppInstanceAdmins",
        chime_sdk_messaging="DescribeChannel ListChannels ListChannelsAssociatedWithChannelFlow",
    ),
    "chat_roles": _operations(iam="GetAccountAuthorizationDetails"),
}
ORGANIZATION = _operations(organizations="ListAccounts ListAccountsForParent ListOrganizationalUnitsForParent")
OBTAINING_CREDENTIALS = _operations(
    sts="GetCallerIdentity AssumeRole AssumeRoleWithWebIdentity",
    sso="GetRoleCredentials",
    sso_oidc="CreateToken",
    signin="CreateOAuth2Token",
)


def needed(facets: Iterable[str]) -> frozenset[Operation]:
    """The operations that a scan with these facets calls in the accounts that it reads."""
    return LISTS.union(*(FACETS[facet] for facet in facets))
