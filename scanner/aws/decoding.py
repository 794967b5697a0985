"""Decodes answers of AWS strictly, from the bytes of the response.

botocore reads a truncated body as an empty answer, and a list page without its list as an empty page. Both would lead
to a clean report about something that was not observed. So the bytes are decoded here first. An answer that is not
complete JSON of the expected shape (scanner.aws.wire) is malformed: it is requested again, and then is an error.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar
from xml.etree import ElementTree

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from scanner.aws.wire import ANSWERS, ERROR_MEMBERS

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# msgspec prepares a type on first use; several threads that do so at once crash the process
_DECODERS: dict[type[Struct], Decoder[Any]] = {answer: Decoder(answer) for answer in ANSWERS.values()}
_anything: Decoder[Any] = Decoder()
_encoder = msgspec.json.Encoder()
_REPEATED = {"member", "entry"}
"""The elements of lists and maps in XML."""
_TOO_DEEP = "nested too deeply"
Answer = TypeVar("Answer", bound=Struct)


def decode(body: bytes, answer: type[Answer]) -> Answer:
    """Decode the body of an answer with status 200 to one of the types in `ANSWERS`.

    Invalid Unicode (a lone surrogate, a broken byte) becomes U+FFFD, so that a hostile name neither hides its page nor
    goes unnoticed.

    Raises:
        ValueError: the body is not complete JSON of the answer's shape, contradicts itself, or is an error.
    """
    decoder: Decoder[Answer] = _DECODERS[answer]
    try:
        decoded = decoder.decode(body)
        doubted = _may_repeat_a_name(body, decoded)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = _as_unicode(body)
        decoded, doubted = decoder.decode(text), True
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if doubted:
        _refuse_repeated_names(body)
    _check(decoded)
    return decoded


def _may_repeat_a_name(body: bytes, decoded: Struct) -> bool:
    """Whether an object in the body may have two members of the same name, one of which decoding drops.

    A dropped member has a colon, so the decoded answer, encoded again, has fewer colons. Unknown members are dropped,
    too, and then the whole body is decoded. Only an escape can hide a colon.
    """
    if b"\\" in body and b"\\u003" in body:
        return True
    colons = body.count(b":")
    if _encoder.encode(decoded).count(b":") == colons:
        return False
    return _encoder.encode(_anything.decode(body)).count(b":") != colons


def _refuse_repeated_names(body: bytes) -> None:
    try:
        json.loads(body.decode("utf-8", errors="replace"), object_pairs_hook=_without_repeated_names)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _without_repeated_names(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) < len(members):
        raise ValueError("an object has two members of one name")


def _check(answer: Struct) -> None:
    """Check what the shape does not express, such as members that only errors have.

    Raises:
        ValueError: it is no answer.
    """
    if any(getattr(answer, name) is not None for name in ERROR_MEMBERS):
        raise ValueError("it has the members of an error")
    items = getattr(answer, "items", ())
    arns = {item.arn for item in items}
    if len(arns) < len(items) and len(arns) < len({*items}):
        raise ValueError("two things that differ have one ARN")


def _as_unicode(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        return _SURROGATE.sub(_REPLACEMENT, json.dumps(json.loads(text), ensure_ascii=False))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def check_xml(body: bytes) -> None:
    """Check an answer of IAM or STS, which is XML.

    Raises:
        ValueError: it is no XML, contradicts itself, or is an error although its status is 200.
    """
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - botocore parses it with the same parser
    except ElementTree.ParseError:
        raise ValueError("it is not whole XML") from None
    for element in root.iter():
        names = [child.tag for child in element if _local(child) not in _REPEATED]
        if len({*names}) < len(names):
            raise ValueError("it says one thing twice")
        if _local(element) in {"Error", "ErrorResponse"}:
            raise ValueError("it has the members of an error")
        if _local(element) == "IsTruncated" and element.text not in {"true", "false"}:
            raise ValueError("it does not say whether more is to follow")


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def token_body(answer: Struct) -> bytes:
    """A body with only the answer's NextToken, if it has one."""
    token = getattr(answer, "NextToken", None)
    return msgspec.json.encode({"NextToken": token} if token else {})


def error_body(body: bytes) -> bytes:
    """The text members of an error's body; botocore's parser fails on any others."""
    try:
        error = json.loads(body.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        error = None
    members = error.items() if isinstance(error, dict) else ()
    return json.dumps({name: value for name, value in members if isinstance(value, str)}).encode()
