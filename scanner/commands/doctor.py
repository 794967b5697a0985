"""``chimeaudit doctor``: would a scan with these options work, what would it lack, and how long would it take?"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from scanner.commands import progress
from scanner.commands.collecting import channel_terms, in_scope, simulated_aws
from scanner.commands.options.declaring import GroupedCommand, takes
from scanner.commands.options.scope import ScopeOptions
from scanner.commands.options.shared import RuleOptions, form_option, quiet_option, verbose_option
from scanner.commands.reporting import tell_next
from scanner.commands.request import wanted_facets
from scanner.errors import NothingScannedError
from scanner.model.trial import Trial, Verdict
from scanner.outcome.gate import ExitCode
from scanner.outcome.waivers import Waivers
from scanner.render import doctor as rendered
from scanner.terminal import Log, encoded, inert, out, wants_color, width

_EPILOG = """\b
Exit codes:
    0  a scan would work: each account can be entered, no call tried is denied
    2  a bad option or configuration
    3  something is denied or failed, and would be a gap
    4  nothing could be scanned
   70  a fault of chimeaudit"""


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(ScopeOptions, RuleOptions):
    """The options of ``doctor``."""

    form: str = form_option()
    verbose: bool = verbose_option("List every account and region, and show details of a fault.")
    quiet: bool = quiet_option("--format json")


@click.command("doctor", cls=GroupedCommand, epilog=_EPILOG, short_help="Try what a scan would need, without one.")
@takes(DoctorOptions)
def command(options: DoctorOptions) -> int:
    """Say whether a scan with the same options would work: who calls, which accounts and regions are in scope, which
    roles and calls are denied, and about how long it would take.

    Each call that the chosen rules need is made once in each account and region; it only reads. What cannot be told
    without a resource to try it on is named.
    """
    from scanner.aws.session import Aws
    from scanner.collect.trial import Wish, try_out

    configured = options.configuration()
    waivers = Waivers(configured.waivers, today=datetime.now(UTC).date())
    log = Log(quiet=options.quiet)
    with simulated_aws() if options.demo else nullcontext():
        wish = Wish(
            scope=in_scope(options),
            rules=len(configured.rules),
            facets=wanted_facets(configured.rules, waivers),
            channels=channel_terms(options, options.channel_bearer or configured.bearer, configured.rules),
        )
        with progress.waiting("Trying the calls of a scan, each once", log):
            found = try_out(wish, Aws).accepting(waivers.gap)
    if options.form == "json" or not options.quiet:
        _print(found, options)
    if found.saw_nothing:
        raise _nothing(found)
    return tell_next("doctor", ExitCode.OK if found.is_ready else ExitCode.GAPS, log)


def _print(found: Trial, options: DoctorOptions) -> None:
    if options.form == "json":
        out(encoded(rendered.json(found)))
        return
    out(inert(rendered.table(found, width=width(), color=wants_color(sys.stdout), every=options.verbose)))


def _nothing(found: Trial) -> NothingScannedError:
    """The error for a trial that could list nothing, with the reason of the first failure."""
    reasons = [gap.reason for gap in (*found.gaps, *found.waived)]
    reasons += [call.reason for _, call in found.calls(Verdict.DENIED, Verdict.FAILED, Verdict.WAIVED)]
    reason, _, step = reasons[0].partition("; ")
    hint = f"{step[:1].upper()}{step[1:]}." if step else "The table names every call."
    return NothingScannedError(f"nothing could be scanned: {reason}", hint=hint)
