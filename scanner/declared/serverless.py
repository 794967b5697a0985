"""The CloudFormation template in a file of the Serverless Framework, whose variables are holes in it.

https://www.serverless.com/framework/docs/providers/aws/guide/resources
https://www.serverless.com/framework/docs/guides/variables
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from scanner.declared import serverless_functions
from scanner.declared.callers import speaks
from scanner.declared.plans import Converted
from scanner.declared.unread import NAMES_CHIME, Unread
from scanner.model.yamltree import Listing, Node, Scalar, Table

VARIABLE = re.compile(
    rb"\$\{\s*(?:(?:aws|cf|doppler|env|git|opt|output|param|s3|self|sls|ssm|terraform|vault)"
    rb"(?:\([^)]*\))?:[\w/.~$]|(?:file|strToBool)\()"
)
"""The beginning of a variable of the Serverless Framework; a placeholder of CloudFormation names no such source."""
_VARIABLE = re.compile(VARIABLE.pattern.decode())
_OPEN = re.compile(r"\$\{|\}")
_SUB = "Fn::Sub"
_FILE = re.compile(r"\bfile\(([^)${]+)\)")


def converted(root: Table, file: str) -> Converted | None:
    """The template in a file of the framework; None if the file is none."""
    resources = root.entries.get("resources")
    if resources is None or not ("service" in root.entries and {"provider", "functions"} & root.entries.keys()):
        return None
    parts = resources.items if isinstance(resources, Listing) else (resources,)
    sections: dict[str, Table] = {}
    elsewhere = []
    for part in parts:
        if (variable := _variable(part)) is not None:
            elsewhere.append(variable)
            continue
        for name, section in part.entries.items() if isinstance(part, Table) else ():
            if (variable := _variable(section)) is not None:
                elsewhere.append(variable)
            elif isinstance(section, Table):
                before = sections.get(name, replace(section, entries={}, keys={}))
                keys = {**before.keys, **section.keys}
                sections[name] = replace(section, entries={**before.entries, **section.entries}, keys=keys)
    entries: dict[str, Node] = {"Resources": _table(resources), **sections}
    if not elsewhere:  # which might hold what belongs to a function
        changed = sections.get("extensions", _table(resources)).entries
        entries["Resources"] = _with_functions(sections.get("Resources", _table(resources)), root, changed)
    return Converted(
        root=replace(root, entries=entries, keys={}),
        unread=tuple(_unread(each, file) for each in elsewhere if _matters(each, root)),
        is_plan=False,
    )


def _table(place: Node) -> Table:
    return Table(line=place.line, column=place.column, entries={}, keys={})


def _with_functions(section: Table, root: Table, changed: Collection[str]) -> Table:
    """The resources, with those of the functions, except those that the file changes in ways that are not followed."""
    made = {id_: each for id_, each in serverless_functions.resources(root).items() if id_ not in changed}
    entries = {id_: node for id_, (_, node) in made.items()}
    keys = {id_: key for id_, (key, _) in made.items()}
    return replace(section, entries={**entries, **section.entries}, keys=keys | section.keys)


def _variable(node: Node) -> Scalar | None:
    """The variable that stands for a whole part of the template."""
    match node:
        case Table(entries={"Fn::Sub": Scalar() as variable}) if len(node.entries) == 1:
            return variable
    return None


def _matters(variable: Scalar, root: Table) -> bool:
    """Whether a part of the template that is elsewhere, or the file that leaves it open, has to do with Chime."""
    return NAMES_CHIME.search(variable.text) is not None or speaks(root, NAMES_CHIME)


def _unread(variable: Scalar, file: str) -> Unread:
    """A part of the template that is elsewhere. It is read if it is a file of the run."""
    named = _FILE.search(variable.text)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), named[1])) if named else None
    return Unread(place=variable, what=f"what {variable.text} holds", unless=path)


def with_holes(node: Node) -> Node:
    """The value with each text that has variables in it as a call of Fn::Sub, which leaves them open."""
    match node:
        case Table(entries={"Fn::Sub": argument}) if len(node.entries) == 1:
            return replace(node, entries={_SUB: _in_call(argument)})
        case Table():
            return replace(node, entries={key: with_holes(each) for key, each in node.entries.items()})
        case Listing():
            return replace(node, items=tuple(map(with_holes, node.items)))
        case Scalar(value=str()) if _VARIABLE.search(node.text):
            pieces = _pieces(node.text)
            text = "".join(_flat(each) if is_variable else each.replace("${", "${!") for is_variable, each in pieces)
            argument = replace(node, value=text, text=text)
            return Table(line=node.line, column=node.column, entries={_SUB: argument}, keys={_SUB: argument})
    return node


def _in_call(argument: Node) -> Node:
    """The argument of Fn::Sub, in which variables stand beside placeholders."""
    if isinstance(argument, Listing):
        return replace(argument, items=(*map(_in_call, argument.items[:1]), *map(with_holes, argument.items[1:])))
    if not isinstance(argument, Scalar):
        return argument
    text = "".join(_flat(piece) if is_variable else piece for is_variable, piece in _pieces(argument.text))
    return replace(argument, value=text, text=text)


def _flat(variable: str) -> str:
    """A variable as a placeholder of Fn::Sub, in which no other may stand."""
    return "${" + variable.replace("${", "").replace("}", "") + "}"


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The parts of a text, each with whether it is a variable; one in which others stand is one part."""
    end = 0
    while (found := _VARIABLE.search(text, end)) is not None:
        depth, close = 0, len(text)
        for mark in _OPEN.finditer(text, found.start()):
            depth += -1 if mark[0] == "}" else 1
            if not depth:
                close = mark.end()
                break
        yield False, text[end : found.start()]
        yield True, text[found.start() : close]
        end = close
    yield False, text[end:]
