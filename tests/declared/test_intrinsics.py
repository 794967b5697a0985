"""scanner.declared.intrinsics: functions are resolved as far as possible before deployment, and never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scanner.declared.documents import parse
from scanner.declared.holes import Hole, Text, known, text_of, written
from scanner.declared.intrinsics import Resolver
from scanner.declared.parameters import Values, declared
from scanner.declared.worlds import World
from scanner.model.yamltree import Mistakes, Table, plain

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "prod"},
        "Free": {"Type": "String"},
        "Names": {"Type": "CommaDelimitedList", "Default": "one, two"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b"},
        "Dynamic": {"Type": "String", "Default": "{{resolve:ssm:/b:2}}"},
    },
    "Mappings": {"Stages": {"prod": {"fallback": "ABORT", "list": ["x", "y"], "stored": "{{resolve:ssm:/c}}"}}},
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "IsFree": {"Fn::Equals": [{"Ref": "Free"}, "prod"]},
        "NotProd": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsFree"}]},
        "Never": {"Fn::And": [{"Condition": "NotProd"}, {"Condition": "IsFree"}]},
        "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsFree"}]},
        "Same": {"Fn::Equals": [{"Ref": "Free"}, {"Ref": "Free"}]},
        "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
    },
    "Resources": {},
}
ACCOUNT = (Hole(name="AWS::AccountId", plain=True),)


def attribute(id_: str, name: str) -> Text | None:
    return ("arn:aws:lambda:", *ACCOUNT, ":function:x") if (id_, name) == ("Fn", "Arn") else None


def resolver() -> Resolver:
    root = parse(json.dumps(TEMPLATE).encode(), Mistakes("t"))
    assert isinstance(root, Table)
    world = World(parameters=declared(root), values=Values(fixed={"Stage": "prod"}))
    return Resolver(root, {"AWS::Region": ("us-east-1",), "AWS::AccountId": ACCOUNT}, attribute, Mistakes("t"), world)


def resolved(value: Any) -> Any:
    """The resolved value; unknown parts are as the file writes them."""
    node = parse(json.dumps({"value": value}).encode(), Mistakes("t"))
    assert isinstance(node, Table)
    found = resolver().resolve(node.entries["value"])
    if found is None:
        return None
    text = text_of(found)
    return plain(found) if text is None else known(text) if known(text) is not None else (written(text),)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"Ref": "Stage"}, "prod"),
        ({"Ref": "Free"}, ("${Free}",)),
        ({"Ref": "Names"}, ["one", "two"]),
        ({"Ref": "Stored"}, ("${Stored}",)),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::AccountId"}, ("${AWS::AccountId}",)),
        ({"Ref": "AWS::NoValue"}, None),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([{"Ref": "AWS::NoValue"}, 1], [1]),
        ({"Fn::GetAtt": ["Fn", "Arn"]}, ("arn:aws:lambda:${AWS::AccountId}:function:x",)),
        ({"Fn::GetAtt": "Fn.Arn"}, ("arn:aws:lambda:${AWS::AccountId}:function:x",)),
        ({"Fn::Sub": "${Stage}-${AWS::Region}-${!Raw}"}, "prod-us-east-1-${Raw}"),
        ({"Fn::Sub": "${Fn.Arn}:live"}, ("arn:aws:lambda:${AWS::AccountId}:function:x:live",)),
        ({"Fn::Sub": ["${a}-${Free}", {"a": {"Ref": "Stage"}}]}, ("prod-${Free}",)),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, "a-prod"),
        ({"Fn::Join": ["-", {"Ref": "Names"}]}, "one-two"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Free"}]]}, ("a-${Free}",)),
        ({"Fn::Select": [1, {"Ref": "Names"}]}, "two"),
        ({"Fn::Select": ["0", {"Fn::Split": [",", "a,b"]}]}, "a"),
        ({"Fn::Select": [4, {"Fn::Split": [":", {"Fn::GetAtt": ["Fn", "Arn"]}]}]}, "function"),
        ({"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "fallback"]}, "ABORT"),
        ({"Fn::FindInMap": ["Stages", "prod", "list"]}, ["x", "y"]),
        ({"Fn::If": ["IsProd", "yes", "no"]}, "yes"),
        ({"Fn::If": ["NotProd", "yes", "no"]}, "no"),
        ({"Fn::If": ["Never", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Same", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsFree", "same", "same"]}, "same"),
        ("{{resolve:ssm:/a:1}}", ("{{resolve:ssm:/a:1}}",)),
        (
            "a-{{resolve:ssm-secure:/a:1}}-{{resolve:secretsmanager:b}}",
            ("a-{{resolve:ssm-secure:/a:1}}-{{resolve:secretsmanager:b}}",),
        ),
        ({"Fn::Sub": "{{resolve:ssm:/${Stage}/${Free}}}-x"}, ("{{resolve:ssm:/prod/${Free}}}-x",)),
        ({"Fn::Join": ["", ["{{resolve:", "ssm:/a", "}}"]]}, ("{{resolve:ssm:/a}}",)),
        ({"Ref": "Dynamic"}, ("{{resolve:ssm:/b:2}}",)),
        ({"Fn::FindInMap": ["Stages", "prod", "stored"]}, ("{{resolve:ssm:/c}}",)),
        ("{{resolve:", "{{resolve:"),
        ("{{other:ssm:/a}}", "{{other:ssm:/a}}"),
    ],
)
def test_values_that_the_template_determines_are_resolved(value: Any, result: Any) -> None:
    assert resolved(value) == result


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::If": ["IsFree", "yes", "no"]},
        {"Fn::If": ["Both", "yes", "no"]},
        {"Fn::If": ["Loop", "yes", "no"]},
        {"Fn::If": ["Missing", "yes", "no"]},
        {"Fn::If": ["IsProd", "yes"]},
        {"Fn::ImportValue": "elsewhere"},
        {"Fn::Select": [5, ["a"]]},
        {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Free"}]}]},
        {"Fn::FindInMap": ["Stages", "test", "fallback"]},
        {"Fn::FindInMap": ["Stages", {"Ref": "Free"}, "fallback"]},
        {"Fn::GetAtt": ["Other", "Arn"]},
        {"Fn::Join": ["-", "no list"]},
        {"Fn::Transform": {"Name": "Macro"}},
        {"Fn::Transform": {"Name": "Macro"}, "beside": "it"},
        {"Fn::ForEach::Names": ["Name", ["a"], {}], "beside": "it"},
        {"Fn::If": [{"Fn::Equals": ["{{resolve:ssm:/a}}", "b"]}, "yes", "no"]},
        {"Fn::Nothing": []},
        {"Ref": ["not text"]},
    ],
)
def test_values_that_the_template_does_not_determine_are_pending(value: Any) -> None:
    found = resolved(value)

    assert isinstance(found, tuple)
    assert "${" in found[0]
