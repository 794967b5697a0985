"""Scans of a misbehaving AWS: nothing is lost, nothing unobserved looks clean, and no traceback is shown."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.answers import Answer, Call, error, truth
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Fault, Flow
from tests.healthy import function_arn, processor

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])


@pytest.fixture
def two_regions(aws: FakeAws) -> FakeAws:
    """An app instance in each of two regions, with a flow that fails open."""
    aws.inventory = {
        "us-east-1": {"support": [OPEN]},
        "eu-central-1": {
            "beratung": [
                Flow(
                    processors=[
                        processor(
                            FallbackAction="CONTINUE",
                            Configuration={
                                "Lambda": {
                                    "ResourceArn": function_arn(region="eu-central-1"),
                                    "InvocationType": "ASYNC",
                                }
                            },
                        )
                    ]
                )
            ]
        },
    }
    return aws


def on(operation: str, region: str, answer: Answer) -> Fault:
    """A fault that gives this answer to one operation in one region."""
    return lambda call: answer if (call.operation, call.region) == (operation, region) else None


def gaps(ended: Ended) -> list[dict[str, Any]]:
    assert "Traceback" not in ended.stderr
    found: list[dict[str, Any]] = ended.report["coverage"]["gaps"]
    return found


def regions_with_findings(ended: Ended) -> set[str]:
    return {finding["resource"]["region"] for finding in ended.report["findings"] if finding["status"] == "fail"}


def test_a_denied_region_is_a_gap_and_the_other_is_judged(two_regions: FakeAws, scan: Scan) -> None:
    two_regions.faults = [on("ListAppInstances", "eu-central-1", error(403, "AccessDeniedException"))]

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert ended.code == 1
    assert (gap["region"], gap["operation"], gap["resource_arn"]) == ("eu-central-1", "ListAppInstances", None)
    assert "chime:ListAppInstances" in gap["reason"]
    assert regions_with_findings(ended) == {"us-east-1"}
    assert ended.report["coverage"]["observed"]["targets"] == 1
    assert ended.report["coverage"]["in_scope"]["targets"] == 2


def test_a_denied_app_instance_is_a_gap_not_a_pass(two_regions: FakeAws, scan: Scan) -> None:
    denied = error(403, "ForbiddenException", "with an explicit deny in a service control policy")
    two_regions.faults = [on("ListChannelFlows", "us-east-1", denied)]

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert gap["resource_arn"] == two_regions.app_instance_arn("us-east-1", "support")
    assert gap["operation"] == "ListChannelFlows"
    assert "explicit deny in a service control policy" in gap["reason"]
    assert regions_with_findings(ended) == {"eu-central-1"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(Answer(body=b'{"ChannelFlows": [{"ChannelFl'), "MalformedAnswer", id="cut off, in good form"),
        pytest.param(Answer(body=b'{"ChannelFlows": []}', cut=5), None, id="cut off on the wire"),
        pytest.param(Answer(body=b""), "MalformedAnswer", id="empty"),
        pytest.param(Answer(body=b"<html>captive portal</html>"), "MalformedAnswer", id="not JSON"),
        pytest.param(truth({}), "MalformedAnswer", id="no result key"),
        pytest.param(truth({"NextToken": "x"}), "MalformedAnswer", id="a token alone"),
        pytest.param(truth({"ChannelFlows": {"a": 1}}), "MalformedAnswer", id="not a list"),
        pytest.param(truth({"ChannelFlows": [{"Name": "no ARN"}]}), "MalformedAnswer", id="an item without its ARN"),
        pytest.param(truth([]), "MalformedAnswer", id="not an object"),
        pytest.param(Answer(body=b"[" * 100_000), "MalformedAnswer", id="deep"),
        pytest.param(error(429, "ThrottledClientException"), "ThrottledClientException", id="throttled for ever"),
        pytest.param(error(503, "ServiceUnavailableException"), "ServiceUnavailableException", id="unavailable"),
        pytest.param(Answer(status=500, body=b"\xff\xfe oops"), "500", id="an error that is no JSON"),
        pytest.param(Answer(status=502, body=b"[1, 2]"), "502", id="an error that is no object"),
        pytest.param(Answer(status=403, body=b'{"Code": 7, "Message": {}}'), "403", id="an error of odd types"),
        pytest.param(truth({"ChannelFlows": None}), "MalformedAnswer", id="null"),
        pytest.param(Answer(status=204, body=b""), "MalformedAnswer", id="no content"),
        pytest.param(
            Answer(status=202, body=b'{"ChannelFlows": []}'), "MalformedAnswer", id="accepted, to be done later"
        ),
        pytest.param(
            Answer(body=b'{"ChannelFlows": []}', headers={"X-Amzn-ErrorType": "ForbiddenException"}),
            "MalformedAnswer",
            id="an error in its head alone",
        ),
        pytest.param(
            truth({"ChannelFlows": [], "Message": "Internal failure"}),
            "MalformedAnswer",
            id="an error in its body alone",
        ),
        pytest.param(
            Answer(body=b'{"ChannelFlows": [{"ChannelFlowArn": "a"}], "ChannelFlows": []}'),
            "MalformedAnswer",
            id="two lists of one name",
        ),
        pytest.param(Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}), "302", id="a redirect"),
    ],
)
def test_a_malformed_answer_is_a_gap(two_regions: FakeAws, quick_scan: Scan, answer: Answer, code: str | None) -> None:
    two_regions.faults = [on("ListChannelFlows", "us-east-1", answer)]

    ended = quick_scan("--regions", "us-east-1,eu-central-1", "-o", "json:-")

    (gap,) = gaps(ended)
    assert gap["resource_arn"] == two_regions.app_instance_arn("us-east-1", "support")
    assert code is None or gap["code"] == code
    assert regions_with_findings(ended) == {"eu-central-1"}
    assert ended.code == 1


def test_a_malformed_answer_is_asked_for_again(two_regions: FakeAws, scan: Scan) -> None:
    spoiled: list[Call] = []

    def once(call: Call) -> Answer | None:
        if call.operation != "ListChannelFlows" or spoiled:
            return None
        spoiled.append(call)
        return Answer(body=b'{"ChannelFlows": [')

    two_regions.faults = [once]

    ended = scan("-o", "json:-")

    assert spoiled
    assert not gaps(ended)
    assert ended.report["coverage"]["observed"]["channel_flows"] == 2


def test_throttled_calls_are_retried(two_regions: FakeAws, scan: Scan) -> None:
    throttled: list[Call] = []

    def twice(call: Call) -> Answer | None:
        if call.operation != "ListChannelFlows" or len(throttled) == 2:
            return None
        throttled.append(call)
        return error(429, "ThrottledClientException")

    two_regions.faults = [twice]

    ended = scan("-o", "json:-", AWS_MAX_ATTEMPTS="6")

    assert len(throttled) == 2
    assert not gaps(ended)


@pytest.mark.parametrize("token", ["the-same-token", "a-new-token"])
def test_pages_that_never_end_are_a_gap_and_what_they_held_is_judged(
    two_regions: FakeAws, scan: Scan, token: str
) -> None:
    def endless(call: Call) -> Answer | None:
        if (call.operation, call.region) != ("ListChannelFlows", "us-east-1"):
            return None
        arn = f"{call.app_instance_arn}/channel-flow/1"
        flow = {"ChannelFlowArn": arn, "Name": "round and round", "Processors": OPEN.processors}
        return truth(
            {"ChannelFlows": [flow], "NextToken": f"{token}-{len(two_regions.calls) if token == 'a-new-token' else 0}"}
        )

    two_regions.faults = [endless]

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert gap["code"] == "EndlessPages"
    assert f"{token}-" not in json.dumps(ended.report)
    assert regions_with_findings(ended) == {"us-east-1", "eu-central-1"}
    assert ended.report["coverage"]["observed"]["channel_flows"] == 2


def test_items_that_pages_repeat_are_judged_once(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN] * 60}}

    def repeating(call: Call) -> Answer | None:
        if call.operation != "ListChannelFlows" or call.token != "50":
            return None
        flows = [
            {
                "ChannelFlowArn": f"{call.app_instance_arn}/channel-flow/{n:04}",
                "Name": OPEN.name,
                "Processors": OPEN.processors,
            }
            for n in range(45, 60)
        ]
        return truth({"ChannelFlows": flows})

    aws.faults = [repeating]

    ended = scan("--regions", "us-east-1", "-o", "json:-")

    assert not gaps(ended)
    assert ended.report["coverage"]["observed"]["channel_flows"] == 60
    assert ended.report["summary"]["by_rule"]["last-processor-fails-open"] == 60


def test_an_item_that_pages_repeat_and_that_has_changed_is_a_gap(aws: FakeAws, quick_scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN] * 60}}

    def repeating(call: Call) -> Answer | None:
        if call.operation != "ListChannelFlows" or call.token != "50":
            return None
        arn = f"{call.app_instance_arn}/channel-flow/00"
        flows = [{"ChannelFlowArn": f"{arn}{n}", "Name": "n", "Processors": [processor()]} for n in (49, 50)]
        return truth({"ChannelFlows": flows})

    aws.faults = [repeating]

    ended = quick_scan("--regions", "us-east-1", "-o", "json:-")

    assert [(gap["code"], gap["resource_arn"][-7:]) for gap in gaps(ended)] == [("MalformedAnswer", "support")]
    assert ended.report["coverage"]["observed"]["channel_flows"] == 51


def test_what_a_newer_api_says_is_unknown_not_a_pass(aws: FakeAws, scan: Scan) -> None:
    flow = Flow(name="from the future", processors=[processor(FallbackAction="QUARANTINE", Priority=7)])
    aws.inventory = {"us-east-1": {"support": [flow]}}

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert ended.code == 3
    assert "QUARANTINE" in gap["reason"]
    unknown = {finding["rule_id"]: finding for finding in ended.report["findings"] if finding["status"] == "unknown"}
    assert "last-processor-fails-open" in unknown
    (evidence,) = unknown["last-processor-fails-open"]["evidence"]
    assert evidence["path"] == "processors[0].fallback_action"
    assert evidence["gap"] == {name: gap[name] for name in evidence["gap"]}


@pytest.mark.parametrize(
    "processors",
    [
        pytest.param(None, id="no list of processors"),
        pytest.param([{}], id="an empty processor"),
        pytest.param([processor(Configuration={"Agent": {"Id": "x"}})], id="another kind of processor"),
        pytest.param([processor(Configuration={"Lambda": {"ResourceArn": "moderate"}})], id="an ARN that is none"),
    ],
)
def test_what_is_missing_is_unknown_not_a_pass(aws: FakeAws, quick_scan: Scan, processors: Any) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow(processors=processors)]}}

    ended = quick_scan("--regions", "us-east-1", "-o", "json:-")

    assert ended.code == 3
    assert gaps(ended)
    assert ended.report["summary"]["by_status"]["unknown"] > 0


def test_an_app_instance_without_a_name_is_named_as_a_gap(aws: FakeAws, scan: Scan) -> None:
    arn = aws.app_instance_arn("us-east-1", "support")
    aws.inventory = {"us-east-1": {"support": [Flow()]}}
    aws.faults = [on("ListAppInstances", "us-east-1", truth({"AppInstances": [{"AppInstanceArn": arn}]}))]

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert ended.code == 3
    assert (gap["operation"], gap["code"], gap["resource_arn"]) == ("ListAppInstances", "MissingValue", arn)


def test_a_name_that_is_no_unicode_hides_nothing_and_is_seen(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow(name="\ud800 half"), OPEN]}}

    ended = scan("-o", "json:-")

    assert not gaps(ended)
    found = {(finding["rule_id"], finding["resource"]["name"]) for finding in ended.report["findings"]}
    assert found == {("deceptive-name", "\N{REPLACEMENT CHARACTER} half"), ("last-processor-fails-open", "left open")}


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("ExpiredToken", 403, "expired"),
        ("InvalidClientTokenId", 403, "does not accept the credentials"),
        ("SignatureDoesNotMatch", 403, "clock"),
    ],
)
def test_credentials_that_sts_refuses_scan_nothing(
    aws: FakeAws, scan: Scan, code: str, status: int, words: str
) -> None:
    xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    refusal = Answer(status=status, body=xml.encode(), headers={"Content-Type": "text/xml"})
    aws.faults = [lambda call: refusal if call.operation == "GetCallerIdentity" else None]

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert ended.code == 4
    assert words in ended.stderr
    assert gap["operation"] == "GetCallerIdentity"
    assert gap["code"] == code
    assert not ended.report["coverage"]["complete"]


def test_an_identity_without_a_valid_account_scans_nothing(aws: FakeAws, scan: Scan) -> None:
    aws.account = "../../etc"

    assert scan().code == 4


def test_a_token_that_expires_between_calls_is_a_gap(two_regions: FakeAws, scan: Scan) -> None:
    two_regions.faults = [on("ListChannelFlows", "us-east-1", error(403, "ExpiredTokenException"))]

    ended = scan("-o", "json:-")

    (gap,) = gaps(ended)
    assert "expired" in gap["reason"]


def test_without_credentials_nothing_is_scanned(aws: FakeAws, tmp_path: Path) -> None:
    ended = chimeaudit("scan", "-o", "r.json", home=tmp_path, variables={"AWS_ENDPOINT_URL": aws.url})

    assert ended.code == 4
    assert "no complete AWS credentials" in ended.stderr
    assert not json.loads((tmp_path / "r.json").read_text())["coverage"]["complete"]


def test_an_unknown_profile_is_a_usage_error(scan: Scan) -> None:
    for ended in (scan("--profile", "nobody"), scan(AWS_PROFILE="nobody")):
        assert ended.code == 2
        assert "nobody" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_an_unreachable_endpoint_scans_nothing(scan: Scan) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    ended = scan(AWS_ENDPOINT_URL=url)

    assert ended.code == 4
    assert "could not be reached" in ended.stderr


def test_an_endpoint_that_is_no_url_is_a_usage_error(scan: Scan) -> None:
    ended = scan(AWS_ENDPOINT_URL="chime")

    assert ended.code == 2
    assert "chime" in ended.stderr


def test_an_unknown_region_is_a_usage_error_with_the_nearest_name(scan: Scan, aws: FakeAws) -> None:
    ended = scan("--regions", "us-esat-1")

    assert ended.code == 2
    assert "Did you mean us-east-1?" in ended.stderr
    assert not aws.calls


@pytest.mark.usefixtures("two_regions")
def test_no_secret_reaches_report_journal_or_terminal(scan: Scan, tmp_path: Path) -> None:
    ended = scan("-o", "report.json", "-o", "report.html", AWS_SESSION_TOKEN="session-token-example")

    written = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    for text in (ended.stdout, ended.stderr, *written):
        assert "secret-example-key" not in text
        assert "session-token-example" not in text
        assert "AKIAEXAMPLE" not in text
