"""scanner.model.encoding: the same text from every encoding."""

from __future__ import annotations

import pytest

from scanner.model import encoding


@pytest.mark.parametrize("how", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_becomes_utf_8_without_a_mark(how: str) -> None:
    assert encoding.utf8('{"a": "\u00fc\U0001f600"}'.encode(how)) == '{"a": "\u00fc\U0001f600"}'.encode()


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xfea", b"\xfe\xff\xd8\x00", b"\0\1\2", b"caf\xe9"])
def test_bytes_that_are_no_text_are_unchanged(data: bytes) -> None:
    assert encoding.utf8(data) == data
