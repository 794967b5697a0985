"""The locks (`make lock`) agree with pyproject.toml, on every Python and platform, and name no index."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import NamedTuple

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.ci.shell import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ALL, IMAGE, BUILD = ".ci/requirements.txt", "deploy/requirements.txt", "deploy/requirements-build.txt"
HERE: dict[str, str] = {**{key: str(value) for key, value in default_environment().items()}, "extra": ""}
ENVIRONMENTS = [
    {
        **HERE,
        "python_version": version,
        "python_full_version": f"{version}.9",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    for version, (platform, system) in itertools.product(
        ("3.11", "3.12", "3.13", "3.14"), (("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows"))
    )
]


class Locked(NamedTuple):
    """A line of a lock."""

    name: str
    version: str
    marker: Marker | None
    hashes: int
    via: str

    def applies(self, environment: Mapping[str, str]) -> bool:
        return self.marker is None or self.marker.evaluate(environment)


def lock(name: str) -> list[Locked]:
    """The lines of a lock."""
    text = (ROOT / name).read_text()
    found = []
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        head, *rest = (line.removesuffix("\\").strip() for line in block.splitlines())
        pinned, _, marker = head.partition(" ; ")
        package, _, version = pinned.partition("==")
        hashes = sum(line.startswith("--hash=sha256:") for line in rest)
        via = " ".join(line for line in rest if line.startswith("#"))
        found.append(Locked(package, version, Marker(marker) if marker else None, hashes, via))
    return found


def declared(extra: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for with an extra, and without one if that is empty."""
    wanted = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    for requirement in map(Requirement, wanted):
        if requirement.name == PROJECT["name"]:
            for other in requirement.extras:
                yield from declared(other)
        else:
            yield requirement


WANTED = {
    ALL: [*declared(""), *declared("dev")],
    IMAGE: [*declared("")],
    BUILD: [Requirement("hatchling")],
}


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_names_versions_and_hashes_and_nothing_else(name: str) -> None:
    assert not re.findall(r"://|^-", (ROOT / name).read_text(), re.MULTILINE)
    for each in lock(name):
        assert each.hashes > 0
        assert re.fullmatch(r"[\w.+!-]+", each.version)


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_has_what_pyproject_asks_for_everywhere(name: str) -> None:
    """Run `make lock` after a change of pyproject.toml."""
    locked = lock(name)
    for environment, wanted in itertools.product(ENVIRONMENTS, WANTED[name]):
        if wanted.marker is None or wanted.marker.evaluate(environment):
            key = canonicalize_name(wanted.name)
            (version,) = [each.version for each in locked if each.name == key and each.applies(environment)]
            assert wanted.specifier.contains(version, prereleases=True), f"{wanted}: {name} has {version}"


@pytest.mark.parametrize("name", [ALL, IMAGE])
def test_a_lock_has_nothing_that_pyproject_asks_for_no_longer(name: str) -> None:
    direct = {each.name for each in lock(name) if "chimeaudit (pyproject.toml)" in each.via}

    assert direct == {canonicalize_name(each.name) for each in WANTED[name]}


def test_the_locks_agree_with_each_other() -> None:
    versions = {(each.name, each.version) for each in lock(ALL)}

    assert {(each.name, each.version) for name in (IMAGE, BUILD) for each in lock(name)} <= versions


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_has_what_its_packages_ask_for(name: str) -> None:
    """Of the packages that are installed here in the version of the lock."""
    here = {each.name: each.version for each in lock(name) if each.applies(HERE)}
    installed: dict[str, metadata.Distribution] = {
        canonicalize_name(each.name): each for each in metadata.distributions()
    }
    for package, version in here.items():
        if package in installed and installed[package].version == version:
            for needed in map(Requirement, installed[package].requires or ()):
                if needed.marker is None or needed.marker.evaluate(HERE):
                    found = here.get(canonicalize_name(needed.name))
                    assert found, f"{package} needs {needed}"
                    assert needed.specifier.contains(found, prereleases=True), f"{package} needs {needed}: {found}"
