from __future__ import annotations

import pytest
from msgspec import structs

from scanner.model.report import Finding, Location, Report, ReportedGap, Scope
from scanner.outcome.observed_scope import ObservedScope
from tests.render import sample

FLOW = sample.flow()
FOUND = sample.fails_open(FLOW)
ALERT = sample.finding(sample.NO_ALERT, sample.app_instance(), "nobody is told")
ROLE = f"arn:aws:iam::{sample.PROD}:role/chimeaudit"
FUNCTION = f"arn:aws:lambda:us-east-1:{sample.PROD}:function:moderate:3"


def gap(
    operation: str, arn: str | None = None, *, region: str | None = "us-east-1", account: str = sample.PROD
) -> ReportedGap:
    return ReportedGap(
        account_id=account, region=region, resource_arn=arn, operation=operation, code="Denied", reason="no"
    )


def missed(finding: Finding, *gaps: ReportedGap, besides: tuple[Finding, ...] = ()) -> str | None:
    """Why the run of a report with these gaps did not look for the finding; None if it did."""
    run = sample.report(besides, gaps=gaps, rules=(*sample.RULES, sample.CHAT_ROLE))
    reason = ObservedScope.of(run).missing_of(finding)
    return reason.text if reason else None


@pytest.mark.parametrize(
    "hiding",
    [
        gap("AssumeRole", ROLE, region=None),
        gap("AssumeRole", ROLE),
        gap("AssumeRole", "ou-abcd-12345678", region=None),
        gap("GetCallerIdentity"),
        gap("ListAppInstances"),
        gap("ListAppInstances", region=None),
        gap("ListAppInstances", sample.app_arn(sample.CHAT)),
        gap("ListAppInstances", sample.app_arn(region="eu-central-1")),
        gap("ListChannelFlows", FLOW.app_instance_arn),
        gap("ListChannelFlows", f"{FLOW.app_instance_arn}/user/somebody"),
        gap("ListChannelFlows", "not an ARN"),
        gap("SomethingNew", FLOW.arn),
        gap("SomethingNew", FLOW.app_instance_arn),
        gap("SomethingNew"),
        gap("GetRole", ROLE),
        gap("DescribeChannelFlow", FLOW.arn),
    ],
    ids=lambda each: f"{each.operation} {each.resource_arn}",
)
def test_a_gap_hides_what_it_may_have_named(hiding: ReportedGap) -> None:
    assert missed(FOUND, hiding) == f"{hiding.operation}: no [Denied]"


@pytest.mark.parametrize(
    "elsewhere",
    [
        gap("AssumeRole", f"arn:aws:iam::{sample.CHAT}:role/chimeaudit", region=None, account=sample.CHAT),
        gap("AssumeRole", FUNCTION),
        gap("GetPolicy", FUNCTION),
        gap("GetRole", FUNCTION),
        gap("ListAccounts", region=None),
        gap("ListAccountsForParent", "ou-abcd-12345678", region=None),
        gap("GetCallerIdentity", region=None, account="unknown"),
        gap("ListAppInstances", region="eu-central-1"),
        gap("ListChannelFlows", sample.app_arn(name="other")),
        gap("SomethingNew", sample.flow("other").arn),
    ],
    ids=lambda each: f"{each.operation} {each.resource_arn}",
)
def test_a_gap_elsewhere_hides_nothing_of_what_was_read(elsewhere: ReportedGap) -> None:
    assert missed(FOUND, elsewhere) is None


CHAT_ROLE = sample.role()
ACTS_AS_ANYONE = sample.finding(sample.CHAT_ROLE, CHAT_ROLE, "users may act as anybody")
ROLES = "GetAccountAuthorizationDetails"


@pytest.mark.parametrize(
    ("hiding", "hides_role", "hides_flow"),
    [
        (gap(ROLES, region="global"), True, False),
        (gap("AssumeRole", ROLE, region="global"), True, False),
        (gap("SomethingNew", region="global"), True, False),
        (gap("AssumeRole", ROLE, region=None), True, True),
        (gap("ListAppInstances", region=None), True, True),
        (gap("AssumeRole", ROLE), False, True),
        (gap("ListAppInstances"), False, True),
        (gap("SomethingNew"), False, True),
        (gap("ListChannelFlows", FLOW.app_instance_arn), False, True),
        (gap(ROLES, CHAT_ROLE.arn, region="global"), True, False),
        (gap(ROLES, f"{CHAT_ROLE.arn}-2", region="global"), False, False),
        (gap(ROLES, region="global", account=sample.CHAT), False, False),
        (gap("ListAppInstances", region=None, account=sample.CHAT), False, False),
    ],
    ids=lambda each: f"{each.operation} {each.region} {each.resource_arn}" if isinstance(each, ReportedGap) else "",
)
def test_a_gap_of_the_account_or_of_its_roles_hides_roles_and_a_gap_of_a_region_none(
    hiding: ReportedGap, hides_role: bool, hides_flow: bool
) -> None:
    assert (missed(ACTS_AS_ANYONE, hiding) is not None, missed(FOUND, hiding) is not None) == (hides_role, hides_flow)


def test_roles_are_looked_at_wherever_their_account_is() -> None:
    fewer_regions = sample.report(rules=(sample.CHAT_ROLE,), regions=("us-east-1",), accounts=(sample.PROD,))
    other_account = sample.report(rules=(sample.CHAT_ROLE,), accounts=(sample.CHAT,))

    assert ObservedScope.of(fewer_regions).missing_of(ACTS_AS_ANYONE) is None
    assert "account" in str(ObservedScope.of(other_account).missing_of(ACTS_AS_ANYONE))


def test_a_fact_of_a_role_that_is_missing_hides_only_the_verdicts_that_depend_on_it() -> None:
    fact = gap(ROLES, CHAT_ROLE.arn, region="global")
    unknown = sample.unknown(sample.CHAT_ROLE, CHAT_ROLE, "acts_as_anyone", fact)
    of_another_rule = sample.finding(sample.NAMING, CHAT_ROLE, "badly named")

    assert missed(ACTS_AS_ANYONE, fact, besides=(unknown,)) == (
        "its rule could not be judged: GetAccountAuthorizationDetails [Denied]"
    )
    assert missed(of_another_rule, fact, besides=(unknown,)) is None


def test_a_missing_fact_hides_only_the_verdicts_that_depend_on_it() -> None:
    for fact in (
        gap("ListTagsForResource", FLOW.arn),
        structs.replace(gap("ListChannelFlows", FLOW.arn), code="MissingValue"),
    ):
        unknown = sample.unknown(sample.UNPINNED, FLOW, "tags", fact)
        was = sample.finding(sample.UNPINNED, FLOW, "untagged")

        assert missed(FOUND, fact, besides=(unknown,)) is None
        assert missed(was, fact, besides=(unknown,)) == f"its rule could not be judged: {fact.operation} [{fact.code}]"


@pytest.mark.parametrize(
    ("operation", "arn"), [("ListAppInstances", FLOW.app_instance_arn), ("ListChannelFlows", FLOW.arn)]
)
def test_a_name_that_no_verdict_hangs_on_hides_nothing(operation: str, arn: str) -> None:
    assert missed(FOUND, structs.replace(gap(operation, arn), code="MissingValue")) is None


def test_a_missing_fact_of_an_app_instance_hides_no_flows_and_a_missing_list_of_flows_hides_no_facts() -> None:
    alerts, flows = gap("ListRules", ALERT.resource.arn), gap("ListChannelFlows", ALERT.resource.arn)
    without_flow = sample.rule("app-instance-without-flow", resource="app_instance")
    no_alert = sample.unknown(sample.NO_ALERT, ALERT.resource, "failure_alert", alerts)
    no_flows = sample.unknown(without_flow, ALERT.resource, "flows", flows)

    assert missed(FOUND, alerts, besides=(no_alert,)) is None
    assert missed(ALERT, alerts, besides=(no_alert,)) == "its rule could not be judged: ListRules [Denied]"
    assert missed(FOUND, flows, besides=(no_flows,))
    assert missed(ALERT, flows, besides=(no_flows,)) is None


@pytest.mark.parametrize(
    ("of_scope", "asked"),
    [
        (gap("ListAccounts", region=None), True),
        (gap("GetCallerIdentity", region=None, account="unknown"), True),
        (gap("ListAppInstances"), False),
    ],
)
def test_an_account_counts_as_asked_for_if_a_gap_of_the_scope_may_have_hidden_it(
    of_scope: ReportedGap, asked: bool
) -> None:
    chat = sample.fails_open(sample.flow(account=sample.CHAT))

    reason = ObservedScope.of(sample.report(accounts=(sample.PROD,), gaps=(of_scope,))).missing_of(chat)

    assert reason
    assert reason.was_asked is asked


def check(*files: str, gaps: tuple[ReportedGap, ...] = ()) -> Report:
    report = sample.report(gaps=gaps, accounts=(), regions=())
    return structs.replace(report, scope=Scope(accounts=(), regions=(), chosen_by="files", files=files))


def test_a_finding_that_is_gone_from_a_file_is_fixed_whatever_its_account_and_region() -> None:
    here = structs.replace(FOUND, location=Location(file="a.yaml", line=1, column=1))
    mistake = structs.replace(gap("ReadFile", region=None, account="unknown"), location=here.location)

    def reason(report: Report) -> str | None:
        missing = ObservedScope.of(report).missing_of(here)
        return missing.text if missing else None

    assert reason(check("a.yaml")) is None
    assert reason(check("a.yaml", gaps=(mistake,))) == "ReadFile: no [Denied]"
    assert reason(check("b.yaml")) == "a.yaml was not judged"
    elsewhere = structs.replace(mistake, location=Location(file="b.yaml", line=1, column=1))
    assert reason(check("a.yaml", gaps=(elsewhere,))) is None
    assert missed(FOUND, mistake) == "only files were judged"
