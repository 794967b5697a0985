"""The roles of a template that signed-in users are given are judged, if a rule on roles is selected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command import Ended
from tests.declared.checking import Check, findings, gaps, place, template, where

Json = dict[str, Any]

SELECTED = ("--select", "profile:chat-access")
HERE = ("--account", "111122223333", "--region", "us-east-1")
ANYONE, REMOVE, CHANGE, OPEN = (
    f"chat-role-{name}" for name in ("acts-as-anyone", "may-remove-flow", "may-change-flow", "may-open-channels")
)
ALL = {ANYONE, REMOVE, CHANGE, OPEN}
SUB = "${!cognito-identity.amazonaws.com:sub}"
COGNITO, OIDC = "cognito-identity.amazonaws.com", "arn:aws:iam::111122223333:oidc-provider/login.example.com"


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Any, *resources: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def trusting(provider: Any = COGNITO) -> Json:
    audience = {"StringEquals": {f"{COGNITO}:aud": {"Ref": "Pool"}}}
    action = "sts:AssumeRoleWithWebIdentity"
    return document({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action, "Condition": audience})


def role(*statements: Json, trust: Any = None, **properties: Any) -> Json:
    own = {"AssumeRolePolicyDocument": trust or trusting(), **properties}
    inline = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    return {"Type": "AWS::IAM::Role", "Properties": {**own, "Policies": inline}}


def policy(*statements: Json, kind: str = "ManagedPolicy", **properties: Any) -> Json:
    return {"Type": f"AWS::IAM::{kind}", "Properties": {"PolicyDocument": document(*statements), **properties}}


def attachment(**properties: Any) -> Json:
    return {"Type": "AWS::Cognito::IdentityPoolRoleAttachment", "Properties": {"IdentityPoolId": "p", **properties}}


def group(arn: Any) -> Json:
    return {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"UserPoolId": "p", "RoleArn": arn}}


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


def told(ended: Ended) -> dict[str, str]:
    """The rules that have a finding on a role, with its status."""
    return {each["rule_id"]: each["status"] for each in ended.report["findings"] if each["rule_id"] in ALL}


def all_of(status: str) -> dict[str, str]:
    return dict.fromkeys(ALL, status)


CHIME = allow("chime:*", "*")
ARN = {"Fn::GetAtt": ["Role", "Arn"]}
USERS = ["chime:SendChannelMessage", "chime:CreateChannel", "chime:DisassociateChannelFlow"]


@pytest.mark.parametrize("where_to", [(), HERE])
@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([sub(f"${{Arn}}/user/{SUB}"), sub("${Arn}/channel/*")], {OPEN: "fail"}),
        ([sub(f"${{App.AppInstanceArn}}/user/{SUB}"), sub("${App.AppInstanceArn}/channel/*")], {OPEN: "fail"}),
        ([sub("${Arn}/user/*"), sub("${Arn}/channel*")], {ANYONE: "fail", REMOVE: "fail", OPEN: "fail"}),
        (
            [sub(f"${{Arn}}/user/{SUB}"), sub("${Arn}/channel/*"), sub("${Other}/channel-flow/*")],
            {REMOVE: "unknown", OPEN: "fail"},
        ),
        (
            [
                sub(
                    f"arn:${{AWS::Partition}}:chime:${{AWS::Region}}:${{AWS::AccountId}}:app-instance/${{Id}}/user/{SUB}"
                )
            ],
            {OPEN: "fail"},
        ),
        (
            [sub("arn:aws:chime:${Region}:${AWS::AccountId}:app-instance/*")],
            dict.fromkeys((ANYONE, REMOVE, OPEN), "fail"),
        ),
        ([sub("arn:aws-us-gov:chime:*:*:app-instance/*")], {}),
        ([{"Ref": "Arn"}], dict.fromkeys((ANYONE, REMOVE, OPEN), "unknown")),
        ([{"Ref": "Arn"}, sub(f"${{Arn}}/user/{SUB}"), sub("${Arn}/channel/*")], {OPEN: "fail"}),
        ([sub("${Arn}/user/${Id}")], {ANYONE: "unknown", OPEN: "unknown"}),
    ],
)
def test_holes_in_resources(
    check: Check, resources: list[Any], expected: dict[str, str], where_to: tuple[str, ...]
) -> None:
    app = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "chat"}}
    parameters = {name: {"Type": "String"} for name in ("Arn", "Other", "Id", "Region")}
    made = template(Role=role(allow(USERS, *resources)), App=app)

    ended = check(*SELECTED, *where_to, t__json={**made, "Parameters": parameters})

    assert told(ended) == expected
    assert ended.report["coverage"]["complete"]


ATTACHED: dict[str, dict[str, Json]] = {
    "an inline policy": {"Role": role(CHIME)},
    "a managed policy": {"Role": role(ManagedPolicyArns=[{"Ref": "Own"}]), "Own": policy(CHIME)},
    "a managed policy that names the role": {"Role": role(), "Own": policy(CHIME, Roles=[{"Ref": "Role"}])},
    "a policy": {"Role": role(), "Own": policy(CHIME, kind="Policy", PolicyName="p", Roles=[{"Ref": "Role"}])},
    "a role policy": {"Role": role(), "Own": policy(CHIME, kind="RolePolicy", RoleName={"Ref": "Role"})},
    "a policy of AWS's": {"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonChimeFullAccess"])},
    "a policy that allows more than its boundary": {
        "Role": role(allow("*", "*"), PermissionsBoundary={"Ref": "Limit"}),
        "Limit": policy(CHIME),
    },
    "an attachment": {
        "Role": role(CHIME, trust={"Ref": "Trust"}),
        "Attached": attachment(Roles={"authenticated": ARN}),
    },
    "an attachment for guests": {
        "Role": role(CHIME, trust=document()),
        "Attached": attachment(Roles={"unauthenticated": ARN}),
    },
    "a rule of an attachment": {
        "Role": role(CHIME, trust=document()),
        "Attached": attachment(
            RoleMappings={
                "cognito": {"Type": "Rules", "RulesConfiguration": {"Rules": [{"Claim": "c", "RoleARN": ARN}]}}
            }
        ),
    },
    "the group of a user pool": {"Role": role(CHIME, trust={"Ref": "Trust"}), "Group": group(ARN)},
    "another provider": {"Role": role(CHIME, trust=trusting({"Ref": "Provider"}))},
}


@pytest.mark.parametrize("resources", ATTACHED.values(), ids=ATTACHED)
def test_a_role_fails_by_all_that_is_attached(check: Check, resources: dict[str, Json]) -> None:
    ended = check(*SELECTED, t__json=template(**resources))

    assert told(ended) == all_of("fail")
    assert {each["resource"]["type"] for each in ended.report["findings"]} == {"role"}
    assert ended.report["coverage"]["observed"]["roles"] == 1
    assert ended.code == 1


UNKNOWN = {
    "an imported policy": (
        {"Role": role(ManagedPolicyArns=[{"Fn::ImportValue": "shared"}])},
        "Fn::ImportValue shared",
    ),
    "a policy of AWS's": (
        {"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonChimeSDK"])},
        "what arn:aws:iam::aws:policy/AmazonChimeSDK allows",
    ),
    "a boundary": (
        {"Role": role(CHIME, PermissionsBoundary="arn:aws:iam::111122223333:policy/limit")},
        "what arn:aws:iam::111122223333:policy/limit allows",
    ),
    "actions": ({"Role": role(allow({"Ref": "Actions"}, "*"))}, "what its documents allow"),
    "the trust policy": ({"Role": role(CHIME, trust={"Ref": "Trust"})}, "what its documents allow"),
    "a role of elsewhere": (
        {"Attached": attachment(Roles={"authenticated": "arn:aws:iam::111122223333:role/users"})},
        "what arn:aws:iam::111122223333:role/users allows, which this template does not hold",
    ),
    "a group's role of elsewhere": (
        {"Group": group("arn:aws:iam::111122223333:role/agents")},
        "what arn:aws:iam::111122223333:role/agents allows, which this template does not hold",
    ),
    "roles of an attachment": ({"Attached": attachment(Roles={"Ref": "Roles"})}, "which this template does not hold"),
}


@pytest.mark.parametrize(("resources", "why"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_template_does_not_tell_is_unknown(check: Check, resources: dict[str, Json], why: str) -> None:
    ended = check(*SELECTED, t__json=template(**resources))

    assert told(ended) == all_of("unknown")
    assert all(why in each["message"] for each in ended.report["findings"])
    assert ended.code == 0


def test_an_app_instance_may_be_one_that_is_written_out(check: Check) -> None:
    fixed = "arn:aws:chime:us-east-1:111122223333:app-instance/0f1e2d3c"
    denied = {**allow("chime:*", f"{fixed}/*"), "Effect": "Deny"}
    made = template(Role=role(allow("chime:CreateChannel", sub("${Arn}/user/*")), denied))

    ended = check(*SELECTED, *HERE, t__json={**made, "Parameters": {"Arn": {"Type": "String"}}})

    assert told(ended) == {ANYONE: "unknown", OPEN: "unknown"}


FREE = {"Ref": "Free"}
ODD = {
    "a free path": role(allow("chime:CreateChannel", "*"), Path=FREE),
    "a free name": role(allow("chime:CreateChannel", "*"), RoleName=FREE),
    "free tags": role(allow("chime:CreateChannel", "*"), Tags=FREE),
    "a free Sid": role({**allow("chime:CreateChannel", "*"), "Sid": FREE}),
    "a free version": role(ManagedPolicyArns=[{"Ref": "Own"}]),
    "a free effect": role({**allow("chime:CreateChannel", "*"), "Effect": FREE}),
    "a free condition": role({**allow("chime:CreateChannel", "*"), "Condition": FREE}),
    "a free key": role(
        {**allow("chime:CreateChannel", "*"), "Condition": {"StringEquals": {"aws:PrincipalArn": FREE}}}
    ),
    "a free resource": role({**allow("chime:CreateChannel"), "Resource": FREE}),
    "free policies": {**role(), "Properties": {**role()["Properties"], "Policies": FREE}},
    "a number": role({**allow("chime:CreateChannel"), "Resource": 7}),
    "a list": {**role(), "Properties": [1]},
    "an old version": role(allow("chime:CreateChannel", "*"), trust={"Statement": trusting()["Statement"]}),
}
CERTAIN = {"a free path", "a free name", "free tags", "a free Sid", "an old version"}


@pytest.mark.parametrize("name", ODD)
def test_what_is_free_elsewhere_makes_no_difference_or_is_unknown(check: Check, name: str) -> None:
    own = policy(allow("chime:CreateChannel", "*"))
    own["Properties"]["PolicyDocument"]["Version"] = FREE
    made = template(Role=ODD[name], Own=own)

    ended = check(*SELECTED, t__json={**made, "Parameters": {"Free": {"Type": "String"}}})

    verdict = told(ended).get(OPEN)
    assert verdict == ("fail" if name in CERTAIN else None if name in ("a number", "a list") else "unknown")


NOT_GIVEN = {
    "a role of a function": [
        role(CHIME, trust=document({"Effect": "Allow", "Principal": {"Service": "l"}, "Action": "*"}))
    ],
    "a role that CI takes": [role(allow("*", "*"), trust=trusting(OIDC))],
    "users who may do nothing in Chime": [role(allow("s3:*", "*"))],
}


@pytest.mark.parametrize("roles", NOT_GIVEN.values(), ids=NOT_GIVEN)
def test_other_roles_have_no_findings(check: Check, roles: list[Json]) -> None:
    ended = check(*SELECTED, t__json=template(**{f"Role{at}": each for at, each in enumerate(roles)}))

    assert told(ended) == {}
    assert ended.code == 0


def test_roles_left_out_are_counted(check: Check) -> None:
    admin = role(allow("*", "*"), trust=trusting(OIDC))

    selected = check(*SELECTED, t__json=template(One=admin, Two=admin))

    assert any(each.endswith(": 2.") for each in selected.report["coverage"]["not_examined"])


def test_nothing_is_said_of_roles_unless_a_rule_on_them_is_selected(check: Check) -> None:
    made = template(Role=role(CHIME), Attached=attachment(Roles={"authenticated": "arn:aws:iam::111122223333:role/r"}))

    ended = check(*HERE, t__json=made)
    without = check(*HERE, t__json=template(Other={"Type": "AWS::SNS::Topic"}))

    assert ended.report["findings"] == []
    for member in ("coverage", "scope", "summary"):
        assert ended.report[member] == without.report[member]


YAML = """\
Conditions: {Made: !Equals [!Ref Stage, prod]}
Parameters: {Stage: {Type: String}}
Resources:
  Users:
    Type: AWS::IAM::Role
    Condition: Made
    Metadata: {chimeaudit: {waive: [{rule: chat-role-may-open-channels, reason: r, owner: o, expires: 2999-01-01}]}}
    Properties:
      RoleName: users
      Tags: [{Key: team, Value: chat}]
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Federated: cognito-identity.amazonaws.com}, Action: "sts:*"}
      Policies:
        - PolicyName: own
          PolicyDocument: {Statement: {Effect: Allow, Action: "chime:CreateChannel", Resource: "*"}}
"""


def test_findings_have_a_place_an_identity_and_inline_waivers(check: Check) -> None:
    ended = check(*SELECTED, *HERE, t__yaml=YAML)
    moved = check(*SELECTED, *HERE, t__yaml=f"Description: moved\n{YAML}")

    failed, waived = findings(ended)[ANYONE], findings(ended, "waived")[OPEN]
    assert place(failed) == place(waived) == ("t.yaml", *where(YAML, "Users"))
    assert (failed["resource"]["name"], failed["resource"]["region"]) == ("users", "global")
    assert (failed["resource"]["arn"], failed["resource"]["account_id"]) == (None, "111122223333")
    assert failed["fingerprint"] == findings(moved)[ANYONE]["fingerprint"]
    assert not gaps(ended)


@pytest.mark.parametrize(
    ("changed", "branch"),
    [
        ({"Role": {**role(CHIME), "Condition": "Open"}}, ", if Env is prod"),
        ({"Role": role({"Fn::If": ["Open", CHIME, allow("logs:*", "*")]})}, ", if Env is prod"),
        ({"Role": role(allow("logs:*", "*")), "More": policy(CHIME, Roles=[{"Ref": "Role"}])}, ""),
        ({"Role": role({"Fn::If": ["Open", CHIME, CHIME]})}, ""),
    ],
)
def test_a_role_is_judged_in_every_branch(check: Check, changed: dict[str, Json], branch: str) -> None:
    opened = {"Open": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    parameters = {"Env": {"Type": "String", "Default": "dev"}, "Pool": {"Type": "String"}}
    declared = {**template(**changed), "Conditions": opened, "Parameters": parameters}

    ended = check(*SELECTED, *HERE, stack__json=declared)

    assert told(ended) == all_of("fail")
    failed = findings(ended)[CHANGE]["message"]
    assert failed.endswith(branch) if branch else ", if " not in failed
