from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.simulator.organisation import DEMO, Account, Organisation, expected, load, placed
from scanner.simulator.surroundings import Alert, Role, tamper_alert

PLANTED = {
    "last-processor-fails-open",
    "processor-fails-open",
    "multiple-processors",
    "execution-order-not-contiguous",
    "duplicate-processor-name",
    "same-lambda-twice",
    "cross-account-lambda",
    "cross-region-lambda",
    "unpinned-lambda-version",
    "deceptive-name",
    "duplicate-flow-name",
    "missing-lambda",
    "disabled-lambda",
    "unhealthy-lambda",
    "lambda-update-failed",
    "deprecated-lambda-runtime",
    "no-failure-destination",
    "lambda-not-invocable-by-chime",
    "lambda-policy-confused-deputy",
    "public-lambda-policy",
    "lambda-policy-allows-foreign-app-instance",
    "lambda-policy-allows-other-accounts",
    "callback-not-allowed",
    "callback-role-too-broad",
    "no-failure-alert",
    "no-tamper-alert",
    "delivered-unprocessed-now",
    "alias-to-latest",
    "retries-off",
    "unused-channel-flow",
    "app-instance-without-flow",
    "chat-role-acts-as-anyone",
    "chat-role-may-change-flow",
    "chat-role-may-open-channels",
    "chat-role-may-remove-flow",
    "channel-without-flow",
}


def test_the_demo_has_more_app_instances_in_a_region_than_a_page_holds(demo: Organisation) -> None:
    found = Counter((instance.account_id, instance.region) for instance in placed(demo))
    assert found[demo.management.id, "us-east-1"] == 57
    assert found[demo.management.id, "eu-central-1"] > 0


def test_the_demo_has_more_flows_in_an_app_instance_than_a_page_holds(demo: Organisation) -> None:
    assert max(len(i.channel_flows) for i in placed(demo) if i.account_id == demo.management.id) == 63


def test_the_demo_plants_every_fault_in_the_management_account(demo: Organisation) -> None:
    assert {e.rule_id for e in expected(demo) if e.account_id == demo.management.id} == PLANTED
    assert {e.rule_id for e in expected(demo)} == PLANTED


def test_the_demo_plants_faults_in_the_members_too(demo: Organisation) -> None:
    assert len({e.account_id for e in expected(demo)}) >= 3


def test_most_flows_of_the_demo_are_healthy(demo: Organisation) -> None:
    flows = [flow.channel_flow for instance in placed(demo) for flow in instance.channel_flows]
    assert sum(not flow.expect for flow in flows) > len(flows) / 2


@pytest.mark.parametrize("part", ["<script>", "=1+1", '"', "'", "`", "\u202e", "\t", "\n", "\u200b", "🚨"])
def test_the_demo_names_things_as_an_attacker_would(demo: Organisation, part: str) -> None:
    flows = [flow for instance in placed(demo) for flow in instance.channel_flows]
    names = [flow.name for flow in flows] + [p.name or "" for flow in flows for p in flow.channel_flow.processors]
    assert any(part in name for name in names)
    assert any(len(name) == 256 for name in names)


def test_arns_are_unique_and_the_same_every_time(demo: Organisation) -> None:
    def arns(organisation: Organisation) -> list[str]:
        instances = list(placed(organisation))
        return [i.arn for i in instances] + [flow.arn for i in instances for flow in i.channel_flows]

    assert arns(demo) == arns(load(DEMO))
    assert len(arns(demo)) == len(set(arns(demo)))
    assert arns(demo)[0] == "arn:aws:chime:us-east-1:111122223333:app-instance/5395f760-6dfd-5f70-a407-4fa976d261ee"


def test_every_function_of_a_flow_is_described_unless_it_is_to_be_missing_or_a_vendors(demo: Organisation) -> None:
    described = {
        f"arn:aws:lambda:{region}:{account.id}:function:{name}": function
        for account in demo.accounts
        for region, functions in account.functions.items()
        for name, function in functions.items()
    }
    for instance in placed(demo):
        for flow in instance.channel_flows:
            for processor in flow.channel_flow.processors:
                here = f"arn:aws:lambda:{instance.region}:{instance.account_id}:function:"
                arn = processor.lambda_ if processor.lambda_.startswith("arn:") else here + processor.lambda_
                *head, name, qualifier = [*arn.split(":"), "$LATEST"][:8]
                function = described.get(":".join([*head, name]))
                exists = function is not None and qualifier in function.qualifiers
                assert exists != ("missing-lambda" in flow.channel_flow.expect or head[4] == "999988887777"), arn


def test_defaults_are_healthy() -> None:
    account = Account(id="111122223333", name="a", app_instances={"us-east-1": ()}, alerts={"eu-central-1": {}})
    assert account.all_roles == {"chat-processor": Role()}
    assert account.all_alerts == {
        "us-east-1": {"processor-failures": Alert(), "flows-changed": tamper_alert()},
        "eu-central-1": {},
    }


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "organisation.yaml"
    path.write_text(text, "utf-8")
    return path


def test_resources_of_the_same_name_have_different_arns(tmp_path: Path) -> None:
    twins = "{name: twin, channel_flows: [{name: f, repeat: 2, processors: [{lambda: g}], expect: [some-rule]}]}"
    text = f'management: {{id: "111122223333", name: a, app_instances: {{us-east-1: [{twins}, {twins}]}}}}'
    organisation = load(written(tmp_path, text))
    assert len({instance.arn for instance in placed(organisation)}) == 2
    assert len(expected(organisation)) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expected `object`, got `null`"),
        ("management: {id: 111122223333, name: a}", "Expected `str`, got `int` - at `$.management.id`"),
        ('management: {id: "1", name: a}', "$.management.id"),
        ('management: {id: "111122223333", name: a, colour: red}', "colour"),
        ('management: {id: "111122223333", name: a}\nmembers: [{id: "111122223333", name: b}]', "111122223333"),
        ('management: {id: "111122223333", name: a, name: b}', ":1:43: name is there twice"),
        (
            'management: {id: "111122223333", name: a, functions: {us-east-1: {f: {state: Asleep}}}}',
            "Invalid enum value 'Asleep' - at `$.management.functions[...][...].state`",
        ),
        ('management: {id: "111122223333", name: a, functions: {us-east-1: {f: {policy: open}}}}', "'open'"),
        ("management: [", ":2:1: did not find"),
        ("\x00", "not YAML"),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_file_and_the_problem(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert problem in caught.value.message
    assert caught.value.message.startswith(str(path))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "function", ["arn:aws:s3:::bucket", "two words", "f:1:2", "arn:aws:lambda:us-east-1:1:function:f"]
)
def test_a_function_is_a_name_or_an_arn_of_lambda(tmp_path: Path, function: str) -> None:
    flow = f'{{name: f, processors: [{{lambda: "{function}"}}]}}'
    instance = f"{{name: i, channel_flows: [{flow}]}}"
    with pytest.raises(UsageError, match=r"processors\[0\]\.lambda"):
        load(
            written(
                tmp_path, f'management: {{id: "111122223333", name: a, app_instances: {{us-east-1: [{instance}]}}}}'
            )
        )


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        load(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.yaml")
