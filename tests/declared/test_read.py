"""scanner.declared.read: what files tell of resources, and why the rest is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, Struct

from scanner.declared.candidates import Candidate
from scanner.declared.read import read
from scanner.declared.requests import Home
from scanner.language.vocabulary import attributes, paths
from scanner.language.vocabulary import read as value_at
from scanner.model.branches import first
from scanner.model.facts import AppInstance, ChannelFlow
from scanner.model.metadata import Declaration
from scanner.model.yamltree import Mistakes
from tests.declared.checking import APP, processor, request, write
from tests.declared.test_template import stack

NEVER_EXPLAINED = {"arn", "app_instance.name"}  # of flows that are not deployed; findings say "is not known"
FLOW = {"ChannelFlowArn": f"{APP}/channel-flow/1a2b", "Name": "x", "Processors": [processor()]}


@pytest.mark.parametrize("file", [stack(), request(), FLOW, {"ChannelFlows": [FLOW]}])
def test_a_fact_that_a_file_leaves_unknown_has_a_reason(file: dict[str, Any], tmp_path: Path) -> None:
    seen = list(resources(file, tmp_path))

    assert any(isinstance(each, ChannelFlow) for each in seen)
    silent = {path for each in seen for path in unknown(each) if not has_reason(each, path)}
    assert not silent - NEVER_EXPLAINED, "set these facts in scanner/declared, or mark them AWS_ONLY"


def resources(file: dict[str, Any], folder: Path) -> Iterator[AppInstance | ChannelFlow]:
    path = folder / write(folder / "file.json", file)
    mistakes = Mistakes(path.name)
    candidate = Candidate(path=path, name=path.name, former=path.name, named=True)
    for document in read(candidate, Home(), mistakes, has_to_be=True).documents:
        for app_instance, flows in document.groups:
            yield from (
                ()
                if app_instance is None
                else (first(app_instance) if isinstance(app_instance, tuple) else app_instance,)
            )
            yield from (each if isinstance(each, ChannelFlow) else first(each) for each in flows)
    assert not mistakes.found


def unknown(resource: AppInstance | ChannelFlow) -> Iterator[str]:
    parts: dict[str, Struct] = {"": resource}
    if isinstance(resource, ChannelFlow) and isinstance(resource.processors, tuple):
        parts |= {f"processors[{index}].": each for index, each in enumerate(resource.processors)}
    for prefix, part in parts.items():
        yield from (f"{prefix}{path}" for path in paths(type(part)) if value_at(part, attributes(path)) is UNSET)


def has_reason(resource: AppInstance | ChannelFlow, path: str) -> bool:
    assert isinstance(resource.declared, Declaration)
    return resource.declared.is_untold(path) or resource.declared.unsettled(path) is not None
