"""What roles of signed-in users allow, for policies as public samples write them and for their neighbours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from scanner.policy import LEFT_OUT, ChatRole, LeftOut, RoleDocuments, chat_role

Json = dict[str, Any]

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/chat-user"
APP = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/0f1e2d3c"
ANY_APP = "arn:aws:chime:*:*:app-instance/*"
SUB = "${cognito-identity.amazonaws.com:sub}"
COGNITO = "cognito-identity.amazonaws.com"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/login.example.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/staff"
WEB, BY_SAML = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"

NOTHING = (False, False, False, False)
EVERYTHING = (True, True, True, True)
UNKNOWN = (UNSET, UNSET, UNSET, UNSET)


def document(*statements: Json, version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(actions: str | list[str], *resources: str, **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), **more}


def deny(actions: str | list[str], *resources: str, **more: Any) -> Json:
    return {**allow(actions, *resources, **more), "Effect": "Deny"}


def trusting(principal: Any = None, action: Any = WEB, **more: Any) -> Json:
    return {"Effect": "Allow", "Principal": principal or {"Federated": COGNITO}, "Action": action, **more}


AUDIENCE = {
    "StringEquals": {f"{COGNITO}:aud": "us-east-1:12345678-1234-1234-1234-123456790abc"},
    "ForAnyValue:StringLike": {f"{COGNITO}:amr": "authenticated"},
}
POOL = document(trusting(Condition=AUDIENCE))


def judged(
    *statements: Json, version: str = "2012-10-17", boundary: str | None = None, trust: str = POOL, arn: str = ROLE
) -> ChatRole | LeftOut | None:
    identity = (document(*statements, version=version),)
    return chat_role(RoleDocuments(arn=arn, trust=trust, identity=identity, boundary=boundary))


def verdicts(role: ChatRole | LeftOut | None) -> tuple[object, ...]:
    """Whether it acts as anyone, may remove flows, may change them, and may open channels."""
    assert isinstance(role, ChatRole)
    return role.acts_as_anyone, role.may_remove_flow, role.may_change_flow, role.may_open_channels


CHAT = [f"chime:{name}" for name in ("CreateChannel", "DescribeChannel", "ListChannels", "SendChannelMessage")]
MOVE = ["chime:AssociateChannelFlow", "chime:DisassociateChannelFlow"]
DEVELOPER = [f"chime:{name}ChannelFlow" for name in ("Create", "Update", "Describe", "Delete")]

SAMPLES = [
    # AWS's guide for chat users: https://docs.aws.amazon.com/chime-sdk/latest/dg/iam-roles.html
    (
        [
            allow("chime:GetMessagingSessionEndpoint", "*"),
            allow([*CHAT, *MOVE], f"{APP}/user/{SUB}", f"{APP}/channel/*"),
        ],
        (False, False, False, True),
    ),
    # A sample of AWS's adds the flows
    (
        [allow([*CHAT, *MOVE], f"{APP}/user/{SUB}", f"{APP}/channel/*", f"{APP}/channel-flow/*")],
        (False, True, False, True),
    ),
    # Terraform that is public
    (
        [allow([*CHAT, *MOVE], f"{APP}/user/*", f"{APP}/channel/*", f"{APP}/channel-flow/*")],
        (True, True, False, True),
    ),
    # The guide for developers
    ([allow(["chime:CreateAppInstance", *DEVELOPER], "*")], (False, False, True, False)),
    # The credential exchange of AWS's demo, which tags its sessions
    (
        [allow([*CHAT, "chime:Connect"], f"{ANY_APP}/user/${{aws:PrincipalTag/UserUUID}}", f"{ANY_APP}/channel/*")],
        (False, False, False, True),
    ),
    # The policy AmazonChimeSDK is about meetings, AmazonChimeFullAccess about everything
    ([allow(["chime:CreateMeeting", "chime:CreateAttendee"], "*")], NOTHING),
    ([allow("chime:*", "*")], EVERYTHING),
]


@pytest.mark.parametrize(("statements", "expected"), SAMPLES)
def test_policies_that_public_samples_write(statements: list[Json], expected: tuple[object, ...]) -> None:
    assert verdicts(judged(*statements)) == expected


SEND, LIST = "chime:SendChannelMessage", "chime:ListChannels"
OWN = f"{APP}/user/{SUB}"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (OWN, False),
        (f"{APP}/user/${{www.amazon.com:user_id}}", False),
        (f"{APP}/user/${{ SAML:sub }}", False),
        (f"{APP}/user/${{aws:PrincipalTag/id}}", False),
        (f"{APP}/user/tenant-${{aws:PrincipalTag/tenant}}-${{aws:PrincipalTag/id}}", False),
        (f"{APP}/user/${{aws:username}}", False),
        (f"{APP}/user/${{saml:eduPersonPrincipalName}}", False),
        (f"{APP}/user/${{saml:namequalifier}}", UNSET),
        (f"{APP}/user/${{graph.facebook.com:app_id}}", UNSET),
        (f"{APP}/user/${{cognito-identity.amazonaws.com:aud}}", UNSET),
        (f"{APP}/user/${{aws:userid}}", UNSET),
        (f"{APP}/user/${{aws:UserAgent}}", UNSET),
        (f"{APP}/user/${{aws:PrincipalTag/id, 'guest'}}", UNSET),
        (f"{APP}/user/${{*}}", False),
        (f"{APP}/user/{SUB}*", True),
        (f"{APP}/user/us-east-1:*", True),
        (f"{APP}/user/*-{SUB}", True),
        (f"{APP}/user/????????", True),
        (f"{APP}/user/*", True),
        (f"{APP}/bot/*", True),
        (f"{APP}/*", True),
        (f"{APP}*", True),
        (f"arn:aws:chime:us-east-1:{ACCOUNT}:*", True),
        ("arn:aws:chime:*:${aws:PrincipalAccount}:app-instance/*/user/*", True),
        ("arn:aws:chime:us-east-1:*:app-instance/${aws:PrincipalTag/tenant}/user/*", True),
        (f"{APP}/user/guest", UNSET),
        ("*:app-instance/*/user/*", True),
        ("*", True),
        (APP, False),
        (f"{APP}/channel/*", False),
        (f"{APP}/users/*", False),
        (f"arn:aws:chime:us-east-1:{ACCOUNT}:appInstance/*", False),
        ("arn:aws:chime:us-east-1:999922223333:app-instance/*", False),
        ("arn:aws:chime:*:999922223333:*", False),
        ("arn:aws:chime:*:*:*/channel/*", False),
        ("arn:aws:chime:*:*:*/user/*", True),
        ("arn:aws:chime:*:*:app-instance/written-out/user/*", True),
        ("arn:aws:chime:*:*:app-instance/written-out*", True),
        ("arn:aws-us-gov:chime:*:*:*", False),
        (f"arn:aws:chime:ap-southeast-1:{ACCOUNT}:app-instance/*", UNSET),
    ],
)
def test_one_acts_as_anyone_where_an_id_may_be_anothers(resource: str, expected: object) -> None:
    role = judged(allow(LIST, resource))

    assert verdicts(role)[0] is expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow(LIST, f"{APP}/user/guest", OWN)], True),
        ([allow(LIST, f"{APP}/user/alice", f"{APP}/user/bob")], True),
        ([allow(LIST, f"{APP}/user/alice"), allow(LIST, f"{APP}x/user/bob")], UNSET),
        ([allow(LIST, f"{APP}/user/*"), deny(LIST, f"{APP}/user/*")], False),
        ([allow(LIST, "*"), {"Effect": "Deny", "Action": "chime:*", "NotResource": [OWN, f"{APP}/channel/*"]}], False),
        ([allow("chime:*", "*"), deny("chime:*", f"{APP}/user/admin*")], True),
        ([allow(SEND, f"{APP}/user/*"), deny("chime:Send*", "*")], False),
        ([{"Effect": "Allow", "NotAction": "chime:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": [*CHAT], "NotResource": f"{APP}/user/*"}], True),
        ([{"Effect": "Allow", "Action": LIST, "NotResource": "arn:aws:chime:*:*:app-instance/*/user/*"}], True),
        ([{"Effect": "Allow", "Action": LIST, "NotResource": ["*:app-instance/*/user/*", "*/bot/*"]}], False),
        ([allow("chime:DescribeAppInstanceUser", "*")], False),
        ([allow("CHIME:connect", "*")], True),
        ([allow(LIST, f"{APP}/user/*", Condition={"Bool": {"aws:SecureTransport": "true"}})], True),
        ([allow(LIST, f"{APP}/user/*", Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})], True),
        ([allow(LIST, f"{APP}/user/*", Condition={"StringEquals": {"aws:ResourceAccount": "9"}})], False),
        ([allow(LIST, "*", Condition={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}})], True),
        ([allow(LIST, "*", Condition={"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}})], False),
        (
            [allow(LIST, "*", Condition={"ArnLike": {"aws:PrincipalArn": f"{ROLE[:13]}${{aws:ResourceAccount}}:*"}})],
            True,
        ),
        ([allow(LIST, "*", Condition={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalTag/home}"}})], UNSET),
        ([allow(LIST, "*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})], True),
        ([allow(LIST, "*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/other"}})], False),
        ([allow(LIST, "*", Condition={"Bool": {"aws:ViaAWSService": "true"}})], False),
        ([allow(LIST, "*", Condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})], UNSET),
        ([allow(LIST, "*", Condition={"StringEquals": {"aws:ResourceTag/kind": "open"}})], UNSET),
        ([allow(LIST, "*"), deny(LIST, "*", Condition={"StringEquals": {"aws:PrincipalTag/kind": "guest"}})], UNSET),
    ],
)
def test_statements_are_judged_together(statements: list[Json], expected: object) -> None:
    assert verdicts(judged(*statements))[0] is expected


def test_variables_are_plain_text_in_an_old_policy() -> None:
    assert verdicts(judged(allow("chime:*", OWN), version="2008-10-17")) == NOTHING
    assert verdicts(judged(allow("chime:*", f"{APP}/user/*"), version="2008-10-17"))[0] is True


def test_equal_variables_are_not_assumed() -> None:
    tag = f"{APP}/user/${{aws:PrincipalTag/id}}"
    role = judged(allow("chime:*", tag), {"Effect": "Deny", "Action": "*", "NotResource": OWN})

    assert verdicts(role) == (False, False, False, UNSET)


FLOW, CHANNEL = f"{APP}/channel-flow/*", f"{APP}/channel/*"


@pytest.mark.parametrize("action", MOVE)
@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([OWN, CHANNEL, FLOW], True),
        ([f"{APP}/bot/b", CHANNEL, FLOW], True),
        ([OWN, f"{APP}/channel*"], True),
        ([OWN, CHANNEL], False),
        ([OWN, FLOW], False),
        ([CHANNEL, FLOW], False),
        ([OWN, CHANNEL, FLOW.replace("0f1e2d3c", "other")], False),
        ([OWN, CHANNEL, f"arn:aws:chime:eu-central-1:{ACCOUNT}:app-instance/*/channel-flow/*"], False),
        (["*:app-instance/a*/user/*", "*:app-instance/*b/channel/*", "*:app-instance/*c*/channel-flow/*"], True),
        (["*:app-instance/a/user/*", "*:app-instance/*b/channel/*", "*:app-instance/*c*/channel-flow/*"], False),
    ],
)
def test_to_move_a_flow_takes_bearer_channel_and_flow_of_one_app_instance(
    action: str, resources: list[str], expected: bool
) -> None:
    together = judged(allow(action, *resources))
    apart = judged(*(allow(action, each) for each in resources))

    assert verdicts(together) == verdicts(apart) == (verdicts(together)[0], expected, False, False)


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("chime:UpdateChannelFlow", FLOW, True),
        ("chime:UpdateChannelFlow", f"{APP}/channel-flow/f", True),
        ("chime:UpdateChannelFlow", CHANNEL, False),
        ("chime:UpdateChannelFlow", "*/channel/*", False),
        ("chime:UpdateChannelFlow", "*/channel-flow/*", True),
        ("chime:DeleteChannelFlow", f"{APP}/channel*", True),
        ("chime:DeleteChannelFlow", FLOW, UNSET),
        ("chime:DeleteChannelFlow", CHANNEL, UNSET),
        ("chime:DeleteChannelFlow", OWN, False),
        ("chime:*ChannelFlow", FLOW, True),
        ("chime:CreateChannelFlow", "*", False),
    ],
)
def test_flows_may_be_changed(action: str, resource: str, expected: object) -> None:
    assert verdicts(judged(allow(action, resource))) == (False, False, expected, False)


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        (document(allow("*", "*")), EVERYTHING),
        (document(allow("s3:*", "*")), NOTHING),
        (document(allow("chime:*", OWN, CHANNEL)), (False, False, UNSET, True)),
        (document(allow("*", "*"), deny("chime:*Flow", "*")), (True, False, False, True)),
        ("no policy", UNKNOWN),
    ],
)
def test_a_boundary_limits(boundary: str, expected: tuple[object, ...]) -> None:
    assert verdicts(judged(allow("chime:*", "*"), boundary=boundary)) == expected


def test_what_is_not_known_is_neither_allowed_nor_denied() -> None:
    role = RoleDocuments(arn=ROLE, trust=POOL, identity=(document(allow("chime:*", "*")), UNSET))
    limited = RoleDocuments(arn=ROLE, trust=POOL, identity=(document(allow("s3:*", "*")),), boundary=UNSET)
    denied = RoleDocuments(arn=ROLE, trust=POOL, identity=(document(deny("chime:*", "*")), UNSET))

    assert verdicts(chat_role(role)) == UNKNOWN
    assert verdicts(chat_role(limited)) == NOTHING
    assert verdicts(chat_role(denied)) == NOTHING


def test_a_role_that_may_not_be_given_to_users_surely_allows_them_nothing_for_sure() -> None:
    for trust in (UNSET, "no policy"):
        role = chat_role(RoleDocuments(arn=ROLE, trust=trust, identity=(document(allow(LIST, "*")),)))

        assert isinstance(role, ChatRole)
        assert role.providers is UNSET
        assert verdicts(role) == (UNSET, False, False, False)


ADMIN = allow("*", "*")
CHIME = allow("chime:SendChannelMessage", "*")


@pytest.mark.parametrize(
    ("trust", "named"),
    [
        (trusting(Condition=AUDIENCE), (COGNITO,)),
        (trusting(Condition={"ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"}}), (COGNITO,)),
        (trusting({"Federated": ["graph.facebook.com", COGNITO]}), (COGNITO, "graph.facebook.com")),
        (trusting(action=["sts:TagSession", WEB]), (COGNITO,)),
        (trusting(action="sts:*"), (COGNITO,)),
        (trusting(action="*"), (COGNITO,)),
        (trusting({"Federated": "cognito-identity-us-gov.amazonaws.com"}), ("cognito-identity-us-gov.amazonaws.com",)),
        (trusting({"Federated": "*"}), ("*",)),
        (trusting("*"), ("*",)),
        (trusting({"AWS": "*"}), ("*",)),
        ({"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": WEB}, ("*",)),
        ({"Effect": "Allow", "Principal": {"Federated": COGNITO}, "NotAction": "sts:AssumeRole"}, (COGNITO,)),
    ],
)
def test_a_role_of_identity_pools_is_judged_whatever_it_names(trust: Json, named: tuple[str, ...]) -> None:
    role = judged(ADMIN, trust=document(trust))

    assert isinstance(role, ChatRole)
    assert role.providers == named
    assert verdicts(role) == EVERYTHING


@pytest.mark.parametrize(
    "trust",
    [
        [trusting({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")],
        [trusting({"AWS": "*"}, "sts:AssumeRole")],
        [trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})],
        [trusting(action="sts:TagSession")],
        [trusting(action=BY_SAML)],
        [trusting({"Federated": SAML}, WEB)],
        [trusting(), {**trusting(), "Effect": "Deny"}],
        [trusting(), {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}],
        [{"Effect": "Allow", "Principal": {"Federated": COGNITO}, "NotAction": "sts:*"}],
        [],
    ],
)
def test_a_role_that_no_identity_provider_may_hand_out_is_none(trust: list[Json]) -> None:
    assert judged(allow("chime:*", "*"), trust=document(*trust)) is None


def test_a_denial_under_a_condition_may_leave_some_users() -> None:
    some = {**trusting(), "Effect": "Deny", "Condition": {"StringNotEquals": {f"{COGNITO}:aud": "us-east-1:1"}}}

    assert verdicts(judged(ADMIN, trust=document(trusting(), some))) == EVERYTHING


@pytest.mark.parametrize(
    ("principal", "action"),
    [({"Federated": OIDC}, WEB), ({"Federated": SAML}, BY_SAML), ({"Federated": "accounts.google.com"}, WEB)],
)
@pytest.mark.parametrize(
    ("statements", "is_judged"),
    [
        ([CHIME], True),
        ([allow("chime:*", "*")], True),
        ([allow("CHIME:S*", "*")], True),
        ([allow("ch*:*", "*")], True),
        ([ADMIN, allow("s3:*", "*")], False),
        ([allow("*:*", "*")], False),
        ([allow("*:SendChannelMessage", "*")], False),
        ([ADMIN, deny("chime:*", "*")], False),
        ([{"Effect": "Allow", "NotAction": "chime:*", "Resource": "*"}], False),
        ([ADMIN, {"Effect": "Deny", "NotAction": "chime:*", "Resource": "*"}], True),
    ],
)
def test_a_role_of_other_providers_is_judged_if_it_names_chime(
    principal: Json, action: str, statements: list[Json], is_judged: bool
) -> None:
    role = judged(*statements, trust=document(trusting(principal, action)))

    assert isinstance(role, ChatRole) if is_judged else role is LEFT_OUT


def test_a_role_of_other_providers_is_judged_if_its_boundary_names_chime() -> None:
    role = judged(ADMIN, trust=document(trusting({"Federated": OIDC})), boundary=document(allow("chime:*", OWN)))

    assert verdicts(role) == (False, False, False, True)


def test_roles_of_identity_center_are_left_out() -> None:
    path = "aws-reserved/sso.amazonaws.com/eu-central-1"
    arn = f"arn:aws:iam::{ACCOUNT}:role/{path}/AWSReservedSSO_Admin_0123456789abcdef"

    assert judged(CHIME, arn=arn, trust=document(trusting({"Federated": SAML}, BY_SAML))) is LEFT_OUT
    assert judged(CHIME, arn=arn, trust=document(trusting({"Service": "ec2.amazonaws.com"}))) is None


def test_a_role_that_a_pool_is_known_to_hand_out_is_judged_whatever_its_trust_policy_says() -> None:
    for trust in (UNSET, document()):
        role = chat_role(RoleDocuments(arn=ROLE, trust=trust, identity=(document(ADMIN),), is_given=True))

        assert isinstance(role, ChatRole)
        assert role.providers == (COGNITO,)
        assert verdicts(role) == EVERYTHING


def test_too_many_cases_are_unknown_and_end_soon() -> None:
    patterns = [
        f"{APP}/user/{'*'.join(chr(97 + (number * step) % 26) for step in range(1, 9))}*" for number in range(60)
    ]
    role = judged(allow(LIST, OWN), deny(LIST, *patterns))

    assert verdicts(role)[0] in (False, UNSET)
