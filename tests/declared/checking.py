"""Makes files that declare channel flows, and reads the results of `chimeaudit check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner import cli
from tests import healthy
from tests.command import Ended

Check = Callable[..., Ended]

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/0f1e2d3c"
FUNCTION = healthy.function_arn()


def checking(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.chdir(folder)

    def run(*arguments: str, **files: str | bytes | dict[str, Any]) -> Ended:
        """Write files and check them; names have two underscores for a dot. Without paths, all files are checked."""
        names = [write(folder / name.replace("__", "."), content) for name, content in files.items()]
        paths = [] if any(not each.startswith("-") for each in arguments[:1]) else names
        code = cli.run(["check", *paths, *arguments, "-o", "json:-"])
        captured = capsys.readouterr()
        return Ended(code=code, stdout=captured.out, stderr=captured.err)

    return run


def write(path: Path, content: str | bytes | dict[str, Any]) -> str:
    """Write a file; return its name."""
    text = json.dumps(content, indent=2) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path.name


def processor(*, function: Any = FUNCTION, **changed: Any) -> dict[str, Any]:
    """A healthy processor that invokes this function, with some members changed."""
    return healthy.processor(**{"Configuration": healthy.invoking(function), **changed})


def request(*processors: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A CreateChannelFlow request."""
    own = list(processors) or [processor()]
    return {"AppInstanceArn": APP, "Name": "moderated", "ClientRequestToken": "1", "Processors": own, **changed}


def custom(kind: str, properties: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """A custom resource as cdk-amazon-chime-resources synthesizes it."""
    own = {"ServiceToken": "token", "resourceType": kind, "uid": "u", "properties": camel(properties)}
    return {"Type": "AWS::CloudFormation::CustomResource", "Properties": own, **attributes}


def camel(value: Any) -> Any:
    """The request with names of members in lower camel case, except for intrinsic functions."""
    match value:
        case dict():
            return {
                key if key.startswith(("Fn::", "Ref")) else key[0].lower() + key[1:]: each
                if key.startswith(("Fn::", "Ref"))
                else camel(each)
                for key, each in value.items()
            }
        case list():
            return [camel(each) for each in value]
    return value


def template(**resources: Any) -> dict[str, Any]:
    """A template with these resources, and a flow and an app instance unless they are given."""
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def findings(ended: Ended, status: str = "fail") -> dict[str, dict[str, Any]]:
    """The findings with a status, by rule."""
    return {each["rule_id"]: each for each in ended.report["findings"] if each["status"] == status}


def gaps(ended: Ended) -> list[str]:
    """The gaps of a report, as text."""
    return [each["reason"] for each in ended.report["coverage"]["gaps"]]


def place(finding: dict[str, Any]) -> tuple[str, int, int]:
    location = finding["location"]
    return location["file"], location["line"], location["column"]


def where(text: str, what: str) -> tuple[int, int]:
    """The line and column, from 1, of the first occurrence of `what`."""
    before = text[: text.index(what)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def files(ended: Ended) -> set[str]:
    """The files that have findings."""
    return {each["location"]["file"] for each in ended.report["findings"]}
