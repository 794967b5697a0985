"""Verdicts on roles, compared with the evaluation of each request of a small world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from scanner.policy.callback import CALLBACK, Document, callback
from tests.policy import concrete
from tests.policy.strategies import APP, EXAMPLES, HOME, IDENTITY_POLICIES, OTHER, UNKNOWN, Json

EVERYTHING: Json = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NOTHING: Json = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
SILENCE: Json = {"Statement": []}

NAMES = ["ChannelFlow", "ChannelFlowCallback", "Send"]
ENDINGS = ["", "Callback", "X", "XX", "k", "XCallback"]
ACTIONS = {"".join(name) for name in product(["", *NAMES], ENDINGS)} - {"", "ChannelFlowCallback"}
CHANNELS = [f"{APP}/channel/{channel}" for channel in ("c", "z", "cc", "zzz", "ing/z")]
OWN = f"arn:aws:chime:us-east-1:{HOME}"
OTHERS = [f"arn:aws:chime:us-west-2:{HOME}", f"arn:aws:chime:us-east-1:{OTHER}", f"arn:aws:chime:us-west-2:{OTHER}"]
ENDS = ["z", "zz", "ing/z", "channel/z", "ing/channel/z"]
BEYOND = [
    *(f"{place}:{end}" for place, end in product([OWN, *OTHERS], [*ENDS, "z/channel/z"])),
]
RESOURCES = [
    "*",
    *BEYOND,
    *(f"{place}:app-instance/{end}" for place, end in product([OWN, *OTHERS], ENDS)),
    *CHANNELS,
    *(f"{APP}/{end}" for end in ENDS),
    APP,
]

Role = tuple[list[Json | None], Json | None, bool]
"""Identity policies, one None if it cannot be read; the boundary if there is one; and whether that can be read."""

ROLES = st.tuples(
    st.lists(IDENTITY_POLICIES | IDENTITY_POLICIES | IDENTITY_POLICIES | st.none(), min_size=1, max_size=2),
    st.none() | IDENTITY_POLICIES | st.just(EVERYTHING),
    st.sampled_from([True, True, True, False]),
)


def ask(role: Role) -> tuple[object, object]:
    identity, boundary, readable = role
    document: Document = None if boundary is None else json.dumps(boundary)
    found = callback(
        [None if each is None else json.dumps(each) for each in identity],
        document if readable else UNSET,
        app_instance_arn=APP,
    )
    return found.allowed, found.excessive


class World:
    """One combination of values for all that is unknown."""

    def __init__(self, identity: list[Json], boundary: Json, unknown: str | None) -> None:
        self.identity, self.boundary, self.unknown = identity, boundary, unknown

    def allows(self, action: str, resource: str) -> bool:
        places = [("us-east-1", HOME), ("us-west-2", HOME)]
        if resource != "*":
            places = [(resource.split(":")[3], resource.split(":")[4])]
        return any(self._allows(action, resource, *place) for place in places)

    def _allows(self, action: str, resource: str, region: str, account: str) -> bool:
        keys = {
            "aws:requestedregion": region,
            "aws:resourceaccount": account,
            "aws:securetransport": "true",
            "aws:viaawsservice": "false",
            UNKNOWN: self.unknown,
        }
        request = concrete.Request(action=action, resource=resource, keys=keys)
        return concrete.allows(self.identity, request) and concrete.allows([self.boundary], request)

    def exceeds(self) -> bool:
        others = product((f"chime:{action}" for action in sorted(ACTIONS)), RESOURCES)
        return any(self.allows(*request) for request in (*others, *product([CALLBACK], BEYOND)))


def worlds(role: Role) -> Iterator[World]:
    identity, boundary, readable = role
    boundaries = [boundary or EVERYTHING] if readable else [EVERYTHING, NOTHING]
    unreads = [SILENCE, EVERYTHING, NOTHING] if None in identity else [SILENCE]
    for unread, limit, unknown in product(unreads, boundaries, (None, "x", "z")):
        yield World([unread if each is None else each for each in identity], limit, unknown)


@EXAMPLES
@given(ROLES)
def test_what_is_certain_is_so_in_every_world(role: Role) -> None:
    allowed, excessive = ask(role)

    for world in worlds(role):
        channels = {world.allows(CALLBACK, channel) for channel in CHANNELS}
        assert allowed is UNSET or channels == {allowed}
        assert excessive is UNSET or bool(excessive) is world.exceeds()


@EXAMPLES
@given(ROLES, IDENTITY_POLICIES)
def test_a_denial_never_permits(role: Role, more: Json) -> None:
    identity, boundary, readable = role
    denials: Json = {**more, "Statement": [{**each, "Effect": "Deny"} for each in more["Statement"]]}
    before, after = ask(role), ask(([*identity, denials], boundary, readable))

    assert before[0] is not False or after[0] is False
    # One more statement may exceed the number of requests that are tried.
    assert before[1] != () or after[1] in ((), UNSET)
