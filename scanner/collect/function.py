"""The facet ``function``: a function's configuration and policy, for the qualifier that the processor names."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType, convert, field

from scanner.aws import ownership
from scanner.aws.calls import ask
from scanner.aws.failure import FailedCallError, calling
from scanner.aws.wire import GetFunctionConfiguration, GetFunctionEventInvokeConfig, GetFunctionUrlConfig
from scanner.collect.threads import SingleFlight
from scanner.model.facts import Function, LambdaFunction
from scanner.policy.function_url import AUTH_TYPES, NO_URL, FunctionUrl

MISSING = convert(dict.fromkeys(Function.__struct_fields__) | {"exists": False}, Function)
"""The facts of a function that does not exist."""

_STATES = frozenset(
    {"Pending", "Active", "Inactive", "Failed", "Deactivating", "Deactivated", "ActiveNonInvocable", "Deleting"}
)
_LATEST = "$LATEST"
_DEFAULT_RETRIES = 2
"""https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
_BOTH_ACTIONS_SINCE = datetime(2025, 11, 1, tzinfo=UTC)
"""URLs created since then need both actions; AWS began in the month before.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""
_UPDATE_STATUSES = frozenset({"Successful", "Failed", "InProgress"})

Value = TypeVar("Value")


class FunctionRead(Struct, frozen=True, kw_only=True):
    """A function and its resource policy (None: it has none).

    `failures` has the failures that leave a part unknown, by the path of that part.
    """

    function: Function
    policy: str | UnsetType | None = UNSET
    failures: dict[str, FailedCallError] = field(default_factory=dict)


def read_function(
    client: Any,
    target: LambdaFunction,
    facets: Set[str],
    concurrencies: SingleFlight[str, Any],
    tolerate: Callable[[FailedCallError], None],
) -> FunctionRead:
    """Read a function: all facts or, without the facet ``function``, its configuration alone.

    `concurrencies` caches reserved concurrency, which does not depend on the qualifier. `tolerate` gets a failure that
    leaves only a part unknown, and may raise it.

    Raises:
        FailedCallError: nothing is known of the function, not even whether it exists.
    """
    name = {"FunctionName": target.bare_arn}
    qualified = qualified_name(target)
    try:
        configuration: GetFunctionConfiguration = ask(client, "GetFunctionConfiguration", **qualified)
        with calling("lambda", "GetFunctionConfiguration"):
            ownership.check_function(configuration.FunctionArn, target)
    except FailedCallError as failed:
        if not failed.is_not_found:
            raise
        return FunctionRead(function=MISSING, policy=None)
    if "function" not in facets:
        return FunctionRead(function=_function(configuration, target.qualifier, UNSET, UNSET))
    failures: dict[str, FailedCallError] = {}

    def part(path: str, read: Callable[[], Any], *, may_be_absent: bool = True) -> Any:
        """An answer; None if AWS has none, UNSET if the call failed."""
        try:
            return read()
        except FailedCallError as failed:
            if failed.is_not_found and may_be_absent:
                return None
            tolerate(failed)
            failures[path] = failed
            return UNSET

    def invocation() -> Any:
        """The configuration of asynchronous invocation; if there is a dead-letter queue, only retries hang on it."""
        needless = _queue(configuration) is not None and "retries" not in facets
        return UNSET if needless else ask(client, "GetFunctionEventInvokeConfig", **qualified)

    def concurrency() -> Any:
        return concurrencies.get(target.bare_arn, lambda: ask(client, "GetFunctionConcurrency", **name))

    # A policy belongs to the function without a qualifier; $LATEST has none of its own.
    described = name if target.qualifier == _LATEST else qualified
    policy = part("access", lambda: ask(client, "GetPolicy", **described))
    # Where no concurrency is reserved, Lambda says so; "not found" would be the function, whose configuration was read.
    reserved = part("function.reserved_concurrency", concurrency, may_be_absent=False)
    invoked = part("function.maximum_retry_attempts", invocation)
    if "function.maximum_retry_attempts" in failures and _queue(configuration) is None:
        failures["function.failure_destination"] = failures["function.maximum_retry_attempts"]
    return FunctionRead(
        function=_function(configuration, target.qualifier, reserved, invoked),
        policy=policy and policy.Policy,
        failures=failures,
    )


def qualified_name(function: LambdaFunction) -> dict[str, str]:
    """The parameters by which Lambda's calls name a function, with its version or alias."""
    name = {"FunctionName": function.bare_arn}
    return {**name, "Qualifier": function.qualifier} if function.qualifier else name


def read_url(client: Any, target: LambdaFunction) -> FunctionUrl:
    """The URL of a function, or of the alias that a processor names. Versions have no URL.

    Raises:
        FailedCallError: the URL could not be read.
    """
    qualifier = None if target.qualifier == _LATEST else target.qualifier
    if qualifier is not None and qualifier.isdecimal():
        return NO_URL
    alias = {} if qualifier is None else {"Qualifier": qualifier}
    try:
        url: GetFunctionUrlConfig = ask(client, "GetFunctionUrlConfig", FunctionName=target.bare_arn, **alias)
        with calling("lambda", "GetFunctionUrlConfig"):
            ownership.check_function(url.FunctionArn or target.bare_arn, target)
    except FailedCallError as failed:
        if not failed.is_not_found:
            raise
        return NO_URL
    made = _time(url.CreationTime)
    return FunctionUrl(
        exists=True,
        auth_types=(url.AuthType,) if url.AuthType in AUTH_TYPES else AUTH_TYPES,
        needs_both=True if made is not UNSET and made >= _BOTH_ACTIONS_SINCE else UNSET,
    )


def _function(
    configuration: GetFunctionConfiguration, qualifier: str | None, concurrency: Any, invocation: Any
) -> Function:
    return Function(
        exists=True,
        runtime=_runtime(configuration),
        state=_if_known(configuration.State, _STATES),
        last_update_status=_if_known(configuration.LastUpdateStatus, _UPDATE_STATUSES),
        reserved_concurrency=concurrency and concurrency.ReservedConcurrentExecutions,
        failure_destination=_failure_destination(configuration, invocation),
        dead_letter_queue=_queue(configuration),
        maximum_retry_attempts=_retries(invocation),
        version=_version(configuration, qualifier),
        timeout_seconds=_unless_none(configuration.Timeout),
        role_arn=_unless_none(configuration.Role),
        last_modified=_time(configuration.LastModified),
    )


def _runtime(configuration: GetFunctionConfiguration) -> str | UnsetType | None:
    """The runtime; None for a container image, which holds its own."""
    return None if configuration.PackageType == "Image" else configuration.Runtime or UNSET


def _failure_destination(
    configuration: GetFunctionConfiguration, invocation: GetFunctionEventInvokeConfig | UnsetType | None
) -> str | UnsetType | None:
    """The ARN of the dead-letter queue or, without one, of the on-failure destination of asynchronous invocation."""
    queue = _queue(configuration)
    if queue:
        return queue
    if isinstance(invocation, UnsetType):
        return UNSET
    on_failure = invocation and invocation.DestinationConfig and invocation.DestinationConfig.OnFailure
    return on_failure.Destination or None if on_failure else None


def _queue(configuration: GetFunctionConfiguration) -> str | None:
    return (configuration.DeadLetterConfig.TargetArn or None) if configuration.DeadLetterConfig else None


def _retries(invocation: GetFunctionEventInvokeConfig | UnsetType | None) -> int | UnsetType:
    if isinstance(invocation, UnsetType):
        return UNSET
    configured = None if invocation is None else invocation.MaximumRetryAttempts
    return _DEFAULT_RETRIES if configured is None else configured


def _version(configuration: GetFunctionConfiguration, qualifier: str | None) -> str | UnsetType:
    """The version that a qualifier leads to. Only of an alias does it take Lambda to tell."""
    if qualifier is None or qualifier == _LATEST or qualifier.isdecimal():
        return qualifier or _LATEST
    return configuration.Version or UNSET


def _time(text: str | None) -> datetime | UnsetType:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return UNSET
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _if_known(value: str | None, known: Set[str]) -> str | UnsetType:
    return value if value is not None and value in known else UNSET


def _unless_none(value: Value | None) -> Value | UnsetType:
    return UNSET if value is None else value
