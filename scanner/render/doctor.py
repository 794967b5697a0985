"""What ``doctor`` prints: a table, which a stranger reads in ten seconds, or JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.model.phrases import first_of
from scanner.model.trial import Call, TargetTrial, Trial, Verdict
from scanner.render.table import printed
from scanner.render.text import visible
from scanner.render.wording import account, count

_MOST = 20
_PLACES = 3
_ONLY_A_SCAN = (
    "One resource was tried for each call: others may be denied by their own policies, and functions in other "
    "accounts need these in scope. Only a scan sees that."
)


def json(trial: Trial) -> str:
    """The trial as JSON, with `ready` besides its members."""
    members = {"ready": trial.is_ready, **msgspec.to_builtins(trial)}
    return msgspec.json.format(msgspec.json.encode(members), indent=2).decode() + "\n"


def table(trial: Trial, *, width: int, color: bool, every: bool = False) -> str:
    """The trial for people. Beyond a few, targets are shown only if something is amiss there, or with `every`."""
    parts: list[RenderableType] = [_head(trial), Text("")]
    targets = [each for each in trial.targets if every or len(trial.targets) <= _MOST or _is_amiss(each)]
    if targets:
        parts += [_targets(trial, targets if every else targets[:_MOST]), Text("")]
    for title, style, lines in (
        ("Not entered", "bold red", [f"{gap.account_id}: {gap.operation}: {gap.reason}" for gap in trial.gaps]),
        ("Denied", "bold red", _lines(trial, Verdict.DENIED)),
        ("Failed", "bold red", _lines(trial, Verdict.FAILED)),
        ("Not told", "bold", _lines(trial, Verdict.NOT_TRIED)),
    ):
        if lines:
            parts += [Text(title, style=style), *(Padding(Text(visible(line)), (0, 0, 0, 2)) for line in lines)]
    parts.append(_foot(trial))
    if not trial.saw_nothing:
        parts.append(Text(_ONLY_A_SCAN, style="dim"))
    return printed(parts, width, color)


def _head(trial: Trial) -> Table:
    rows = Table.grid(padding=(0, 2))
    for profile, arn in trial.callers.items():
        rows.add_row(Text("Who", style="bold"), visible(f"{arn}{f' (profile {profile})' if profile else ''}"))
    if not trial.callers:
        rows.add_row(Text("Who", style="bold"), Text("not known; see why below", style="bold red"))
    scope = trial.scope
    accounts = count(len(scope.accounts), "account")
    rows.add_row(Text("Scope", style="bold"), visible(f"{accounts} in {', '.join(scope.regions)}: {scope.chosen_by}"))
    read = f", which read {', '.join(trial.facets)}" if trial.facets else ", which read no more than the lists"
    rows.add_row(Text("Rules", style="bold"), f"{count(trial.rules, 'rule')}{read}")
    for note in trial.notes:
        rows.add_row(Text("Note", style="bold"), visible(note))
    return rows


def _targets(trial: Trial, targets: Iterable[TargetTrial]) -> Table:
    rows = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("Account", "Region", "Calls allowed", "Not told", "App instances", "Channel flows"):
        rows.add_column(heading, overflow="fold")
    for target in targets:
        amount = f"{target.app_instances}{'+' if target.more else ''}"
        about = f"about {target.likely_flows}" if target.app_instances else "0"
        seen = ("-", "-") if target.app_instances is None else (amount, about)
        told = [call for call in target.calls if call.verdict is not Verdict.NOT_TRIED]
        allowed = sum(call.verdict is Verdict.ALLOWED for call in told)
        style = "bold red" if _is_amiss(target) else "green"
        calls = f"{allowed} of {len(told)}" if told else "not entered"
        rows.add_row(
            visible(account(target.account_id, trial.scope.names)),
            target.region,
            Text(calls, style=style),
            str(len(target.calls) - len(told)),
            *seen,
        )
    return rows


def _is_amiss(target: TargetTrial) -> bool:
    return not target.calls or any(call.verdict in {Verdict.DENIED, Verdict.FAILED} for call in target.calls)


def _lines(trial: Trial, verdict: Verdict) -> list[str]:
    """A line for each call and reason, with where it was so."""
    places: dict[Call, list[str]] = defaultdict(list)
    for target, call in trial.calls(verdict):
        places[call].append(f"{target.account_id} {target.region}")
    return [
        f"{call.action}: {call.reason}{_how(call)} ({first_of(where, _PLACES)})"
        for call, where in sorted(places.items(), key=lambda each: (each[0].action, each[0].reason))
    ]


def _how(call: Call) -> str:
    return "; tried on a name that does not exist" if call.made_up else ""


def _foot(trial: Trial) -> Table:
    estimate = trial.estimate
    rows = Table.grid(padding=(0, 2))
    if not trial.saw_nothing:
        least = "at least " if estimate.at_least else ""
        rows.add_row(
            Text("A scan takes", style="bold"),
            f"{least}about {count(estimate.calls, 'call')}, {_time(estimate.seconds)} ({estimate.rests_on})",
        )
    rows.add_row(Text("Verdict", style="bold"), _verdict(trial))
    return rows


def _verdict(trial: Trial) -> Text:
    if trial.saw_nothing:
        return Text("nothing could be scanned", style="bold red")
    if not trial.is_ready:
        return Text("NOT ready: a scan would leave gaps where something is refused or denied", style="bold red")
    untold = len({call.action for _, call in trial.calls(Verdict.NOT_TRIED)})
    if untold:
        return Text(f"ready, as far as it can be told: {count(untold, 'call')} could not be tried everywhere")
    return Text("ready", style="green")


def _time(seconds: int) -> str:
    return "less than a minute" if seconds < 60 else count(round(seconds / 60), "minute")
