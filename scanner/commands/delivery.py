"""``--notify`` and ``--securityhub``: sends findings to topics, webhooks and AWS Security Hub."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from scanner.commands.options.shared import NOTIFY_VARIABLE, DeliveryOptions
from scanner.commands.outputs import Output
from scanner.deliver import destinations
from scanner.deliver.destinations import Target, Topic
from scanner.errors import OutputError
from scanner.model.report import Report
from scanner.render.wording import count
from scanner.terminal import Log

if TYPE_CHECKING:
    from scanner.deliver.notice import Notice


class Deliveries(Struct, frozen=True, kw_only=True):
    """Who gets the findings besides the readers of the reports."""

    notify: tuple[Target, ...]
    securityhub: bool
    role_name: str | None
    external_id: str | None

    @classmethod
    def of(cls, options: DeliveryOptions) -> Self:
        """The deliveries that the options and the environment variable ask for.

        Raises:
            UsageError: a target is neither a topic nor a webhook.
        """
        targets = (*options.notify, *os.environ.get(NOTIFY_VARIABLE, "").split())
        return cls(
            notify=tuple(dict.fromkeys(map(destinations.target, targets))),
            securityhub=options.securityhub,
            role_name=options.delivery_role,
            external_id=options.delivery_external_id,
        )


class Imported(Struct, frozen=True):
    """The outcome of an import: a line for each account that failed, and the fingerprints of fixed findings that were
    not archived."""

    failures: tuple[str, ...] = ()
    unarchived: frozenset[str] = frozenset()


def import_findings(deliveries: Deliveries, report: Report, fixed_since: Report | None, log: Log) -> Imported:
    """Import findings into Security Hub if the options ask for it, and archive what is fixed since the other report."""
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
        return Imported((f"Security Hub: {why(fault)}",), securityhub.to_archive(report, fixed_since))
    message = f"Security Hub took {count(imported.taken, 'finding')}, {imported.archived:,} of them archived"
    log.tell("imported", message, taken=imported.taken, archived=imported.archived)
    return Imported(imported.failures, imported.unarchived)


def notify(
    deliveries: Deliveries, report: Report, baseline: Report | None, wanted: Sequence[Output], log: Log
) -> list[str]:
    """Send a notice to every target if anything is new; returns a line for each target that failed."""
    if not deliveries.notify:
        return []
    from scanner.deliver import notice

    news = notice.notice(report, baseline, [output.path for output in wanted if output.in_s3 and output.beside is None])
    if news is None:
        log.detail("not_notified", "Nothing is new: nobody was notified")
        return []
    failures = []
    for target in deliveries.notify:
        try:
            _send(target, news)
        except OutputError as error:
            failures.append(error.message)
        else:
            log.tell("notified", f"Notified  {target}", target=str(target))
    return failures


def _send(target: Target, news: Notice) -> None:
    from scanner.deliver import senders

    if isinstance(target, Topic):
        senders.publish(target, news)
    else:
        senders.post(target, news)
