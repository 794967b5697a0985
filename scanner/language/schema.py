"""The JSON Schema of a rule file, made from the loader's own tables; editors use it to complete keys."""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec import Struct

from scanner.language import checks, examples, frameworks, header, params
from scanner.language.comparing import compared
from scanner.language.hints import POSITIONS
from scanner.language.operators import NEGATIVES, OPERATORS, applicable
from scanner.language.vocabulary import ROOTS, Fact, fields, paths, shown_besides
from scanner.model.moments import DURATION
from scanner.model.report import HELP, Severity

Schema = dict[str, Any]

_TYPES: Final[dict[str, Schema]] = {
    "text": {"type": "string"},
    "pattern": {"type": "string"},
    "wildcards": {"type": "string"},
    "duration": {"type": "string", "pattern": f"^{DURATION.pattern}$"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
}
QUANTIFIERS: Final = {
    "each": "Every element must fulfil this; an empty list does.",
    "some": "At least one element must fulfil this; an empty list does not.",
    "none": "No element may fulfil this; an empty list does.",
    "first": "The element that is first must fulfil this; every one of them where several share the place.",
    "last": "The element that is last must fulfil this; every one of them where several share the place.",
    "where": "Only the elements that fulfil this count for each, some, none, count, unique or contiguous beside it.",
}
WHEN: Final = "Only the elements that fulfil this must fulfil what stands beside it."

_SCALARS: Final = {
    "Text": Fact(kind="text"),
    "Integer": Fact(kind="integer"),
    "Boolean": Fact(kind="boolean"),
}
_PARAMETER: Final[Schema] = {
    "description": "The value of one of the rule's parameters.",
    "type": "object",
    "required": ["param"],
    "additionalProperties": False,
    "properties": {"param": {"type": "string"}},
}
_REFERENCE: Final[Schema] = {
    "description": "The value of another field; inside a list, flow. or app_instance. leads to the resource.",
    "type": "object",
    "required": ["field"],
    "additionalProperties": False,
    "properties": {"field": {"type": "string"}},
}
_COUNT: Final[Schema] = {"description": "How many elements there are.", "$ref": "#/$defs/Integer"}
_CONTIGUOUS = "This field must run from 1 without gaps or repeats."


def definitions() -> Schema:
    """The `$defs` of the schema, by name."""
    records = _records()
    return {
        **{f"{record.__name__}Condition": _condition(record) for record in records},
        **{f"{record.__name__}Choice": _choice(record) for record in records if record in _listed()},
        **{f"{record.__name__}Given": _given(record) for record in records},
        **{name: _matcher(name, fact) for name, fact in _SCALARS.items()},
        "Time": _operators("time", Fact(kind="time")),
        "Tags": _operators("set of tags", Fact(kind="tags")),
        "Texts": _texts(),
        "Reference": _REFERENCE,
        "Parameter": _PARAMETER,
    }


def _records() -> list[type[Struct]]:
    """Every struct that a rule can read, in the order in which the roots lead to them."""
    found: dict[type[Struct], None] = {}

    def visit(record: type[Struct]) -> None:
        found[record] = None
        for fact in fields(record).values():
            if fact.record is not None and fact.record not in found:
                visit(fact.record)

    for root in ROOTS.values():
        visit(root.type)
    return list(found)


def _condition(record: type[Struct]) -> Schema:
    itself = {"$ref": f"#/$defs/{record.__name__}Condition"}
    several = {"type": "array", "minItems": 1, "items": itself}
    return {
        "description": f"A condition on a {record.__name__}; several keys must all hold.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "all_of": {"description": "All of these must hold.", **several},
            "any_of": {"description": "One of these must hold.", **several},
            "not": {"description": "This must not hold.", **itself},
            **{path: {**_field(fact), "description": fact.about} for path, fact in paths(record).items()},
        },
        **_other_keys(record),
    }


def _choice(record: type[Struct]) -> Schema:
    """A condition with which `when` may stand."""
    condition = _condition(record)
    chosen = {"description": WHEN, "$ref": f"#/$defs/{record.__name__}Condition"}
    return {**condition, "properties": {"when": chosen, **condition["properties"]}, **_never_alone("when")}


def _never_alone(key: str, *others: str) -> Schema:
    """That a key stands with another, and with none of `others`."""
    return {"dependentSchemas": {key: {"minProperties": 2, "properties": dict.fromkeys(others, False)}}}


def _listed() -> set[type[Struct]]:
    """The structs that are elements of lists."""
    every = (fact for record in _records() for fact in fields(record).values() if fact.kind == "list")
    return {fact.record for fact in every if fact.record is not None}


def _other_keys(record: type[Struct]) -> Schema:
    tags = [path for path, fact in paths(record).items() if fact.kind == "tags"]
    names = "|".join(root.name for root in ROOTS.values())
    of_resource = {rf"^({names})\..": {"description": "A field of the resource, from inside a list."}}
    return {"patternProperties": {rf"^{path}\..": {"$ref": "#/$defs/Text"} for path in tags} | of_resource}


def _field(fact: Fact) -> Schema:
    if fact.kind == "list" and fact.record is not None:
        return _list(fact.record)
    if fact.kind == "record":
        return _operators("record", fact)
    if fact.choices:
        return _matcher("text", fact)
    return {"$ref": f"#/$defs/{fact.kind.capitalize()}"}


def _list(record: type[Struct]) -> Schema:
    inside = {"$ref": f"#/$defs/{record.__name__}Condition"}
    choice = {"$ref": f"#/$defs/{record.__name__}Choice"}
    names = [path for path, fact in paths(record).items() if fact.kind in ("text", "integer")]
    numbers = [path for path, fact in paths(record).items() if fact.kind == "integer"]
    unordered = [name for name, place in POSITIONS.items() if place not in paths(record)]
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            **{
                name: {"description": text, **(choice if name in ("each", *POSITIONS) else inside)}
                for name, text in QUANTIFIERS.items()
                if name not in unordered
            },
            "count": _COUNT,
            "unique": {"description": "This field of the elements must not repeat.", "enum": names},
            **({"contiguous": {"description": _CONTIGUOUS, "enum": numbers}} if numbers else {}),
            **_operators("list", Fact(kind="list"))["properties"],
        },
        **_never_alone("where", *POSITIONS),
    }


def _texts() -> Schema:
    inside = {"$ref": "#/$defs/Text"}
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            **{name: {"description": QUANTIFIERS[name], **inside} for name in ("each", "some", "none")},
            "count": _COUNT,
            **_operators("list of texts", Fact(kind="texts"))["properties"],
        },
    }


def _matcher(name: str, fact: Fact) -> Schema:
    return {
        "description": f"A {name.lower()} that the field must equal, or operators that must all hold.",
        "anyOf": [_value(fact), {"$ref": "#/$defs/Parameter"}, {"$ref": "#/$defs/Reference"}, _operators(name, fact)],
    }


def _operators(name: str, fact: Fact) -> Schema:
    return {
        "description": f"Operators on a {name.lower()}.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {operator: _operator(operator, fact) for operator in applicable(fact.kind)},
    }


def _operator(name: str, fact: Fact) -> Schema:
    base = OPERATORS[NEGATIVES.get(name, name)]
    description = f"Not so: {base.description}" if name in NEGATIVES else base.description
    if base.operand == "boolean":
        return {"description": description, "type": "boolean"}
    value = _value(compared(NEGATIVES.get(name, name), fact))
    parameter, reference = {"$ref": "#/$defs/Parameter"}, {"$ref": "#/$defs/Reference"}
    match base.operand:
        case "list":
            return {"description": description, "anyOf": [{"type": "array", "items": value}, parameter]}
        case "pattern" | "wildcards" | "duration" | "days":
            return {"description": description, "anyOf": [value, parameter]}
    return {"description": description, "anyOf": [value, parameter, reference]}


def _value(fact: Fact) -> Schema:
    return {"enum": list(fact.choices)} if fact.choices else _TYPES[fact.kind]


def _given(record: type[Struct]) -> Schema:
    return {
        "description": f"Facts of a {record.__name__}; those left out are in good order.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {**_fact(fact), "description": _given_as(fact)}
            for name, fact in fields(record).items()
            if not fact.derived
        },
    }


def _fact(fact: Fact) -> Schema:
    forms: list[Schema] = [_known(fact)]
    if fact.unknown:
        forms.append({"const": "unknown", "description": "The fact could not be observed."})
    if fact.absent:
        forms.append({"type": "null", "description": "The fact is known to be absent."})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _given_as(fact: Fact) -> str:
    return f"{fact.description} How long ago that was." if fact.kind == "time" else fact.description


def _known(fact: Fact) -> Schema:
    match fact.kind:
        case "time":
            return _TYPES["duration"]
        case "texts":
            return {"type": "array", "items": _TYPES["text"]}
        case "tags":
            return {"type": "object", "additionalProperties": _TYPES["text"]}
    if fact.record is None:
        return _value(fact)
    given = {"$ref": f"#/$defs/{fact.record.__name__}Given"}
    return {"type": "array", "items": given} if fact.kind == "list" else given


_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}


def rule_schema() -> Schema:
    """The JSON Schema of a rule file. It accepts every rule that the loader accepts, and some that it refuses."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:chimeaudit:schema:rule-1.1",
        "title": "Rule of chimeaudit",
        "description": "One rule, in a file that is called like its id, in the folder of its topic.",
        "type": "object",
        "required": list(header.REQUIRED),
        "additionalProperties": False,
        "properties": {key: {"description": text, **_key(key)} for key, text in header.KEYS.items()},
        "allOf": [_for_resource(resource) for resource in ROOTS],
        "$defs": definitions(),
    }


def render() -> str:
    """The text of the schema file in the repository."""
    return json.dumps(rule_schema(), indent=2) + "\n"


def _key(key: str) -> Schema:
    texts = {"type": "array", "minItems": 1, "items": _TEXT}
    special: dict[str, Schema] = {
        "id": {"type": "string", "pattern": f"^{checks.SLUG.pattern}$"},
        "severity": {"enum": checks.words(Severity)},
        "status": {"enum": list(header.STATUSES)},
        "profiles": {"type": "array", "minItems": 1, "items": {"enum": list(header.PROFILES)}},
        "resource": {"enum": list(header.RESOURCES)},
        "references": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^https://"}},
        "help": {"type": "string", "pattern": f"^{HELP}$"},
        "changes": {"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
        "frameworks": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^{frameworks.NAME.pattern}$"},
            "properties": {name: {"description": each.title, **texts} for name, each in frameworks.shipped().items()},
            "additionalProperties": texts,
        },
        "params": {"type": "object", "minProperties": 1, "additionalProperties": _param()},
        "evidence": texts,
        "off_unless": {"type": "string", "pattern": f"^{checks.NAME.pattern}$"},
        "when": {"type": "object"},
        "require": {"type": "object"},
        "tests": {"type": "array", "minItems": 2, "items": _test()},
    }
    return special.get(key, _TEXT)


def _param() -> Schema:
    return {
        "type": "object",
        "required": list(params.KEYS),
        "additionalProperties": False,
        "properties": {
            "type": {"enum": list(params.TYPES)},
            "default": {"description": "The value where an organisation sets none."},
            "description": {"description": "What it is for.", **_TEXT},
        },
        "allOf": [_default(name, fact) for name, fact in params.TYPES.items()],
    }


def _default(name: str, fact: Fact) -> Schema:
    """What the default of a parameter of a type may be; that of one which switches the rule off may be empty."""
    scalars: Schema = {"type": "array", "items": {"type": ["string", "integer", "boolean"]}}
    value = scalars if fact.kind == "list" else {"anyOf": [_value(fact), {"const": ""}]}
    return {
        "if": {"required": ["type"], "properties": {"type": {"const": name}}},
        "then": {"properties": {"default": value}},
    }


def _test() -> Schema:
    kinds: dict[str, Schema] = {
        "name": _TEXT,
        "given": {"type": "object"},
        "params": {"type": "object"},
        "expect": {"enum": list(examples.VERDICTS)},
    }
    return {
        "type": "object",
        "required": ["name", "given", "expect"],
        "additionalProperties": False,
        "properties": {key: {"description": text, **kinds[key]} for key, text in examples.KEYS.items()},
    }


def _for_resource(resource: str) -> Schema:
    record = next(root.type for kind, root in ROOTS.items() if kind == resource)
    condition = {"$ref": f"#/$defs/{record.__name__}Condition"}
    given = {"type": "array", "items": {"properties": {"given": {"$ref": f"#/$defs/{record.__name__}Given"}}}}
    shown = {"items": {"enum": list(shown_besides(record))}}
    return {
        "if": {"required": ["resource"], "properties": {"resource": {"const": resource}}},
        "then": {"properties": {"when": condition, "require": condition, "tests": given, "evidence": shown}},
    }
