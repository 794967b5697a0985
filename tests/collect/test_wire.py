from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collect import wire

PAGE = b'{"ChannelFlows": [{"ChannelFlowArn": "arn:flow", "Name": "moderation"}], "NextToken": "t"}'


def test_a_page_is_read_with_its_token() -> None:
    page = wire.decode(PAGE, wire.ListChannelFlows)

    assert [item.arn for item in page.items] == ["arn:flow"]
    assert page.NextToken == "t"


def test_a_null_list_is_an_empty_one() -> None:
    assert wire.decode(b'{"AppInstances": null}', wire.ListAppInstances).items == ()


def test_members_of_a_newer_api_are_passed_over() -> None:
    body = b'{"AppInstances": [{"AppInstanceArn": "a", "Shard": {"x": [1]}}], "Total": 1}'

    assert [item.arn for item in wire.decode(body, wire.ListAppInstances).items] == ["a"]


@given(st.integers(min_value=0, max_value=len(PAGE) - 1))
def test_a_body_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.decode(PAGE[:length], wire.ListChannelFlows)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page_or_refused(body: bytes) -> None:
    try:
        wire.decode(body, wire.ListChannelFlows)
    except ValueError:
        return


@pytest.mark.parametrize("name", [b'"\\ud800x"', b'"\xff\xfex"'])
def test_text_that_is_no_unicode_becomes_visible(name: bytes) -> None:
    page = wire.decode(b'{"AppInstances": [{"AppInstanceArn": "a", "Name": %s}]}' % name, wire.ListAppInstances)

    assert str(page.items[0].Name).endswith("x")
    assert "\N{REPLACEMENT CHARACTER}" in str(page.items[0].Name)


@given(st.binary(max_size=200))
def test_any_error_body_becomes_an_object_of_texts(body: bytes) -> None:
    members = json.loads(wire.error_body(body))

    assert all(isinstance(value, str) for value in members.values())


def test_the_token_is_all_that_is_left_for_the_paginator() -> None:
    assert json.loads(wire.token_body(wire.decode(PAGE, wire.ListChannelFlows))) == {"NextToken": "t"}


_FIRST_ANSWERS = """
import threading, time
from msgspec import _utils
from scanner.collect import wire

look_up = _utils._get_class_mro_and_typevar_mappings

def slowly(*arguments):
    time.sleep(0.05)
    return look_up(*arguments)

_utils._get_class_mro_and_typevar_mappings = slowly
body = b'{"ChannelFlows": [{"ChannelFlowArn": "a", "Processors": [{"Configuration": {"Lambda": {}}}]}]}'
threads = [threading.Thread(target=wire.decode, args=(body, wire.ListChannelFlows)) for _ in range(8)]
for thread in threads:
    thread.start()
    time.sleep(0.02)
for thread in threads:
    thread.join()
"""


def test_threads_may_decode_the_first_answers_of_a_type_together() -> None:
    """In a process of its own, which crashed: msgspec looks up slowly there what a type consists of."""
    assert subprocess.run([sys.executable, "-c", _FIRST_ANSWERS], check=False).returncode == 0
