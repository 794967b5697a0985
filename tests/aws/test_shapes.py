"""Every answer that botocore's models and AWS's documentation show is decoded, with every member that facts rest on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from botocore.model import ListShape, Shape, StructureShape
from botocore.parsers import create_parser
from msgspec import Struct

from scanner.aws import decoding
from scanner.aws.failure import SPEAK_XML
from scanner.aws.wire import ANSWERS, ERROR_MEMBERS
from scanner.model.operations import Operation
from tests import shapes

IN_JSON = sorted(Operation(service, name) for service, name in ANSWERS)
IN_XML = [each for each in shapes.CALLED if each.service in SPEAK_XML]


def named(operation: Operation) -> str:
    return f"{operation.service}:{operation.name}"


def structs_in(kind: Any) -> Iterator[type[Struct]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
    for each in get_args(kind):
        yield from structs_in(each)


def relied_on(kind: type[Struct], shape: Shape | None) -> Iterator[tuple[str, Shape | None]]:
    """Each member that a struct reads, with its shape in the model (None: the model has no such member)."""
    while isinstance(shape, ListShape):
        shape = shape.member
    assert isinstance(shape, StructureShape)
    hints = get_type_hints(kind)
    for field, member in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        if field in ERROR_MEMBERS:
            continue
        inner = shape.members.get(member)
        yield member, inner
        for each in structs_in(hints[field]):
            yield from ((f"{member}.{name}", below) for name, below in relied_on(each, inner))


def test_every_operation_that_is_called_is_in_the_installed_models_and_is_read_strictly() -> None:
    read = {*IN_JSON, *IN_XML}

    assert {*IN_JSON} <= {*shapes.CALLED}
    assert {each for each in shapes.CALLED if each not in read} <= {
        Operation("signin", "CreateOAuth2Token"),
        Operation("sso", "GetRoleCredentials"),
        Operation("sso-oidc", "CreateToken"),
    }  # botocore reads these, for credentials
    assert all(shapes.model(each).output_shape is not None for each in shapes.CALLED)


@pytest.mark.parametrize("operation", IN_JSON, ids=named)
def test_an_answer_with_every_member_filled_is_decoded_to_what_it_says(operation: Operation) -> None:
    body = shapes.answer(operation)

    decoded = decoding.decode(body, ANSWERS[operation.service, operation.name])

    sent = json.loads(body)
    read = msgspec.to_builtins(decoded)
    assert read
    assert_within(read, sent)


def assert_within(read: Any, sent: Any) -> None:
    """Check that everything that was read was sent so."""
    if isinstance(read, dict):
        for name, value in read.items():
            assert_within(value, sent[name])
    elif isinstance(read, list | tuple):
        for one, other in zip(read, sent, strict=True):
            assert_within(one, other)
    else:
        assert read == sent


@pytest.mark.parametrize("operation", IN_JSON, ids=named)
def test_every_member_that_facts_rest_on_is_in_the_model(operation: Operation) -> None:
    found = dict(relied_on(ANSWERS[operation.service, operation.name], shapes.model(operation).output_shape))

    newer = {"Accounts.State"}  # the oldest botocore that is allowed does not have it
    assert found
    assert [name for name, shape in found.items() if shape is None and name not in newer] == []


@pytest.mark.parametrize("operation", IN_XML, ids=named)
def test_an_answer_in_xml_passes_the_check_and_botocore_reads_it(operation: Operation) -> None:
    shape = shapes.model(operation).output_shape
    assert shape is not None
    body = shapes.answer(operation)

    decoding.check_xml(body)
    parsed = create_parser("query").parse({"status_code": 200, "headers": {}, "body": body}, shape)

    del parsed["ResponseMetadata"]
    assert parsed.keys() == shape.members.keys()


@pytest.mark.parametrize("operation", IN_JSON, ids=named)
def test_the_examples_of_the_documentation_are_decoded(operation: Operation) -> None:
    kind = ANSWERS[operation.service, operation.name]

    for example in shapes.examples(operation):
        read = decoding.decode(json.dumps(example).encode(), kind)
        assert_within(msgspec.to_builtins(read), example)


def test_there_are_examples_of_documentation() -> None:
    assert sum(len(list(shapes.examples(each))) for each in IN_JSON) >= 5


def test_what_is_new_and_what_the_code_does_not_know_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    accepted = shapes.accepted()
    state = "lambda:GetFunctionConfiguration State"
    fewer = accepted - {f"{state}=Failed", "events:ListRules Rules[].EventPattern"}
    known = {state: frozenset({"Active"})}

    lines = list(shapes.strange(fewer, known))

    assert f"{state}=Failed: the code takes this value for unknown" in lines
    assert any(line.startswith(f"{state}=Failed: new in botocore ") for line in lines)
    assert any(line.startswith("events:ListRules Rules[].EventPattern: new in botocore ") for line in lines)
    assert shapes.main([]) in {0, 1}  # 1 with a botocore that is newer than the list
    assert "unknown in the answers of" in capsys.readouterr().out


def test_every_value_by_which_the_code_decides_has_a_place_that_was_looked_at() -> None:
    accepted = shapes.accepted()

    for place, values in shapes.KNOWN_VALUES.items():
        listed = {line.partition("=")[2] for line in accepted if line.startswith(f"{place}=")}
        assert listed == values, place
