"""The manual of the rule language, as Markdown, made from the tables by which rules are checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import msgspec
import yaml
from msgspec import Struct

from scanner import resources
from scanner.language import header, params
from scanner.language.examples import KEYS as TEST_KEYS
from scanner.language.operators import NEGATIVES, OPERATORS
from scanner.language.schema import QUANTIFIERS, WHEN
from scanner.language.vocabulary import ROOTS, Fact, paths
from scanner.model.operations import FACETS


class Sample(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on a channel flow, with facts that fulfil it and others that do not."""

    require: dict[str, object]
    passes: dict[str, object]
    fails: dict[str, object]


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a rule that does something often asked for, with tests; `title` says what."""

    title: str
    resource: str
    require: dict[str, object]
    message: str
    tests: list[dict[str, object]]
    params: dict[str, object] | None = None
    when: dict[str, object] | None = None

    @property
    def rule(self) -> dict[str, object]:
        """The keys of a rule that the recipe gives, in their order."""
        written = msgspec.to_builtins(self)
        return {key: written[key] for key in header.KEYS if key != "title" and written.get(key) is not None}


class Samples(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The examples of the manual; `operators` by name."""

    operators: dict[str, Sample]
    recipes: list[Recipe]


@cache
def samples() -> Samples:
    """The examples of the manual, each of which is run by a test."""
    text = (resources.reports() / "rule-language.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Samples)


def markdown() -> str:
    """The manual."""
    parts = [
        _INTRODUCTION,
        _table(("key", "needed", "what it says"), _keys()),
        _FIELDS,
        *(part for name, root in ROOTS.items() for part in _root(name, root.type)),
        _FACETS,
        _table(("facet", "IAM actions"), ((f"`{name}`", _actions(name)) for name in sorted(FACETS))),
        _RETRIES,
        _OPERATORS,
        _table(
            ("operator", "for", "operand", "holds where", "of null", "example", "given that", "and not"), _operators()
        ),
        _NULL,
        _LISTS,
        _table(("key", "meaning"), _lists()),
        _REST,
        _table(
            ("type", "its value"),
            ((f"`{name}`", _VALUES.get(fact.kind, fact.kind)) for name, fact in params.TYPES.items()),
        ),
        _MESSAGES,
        _table(("key", "what it says"), ((f"`{key}`", text) for key, text in TEST_KEYS.items())),
        _RECIPES,
        *(_recipe(recipe) for recipe in samples().recipes),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _keys() -> Iterator[Sequence[str]]:
    for key, text in header.KEYS.items():
        yield f"`{key}`", "yes" if key in header.REQUIRED else "", text


def _root(name: str, record: type[Struct]) -> Iterator[str]:
    root = ROOTS[name]  # type: ignore[index]  # the names are those of ROOTS
    yield f"### {name}"
    if root.facet is not None:
        yield f"A scan finds them by the facet `{root.facet}`, whatever a rule reads of them."
    if any(fact.kind == "list" for fact in paths(record).values()):
        yield f"Inside lists, `{root.name}.` leads to these fields."
    yield _fields(record)
    for path, fact in paths(record).items():
        if fact.kind == "list" and fact.record is not None:
            yield f"### {name}: {path}[]"
            if any(fact.record is each.type for each in ROOTS.values()):
                yield "The fields are those of channel_flow, above."
            else:
                yield _fields(fact.record)


def _fields(record: type[Struct]) -> str:
    rows = (
        (
            f"`{path}`",
            _type(fact),
            fact.unknown_where,
            "yes" if fact.absent else "",
            f"`{fact.facet}`" if fact.facet else "",
            fact.description,
        )
        for path, fact in paths(record).items()
    )
    return _table(("field", "type", "unknown", "null", "facet", "what it is"), rows)


def _type(fact: Fact) -> str:
    return " or ".join(f"`{choice}`" for choice in fact.choices) or _KINDS.get(fact.kind, fact.kind)


def _actions(facet: str) -> str:
    return ", ".join(f"`{action}`" for action in sorted({each.action for each in FACETS[facet]}))


def _operators() -> Iterator[Sequence[str]]:
    negated = {base: name for name, base in NEGATIVES.items()}
    for base, each in OPERATORS.items():
        for name in filter(None, (base, negated.get(base))):
            negative = name in NEGATIVES
            kinds = ", ".join(_KINDS.get(kind, kind) for kind in sorted(each.kinds))
            sample = samples().operators[name]
            yield (
                f"`{name}`",
                "any field" if len(each.kinds) > _MANY else kinds,
                _OPERANDS[each.operand],
                f"Not so: {each.description}" if negative else each.description,
                _of_null(name, negative),
                *(f"`{_inline(part)}`" for part in (sample.require, sample.passes, sample.fails)),
            )


def _of_null(name: str, negative: bool) -> str:
    if name == "exists":
        return "`exists: false` holds"
    return "holds" if negative else "does not hold"


def _lists() -> Iterator[Sequence[str]]:
    yield from ((f"`{name}`", text) for name, text in QUANTIFIERS.items())
    yield "`when`, inside `each`, `first` or `last`", WHEN
    yield "`count`", "How many elements there are: a number, or operators on one."
    yield "`unique`", _UNIQUE
    yield "`contiguous`", "The named field of the elements must run from 1 without gaps or repeats."
    yield "`exists`", "Whether there is a list."


def _recipe(recipe: Recipe) -> str:
    written = yaml.safe_dump(recipe.rule, sort_keys=False, width=100, allow_unicode=True)
    return f"### {recipe.title}\n\n```yaml\n{written}```"


def _inline(part: dict[str, object]) -> str:
    text: str = yaml.safe_dump(part, default_flow_style=True, width=1000, sort_keys=False).strip()
    return text.removeprefix("{").removesuffix("}")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


_MANY = 4
_KINDS = {
    "texts": "list of texts",
    "time": "time",
    "boolean": "true or false",
    "tags": "tags",
}
_OPERANDS = {
    "scalar": "a value, a field or a parameter",
    "list": "a list, or a parameter of type list",
    "pattern": "a regular expression (RE2), or a parameter",
    "wildcards": "a text with `*` and `?`, or a parameter",
    "boolean": "`true` or `false`",
    "duration": "a duration such as `90d` or `12h`, or a parameter",
    "days": "a number of days, or a parameter",
}
_VALUES = {
    "text": "a text",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "duration": "`90d` or `12h`",
    "list": "a list of values such as those that it is compared with",
}
_UNIQUE = (
    "The named field of the elements must not repeat. Null never repeats. With an unknown value the verdict is "
    "unknown, unless known ones repeat."
)

_INTRODUCTION = """
# The language of rules

As `chimeaudit rules language` prints it, from the tables by which rules are checked.

A rule is a YAML file, `<topic>/<id>.yaml`. `chimeaudit rules new TOPIC/ID` writes one to start from, with a JSON
Schema by which an editor completes the keys; `chimeaudit rules test PATH` checks it and runs the tests inside;
`chimeaudit scan --rules default --rules PATH` runs it beside the rules that ship. A mistake in a rule stops the
run, with the line, what was found and what was expected. An editor sees mistakes in keys, fields, operators and
values; what hangs on another place (parameters, placeholders, which tests there are), only the loader sees.

## Keys
"""
_FIELDS = """
## Fields

`resource` chooses what a rule judges. A condition maps fields to what must hold of them; several must all hold:

```yaml
require:
  region: {in: [us-east-1, eu-central-1]}
  account_id: "111122223333"        # in quotes: YAML would read a number
```

A fact is known, unknown, or null: known to be absent. The columns say of which fields. "until deployed" means that
AWS always tells the fact, and that before a deployment a file may leave it open; what a kind of file cannot tell at
all leaves out the rule there.
"""
_FACETS = """
### What facets cost

Fields with a facet are asked for by calls of their own, and only if a loaded rule reads one of them. Each field of
the facet needs these IAM actions; all others need only `chime:ListAppInstances` and `chime:ListChannelFlows`. Where
a call is refused, the field is unknown.
"""
_RETRIES = """
`retries` is one call more for each function with a dead-letter queue. A rule reads it that compares
`lambda.function.maximum_retry_attempts`, unless it does so of elements without a queue alone: `where:
{lambda.function.dead_letter_queue: {exists: false}}`.
"""
_OPERATORS = """
## Operators

A bare value means `equals`; several operators under a field must all hold. An operand is written as it is, or is a
parameter, `{param: NAME}`, or, where the table says so, another field, `{field: PATH}`. Of an unknown fact, or
compared with one, every operator is unknown. Upper and lower case differ; `{matches: "(?i)prod"}` takes both.
"""
_NULL = """
## Null and unknown

One rule for every operator: **null has no value, so no comparison holds of it, and every negative one does.**
`exists: false` asks for null itself, and null equals another null. Of a processor without qualifier,
`lambda.qualifier: {matches: "."}` does not hold and `lambda.qualifier: {not_in: [live]}` does; `{exists: true,
not_in: [live]}` asks for both.

**What does not exist has no facts to judge.** Where a function does not exist, all that is said of its facts is
neither fulfilled nor broken, whatever the operator, also under `not`: such a processor is no failure for `each`,
`none`, `first` and `last`, and is not chosen by `some`, `where` and `when`. So `{gte: 10}` and `{not_in: [3]}` come
to the same. Only `exists` asks for it: `lambda.function.exists: true`.

Unknown is neither true nor false: false and unknown is false, true or unknown is true, all else with unknown is
unknown, and so is `not` unknown. A rule that comes to unknown gives a finding of status unknown, with the gap
behind it. It never passes.
"""
_LISTS = """
## Lists

`processors` and `flows` are lists of records, read by these keys; a condition in them names fields of the element.
A condition may begin with the resource, too: in a rule on channel flows, `flow.region` means the flow's region,
wherever it stands. Lists nest. A list of texts knows `each`, `some`, `none`, `count`, `contains` and `exists`.
`flows` are in no order, so that they have no `first` and `last`; they are unknown as a whole if the list of flows
broke off. Each element that fails `each`, `first`, `last` or `none` gives a finding of its own; processors that invoke
the same function share one.
"""
_REST = """
## all_of, any_of, not

`all_of` and `any_of` hold a list of conditions, `not` holds one. They stand where a condition does, also inside a list,
and never between a field and its operators. What has no negative operator is negated by `not`:

```yaml
require:
  not: {name: {contains: test}}
  any_of:
    - region: {like: "us-*"}
    - processors: {each: {not: {name: {starts_with: tmp-}}}}
```

## when and not_applicable

`when`, beside `require`, says where a rule applies. Where it is false the verdict is `not_applicable`, where it is
unknown and `require` does not surely hold, `unknown`. `off_unless` names a parameter without which the rule is off:
while that is an empty text, an empty list or false, it applies to nothing, and asks AWS for nothing.

```yaml
when: {region: {like: "eu-*"}}
require: {name: {starts_with: eu-}}
```

## Parameters

A parameter has a `type`, a `default` and a `description`, and is set in chimeaudit.yaml. It must be used in a
condition.
"""
_MESSAGES = """
## Messages

Placeholders are fields of what fails. That is the element where `each`, `none`, `first` or `last` makes a finding of
each. Of `some`, `any_of`, `count`, `unique`, `contiguous`, and `not` of `each`, `first` or `last`, it is what they
stand in: the resource, or an element of an outer list. `{flow.name}` (`{app_instance.name}`, `{role.name}`) is always
of the resource; in a rule on app instances `{flow.name}` is of the flow that fails or holds the processor that does.
`{param.NAME}` is the value of a parameter, and `{tags.KEY}` a tag, whatever signs its key has. `{{` and `}}` are
braces. A placeholder that is unknown reads `(unknown)`, one that is null `(none)`. An empty list that must have
elements says that there are none, in place of the message. The message is no part of a finding's fingerprint.

## Tests

At least one test passes and one fails, and one is unknown if the rule reads a facet.
"""
_RECIPES = """
In `given`, what is left out is in good order, in account 111122223333 and us-east-1: a flow with one processor, which
falls back to ABORT and whose function is healthy; an app instance with one such flow; a role that allows nothing it
should not. A time is given as its age (`90d`), the plain word `unknown` is a fact that was not observed, and null one
that is absent.

## Recipes

Each is the part of a rule below its title, severity, rationale, remediation and references.
"""
