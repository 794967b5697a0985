"""The facts that rules can read: the fields of the structs in scanner.model.facts, with their types and facets.

A path such as ``lambda.account_id`` leads through structs, and ``tags.owner`` to a single tag. A list is read with a
quantifier, not by a path. A field whose collection costs extra calls names its facet (scanner.model.metadata.facet);
these calls are made only if a rule reads the field.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType

from scanner.model import facts
from scanner.model.facts import ChannelFlow, Processor, Role
from scanner.model.metadata import NOT_YET, marks_of, root_of, says
from scanner.model.report import ResourceType

Facet = str
"""A group of facts that a scan collects only if a loaded rule reads one of them."""

Kind = Literal[
    "text", "integer", "boolean", "time", "record", "list", "texts", "tags", "pattern", "wildcards", "duration"
]
"""The kind of a value: `list` is a list of records, `texts` a list of plain texts.

Only operands can be a `pattern`, a text that is a regular expression, `wildcards`, a text with * and ?, or a
`duration`, a text that is a length of time.
"""

_SCALARS: Final[dict[object, Kind]] = {str: "text", int: "integer", bool: "boolean", datetime: "time"}
_PLAIN: Final[dict[object, Kind]] = {**_SCALARS, tuple[str, ...]: "texts", dict[str, str]: "tags"}
_TAGS, _TAG = "tags", "tags."
_IN_FLOW = re.compile(r"flows\[([0-9]+)\]\.")
_NO_GAPS: Final[dict[str, facts.Gap]] = {}
_NOT_FACTS = frozenset({"gaps", "declared", "ambiguous", "identity", "bare_arn"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """The type of a field. `record` is the struct of a record, or of the elements of a list.

    `absent` and `unknown`: whether the field can be None or UNSET. `derived`: it is computed from other facts.
    `description` explains it to authors of rules.
    """

    kind: Kind
    choices: tuple[str, ...] = ()
    absent: bool = False
    unknown: bool = False
    derived: bool = False
    record: type[Struct] | None = None
    facet: Facet | None = None
    description: str = ""

    @property
    def unknown_where(self) -> str:
        """Where the fact is unknown, in a few words."""
        if self.facet is not None:
            return "where a call is refused or fails"
        return "where AWS or the file does not tell" if self.unknown else "until deployed"

    @property
    def about(self) -> str:
        """What an editor shows of the fact."""
        absent = " It can be null." if self.absent else ""
        facet = f" Facet: {self.facet}." if self.facet else ""
        return f"{self.description} Unknown {self.unknown_where}.{absent}{facet}"


class AppInstance(facts.AppInstance, frozen=True, kw_only=True, gc=False):
    """An app instance with its channel flows, sorted by ARN, for rules that read them."""

    flows: Annotated[
        tuple[ChannelFlow, ...] | UnsetType, says("All its channel flows, by ARN; unknown if one could not be listed.")
    ] = UNSET


Resource = ChannelFlow | AppInstance | Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """A type of resource, and its name in rules, by which conditions inside a quantifier refer to it.

    `facet` is that by which such resources are found, where the lists of app instances and flows do not name them.
    """

    type: type[ChannelFlow] | type[AppInstance] | type[Role]
    name: str
    facet: Facet | None = None


ROOTS: Final[Mapping[ResourceType, Root]] = {
    "channel_flow": Root(type=ChannelFlow, name="flow"),
    "app_instance": Root(type=AppInstance, name="app_instance"),
    "role": Root(type=Role, name="role", facet="chat_roles"),
}


@cache
def fields(record: type[Struct]) -> dict[str, Fact]:
    """The facts of a struct, by their names in rules: its fields, and its properties that give a scalar."""
    declared = {
        field.encode_name: _fact(field.type) for field in msgspec.structs.fields(record) if field.name not in _NOT_FACTS
    }
    return declared | {
        name: replace(_fact(hint), derived=True, description=inspect.getdoc(getattr(record, name)) or "")
        for name, hint in _properties(record).items()
        if name not in _NOT_FACTS and _SCALARS.keys() & {hint, *get_args(hint)}
    }


@cache
def paths(record: type[Struct]) -> dict[str, Fact]:
    """Every path that a condition may name, with the type of its fact."""
    found: dict[str, Fact] = {}
    for name, fact in fields(record).items():
        found[name] = fact
        if fact.kind == "record" and fact.record is not None:
            found |= {f"{name}.{rest}": _inside(fact, inner) for rest, inner in paths(fact.record).items()}
    return found


def shown_besides(record: type[Struct]) -> dict[str, Fact]:
    """The facts of a resource that the evidence of a finding may show besides."""
    return {path: fact for path, fact in paths(record).items() if fact.kind not in ("record", "list")}


def lookup(record: type[Struct], path: str) -> Fact | None:
    """The fact at a path of a record; None if there is none. A single tag can always be absent."""
    known = paths(record)
    tags, _, key = path.partition(".")
    if path not in known and key and tags in known and known[tags].kind == "tags":
        return replace(known[tags], kind="text", absent=True)
    return known.get(path)


def facets(facts: Iterable[Fact]) -> frozenset[Facet]:
    """The facets to which the facts belong."""
    return frozenset(fact.facet for fact in facts if fact.facet is not None)


@cache
def attributes(path: str) -> tuple[str, ...]:
    """The attribute names of a path. ``lambda``, a Python keyword, becomes ``lambda_``. A tag's key may hold dots."""
    if path.startswith(_TAG):
        return (_TAGS, path.removeprefix(_TAG))
    return tuple(f"{name}_" if keyword.iskeyword(name) else name for name in path.split(".") if name)


def getter(path: str) -> Callable[[Any], Any]:
    """A fast function that reads a path; it raises AttributeError if anything on the way is unknown or absent."""
    names = attributes(path)
    if not names:
        return lambda thing: thing
    if path.startswith(_TAG):
        return lambda thing: thing.tags.get(names[1])
    return attrgetter(".".join(names))


def read(thing: object, names: tuple[str, ...]) -> object:
    """The value at the end of a path; UNSET if anything on the way is unknown, None if it is absent."""
    for name in names:
        if thing is UNSET or thing is None:
            return thing
        thing = thing.get(name) if isinstance(thing, dict) else getattr(thing, name)
    return thing


def part(element: object) -> str:
    """An id of a list's element that is stable across runs: for a processor, its function; for a flow, its ARN."""
    if isinstance(element, ChannelFlow):
        return key(element)
    if not isinstance(element, Processor):
        raise TypeError(element)
    return "unknown-function" if isinstance(element.lambda_, UnsetType) else element.lambda_.identity


def held_by(root: Resource, path: str) -> tuple[ChannelFlow | None, str]:
    """The flow of an app instance that holds what is at a path, with the flow's own path; None if no flow does."""
    match = _IN_FLOW.match(path)
    if match is None or not isinstance(root, AppInstance) or isinstance(root.flows, UnsetType):
        return None, ""
    return root.flows[int(match[1])], match[0]


def narrowed(flow: ChannelFlow, members: Collection[str], like: ChannelFlow) -> ChannelFlow:
    """The flow with these facts alone, as its app instance holds it: many may have to stay in memory.

    What it has in common with another flow (`like`) is not kept twice.
    """
    facts = {name: getattr(flow, name) for name in ("account_id", "region", "partition", "app_instance")}
    same = {name: kept for name in facts if (kept := getattr(like, name)) == facts[name]}
    seen = {name: getattr(flow, name) for name in members}
    gaps = {path: gap for path, gap in flow.gaps.items() if root_of(path) in members}
    declared = flow.declared if isinstance(flow.declared, UnsetType) else flow.declared.narrowed(members)
    named = {"arn": flow.arn, "gaps": gaps or _NO_GAPS, "declared": declared}
    return ChannelFlow(**facts | seen | same | named)


def is_gone(thing: object, names: tuple[str, ...]) -> bool:
    """Whether an absent fact is one of something that does not exist itself, as a function may not."""
    for name in names[:-1]:
        if getattr(thing, "exists", True) is False:
            return True
        thing = getattr(thing, name, None)
        if thing is None:
            return True
    return getattr(thing, "exists", True) is False


def type_of(resource: Resource) -> ResourceType:
    """The type of a resource, by its name in rules and reports."""
    return next(name for name, root in ROOTS.items() if isinstance(resource, root.type))


def key(resource: Resource) -> str:
    """An id of a resource that is stable across runs: its ARN or, before deployment, its place in its file."""
    declared = resource.declared
    return resource.arn if resource.arn is not NOT_YET or isinstance(declared, UnsetType) else declared.key


def written(resource: Resource, path: str) -> str | None:
    """The file's text for a fact that only the deployment settles; None if there is none."""
    return None if isinstance(resource.declared, UnsetType) else resource.declared.written.get(path)


def _inside(outer: Fact, inner: Fact) -> Fact:
    return replace(
        inner,
        absent=inner.absent or outer.absent,
        unknown=inner.unknown or outer.unknown,
        facet=inner.facet or outer.facet,
    )


def _properties(record: type[Struct]) -> dict[str, object]:
    return {
        name: get_type_hints(member.fget).get("return")
        for name, member in vars(record).items()
        if isinstance(member, property) and member.fget is not None
    }


def _fact(hint: object) -> Fact:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        descriptions = [meta.description for meta in arguments[1:] if meta.description]
        return replace(_fact(arguments[0]), facet=marks_of(hint).get("facet"), description=" ".join(descriptions))
    if origin in (Union, UnionType):
        (present,) = (member for member in arguments if member not in (NoneType, UnsetType))
        return replace(_fact(present), absent=NoneType in arguments, unknown=UnsetType in arguments)
    if origin is Literal:
        return Fact(kind="text", choices=arguments)
    if origin is tuple and issubclass(arguments[0], Struct):
        return Fact(kind="list", record=arguments[0])
    if isinstance(hint, type) and issubclass(hint, Struct):
        return Fact(kind="record", record=hint)
    return Fact(kind=_PLAIN[hint])
