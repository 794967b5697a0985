"""A report of each kind that the page has to serve, from a real scan to a thousand accounts that refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from msgspec import structs

from scanner.model.report import (
    Finding,
    InScope,
    Location,
    Observed,
    Report,
    ReportedGap,
    Resource,
    Severity,
    Waiver,
    fingerprint,
)
from scanner.model.trend import Night, OpenFinding, TimeToFix, Trend
from tests.render import sample

DENIED = "access denied; allow sts:AssumeRole"


@dataclass(frozen=True, kw_only=True)
class World:
    """A report and, where a history is kept, its trend."""

    report: Report
    trend: Trend | None = None


def clean() -> World:
    return World(report=sample.clean())


def nothing_observed() -> World:
    """Every call was refused."""
    return World(report=sample.nothing_observed())


def gaps_only() -> World:
    """Nothing failed in what was seen; the gaps are of several causes, one of them waived."""
    gaps = (
        *(_refused(account) for account in (sample.CHAT, sample.LABS)),
        *(_throttled(sample.PROD, region) for region in sample.REGIONS[:2]),
        structs.replace(
            _refused("888899990000"),
            waiver=Waiver(reason="Account is being closed", owner="cloud-platform", expires="2026-12-31"),
        ),
    )
    accounts = (sample.PROD, sample.CHAT, sample.LABS, "888899990000")
    seen = Observed(accounts=0, targets=1, app_instances=3, channel_flows=9, processors=9)
    return World(report=sample.report(gaps=gaps, accounts=accounts, observed=seen, passed=27))


def thousand_accounts() -> World:
    """A thousand accounts of an organisation: most refuse the role, some throttle, a few fail."""
    accounts = tuple(f"{100_000_000_000 + 37 * n}" for n in range(1_000))
    gaps = (*map(_refused, accounts[:600]), *(_throttled(account, "us-east-1") for account in accounts[600:900]))
    seen = Observed(accounts=100, targets=2_400, app_instances=140, channel_flows=610, processors=700)
    findings = [
        finding
        for n, account in enumerate(accounts[900:])
        for finding in (
            sample.fails_open(sample.flow(f"chat-{n}", sample.step("moderate", 1, "CONTINUE"), account=account)),
            sample.finding(sample.UNPINNED, sample.flow(f"chat-{n}", account=account), "it names no version"),
        )
    ]
    names = {account: f"Team {n}" for n, account in enumerate(accounts)}
    report = sample.report(findings, gaps=gaps, accounts=accounts, observed=seen, passed=4_100)
    return World(report=structs.replace(report, scope=structs.replace(report.scope, account_names=names)))


def with_history() -> World:
    """Tonight compared with last night: news, fixes, what could not be settled; and forty nights before."""
    tonight = structs.replace(sample.rich(), run=structs.replace(sample.rich().run, started_at="2026-11-22T03:00:12Z"))
    known = [finding for finding in tonight.findings if finding.change != "new"]
    gone = [sample.fails_open(sample.flow(f"old-{n}", account=sample.LABS)) for n in range(3)]
    unseen = sample.fails_open(sample.flow("moderation", account=sample.CHAT, region="eu-central-1"))
    last = sample.report([*known, *gone, unseen], accounts=tonight.scope.accounts)
    last = structs.replace(last, run=structs.replace(last.run, id="last", started_at="2026-11-21T03:00:09Z"))
    return World(report=sample.compared(tonight, last), trend=trend(40))


def check() -> World:
    """What ``check`` finds in files; nothing has an ARN, an account or a region yet."""
    files = ("templates/chat.yaml", "templates/support/moderation.yaml", "cdk.out/Live.template.json")
    findings = [
        _declared(finding, Location(file=file, line=12 + 30 * n, column=9))
        for file in files[:2]
        for n, finding in enumerate(
            (
                sample.fails_open(sample.flow("moderated", sample.step("moderate", 1, "CONTINUE"))),
                sample.finding(sample.UNPINNED, sample.flow("pinned"), "processor moderate names no version or alias"),
                sample.unknown(sample.FOREIGN_LAMBDA, sample.flow("vendor"), "processors[0].lambda.account_id", None),
            )
        )
    ]
    report = sample.report(
        findings,
        accounts=("unknown",),
        regions=("unknown",),
        in_scope=InScope(accounts=0, targets=0, files=3),
        observed=Observed(files=3, app_instances=1, channel_flows=6, processors=7),
        passed=40,
    )
    return World(
        report=structs.replace(report, scope=structs.replace(report.scope, files=files, chosen_by="the files given"))
    )


def hostile() -> World:
    """Every text from outside is an attack, also in the history."""
    return World(report=sample.hostile(), trend=trend(3, sample.HOSTILE))


def one_account() -> World:
    """One account with 200 app instances, each with failures."""
    findings = list(_of_app_instances(200))
    seen = Observed(accounts=1, targets=3, app_instances=200, channel_flows=400, processors=430)
    report = sample.report(findings, accounts=(sample.PROD,), observed=seen, passed=2_900)
    scope = structs.replace(report.scope, account_names={sample.PROD: "Chat"})
    return World(report=structs.replace(report, scope=scope))


def six_hundred_and_fifty() -> World:
    """As many findings as the print edition is measured with."""
    return World(report=sample.report(list(_of_app_instances(325)), passed=2_900))


ALL: tuple[Callable[[], World], ...] = (
    clean,
    nothing_observed,
    gaps_only,
    thousand_accounts,
    with_history,
    check,
    hostile,
    one_account,
)
"""Makers of a world of each kind; what the demo reports is the fixture `demo`."""


def trend(nights: int, text: str = "moderation") -> Trend:
    """So many nights up to 2026-11-22; every fifth did not see everything."""
    oldest = OpenFinding(
        fingerprint="f",
        rule_id="last-processor-fails-open",
        severity=Severity.HIGH,
        account_id=sample.PROD,
        region="us-east-1",
        resource_arn=None,
        resource_name=text,
        app_instance_name=text,
        first_seen="2026-10-30T03:00:12Z",
        last_seen="2026-11-22T03:00:12Z",
        age_days=23,
    )
    return Trend(
        nights=tuple(_night(n, nights) for n in range(nights)),
        time_to_fix=(TimeToFix(severity=Severity.HIGH, fixed=4, median_days=2.0, longest_days=9.5),),
        oldest=(oldest,),
    )


def _night(number: int, of: int) -> Night:
    month, day = divmod(22 - of + number, 30)
    return Night(
        run_id=f"night-{number}",
        started_at=f"2026-{11 + month:02}-{day + 1:02}T03:00:12Z",
        complete=number % 5 > 0,
        accounts=3,
        channel_flows=34,
        open={"critical": number % 3, "high": 4 + number % 7, "medium": 6, "low": 5, "info": 1},
        new=number % 4,
        reopened=0,
        fixed=number % 3,
        waived=0,
    )


def _refused(account: str) -> ReportedGap:
    return ReportedGap(account_id=account, operation="AssumeRole", code="AccessDenied", reason=DENIED)


def _throttled(account: str, region: str) -> ReportedGap:
    return ReportedGap(
        account_id=account,
        region=region,
        operation="ListAppInstances",
        code="ThrottlingException",
        reason="AWS throttled the calls until the end of the scan; scan again later",
    )


def _declared(finding: Finding, location: Location) -> Finding:
    resource: Resource = structs.replace(
        finding.resource, arn=None, account_id="unknown", region="unknown", app_instance_arn=None
    )
    key = fingerprint(finding.rule_id, f"{location.file}:{location.line}")
    return structs.replace(finding, resource=resource, location=location, fingerprint=key)


def _of_app_instances(number: int) -> Iterator[Finding]:
    for n in range(number):
        target = sample.flow(f"room-{n:03}", sample.step("moderate", 1, "CONTINUE"), app=f"tenant-{n:03}")
        yield sample.fails_open(target)
        yield sample.finding(sample.UNPINNED, target, "processor moderate names no version or alias")
