"""Tries what a scan would need, without one: enters each account, and makes each call once, on a resource of a sample.

App instances, and the channel flows of a few, are listed as a scan lists them. Each call only reads. Where a target has
no such resource, functions, roles and event rules are asked for by a name that does not exist: then AWS answers
"not found" to who may call, and "denied" to who may not. Chime answers both alike, so without an app instance or a
channel flow its other calls are not tried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from typing import Any

from msgspec import Struct

from scanner.aws import ownership
from scanner.aws.calls import ask
from scanner.aws.clients import Clients, Connect
from scanner.aws.failure import NOT_FOUND, FailedCallError, calling, containing
from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.wire import ChannelFlowSummary
from scanner.collect.estimate import estimate
from scanner.collect.function import qualified_name
from scanner.collect.scope import Resolved, Wanted, resolve
from scanner.collect.task import ChannelTerms
from scanner.model.facts import Gap, LambdaFunction, partition_of
from scanner.model.operations import LISTS, Operation, needed
from scanner.model.trial import Call, TargetTrial, Trial, Verdict
from scanner.store.journal import UNKNOWN_ACCOUNT, Target

_AT_ONCE = 8
_PAGE = 50
_MOST_PAGES = 20
_MOST_SAMPLED = 5
_MOST_ELSEWHERE = 5
_NOBODY = "chimeaudit-doctor-no-such-name"
_LIST_APP_INSTANCES = Operation(IDENTITY, "ListAppInstances")
_LIST_FLOWS = Operation(MESSAGING, "ListChannelFlows")
_CONFIGURATION = Operation("lambda", "GetFunctionConfiguration")


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be tried: the scope, the facets that the chosen rules read, and how channels are to be listed."""

    scope: Wanted
    rules: int
    facets: frozenset[str]
    channels: ChannelTerms = ChannelTerms()


def try_out(wish: Wish, connect: Connect) -> Trial:
    """Try what a scan would need. `connect` gives the connection of a profile.

    Raises:
        UsageError: a region or a profile does not exist, or no account is left to scan.
        NothingScannedError: the AWS configuration cannot be read.
    """
    connected = cache(connect)
    resolved = resolve(wish.scope, connected)
    by_account: dict[str, list[Target]] = defaultdict(list)
    for target in resolved.targets:
        if target.account_id != UNKNOWN_ACCOUNT:
            by_account[target.account_id].append(target)
    ways = {target.account_id: target for target in resolved.targets}
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        found = list(pool.map(lambda targets: _account(targets, wish, connected, ways), by_account.values()))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    targets = tuple(target for own, _ in found for target in own)
    callers = {profile: connected(profile or None).identity().arn for profile in resolved.callers}
    return _trial(wish, resolved, callers, targets, [gap for _, gap in found if gap])


def _trial(
    wish: Wish,
    resolved: Resolved,
    callers: dict[str, str],
    targets: tuple[TargetTrial, ...],
    gaps: Iterable[Gap],
) -> Trial:
    return Trial(
        callers=callers,
        scope=resolved.scope,
        rules=wish.rules,
        facets=tuple(sorted(wish.facets)),
        targets=targets,
        gaps=(*resolved.gaps, *gaps),
        notes=resolved.notes,
        estimate=estimate(targets, wish.facets, wish.channels),
    )


def _account(
    targets: Sequence[Target], wish: Wish, connect: Connect, ways: Mapping[str, Target]
) -> tuple[list[TargetTrial], Gap | None]:
    """Enter an account, and try its targets; its roles and policies with the first alone."""
    first = targets[0]
    with closing(Clients(connect, first, ways, 1)) as clients:
        try:
            with containing("GetCallerIdentity"):
                clients.check_owner()
        except FailedCallError as failed:
            gap = failed.gap(first.account_id, None, first.role.arn if first.role and failed.denied_entry else None)
            return [TargetTrial(account_id=each.account_id, region=each.region) for each in targets], gap
    return [_target(each, wish, connect, ways, with_iam=each is first) for each in targets], None


def _target(target: Target, wish: Wish, connect: Connect, ways: Mapping[str, Target], *, with_iam: bool) -> TargetTrial:
    with closing(Clients(connect, target, ways, 1)) as clients:
        trying = _Trying(target, clients, wish.channels.bearer)
        trying.lists()
        rest = sorted(needed(wish.facets) - LISTS, key=_first_what_others_need)
        for operation in rest:
            if with_iam or operation.service != "iam":
                trying.one(operation)
        if _CONFIGURATION in rest:
            trying.functions_elsewhere()
    return trying.result


def _first_what_others_need(operation: Operation) -> tuple[bool, Operation]:
    sources = {"ListAppInstanceAdmins", "ListChannels", "GetFunctionConfiguration", "ListRules"}
    return operation.name not in sources, operation


class _Trying:
    """Tries the calls of one target, on what earlier ones of them found."""

    def __init__(self, target: Target, clients: Clients, bearer: str | None) -> None:
        self._target = target
        self._clients = clients
        self._bearer = bearer and (bearer if "/" in bearer else f"user/{bearer}")
        self._calls: list[Call] = []
        self._unreachable = ""
        self._app_instances: list[str] | None = None
        self._more = False
        self._sampled = self._flows = self._functions_of_first = 0
        self._why_nobody = ""
        self._functions: set[str] = set()
        self._app_instance = self._flow = self._admin = self._channel = self._role = self._rule = ""
        self._function: LambdaFunction | None = None

    @property
    def result(self) -> TargetTrial:
        return TargetTrial(
            account_id=self._target.account_id,
            region=self._target.region,
            app_instances=None if self._app_instances is None else len(self._app_instances),
            more=self._more,
            sampled=self._sampled,
            channel_flows=self._flows,
            functions=len(self._functions),
            functions_of_first=self._functions_of_first,
            calls=tuple(sorted(self._calls, key=lambda call: call.action)),
        )

    def lists(self) -> None:
        """List the app instances, and the channel flows of a few of them."""
        app_instances = self._listed(_LIST_APP_INSTANCES, {})
        if app_instances is None:
            if self._calls[-1].verdict is Verdict.FAILED:
                self._unreachable = "listing app instances failed, so nothing else was tried here"
        else:
            self._app_instances = [item.arn for item in app_instances]
        if not self._app_instances:
            self._skip(_LIST_FLOWS, self._unreachable or self._lacking("app instance"))
            return
        self._app_instance = self._app_instances[0]
        for app_instance in _spread(self._app_instances):
            flows = self._listed(_LIST_FLOWS, {"AppInstanceArn": app_instance})
            if flows is not None:
                self._sample(app_instance, flows)
        self._function = next(filter(self._is_own, self._invoked()), None)

    def _listed(self, operation: Operation, params: dict[str, Any]) -> list[Any] | None:
        """The items of the first pages of a list; None if there is not even one."""
        items: list[Any] | None = None
        position: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = self._called(operation, {**params, **position, "MaxResults": _PAGE}, made_up=False)
            if page is None:
                break
            items = [*(items or ()), *page.items]
            if not page.NextToken:
                return items
            position = {"NextToken": page.NextToken}
        self._more = items is not None
        return items

    def _sample(self, app_instance: str, flows: Sequence[ChannelFlowSummary]) -> None:
        """Count an app instance; the first that has a flow is the one on which other calls are tried."""
        self._sampled += 1
        self._flows += len(flows)
        self._functions |= {arn for flow in flows for arn in _functions(flow)}
        if self._sampled == 1:
            self._functions_of_first = len(self._functions)
        if flows and not self._flow:
            self._app_instance, self._flow = app_instance, flows[0].arn

    def functions_elsewhere(self) -> None:
        """Ask for a function in each other account and region: a scan has a gap where that is not in scope."""
        others = {(each.account_id, each.region): each for each in self._invoked() if not self._is_own(each)}
        for function in [others[place] for place in sorted(others)][:_MOST_ELSEWHERE]:
            self._called(_CONFIGURATION, qualified_name(function), made_up=False, elsewhere=function)

    def _invoked(self) -> Iterator[LambdaFunction]:
        """The functions that the listed flows invoke, by ARN."""
        return filter(None, map(LambdaFunction.of, sorted(self._functions)))

    def one(self, operation: Operation) -> None:
        """Try a call, unless there is nothing to try it on."""
        if self._unreachable and operation.service != "iam":
            self._skip(operation, self._unreachable)
            return
        kind, params = self._params(operation)
        if operation.name == "ListChannels" and self._why_nobody:
            self._calls.append(Call(action=operation.action, verdict=Verdict.DENIED, reason=self._why_nobody))
            return
        if kind:
            self._skip(operation, self._lacking(kind))
            return
        answer = self._called(operation, params, made_up=_NOBODY in params.values())
        if answer is not None:
            self._learn(operation.name, answer)

    def _lacking(self, kind: str) -> str:
        return f"no {kind} was seen here to try it on"

    def _is_own(self, function: LambdaFunction) -> bool:
        return (function.account_id, function.region) == (self._target.account_id, self._target.region)

    def _params(self, operation: Operation) -> tuple[str, dict[str, Any]]:
        """What a call needs that was not seen (or ""), and its parameters."""
        managed = {"PolicyArn": f"arn:{partition_of(self._target.region)}:iam::aws:policy/ReadOnlyAccess"}
        channel_lacks = "admin" if not self._admin else "channel"
        role = {"RoleName": self._role or _NOBODY}
        function = {"FunctionName": self._function.bare_arn if self._function else _NOBODY}
        qualifier = self._function.qualifier if self._function else None
        qualified = qualified_name(self._function) if self._function else function
        url = function if not qualifier or qualifier.isdecimal() or qualifier == "$LATEST" else qualified
        tagged = self._app_instance if operation.service == IDENTITY else self._flow
        by_name: dict[str, tuple[str, bool | str, dict[str, Any]]] = {
            "ListTagsForResource": (
                "app instance" if operation.service == IDENTITY else "channel flow",
                tagged,
                {"ResourceARN": tagged},
            ),
            "DescribeChannelFlow": ("channel flow", self._flow, {"ChannelFlowArn": self._flow}),
            "ListChannelsAssociatedWithChannelFlow": (
                "channel flow",
                self._flow,
                {"ChannelFlowArn": self._flow, "MaxResults": 1},
            ),
            "ListAppInstanceAdmins": (
                "app instance",
                self._app_instance,
                {"AppInstanceArn": self._app_instance, "MaxResults": _PAGE},
            ),
            "ListChannels": (
                "admin",
                self._admin,
                {"AppInstanceArn": self._app_instance, "ChimeBearer": self._admin, "MaxResults": 1},
            ),
            "DescribeChannel": (
                channel_lacks,
                self._channel and self._admin,
                {"ChannelArn": self._channel, "ChimeBearer": self._admin},
            ),
            "GetFunctionConfiguration": ("", True, qualified),
            "GetFunctionConcurrency": ("", True, function),
            "GetFunctionEventInvokeConfig": ("", True, qualified),
            "GetFunctionUrlConfig": ("", True, url),
            "GetPolicy": (
                "",
                True,
                qualified if operation.service == "lambda" else managed,
            ),
            "GetPolicyVersion": ("", True, managed | {"VersionId": "v1"}),
            "GetRole": ("", True, role),
            "GetRolePolicy": ("", True, role | {"PolicyName": _NOBODY}),
            "ListAttachedRolePolicies": ("", True, role | {"MaxItems": 1}),
            "ListRolePolicies": ("", True, role | {"MaxItems": 1}),
            "GetAccountAuthorizationDetails": ("", True, {"Filter": ["Role"], "MaxItems": 1}),
            "ListRules": ("", True, {"Limit": 1}),
            "ListTargetsByRule": ("", True, {"Rule": self._rule or _NOBODY, "Limit": 1}),
        }
        kind, there, params = by_name[operation.name]
        return ("" if there else kind), params

    def _learn(self, name: str, answer: Any) -> None:
        """Note what later calls can be tried on."""
        if name == "GetFunctionConfiguration":
            self._role = (answer.Role or "").rpartition("/")[2]
        elif name == "ListRules" and answer.items:
            self._rule = answer.items[0].Name
        elif name == "ListAppInstanceAdmins":
            self._choose_admin([admin.arn for admin in answer.items])
        elif name == "ListChannels" and answer.items:
            self._channel = answer.items[0].arn

    def _choose_admin(self, admins: list[str]) -> None:
        """Choose as whom channels are listed, as a scan does: the admin that was named, or the first."""
        named = f"{self._app_instance}/{self._bearer}" if self._bearer else min(admins, default="")
        if named in admins:
            self._admin = named
        elif self._bearer:
            self._why_nobody = f"{self._bearer} is no admin of the app instance that was tried; make it one"
        else:
            self._why_nobody = "the app instance that was tried has no admin, as whom alone channels are listed"

    def _called(
        self,
        operation: Operation,
        params: dict[str, Any],
        *,
        made_up: bool,
        elsewhere: LambdaFunction | None = None,
    ) -> Any:
        """The answer of a call, or None; the verdict on the call is noted, an earlier one of the same call dropped.

        `elsewhere`: a function in another account or region, where the call is made.
        """
        where = {"account_id": elsewhere.account_id, "region": elsewhere.region} if elsewhere else {}
        verdict, reason, answer = Verdict.ALLOWED, "", None
        try:
            with containing(operation.name):
                with calling(operation.service, operation.name):
                    client = self._clients.of(operation.service, **where)
                answer = ask(client, operation.name, **params)
                self._check_owner(client, operation, answer)
        except FailedCallError as failed:
            code, reason = failed.explained
            if failed.is_not_found or code in NOT_FOUND:
                reason = ""
            else:
                verdict, answer = (Verdict.DENIED if failed.is_refused else Verdict.FAILED), None
        arn = elsewhere.arn if elsewhere else None
        call = Call(action=operation.action, verdict=verdict, reason=reason, made_up=made_up, resource_arn=arn)
        self._calls = [*(each for each in self._calls if each != call), call]
        return answer

    def _check_owner(self, client: Any, operation: Operation, answer: Any) -> None:
        """Check that app instances are the account's own."""
        if operation == _LIST_APP_INSTANCES:
            ours = ownership.app_instances(client, self._target.account_id, self._target.region)
            with calling(operation.service, operation.name):
                for item in answer.items:
                    ownership.check_prefix(item.arn, ours)

    def _skip(self, operation: Operation, reason: str) -> None:
        self._calls.append(Call(action=operation.action, verdict=Verdict.NOT_TRIED, reason=reason))


def _spread(app_instances: Sequence[str]) -> list[str]:
    """A few of the app instances, from the first to the last, since neighbours may be more alike than others."""
    steps = min(_MOST_SAMPLED, len(app_instances)) - 1
    return [app_instances[number * (len(app_instances) - 1) // max(1, steps)] for number in range(steps + 1)]


def _functions(flow: ChannelFlowSummary) -> Iterator[str]:
    """The ARNs of the functions that a flow invokes."""
    for processor in flow.Processors or ():
        function = processor.Configuration and processor.Configuration.Lambda
        if function and function.ResourceArn:
            yield function.ResourceArn
