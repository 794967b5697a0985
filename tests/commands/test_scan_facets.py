"""Facets: read only if a rule needs them, each resource once, and unknown if they cannot be read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.answers import Answer, Call, error, refusal, truth, xml
from tests.command import Ended
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Fault, Flow
from tests.healthy import ACCOUNT, configuration, function_arn, invoking, processor

MEMBER, VENDOR = "222222222222", "999988887777"
FUNCTION = function_arn()
RULES = {
    "tags": ("tags.owner: {exists: true}", {"tags": {"owner": "x"}}, {"tags": {}}, {"tags": {"owner": "unknown"}}),
    "detail": (
        'updated_at: {newer_than: "36500d"}',
        {"updated_at": "1d"},
        {"updated_at": "40000d"},
        {"updated_at": "unknown"},
    ),
    "tried-again": (
        "processors: {each: {lambda.function.maximum_retry_attempts: {gte: 1}}}",
        {},
        *(
            {"processors": [{"lambda": {"function": {"maximum_retry_attempts": attempts}}}]}
            for attempts in (0, "unknown")
        ),
    ),
}
LISTS = {"GetCallerIdentity": 1, "ListAppInstances": 1, "ListChannelFlows": 1}
FUNCTION_CALLS = dict.fromkeys(
    ("GetFunctionConfiguration", "GetFunctionConcurrency", "GetFunctionEventInvokeConfig", "GetPolicy"), 1
)
ROLE_CALLS = dict.fromkeys(("GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"), 1)


@pytest.fixture
def chat(aws: FakeAws) -> FakeAws:
    """A fake AWS with one healthy flow."""
    aws.inventory = {"us-east-1": {"support": [Flow()]}}
    return aws


@pytest.fixture
def judge(quick_scan: Scan, tmp_path: Path) -> Any:
    """Scan one region by one rule, a shipped one or one of RULES."""

    def run(rule: str, *more: str) -> Ended:
        chosen = ("--select", rule)
        if rule in RULES:
            require, *given = RULES[rule]
            verdicts = zip(("pass", "fail", "unknown"), given, strict=True)
            lines = (
                *(f"id: {rule}", f"title: {rule}", "severity: high", "status: stable", "resource: channel_flow"),
                *("rationale: r", "remediation: r", "references: [https://docs.aws.amazon.com/]", "message: m"),
                *("require:", f"  {require}"),
                f"tests: {json.dumps([{'name': n, 'given': facts, 'expect': n} for n, facts in verdicts])}",
            )
            text = "\n".join(lines).replace('"unknown"', "unknown")  # in quotes it would be a text
            (tmp_path / f"{rule}.yaml").write_text(text)
            chosen = ("--rules", f"{rule}.yaml")
        return quick_scan("--regions", "us-east-1", *chosen, "-o", "json:-", *more)

    return run


def when(*operations: str, answer: Answer) -> Fault:
    return lambda call: answer if call.operation in operations else None


@pytest.mark.parametrize(
    ("rule", "calls"),
    [
        ("last-processor-fails-open", {}),
        ("cross-account-lambda", {}),
        ("tags", {"ListTagsForResource": 2}),
        ("detail", {"DescribeChannelFlow": 1}),
        ("unused-channel-flow", {"ListChannelsAssociatedWithChannelFlow": 1}),
        ("missing-lambda", FUNCTION_CALLS),
        ("callback-not-allowed", {**FUNCTION_CALLS, **ROLE_CALLS}),
        ("no-failure-alert", {"ListRules": 1, "ListTargetsByRule": 1}),
        ("no-tamper-alert", {"ListRules": 1, "ListTargetsByRule": 1}),
        ("delivered-unprocessed-now", FUNCTION_CALLS),
        ("alias-to-latest", FUNCTION_CALLS),
        ("retries-off", FUNCTION_CALLS),
        ("missing-required-tags", {}),
    ],
)
def test_only_what_the_rule_reads_is_fetched(chat: FakeAws, judge: Any, rule: str, calls: dict[str, int]) -> None:
    ended = judge(rule)

    assert ended.code == 0
    assert not ended.gaps
    assert Counter(call.operation for call in chat.calls) == LISTS | calls


def test_what_many_flows_share_is_read_once(chat: FakeAws, scan: Scan) -> None:
    chat.inventory = {"us-east-1": {"one": [Flow()] * 40, "two": [Flow()] * 40, "none": []}}

    ended = scan("--regions", "us-east-1", "-o", "json:-")

    counted = Counter(call.operation for call in chat.calls)
    assert not ended.gaps
    assert {name: counted[name] for name in (*FUNCTION_CALLS, *ROLE_CALLS)} == {**FUNCTION_CALLS, **ROLE_CALLS}
    assert (counted["ListRules"], counted["ListTargetsByRule"]) == (1, 1)
    assert counted["ListChannelsAssociatedWithChannelFlow"] == 80
    assert all(call.parameters["max-results"] == "1" for call in chat.asked("ListChannelsAssociatedWithChannelFlow"))


def test_a_role_that_functions_of_two_regions_have_is_read_once(chat: FakeAws, scan: Scan) -> None:
    chat.inventory = {region: {"one": [Flow()]} for region in ("us-east-1", "eu-central-1")}

    ended = scan("--select", "callback-not-allowed", "-o", "json:-")

    counted = Counter(call.operation for call in chat.calls)
    assert ended.report["coverage"]["observed"]["channel_flows"] == 2
    assert {name: counted[name] for name in ROLE_CALLS} == ROLE_CALLS


def test_facts_of_a_qualifier_are_read_for_the_processors_qualifier(chat: FakeAws, judge: Any) -> None:
    processors = [
        processor(Configuration=invoking(arn), ExecutionOrder=n)
        for n, arn in enumerate(
            (function_arn("moderate:live"), function_arn("moderate:7"), function_arn("moderate")), 1
        )
    ]
    chat.inventory = {"us-east-1": {"support": [Flow(processors=processors)]}}

    judge("missing-lambda")

    for operation in ("GetFunctionConfiguration", "GetFunctionEventInvokeConfig", "GetPolicy"):
        asked = Counter(call.parameters.get("Qualifier", "none") for call in chat.asked(operation))
        assert asked == {"live": 1, "7": 1, "none": 1}
    assert {call.parameters["function"] for call in chat.asked("GetPolicy")} == {function_arn("moderate")}


PLACES = [
    # rule, operation, path of the unknown fact, what the gap is about
    pytest.param("tags", "ListTagsForResource", "tags", "flow", id="tags"),
    pytest.param("detail", "DescribeChannelFlow", "updated_at", "flow", id="detail"),
    pytest.param("unused-channel-flow", "ListChannelsAssociatedWithChannelFlow", "has_channels", "flow", id="channels"),
    pytest.param(
        "missing-lambda", "GetFunctionConfiguration", "processors[0].lambda.function.exists", FUNCTION, id="function"
    ),
    pytest.param(
        "disabled-lambda",
        "GetFunctionConcurrency",
        "processors[0].lambda.function.reserved_concurrency",
        FUNCTION,
        id="concurrency",
    ),
    pytest.param(
        "public-lambda-policy", "GetPolicy", "processors[0].lambda.access.public", FUNCTION, id="resource policy"
    ),
    pytest.param(
        "callback-not-allowed",
        "GetFunctionConfiguration",
        "processors[0].lambda.callback.allowed",
        FUNCTION,
        id="function of the role",
    ),
    *(
        pytest.param("callback-not-allowed", name, "processors[0].lambda.callback.allowed", FUNCTION, id=name)
        for name in ROLE_CALLS
    ),
    pytest.param("no-failure-alert", "ListRules", "failure_alert", "app instance", id="alerts"),
    pytest.param("no-tamper-alert", "ListRules", "tamper_alert", "app instance", id="alerts of tampering"),
    pytest.param(
        "retries-off",
        "GetFunctionEventInvokeConfig",
        "processors[0].lambda.function.maximum_retry_attempts",
        FUNCTION,
        id="retries",
    ),
    pytest.param("no-failure-alert", "ListTargetsByRule", "failure_alert", "app instance", id="targets of alerts"),
]
ANYBODY = {"Effect": "Allow", "Principal": "*", "Resource": "*"}
USES_URL: dict[str, Any] = {**ANYBODY, "Action": "lambda:InvokeFunctionUrl"}
BY_URL = {
    **ANYBODY,
    "Action": "lambda:InvokeFunction",
    "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
}
PUBLIC_URL, HALF = {"Statement": [USES_URL, BY_URL]}, {"Statement": [USES_URL]}


def url(auth_type: str = "NONE", made: str | None = "2026-01-05T09:00:00Z") -> Answer:
    return truth({"AuthType": auth_type, "FunctionArn": FUNCTION, "CreationTime": made})


def with_policy(policy: Any, function_url: Answer | None = None) -> list[Fault]:
    none = error(404, "ResourceNotFoundException")
    return [
        when("GetPolicy", answer=truth({"Policy": json.dumps(policy)})),
        when("GetFunctionUrlConfig", answer=function_url or none),
    ]


def test_a_concurrency_that_is_not_found_is_not_none_of_a_function_that_was(chat: FakeAws, judge: Any) -> None:
    chat.faults = [when("GetFunctionConcurrency", answer=error(404, "ResourceNotFoundException"))]

    ended = judge("disabled-lambda")

    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert [(gap["operation"], gap["code"]) for gap in ended.gaps] == [
        ("GetFunctionConcurrency", "ResourceNotFoundException")
    ]
    assert ended.code == 3


@pytest.mark.parametrize(
    ("policy", "function_url", "status"),
    [
        pytest.param(PUBLIC_URL, url(), "fail", id="open to anybody"),
        pytest.param(PUBLIC_URL, url("AWS_IAM"), "fail", id="open to anybody who signs"),
        pytest.param(PUBLIC_URL, url("SOME_NEW_TYPE"), "unknown", id="a type that this version does not know"),
        pytest.param(PUBLIC_URL, None, None, id="no URL"),
        pytest.param(HALF, url(), None, id="one action of two"),
        pytest.param(HALF, None, None, id="one action, and no URL"),
        pytest.param(HALF, url(made="2025-06-01T00:00:00Z"), "unknown", id="an old URL"),
        pytest.param(HALF, url(made=None), "unknown", id="of nobody knows when"),
        pytest.param(PUBLIC_URL, error(403, "AccessDeniedException"), "unknown", id="denied"),
        pytest.param(PUBLIC_URL, truth({"AuthType": None}), "unknown", id="malformed"),
    ],
)
def test_whether_a_function_has_a_url_decides_what_its_policy_means(
    chat: FakeAws, judge: Any, policy: Any, function_url: Answer | None, status: str | None
) -> None:
    chat.faults = with_policy(policy, function_url)

    ended = judge("public-lambda-policy")

    assert [finding["status"] for finding in ended.report["findings"]] == [status] * (status is not None)
    assert ended.code == {"fail": 1, "unknown": 3, None: 0}[status]
    assert {gap["resource_arn"] for gap in ended.gaps} == ({FUNCTION} if status == "unknown" else set())
    if function_url is not None and function_url.status == 403:
        assert {(gap["operation"], gap["code"]) for gap in ended.gaps} == {
            ("GetFunctionUrlConfig", "AccessDeniedException")
        }


@pytest.mark.parametrize(
    "policy",
    [
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*"}]},
        {"Statement": [{**USES_URL, "Principal": {"AWS": "111122223333"}}]},
        {"Statement": [{**USES_URL, "Effect": "Deny"}]},
    ],
)
def test_a_url_that_makes_no_difference_is_not_asked_for(chat: FakeAws, judge: Any, policy: Any) -> None:
    chat.faults = with_policy(policy)

    judge("public-lambda-policy")

    assert not chat.asked("GetFunctionUrlConfig")


def test_a_url_is_asked_for_once_where_there_can_be_one(chat: FakeAws, judge: Any) -> None:
    arns = [function_arn(name) for name in ("moderate:live", "moderate:7", "moderate:$LATEST", "moderate")]
    flows = [Flow(processors=[processor(Configuration=invoking(arn))]) for arn in (*arns, *arns)]
    chat.inventory = {"us-east-1": {"one": flows, "two": flows}}
    chat.faults = with_policy(PUBLIC_URL)

    judge("public-lambda-policy")

    asked = Counter(call.parameters.get("Qualifier", "none") for call in chat.asked("GetFunctionUrlConfig"))
    assert asked == {"live": 1, "none": 2}  # $LATEST and the function without a qualifier are two processors' names
    assert "$LATEST" not in {call.parameters.get("Qualifier") for call in chat.asked("GetPolicy")}


def test_another_account_that_may_change_the_code_is_a_finding(chat: FakeAws, judge: Any) -> None:
    agency = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Resource": "*"}
    chat.faults = with_policy({"Statement": [{**agency, "Action": "lambda:UpdateFunctionCode"}]})

    ended = judge("lambda-policy-allows-other-accounts")

    (finding,) = ended.report["findings"]
    assert (ended.code, finding["status"], finding["severity"]) == (1, "fail", "high")
    assert "444455556666" in finding["message"]


def test_the_spelling_that_awss_guide_prints_is_one_finding_that_names_it(chat: FakeAws, scan: Scan) -> None:
    misspelled = {"Action": "chime:ChannelFlowCallback", "Resource": "arn:aws:chime:*:111122223333:appInstance/*"}
    document = quote(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **misspelled}]}))
    answer = xml(
        "GetRolePolicy", f"<RoleName>r</RoleName><PolicyName>p</PolicyName><PolicyDocument>{document}</PolicyDocument>"
    )
    chat.faults = [when("GetRolePolicy", answer=answer)]

    ended = scan("--regions", "us-east-1", "--select", "topic:access", "-o", "json:-")

    assert [finding["rule_id"] for finding in ended.report["findings"]] == ["callback-not-allowed"]
    assert "appInstance/" in ended.report["findings"][0]["remediation"]


WORDS = {"denied": "access denied", "malformed": "malformed", "throttled": "throttling", "reset": ""}


@pytest.mark.parametrize("failure", ["denied", "malformed"])
@pytest.mark.parametrize(("rule", "operation", "path", "about"), PLACES)
def test_what_cannot_be_read_is_unknown_with_its_gap(
    chat: FakeAws, judge: Any, *, rule: str, operation: str, path: str, about: str, failure: str
) -> None:
    chat.faults = [lambda call: failed(call, failure) if call.operation == operation else None]

    ended = judge(rule)

    (finding,) = [each for each in ended.report["findings"] if each["rule_id"] == rule]
    gap = next(gap for gap in ended.gaps if gap["operation"] == operation)
    instance = chat.app_instance_arn("us-east-1", "support")
    arn = {"flow": f"{instance}/channel-flow/0000", "app instance": instance}.get(about, about)
    assert ended.code == 3
    assert finding["status"] == "unknown"
    assert ended.report["summary"]["by_status"]["pass"] == 0
    assert WORDS[failure] in gap["reason"]
    assert arn in {each["resource_arn"] for each in ended.gaps}
    (evidence,) = finding["evidence"]
    assert evidence["path"].startswith(path)
    assert any(evidence["gap"] == {name: each[name] for name in evidence["gap"]} for each in ended.gaps)


@pytest.mark.parametrize("failure", ["throttled", "reset"])
@pytest.mark.parametrize("operation", ["ListTagsForResource", "GetPolicy", "GetRolePolicy", "ListRules"])
def test_what_keeps_failing_is_unknown_after_a_second_try(
    chat: FakeAws, judge: Any, operation: str, failure: str
) -> None:
    rules = ("tags", "public-lambda-policy", "callback-not-allowed", "no-failure-alert")
    rule = dict(zip(("ListTagsForResource", "GetPolicy", "GetRolePolicy", "ListRules"), rules, strict=True))[operation]
    chat.faults = [lambda call: failed(call, failure) if call.operation == operation else None]

    ended = judge(rule)

    assert {finding["status"] for finding in ended.report["findings"]} == {"unknown"}
    assert {WORDS[failure] in gap["reason"] for gap in ended.gaps} == {True}
    assert len(chat.asked(operation)) > 1


def failed(call: Call, failure: str) -> Answer:
    """The answer of a call's service for this failure."""
    speaks_xml = call.service == "iam"
    match failure:
        case "denied" if speaks_xml:
            return refusal(403, "AccessDenied")
        case "denied":
            return error(400 if call.service == "events" else 403, "AccessDeniedException")
        case "malformed" if speaks_xml:
            return xml(call.operation, "<Role><Rol")
        case "malformed":
            return Answer(body=b'{"Policy": "{')
        case "throttled" if speaks_xml:
            return refusal(400, "Throttling")
        case "throttled":
            return error(400 if call.service == "events" else 429, "ThrottlingException")
        case _:
            return Answer(body=b"{}" * 100, cut=7)


@pytest.mark.parametrize(
    ("rule", "path", "configuration"),
    [
        ("unhealthy-lambda", "processors[0].lambda.function.state", {"State": None}),
        ("unhealthy-lambda", "processors[0].lambda.function.state", {"State": "Hibernating"}),
        ("lambda-update-failed", "processors[0].lambda.function.last_update_status", {"LastUpdateStatus": None}),
        ("lambda-update-failed", "processors[0].lambda.function.last_update_status", {"LastUpdateStatus": "Paused"}),
        ("deprecated-lambda-runtime", "processors[0].lambda.function.runtime", {"Runtime": None}),
        ("deprecated-lambda-runtime", "processors[0].lambda.function.runtime", {"Runtime": None, "PackageType": "Zip"}),
        ("callback-not-allowed", "processors[0].lambda.callback", {"Role": None}),
        ("alias-to-latest", "processors[0].lambda.function.version", {"Version": None}),
    ],
)
def test_missing_and_unknown_values_in_an_answer_are_unknown_with_a_gap(
    chat: FakeAws, judge: Any, rule: str, path: str, configuration: dict[str, Any]
) -> None:
    whole = {
        "FunctionArn": FUNCTION,
        "Version": "1",
        "Runtime": "python3.13",
        "Timeout": 3,
        "LastModified": "2026-01-01T00:00:00+0000",
    }
    whole |= {"Role": "arn:aws:iam::111122223333:role/r", "State": "Active", "LastUpdateStatus": "Successful"}
    chat.faults = [when("GetFunctionConfiguration", answer=truth(whole | configuration))]

    ended = judge(rule)

    (finding,) = ended.report["findings"]
    assert ended.code == 3
    assert finding["status"] == "unknown"
    assert {(gap["code"], gap["resource_arn"]) for gap in ended.gaps} == {("MissingValue", FUNCTION)}
    assert finding["evidence"][0]["path"].startswith(path)
    assert finding["evidence"][0]["gap"]["code"] == "MissingValue"


def test_a_container_image_has_no_runtime(chat: FakeAws, judge: Any) -> None:
    image = {
        "FunctionArn": FUNCTION,
        "Version": "1",
        "PackageType": "Image",
        "Timeout": 3,
        "LastModified": "2026-01-01T00:00:00+0000",
    }
    image |= {"Role": "arn:aws:iam::111122223333:role/r", "State": "Active", "LastUpdateStatus": "Successful"}
    chat.faults = [when("GetFunctionConfiguration", answer=truth(image))]

    assert judge("deprecated-lambda-runtime").code == 0


@pytest.mark.parametrize(
    "answer", [truth({"ChannelFlow": {}}), truth({"ChannelFlow": {"LastUpdatedTimestamp": 1e300}})]
)
def test_an_invalid_time_is_unknown_with_its_gap(chat: FakeAws, judge: Any, answer: Answer) -> None:
    chat.faults = [when("DescribeChannelFlow", answer=answer)]

    ended = judge("detail")

    assert ended.code == 3
    assert ended.report["findings"][0]["status"] == "unknown"
    assert {gap["code"] for gap in ended.gaps} == {"MissingValue"}


@pytest.mark.parametrize(
    ("rule", "operation", "verdict"),
    [
        ("missing-lambda", "GetFunctionConfiguration", "fail"),
        ("unhealthy-lambda", "GetFunctionConfiguration", None),
        ("lambda-not-invocable-by-chime", "GetPolicy", "fail"),
        ("public-lambda-policy", "GetPolicy", None),
    ],
)
def test_a_404_of_lambda_is_a_fact(chat: FakeAws, judge: Any, rule: str, operation: str, verdict: str | None) -> None:
    chat.faults = [when(operation, answer=error(404, "ResourceNotFoundException"))]

    ended = judge(rule)

    assert not ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == [verdict] * (verdict is not None)


def test_a_404_that_is_not_from_lambda_is_no_fact(chat: FakeAws, judge: Any) -> None:
    chat.faults = [when("GetFunctionConfiguration", answer=Answer(status=404, body=b"<html>no such host</html>"))]

    ended = judge("missing-lambda")

    assert ended.report["findings"][0]["status"] == "unknown"


def test_a_role_that_does_not_exist_may_not_call_back(chat: FakeAws, judge: Any) -> None:
    chat.faults = [when("GetRole", answer=refusal(404, "NoSuchEntity"))]

    ended = judge("callback-not-allowed")

    assert not ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == ["fail"]


ANY_CHIME = {"Statement": [{"Effect": "Allow", "Action": "chime:*", "Resource": "*"}]}
NOTHING = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
POLICY = "arn:aws:iam::111122223333:policy/{}"
POLICY_FOUND = (
    "<Policy><PolicyName>p</PolicyName><PolicyId>ANPAEXAMPLEEXAMPLE</PolicyId><Arn>{0}</Arn>"
    "<DefaultVersionId>v3</DefaultVersionId></Policy>"
)


def managed(attached: dict[str, Any], boundary: Any = None, per_page: int = 1) -> Fault:
    """A role with these managed policies by name, `per_page` on each page, and no inline policies."""
    documents = {POLICY.format(name): document for name, document in (attached | {"boundary": boundary}).items()}
    names = list(attached)
    limited = f"<PermissionsBoundary><PermissionsBoundaryArn>{POLICY.format('boundary')}</PermissionsBoundaryArn>"
    limited = f"{limited}</PermissionsBoundary>" if boundary else ""

    def answer(call: Call) -> Answer | None:
        match call.operation:
            case "GetRole":
                return xml(call.operation, f"<Role><RoleName>r</RoleName>{limited}</Role>")
            case "ListRolePolicies":
                return xml(call.operation, "<PolicyNames></PolicyNames><IsTruncated>false</IsTruncated>")
            case "ListAttachedRolePolicies":
                start = int(call.parameters.get("Marker", 0))
                page = "".join(
                    f"<member><PolicyName>{name}</PolicyName><PolicyArn>{POLICY.format(name)}</PolicyArn></member>"
                    for name in names[start : start + per_page]
                )
                end = start + per_page
                more = (
                    f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>"
                    if end < len(names)
                    else "<IsTruncated>false</IsTruncated>"
                )
                return xml(call.operation, f"<AttachedPolicies>{page}</AttachedPolicies>{more}")
            case "GetPolicy" if call.service == "iam":
                return xml(call.operation, POLICY_FOUND.format(call.parameters["PolicyArn"]))
            case "GetPolicyVersion":
                assert call.parameters["VersionId"] == "v3"
                document = json.dumps(documents[call.parameters["PolicyArn"]])
                return xml(call.operation, f"<PolicyVersion><Document>{document}</Document></PolicyVersion>")
        return None

    return answer


def test_managed_policies_count_to_the_last_page(chat: FakeAws, judge: Any) -> None:
    chat.faults = [managed({"a": NOTHING | {"Statement": []}, "b": {"Statement": []}, "c": ANY_CHIME})]

    ended = judge("callback-role-too-broad")

    assert not ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == ["fail"]
    assert len(chat.asked("ListAttachedRolePolicies")) == 3


def test_a_boundary_counts(chat: FakeAws, judge: Any) -> None:
    chat.faults = [managed({"a": ANY_CHIME}, boundary={"Statement": []})]

    ended = judge("callback-not-allowed")

    assert not ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == ["fail"]


def test_a_managed_policy_of_many_roles_is_read_once(chat: FakeAws, judge: Any) -> None:
    names = ("moderate", "translate")
    chat.inventory = {
        "us-east-1": {
            "support": [Flow(processors=[processor(Configuration=invoking(function_arn(name)))]) for name in names]
        }
    }

    def roles(call: Call) -> Answer | None:
        if call.operation != "GetFunctionConfiguration":
            return None
        arn = call.parameters["function"]
        return truth({"FunctionArn": arn, "Role": f"arn:aws:iam::{ACCOUNT}:role/path/{arn.rpartition(':')[2]}"})

    chat.faults = [roles, managed({"shared": ANY_CHIME})]

    judge("callback-role-too-broad")

    assert {call.parameters["RoleName"] for call in chat.asked("GetRole")} == set(names)
    assert len(chat.asked("GetPolicyVersion")) == 1


NO_ARN = "<PermissionsBoundaryType>Policy</PermissionsBoundaryType>"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(when("GetRolePolicy", answer=refusal(404, "NoSuchEntity")), id="an inline policy just deleted"),
        pytest.param(when("GetRole", answer=xml("GetRole", "")), id="no role in the answer"),
        pytest.param(when("GetRole", answer=Answer(body=b"<html>portal</html>")), id="other XML"),
        pytest.param(
            when("GetRole", answer=xml("GetRole", f"<Role><PermissionsBoundary>{NO_ARN}</PermissionsBoundary></Role>")),
            id="a boundary without ARN",
        ),
        pytest.param(
            when("ListRolePolicies", answer=xml("ListRolePolicies", "<IsTruncated>true</IsTruncated>")), id="no list"
        ),
        pytest.param(
            when(
                "ListAttachedRolePolicies",
                answer=xml("ListAttachedRolePolicies", "<AttachedPolicies/><IsTruncated>true</IsTruncated>"),
            ),
            id="more, but no marker",
        ),
        pytest.param(
            when(
                "ListAttachedRolePolicies",
                answer=xml("ListAttachedRolePolicies", "<AttachedPolicies><member/></AttachedPolicies>"),
            ),
            id="a policy without ARN",
        ),
        pytest.param(
            when("GetRolePolicy", answer=xml("GetRolePolicy", "<PolicyName>p</PolicyName>")), id="no document"
        ),
        pytest.param(
            when("GetRolePolicy", answer=xml("GetRolePolicy", "<PolicyDocument>{oops</PolicyDocument>")), id="no JSON"
        ),
    ],
)
def test_a_role_that_is_not_known_whole_is_unknown(chat: FakeAws, judge: Any, fault: Fault) -> None:
    chat.faults = [fault]

    ended = judge("callback-not-allowed")

    assert ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert ended.report["findings"][0]["evidence"][0]["gap"]


@pytest.mark.parametrize("operation", ["GetPolicy", "GetPolicyVersion"])
def test_a_managed_policy_without_its_document_is_unknown(chat: FakeAws, judge: Any, operation: str) -> None:
    empty = {"GetPolicy": "<Policy></Policy>", "GetPolicyVersion": "<PolicyVersion></PolicyVersion>"}
    chat.faults = [
        lambda call: xml(operation, empty[operation]) if (call.service, call.operation) == ("iam", operation) else None,
        managed({"a": ANY_CHIME}),
    ]

    ended = judge("callback-not-allowed")

    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]


def abroad(account: str) -> Flow:
    return Flow(processors=[processor(Configuration=invoking(function_arn(account=account)))])


def test_a_function_in_another_account_in_scope_is_read_with_that_accounts_role(aws: FakeAws, judge: Any) -> None:
    aws.inventory = {"us-east-1": {"support": [abroad(MEMBER)]}}
    aws.members = {MEMBER: {}}

    ended = judge("callback-not-allowed", "--accounts", f"{ACCOUNT},{MEMBER}")

    readers = {(call.operation, call.account) for call in aws.calls if call.service in {"lambda", "iam"}}
    assert not ended.gaps
    assert readers == {(name, MEMBER) for name in (*FUNCTION_CALLS, *ROLE_CALLS)}


def test_a_function_out_of_scope_is_a_gap(aws: FakeAws, judge: Any) -> None:
    aws.inventory = {"us-east-1": {"support": [abroad(VENDOR)]}}

    ended = judge("missing-lambda")

    (gap,) = ended.gaps
    assert (gap["code"], gap["account_id"]) == ("OutOfScope", ACCOUNT)
    assert gap["resource_arn"] == function_arn(account=VENDOR)
    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert not [call for call in aws.calls if call.service == "lambda"]


@pytest.mark.parametrize("region", ["us-east-1-", "123", "u" * 64])
def test_a_function_in_a_region_that_cannot_be_is_a_gap(chat: FakeAws, judge: Any, region: str) -> None:
    nowhere = function_arn(region=region)
    chat.inventory["us-east-1"]["other"] = [Flow(processors=[processor(Configuration=invoking(nowhere))])]

    ended = judge("missing-lambda")

    (gap,) = ended.gaps
    assert (gap["code"], gap["operation"], gap["resource_arn"]) == (
        "InvalidRegion",
        "GetFunctionConfiguration",
        nowhere,
    )
    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert ended.report["summary"]["by_status"]["pass"] == 1


def test_a_function_in_an_account_whose_role_is_denied_is_unknown(aws: FakeAws, judge: Any) -> None:
    aws.inventory = {"us-east-1": {"support": [abroad(MEMBER)]}}
    aws.faults = [lambda call: refusal(403, "AccessDenied") if MEMBER in call.parameters.get("RoleArn", "") else None]

    ended = judge("missing-lambda", "--accounts", f"{ACCOUNT},{MEMBER}")

    assert {gap["operation"] for gap in ended.gaps} == {"AssumeRole"}
    assert {gap["account_id"] for gap in ended.gaps} == {ACCOUNT, MEMBER}
    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]


def test_an_alert_is_looked_for_though_the_flows_cannot_be_listed(chat: FakeAws, judge: Any) -> None:
    denied = when("ListChannelFlows", answer=error(403, "AccessDeniedException"))
    chat.faults = [denied, when("ListRules", answer=truth({"Rules": []}))]

    ended = judge("no-failure-alert")

    assert [gap["operation"] for gap in ended.gaps] == ["ListChannelFlows"]
    assert [finding["status"] for finding in ended.report["findings"]] == ["fail"]


@pytest.mark.parametrize("state", [{}, {"State": "PAUSED"}])
def test_an_alert_of_which_it_is_not_known_whether_it_is_enabled_is_unknown(
    chat: FakeAws, judge: Any, state: dict[str, str]
) -> None:
    rule = {"Name": "r", "Arn": "arn:r", "EventPattern": '{"source": ["aws.chime"]}', **state}
    chat.faults = [when("ListRules", answer=truth({"Rules": [rule]}))]

    ended = judge("no-failure-alert")

    assert [gap["code"] for gap in ended.gaps] == ["Undecided"]
    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]


def test_alerts_count_to_the_last_page(chat: FakeAws, judge: Any) -> None:
    other = {"Name": "o", "Arn": "arn:o", "State": "ENABLED", "EventPattern": '{"source": ["aws.ec2"]}'}

    def pages(call: Call) -> Answer | None:
        if call.operation == "ListRules" and not call.token:
            return truth({"Rules": [other], "NextToken": "more"})
        return None

    chat.faults = [pages]

    assert judge("no-failure-alert").report["summary"]["by_status"]["pass"] == 1
    assert len(chat.asked("ListRules")) == 2
    assert len(chat.asked("ListTargetsByRule")) == 1


LISTINGS = [
    ("no-failure-alert", "ListTargetsByRule", "Targets"),
    ("unused-channel-flow", "ListChannelsAssociatedWithChannelFlow", "Channels"),
]


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("filled", [True, False])
def test_an_empty_page_says_nothing_of_the_page_after_it(
    chat: FakeAws, judge: Any, listing: tuple[str, str, str], filled: bool
) -> None:
    rule, operation, items = listing

    def pages(call: Call) -> Answer | None:
        if call.operation != operation or (filled and call.token):
            return None
        return truth({items: []} if call.token else {items: [], "NextToken": "more"})

    chat.faults = [pages]

    ended = judge(rule)

    assert not ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == ([] if filled else ["fail"])
    assert len(chat.asked(operation)) == 2


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize(("added", "asked"), [("", 2), (".", 51)], ids=["repeats itself", "goes on and on"])
def test_empty_pages_that_never_end_are_a_gap(
    chat: FakeAws, judge: Any, listing: tuple[str, str, str], added: str, asked: int
) -> None:
    rule, operation, items = listing

    def pages(call: Call) -> Answer | None:
        more = {items: [], "NextToken": f"{call.token or 'more'}{added}"}
        return truth(more) if call.operation == operation else None

    chat.faults = [pages]

    ended = judge(rule)

    assert [gap["code"] for gap in ended.gaps] == ["EndlessPages"]
    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert len(chat.asked(operation)) == asked


CALLS = ("DisassociateChannelFlow", "UpdateChannelFlow", "DeleteChannelFlow")


def tampering(name: str, *calls: str, state: str = "ENABLED") -> dict[str, str]:
    pattern = {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": calls}}
    return {"Name": name, "Arn": f"arn:{name}", "State": state, "EventPattern": json.dumps(pattern)}


ROOT = {
    **tampering("root"),
    "EventPattern": '{"detail-type": ["AWS API Call via CloudTrail"], "detail": {"userIdentity": {"type": ["Root"]}}}',
}


@pytest.mark.parametrize(
    ("rules", "verdict", "asked"),
    [
        pytest.param([tampering("a", *CALLS)], None, 1, id="one rule for all calls"),
        pytest.param([tampering("a", *CALLS[:1]), tampering("b", *CALLS[1:])], None, 2, id="a rule for each"),
        pytest.param([tampering("a", *CALLS), tampering("b", *CALLS)], None, 1, id="one rule is enough"),
        pytest.param([tampering("a", *CALLS[:2])], "fail", 1, id="deletion goes unnoticed"),
        pytest.param([tampering("a", *CALLS, state="DISABLED")], "fail", 0, id="disabled"),
        pytest.param([ROOT], "fail", 0, id="only what the root user does"),
        pytest.param([], "fail", 0, id="no rules"),
    ],
)
def test_each_call_that_tampers_with_a_flow_needs_an_alert(
    chat: FakeAws, judge: Any, rules: list[dict[str, str]], verdict: str | None, asked: int
) -> None:
    chat.faults = [when("ListRules", answer=truth({"Rules": rules}))]

    ended = judge("no-tamper-alert")

    assert [finding["status"] for finding in ended.report["findings"]] == [verdict] * (verdict is not None)
    assert len(chat.asked("ListTargetsByRule")) == asked


def test_an_alert_of_tampering_without_targets_does_not_count(chat: FakeAws, judge: Any) -> None:
    chat.faults = [when("ListTargetsByRule", answer=truth({"Targets": []}))]

    assert [finding["status"] for finding in judge("no-tamper-alert").report["findings"]] == ["fail"]


@pytest.mark.parametrize(
    ("retries", "queue", "verdict"), [(0, None, "fail"), (1, None, None), (None, None, None), (0, "arn:q", None)]
)
def test_how_often_lambda_tries_again_is_asked_for_only_without_a_queue(
    chat: FakeAws, judge: Any, retries: int | None, queue: str | None, verdict: str | None
) -> None:
    configured = configuration(FUNCTION) | ({"DeadLetterConfig": {"TargetArn": queue}} if queue else {})
    chat.faults = [
        when("GetFunctionConfiguration", answer=truth(configured)),
        when("GetFunctionEventInvokeConfig", answer=truth({"MaximumRetryAttempts": retries})),
    ]

    ended = judge("retries-off")

    assert not ended.gaps
    assert [finding["status"] for finding in ended.report["findings"]] == [verdict] * (verdict is not None)
    assert len(chat.asked("GetFunctionEventInvokeConfig")) == (queue is None)


@pytest.mark.parametrize(
    ("answer", "verdict", "gaps"),
    [
        (truth({"MaximumRetryAttempts": 2}), None, 0),
        (truth({"MaximumRetryAttempts": 0}), "fail", 0),
        (error(403, "AccessDeniedException"), "unknown", 1),
    ],
)
def test_a_rule_on_retries_has_them_asked_of_functions_with_a_queue_too(
    chat: FakeAws, judge: Any, answer: Answer, verdict: str | None, gaps: int
) -> None:
    queue = {"DeadLetterConfig": {"TargetArn": "arn:q"}}
    chat.faults = [
        when("GetFunctionConfiguration", answer=truth(configuration(FUNCTION) | queue)),
        when("GetFunctionEventInvokeConfig", answer=answer),
    ]

    ended = judge("tried-again")

    assert [finding["status"] for finding in ended.report["findings"]] == [verdict] * (verdict is not None)
    assert [gap["operation"] for gap in ended.gaps] == ["GetFunctionEventInvokeConfig"] * gaps
    assert ended.code == {None: 0, "fail": 1, "unknown": 3}[verdict]


def test_an_alias_is_followed_to_latest(chat: FakeAws, judge: Any) -> None:
    chat.faults = [when("GetFunctionConfiguration", answer=truth({**configuration(FUNCTION), "Version": "$LATEST"}))]

    assert [finding["status"] for finding in judge("alias-to-latest").report["findings"]] == ["fail"]
