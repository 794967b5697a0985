from __future__ import annotations

import json
import subprocess
import sys

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, structs

from scanner.aws import decoding, wire
from scanner.model.operations import FACETS, ORGANIZATION, needed

PAGE = b'{"ChannelFlows": [{"ChannelFlowArn": "arn:flow", "Name": "moderation"}], "NextToken": "t"}'


def test_a_page_is_read_with_its_token() -> None:
    page = decoding.decode(PAGE, wire.ListChannelFlows)

    assert [item.arn for item in page.items] == ["arn:flow"]
    assert page.NextToken == "t"


def test_every_answer_in_json_is_decoded_strictly() -> None:
    session = Session()
    called = {(each.service, each.name) for each in needed(FACETS) | ORGANIZATION}
    in_json = {each for each in called if session.get_service_model(each[0]).metadata["protocol"] != "query"}

    assert wire.ANSWERS.keys() == in_json, "add the answer to _BY_SERVICE in scanner/aws/wire.py"


@pytest.mark.parametrize("answer", wire.ANSWERS.values(), ids=lambda answer: str(answer.__name__))
def test_a_null_list_is_refused(answer: type[Struct]) -> None:
    lists = [each for each in structs.fields(answer) if str(each.type).startswith("tuple[")]
    for each in lists:
        decoding.decode(b'{"%s": []}' % each.encode_name.encode(), answer)
        with pytest.raises(ValueError, match="null"):
            decoding.decode(b'{"%s": null}' % each.encode_name.encode(), answer)
    assert lists or not answer.__name__.startswith("List")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"ChannelFlows": [%s], "ChannelFlows": []}', id="at the top"),
        pytest.param('{"ChannelFlows": [], "ChannelFlows" : [%s]}', id="a space before the colon"),
        pytest.param('{"ChannelFlows": [], "Channel\\u0046lows": [%s]}', id="escaped"),
        pytest.param('{"ChannelFlows": [{"ChannelFlowArn": "a", "ChannelFlowArn": "a"}]}', id="in an item"),
        pytest.param('{"ChannelFlows": [{"ChannelFlowArn": "a", "Name": null, "Name": "b"}]}', id="null first"),
        pytest.param('{"ChannelFlows": [], "Newer": [{"x": {"y": 1, "y": 2}}]}', id="in what we do not know"),
        pytest.param('{"ChannelFlows": [], "Newer": {"x": 1, "x": "\\u003a"}}', id="a colon that is escaped"),
        pytest.param('{"ChannelFlows": [], "Newer": {"x": "\\ud800", "x": 1}}', id="no Unicode"),
    ],
)
def test_two_members_of_one_name_are_refused(body: str) -> None:
    with pytest.raises(ValueError, match="two members of one name"):
        decoding.decode(body.replace("%s", '{"ChannelFlowArn": "a"}').encode(), wire.ListChannelFlows)


TEXT = st.text(':"\\a\u00e9', max_size=4)
JSON = st.lists(st.dictionaries(TEXT, TEXT | st.none() | st.integers(), max_size=3), max_size=3)


@given(JSON, st.booleans(), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_any_unknown_member_is_ignored(newer: object, is_ascii: bool, separators: tuple[str, str]) -> None:
    body = json.dumps({"ChannelFlows": [], "Newer": newer}, ensure_ascii=is_ascii, separators=separators).encode()

    assert decoding.decode(body, wire.ListChannelFlows).items == ()


def test_two_different_items_with_one_arn_are_refused_and_equal_ones_accepted() -> None:
    twins = b'{"AppInstances": [{"AppInstanceArn": "a", "Name": "x"}, {"AppInstanceArn": "a", "Name": "%s"}]}'

    assert len(decoding.decode(twins % b"x", wire.ListAppInstances).items) == 2
    with pytest.raises(ValueError, match="one ARN"):
        decoding.decode(twins % b"y", wire.ListAppInstances)
    with pytest.raises(ValueError, match="one ARN"):
        decoding.decode(b'{"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a"}]}', wire.ListTagsForResource)


@pytest.mark.parametrize("answer", [wire.GetFunctionConcurrency, wire.GetFunctionEventInvokeConfig])
@pytest.mark.parametrize("member", ["__type", "Message", "message", "Code", "errorMessage", "Error"])
def test_an_error_is_not_read_as_an_empty_answer(answer: type[Struct], member: str) -> None:
    decoding.decode(b"{}", answer)
    with pytest.raises(ValueError, match="members of an error"):
        decoding.decode(b'{"%s": "TooManyRequestsException"}' % member.encode(), answer)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<R><Role><Arn>a</Arn></Role><Role><Arn>b</Arn></Role></R>", id="two of one"),
        pytest.param(b'<R xmlns:a="u"><a:Arn>a</a:Arn><a:Arn>a</a:Arn></R>', id="with a namespace"),
        pytest.param(b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", id="an error"),
        pytest.param(b"<R><IsTruncated/></R>", id="more or not"),
        pytest.param(b"<R><Role>", id="cut off"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="JSON"),
    ],
)
def test_xml_that_contradicts_itself_or_is_an_error_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"it "):
        decoding.check_xml(body)


def test_xml_may_hold_many_members_and_nothing() -> None:
    decoding.check_xml(b"<R><A/><B><member>a</member><member>a</member></B><IsTruncated>false</IsTruncated></R>")


def test_members_of_a_newer_api_are_ignored() -> None:
    body = b'{"AppInstances": [{"AppInstanceArn": "a", "Shard": {"x": [1]}}], "Total": 1}'

    assert [item.arn for item in decoding.decode(body, wire.ListAppInstances).items] == ["a"]


@given(st.integers(min_value=0, max_value=len(PAGE) - 1))
def test_a_body_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoding.decode(PAGE[:length], wire.ListChannelFlows)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page_or_refused(body: bytes) -> None:
    try:
        decoding.decode(body, wire.ListChannelFlows)
    except ValueError:
        return


@pytest.mark.parametrize("name", [b'"\\ud800x"', b'"\xff\xfex"'])
def test_invalid_unicode_becomes_replacement_characters(name: bytes) -> None:
    page = decoding.decode(b'{"AppInstances": [{"AppInstanceArn": "a", "Name": %s}]}' % name, wire.ListAppInstances)

    assert str(page.items[0].Name).endswith("x")
    assert "\N{REPLACEMENT CHARACTER}" in str(page.items[0].Name)


@given(st.binary(max_size=200))
def test_any_error_body_becomes_an_object_of_texts(body: bytes) -> None:
    members = json.loads(decoding.error_body(body))

    assert all(isinstance(value, str) for value in members.values())


def test_the_token_is_all_that_is_left_for_the_paginator() -> None:
    assert json.loads(decoding.token_body(decoding.decode(PAGE, wire.ListChannelFlows))) == {"NextToken": "t"}


_FIRST_ANSWERS = """
import threading, time
from msgspec import _utils
from scanner.aws import decoding, wire

look_up = _utils._get_class_mro_and_typevar_mappings

def slowly(*arguments):
    time.sleep(0.05)
    return look_up(*arguments)

_utils._get_class_mro_and_typevar_mappings = slowly
body = b'{"ChannelFlows": [{"ChannelFlowArn": "a", "Processors": [{"Configuration": {"Lambda": {}}}]}]}'
threads = [threading.Thread(target=decoding.decode, args=(body, wire.ListChannelFlows)) for _ in range(8)]
for thread in threads:
    thread.start()
    time.sleep(0.02)
for thread in threads:
    thread.join()
"""


def test_threads_may_decode_the_first_answers_of_a_type_together() -> None:
    """Run in a separate process, which used to crash; there msgspec prepares a type slowly."""
    assert subprocess.run([sys.executable, "-c", _FIRST_ANSWERS], check=False).returncode == 0
