"""Which accounts are scanned, and with whose credentials: organisations, lists of accounts, profiles."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.answers import Answer, Call, error, refusal, truth, xml
from tests.command import chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Fault, Flow
from tests.healthy import ACCOUNT, credentials, processor

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
FIRST, SECOND, SUSPENDED, LAST = "222222222222", "333333333333", "444444444444", "555555555555"
ONE_REGION = ("--regions", "us-east-1", "--select", "last-processor-fails-open", "-o", "json:-")


@pytest.fixture
def organization(aws: FakeAws) -> FakeAws:
    """Five accounts on three pages, one suspended, each with a flow that fails open; the own account lacks the role."""
    aws.organization = [
        {"Id": account, "Status": "SUSPENDED" if account == SUSPENDED else "ACTIVE"}
        for account in (ACCOUNT, FIRST, SECOND, SUSPENDED, LAST)
    ]
    aws.members = {account: {"us-east-1": {"chat": [OPEN]}} for account in (ACCOUNT, FIRST, SECOND, LAST)}
    aws.faults = [without_role(ACCOUNT)]
    return aws


def without_role(account: str) -> Fault:
    def deny(call: Call) -> Answer | None:
        denied = call.operation == "AssumeRole" and f":{account}:" in call.parameters["RoleArn"]
        return refusal(403, "AccessDenied") if denied else None

    return deny


def accounts_with_findings(report: dict[str, object]) -> list[str]:
    return [account for account, number in report["summary"]["by_account"].items() if number]  # type: ignore[index]


def test_an_organisation_is_scanned_to_its_last_page_and_the_suspended_are_named(
    organization: FakeAws, scan: Scan
) -> None:
    ended = scan("--org", *ONE_REGION)

    assert not ended.gaps
    assert accounts_with_findings(ended.report) == [ACCOUNT, FIRST, SECOND, LAST]
    assert len(organization.asked("ListAccounts")) == 3
    assert f"left out, because suspended: {SUSPENDED}" in ended.stderr
    assert SUSPENDED in ended.report["scope"]["chosen_by"]
    assert SUSPENDED not in ended.report["scope"]["accounts"]
    assert "account_names" not in ended.report["scope"], "no answer named an account"


NAMES = {ACCOUNT: "Payments \u202e<b>\n=1", FIRST: "Chat", SECOND: "Chat", SUSPENDED: "Old lab", LAST: ""}


def test_accounts_are_named_as_the_organisation_does_wherever_people_read(
    organization: FakeAws, quick_scan: Scan, tmp_path: Path
) -> None:
    organization.organization = [{**each, "Name": NAMES[each["Id"]]} for each in organization.organization]
    scanned = ("--org", *ONE_REGION[:-2], "--run-dir", "run", "-o", "r.json", "-o", "r.csv", "-o", "r.md")

    ended = quick_scan(*scanned, "--history", "sqlite:///history.db", "-o", "r.html", "--exclude", SECOND)
    plain = quick_scan("--from", "run", *ONE_REGION[2:-2], "-o", "again.json")

    report = json.loads((tmp_path / "r.json").read_text())
    again = json.loads((tmp_path / "again.json").read_text())
    assert report["scope"]["account_names"] == {ACCOUNT: NAMES[ACCOUNT], FIRST: "Chat"}
    assert again["scope"] == report["scope"]
    assert f"left out, because suspended: {SUSPENDED} (Old lab)" in ended.stderr
    assert f"left out by --exclude: {SECOND} (Chat)" in ended.stderr
    assert all(part in plain.stdout for part in (f"{ACCOUNT} (Payments", "\\u202e<b>\\u000a=1)"))
    assert f"`{FIRST} (Chat)`" in (tmp_path / "r.md").read_text()
    assert f'"{FIRST}","Chat","us-east-1"' in (tmp_path / "r.csv").read_text()
    assert f"{FIRST} (Chat)" in (tmp_path / "r.html").read_text()
    assert len(organization.asked("ListAccounts")) == 3
    assert not organization.asked("DescribeAccount")
    trend = chimeaudit("history", "trend", "--history", "sqlite:///history.db", "--format", "json", home=tmp_path)
    assert {each["account_id"]: each["account_name"] for each in json.loads(trend.stdout)["oldest"]} == {
        ACCOUNT: NAMES[ACCOUNT],
        FIRST: "Chat",
        LAST: None,
    }


def test_each_account_is_read_with_its_own_role_and_the_own_account_without_where_it_has_none(
    organization: FakeAws, scan: Scan
) -> None:
    scan("--org", *ONE_REGION)

    readers = {
        call.parameters["app-instance-arn"].split(":")[4]: call for call in organization.asked("ListChannelFlows")
    }
    assert readers.pop(ACCOUNT).access_key == "AKIAEXAMPLE"
    assert {account: call.account for account, call in readers.items()} == {n: n for n in (FIRST, SECOND, LAST)}


def test_the_own_account_is_read_with_the_role_where_it_has_it(organization: FakeAws, scan: Scan) -> None:
    organization.faults = []

    scan("--org", *ONE_REGION)

    assert {call.account for call in organization.asked("ListAppInstances")} == {ACCOUNT, FIRST, SECOND, LAST}


def test_excluded_accounts_are_left_out_and_named(organization: FakeAws, scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "sandboxes.txt").write_text(f"{SECOND}  # playground\n\n{LAST}\n")

    ended = scan("--org", "--exclude", f"{FIRST},sandboxes.txt", "--exclude", "999999999999", *ONE_REGION)

    assert ended.report["scope"]["accounts"] == [ACCOUNT]
    assert f"left out by --exclude: {FIRST}, {SECOND}, {LAST}" in ended.stderr
    assert "not in scope anyway: 999999999999" in ended.stderr
    assert all(call.account is None for call in organization.asked("ListAppInstances"))


def test_units_are_searched_through_and_through(organization: FakeAws, scan: Scan) -> None:
    children = {"ou-root": ["ou-a", "ou-b"], "ou-b": ["ou-deep"], "ou-deep": ["ou-root"]}
    below = {"ou-a": [FIRST], "ou-deep": [LAST]}

    def units(call: Call) -> Answer | None:
        parent = call.parameters.get("ParentId", "")
        if call.operation == "ListAccountsForParent":
            return truth(
                {"Accounts": [{"Id": each, "Name": "Chat", "State": "ACTIVE"} for each in below.get(parent, [])]}
            )
        if call.operation == "ListOrganizationalUnitsForParent":
            return truth({"OrganizationalUnits": [{"Id": each} for each in children.get(parent, [])]})
        return None

    organization.faults.append(units)

    ended = scan("--org", "--ou", "ou-root", *ONE_REGION)

    assert ended.report["scope"]["accounts"] == [FIRST, LAST]
    assert ended.report["scope"]["account_names"] == {FIRST: "Chat", LAST: "Chat"}
    assert "below ou-root" in ended.report["scope"]["chosen_by"]
    assert not organization.asked("ListAccounts")


def test_a_unit_that_cannot_be_listed_is_a_gap_and_the_others_are_scanned(organization: FakeAws, scan: Scan) -> None:
    def units(call: Call) -> Answer | None:
        if call.parameters.get("ParentId") == "ou-gone":
            return error(400, "ParentNotFoundException")
        if call.operation == "ListAccountsForParent":
            return truth({"Accounts": [{"Id": FIRST, "State": "ACTIVE"}]})
        return truth({"OrganizationalUnits": []}) if "Parent" in call.operation else None

    organization.faults.append(units)

    ended = scan("--org", "--ou", "ou-gone,ou-a", *ONE_REGION)

    assert ended.report["scope"]["accounts"] == [FIRST]
    assert [(gap["code"], gap["resource_arn"]) for gap in ended.gaps] == [("ParentNotFoundException", "ou-gone")]


def test_accounts_are_named_by_id_and_by_file(organization: FakeAws, scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "accounts.txt").write_text(f"\ufeff{FIRST}\r\n# none\r\n{SECOND} # chat\r\n")

    ended = scan("--accounts", f"accounts.txt,{FIRST}", "--accounts", LAST, *ONE_REGION)

    assert ended.report["scope"]["accounts"] == [FIRST, SECOND, LAST]
    assert not organization.asked("ListAccounts")


def test_options_on_the_role_reach_sts(organization: FakeAws, scan: Scan) -> None:
    scan(
        *(
            "--accounts",
            FIRST,
            "--role",
            "audit/reader",
            "--external-id",
            "shared-by-mail",
            "--session-name",
            "nightly",
        ),
        *ONE_REGION,
    )

    (call,) = organization.asked("AssumeRole")
    assert call.parameters["RoleArn"] == f"arn:aws:iam::{FIRST}:role/audit/reader"
    assert call.parameters["ExternalId"] == "shared-by-mail"
    assert call.parameters["RoleSessionName"] == "nightly"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refusal(403, "AccessDenied"), id="denied"),
        pytest.param(refusal(500, "InternalFailure"), id="out of order"),
        pytest.param(Answer(body=b"<html>captive portal</html>", headers={"Content-Type": "text/html"}), id="no STS"),
        pytest.param(xml("AssumeRole", "<Credentials></Credentials>"), id="nothing in it"),
        pytest.param(xml("AssumeRole", credentials(FIRST, expiration="2020-01-01T00:00:00Z")), id="expired on arrival"),
        pytest.param(xml("AssumeRole", credentials(FIRST, expiration="soon")), id="an odd date"),
        pytest.param(xml("AssumeRole", credentials(FIRST, expiration="1e999")), id="a date beyond all calendars"),
    ],
)
def test_a_role_that_gives_no_credentials_is_one_gap_for_its_account(
    organization: FakeAws, quick_scan: Scan, answer: Answer
) -> None:
    organization.faults.append(
        lambda call: answer if call.operation == "AssumeRole" and FIRST in call.parameters["RoleArn"] else None
    )

    ended = quick_scan("--org", *ONE_REGION)

    (gap,) = ended.gaps
    assert ended.code == 1
    assert (gap["account_id"], gap["region"], gap["operation"]) == (FIRST, None, "AssumeRole")
    assert gap["resource_arn"] == f"arn:aws:iam::{FIRST}:role/chimeaudit"
    assert accounts_with_findings(ended.report) == [ACCOUNT, SECOND, LAST]
    assert ended.report["coverage"]["observed"]["accounts"] == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(error(400, "AccessDeniedException"), "Allow organizations:ListAccounts", id="denied"),
        pytest.param(truth({"Accounts": [{"Id": "../../etc"}]}), "malformed", id="no account id"),
        pytest.param(truth({}), "malformed", id="no list"),
        pytest.param(error(400, "AWSOrganizationsNotInUseException"), "AWSOrganizationsNotInUseException", id="none"),
        pytest.param(error(400, "TooManyRequestsException"), "throttling", id="throttled"),
    ],
)
def test_an_organisation_that_cannot_be_listed_is_no_clean_scan(
    organization: FakeAws, quick_scan: Scan, answer: Answer, words: str
) -> None:
    organization.faults.append(lambda call: answer if call.operation == "ListAccounts" else None)

    ended = quick_scan("--org", *ONE_REGION)

    (gap,) = ended.gaps
    assert ended.code == 4
    assert gap["operation"] == "ListAccounts"
    assert words in ended.stderr
    assert "nothing could be scanned: " in ended.stderr
    assert not organization.asked("ListAppInstances")


def test_an_organisation_whose_list_breaks_off_is_scanned_so_far_with_a_gap(organization: FakeAws, scan: Scan) -> None:
    organization.faults.append(
        lambda call: error(500, "ServiceException") if call.operation == "ListAccounts" and call.token else None
    )

    ended = scan("--org", *ONE_REGION)

    (gap,) = ended.gaps
    assert (gap["account_id"], gap["operation"]) == (ACCOUNT, "ListAccounts")
    assert accounts_with_findings(ended.report) == [ACCOUNT, FIRST]


def test_an_account_whose_organisation_broke_off_may_itself_be_left_unread(organization: FakeAws, scan: Scan) -> None:
    organization.faults.append(
        lambda call: error(500, "ServiceException") if call.operation == "ListAccounts" and call.token else None
    )
    organization.faults.append(lambda call: error(403, "ForbiddenException") if call.service == "chime" else None)

    ended = scan("--org", *ONE_REGION)

    assert {(gap["account_id"], gap["operation"]) for gap in ended.gaps} == {
        (ACCOUNT, "ListAccounts"),
        (ACCOUNT, "ListAppInstances"),
        (FIRST, "ListAppInstances"),
    }


def test_credentials_that_expire_are_renewed_before_they_do(organization: FakeAws, scan: Scan) -> None:
    issued: list[str] = []

    def short_lived(call: Call) -> Answer | None:
        if call.operation == "AssumeRole":
            issued.append(f"N{len(issued)}")
            soon = datetime.now(UTC) + timedelta(minutes=5)  # botocore renews ten minutes before they expire
            return xml("AssumeRole", credentials(FIRST, issued[-1], f"{soon:%Y-%m-%dT%H:%M:%SZ}"))
        outdated = call.account and not call.access_key.endswith(issued[-1])
        return error(403, "ExpiredTokenException") if outdated else None

    organization.faults = [short_lived]
    organization.members[FIRST] = {"us-east-1": {"chat": [OPEN] * 120}}

    ended = scan("--accounts", FIRST, *ONE_REGION)

    assert not ended.gaps
    assert ended.report["coverage"]["observed"]["channel_flows"] == 120
    assert len(issued) == 4  # one for each call: ListAppInstances, three pages of ListChannelFlows


def test_an_expired_token_is_replaced_by_a_fresh_one_for_the_second_try(organization: FakeAws, scan: Scan) -> None:
    def expires_at_once(call: Call) -> Answer | None:
        if call.operation == "AssumeRole":
            return xml("AssumeRole", credentials(FIRST, f"N{len(organization.asked('AssumeRole'))}"))
        return error(403, "ExpiredTokenException") if call.access_key.endswith("N1") else None

    organization.faults = [expires_at_once]

    ended = scan("--accounts", FIRST, *ONE_REGION)

    assert not ended.gaps
    assert accounts_with_findings(ended.report) == [FIRST]
    assert len(organization.asked("AssumeRole")) == 2


def test_a_role_that_is_removed_during_the_scan_leaves_the_rest_unknown(organization: FakeAws, scan: Scan) -> None:
    def once(call: Call) -> Answer | None:
        if call.operation != "AssumeRole":
            return None
        if len(organization.asked("AssumeRole")) > 1:
            return refusal(403, "AccessDenied")
        soon = datetime.now(UTC) + timedelta(minutes=5)
        return xml("AssumeRole", credentials(FIRST, expiration=f"{soon:%Y-%m-%dT%H:%M:%SZ}"))

    organization.faults = [once]

    ended = scan("--accounts", FIRST, "--regions", "us-east-1", "--select", "app-instance-without-flow", "-o", "json:-")

    (gap,) = ended.gaps
    (finding,) = ended.report["findings"]
    assert (gap["operation"], gap["region"]) == ("AssumeRole", None)
    assert finding["status"] == "unknown"
    assert ended.code == 3


def write_profiles(home: Path, *names: str, **more: str) -> None:
    (home / ".aws").mkdir(exist_ok=True)
    keys = "aws_access_key_id = ASIA{0}\naws_secret_access_key = s\n"
    sections = [f"[profile {name}]\n{keys.format(name.rpartition('-')[2])}" for name in names]
    sections += [f"[profile {name}]\n{body}\n" for name, body in more.items()]
    (home / ".aws" / "config").write_text("\n".join(sections))


def test_several_profiles_are_scanned_each_with_its_own_credentials(aws: FakeAws, tmp_path: Path) -> None:
    write_profiles(tmp_path, f"chat-{FIRST}", f"shop-{SECOND}", f"same-{SECOND}")
    aws.members = {account: {"us-east-1": {"chat": [OPEN]}} for account in (FIRST, SECOND)}

    ended = chimeaudit(
        *("scan", "--profile", f"chat-{FIRST},shop-{SECOND}", "--profile", f"same-{SECOND}", *ONE_REGION),
        home=tmp_path,
        variables={"AWS_ENDPOINT_URL": aws.url},
    )

    assert not ended.gaps
    assert accounts_with_findings(ended.report) == [FIRST, SECOND]
    assert {call.account for call in aws.asked("ListChannelFlows")} == {FIRST, SECOND}
    assert len(aws.asked("ListAppInstances")) == 2


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        pytest.param(
            "credential_process = /nowhere/to/be/found", "CredentialRetrieval", id="a program that is not there"
        ),
        pytest.param("credential_process = echo oops", "CredentialRetrieval", id="a program that says nothing useful"),
        pytest.param("credential_process = false", "CredentialRetrieval", id="a program that fails"),
        pytest.param(
            'credential_process = echo \'{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t",'
            '"Expiration":"2020-01-01T00:00:00Z"}\'',
            "CredentialRetrieval",
            id="a program whose credentials have expired",
        ),
        pytest.param(
            f"role_arn = arn:aws:iam::{SECOND}:role/x\nweb_identity_token_file = /nowhere/token",
            "CredentialRetrieval",
            id="a token that is not there",
        ),
        pytest.param("role_arn = arn:aws:iam::1:role/x\nsource_profile = gone", "InvalidConfig", id="a broken chain"),
        pytest.param(
            "sso_session = gone\nsso_account_id = 1\nsso_role_name = r", "InvalidConfig", id="a broken sign-in"
        ),
        pytest.param(
            f"role_arn = arn:aws:iam::{LAST}:role/x\nsource_profile = chat-{FIRST}", "AccessDenied", id="denied"
        ),
    ],
)
def test_a_profile_without_working_credentials_is_one_gap_and_the_others_are_scanned(
    aws: FakeAws, tmp_path: Path, broken: str, code: str
) -> None:
    write_profiles(tmp_path, f"chat-{FIRST}", broken=broken)
    aws.members = {FIRST: {"us-east-1": {"chat": [OPEN]}}}
    aws.faults = [without_role(LAST)]

    ended = chimeaudit(
        *("scan", "--profile", f"chat-{FIRST},broken", "--select", "last-processor-fails-open", "-o", "json:-"),
        home=tmp_path,
        variables={"AWS_ENDPOINT_URL": aws.url},
    )

    (gap,) = ended.gaps
    assert gap["account_id"] == "unknown"
    assert gap["code"] == code
    assert "profile broken: " in gap["reason"]
    assert accounts_with_findings(ended.report) == [FIRST]


def test_a_scan_that_is_resumed_without_credentials_says_so(organization: FakeAws, scan: Scan, tmp_path: Path) -> None:
    organization.faults.append(lambda call: error(500, "ServiceFailureException") if call.service == "chime" else None)
    run = ("--run-dir", "run")
    scan("--accounts", FIRST, *ONE_REGION, *run, "--max-runtime", "1h")
    for journal in (tmp_path / "run" / "targets").iterdir():
        journal.unlink()

    ended = chimeaudit(
        *("scan", "--resume", *run, "--select", "last-processor-fails-open", "-o", "json:-"),
        home=tmp_path,
        variables={"AWS_ENDPOINT_URL": organization.url},
    )

    assert ended.code == 4
    assert {(gap["code"], gap["account_id"]) for gap in ended.gaps} == {("NoCredentials", FIRST)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--org", "--accounts", FIRST), "--org and --accounts contradict each other"),
        (("--ou", "ou-1"), "--ou narrows --org"),
        (("--exclude", FIRST), "--exclude goes with --org or --accounts"),
        (("--external-id", "xx"), "--external-id goes with --org or --accounts"),
        (("--org", "--profile", "a,b"), "take one --profile"),
        (("--max-age", "3h"), "--max-age goes with --resume"),
        (("--resume", "--org", "--accounts", FIRST), "--org and --accounts contradict each other"),
        (("--from", "run", "--resume"), "--from and --resume contradict each other"),
        (("--from", "run", "--org"), "--from and --org contradict each other"),
        (("--demo", "--profile", "a"), "--demo and --profile contradict each other"),
        (("--accounts", "empty.txt"), "names no account"),
        (("--accounts", "bad.txt"), "bad.txt:2: '12345' is not an account id"),
        (("--accounts", "12345"), "neither an account id nor a file"),
        (("--accounts", ","), "--accounts is given, but names nothing"),
        (("--regions", " "), "--regions is given, but names nothing"),
        (("--accounts", FIRST, "--exclude", FIRST), "no account is left to scan"),
        (("--max-runtime", "soon"), "not a duration"),
        (("--workers", "-1"), "--workers"),
        (("--profile", "nobody"), "nobody"),
    ],
)
def test_contradicting_options_are_refused_in_one_line(
    aws: FakeAws, scan: Scan, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    (tmp_path / "empty.txt").write_text("# nobody yet\n")
    (tmp_path / "bad.txt").write_text(f"{FIRST}\n12345\n")

    ended = scan(*options)

    assert ended.code == 2
    assert words in ended.error
    assert not re.search("Chime|App", " ".join(call.operation for call in aws.calls))


def test_an_organisation_of_which_nothing_is_left_is_no_clean_scan(organization: FakeAws, scan: Scan) -> None:
    organization.organization = [{"Id": SUSPENDED, "Status": "SUSPENDED"}]

    ended = scan("--org", *ONE_REGION)

    assert ended.code == 2
    assert "no account is left to scan" in ended.error
