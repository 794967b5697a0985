"""Text in whatever Unicode: editors and PowerShell write UTF-16, and a byte order mark before UTF-8."""

from __future__ import annotations

import codecs
import json


def name(data: bytes) -> str:
    """How a text is written down, by its first bytes: https://yaml.org/spec/1.2.2/#52-character-encodings"""
    return json.detect_encoding(data)


def utf8(data: bytes) -> bytes:
    """The text in UTF-8 without a byte order mark; what is no text, or was cut off in a character, as it is."""
    own = name(data)
    if own.startswith("utf-8"):
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(own).encode()
    except UnicodeError:
        return data
