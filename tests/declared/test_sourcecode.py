"""scanner.declared.sourcecode: code that calls the API is named with the line of the call, and other code is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.declared import sourcecode
from tests.declared.checking import Check, custom, gaps, request, template, write


def told(name: str, code: str) -> list[tuple[int, str]]:
    return [(each.place.line, each.what) for each in sourcecode.calls(Path(name), code.encode())]


@pytest.mark.parametrize(
    ("name", "code", "line", "call"),
    [
        (
            "a.py",
            "import boto3\nboto3.client('chime-sdk-messaging').create_channel_flow(Name='x')",
            2,
            "create_channel",
        ),
        ("a.py", "# chime\n\ngetattr(client, 'update_channel_flow')(**asked)", 3, "update_channel_flow"),
        ("a.sh", "aws chime-sdk-messaging \\\n  create-channel-flow --name x", 2, "create-channel-flow"),
        ("deploy", "#!/bin/sh\naws chime-sdk-messaging delete-channel-flow", 2, "delete-channel-flow"),
        ("Makefile", "flow:\n\taws chime-sdk-messaging associate-channel-flow", 2, "associate-channel-flow"),
        ("a.ts", "// chime\nawait client.send(new CreateChannelFlowCommand({}))", 2, "CreateChannelFlowCommand"),
        ("a.mjs", "const c = new ChimeSDKMessaging()\nc.createChannelFlow (asked)", 2, "createChannelFlow"),
        ("A.java", "ChimeSdkMessagingClient c;\nc.createChannelFlow(asked);", 2, "createChannelFlow"),
        ("a.go", "// chime\nout, err := svc.CreateChannelFlow(ctx, &in)", 2, "CreateChannelFlow"),
        ("a.ps1", "New-CHMMGChannelFlow -Name x", 1, "New-CHMMGChannelFlow"),
        ("a.py", "client.create_channel_flow(Name='x')", 1, "create_channel_flow"),
        ("a.py", "c.disassociate_channel_flow(ChannelArn=chime_arn)", 1, "disassociate_channel_flow"),
        ("a.tf", '# chime\nresource "awscc_chime_channel_flow" "m" {\n}', 2, "terraform show -json"),
        ("a.ts", "new chime.CfnChannelFlow(this, 'Flow', {})", 1, "cdk synth"),
        ("a.py", "chime.ChannelFlow(self, 'Flow')", 1, "cdk synth"),
        ("a.go", 'flow := awschime.NewCfnChannelFlow(stack, jsii.String("F"), nil)', 1, "cdk synth"),
        ("A.java", 'import chime.CfnChannelFlow;\nCfnChannelFlow.Builder.create(this, "F")', 2, "cdk synth"),
        ("a.ts", 'import "@pulumi/aws-native"\nnew chime.ChannelFlow("f", {})', 2, "pulumi preview"),
        ("a.py", "import pulumi_aws_native as aws\naws.chime.ChannelFlow('f', name='x')", 2, "pulumi preview"),
        ("a.ts", 'new CfnResource(this, "F", { type: "AWS::Chime::ChannelFlow" })', 1, "AWS::Chime::ChannelFlow"),
        ("a.sh", "aws cloudcontrol create-resource --type-name AWS::Chime::ChannelFlow", 1, "AWS::Chime::ChannelFlow"),
        ("a.tf", 'template_body = jsonencode({Resources = {F = {Type = "AWS::Chime::ChannelFlow"}}})', 1, "AWS::Chime"),
        ("a.ts", '{ service: "ChimeSDKMessaging", action: "createChannelFlow" }', 1, "createChannelFlow"),
        ("a.js", "// chime\nm['createChannelFlow']({})", 2, "createChannelFlow"),
        ("a.mjs", "const { createChannelFlow } = new ChimeSDKMessaging()", 1, "createChannelFlow"),
        (
            "a.ts",
            "import { CreateChannelFlowCommand as Make } from 'client-chime-sdk-messaging'",
            1,
            "ChannelFlowCommand",
        ),
        ("a.py", "# chime\nmake = client.create_channel_flow\nmake()", 2, "create_channel_flow"),
        ("a.py", "# chime\ngetattr(client, 'create_' + 'channel_flow')()", 2, "getattr"),
        ("a.py", "# chime\nname = 'CreateChannelFlow'\nclient._make_api_call(name, {})", 2, "CreateChannelFlow"),
        ("a.py", "post('https://messaging-chime.us-east-1.amazonaws.com/channel-flows')", 1, "channel-flows"),
        ("a.sh", "aws --region x chime-sdk-messaging $WHAT --name a", 1, "chime-sdk-messaging $WHAT"),
        ("a.sh.j2", "aws chime-sdk-messaging create-channel-flow", 1, "create-channel-flow"),
        ("A.vue", "<script>// chime\nclient.send(new CreateChannelFlowCommand({}))", 2, "CreateChannelFlowCommand"),
    ],
)
def test_a_call_is_named_with_its_line(name: str, code: str, line: int, call: str) -> None:
    assert [(each, call in what) for each, what in told(name, code)] == [(line, True)]


def test_further_calls_of_a_file_are_told_with_the_first() -> None:
    code = "# chime\n" + "c.create_channel_flow()\n" * 6

    assert told("a.py", code)[0][1].endswith(
        "it calls create_channel_flow, as well as create_channel_flow in line 3, create_channel_flow in line 4, "
        "create_channel_flow in line 5 and others"
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.py", "# chime\n# client.create_channel_flow()"),
        ("a.py", "# chime\ndef create_channel_flow(client): ..."),
        ("a.ts", "import { CreateChannelFlowCommand } from '@aws-sdk/client-chime-sdk-messaging'"),
        ("a.d.ts", "createChannelFlow(params: ChimeSDKMessaging.CreateChannelFlowRequest): void"),
        ("a.ts", "mesh.createChannelFlow({ width, height })"),
        ("a.ts", "actions: ['chime:CreateChannelFlow', 'chime:UpdateChannelFlow']"),
        ("a.py", "if event['eventName'] == 'DeleteChannelFlow': tell('chime')"),
        ("a.py", "chime.describe_channel_flow(); chime.channel_flow_callback(); chime.list_channel_flows()"),
        ("a.py", "client.create_channel_flow.assert_called_once()  # chime"),
        ("a.py", "flow = client.describe(Arn=a)['ChannelFlow']  # chime"),
        ("a.ts", "if (type === 'AWS::Chime::ChannelFlow') tell()"),
        ("a.py", "name = f'{stage}-channel-flow'  # chime"),
        ("a.sh", "aws chime-sdk-messaging list-channel-flows --app-instance-arn $ARN"),
        ("a.ts", "import { CreateChannelFlowCommandInput } from '@aws-sdk/client-chime-sdk-messaging'"),
        ("a.md", "aws chime-sdk-messaging create-channel-flow"),
        ("a.sh", "aws iam create-role --role-name create-channel-flow-role # chime"),
    ],
)
def test_other_code_is_not_named(name: str, code: str) -> None:
    assert told(name, code) == []


def test_code_in_a_folder_makes_the_coverage_incomplete(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "stack.json", template(Flow=custom("ChannelFlow", request())))
    (tmp_path / "scripts").mkdir()
    write(tmp_path / "scripts" / "make.sh", "aws chime-sdk-messaging create-channel-flow --name x")

    ended = check(".")

    assert (ended.code, check(".", "--allow-gaps").code) == (3, 0)
    assert [each.split(": ")[0] for each in gaps(ended)] == ["scripts/make.sh:1:25"]


def test_a_state_machine_in_a_file_of_its_own_is_named_with_the_line_of_the_call(check: Check, tmp_path: Path) -> None:
    task = "arn:aws:states:::aws-sdk:chimesdkmessaging:createChannelFlow"
    write(tmp_path / "flow.asl.json", {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": task}}})

    ended = check(".")

    assert (ended.code, [each.split(": ")[0] for each in gaps(ended)]) == (3, ["flow.asl.json:6:45"])
    assert "it calls createChannelFlow" in gaps(ended)[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flow.yaml.j2", "Resources:\n  F:\n    Type: AWS::Chime::ChannelFlow\n{% for p in ps %}\n"),
        ("ci.yml", "jobs:\n  a: |\n    aws chime-sdk-messaging \\\n      create-channel-flow --name a\n"),
        ("ci.yaml", "jobs:\n  a: >-\n    aws chime-sdk-messaging\n    create-channel-flow --name a\n"),
    ],
)
def test_what_is_filled_in_and_commands_of_several_lines_are_named(
    check: Check, tmp_path: Path, name: str, text: str
) -> None:
    write(tmp_path / "stack.json", template(Flow=custom("ChannelFlow", request())))
    (tmp_path / name).write_text(text)

    ended = check(".")

    assert (len(gaps(ended)), ended.code) == (1, 3), ended.stderr
