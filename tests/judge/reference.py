"""A slow, simple interpreter of conditions as rules write them, with which the compiled ones are compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from msgspec import UNSET, UnsetType

from scanner.language.vocabulary import attributes, read

Truth = bool | UnsetType

TEXTS = ("lambda.access.foreign_app_instances",)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def holds(condition: dict[str, Any], thing: Any, root: Any, gone: Truth = False) -> Truth:
    """Whether a condition holds; `gone` is the verdict of what is said of a function that does not exist."""
    return every([_entry(key, value, thing, root, gone) for key, value in condition.items()])


def every(truths: list[Truth]) -> Truth:
    if any(truth is False for truth in truths):
        return False
    return UNSET if any(truth is UNSET for truth in truths) else True


def no(truth: Truth) -> Truth:
    return UNSET if truth is UNSET else not truth


def any_one(truths: list[Truth]) -> Truth:
    return no(every([no(truth) for truth in truths]))


def _entry(key: str, value: Any, thing: Any, root: Any, gone: Truth) -> Truth:
    if key == "all_of":
        return every([holds(part, thing, root, gone) for part in value])
    if key == "any_of":
        return any_one([holds(part, thing, root, gone) for part in value])
    if key == "not":
        return no(holds(value, thing, root, no(gone)))
    if key.startswith("flow."):
        key, thing = key[5:], root
    found = read(thing, attributes(key))
    if key.startswith("lambda.access.") and thing.lambda_ is not UNSET and thing.lambda_.access is None:
        return gone
    if key == "processors":
        return (
            UNSET if found is UNSET else every([_list(name, body, found, value, root) for name, body in value.items()])
        )
    if key in TEXTS:
        return every([_texts(name, body, found) for name, body in value.items()])
    if not isinstance(value, dict):
        value = {"equals": value}
    return every([_compare(name, found, operand, thing, root) for name, operand in value.items()])


def _texts(name: str, body: Any, found: Any) -> Truth:
    if isinstance(found, UnsetType):
        return UNSET
    texts = found or ()
    if name == "count":
        tests = body if isinstance(body, dict) else {"equals": body}
        return every([_known(op, len(texts), operand) for op, operand in tests.items()])
    if name == "contains":
        return bool(body in texts)
    tests = body if isinstance(body, dict) else {"equals": body}
    truths = [every([_known(op, text, operand) for op, operand in tests.items()]) for text in texts]
    match name:
        case "each":
            return every(truths)
        case "some":
            return any_one(truths)
    return no(any_one(truths))


def _list(name: str, body: Any, elements: Any, matchers: dict[str, Any], root: Any) -> Truth:
    where = matchers.get("where")
    inside = [True if where is None else holds(where, element, root) for element in elements]
    if name in ("each", "first", "last") and "when" in body:
        chosen = [holds(body["when"], element, root) for element in elements]
        body = {key: value for key, value in body.items() if key != "when"}
        inside = [every([in_, when]) for in_, when in zip(inside, chosen, strict=True)]
    match name:
        case "where":
            return True
        case "each" | "none":
            truths = [holds(body, element, root, name == "each") for element in elements]
            wanted = truths if name == "each" else [no(truth) for truth in truths]
            return every([any_one([no(in_), truth]) for in_, truth in zip(inside, wanted, strict=True)])
        case "some":
            truths = [holds(body, element, root) for element in elements]
            return any_one([every([in_, truth]) for in_, truth in zip(inside, truths, strict=True)])
        case "first" | "last":
            places = [read(element, (f"is_{name}",)) for element in elements]
            truths = [holds(body, element, root, True) for element in elements]
            known = [UNSET if place is UNSET else bool(place) for place in places]
            known = [every([in_, place]) for in_, place in zip(inside, known, strict=True)]
            whole = every([any_one([no(place), truth]) for place, truth in zip(known, truths, strict=True)])
            return whole if elements else False
        case "count":
            tests = body if isinstance(body, dict) else {"equals": body}
            fewest = sum(in_ is True for in_ in inside)
            most = fewest + sum(in_ is UNSET for in_ in inside)
            return every(
                [_agreed([_known(op, n, operand) for n in range(fewest, most + 1)]) for op, operand in tests.items()]
            )
    values = [read(element, attributes(body)) for element, in_ in zip(elements, inside, strict=True) if in_ is True]
    doubtful = any(in_ is UNSET for in_ in inside)
    if name == "unique":
        return UNSET if doubtful and _unique(values) is not False else _unique(values)
    return UNSET if doubtful else _contiguous(values)


def _agreed(truths: list[bool]) -> Truth:
    return truths[0] if len(set(truths)) == 1 else UNSET


def _unique(values: list[Any]) -> Truth:
    pairs = [(a, b) for index, a in enumerate(values) for b in values[index + 1 :]]
    if any(a == b and a is not None and a is not UNSET for a, b in pairs):
        return False
    return UNSET if any(a is UNSET or b is UNSET for a, b in pairs) else True


def _contiguous(values: list[Any]) -> Truth:
    known = [value for value in values if value is not UNSET]
    if any(known.count(value) > 1 or not 1 <= value <= len(values) for value in known):
        return False
    return True if len(known) == len(values) else UNSET


def _compare(name: str, found: Any, operand: Any, thing: Any, root: Any) -> Truth:
    if isinstance(operand, dict):
        path = operand["field"]
        operand = read(root, attributes(path[5:])) if path.startswith("flow.") else read(thing, attributes(path))
    if isinstance(found, UnsetType) or isinstance(operand, UnsetType):
        return UNSET
    return _known(name, found, operand)


def _known(name: str, found: Any, operand: Any) -> bool:  # noqa: C901, PLR0911, PLR0912 - one line an operator
    match name:
        case "equals":
            return bool(found == operand)
        case "not_equals":
            return bool(found != operand)
        case "in":
            return bool(found in operand)
        case "not_in":
            return found not in operand
        case "exists":
            return (found is not None) is operand
        case "not_matches":
            return found is None or operand not in found
        case "not_like":
            return found is None or not fnmatchcase(found, operand)
    if found is None or operand is None:
        return False
    match name:
        case "contains" | "matches":
            return operand in found
        case "like":
            return fnmatchcase(found, operand)
        case "starts_with":
            return bool(found.startswith(operand))
        case "ends_with":
            return bool(found.endswith(operand))
        case "gt":
            return bool(found > operand)
        case "gte":
            return bool(found >= operand)
        case "lt":
            return bool(found < operand)
        case "lte":
            return bool(found <= operand)
        case "older_than":
            return bool(NOW - found > int(operand[:-1]) * DAY)
        case "newer_than":
            return bool(NOW - found < int(operand[:-1]) * DAY)
        case "more_days_ahead_than":
            return bool(found - NOW > operand * DAY)
        case "has_keys":
            return all(key in found for key in operand)
    raise AssertionError(name)
