"""Decodes texts of any Unicode encoding: some editors and PowerShell write UTF-16, or UTF-8 with a byte order mark."""

from __future__ import annotations

import codecs
import json


def name(data: bytes) -> str:
    """The name of a text's encoding, from its first bytes: https://yaml.org/spec/1.2.2/#52-character-encodings"""
    return json.detect_encoding(data)


def utf8(data: bytes) -> bytes:
    """The text as UTF-8 without a byte order mark; bytes that cannot be decoded are returned as they are."""
    own = name(data)
    if own.startswith("utf-8"):
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(own).encode()
    except UnicodeError:
        return data
