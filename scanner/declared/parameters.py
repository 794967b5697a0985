"""The parameters of a template, and the values that users give them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from msgspec import Struct

from scanner.declared.holes import Text
from scanner.model.phrases import one_of, quote
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table

_MOST_ITEMS, _MOST_LISTS = 8, 256
_STORED = "AWS::SSM::Parameter::Value<"
_PATTERN = re2.Options()
_PATTERN.log_errors = False


class Parameter(Struct, frozen=True, kw_only=True):
    """A parameter that a template declares; `allowed` are its allowed values, () if it may have others.

    `choices` are the values of which a deployment uses one, () if these are not known; of a list, all lists of allowed
    values that are as long as its default. `is_hidden`: its value is a secret.
    """

    name: str
    place: Node
    type: str
    default: str | None
    allowed: tuple[str, ...]
    choices: tuple[str, ...]
    is_hidden: bool
    limits: Mapping[str, str]

    @property
    def is_stored(self) -> bool:
        """Whether its value names a parameter of Systems Manager, which holds the value that is used."""
        return self.type.startswith(_STORED)

    @property
    def is_list(self) -> bool:
        return _is_list(self.type)

    def expected(self, value: str) -> str | None:
        """What the template expects instead of a value; None if it accepts the value."""
        values = [each.strip() for each in value.split(",")] if self.is_list else [value]
        return next((wanted for each in values if (wanted := self._expected(each)) is not None), None)

    def _expected(self, value: str) -> str | None:
        if self.allowed and value not in self.allowed:
            return one_of(self.allowed)
        if self.type in ("Number", "List<Number>") and _number(value) is None:
            return "a number"
        return next((wanted for name, limit in self.limits.items() if (wanted := _beyond(value, name, limit))), None)


class ParameterSet(Struct, frozen=True, kw_only=True):
    """Values of parameters that are used together, and their places; `name` is what findings call the set.

    `texts` are values that are not settled.
    """

    name: str
    values: Mapping[str, str]
    file: str
    places: Mapping[str, Node]
    texts: Mapping[str, Text] = {}


class Values(Struct, frozen=True, kw_only=True):
    """The values that are given: `fixed` and the unsettled `texts` in all cases, each of the `sets` in one."""

    fixed: Mapping[str, str] = {}
    texts: Mapping[str, Text] = {}
    sets: tuple[ParameterSet, ...] = ()

    def named(self) -> Iterator[tuple[str, str, str]]:
        """The name, the value and the source of every given value."""
        yield from ((name, value, "--parameter") for name, value in self.fixed.items())
        for each in self.sets:
            yield from ((name, value, each.name) for name, value in each.values.items() if name not in self.fixed)


NO_VALUES = Values()


def declared(root: Table) -> Mapping[str, Parameter]:
    """The parameters of a template, by name."""
    section = root.entries.get("Parameters")
    entries = section.entries if isinstance(section, Table) else {}
    return {name: _parameter(name, node) for name, node in entries.items()}


def check(parameters: Mapping[str, Parameter], values: Values, mistakes: Mistakes) -> None:
    """Add a mistake for every given value that the template does not accept."""
    for name, value, source in values.named():
        wanted = parameters[name].expected(value) if name in parameters else None
        if wanted is not None:
            shown = "a value" if parameters[name].is_hidden else quote(value)
            message = f"found {shown} for {name}, given by {source}; expected {wanted}"
            mistakes.add(parameters[name].place, message)


def _parameter(name: str, node: Node) -> Parameter:
    entries = node.entries if isinstance(node, Table) else {}
    texts = {key: each.text for key, each in entries.items() if isinstance(each, Scalar)}
    listed = entries.get("AllowedValues")
    texts_allowed = (
        [each.text for each in listed.items if isinstance(each, Scalar)] if isinstance(listed, Listing) else []
    )
    allowed = tuple(dict.fromkeys(texts_allowed))
    return Parameter(
        name=name,
        place=node,
        type=texts.get("Type", ""),
        default=texts.get("Default"),
        allowed=allowed,
        choices=_choices(texts.get("Type", ""), texts.get("Default"), allowed),
        is_hidden=texts.get("NoEcho", "").lower() == "true",
        limits={key: texts[key] for key in _LIMITS if key in texts},
    )


def _is_list(type_: str) -> bool:
    return type_ == "CommaDelimitedList" or type_.startswith("List<")


def _choices(type_: str, default: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    if not _is_list(type_):
        return () if type_.startswith(_STORED) else allowed
    length = 0 if default is None else len(default.split(","))
    if not 0 < length <= _MOST_ITEMS or len(allowed) ** length > _MOST_LISTS:
        return ()
    return tuple(map(",".join, product(allowed, repeat=length)))


_LIMITS = ("MinLength", "MaxLength", "MinValue", "MaxValue", "AllowedPattern")


def _beyond(value: str, name: str, limit: str) -> str | None:
    """What is expected instead of a value that is beyond a limit; None for one that is not."""
    if name == "AllowedPattern":
        return None if _fits(value, limit) else f"text of the form {limit}"
    most, size = _number(limit), _number(value) if name.endswith("Value") else float(len(value))
    if most is None or size is None:
        return None
    what = "a number" if name.endswith("Value") else "a length"
    if name.startswith("Min"):
        return f"{what} of at least {limit}" if size < most else None
    return f"{what} of at most {limit}" if size > most else None


def _fits(value: str, pattern: str) -> bool:
    """Whether a value has a form; true for a form that RE2 does not know."""
    try:
        return bool(re2.compile(pattern, _PATTERN).fullmatch(value))
    except re2.error:
        return True


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
