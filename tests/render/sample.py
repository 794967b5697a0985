"""Builds sample reports: rich, clean, incomplete, hostile, empty, with roles. Counts always match the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import UNSET, UnsetType, structs

from scanner.model.report import (
    CarriedOver,
    Control,
    ControlStatus,
    Coverage,
    Evidence,
    Finding,
    GapReference,
    InScope,
    Observed,
    PipelineStep,
    Report,
    ReportedGap,
    Resource,
    ResourceType,
    RuleCounts,
    RuleInfo,
    Run,
    Scope,
    Severity,
    Status,
    Summary,
    Tool,
    Waiver,
    fingerprint,
)
from scanner.outcome.carried import inherit
from scanner.outcome.compare import marked

PROD = "111122223333"
CHAT = "444455556666"
LABS = "777788889999"
REGIONS = ("ap-southeast-1", "eu-central-1", "us-east-1")
HOSTILE = "=1+1<script>alert('x')</script>\"\u202egnp.exe\u200b\n\t" + "W" * 256
NOT_EXAMINED = (
    "Channels that no channel flow processes: they cannot be listed without an app instance user's bearer.",
    "What the code of a processor's function does with a message.",
)
DOCS = "https://docs.aws.amazon.com/chime-sdk/latest/dg/processor-setup.html"


def app_arn(account: str = PROD, region: str = "us-east-1", name: str = "support") -> str:
    return f"arn:aws:chime:{region}:{account}:app-instance/{fingerprint('app', account + region, name)}"


def step(
    name: str | None = "moderate",
    order: int | None = 1,
    fallback: str | None = "ABORT",
    *,
    account: str = PROD,
    region: str = "us-east-1",
    function: str | None = None,
) -> PipelineStep:
    function = function or f"{name}:3"
    return PipelineStep(
        name=name,
        execution_order=order,
        fallback_action=fallback,
        lambda_arn=f"arn:aws:lambda:{region}:{account}:function:{function}",
    )


def flow(
    name: str | None = "moderation",
    *steps: PipelineStep,
    account: str = PROD,
    region: str = "us-east-1",
    app: str | None = "support",
) -> Resource:
    app_instance = app_arn(account, region, app or "")
    return Resource(
        type="channel_flow",
        arn=f"{app_instance}/channel-flow/{fingerprint('flow', app_instance, name or '')}",
        name=name,
        account_id=account,
        region=region,
        app_instance_arn=app_instance,
        app_instance_name=app,
        processors=steps or (step(),),
    )


def app_instance(name: str | None = "support", *, account: str = PROD, region: str = "us-east-1") -> Resource:
    arn = app_arn(account, region, name or "")
    return Resource(
        type="app_instance",
        arn=arn,
        name=name,
        account_id=account,
        region=region,
        app_instance_arn=arn,
        app_instance_name=name,
    )


def role(name: str | None = "chat-user", *, account: str = PROD, path: str = "/") -> Resource:
    return Resource(
        type="role",
        arn=f"arn:aws:iam::{account}:role{path}{name}",
        name=name,
        account_id=account,
        region="global",
        app_instance_arn=None,
        app_instance_name=None,
    )


def rule(
    id: str = "last-processor-fails-open",  # noqa: A002 - the field's own name
    severity: Severity = Severity.HIGH,
    *,
    topic: str = "fallback",
    title: str = "Last processor fails open",
    rationale: str = "When the last processor cannot be reached, the message is delivered unprocessed.",
    remediation: str = "Set the fallback action of the last processor to ABORT.",
    references: tuple[str, ...] = (DOCS,),
    resource: ResourceType = "channel_flow",
    help: str | UnsetType = UNSET,  # noqa: A002
) -> RuleInfo:
    return RuleInfo(
        help=help,
        id=id,
        topic=topic,
        title=title,
        severity=severity,
        status="stable",
        profiles=("default",),
        resource=resource,
        rationale=rationale,
        remediation=remediation,
        references=references,
        frameworks={"nist-800-53-r5": ("SC-24", "SI-17"), "soc2": ("CC6.1",)},
    )


FAILS_OPEN = rule(
    rationale=(
        "When the last processor cannot be reached, the service counts the message as processed and delivers it.\n\n"
        "Whatever the processor was there to remove - personal data, abuse, malicious links - then reaches everybody."
    ),
    remediation=(
        "Set the fallback action of the last processor to ABORT.\n"
        "aws chime-sdk-messaging update-channel-flow --channel-flow-arn ARN \\\n"
        "  --processors file://processors.json --name NAME\n"
        "Then send a test message while the function is switched off."
    ),
)
STEP_SKIPPED = rule(
    "processor-fails-open",
    Severity.MEDIUM,
    title="Processor fails open",
    rationale="An earlier processor's step is skipped when it cannot be reached.",
)
FOREIGN_LAMBDA = rule(
    "cross-account-lambda",
    Severity.HIGH,
    topic="lambda",
    title="Processor runs in another AWS account",
    rationale="Message content leaves the account, and with it the controls that were approved for it.",
    remediation="Point the processor at a function in the app instance's own account.",
)
PUBLIC = rule(
    "public-lambda-policy",
    Severity.CRITICAL,
    topic="access",
    title="Anyone may invoke the processor's function",
    rationale="A statement of the resource policy lets every AWS principal invoke the function.",
    remediation=(
        "Remove the statement, then grant the service alone.\n"
        "aws lambda remove-permission --function-name moderate --statement-id anyone"
    ),
)
UNPINNED = rule(
    "unpinned-lambda-version",
    Severity.LOW,
    topic="lambda",
    title="Processor invokes whatever was deployed last",
    rationale="Without a version or alias, every deployment changes moderation at once.",
    remediation="Publish a version and name it in the processor.",
)
NO_ALERT = rule(
    "no-failure-alert",
    Severity.MEDIUM,
    topic="operations",
    title="Nobody hears of a failing processor",
    rationale="The service emits ProcessorInvocationFailure; no enabled EventBridge rule listens for it.",
    remediation="Create an EventBridge rule on the default bus with a target that people read.",
    resource="app_instance",
)
NAMING = rule(
    "flow-name-convention",
    Severity.INFO,
    topic="governance",
    title="Name does not follow the convention",
    rationale="A name that follows the convention tells its owner.",
    remediation="Rename the flow.",
)
CHAT_ROLE = rule(
    "chat-role-acts-as-anyone",
    Severity.CRITICAL,
    topic="access",
    title="Signed-in users may act as anybody",
    rationale="A policy allows every app instance user, so each user may act as any other, and as an admin.",
    remediation="Name the user by a policy variable.\naws iam list-role-policies --role-name ROLE_NAME",
    resource="role",
)
RULES = (NO_ALERT, FOREIGN_LAMBDA, NAMING, FAILS_OPEN, STEP_SKIPPED, PUBLIC, UNPINNED)


def finding(
    of: RuleInfo,
    resource: Resource,
    message: str,
    *evidence: Evidence,
    status: Status = Status.FAIL,
    waiver: Waiver | None = None,
    change: Literal["new", "existing"] | None = None,
) -> Finding:
    return Finding(
        rule_id=of.id,
        title=of.title,
        severity=of.severity,
        status=status,
        resource=resource,
        message=message,
        evidence=evidence,
        remediation=of.remediation,
        references=of.references,
        frameworks=of.frameworks,
        fingerprint=fingerprint(of.id, resource.arn or "", evidence[0].path if evidence else ""),
        waiver=waiver,
        change=change,
        first_seen="2026-10-30T03:00:12Z" if change == "existing" else None,
    )


def fails_open(resource: Resource, index: int = 0, change: Literal["new", "existing"] | None = None) -> Finding:
    name = resource.processors[index].name
    return finding(
        FAILS_OPEN,
        resource,
        f"processor {name} is the last and falls back to CONTINUE: messages are delivered unprocessed",
        Evidence(path=f"processors[{index}].fallback_action", observed="CONTINUE", required="equals ABORT"),
        change=change,
    )


def unknown(of: RuleInfo, resource: Resource, path: str, gap: ReportedGap | None) -> Finding:
    reference = {} if gap is None else {"gap": GapReference.to(gap)}
    evidence = Evidence(path=path, observed=None, required="equals true", **reference)
    return finding(of, resource, f"cannot be judged: {path} was not observed", evidence, status=Status.UNKNOWN)


def report(
    findings: Sequence[Finding] = (),
    *,
    rules: tuple[RuleInfo, ...] = RULES,
    gaps: tuple[ReportedGap, ...] = (),
    accounts: tuple[str, ...] = (PROD, CHAT, LABS),
    regions: tuple[str, ...] = REGIONS,
    in_scope: InScope | None = None,
    observed: Observed | None = None,
    passed: int = 0,
    not_applicable: int = 0,
) -> Report:
    """A report with these findings, in the order of reports."""
    findings = sorted(findings, key=_order)
    summary = _summary(findings, rules, accounts, passed, not_applicable)
    return Report(
        tool=Tool(name="chimeaudit", version="1.0.0", rules_digest="sha256:9f2c41d07ab3"),
        run=Run(
            id="20261122T030012Z-7c1f",
            started_at="2026-11-22T03:00:12Z",
            finished_at="2026-11-22T03:04:47Z",
            options={"fail_on": "high", "select": ("profile:default",), "resume": False},
        ),
        scope=Scope(accounts=accounts, regions=regions, chosen_by="the list given with --accounts"),
        coverage=Coverage(
            complete=all(gap.waiver for gap in gaps),
            in_scope=in_scope or InScope(accounts=len(accounts), targets=len(accounts) * len(regions)),
            observed=observed or Observed(accounts=3, targets=9, app_instances=12, channel_flows=34, processors=51),
            gaps=gaps,
            not_examined=NOT_EXAMINED,
        ),
        summary=summary,
        rules=rules,
        controls=_controls(summary, rules, is_hidden=bool(gaps)),
        findings=tuple(findings),
    )


def rich() -> Report:
    """Failures of every severity, waived findings, unknown findings with gaps; parts of the scope were not observed."""
    denied = ReportedGap(
        account_id=CHAT,
        region="eu-central-1",
        operation="ListAppInstances",
        code="AccessDeniedException",
        reason="The role may not list app instances in this region.",
    )
    policy = ReportedGap(
        account_id=PROD,
        region="us-east-1",
        resource_arn=f"arn:aws:lambda:us-east-1:{LABS}:function:translate:live",
        operation="GetPolicy",
        code="OutOfScope",
        reason="The function is in an account that is not in scope.",
    )
    accepted = ReportedGap(
        account_id="888899990000",
        operation="AssumeRole",
        code="AccessDenied",
        reason="The role chimeaudit does not exist in this account.",
        waiver=Waiver(reason="Account is being closed (SEC-812)", owner="cloud-platform", expires="2026-12-31"),
    )
    return report(
        [*_rich_failures(), *_rich_waived(), *_rich_unknown(policy)],
        gaps=(policy, denied, accepted),
        in_scope=InScope(accounts=4, targets=12),
        observed=Observed(accounts=1, targets=7, app_instances=12, channel_flows=34, processors=51),
        accounts=(PROD, CHAT, LABS, "888899990000"),
        passed=163,
        not_applicable=21,
    )


def named() -> Report:
    """A report that knows its accounts' names: a hostile one, a long one, and one that two accounts have."""
    names = {PROD: HOSTILE, CHAT: "Chat", LABS: "Chat", "888899990000": "Payments " * 20}
    report = rich()
    return structs.replace(report, scope=structs.replace(report.scope, account_names=names))


def compared(report: Report, baseline: Report) -> Report:
    """The report compared with its baseline, when every rule still exists."""
    return marked(report, baseline, inherit(report, baseline, lambda _: True))


def carrying() -> Report:
    """Nothing failed where it could be seen; what failed before is carried over: hidden, hostile, and not asked for."""
    seen = Observed(accounts=1, targets=5, app_instances=12, channel_flows=34, processors=51)
    hidden = ReportedGap(
        account_id=CHAT, region="eu-central-1", operation="ListAppInstances", code="AccessDenied", reason="it may not"
    )
    denied = "ListAppInstances: it may not [AccessDenied]"
    waived = next(_rich_waived())
    hostile = flow(HOSTILE, step(HOSTILE), account=CHAT, region="eu-central-1", app=HOSTILE)
    kept = [
        (fails_open(flow("moderation", account=CHAT, region="eu-central-1")), "2026-11-20T03:00:12Z", denied, None),
        (finding(PUBLIC, hostile, HOSTILE), "2026-10-01T03:00:12Z", HOSTILE, None),
        (waived, "2026-11-21T03:00:12Z", "its rule could not be judged: GetPolicy [AccessDenied]", None),
        (fails_open(flow("elsewhere", account=LABS)), "2026-11-20T03:00:12Z", "not in scope", "2026-11-21T03:00:12Z"),
    ]
    carried = (
        CarriedOver(
            finding=each,
            last_seen=last_seen,
            reason=why,
            **({"not_looked_for": since} if since else {}),
        )
        for each, last_seen, why, since in kept
    )
    return structs.replace(
        report(gaps=(hidden,), accounts=(PROD, CHAT), observed=seen, passed=12), carried_over=tuple(carried)
    )


def clean() -> Report:
    return report(passed=238, not_applicable=22)


def incomplete() -> Report:
    """Nothing failed, but not everything was observed: an interrupted run, with gaps without region or resource."""
    gaps = (
        ReportedGap(
            account_id="unknown",
            operation="ListAccounts",
            code="AccessDeniedException",
            reason="The organisation's accounts could not be listed.",
        ),
        ReportedGap(
            account_id=CHAT,
            region="us-east-1",
            operation="ListChannelFlows",
            code="Interrupted",
            reason="The run was stopped before this target was read; --resume goes on with it.",
        ),
    )
    seen = Observed(accounts=0, targets=2, app_instances=3, channel_flows=4, processors=4)
    return report(gaps=gaps, observed=seen, passed=27)


def nothing_observed() -> Report:
    """Every target was denied."""
    gaps = tuple(
        ReportedGap(
            account_id=PROD,
            region=region,
            operation="ListAppInstances",
            code="ExpiredTokenException",
            reason="The credentials have expired.",
        )
        for region in REGIONS
    )
    return report(gaps=gaps, accounts=(PROD,), observed=Observed())


def empty() -> Report:
    """No app instance anywhere, and no rule ran."""
    return report(rules=(), accounts=(PROD,), observed=Observed(accounts=1, targets=3))


def hostile() -> Report:
    """Every text from outside is an attack."""
    bad = rule(
        "hostile",
        Severity.CRITICAL,
        title=HOSTILE,
        rationale=HOSTILE,
        remediation=f"{HOSTILE}\naws x \u202e<img src=x onerror=alert(1)>",
        references=("javascript:alert(1)", 'https://example.com/"><script>alert(1)</script>', "http://example.com/"),
    )
    target = flow(HOSTILE, step(HOSTILE, 1, HOSTILE, function=HOSTILE), app=HOSTILE)
    gap = ReportedGap(
        account_id=HOSTILE,
        region=HOSTILE,
        resource_arn=HOSTILE,
        operation=HOSTILE,
        code=HOSTILE,
        reason=HOSTILE,
        waiver=None,
    )
    evidence = Evidence(path=f"processors[0].{HOSTILE}", observed=(HOSTILE, None, True, 3), required=HOSTILE)
    waiver = Waiver(reason=HOSTILE, owner=HOSTILE, expires=HOSTILE)
    return report(
        [
            finding(bad, target, HOSTILE, evidence),
            finding(bad, flow(HOSTILE, step(None, None, None)), HOSTILE, status=Status.WAIVED, waiver=waiver),
            unknown(bad, target, HOSTILE, gap),
        ],
        rules=(bad,),
        gaps=(gap,),
        accounts=(HOSTILE,),
        regions=(HOSTILE,),
    )


def roles() -> Report:
    """Roles among the rest: a failure between those of two regions, hostile names, a waived one, roles not observed."""
    denied = ReportedGap(
        account_id=LABS,
        region="global",
        operation="GetAccountAuthorizationDetails",
        code="AccessDenied",
        reason="access denied; allow iam:GetAccountAuthorizationDetails",
    )
    unclear = ReportedGap(
        account_id=CHAT,
        region="global",
        resource_arn=role("unclear", account=CHAT).arn,
        operation="GetAccountAuthorizationDetails",
        code="Undecided",
        reason="its policies do not settle what it allows",
    )
    said = "role lets its users act as any app instance user"
    evidence = Evidence(path="acts_as_anyone", observed=True, required="equals false")
    hostile_role = structs.replace(role(HOSTILE, account=CHAT), arn=f"arn:aws:iam::{CHAT}:role/=1+1/<b>&'\"/x")
    return report(
        [
            fails_open(flow("us", step("moderate", 1, "CONTINUE"))),
            fails_open(flow("eu", step("moderate", 1, "CONTINUE"), region="eu-central-1")),
            finding(CHAT_ROLE, role(), said, evidence, change="new"),
            finding(CHAT_ROLE, role("guests", path="/app/chat/"), said, evidence, change="existing"),
            finding(CHAT_ROLE, hostile_role, f"{HOSTILE} {said}", evidence),
            finding(
                CHAT_ROLE,
                role("support-staff", account=CHAT),
                said,
                evidence,
                status=Status.WAIVED,
                waiver=Waiver(reason="Staff alone (SEC-901)", owner="chat-team", expires="2027-01-31"),
            ),
            unknown(CHAT_ROLE, role("unclear", account=CHAT), "acts_as_anyone", unclear),
        ],
        rules=(CHAT_ROLE, FAILS_OPEN),
        gaps=(unclear, denied),
        observed=Observed(accounts=3, targets=9, app_instances=12, channel_flows=34, processors=51, roles=6),
        passed=33,
    )


ALL = (rich, clean, incomplete, nothing_observed, empty, hostile, roles, carrying, named)
"""Builders of reports of every kind."""


def many(count: int) -> Report:
    """A report with `count` failures in a hundred app instances."""
    return report(
        [fails_open(flow(f"flow-{n:06}", step(fallback="CONTINUE"), app=f"tenant-{n % 100}")) for n in range(count)]
    )


def _rich_failures() -> Iterator[Finding]:
    two = (step("redact", 1, "CONTINUE"), step("moderate", 2, "CONTINUE"))
    support = flow("support-moderation", *two)
    yield fails_open(support, 1, "new")
    yield finding(
        STEP_SKIPPED,
        support,
        "processor redact falls back to CONTINUE: its step is skipped when it cannot be reached",
        Evidence(path="processors[0].fallback_action", observed="CONTINUE", required="equals ABORT"),
        change="existing",
    )
    yield finding(
        PUBLIC,
        flow("gäste-übersetzung", step("translate", 1, "ABORT"), region="eu-central-1", app="Gästechat"),
        "anyone may invoke function translate: no condition restricts the caller",
        Evidence(path="processors[0].lambda.access.public", observed=True, required="equals false"),
        change="new",
    )
    foreign = step("moderate", 1, "ABORT", account=CHAT)
    yield finding(
        FOREIGN_LAMBDA,
        flow("sales-dlp", foreign, app="sales"),
        f"processor moderate invokes {foreign.lambda_arn}, in account {CHAT}",
        Evidence(path="processors[0].lambda.account_id", observed=CHAT, required=f"equals {PROD}"),
        Evidence(path="processors[0].lambda.account_id", observed=CHAT, required="in (no accounts)"),
        change="existing",
    )
    tied = (step("scan", 1, "CONTINUE"), step("label", 1, "ABORT"), step("deliver", 1, None))
    yield fails_open(flow("tied-orders", *tied, account=CHAT, app="community"), 0, "existing")
    for app in ("billing", "claims", "community", "sales", "support"):
        yield fails_open(flow(f"{app}-filter", step("filter", 1, "CONTINUE"), account=CHAT, app=app), 0, "existing")
        yield finding(
            UNPINNED,
            flow(f"{app}-filter", step("filter", 1, "CONTINUE", function="filter"), account=CHAT, app=app),
            "processor filter names no version or alias",
            Evidence(path="processors[0].lambda.qualifier", observed=None, required="exists"),
        )
        yield finding(
            NO_ALERT,
            app_instance(app, account=CHAT),
            f"no rule on the default bus tells anybody when a processor of {app} fails",
            Evidence(path="failure_alert", observed=False, required="equals true"),
        )
    yield finding(
        NAMING,
        flow(None, step(None, None, None), account=LABS, region="ap-southeast-1", app=None),
        "the flow has no name that follows the convention",
        Evidence(path="name", observed="\u202etest", required="matches ^[a-z-]+$"),
    )


def _rich_waived() -> Iterator[Finding]:
    waiver = Waiver(reason="Read-only announcement channels (SEC-701)", owner="chat-team", expires="2027-01-31")
    yield finding(
        FAILS_OPEN,
        flow("announcements", step("stamp", 1, "CONTINUE"), app="intranet"),
        "processor stamp is the last and falls back to CONTINUE: messages are delivered unprocessed",
        Evidence(path="processors[0].fallback_action", observed="CONTINUE", required="equals ABORT"),
        status=Status.WAIVED,
        waiver=waiver,
    )


def _rich_unknown(gap: ReportedGap) -> Iterator[Finding]:
    for app in ("billing", "claims", "sales"):
        target = flow(f"{app}-translate", step("translate", 1, "ABORT", account=LABS), app=app)
        yield unknown(PUBLIC, target, "processors[0].lambda.access.public", gap)
    yield unknown(NO_ALERT, app_instance("support"), "failure_alert", None)


def _order(item: Finding) -> tuple[str, ...]:
    where = item.resource
    return where.account_id, where.region, where.app_instance_arn or "", where.arn or "", item.rule_id, item.fingerprint


def _summary(
    findings: Sequence[Finding], rules: Sequence[RuleInfo], accounts: Iterable[str], passed: int, not_applicable: int
) -> Summary:
    failed = [item for item in findings if item.status is Status.FAIL]
    severities = Counter(item.severity.value for item in failed)
    statuses = Counter(item.status.value for item in findings)
    return Summary(
        by_severity={severity.value: severities[severity.value] for severity in Severity},
        by_status={
            **{status.value: statuses[status.value] for status in Status},
            "pass": passed,
            "not_applicable": not_applicable,
        },
        by_rule=_counts((of.id for of in rules), (item.rule_id for item in failed)),
        by_account=_counts(sorted(accounts), (item.resource.account_id for item in failed)),
        rules=_judgements(findings, rules, passed),
    )


def _counts(names: Iterable[str], seen: Iterable[str]) -> dict[str, int]:
    counter = Counter(seen)
    return {name: counter[name] for name in dict.fromkeys((*names, *sorted(counter)))}


def _judgements(findings: Sequence[Finding], rules: Sequence[RuleInfo], passed: int) -> dict[str, RuleCounts]:
    """The judgements of each rule, as if each finding were on another resource, and one rule alone had passed."""
    statuses = Counter((item.rule_id, item.status) for item in findings)
    return {
        rule.id: RuleCounts(
            passed=passed if rule.id == _main(rules) else 0,
            failed=statuses[rule.id, Status.FAIL],
            unknown=statuses[rule.id, Status.UNKNOWN],
            waived=statuses[rule.id, Status.WAIVED],
        )
        for rule in rules
    }


def _controls(summary: Summary, rules: Sequence[RuleInfo], *, is_hidden: bool) -> tuple[Control, ...]:
    """A control that every rule supports, one that only one does, and one of a rule that no file can tell."""
    judged = summary.rules or {}
    names = [*judged]
    return tuple(
        _control((framework, control, said), own, [judged[id_] for id_ in own if id_ in judged], is_hidden=is_hidden)
        for framework, control, own, said in (
            ("acme", "MSG|1 <b>", ("missing-lambda",), None),
            ("nist-800-53-r5", "SC-24", names, "A failure leads to a state that was chosen."),
            ("soc2", "CC6.1", [_main(rules)], "Logical access is restricted."),
        )
        if names
    )


def _main(rules: Sequence[RuleInfo]) -> str:
    """The rule that samples are mostly about."""
    return FAILS_OPEN.id if FAILS_OPEN in rules or not rules else rules[0].id


def _control(
    of: tuple[str, str, str | None], rules: Sequence[str], counts: Sequence[RuleCounts], *, is_hidden: bool
) -> Control:
    passed, failed, unknown, waived = (
        sum(getattr(each, name) for each in counts) for name in ("passed", "failed", "unknown", "waived")
    )
    open_: ControlStatus = "not-determined" if unknown or not passed or is_hidden else "satisfied"
    return Control(
        framework=of[0],
        control=of[1],
        supports=of[2],
        rules=tuple(rules),
        passed=passed,
        failed=failed,
        unknown=unknown,
        waived=waived,
        not_applicable=0,
        status="not-satisfied" if failed or waived else open_,
        accepted=bool(waived and not failed),
    )
