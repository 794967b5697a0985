"""``--notify`` and ``--securityhub``: who else is told of the findings, and telling them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from scanner.commands.options import values
from scanner.commands.outputs import Output
from scanner.deliver import destinations
from scanner.deliver.destinations import Target, Topic
from scanner.errors import OutputError, UsageError
from scanner.model.report import Report
from scanner.render.wording import count
from scanner.terminal import Log

if TYPE_CHECKING:
    from scanner.deliver.notice import Notice

VARIABLE = "CHIMEAUDIT_NOTIFY"

_OPTIONS = (
    click.option(
        "--notify",
        multiple=True,
        metavar="TARGET",
        help="Tell this SNS topic (ARN) or Slack webhook (https:// URL) of failures and gaps that no baseline knows; "
        f"repeatable. {VARIABLE} names more of them, separated by spaces.",
    ),
    click.option(
        "--securityhub",
        is_flag=True,
        help="Import the findings into AWS Security Hub, and archive those of a baseline that are fixed.",
    ),
    click.option(
        "--delivery-role",
        callback=values.role_name,
        metavar="NAME",
        help="With --securityhub: role to assume in other accounts than that of the credentials.",
    ),
    click.option(
        "--delivery-external-id",
        callback=values.external_id,
        metavar="ID",
        help="External id that the delivery role asks for.",
    ),
)
AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])


class Deliveries(Struct, frozen=True, kw_only=True):
    """Who is to be told."""

    notify: tuple[Target, ...]
    securityhub: bool
    role_name: str | None
    external_id: str | None


def options(command: AnyCommand) -> AnyCommand:
    """The options that say who is told; the command takes them as `deliveries`."""

    @wraps(command)
    def gathered(
        *,
        notify: tuple[str, ...],
        securityhub: bool,
        delivery_role: str | None,
        delivery_external_id: str | None,
        **rest: Any,
    ) -> Any:
        deliveries = Deliveries(
            notify=tuple(dict.fromkeys(map(destinations.target, (*notify, *os.environ.get(VARIABLE, "").split())))),
            securityhub=securityhub,
            role_name=delivery_role,
            external_id=delivery_external_id,
        )
        _check(deliveries)
        return command(deliveries=deliveries, **rest)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]  # click calls it by the names of the options


def _check(deliveries: Deliveries) -> None:
    if deliveries.role_name and not deliveries.securityhub:
        raise UsageError("--delivery-role goes with --securityhub, which is not given", hint="Add --securityhub.")
    if deliveries.external_id and not deliveries.role_name:
        hint = "Add --delivery-role."
        raise UsageError("--delivery-external-id goes with --delivery-role, which is not given", hint=hint)


class Imported(Struct, frozen=True):
    """A line for each account of Security Hub that was not served, and whether it took all that is fixed."""

    failures: tuple[str, ...] = ()
    all_archived: bool = True


def import_findings(deliveries: Deliveries, report: Report, fixed_since: Report | None, log: Log) -> Imported:
    """Import into Security Hub, if that is wanted. What is fixed since the other report is archived."""
    if not deliveries.securityhub:
        return Imported()
    from scanner.aws.failure import FailedCallError, containing
    from scanner.deliver import securityhub
    from scanner.deliver.session import why

    way = securityhub.Way(role_name=deliveries.role_name, external_id=deliveries.external_id)
    try:
        with containing("BatchImportFindings"):
            imported = securityhub.deliver(report, fixed_since, way)
    except FailedCallError as fault:
        log.detail("fault", fault.fault or "")
        return Imported((f"Security Hub: {why(fault)}",), all_archived=False)
    message = f"Security Hub took {count(imported.taken, 'finding')}, {imported.archived:,} of them archived"
    log.tell("imported", message, taken=imported.taken, archived=imported.archived)
    return Imported(imported.failures, imported.all_archived)


def notify(
    deliveries: Deliveries, report: Report, baseline: Report | None, wanted: Sequence[Output], log: Log
) -> list[str]:
    """Tell everybody who is to be told, if anything is new; returns a line for each who could not be."""
    if not deliveries.notify:
        return []
    from scanner.deliver.notice import notice

    told = notice(report, baseline, [output.path for output in wanted if output.in_s3])
    if told is None:
        log.detail("not_notified", "Nothing is new: nobody was notified")
        return []
    failures = []
    for target in deliveries.notify:
        try:
            _send(target, told)
        except OutputError as error:
            failures.append(error.message)
        else:
            log.tell("notified", f"Notified  {target}", target=str(target))
    return failures


def _send(target: Target, told: Notice) -> None:
    from scanner.deliver import sns, webhook

    if isinstance(target, Topic):
        sns.publish(target, told)
    else:
        webhook.post(target, told)
