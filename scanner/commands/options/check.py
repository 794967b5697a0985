"""The table of the options of ``check``."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.commands.options import completion, values
from scanner.commands.options.declaring import Repeat, option
from scanner.commands.options.shared import (
    OutputOptions,
    RuleOptions,
    fail_on_option,
    github_option,
    inventory_option,
    quiet_option,
    summary_only_option,
    verbose_option,
)


@dataclass(frozen=True, kw_only=True)
class CheckOptions(OutputOptions, RuleOptions):
    """The options of ``check``."""

    fail_on: str = fail_on_option()
    baseline: str | None = option(
        "--baseline",
        recorded=True,
        metavar="REPORT",
        shell_complete=completion.files,
        help="Saved JSON report; what already failed in it gives no exit code 1.",
    )
    account: str | None = option(
        "--account",
        repeat=Repeat.NEVER,
        recorded=True,
        callback=values.account_id,
        metavar="ID",
        help="Account that templates will be deployed to.",
    )
    region: str | None = option(
        "--regions",
        "--region",
        repeat=Repeat.NEVER,
        recorded=True,
        callback=values.region,
        metavar="REGION",
        help="Region that templates will be deployed to.",
    )
    inventory: bool = inventory_option()
    summary_only: bool = summary_only_option()
    parameter: tuple[str, ...] = option(
        "--parameter",
        multiple=True,
        repeat=Repeat.NEVER,
        metavar="NAME=VALUE",
        help="Value of a parameter of the templates; repeatable. Without one, all values that it may have are judged.",
    )
    parameters: tuple[str, ...] = option(
        "--parameters",
        multiple=True,
        repeat=Repeat.NEVER,
        recorded=True,
        metavar="FILE",
        callback=values.local,
        shell_complete=completion.files,
        help="Values of parameters, as CloudFormation, CodePipeline or SAM read them; repeatable. Templates are judged "
        "with each of the files.",
    )
    exclude: tuple[str, ...] = option(
        "--exclude",
        multiple=True,
        repeat=Repeat.NEVER,
        recorded=True,
        metavar="PATTERN",
        callback=values.patterns,
        help="Files or folders to leave out, besides those of the configuration; repeatable. * and ? are wildcards, ** "
        "stands for any folders.",
    )
    no_gitignore: bool = option(
        "--no-gitignore",
        repeat=Repeat.NEVER,
        recorded=True,
        is_flag=True,
        help="Read what git ignores as any other file, not only if it declares something.",
    )
    changed_since: str | None = option(
        "--changed-since",
        repeat=Repeat.NEVER,
        recorded=True,
        metavar="REF",
        help="Judge only what changed since the branch left this branch, tag or commit, and templates to which a "
        "changed file belongs.",
    )
    fix: bool = option(
        "--fix",
        repeat=Repeat.NEVER,
        is_flag=True,
        help="Edit the files so that failures go away: fallback actions, and execution orders that have gaps. What is "
        "left is reported.",
    )
    diff: bool = option(
        "--diff", repeat=Repeat.NEVER, is_flag=True, help="Print what --fix would edit as a diff, and edit nothing."
    )
    skip_others: bool = option(
        "--skip-others",
        is_flag=True,
        help="Skip a named file, too, that declares no channel flow; all may be such.",
    )
    allow_gaps: bool = option(
        "--allow-gaps", recorded=True, is_flag=True, help="Exit with 0, not 3, where coverage is not complete."
    )
    on_github: bool = github_option()
    verbose: bool = verbose_option("Show each file as it is judged, and details of a fault.")
    quiet: bool = quiet_option()
