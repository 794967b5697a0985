"""The cloud assembly that the CDK synthesizes, usually in cdk.out: where each of its stacks will be deployed.

https://docs.aws.amazon.com/cdk/v2/guide/configure-synth.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from scanner.declared.candidates import Candidate
from scanner.declared.documents import MAX_BYTES, SUFFIXES
from scanner.declared.requests import Home
from scanner.model.facts import partition_of

_MANIFEST = "manifest.json"
_NOTES = frozenset({_MANIFEST, "tree.json"})
_OF_STACK = (".assets.json", ".metadata.json")
_ASSET = "asset."
_ENVIRONMENT = re.compile("aws://([^/]*)/([^/]*)")
_ACCOUNT, _REGION = re.compile(r"[0-9]{12}"), re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")
_NESTED = re.compile(r"[\w.-]+\.nested\.template\.json")


class Assemblies:
    """The cloud assemblies among the files of a run, by their folders; each manifest is read once."""

    def __init__(self) -> None:
        self._environments: dict[Path, Mapping[str, str] | None] = {}

    def home(self, candidate: Candidate, given: Home) -> Home:
        """Where a file will be deployed: as its assembly's manifest says and, where that is open, as is given."""
        environments = None if candidate.is_stdin else self._of(candidate.path.parent)
        found = _ENVIRONMENT.fullmatch((environments or {}).get(candidate.path.name, ""))
        account_id, region = found.groups() if found else ("", "")
        if _ACCOUNT.fullmatch(account_id):
            given = structs.replace(given, account_id=(account_id,))
        if _REGION.fullmatch(region):
            given = structs.replace(given, region=(region,), partition=(partition_of(region),))
        return given

    def is_template(self, candidate: Candidate) -> bool:
        """Whether a file is the template of a stack of an assembly."""
        environments = None if candidate.is_stdin else self._of(candidate.path.parent)
        return candidate.path.name in (environments or {})

    def declares_nothing(self, candidate: Candidate) -> bool:
        """Whether a file is an asset of an assembly, such as a function's code, or what the CDK notes for itself."""
        path = candidate.path
        if candidate.is_stdin or candidate.named:
            return False
        if (path.name in _NOTES or path.name.endswith(_OF_STACK)) and self._of(path.parent) is not None:
            return True
        asset = next((each for each in (path, *path.parents) if each.name.startswith(_ASSET)), None)
        may_be_template = asset == path and path.suffix.lower() in SUFFIXES
        return asset is not None and not may_be_template and self._of(asset.parent) is not None

    def _of(self, folder: Path) -> Mapping[str, str] | None:
        """The environment of each template in a folder, by its name; None if the folder is no assembly."""
        if folder not in self._environments:
            self._environments[folder] = _environments(folder)
        return self._environments[folder]


def _environments(folder: Path) -> Mapping[str, str] | None:
    stacks = _stacks(folder)
    if stacks is None:
        return None
    found: dict[str, set[str]] = {}
    waiting = list(stacks)
    while waiting:  # the manifest names no nested templates, the templates that hold them do
        name, environment = waiting.pop()
        if environment not in found.setdefault(name, set()):
            found[name].add(environment)
            waiting += ((nested, environment) for nested in _nested(folder / name))
    return {name: environments.pop() for name, environments in found.items() if len(environments) == 1}


def _stacks(folder: Path) -> list[tuple[str, str]] | None:
    """The template and the environment of each stack that a manifest names; None if there is no such manifest."""
    try:
        manifest = json.loads(_content(folder / _MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    artifacts = manifest.get("artifacts") if isinstance(manifest, dict) and "version" in manifest else None
    if not isinstance(artifacts, dict):
        return None
    found = []
    for artifact in artifacts.values():
        match artifact:
            case {"type": "aws:cloudformation:stack", "properties": {"templateFile": str(name)}}:
                environment = artifact.get("environment")
                found.append((name, environment if isinstance(environment, str) else ""))
    return found


def _nested(template: Path) -> list[str]:
    try:
        return _NESTED.findall(_content(template).decode(errors="replace"))
    except OSError:
        return []


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES)
