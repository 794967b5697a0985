"""scanner.declared.assembly: templates of the CDK are judged as deployed where their assembly's manifest says."""

from __future__ import annotations

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from tests.declared.checking import Check, custom, findings, gaps, processor, request, template, write

HERE = "arn:aws:lambda:us-east-1:111122223333:function:moderate:live"


def stack(**more: Any) -> dict[str, Any]:
    own = {"Fn::Sub": "arn:aws:chime:${AWS::Region}:${AWS::AccountId}:app-instance/1"}
    asked = request(processor(function=HERE), AppInstanceArn=own)
    return template(Flow=custom("ChannelFlow", asked), **more)


def manifest(**environments: str) -> dict[str, Any]:
    return {
        "version": "40.0.0",
        "artifacts": {
            name: {
                "type": "aws:cloudformation:stack",
                "environment": environment,
                "properties": {"templateFile": f"{name}.template.json"},
            }
            for name, environment in environments.items()
        },
    }


def assembly(folder: Path, **environments: str) -> None:
    folder.mkdir(parents=True)
    write(folder / "manifest.json", manifest(**environments))
    for name in environments:
        write(folder / f"{name}.template.json", stack())


@pytest.mark.parametrize(
    ("environment", "options", "found"),
    [
        ("aws://111122223333/us-east-1", (), ()),
        ("aws://444455556666/us-east-1", (), ("cross-account-lambda",)),
        ("aws://444455556666/eu-central-1", (), ("cross-account-lambda", "cross-region-lambda")),
        (
            "aws://444455556666/eu-central-1",
            ("--account", "111122223333"),
            ("cross-account-lambda", "cross-region-lambda"),
        ),
        ("aws://unknown-account/unknown-region", ("--account", "444455556666"), ("cross-account-lambda",)),
        ("aws://111122223333/unknown-region", ("--region", "eu-central-1"), ("cross-region-lambda",)),
        ("nonsense", ("--account", "444455556666"), ("cross-account-lambda",)),
    ],
)
def test_a_stack_is_judged_as_deployed_where_its_manifest_says(
    check: Check, tmp_path: Path, environment: str, options: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assembly(tmp_path / "cdk.out", Stack=environment)

    ended = check("cdk.out", *options)

    assert (tuple(findings(ended)), ended.code) == (found, 1 if found else 0), ended.stderr


def test_stages_and_nested_stacks_have_places_of_their_own(check: Check, tmp_path: Path) -> None:
    assembly(tmp_path / "cdk.out", Parent="aws://111122223333/us-east-1")
    assembly(tmp_path / "cdk.out" / "assembly-Prod", Stage="aws://444455556666/us-east-1")
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "Inner.nested.template.json"}}
    write(tmp_path / "cdk.out" / "assembly-Prod" / "Stage.template.json", stack(Nested=nested))
    write(tmp_path / "cdk.out" / "assembly-Prod" / "Inner.nested.template.json", stack())

    ended = check("cdk.out")

    failed = [each for each in ended.report["findings"] if each["status"] == "fail"]
    assert sorted(each["location"]["file"] for each in failed) == [
        "cdk.out/assembly-Prod/Inner.nested.template.json",
        "cdk.out/assembly-Prod/Stage.template.json",
    ]
    assert {each["resource"]["account_id"] for each in failed} == {"444455556666"}
    assert (ended.report["scope"]["accounts"], gaps(ended)) == (["111122223333", "444455556666"], [])


def test_what_lies_beside_the_templates_is_no_noise(check: Check, tmp_path: Path) -> None:
    out = tmp_path / "cdk.out"
    assembly(out, Stack="aws://111122223333/us-east-1")
    write(out / "tree.json", {"tree": {"attributes": {"aws:cdk:cloudformation:props": {"fallbackAction": "CONTINUE"}}}})
    write(out / "Stack.metadata.json", {"fallbackAction": "CONTINUE"})
    (out / "asset.1234").mkdir()
    write(out / "asset.1234" / "index.js", "chime.send(new CreateChannelFlowCommand(asked))")
    write(out / "asset.1234" / "flow.json", {"fallbackAction": "CONTINUE"})

    ended = check("cdk.out")

    assert (ended.code, gaps(ended)) == (0, []), ended.stderr
    assert check("cdk.out/tree.json").code == 2


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"version": "1", "artifacts": {"a": {"type": 1}, "b": []}})])
def test_another_manifest_says_nothing(check: Check, tmp_path: Path, text: str) -> None:
    write(tmp_path / "manifest.json", text)
    write(tmp_path / "stack.json", stack())

    assert check(".").report["scope"]["accounts"] == ["unknown"]


@pytest.mark.parametrize(("metadata", "is_told"), [({"aws:cdk:path": "Stack/Flow"}, True), ({}, False)])
def test_what_cdk_synth_does_not_print_is_told(
    check: Check, monkeypatch: pytest.MonkeyPatch, metadata: dict[str, Any], is_told: bool
) -> None:
    declared = template(Flow={**custom("ChannelFlow", request()), "Metadata": metadata})
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(json.dumps(declared).encode())))

    told = check("-").report["coverage"]["not_examined"]

    assert any("What cdk synth does not print" in each for each in told) is is_told
