"""scanner.declared.unread: unsupported parts that may make or unmake channel flows are reported, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.declared.documents import parse
from scanner.declared.requests import Home
from scanner.declared.template import Template
from scanner.model.yamltree import Mistakes, Table
from tests.declared.checking import Check, custom, findings, gaps, request, template, where, write

CHAT = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "chat"}}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {}}
MACRO = {"Fn::Transform": {"Name": "Macro"}}
TRANSFORMED = "what its transforms make of it"
ARN = "arn:aws:chime:us-east-1:111122223333:app-instance/0f1e2d3c/channel-flow/9"
FLOW_ARN = {"Fn::GetAtt": ["Flow", "Arn"]}


def read(declared: dict[str, Any]) -> Template:
    mistakes = Mistakes("infra/stack.json")
    root = parse(json.dumps(declared).encode(), mistakes)
    assert isinstance(root, Table)
    read = Template(root, "infra/stack.json", Home(), mistakes)
    assert not mistakes.found
    return read


def unread(declared: dict[str, Any]) -> list[str]:
    """The unsupported parts that are reported for a template."""
    return [each.what for each in read(declared).unread.found]


def about_chime(**more: Any) -> dict[str, Any]:
    return template(Chat=CHAT, **more)


def more(type_: Any, **properties: Any) -> dict[str, Any]:
    """A template that has to do with Chime, with one more resource."""
    return about_chime(More={"Type": type_, "Properties": properties})


def alone(type_: Any, **properties: Any) -> dict[str, Any]:
    return template(More={"Type": type_, "Properties": properties})


NATIVE = "AWS::Chime::ChannelFlow"


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (about_chime(**{"Fn::ForEach::Flows": ["x", ["a"], {}]}), "loops are not unrolled"),
        (about_chime(**MACRO), TRANSFORMED),
        ({**about_chime(), **MACRO}, TRANSFORMED),
        ({**about_chime(), "Transform": ["AWS::LanguageExtensions", "Ours"]}, TRANSFORMED),
        ({**about_chime(), "Transform": {"Name": "AWS::Include"}}, TRANSFORMED),
        (about_chime(More={**TOPIC, **MACRO}), TRANSFORMED),
        (more("AWS::CloudFormation::Stack", TemplateURL="https://x/y"), "the stack More"),
        (more("AWS::CloudFormation::StackSet"), "the stack More"),
        (more("AWS::Serverless::Application", Location={"ApplicationId": "x"}), "the stack More"),
        (alone("AWS::CloudFormation::Stack", TemplateURL="https://x/chime-flows.yaml"), "the stack More"),
        (template(ChimeStack={"Type": "AWS::CloudFormation::Stack"}), "the stack ChimeStack"),
        (more("Our::Chat::Flows::MODULE"), "the module More"),
        (alone("Our::Chime::Flows::MODULE"), "the module More"),
        (more({"Ref": "Type"}), "what More is; its Type is not written out"),
        (about_chime(More="text"), "what More is; its Type is not written out"),
        (alone("AWS::Chime::ChannelFlowAssociation"), "its type AWS::Chime::ChannelFlowAssociation"),
        (alone("AWS::Chime::ChannelFlow", Name="x"), "More may make"),
        (template(**{"Fn::ForEach::Flows": ["N", ["a"], {"F${N}": CHAT}]}), "loops are not unrolled"),
        (alone("AWS::Chime::channelflow"), "its type AWS::Chime::channelflow"),
        (alone("AWS::ChimeSDKMessaging::Anything"), "its type AWS::ChimeSDKMessaging::Anything"),
        (alone("Our::Chime::Messaging"), "its type Our::Chime::Messaging"),
        (alone("Our::Chat::ChannelFlow"), "More may make"),
        (alone("Custom::ChimeMessaging", ServiceToken="x"), "More may make"),
        (alone("Custom::ChannelFlow", ServiceToken="x"), "More may make"),
        (alone("Custom::ChimeChannelFlow", Create=True), "More may make"),
        (more("Custom::AppInstance", InstanceName="x"), "More may make"),
        (alone("AWS::CloudFormation::CustomResource", resourceType="ChannelFlow", properties={}), "More may make"),
        (alone("AWS::CloudFormation::CustomResource", resourceType="ModeratedChannelFlow"), "More may make"),
        (more("AWS::CloudFormation::CustomResource", resourceType={"Ref": "Kind"}), "its resourceType is only"),
        (alone("Custom::Ours", ServiceToken={"Fn::GetAtt": ["ChannelFlowProvider", "Arn"]}), "More may make"),
        (alone("Custom::Ours", ServiceToken={"Fn::ImportValue": "channel-flow-provider"}), "More may make"),
        (alone("Custom::Ours", Steps=[{"FallbackAction": "ABORT"}]), "More may make"),
        (alone("Custom::Ours", Config='{"fallbackAction": "ABORT"}'), "More may make"),
        (more("Custom::Ours", Request={"AppInstanceArn": "x", "Processors": []}), "More may make"),
        (alone("Custom::Ours", ChannelFlows=[{"Function": "x"}]), "More may make"),
        (alone("Custom::Ours", ChannelFlowName="moderated"), "More may make"),
        ({**template(More=TOPIC), "Transform": "ChimeFlows"}, TRANSFORMED),
        (
            template(**{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://x/chime.yaml"}}}),
            TRANSFORMED,
        ),
        (alone({"Ref": "Type"}, Processors=[{"FallbackAction": "ABORT"}]), "its Type is not written out"),
        (alone("Custom::CloudControl", TypeName=NATIVE, DesiredState="{}"), f"an {NATIVE}"),
        (
            alone(
                "AWS::StepFunctions::StateMachine",
                Definition={"Resource": "arn:aws:states:::aws-sdk:cloudcontrol:createResource", "TypeName": NATIVE},
            ),
            f"an {NATIVE}",
        ),
        (
            alone(
                "AWS::Lambda::Function",
                Code={"ZipFile": f"client.create_stack(TemplateBody='Resources: {{F: {{Type: {NATIVE}}}}}')"},
            ),
            f"an {NATIVE}",
        ),
    ],
)
def test_a_part_that_may_hide_a_flow_is_reported(declared: dict[str, Any], told: str) -> None:
    assert [told in each for each in unread(declared)] == [True]


SERVICE = '"service": "ChimeSDKMessaging"'
STATE = "arn:aws:states:::aws-sdk:chimesdkmessaging:"


def join(*parts: Any) -> dict[str, Any]:
    return {"Fn::Join": ["", list(parts)]}


@pytest.mark.parametrize(
    "declared",
    [
        *(
            alone("Custom::AWS", **{event: f'{{{SERVICE}, "action": "{verb}ChannelFlow"}}'})
            for event, verb in (
                *(("Create", "create"), ("Update", "update"), ("Delete", "delete"), ("Create", "associate")),
                *(("Create", "disassociate"),),
            )
        ),
        alone("Custom::AWS", Create=f'{{{SERVICE}, "action": "CreateChannelFlowCommand"}}'),
        alone("Custom::AWS", Create={"service": "chime-sdk-messaging", "action": "createChannelFlow"}),
        alone("Custom::AWS", Create='{"service": "ChimeSDKIdentity", "action": "createAppInstance"}'),
        alone("Custom::Ours", Create=join(f'{{{SERVICE}, "action": "', {"Ref": "Verb"}, '"}')),
        alone("Custom::Ours", Create=join('{"action": "createChannelFlow", "x": "', FLOW_ARN, '"}')),
        alone("AWS::StepFunctions::StateMachine", DefinitionString=f'{{"Resource": "{STATE}createChannelFlow"}}'),
        alone("AWS::StepFunctions::StateMachine", Definition={"Resource": f"{STATE}deleteChannelFlow"}),
        alone("AWS::StepFunctions::StateMachine", DefinitionString=join(STATE, {"Ref": "Verb"})),
        alone("AWS::StepFunctions::StateMachine", DefinitionString={"Fn::Sub": f"{STATE}${{Verb}}"}),
        more(
            "AWS::StepFunctions::StateMachine",
            Definition={"Resource": join("arn:aws:states:::aws-sdk:", {"Ref": "Call"})},
        ),
        alone("AWS::Serverless::StateMachine", Definition={"States": {"A": {"Resource": f"{STATE}createChannelFlow"}}}),
        alone(
            "AWS::Scheduler::Schedule",
            Target={"Arn": "arn:aws:scheduler:::aws-sdk:chimesdkmessaging:deleteChannelFlow"},
        ),
        alone(
            "AWS::ApiGateway::Method", Integration={"Uri": "arn:aws:apigateway:r:messaging-chime:path/channel-flows"}
        ),
        alone(
            "AWS::SSM::Document",
            Content={"mainSteps": [{"inputs": {"Service": "chime-sdk-messaging", "Api": "CreateChannelFlow"}}]},
        ),
        alone("AWS::SSM::Document", Content={"inputs": {"Service": "chime-sdk-messaging", "Api": "{{ Verb }}"}}),
        alone(
            "AWS::Lambda::Function", Code={"ZipFile": "boto3.client('chime-sdk-messaging').create_channel_flow(**e)"}
        ),
        alone("AWS::Serverless::Function", InlineCode="client.send(new CreateChannelFlowCommand({}))"),
        alone("AWS::CodeBuild::Project", Source={"BuildSpec": "aws chime-sdk-messaging create-channel-flow --name x"}),
        alone(
            "AWS::EC2::Instance",
            UserData={"Fn::Base64": {"Fn::Sub": "aws chime-sdk-messaging disassociate-channel-flow --name ${X}"}},
        ),
        alone("AWS::ECS::TaskDefinition", ContainerDefinitions=[{"Command": ["delete-channel-flow"]}]),
        alone("AWS::CloudFormation::StackSet", TemplateBody='{"Type": "AWS::Chime::ChannelFlow"}'),
    ],
)
def test_a_call_that_makes_or_unmakes_a_flow_is_reported(declared: dict[str, Any]) -> None:
    assert [each.count("More") for each in unread(declared)] == [1]


def test_a_call_that_an_instance_makes_when_it_starts_is_reported() -> None:
    started = {"config": {"commands": {"flow": {"command": "aws chime-sdk-messaging create-channel-flow"}}}}
    instance = {"Type": "AWS::EC2::Instance", "Metadata": {"AWS::CloudFormation::Init": started}}

    assert len(unread(template(More=instance))) == 1


def statement(effect: str, *actions: str) -> dict[str, Any]:
    return {"PolicyDocument": {"Statement": [{"Sid": "CreateChannelFlow", "Effect": effect, "Action": list(actions)}]}}


def provided(*actions: str, effect: str = "Allow", handed_on: bool = False, **properties: Any) -> dict[str, Any]:
    """A custom resource whose function has a role with these actions."""
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}}
    framework = {"Environment": {"Variables": {"HANDLER": {"Fn::GetAtt": ["Handler", "Arn"]}}}}
    made = {"Type": "Custom::Chat", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Provider", "Arn"]}, **properties}}
    return template(
        Role={"Type": "AWS::IAM::Role", "Properties": {}},
        Policy={"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], **statement(effect, *actions)}},
        Handler=function,
        Provider={"Type": "AWS::Lambda::Function", "Properties": framework} if handed_on else function,
        More=made,
    )


@pytest.mark.parametrize("handed_on", [False, True])
@pytest.mark.parametrize("action", ["chime:CreateChannelFlow", "chime:*", "chime:*ChannelFlow"])
def test_a_custom_resource_whose_function_may_make_flows_is_reported(action: str, handed_on: bool) -> None:
    assert [each.count("More") for each in unread(provided(action, handed_on=handed_on))] == [1]


def test_a_function_that_makes_a_flow_that_is_judged_is_not_reported_for_what_else_it_makes() -> None:
    declared = provided("chime:CreateChannelFlow")
    token = declared["Resources"]["More"]["Properties"]["ServiceToken"]
    declared["Resources"]["Flow"] = {"Type": "Custom::Chat", "Properties": {"ServiceToken": token, **request()}}

    assert unread(declared) == []


@pytest.mark.parametrize(
    "declared",
    [
        alone("AWS::CloudFormation::Stack", TemplateURL="https://x/y"),
        alone("AWS::CloudFormation::Stack", Parameters={"ChimeWebhookUrl": "https://hooks.chime.aws/x"}),
        alone("Our::Web::Site::MODULE"),
        template(More=TOPIC, **MACRO),
        about_chime(More={"Type": "AWS::SNS::Topic", "Properties": MACRO}),
        about_chime(More={"Type": "AWS::SNS::Topic", "Properties": {"Fn::ForEach::Names": ["x", ["a"], {}]}}),
        {**about_chime(), "Outputs": {"Fn::ForEach::Arns": ["x", ["a"], {}]}},
        {**about_chime(), "Transform": "AWS::Serverless-2016-10-31"},
        more("AWS::Chime::Channel", Name="x"),
        alone("AWS::Chime::AppInstance"),
        more("AWS::Chime::VoiceConnector", Name="x"),
        more("AWS::CloudFormation::CustomResource", channelFlowArn=ARN),
        more("Custom::Seed", ChannelFlowArn=FLOW_ARN, channelFlowArns=[ARN], flow=ARN, channelFlow={"Ref": "Flow"}),
        more("Custom::LogRetention", LogGroupName="/aws/lambda/ChannelFlow"),
        more("Custom::AWS", Create=f'{{{SERVICE}, "action": "describeChannelFlow", "x": "{ARN}"}}'),
        more("AWS::CloudFormation::CustomResource", resourceType="AppInstanceUser", properties={"name": "x"}),
        more("AWS::SSM::Parameter", Name="/createChannelFlow", Value=FLOW_ARN),
        more("AWS::Lambda::Function", Environment={"Variables": {"CHANNEL_FLOW_ARN": FLOW_ARN}}),
        more("AWS::Lambda::Function", Description="createChannelFlow", FunctionName="create-channel-flow"),
        more("AWS::Lambda::Function", Code={"ZipFile": "c = client('chime-sdk-messaging'); c.channel_flow_callback()"}),
        more("AWS::Lambda::Function", Code={"ZipFile": "if event['eventName'] == 'DeleteChannelFlow': tell(event)"}),
        more("AWS::Lambda::Alias", FunctionName={"Ref": "CreateChannelFlow"}),
        more(
            "AWS::IAM::Role", Policies=[statement("Allow", "chime:CreateChannelFlow", "chime:DisassociateChannelFlow")]
        ),
        more("AWS::Serverless::Function", Policies=[statement("Allow", "chime:CreateChannelFlow")]),
        more("AWS::Events::Rule", EventPattern={"detail": {"eventName": ["DeleteChannelFlow"]}}),
        more("AWS::ApiGateway::Resource", PathPart="create-channel-flow"),
        more("AWS::AppSync::GraphQLSchema", Definition="type Mutation { createChannelFlow: String }"),
        more("AWS::CloudWatch::Alarm", AlarmActions=["x"], MetricName="DeleteChannelFlow"),
        more("AWS::Logs::MetricFilter", FilterPattern="{ $.eventName = DisassociateChannelFlow }"),
        more("AWS::StepFunctions::StateMachine", DefinitionString=f'{{"Resource": "{STATE}sendChannelMessage"}}'),
        {**about_chime(), "Outputs": {"Arn": {"Value": FLOW_ARN, "Export": {"Name": "createChannelFlow"}}}},
        more("AWS::Config::ConfigRule", Scope={"ComplianceResourceTypes": [NATIVE]}),
        {**template(More=TOPIC), "Transform": "Ours"},
        provided("chime:CreateAppInstanceUser", "logs:*", "*"),
        provided("chime:CreateChannelFlow", effect="Deny"),
        provided("chime:*ChannelFlow", resourceType="AppInstanceUser"),
    ],
)
def test_a_part_that_makes_no_flow_is_not_reported(declared: dict[str, Any]) -> None:
    assert unread(declared) == []


def test_a_resource_that_is_surely_not_made_is_not_reported() -> None:
    never = {"Type": "AWS::Chime::Unheard", "Condition": "Never"}
    declared = {**template(More=never), "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}

    assert unread(declared) == []


def test_a_channel_and_a_transform_of_aws_are_mentioned_although_they_make_no_flow() -> None:
    channel = {"Type": "AWS::Chime::Channel", "Properties": {"Name": "x"}}
    declared = {**about_chime(More=channel), "Transform": "AWS::Serverless-2016-10-31"}

    notes = read(declared).unread.notes

    assert ["the channel More" in notes[0], TRANSFORMED in notes[1]] == [True, True]
    assert read({**template(More=TOPIC), "Transform": "AWS::Serverless-2016-10-31"}).unread.notes == ()


def test_a_template_with_something_unread_is_not_complete_and_its_app_instance_may_have_a_flow(check: Check) -> None:
    declared = more("AWS::Chime::Unheard")

    ended, allowed = check(stack__json=declared), check("--allow-gaps", stack__json=declared)

    line, column = where(json.dumps(declared, indent=2), '"More"')
    assert (ended.code, allowed.code) == (3, 0), ended.stderr
    assert [each.split(": ")[0] for each in gaps(ended)] == [f"stack.json:{line}:{column}"]
    assert ended.report["coverage"]["gaps"][0]["location"] == {"file": "stack.json", "line": line, "column": column}
    assert not ended.report["coverage"]["complete"]
    assert "app-instance-without-flow" not in findings(ended)


def test_a_stack_whose_template_is_judged_too_is_complete(check: Check, tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "nested.template.json"}}
    local = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "./more/local.json"}}
    (tmp_path / "cdk.out" / "more").mkdir(parents=True)
    write(tmp_path / "cdk.out" / "stack.template.json", about_chime(Nested=nested, Local=local))
    write(tmp_path / "cdk.out" / "nested.template.json", template(Flow=custom("ChannelFlow", request())))

    without = check("cdk.out")
    write(tmp_path / "cdk.out" / "more" / "local.json", template(More=TOPIC))
    ended = check("cdk.out")

    assert (without.code, ["Local" in each for each in gaps(without)]) == (3, [True])
    assert (ended.code, gaps(ended)) == (0, [])
