from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from scanner.model.facts import CallbackPermission
from scanner.policy.callback import Document, callback
from tests.policy.strategies import APP, EXAMPLES, HOME, OTHER

Json = dict[str, Any]

CALLBACK = "chime:ChannelFlowCallback"
HEALTHY: Json = {"Effect": "Allow", "Action": [CALLBACK], "Resource": [f"{APP}/*"]}
ELSEWHERE = f"arn:aws:chime:us-east-1:{HOME}"
LOGS: Json = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:*",
}
UNDECIDED = {"StringEquals": {"aws:PrincipalTag/team": "chat"}}
WEST = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}


def text(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def ask(*identity: str | None, boundary: Document = None) -> tuple[object, object]:
    found = callback(identity, boundary, app_instance_arn=APP)
    return found.allowed, found.excessive


@pytest.mark.parametrize(
    ("statement", "allowed", "excessive"),
    [
        pytest.param({}, True, (), id="what the service's guide asks for"),
        pytest.param({"Action": "CHIME:channelflowcallback"}, True, (), id="actions heed no case"),
        pytest.param({"Resource": f"{APP}/channel/*"}, True, (), id="all channels"),
        pytest.param({"Resource": f"{ELSEWHERE}:app-instance/*"}, True, (), id="all app instances"),
        pytest.param({"Resource": "arn:aws:chime:*:*:app-instance/*"}, True, (), id="all app instances anywhere"),
        pytest.param({"Resource": APP}, False, (), id="the app instance is no channel"),
        *(
            pytest.param({"Action": action, "Resource": f"{ELSEWHERE}:{spelled}"}, False, (), id=f"{action} {spelled}")
            for action in (CALLBACK, "chime:*")
            for spelled in ("appInstance/*", "appInstance/own/channel/*", "AppInstance*", "app_instance/*")
        ),
        pytest.param({"Resource": f"{ELSEWHERE}:app*"}, True, (f"{ELSEWHERE}:app*",), id="and what is called alike"),
        pytest.param({"Resource": f"{ELSEWHERE}:app-instance/other/*"}, False, (), id="another app instance"),
        pytest.param({"Resource": f"{APP}/channel/1"}, UNSET, (), id="one channel"),
        pytest.param({"Resource": f"{APP}/channel/??*"}, UNSET, (), id="channels of longer ids"),
        pytest.param({"Resource": f"{APP}/user/*"}, False, (), id="no channel"),
        pytest.param({"Resource": "*"}, True, ("*",), id="every resource"),
        pytest.param({"Resource": f"{ELSEWHERE}:*"}, True, (f"{ELSEWHERE}:*",), id="every resource of the account"),
        pytest.param({"Resource": "arn:aws:chime:us-west-2:*"}, False, ("arn:aws:chime:us-west-2:*",), id="elsewhere"),
        pytest.param({"Resource": "arn:aws:s3:::b/*"}, False, (), id="not Chime"),
        pytest.param({"Resource": [f"{APP}/*", "*"]}, True, ("*",), id="one resource of two is too broad"),
        pytest.param({"Resource": "arn:${aws:Partition}:chime:*"}, UNSET, UNSET, id="a variable"),
        pytest.param({"Action": "chime:*"}, True, ("chime:*",), id="all of Chime"),
        pytest.param({"Action": "*"}, True, ("*",), id="everything"),
        pytest.param({"Action": "chime:ChannelFlow*"}, True, ("chime:ChannelFlow*",), id="wildcard"),
        pytest.param({"Action": f"{CALLBACK}*"}, True, (f"{CALLBACK}*",), id="wildcard after the name"),
        pytest.param({"Action": [CALLBACK, "chime:Send*"]}, True, ("chime:Send*",), id="one action of two is too much"),
        pytest.param({"Action": ["chime:a", "*"], "Resource": "*"}, True, ("*", "chime:a"), id="all that is too much"),
        pytest.param({"Action": "lambda:*"}, False, (), id="another service"),
        pytest.param({"Condition": UNDECIDED}, UNSET, (), id="perhaps"),
        pytest.param({"Condition": UNDECIDED, "Action": "*"}, UNSET, UNSET, id="perhaps too much"),
        pytest.param({"Condition": WEST}, False, (), id="another region"),
        pytest.param({"Condition": WEST, "Action": "*"}, False, (), id="never where the condition holds"),
        pytest.param(
            {"Condition": WEST, "Action": "*", "Resource": "*"}, False, UNSET, id="too much, perhaps, in another region"
        ),
        pytest.param({"Condition": {"Bool": {"AWS:SecureTransport": True}}}, True, (), id="as calls are made"),
    ],
)
def test_one_statement(statement: Json, allowed: object, excessive: object) -> None:
    assert ask(text({**HEALTHY, **statement})) == (allowed, excessive)


ROLE = f"arn:aws:iam::{HOME}:role/path/processor"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        pytest.param({"StringEquals": {"aws:SourceAccount": HOME}}, False, id="a source's account"),
        pytest.param({"ArnLike": {"aws:SourceArn": f"{APP}*"}}, False, id="a source"),
        pytest.param({"StringEquals": {"aws:SourceOrgID": "o-1"}}, False, id="a source's organisation"),
        pytest.param({"StringEqualsIfExists": {"aws:SourceAccount": OTHER}}, True, id="a source's account, if any"),
        pytest.param({"Null": {"aws:SourceArn": "true"}}, True, id="no source"),
        pytest.param({"StringEquals": {"AWS:PrincipalAccount": HOME}}, True, id="the own account"),
        pytest.param({"StringEquals": {"aws:PrincipalAccount": OTHER}}, False, id="another account"),
        pytest.param({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/path/*"}}, True, id="the role"),
        pytest.param({"ArnNotLike": {"aws:PrincipalArn": ROLE}}, False, id="all but the role"),
        pytest.param({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, UNSET, id="an organisation"),
    ],
)
def test_context_keys_of_the_caller(condition: Json, allowed: object) -> None:
    found = callback([text({**HEALTHY, "Condition": condition})], None, app_instance_arn=APP, role_arn=ROLE)

    assert found.allowed is allowed


def test_the_account_of_a_role_without_an_arn_is_unknown() -> None:
    own = text({**HEALTHY, "Condition": {"StringEquals": {"aws:PrincipalAccount": HOME}}})

    for role_arn in (None, "processor"):
        assert callback([own], None, app_instance_arn=APP, role_arn=role_arn).allowed is UNSET


@pytest.mark.parametrize(
    ("statement", "allowed", "excessive"),
    [
        pytest.param(
            {"NotAction": ["iam:*", "organizations:*"], "Resource": "*"},
            True,
            ("*", "NotAction iam:*, organizations:*"),
            id="a power user",
        ),
        pytest.param({"NotAction": CALLBACK, "Resource": "*"}, False, (f"NotAction {CALLBACK}",), id="all but it"),
        pytest.param({"NotAction": "chime:*", "Resource": "*"}, False, (), id="all but Chime"),
        pytest.param(
            {"Action": CALLBACK, "NotResource": "arn:aws:s3:::*"},
            True,
            ("NotResource arn:aws:s3:::*",),
            id="all but S3",
        ),
        pytest.param(
            {"Action": CALLBACK, "NotResource": f"{APP}/*"}, False, (f"NotResource {APP}/*",), id="all but its own"
        ),
        pytest.param({"Action": CALLBACK, "NotResource": "*"}, False, (), id="nothing"),
    ],
)
def test_all_but_some(statement: Json, allowed: object, excessive: object) -> None:
    assert ask(text({"Effect": "Allow", **statement})) == (allowed, excessive)


@pytest.mark.parametrize(
    ("denial", "allowed", "excessive"),
    [
        pytest.param({"Action": "*", "Resource": "*"}, False, (), id="everything"),
        pytest.param({"Action": CALLBACK, "Resource": "*"}, False, ("chime:*",), id="the callback only"),
        pytest.param({"NotAction": CALLBACK, "Resource": "*"}, True, ("*",), id="all but the callback"),
        pytest.param({"NotAction": "chime:ChannelFlow*", "Resource": "*"}, True, ("*", "chime:*"), id="all but some"),
        pytest.param({"Action": "chime:?", "Resource": "*"}, True, ("*", "chime:*"), id="only actions of one letter"),
        pytest.param({"Action": CALLBACK, "Resource": f"{APP}/channel/1"}, UNSET, ("*", "chime:*"), id="one channel"),
        pytest.param({"Action": "*", "NotResource": f"{APP}/*"}, True, ("chime:*",), id="all but its own"),
        pytest.param({"Action": "*", "Resource": "arn:*"}, False, ("chime:*",), id="not what has no resource"),
        pytest.param({"Action": "*", "Resource": "*", "Condition": WEST}, True, ("*", "chime:*"), id="another region"),
        pytest.param({"Action": "*", "Resource": "*", "Condition": UNDECIDED}, UNSET, UNSET, id="perhaps"),
    ],
)
def test_a_denial_takes_from_a_role_that_may_do_everything_in_chime(
    denial: Json, allowed: object, excessive: object
) -> None:
    allow, deny = {"Effect": "Allow", "Action": "chime:*", "Resource": "*"}, {"Effect": "Deny", **denial}

    assert ask(text(allow, deny)) == (allowed, excessive)
    assert ask(text(allow), text(deny)) == (allowed, excessive)


@pytest.mark.parametrize(
    ("boundary", "allowed", "excessive"),
    [
        pytest.param(None, True, ("*", "chime:*"), id="none"),
        pytest.param(UNSET, UNSET, UNSET, id="unreadable"),
        pytest.param("{", UNSET, UNSET, id="not a policy"),
        pytest.param(
            text({"Effect": "Allow", "Action": "*", "Resource": "*"}), True, ("*", "chime:*"), id="everything"
        ),
        pytest.param(text(HEALTHY), True, (), id="the callback"),
        pytest.param(text(LOGS), False, (), id="logs"),
        pytest.param(text({**HEALTHY, "Action": f"{CALLBACK}*"}), True, ("chime:*",), id="a wildcard after its name"),
        pytest.param(text({**HEALTHY, "Action": "chime:Send*"}), False, ("chime:*",), id="something else"),
        pytest.param(text(), False, (), id="nothing"),
    ],
)
def test_what_the_boundary_excludes_is_neither_allowed_nor_excessive(
    boundary: Document, allowed: object, excessive: object
) -> None:
    allow = text({"Effect": "Allow", "Action": "chime:*", "Resource": "*"})

    assert ask(allow, boundary=boundary) == (allowed, excessive)


def test_a_boundary_alone_permits_nothing() -> None:
    assert ask(boundary=text({"Effect": "Allow", "Action": "*", "Resource": "*"})) == (False, ())


def test_policies_add_up() -> None:
    assert ask(text(LOGS)) == (False, ())
    assert ask(text(LOGS, HEALTHY)) == (True, ())
    assert ask(text(LOGS), text(HEALTHY)) == (True, ())


def test_a_denial_and_a_boundary_together_leave_a_wildcard_nothing_but_the_callback() -> None:
    deny = {"Effect": "Deny", "NotAction": "chime:*Callback", "Resource": "*"}
    broad = text({**HEALTHY, "Action": "*"}, deny)

    assert ask(broad, boundary=text(HEALTHY)) == (True, ())
    assert ask(broad, boundary=text({**HEALTHY, "Action": "chime:Send*"})) == (False, ("*",))


def test_one_unreadable_policy_leaves_everything_open_but_a_certain_denial() -> None:
    deny = {"Effect": "Deny", "Action": CALLBACK, "Resource": "*"}

    assert ask(text(HEALTHY), None) == (UNSET, UNSET)
    assert ask(text(HEALTHY), "not a policy") == (UNSET, UNSET)
    assert ask(text(deny), None) == (False, UNSET)
    assert ask(None, boundary=text(deny)) == (False, UNSET)


def test_patterns_that_would_take_too_long_are_unknown() -> None:
    words = [f"chime:*{a}*{b}*{a}*{b}*" for a in "jqrstuv" for b in "wxyz012"]

    assert ask(text(HEALTHY, {**HEALTHY, "Effect": "Deny", "Action": words})) == (True, UNSET)


def test_an_invalid_arn_is_no_app_instance() -> None:
    assert callback([text(HEALTHY)], None, app_instance_arn="app") == CallbackPermission()


def test_other_partitions_are_told_apart() -> None:
    statement = {**HEALTHY, "Resource": f"arn:aws-cn:chime:us-east-1:{OTHER}:*"}

    assert ask(text(statement)) == (False, ())


@EXAMPLES
@given(st.text(), st.text())
def test_no_text_raises(identity: str, boundary: str) -> None:
    assert ask(identity, boundary=boundary) == (UNSET, UNSET)


@EXAMPLES
@given(st.data())
def test_no_mutation_of_a_policy_raises(data: st.DataObject) -> None:
    policy = text(HEALTHY, {"Effect": "Deny", "NotAction": "chime:*", "NotResource": "*", "Condition": UNDECIDED})
    start = data.draw(st.integers(0, len(policy)))
    mutated = policy[:start] + data.draw(st.text(max_size=3)) + policy[start + data.draw(st.integers(0, 3)) :]

    assert ask(mutated)[0] in (True, False, UNSET)
    assert ask(text(HEALTHY), boundary=mutated)[0] in (True, False, UNSET)
