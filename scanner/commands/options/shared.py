"""Options that several commands have, each declared once: as a function that declares a field, or as a struct."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.commands.options import completion, values
from scanner.commands.options.declaring import Group, Needs, Options, either, option
from scanner.config import FILE, SHIPPED, Configuration, find, load
from scanner.model.report import Severity
from scanner.render import SUFFIXES, Format
from scanner.terminal import on_github

if TYPE_CHECKING:
    from scanner.deliver.s3 import Storing

HISTORY_VARIABLE = "CHIMEAUDIT_HISTORY"
NOTIFY_VARIABLE = "CHIMEAUDIT_NOTIFY"
_NO_SEVERITY = "none"


def fail_on_option() -> Any:
    """The option ``--fail-on``; `severity` reads its value."""
    return option(
        "--fail-on",
        group=Group.STOPPING,
        recorded=True,
        type=click.Choice([*(severity.value for severity in Severity), _NO_SEVERITY]),
        default=Severity.HIGH.value,
        show_default=True,
        help="Mildest severity that gives exit code 1.",
    )


def severity(chosen: str) -> Severity | None:
    """The severity that ``--fail-on`` names; None if no finding is to fail."""
    return None if chosen == _NO_SEVERITY else Severity(chosen)


def github_option() -> Any:
    """The option ``--github``."""
    return option(
        "--github/--no-github",
        group=Group.RESULTS,
        default=on_github,
        help="Annotations, unless a report goes to standard output, and the step summary of GitHub Actions.  "
        "[default: where GITHUB_ACTIONS is true]",
    )


def history_option() -> Any:
    """The option ``--history``."""
    return option(
        "--history",
        group=Group.RESULTS,
        secret=True,
        metavar="URL",
        envvar=HISTORY_VARIABLE,
        show_envvar=True,
        help="Database in which runs are recorded: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.",
    )


def inventory_option() -> Any:
    """The option ``--inventory``."""
    return option(
        "--inventory",
        group=Group.RESULTS,
        recorded=True,
        is_flag=True,
        help="Name in the JSON report and the page every app instance and flow that was seen, with the verdict of "
        "every rule.  [default: only with -o inventory:PATH]",
    )


def verbose_option(what: str) -> Any:
    """The option ``--verbose``; `what` is its help."""
    return option("-v", "--verbose", is_flag=True, help=what)


def quiet_option(but: str = "-o -") -> Any:
    """The option ``--quiet``; `but` names the option that asks for standard output all the same."""
    return option(
        "-q",
        "--quiet",
        excludes=either("verbose"),
        is_flag=True,
        help=f"Print nothing but errors and what {but} asks for. Exit codes and reports are the same.",
    )


def summary_only_option() -> Any:
    """The option ``--summary-only``."""
    return option(
        "--summary-only",
        group=Group.RESULTS,
        is_flag=True,
        help="Do not list findings on standard output; print the summary alone.",
    )


def form_option() -> Any:
    """The option ``--format`` of commands that print a table."""
    return option(
        "--format",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="What to print on standard output.",
    )


def select_option(otherwise: str) -> Any:
    """The option ``--select``; `otherwise` is the default, as its help calls it."""
    rules = "Rules to apply: ids; profile:P, narrowed by topic:T, severity:S and framework:F."
    return option(
        "--select",
        group=Group.JUDGING,
        recorded=True,
        multiple=True,
        callback=values.listed,
        metavar="WHAT,...",
        shell_complete=completion.selectors,
        help=f"{rules}  [default: {otherwise}]",
    )


@dataclass(frozen=True, kw_only=True)
class RuleOptions(Options):
    """The options that choose rules."""

    config: Path | None = option(
        "--config",
        group=Group.JUDGING,
        recorded=True,
        type=values.PATH,
        metavar="FILE",
        help=f"Configuration; other options win over it.  [default: {FILE} here, or above in the repository]",
    )
    rules: tuple[str, ...] = option(
        "--rules",
        group=Group.JUDGING,
        recorded=True,
        multiple=True,
        callback=values.local,
        metavar="PATH",
        shell_complete=completion.files,
        help=f"Rule file or folder to use instead of the shipped ones; '{SHIPPED}' names those.",
    )
    select: tuple[str, ...] = select_option("default")

    def configuration(self) -> Configuration:
        """The configuration that results from these options and the configuration file.

        Raises:
            InvalidConfigurationError, InvalidRulesError, UsageError: the file, a rule or a selector cannot be used.
        """
        return load(find(self.config), rules=self.rules, select=self.select)

    def settled(self, configured: Configuration, fail_on: str) -> dict[str, Any]:
        """The recorded options that the configuration decides, with their final values.

        The configuration's severity holds if the command line does not name one; `fail_on` is the option's value.
        """
        is_named = "fail_on" in self.given
        return {
            "config": configured.file,
            "rules": configured.named,
            "select": configured.select,
            "fail_on": fail_on if is_named else configured.fail_on or fail_on,
        }


@dataclass(frozen=True, kw_only=True)
class RuleListOptions(RuleOptions):
    """The options of a command that shows rules: all of them if none is selected."""

    select: tuple[str, ...] = select_option("every profile")

    def configuration(self) -> Configuration:
        return load(find(self.config), rules=self.rules, select=self.select, every=True)


@dataclass(frozen=True, kw_only=True)
class OutputOptions(Options):
    """The options that say where reports are written, and how."""

    output: tuple[str, ...] = option(
        "-o",
        "--output",
        group=Group.RESULTS,
        multiple=True,
        metavar="[FORMAT:]PATH",
        shell_complete=completion.outputs,
        help="Write a report; repeatable. The suffix names the format "
        f"({', '.join(f'.{name}' for name in SUFFIXES)}), or FORMAT does ({', '.join(Format)}). "
        "'-' is standard output; PATH may be s3://BUCKET/KEY.",
    )
    manifest: Path | None = option(
        "--manifest",
        group=Group.RESULTS,
        type=values.PATH,
        metavar="FILE",
        help="Write the SHA-256 of the reports, the rules, the configuration and the run, for sha256sum -c.",
    )
    csv_excel: bool = option(
        "--csv-excel",
        group=Group.RESULTS,
        is_flag=True,
        help="Write CSV as Excel opens it: with a byte order mark, and ids as text.",
    )
    s3_kms_key: str | None = option(
        "--s3-kms-key",
        group=Group.RESULTS,
        callback=values.kms_key,
        metavar="KEY",
        help="Encrypt what -o writes to S3 with this KMS key.  [default: with S3's own, AES256]",
    )
    s3_bucket_owner: str | None = option(
        "--s3-bucket-owner",
        group=Group.RESULTS,
        callback=values.account_id,
        metavar="ID",
        help="Use buckets in S3 only if they belong to this account.",
    )

    def storing(self) -> Storing:
        """How reports are stored in S3."""
        from scanner.deliver.s3 import Storing

        return Storing(kms_key=self.s3_kms_key, bucket_owner=self.s3_bucket_owner)


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions(Options):
    """The options that say who else gets the findings."""

    notify: tuple[str, ...] = option(
        "--notify",
        group=Group.RESULTS,
        secret=True,
        multiple=True,
        metavar="TARGET",
        help="Tell this SNS topic (ARN) or Slack webhook (https:// URL) of failures and gaps that no baseline knows; "
        f"repeatable. {NOTIFY_VARIABLE} names more of them, separated by spaces.",
    )
    securityhub: bool = option(
        "--securityhub",
        group=Group.RESULTS,
        is_flag=True,
        help="Import the findings into AWS Security Hub, and archive those of a baseline that are fixed.",
    )
    delivery_role: str | None = option(
        "--delivery-role",
        group=Group.RESULTS,
        needs=Needs(one_of=("securityhub",)),
        callback=values.role_name,
        metavar="NAME",
        help="With --securityhub: role to assume in other accounts than that of the credentials.",
    )
    delivery_external_id: str | None = option(
        "--delivery-external-id",
        group=Group.RESULTS,
        needs=Needs(one_of=("delivery_role",)),
        callback=values.external_id,
        metavar="ID",
        help="External id that the delivery role asks for.",
    )
