"""scanner.render.causes: gaps that one step closes are one line in each format."""

from __future__ import annotations

import pytest
from msgspec import structs

from scanner.deliver.notice import notice
from scanner.model.report import Location, Report, ReportedGap, Waiver
from scanner.render import Format, render, table
from scanner.render.causes import by_cause, causes, total
from tests.render import sample

ACCOUNTS = tuple(f"{number:012}" for number in range(1, 5))
FUNCTIONS = "lambda:GetFunctionConfiguration denied for 35 functions in 4 accounts; allow it (chimeaudit iam policy)"
WAIVER = Waiver(reason="accepted", owner="chat-team", expires="2027-01-31")


def denied(
    action: str, account: str = sample.PROD, *, by: str = "", region: str | None = None, resource_arn: str | None = None
) -> ReportedGap:
    return ReportedGap(
        account_id=account,
        region=region,
        resource_arn=resource_arn,
        operation=action.partition(":")[2],
        code="AccessDeniedException",
        reason=f"access denied{by}; allow {action}",
    )


def function(number: int, account: str, action: str = "lambda:GetFunctionConfiguration") -> ReportedGap:
    arn = f"arn:aws:lambda:us-east-1:{account}:function:moderation-{number}"
    return denied(action, account, region="us-east-1", resource_arn=arn)


NIGHT = (
    *(function(number, ACCOUNTS[number % 4]) for number in range(35)),
    *(denied("chime:ListAppInstances", ACCOUNTS[0], region=region) for region in ("eu-central-1", "us-east-1")),
    *(denied("sts:AssumeRole", account) for account in ("777777777777", "888888888888")),
)


def night(gaps: tuple[ReportedGap, ...] = NIGHT) -> Report:
    hidden = [sample.unknown(sample.PUBLIC, sample.flow(f"flow-{n}"), "name", gap) for n, gap in enumerate(gaps[:35])]
    return sample.report([*hidden, sample.fails_open(sample.flow("open"))], gaps=gaps)


def terminal(report: Report, width: int = 200, most: int | None = None) -> str:
    return "".join(table.findings(report, width=width, color=False, most=most))


def test_one_missing_permission_is_one_line_and_refused_accounts_come_first() -> None:
    lines = terminal(night()).partition("\n\n")[0].replace(" [AccessDeniedException]", "").splitlines()

    assert lines == [
        "Not observed",
        "  sts:AssumeRole denied for 2 accounts; allow it (chimeaudit iam role)",
        "    777777777777, 888888888888",
        "  chime:ListAppInstances denied for 2 regions in 1 account; allow it (chimeaudit iam policy)",
        "    000000000001 (2)",
        f"  {FUNCTIONS} (35 findings unknown)",
        "    000000000001 (9), 000000000002 (9), 000000000003 (9), 000000000004 (8)",
    ]


@pytest.mark.parametrize("form", [Format.MARKDOWN, Format.GITHUB, Format.JUNIT])
def test_causes_are_grouped_in_every_format_that_people_read(form: Format) -> None:
    text = "".join(render(night(), form)).replace("\\", "")

    assert FUNCTIONS in text


@pytest.mark.parametrize("form", [Format.JSON, Format.CSV, Format.SARIF, Format.JUNIT])
def test_formats_for_machines_keep_each_gap(form: Format) -> None:
    text = "".join(render(night(), form))

    assert all(f"function:moderation-{number}" in text for number in range(35))


def test_a_notice_groups_causes_too_and_counts_regions() -> None:
    told = notice(night(), None, [])

    assert told
    assert told.headline == "chimeaudit: 1 finding (1 high), 39 gaps"
    assert "3 of 3 accounts in 3 regions: 12 app instances" in told.lines[0]
    assert sum(line.startswith("Not observed: ") for line in told.lines) == 3
    assert "Not observed: sts:AssumeRole denied for 2 accounts" in told.text


def test_what_is_waived_stands_apart_and_last() -> None:
    gaps = (structs.replace(NIGHT[0], waiver=WAIVER), *NIGHT[1:35])

    found = by_cause(gaps)

    assert [(len(cause.gaps), cause.waiver) for cause in found] == [(34, None), (1, WAIVER)]
    assert total(found) == "35 gaps of 2 causes"


def test_the_order_of_the_gaps_does_not_matter() -> None:
    assert [cause.headline for cause in by_cause(reversed(NIGHT))] == [cause.headline for cause in by_cause(NIGHT)]


def test_reasons_that_differ_by_an_account_are_one_cause() -> None:
    gaps = [
        structs.replace(
            function(number, sample.PROD), code="OutOfScope", reason=f"account {account} is not in scope; waive it"
        )
        for number, account in enumerate(ACCOUNTS)
    ]

    (cause,) = by_cause(gaps)

    assert cause.headline == (
        "GetFunctionConfiguration for 4 functions in 1 account: account … is not in scope; waive it"
    )


def test_another_kind_of_policy_is_another_cause() -> None:
    gaps = (
        denied("lambda:GetPolicy", by=" by a service control policy", region="us-east-1"),
        denied("lambda:GetPolicy", region="us-east-1"),
        denied("organizations:ListAccounts", "unknown"),
        denied("iam:GetPolicy"),
    )

    assert {cause.headline for cause in by_cause(gaps)} == {
        f"lambda:GetPolicy denied by a service control policy for {sample.PROD} us-east-1; allow it",
        f"lambda:GetPolicy denied for {sample.PROD} us-east-1; allow it (chimeaudit iam policy)",
        "organizations:ListAccounts denied; allow it (chimeaudit iam policy --org)",
        f"iam:GetPolicy denied for {sample.PROD}; allow it (chimeaudit iam policy)",
    }


def test_a_finding_behind_two_gaps_of_one_cause_is_counted_once() -> None:
    first, second = (sample.unknown(sample.PUBLIC, sample.flow("both"), "processors[0].name", gap) for gap in NIGHT[:2])
    both = structs.replace(first, evidence=first.evidence + second.evidence)

    (cause,) = causes(sample.report([both], gaps=NIGHT[:2]))

    assert cause.unknown == 1


def test_causes_are_cut_where_a_report_has_the_rest_and_accounts_too() -> None:
    gaps = tuple(structs.replace(NIGHT[0], reason=f"cause {number}") for number in range(30))
    many = tuple(denied("sts:AssumeRole", f"{number:012}") for number in range(1, 13))

    cut = terminal(night((*many, *gaps)), most=25)
    whole = terminal(night((*many, *gaps)))

    assert "and 6 more causes in the report" in cut
    assert "and 7 more accounts" in cut
    assert all(account in whole for account in ("000000000012", "cause 29"))
    assert "more" not in whole


def test_a_file_is_no_account_and_keeps_its_line() -> None:
    gaps = tuple(
        ReportedGap(
            account_id="unknown",
            operation="ReadFile",
            code="InvalidFile",
            reason=f"{name}:3:7: found the end of the text",
            location=Location(file=name, line=3, column=7),
        )
        for name in ("a.json", "b.json")
    )

    shown = terminal(sample.report(gaps=gaps))

    assert shown.startswith("Not observed\n  a.json:3:7: found the end of the text [InvalidFile]\n  b.json")
    for form in (Format.MARKDOWN, Format.JUNIT, Format.GITHUB, Format.SARIF, Format.GITLAB, Format.HTML):
        text = "".join(render(sample.report(gaps=gaps), form))
        assert "unknown ReadFile" not in text
        assert "unknown: ReadFile" not in text
        assert "account not known" not in text
