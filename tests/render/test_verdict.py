"""The verdict in words: what is wrong, how much, where, what changed, and what could not be seen and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from msgspec import structs

from scanner.model.report import BaselineRun, Finding, InScope, Location, Observed, Report, ReportedGap, Status, Waiver
from scanner.render.verdict import Tally, Tone, Verdict, verdict
from tests.render import sample
from tests.render.html import worlds

WAIVER = Waiver(reason="accepted", owner="chat-team", expires="2027-01-31")
LAST = "2026-11-20T03:00:12Z"


def of(report: Report) -> Verdict:
    return verdict(report, Tally(report.findings))


def since(report: Report, fixed: int) -> Report:
    return structs.replace(report, baseline=BaselineRun(id="last", started_at=LAST, fixed=fixed))


def failing(*accounts: str, change: Literal["new", "existing"] | None = None) -> list[Finding]:
    return [
        structs.replace(sample.fails_open(sample.flow(f"f{n}", account=account)), change=change)
        for n, account in enumerate(accounts)
    ]


def waived() -> Finding:
    return sample.finding(sample.FAILS_OPEN, sample.flow(), "open", status=Status.WAIVED, waiver=WAIVER)


def in_file(finding: Finding, file: str) -> Finding:
    return structs.replace(finding, location=Location(file=file, line=3, column=5))


def of_files(findings: list[Finding], passed: int = 0) -> Report:
    seen = Observed(files=2, channel_flows=3)
    return sample.report(findings, in_scope=InScope(accounts=0, targets=0, files=2), observed=seen, passed=passed)


def gap(**changes: str | Waiver | None) -> ReportedGap:
    whole = ReportedGap(
        account_id=sample.PROD, operation="ListAppInstances", code="Denied", reason="access denied; allow x:Y"
    )
    return structs.replace(whole, **changes)


FUNCTIONS = tuple(
    gap(
        region="us-east-1",
        resource_arn=f"arn:aws:lambda:us-east-1:999988887777:function:vendor-{n}",
        operation="GetPolicy",
        reason="account 999988887777 is not in scope; bring it into scope, or waive this gap",
    )
    for n in range(2)
)


def behind(gaps: tuple[ReportedGap, ...]) -> list[Finding]:
    return [sample.unknown(sample.PUBLIC, sample.flow(f"u{n}"), "name", each) for n, each in enumerate(gaps)]


DENIED = "access denied, and 1 other cause"
UNKNOWN_THERE = "could not be read (access denied, and 1 other cause): nothing is known of what is there."
ROLES_TOO = Observed(accounts=1, targets=3, roles=0)
NOTHING_SEEN = "No verdict: nothing was observed"
NOT_ALL_SEEN = "No verdict: not everything was observed"
NOT_CLEAN = "Nothing failed in what was seen. That is not a clean result."
SAYS_NOTHING = "This report says nothing about what is in scope."
RAN = "7 rules ran on 34 channel flows in 12 app instances"
REST = "What could be judged passed or was accepted by a waiver."

SAID: dict[str, tuple[Callable[[], Report], Tone, str, tuple[str, ...]]] = {
    "clean": (sample.clean, "clean", "Clean: no findings", (f"{RAN}. Every check that applies passed.",)),
    "no rule": (sample.empty, "neutral", "Nothing was judged", ("No rule ran.",)),
    "empty scope": (
        lambda: sample.report(observed=Observed(accounts=1, targets=3)),
        "neutral",
        "Nothing to judge",
        ("The scope was observed, and holds no app instance and no channel flow.",),
    ),
    "empty scope, roles read": (
        lambda: sample.report(observed=ROLES_TOO),
        "neutral",
        "Nothing to judge",
        ("The scope was observed, and holds no app instance, no channel flow and no role.",),
    ),
    "no rule applies": (
        lambda: sample.report(not_applicable=9),
        "neutral",
        "Nothing to judge",
        ("No rule applies to what the scope holds.",),
    ),
    "nothing observed": (
        sample.nothing_observed,
        "failed",
        NOTHING_SEEN,
        (
            SAYS_NOTHING,
            "3 regions could not be read (The credentials have expired): nothing is known of what is there.",
        ),
    ),
    "gaps only": (
        lambda: worlds.gaps_only().report,
        "uncertain",
        NOT_ALL_SEEN,
        (
            NOT_CLEAN,
            f"2 accounts and 2 regions {UNKNOWN_THERE}",
        ),
    ),
    "the organisation is not known": (
        lambda: sample.report(gaps=(gap(account_id="unknown", operation="ListAccounts"),), passed=3),
        "uncertain",
        NOT_ALL_SEEN,
        (NOT_CLEAN, "A part of the scope could not be read (access denied): nothing is known of what is there."),
    ),
    "only unknown, behind gaps": (
        lambda: sample.report(behind(FUNCTIONS), gaps=FUNCTIONS, passed=5),
        "uncertain",
        NOT_ALL_SEEN,
        (
            NOT_CLEAN,
            "2 answers missing: 2 functions could not be read (account 999988887777 is not in scope).",
        ),
    ),
    "only unknown, without a gap": (
        lambda: sample.report(behind(FUNCTIONS[:1]), passed=5),
        "uncertain",
        "Nothing failed, 1 answer missing",
        (REST, "1 answer missing."),
    ),
    "only unknown, in files": (
        lambda: of_files(behind(FUNCTIONS), passed=5),
        "uncertain",
        "Nothing failed, 2 answers missing",
        (REST, "2 answers missing: the files do not settle them."),
    ),
    "unknown behind a waived gap": (
        lambda: sample.report(
            behind(FUNCTIONS), gaps=tuple(structs.replace(each, waiver=WAIVER) for each in FUNCTIONS), passed=5
        ),
        "uncertain",
        "Nothing failed, 2 answers missing",
        (REST, "2 answers missing, behind gaps that a waiver accepts."),
    ),
    "one account": (
        lambda: worlds.one_account().report,
        "failed",
        f"200 high to fix in account {sample.PROD} (Chat)",
        ("200 low besides.",),
    ),
    "several accounts": (
        lambda: sample.report(failing(sample.PROD, sample.CHAT, sample.CHAT)),
        "failed",
        "3 high to fix in 2 accounts",
        (),
    ),
    "nothing grave": (
        lambda: sample.report([sample.finding(sample.UNPINNED, sample.flow(account=sample.LABS), "m")]),
        "failed",
        f"1 low to fix in account {sample.LABS}",
        (),
    ),
    "a thousand accounts": (
        lambda: worlds.thousand_accounts().report,
        "failed",
        "100 high to fix in 100 accounts",
        (
            "100 low besides.",
            f"600 accounts and 1 region in 300 accounts {UNKNOWN_THERE}",
        ),
    ),
    "news": (
        lambda: since(sample.report(failing(sample.PROD, sample.CHAT, change="new")), fixed=3),
        "failed",
        "2 high to fix in 2 accounts",
        ("2 new since 2026-11-20, 3 fixed.",),
    ),
    "no news": (
        lambda: since(sample.report(failing(sample.PROD, sample.CHAT, change="existing")), fixed=0),
        "failed",
        "2 high to fix in 2 accounts",
        ("Nothing new since 2026-11-20.",),
    ),
    "a baseline that an older report does not name": (
        lambda: sample.report(failing(sample.PROD, sample.CHAT, change="existing")),
        "failed",
        "2 high to fix in 2 accounts",
        ("Nothing new since the baseline.",),
    ),
    "all fixed": (
        lambda: since(sample.clean(), fixed=1200),
        "clean",
        "Clean: no findings",
        (f"{RAN}. Every check that applies passed.", "Nothing new since 2026-11-20, 1,200 fixed."),
    ),
    "carried over": (
        lambda: structs.replace(sample.report(passed=5), carried_over=tuple(sample.carrying().carried_over or ())),
        "uncertain",
        "Nothing failed, 3 findings carried over",
        (REST, "3 that failed before could not be settled this time."),
    ),
    "waived only": (
        lambda: sample.report([waived()], passed=5),
        "clean",
        "Nothing open",
        (f"{RAN}.", "1 failure accepted by a waiver."),
    ),
    "waived gaps only": (
        lambda: sample.report(gaps=(gap(waiver=WAIVER),), passed=5),
        "clean",
        "Nothing open",
        (f"{RAN}.", "What could not be observed was accepted by a waiver."),
    ),
    "files": (
        lambda: of_files([in_file(each, "a.yaml") for each in failing("unknown", "unknown")]),
        "failed",
        "2 high to fix in a.yaml",
        (),
    ),
    "several files": (
        lambda: of_files([in_file(each, f"{n}.yaml") for n, each in enumerate(failing("unknown", "unknown"))]),
        "failed",
        "2 high to fix in 2 files",
        (),
    ),
    "an account that is not known": (
        lambda: sample.report(failing("unknown"), accounts=("unknown",)),
        "failed",
        "1 high to fix in 1 account",
        (),
    ),
}


@pytest.mark.parametrize("world", SAID)
def test_the_verdict_says(world: str) -> None:
    build, tone, headline, sentences = SAID[world]

    assert of(build()) == Verdict(tone=tone, headline=headline, sentences=sentences)


def test_a_file_and_facts_that_were_not_read_in_full_are_counted_apart() -> None:
    cut = gap(account_id="unknown", operation="ReadFile", reason="cut.json: found no end; expected more")
    flow = gap(resource_arn=sample.flow().arn, operation="ListTagsForResource")

    (_, missing) = of(sample.report(gaps=(cut, flow), passed=1)).sentences

    assert missing.startswith("1 channel flow and 1 file could not be read in full (")


def test_roles_are_read_apart_from_their_account() -> None:
    roles = tuple(gap(account_id=account, region="global") for account in (sample.PROD, sample.CHAT))

    assert of(sample.report(gaps=roles)).sentences[1].startswith("The roles of 2 accounts could not be read (access")


def test_a_long_reason_and_a_long_name_do_not_drown_the_verdict() -> None:
    (said,) = of(sample.report(failing(sample.PROD), gaps=(gap(reason="x" * 3_000),))).sentences

    assert len(said) < 250
    assert len(of(of_files([in_file(each, "f" * 900) for each in failing("unknown")])).headline) < 150


def test_an_old_report_that_counts_nothing_but_its_findings_has_a_verdict() -> None:
    report = sample.report(failing(sample.PROD))
    bare = structs.replace(report, summary=structs.replace(report.summary, by_status={"fail": 1}))

    assert of(bare).headline == f"1 high to fix in account {sample.PROD}"
