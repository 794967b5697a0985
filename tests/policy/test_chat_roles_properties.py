"""Verdicts on roles of signed-in users, compared with the evaluation of each request of a small world."""

from __future__ import annotations

import json
import os
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from scanner.policy import ChatRole, RoleDocuments, chat_role
from tests.policy import concrete
from tests.policy.strategies import (
    HOME,
    OTHER,
    UNKNOWN,
    Json,
    conditions,
    documents,
    one_or_more,
    operators,
    statements,
)
from tests.policy.test_chat_roles import POOL

EXAMPLES = settings(max_examples=int(os.environ.get("POLICY_EXAMPLES", "25")), deadline=None)
SUB, TAG = "${cognito-identity.amazonaws.com:sub}", "${aws:PrincipalTag/id}"
EVERYTHING: Json = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NOTHING: Json = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
SILENCE: Json = {"Statement": []}

_IDS = ["*", "*", SUB, SUB, TAG, f"{SUB}*", f"*{SUB}", f"{TAG}-{SUB}", "a", "b", "a*", "*a", "?", "??*", "a?"]
_KINDS = ["user", "bot", "channel", "channel-flow", "channel*", "*", "?*r"]
_PLACES = ["us-east-1", "*", "us-*", "us-west-2", "??-????-?"]
_APPS = ["*", "a", "a*", "*b", "?", SUB]


def _resource(region: str, account: str, app: str, kind: str, id_: str) -> str:
    return f"arn:aws:chime:{region}:{account}:app-instance/{app}/{kind}/{id_}"


_RESOURCES = one_or_more(
    st.builds(
        _resource,
        st.sampled_from(_PLACES),
        st.sampled_from([HOME, HOME, "*", OTHER, f"?{HOME[1:]}"]),
        st.sampled_from(_APPS),
        st.sampled_from(_KINDS),
        st.sampled_from(_IDS),
    )
    | st.sampled_from(["*", "*/user/*", "*/a", f"*:{HOME}:app-instance/*", "arn:*", "*/bot/?", f"*:{OTHER}:*"])
)
_ACTIONS = one_or_more(
    st.sampled_from(
        [
            *[
                "*",
                "chime:*",
                "chime:CreateChannel",
                "chime:createchannel*",
                "chime:Disassociate*",
                "chime:*ChannelFlow",
            ],
            *[
                "chime:UpdateChannelFlow",
                "chime:DeleteChannelFlow",
                "chime:Send*",
                "chime:?*Channel",
                "s3:*",
                "*:Connect",
            ],
        ]
    )
)
_TEXT = operators("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")


def _clause(key: str, *values: str) -> st.SearchStrategy[Json]:
    return st.builds(lambda op, value: {op: {key: value}}, _TEXT, one_or_more(st.sampled_from(values)))


_CONDITIONS = conditions(
    _clause("aws:RequestedRegion", "us-east-1", "us-*", "us-west-2")
    | _clause("aws:ResourceAccount", HOME, OTHER, "*")
    | _clause(UNKNOWN, "x", "*")
)


def _choice(element: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[Json]:
    return st.builds(lambda name, value: {name: value}, st.sampled_from([element] * 4 + [f"Not{element}"]), values)


POLICIES = documents(
    statements(
        _choice("Action", _ACTIONS),
        _choice("Resource", _RESOURCES),
        st.just({}) | st.just({}) | _CONDITIONS.map(lambda condition: {"Condition": condition}),
    )
)
Role = tuple[list[Json | None], Json | None, bool]
"""Identity policies, one None if it cannot be read; the boundary if there is one; and whether that can be read."""
ROLES: st.SearchStrategy[Role] = st.tuples(
    st.lists(POLICIES | POLICIES | POLICIES | POLICIES | st.none(), min_size=1, max_size=3),
    st.none() | st.none() | POLICIES | st.just(EVERYTHING),
    st.sampled_from([True, True, True, False]),
)


def ask(role: Role) -> ChatRole:
    identity, boundary, readable = role
    limit: str | UnsetType | None = None if boundary is None else json.dumps(boundary)
    found = chat_role(
        RoleDocuments(
            arn=f"arn:aws:iam::{HOME}:role/chat",
            trust=POOL,
            identity=tuple(UNSET if each is None else json.dumps(each) for each in identity),
            boundary=limit if readable else UNSET,
        )
    )
    assert isinstance(found, ChatRole)
    return found


class World:
    """One combination of values for all that is unknown; `sub` and `tag` are the values of the variables."""

    def __init__(self, identity: list[Json], boundary: Json, unknown: str | None, sub: str, tag: str) -> None:
        filled = json.dumps([identity, boundary]).replace(SUB, sub).replace(TAG, tag)
        self._identity, self._boundary = json.loads(filled)
        self._unknown, self._own = unknown, {sub, tag, f"{tag}-{sub}"}
        self._allows = cache(self._worked_out)
        self._ids = ["a", "b", "aa", "y", "yy", "ay", "ya", "yyy", "aya", f"{sub}y", f"y{sub}", *sorted(self._own)]
        self._apps = ["a", "b", "y", "yy", "ab", "ay", sub]

    def _worked_out(self, action: str, resource: str) -> bool:
        keys = {
            "aws:requestedregion": resource.split(":")[3],
            "aws:resourceaccount": HOME,
            UNKNOWN: self._unknown,
        }
        request = concrete.Request(action=action, resource=resource, keys=keys)
        return concrete.allows(self._identity, request) and concrete.allows([self._boundary], request)

    def _some(self, action: str, app: str, *kinds: str) -> bool:
        return any(self._allows(action, f"{app}/{kind}/{id_}") for kind in kinds for id_ in self._ids)

    def _as_others(self, app: str) -> bool:
        bearers = [f"{app}/{kind}/{id_}" for kind in ("user", "bot") for id_ in self._ids if id_ not in self._own]
        actions = ("chime:SendChannelMessage", "chime:Connect", "chime:CreateChannel", "chime:DisassociateChannelFlow")
        return any(self._allows(action, bearer) for action in (*actions, "chime:SearchChannels") for bearer in bearers)

    def verdicts(self, region: str) -> dict[str, bool]:
        apps = [f"arn:aws:chime:{region}:{HOME}:app-instance/{app}" for app in self._apps]
        moving = ("chime:AssociateChannelFlow", "chime:DisassociateChannelFlow")
        together = (("user", "bot"), ("channel",), ("channel-flow",))
        delete = "chime:DeleteChannelFlow"
        return {
            "acts_as_anyone": any(map(self._as_others, apps)),
            "may_remove_flow": any(
                all(self._some(action, app, *kinds) for kinds in together) for action in moving for app in apps
            ),
            "may_change_flow": any(
                self._some("chime:UpdateChannelFlow", app, "channel-flow")
                or (self._some(delete, app, "channel") and self._some(delete, app, "channel-flow"))
                for app in apps
            ),
            "may_open_channels": any(self._some("chime:CreateChannel", app, "user", "bot") for app in apps),
        }


def world(role: Role, choose: st.DataObject) -> World:
    identity, boundary, readable = role
    limit = boundary or EVERYTHING if readable else choose.draw(st.sampled_from([EVERYTHING, NOTHING]))
    unread = choose.draw(st.sampled_from([SILENCE, EVERYTHING, NOTHING])) if None in identity else SILENCE
    unknown, tag = choose.draw(st.sampled_from([None, "x", "z"])), choose.draw(st.sampled_from(["S", "T"]))
    return World([unread if each is None else each for each in identity], limit, unknown, "S", tag)


@EXAMPLES
@given(ROLES, st.data())
def test_what_is_certain_is_so_in_every_world(role: Role, choose: st.DataObject) -> None:
    found, somewhere = ask(role), world(role, choose)
    here, elsewhere = somewhere.verdicts("us-east-1"), somewhere.verdicts("us-west-2")

    for name in here:
        verdict = getattr(found, name)
        assert verdict is not True or here[name], name
        assert verdict is not False or not (here[name] or elsewhere[name]), name


@EXAMPLES
@given(ROLES, POLICIES)
def test_a_denial_never_permits(role: Role, more: Json) -> None:
    identity, boundary, readable = role
    denials: Json = {**more, "Statement": [{**each, "Effect": "Deny"} for each in more["Statement"]]}
    before, after = ask(role), ask(([*identity, denials], boundary, readable))

    for name in ("acts_as_anyone", "may_remove_flow", "may_change_flow", "may_open_channels"):
        assert getattr(before, name) is not False or getattr(after, name) is False
