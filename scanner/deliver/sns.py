"""Publishes a notice to an SNS topic."""

from __future__ import annotations

from scanner.aws.failure import FailedCallError, calling, containing
from scanner.deliver.destinations import Topic
from scanner.deliver.notice import Notice
from scanner.deliver.session import client, connect, why
from scanner.errors import OutputError, UsageError


def publish(to: Topic, notice: Notice) -> None:
    """Publish a notice: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

    Raises:
        OutputError: the notice could not be published.
    """
    try:
        topics = client(connect(), "sns", to.region)
        with containing("Publish"), calling("sns", "Publish"):
            topics.publish(TopicArn=to.arn, Subject=notice.subject, Message=notice.text)
    except UsageError as error:
        raise _unsent(to, error.message) from None
    except FailedCallError as error:
        raise _unsent(to, why(error)) from None


def _unsent(to: Topic, reason: str) -> OutputError:
    return OutputError(f"the {to} was not notified: {reason}", hint="Mend that, then notify again.")
