from __future__ import annotations

import socket
import subprocess
import sys
from threading import current_thread
from threading import enumerate as threads
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import routing
from moto.core.routing import SmithyRule
from werkzeug.routing import Rule

from scanner.errors import UsageError
from scanner.simulator import register
from scanner.simulator.organisation import Account, AppInstance, ChannelFlow, Organisation, Processor, placed
from scanner.simulator.seeding import seed
from scanner.simulator.server import start
from scanner.simulator.surroundings import Alert, Function, Role
from tests.simulator.conftest import Caller


def organisation(name: str, region: str = "us-east-1") -> Organisation:
    flow = ChannelFlow(name="moderation", processors=(Processor(lambda_="moderate:1"),))
    instance = AppInstance(name=name, channel_flows=(flow,))
    return Organisation(management=Account(id="999900001111", name="solo", app_instances={region: (instance,)}))


def test_servers_one_after_another_do_not_see_each_others_state() -> None:
    seen = []
    for name in ("one", "two"):
        with start(organisation(name)) as aws:
            caller = Caller.of(aws)
            caller.identity.create_app_instance(Name=f"made in {name}", ClientRequestToken="once")
            seen.append(caller.names())
    assert seen == [["one", "made in one"], ["two", "made in two"]]


def test_one_organisation_is_served_the_same_every_time() -> None:
    def served() -> object:
        with start(organisation("one")) as aws:
            caller = Caller.of(aws)
            [instance] = caller.identity.list_app_instances()["AppInstances"]
            flows = caller.messaging.list_channel_flows(AppInstanceArn=instance["AppInstanceArn"])["ChannelFlows"]
            return aws.environment | {"AWS_ENDPOINT_URL": ""}, instance, flows

    assert served() == served()


def test_routes_are_compiled_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled_in = []

    def compile_(rule: SmithyRule) -> None:
        compiled_in.append(current_thread())
        Rule.compile(rule)

    routing.get_service_router.cache_clear()
    monkeypatch.setattr(SmithyRule, "compile", compile_, raising=False)
    with start(organisation("one")) as aws:
        caller = Caller.of(aws)
        caller.names()
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            caller.session.client("lambda", endpoint_url=aws.url).get_policy(FunctionName="none")

    assert set(compiled_in) == {current_thread()}


def test_a_second_server_beside_the_first_is_refused() -> None:
    with (
        start(organisation("one")) as aws,
        pytest.raises(RuntimeError, match="running in this process"),
        start(organisation("two")),
    ):
        pass
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(aws.url.rpartition(":")[2])))


def test_the_environment_is_all_that_a_client_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    with start(organisation("one")) as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        assert boto3.Session().client("sts").get_caller_identity()["Account"] == aws.account_id


def test_leaving_stops_the_server_and_its_thread() -> None:
    with start(organisation("one")) as aws:
        port = int(aws.url.rpartition(":")[2])
        assert any(thread.name == "simulated-aws" for thread in threads())
    assert not any(thread.name == "simulated-aws" for thread in threads())
    with start(organisation("two"), port=port) as again:
        assert again.url == aws.url


def test_a_port_that_is_taken_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"), start(organisation("one"), port=port):
            pass


def test_a_region_without_the_service_is_a_usage_error() -> None:
    with (
        pytest.raises(UsageError, match="does not exist in eu-west-1") as caught,
        start(organisation("one", "eu-west-1")),
    ):
        pass
    assert "eu-central-1 or us-east-1" in caught.value.hint


@pytest.mark.parametrize(
    "account",
    [
        Account(id="999900001111", name="solo", functions={"zz-nowhere-1": {"f": Function()}}),
        Account(id="999900001111", name="solo", alerts={"zz-nowhere-1": {"a": Alert()}}),
    ],
)
def test_a_region_that_does_not_exist_is_a_usage_error(account: Account) -> None:
    with pytest.raises(UsageError, match="does not exist in zz-nowhere-1"), start(Organisation(management=account)):
        pass


def test_a_policy_that_iam_would_refuse_is_a_usage_error() -> None:
    odd = Role(inline={"odd": ({"Effect": "Perhaps", "Action": "*", "Resource": "*"},)})
    broken = Organisation(management=Account(id="999900001111", name="solo", roles={"odd": odd}))
    with pytest.raises(UsageError, match="account 999900001111: role odd"), start(broken):
        pass


def test_requests_are_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    with start(organisation("one")) as aws:
        Caller.of(aws).names()
    assert capfd.readouterr() == ("", "")


def test_works_in_process_as_a_backend_of_moto(demo: Organisation) -> None:
    register()
    here = next(placed(demo))
    with mock_aws():
        key = seed(demo)
        session = boto3.Session(key.access_key_id, key.secret_access_key, region_name=here.region)
        identity, messaging = session.client("chime-sdk-identity"), session.client("chime-sdk-messaging")
        assert len(identity.list_app_instances()["AppInstances"]) == 50
        assert identity.describe_app_instance(AppInstanceArn=here.arn)["AppInstance"]["Name"] == here.name
        flow = here.channel_flows[0]
        assert messaging.describe_channel_flow(ChannelFlowArn=flow.arn)["ChannelFlow"]["Name"] == flow.name
        assert len(messaging.list_channels_associated_with_channel_flow(ChannelFlowArn=flow.arn)["Channels"]) == 12
        assert messaging.list_tags_for_resource(ResourceARN=flow.arn)["Tags"] != []
        functions: Any = session.client("lambda")
        assert functions.get_function_configuration(FunctionName="chat-moderation:live")["Version"] == "12"
        assert functions.list_functions()["Functions"] == []  # moto's own


def test_importing_the_package_does_not_import_moto() -> None:
    code = "import scanner.simulator, scanner.simulator.organisation, sys; print('moto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "False\n"


def test_without_moto_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["moto.moto_server.werkzeug_app"] = None
from scanner.errors import UsageError
try:
    import scanner.simulator.server
except UsageError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "chimeaudit[demo]" in done.stdout
