"""Verdicts on resource policies, compared with the evaluation of each request of a small world."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, structs

from scanner.model.facts import FunctionAccess
from scanner.policy.access import access
from scanner.policy.function_url import AUTH_TYPES, NO_URL, UNKNOWN_URL, FunctionUrl
from tests.policy import concrete
from tests.policy.strategies import APP, EXAMPLES, HOME, NOBODY, OTHER, RESOURCE_POLICIES, UNKNOWN, Json

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
CONTROL = ("lambda:UpdateFunctionCode", "lambda:AddPermission")
MINE, ELSEWHERE, LONG = "o-mine", "o-zzzzzzzzzz", f"o-{'z' * 20}"
ENDPOINT, OLD_ENDPOINT = f"vpce-0{'z' * 16}", f"vpce-{'z' * 8}"
ID = "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"

Keys = dict[str, str | None]


URLS = [
    UNKNOWN_URL,
    NO_URL,
    *(FunctionUrl(exists=True, auth_types=(each,), needs_both=both) for each in AUTH_TYPES for both in (True, UNSET)),
]


def ask(document: Json, url: FunctionUrl = UNKNOWN_URL) -> FunctionAccess:
    return access(json.dumps(document), app_instance_arn=APP, account_id=HOME, url=url)


class World(Struct, frozen=True, kw_only=True):
    """One combination of values for all that is unknown."""

    lenient: bool
    unknown: str | None
    via_url: str | None
    home_organization: str | None
    url: tuple[str, bool] | None = None
    """The URL's authentication type, and whether it needs both actions."""

    def allows(self, document: Json, principal: tuple[str, str], keys: Keys, action: str = INVOKE) -> bool:
        request = concrete.Request(
            principal=principal,
            action=action,
            keys={UNKNOWN: self.unknown, "aws:securetransport": "true", **keys},
            lenient=self.lenient,
        )
        return concrete.allows([document], request)

    def allows_service(self, document: Json, account: str, arn: str, organization: str | None) -> bool:
        keys = {
            "aws:sourceaccount": account,
            "aws:sourcearn": arn,
            "aws:sourceorgid": organization,
            "aws:principalisawsservice": "true",
            "aws:principalservicename": concrete.MESSAGING,
            "lambda:invokedviafunctionurl": self.via_url,
        }
        # AWS does not document what else the service sends.
        return self.allows(document, ("Service", concrete.MESSAGING), {**keys, **self._unsaid()})

    def _unsaid(self) -> Keys:
        if self.unknown is None:
            return {}
        return {
            "aws:principalaccount": OTHER,
            "aws:principalarn": f"arn:aws:iam::{OTHER}:role/x",
            "aws:sourceip": "198.51.100.1",
            "aws:sourcevpce": "vpce-1",
        }

    def admits_home(self, document: Json) -> bool:
        return self.allows_service(document, HOME, APP, self.home_organization)

    def admits_nobody_in_particular(self, document: Json) -> bool:
        return any(
            self.allows_service(document, NOBODY, f"arn:aws:chime:{region}:{NOBODY}:app-instance/{ID}", organization)
            for region, organization in product(("us-east-1", "zz-zzzz-9"), (None, ELSEWHERE, LONG))
        )

    def admits_foreign(self, document: Json, organizations: list[str | None]) -> bool:
        return any(
            self.allows_service(
                document, account, f"arn:aws:chime:{region}:{account}:app-instance/{name}", organization
            )
            for account, region, name, organization in product(
                (OTHER, NOBODY, "299999999992", "199999999999", "999999999992", "133333333333", "211111111111"),
                ("us-east-1", "zz-zzzz-9"),
                ("own", "other", "own/z", "ownz", "zz", "z/other"),
                organizations,
            )
        )

    def admits_strangers(self, document: Json) -> bool:
        return self.lets_in(document, _members(NOBODY, (None, ELSEWHERE, LONG))) or (
            self.url is not None and self.url[0] == "NONE" and self._by_url(document, None, ANONYMOUS)
        )

    def lets_in(self, document: Json, members: Iterable[tuple[str, Keys]]) -> bool:
        return any(
            self._by_api(document, name, keys)
            or (self.url is not None and self.url[0] == "AWS_IAM" and self._by_url(document, name, keys))
            for name, keys in members
        )

    def gives_control(self, document: Json, members: Iterable[tuple[str, Keys]]) -> bool:
        own: Keys = {"lambda:invokedviafunctionurl": None, "lambda:functionurlauthtype": None}
        return any(
            self.allows(document, ("AWS", name), {**keys, **own}, action)
            for name, keys in members
            for action in CONTROL
        )

    def _by_api(self, document: Json, name: str, keys: Keys) -> bool:
        own: Keys = {"lambda:invokedviafunctionurl": self.via_url, "lambda:functionurlauthtype": None}
        return self.allows(document, ("AWS", name), {**keys, **own})

    def _by_url(self, document: Json, name: str | None, keys: Keys) -> bool:
        auth_type, needs_both = self.url or ("", True)
        via: Keys = {"lambda:invokedviafunctionurl": "true", "lambda:functionurlauthtype": self._sometimes(auth_type)}
        use: Keys = {
            "lambda:invokedviafunctionurl": self._sometimes("true"),
            "lambda:functionurlauthtype": auth_type,
        }
        who = ("AWS", name or "")
        return self.allows(document, who, {**keys, **use}, INVOKE_URL) and (
            not needs_both or self.allows(document, who, {**keys, **via})
        )

    def _sometimes(self, value: str) -> str | None:
        """A value that may be sent: AWS does not document whether the other action's key is."""
        return value if self.via_url else None


ANONYMOUS: Keys = {
    "aws:principalisawsservice": "false",
    "aws:principalaccount": "anonymous",
    "aws:sourceip": "203.0.113.9",
}
NAMES = ("role/zz", "role/admin-zz", "user/zz", "role/x")


def _members(account: str, organizations: tuple[str | None, ...], *networks: Keys) -> Iterator[tuple[str, Keys]]:
    outside: Keys = {"aws:sourceip": "203.0.113.9"}
    inside: list[Keys] = [{"aws:sourcevpce": each} for each in (ENDPOINT, OLD_ENDPOINT)]
    for name, network, organization in product(NAMES, (outside, *inside, *networks), organizations):
        yield (
            f"arn:aws:iam::{account}:{name}",
            {
                "aws:principalisawsservice": "false",
                "aws:principalaccount": account,
                "aws:principalarn": f"arn:aws:iam::{account}:{name}",
                "aws:principalorgid": organization,
                **network,
            },
        )


NAMED_NETWORKS: tuple[Keys, ...] = ({"aws:sourceip": "198.51.100.1"}, {"aws:sourcevpce": "vpce-1"})


WORLDS = [
    World(lenient=lenient, unknown=unknown, via_url=via_url, home_organization=organization)
    for lenient, unknown, via_url, organization in product(
        (True, False), (None, "x", "z"), (None, "false"), (None, MINE, "o-zz")
    )
]


FOREIGN_ONLY = [world for world in WORLDS if world.via_url is None and world.home_organization is None]
"""The worlds that make a difference for app instances of other accounts."""

FOREIGN = [
    (account, f"arn:aws:chime:{region}:{account}:app-instance/{name}")
    for account, region, name in product(
        (OTHER, NOBODY, "299999999992", "199999999999", "999999999992", "211111111111"),
        ("us-east-1", "zz-zzzz-9"),
        ("own", "other", "own/z", "ownz", "zz"),
    )
]


def agree(verdict: object, answers: Iterator[bool]) -> bool:
    return verdict is UNSET or all(answer is verdict for answer in answers)


def by_statement(document: Json) -> Iterator[Json]:
    """A document for each allowing statement, with all denying ones."""
    denials = [each for each in document["Statement"] if each["Effect"] == "Deny"]
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            yield {**document, "Statement": [statement, *denials]}


@EXAMPLES
@given(RESOURCE_POLICIES)
def test_what_is_certain_is_so_in_every_world(document: Json) -> None:
    found = ask(document)

    assert agree(found.chime_can_invoke, (world.admits_home(document) for world in WORLDS))
    assert agree(found.chime_invoke_unconditioned, (world.admits_nobody_in_particular(document) for world in WORLDS))


def in_urls(url: FunctionUrl) -> Iterator[World]:
    """The worlds that agree with what is known of the URL."""
    types = url.auth_types if url.exists is not False else ()
    exact = [(each, both) for each in types for both in (True, False) if url.needs_both in (both, UNSET)]
    for lenient, unknown, via_url in product((True, False), (None, "x", "z"), (None, "false")):
        for each in (*exact, *([] if url.exists is True else [None])):
            yield World(lenient=lenient, unknown=unknown, via_url=via_url, home_organization=None, url=each)


@EXAMPLES
@given(RESOURCE_POLICIES, st.sampled_from(URLS))
def test_strangers_come_in_in_every_world_or_in_none(document: Json, url: FunctionUrl) -> None:
    assert agree(ask(document, url).public, (world.admits_strangers(document) for world in in_urls(url)))


@EXAMPLES
@given(RESOURCE_POLICIES, st.sampled_from([(url, world) for url in URLS for world in in_urls(url)]))
def test_the_other_accounts_that_are_certain_come_in(document: Json, place: tuple[FunctionUrl, World]) -> None:
    url, world = place
    found = ask(document, url).other_accounts
    public = world.admits_strangers(document)
    others = [
        _members(account, (organization,), *NAMED_NETWORKS)
        for account in (OTHER, "233333333333", "133333333332", NOBODY)
        for organization in ((None,) if found and account == OTHER else (None, MINE, ELSEWHERE))
    ]

    come_in = any(
        world.gives_control(document, members) or (not public and world.lets_in(document, members))
        for members in map(list, others)
    )

    assert found is UNSET or public or come_in is bool(found)


@EXAMPLES
@given(RESOURCE_POLICIES)
def test_the_foreign_app_instances_that_are_certain_come_in_in_every_world(document: Json) -> None:
    found = ask(document).foreign_app_instances

    for world in FOREIGN_ONLY if found is not UNSET else ():
        if found:
            assert world.admits_foreign(document, [None, ELSEWHERE])
        for alone in by_statement(document):
            if not found and not world.admits_nobody_in_particular(alone):
                assert not world.admits_foreign(alone, [None, MINE, ELSEWHERE])


@EXAMPLES
@given(RESOURCE_POLICIES, RESOURCE_POLICIES)
def test_a_denial_never_permits(document: Json, more: Json) -> None:
    denials = [{**each, "Effect": "Deny"} for each in more["Statement"]]
    before, after = ask(document), ask({**document, "Statement": [*document["Statement"], *denials]})

    for name in ("chime_can_invoke", "chime_invoke_unconditioned", "public"):
        assert getattr(before, name) is not False or getattr(after, name) is False


@EXAMPLES
@given(RESOURCE_POLICIES)
def test_an_undecidable_condition_leaves_only_what_holds_with_and_without_the_statement(document: Json) -> None:
    first, *others = document["Statement"]
    condition = {**first["Condition"], "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}
    undecided = ask({**document, "Statement": [{**first, "Condition": condition}, *others]})
    cases = ask(document), ask({**document, "Statement": others})

    for name, verdict in structs.asdict(undecided).items():
        if name not in ("foreign_app_instances", "other_accounts"):
            assert verdict is UNSET or {getattr(case, name) for case in cases} <= {verdict, UNSET}
