"""What is said of a resource policy, against every request of a small world evaluated one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

from hypothesis import given
from msgspec import UNSET, Struct, structs

from scanner.inventory import FunctionAccess
from scanner.policy.access import access
from tests.policy import concrete
from tests.policy.strategies import APP, EXAMPLES, HOME, NOBODY, OTHER, RESOURCE_POLICIES, UNKNOWN, Json

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
MINE, ELSEWHERE = "o-mine", "x-zz"

Keys = dict[str, str | None]


def ask(document: Json) -> FunctionAccess:
    return access(json.dumps(document), app_instance_arn=APP, account_id=HOME)


class World(Struct, frozen=True, kw_only=True):
    """One way in which everything that is not known may be."""

    lenient: bool
    unknown: str | None
    via_url: str | None
    home_organization: str | None

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
        # What else the service sends, nobody says.
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
        arn = f"arn:aws:zz:zz-9:{NOBODY}:z"
        return any(self.allows_service(document, NOBODY, arn, organization) for organization in (None, ELSEWHERE))

    def admits_foreign(self, document: Json, organizations: list[str | None]) -> bool:
        return any(
            self.allows_service(
                document, account, f"arn:aws:chime:{region}:{account}:app-instance/{name}", organization
            )
            for account, region, name, organization in product(
                (OTHER, NOBODY, "299999999992", "199999999999", "999999999992", "133333333333", "211111111111"),
                ("us-east-1", "zz-9"),
                ("own", "other", "own/z", "ownz", "zz", "z/other"),
                organizations,
            )
        )

    def admits_strangers(self, document: Json) -> bool:
        return any(
            self.allows(document, ("AWS", NOBODY), {**self._way(url), **caller}, action)
            for action, url in ((INVOKE, None), (INVOKE_URL, "NONE"), (INVOKE_URL, "AWS_IAM"))
            for caller in _strangers(anonymous=url == "NONE")
        )

    def _way(self, url: str | None) -> Keys:
        return {
            "lambda:functionurlauthtype": url,
            "lambda:invokedviafunctionurl": "true" if url else self.via_url,
        }


def _strangers(*, anonymous: bool) -> Iterator[Keys]:
    common: Keys = {"aws:principalisawsservice": "false"}
    names = ("role/zz", "role/admin-zz", "user/zz", "root")
    for name, endpoint, organization in product(names, (None, "x-zz"), (None, ELSEWHERE)):
        yield {
            **common,
            "aws:principalaccount": NOBODY,
            "aws:principalarn": f"arn:aws:iam::{NOBODY}:{name}",
            "aws:principalorgid": organization,
            "aws:sourcevpce": endpoint,
            "aws:sourceip": None if endpoint else "203.0.113.9",
        }
    if anonymous:
        yield {**common, "aws:principalaccount": "anonymous", "aws:sourceip": "203.0.113.9"}


WORLDS = [
    World(lenient=lenient, unknown=unknown, via_url=via_url, home_organization=organization)
    for lenient, unknown, via_url, organization in product(
        (True, False), (None, "x", "z"), (None, "false"), (None, MINE, "o-zz")
    )
]


FOREIGN_ONLY = [world for world in WORLDS if world.via_url is None and world.home_organization is None]
"""What differs otherwise is not seen in an app instance that comes from elsewhere."""

FOREIGN = [
    (account, f"arn:aws:chime:{region}:{account}:app-instance/{name}")
    for account, region, name in product(
        (OTHER, NOBODY, "299999999992", "199999999999", "999999999992", "211111111111"),
        ("us-east-1", "zz-9"),
        ("own", "other", "own/z", "ownz", "zz"),
    )
]


def agree(verdict: object, answers: Iterator[bool]) -> bool:
    return verdict is UNSET or all(answer is verdict for answer in answers)


def by_statement(document: Json) -> Iterator[Json]:
    """Each statement that allows, under all that deny."""
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
    assert agree(found.public, (world.admits_strangers(document) for world in WORLDS))


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
        if name != "foreign_app_instances":
            assert verdict is UNSET or {getattr(case, name) for case in cases} <= {verdict, UNSET}
