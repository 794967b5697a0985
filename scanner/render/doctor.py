"""What ``doctor`` prints: a table, which a stranger reads in ten seconds, or JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.model.facts import Gap
from scanner.model.moments import about
from scanner.model.phrases import first_of
from scanner.model.trial import TargetTrial, Trial, Verdict
from scanner.render.table import printed
from scanner.render.text import visible
from scanner.render.wording import account, count

_MOST = 20
_PLACES = 3
_WIDE = 80
"""The width from which on targets are a table."""
_ONLY_A_SCAN = (
    "A few resources were tried: others may be denied by their own policies, or have functions in accounts out of "
    "scope. Only a scan sees that."
)


def json(trial: Trial) -> str:
    """The trial as JSON, with `ready` besides its members."""
    members = {"ready": trial.is_ready, **msgspec.to_builtins(trial)}
    return msgspec.json.format(msgspec.json.encode(members), indent=2).decode() + "\n"


def table(trial: Trial, *, width: int, color: bool, every: bool = False) -> str:
    """The trial for people. Of many targets, those are shown in which a call is denied or failed; all with `every`."""
    parts: list[RenderableType] = [_head(trial), Text("")]
    is_short = every or len(trial.targets) <= _MOST
    targets = [each for each in trial.targets if is_short or (each.calls and _is_amiss(each))]
    if shown := targets if is_short else targets[:_MOST]:
        parts.append(_targets(trial, shown) if width >= _WIDE else _stacked(trial, shown))
    if more := len(trial.targets) - len(shown):
        parts.append(Text(f"{count(more, 'target')} more, which -v shows", style="dim"))
    parts.append(Text(""))
    most = None if every else _MOST
    for title, style, lines in (
        ("Not entered", "bold red", _entries(trial, trial.gaps, most)),
        ("Denied", "bold red", _lines(trial, Verdict.DENIED)),
        ("Failed", "bold red", _lines(trial, Verdict.FAILED)),
        ("Waived", "bold", [*_entries(trial, trial.waived, most), *_lines(trial, Verdict.WAIVED)]),
        ("Not told", "bold", _lines(trial, Verdict.NOT_TRIED)),
    ):
        if lines:
            parts += [Text(title, style=style), *(Padding(Text(visible(line)), (0, 0, 0, 2)) for line in lines)]
    parts.append(_foot(trial))
    if not trial.saw_nothing:
        parts.append(Text(_ONLY_A_SCAN, style="dim"))
    return printed(parts, width, color)


def _head(trial: Trial) -> Table:
    rows = _grid()
    for profile, arn in trial.callers.items():
        rows.add_row(Text("Who", style="bold"), visible(f"{arn}{f' (profile {profile})' if profile else ''}"))
    if not trial.callers:
        rows.add_row(Text("Who", style="bold"), Text("not known; see why below", style="bold red"))
    scope = trial.scope
    accounts = count(len(scope.accounts), "account")
    rows.add_row(Text("Scope", style="bold"), visible(f"{accounts} in {', '.join(scope.regions)}: {scope.chosen_by}"))
    read = f", which read {', '.join(trial.facets)}" if trial.facets else ", which read no more than the lists"
    rows.add_row(Text("Rules", style="bold"), f"{count(trial.rules, 'rule')}{read}")
    entered = len({target.account_id for target in trial.targets if target.calls})
    if trial.targets:
        rows.add_row(Text("Entered", style="bold"), f"{entered:,} of {accounts}")
    for note in (each for each in trial.notes if each.removeprefix("Accounts ") not in scope.chosen_by):
        rows.add_row(Text("Note", style="bold"), visible(note))
    return rows


def _grid() -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column()
    rows.add_column(overflow="fold")
    return rows


def _targets(trial: Trial, targets: Iterable[TargetTrial]) -> Table:
    rows = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("Account", "Region", "Calls allowed", "Not told", "App instances", "Channel flows"):
        rows.add_column(heading, overflow="fold")
    for target in targets:
        rows.add_row(
            visible(account(target.account_id, trial.scope.names)),
            target.region,
            _allowed(target),
            str(len(target.calls) - len(_told(target))),
            *_amounts(target),
        )
    return rows


def _stacked(trial: Trial, targets: Iterable[TargetTrial]) -> Text:
    """The targets for a narrow terminal: each with its account above what was seen there."""
    lines = Text()
    for target in targets:
        lines.append(f"{visible(account(target.account_id, trial.scope.names))}\n  {target.region}  ")
        lines.append_text(_allowed(target))
        if _told(target):
            lines.append(" calls allowed")
        if target.app_instances is not None:
            app_instances, flows = _amounts(target)
            lines.append(f"\n  app instances: {app_instances}, channel flows: {flows}")
        lines.append("\n")
    return lines


def _told(target: TargetTrial) -> list[Verdict]:
    return [call.verdict for call in target.calls if call.verdict is not Verdict.NOT_TRIED]


def _allowed(target: TargetTrial) -> Text:
    told = _told(target)
    allowed = f"{told.count(Verdict.ALLOWED)} of {len(told)}" if told else "not entered"
    return Text(allowed, style="bold red" if _is_amiss(target) else "green")


def _amounts(target: TargetTrial) -> tuple[str, str]:
    """How many app instances and channel flows there are, as far as that is known."""
    if target.app_instances is None:
        return "-", "-"
    return (
        f"{target.app_instances:,}{'+' if target.more else ''}",
        f"about {target.likely_flows:,}" if target.app_instances else "0",
    )


def _is_amiss(target: TargetTrial) -> bool:
    return not target.calls or any(call.verdict in {Verdict.DENIED, Verdict.FAILED} for call in target.calls)


def _entries(trial: Trial, gaps: Iterable[Gap], most: int | None) -> list[str]:
    """A line for each role and reason why accounts are not entered; with `most` accounts, if not with all."""
    places: dict[str, list[str]] = defaultdict(list)
    for gap in gaps:
        what = (gap.resource_arn or "").rpartition(":role/")[2]
        line = f"{gap.operation}{what and f' of {what}'}: {gap.reason}"
        places[line].append(account(gap.account_id, trial.scope.names))
    return [f"{line} ({first_of(where, len(where) if most is None else most)})" for line, where in places.items()]


def _lines(trial: Trial, verdict: Verdict) -> list[str]:
    """A line for each call and reason, with where it was so."""
    places: dict[tuple[str, str, bool], dict[str, None]] = defaultdict(dict)
    for target, call in trial.calls(verdict):
        places[call.action, call.reason, call.made_up][f"{target.account_id} {target.region}"] = None
    how = {True: "; tried on a name that does not exist", False: ""}
    return [
        f"{action}: {reason}{how[made_up]} ({first_of([*where], _PLACES)})"
        for (action, reason, made_up), where in sorted(places.items())
    ]


def _foot(trial: Trial) -> Table:
    estimate = trial.estimate
    rows = _grid()
    if not trial.saw_nothing:
        least = "at least " if estimate.at_least else ""
        rows.add_row(
            Text("A scan takes", style="bold"),
            f"{least}about {count(estimate.calls, 'call')}, {about(estimate.seconds)} ({estimate.rests_on})",
        )
    rows.add_row(Text("Verdict", style="bold"), _verdict(trial))
    return rows


def _verdict(trial: Trial) -> Text:
    if trial.saw_nothing:
        return Text("nothing could be scanned", style="bold red")
    if not trial.is_ready:
        return Text("NOT ready: a scan would leave gaps where something is refused, denied or failed", style="bold red")
    untold = len({call.action for _, call in trial.calls(Verdict.NOT_TRIED)})
    if untold:
        return Text(f"ready, as far as it can be told: {count(untold, 'call')} could not be tried everywhere")
    return Text("ready", style="green")
