"""The channels of a template have no flow: a finding of their app instance, where the profile is chosen."""

from __future__ import annotations

import json
from typing import Any

from tests.declared.checking import APP, Check, findings, place, template, where

ONLY = ("--select", "profile:channels")
CHAT = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "chat"}}


def channel(owner: Any, **attributes: Any) -> dict[str, Any]:
    return {"Type": "AWS::Chime::Channel", "Properties": {"Name": "room", "AppInstanceArn": owner}, **attributes}


OWN = {"Fn::GetAtt": ["Chat", "AppInstanceArn"]}


def test_a_channel_is_a_finding_of_its_app_instance_placed_at_the_channel(check: Check) -> None:
    declared = template(Chat=CHAT, Room=channel(OWN), More=channel(OWN), Else=channel(APP))
    text = json.dumps(declared, indent=2)

    ended = check(*ONLY, stack__json=text)

    found = {each["resource"]["arn"]: each for each in ended.report["findings"]}
    assert (ended.code, set(found)) == (1, {None, APP}), ended.stderr
    assert "at least 2 channels" in found[None]["message"]
    assert (place(found[None])[1:], place(found[APP])[1:]) == (where(text, '"Room"'), where(text, '"Else"'))
    assert check(stack__json=text).code == 0


def test_an_app_instance_without_channels_is_not_said_to_be_clean(check: Check) -> None:
    never = {"Never": {"Fn::Equals": ["a", "b"]}}
    declared = {**template(Chat=CHAT, Room=channel(OWN, Condition="Never")), "Conditions": never}

    ended = check(*ONLY, stack__json=declared)

    assert (ended.code, findings(ended), ended.report["rules"]) == (0, {}, [])


def test_a_channel_that_parameters_decide_on_names_the_case_in_which_it_is_made(check: Check) -> None:
    env = {"Env": {"Type": "String", "AllowedValues": ["dev", "prod"]}}
    conditions = {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    rooms = {"Room": channel(OWN, Condition="Prod"), "Else": channel(APP, Condition="Prod")}
    declared = {**template(Chat=CHAT, **rooms), "Parameters": env, "Conditions": conditions}

    ended = check(*ONLY, stack__json=declared)

    assert [each["resource"]["arn"] for each in ended.report["findings"]] == [None, APP], ended.stderr
    assert all(each["message"].endswith(", if Env is prod") for each in ended.report["findings"])
    assert check(*ONLY, "--parameter", "Env=dev", stack__json=declared).code == 0


def test_a_channel_belongs_to_the_app_instance_that_parameters_choose(check: Check) -> None:
    env = {"Env": {"Type": "String", "AllowedValues": ["dev", "prod"]}}
    conditions = {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    declared = template(Chat=CHAT, Room=channel({"Fn::If": ["Prod", OWN, APP]}))

    ended = check(*ONLY, stack__json={**declared, "Parameters": env, "Conditions": conditions})

    said = {each["resource"]["arn"]: each["message"].partition(", if ")[2] for each in ended.report["findings"]}
    assert said == {None: "Env is prod", APP: "Env is not prod"}, ended.stderr
