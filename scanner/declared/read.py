"""Recognises a file by its content and reads the channel flows in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from msgspec import Struct, structs

from scanner.declared import answers, jsontext, pulumi, sam, serverless, sourcecode, terraform
from scanner.declared.callers import call_in
from scanner.declared.candidates import Candidate, unreadable
from scanner.declared.documents import JSON_SUFFIXES, MAX_BYTES, SUFFIXES, parse
from scanner.declared.intrinsics import LOOP, TRANSFORM
from scanner.declared.journals import Recording
from scanner.declared.plans import Converted
from scanner.declared.requests import Facts, Home, channel_flow, member
from scanner.declared.source import Source
from scanner.declared.template import Template
from scanner.declared.unread import Unread
from scanner.errors import Mistake, UsageError
from scanner.language import vocabulary
from scanner.model import encoding
from scanner.model.branches import Cases
from scanner.model.facts import AppInstance, ChannelFlow, Gap, LambdaFunction, Role
from scanner.model.metadata import aws_only, facets_of
from scanner.model.yamltree import START, Listing, Mistakes, Node, Scalar, Table, found, place_after
from scanner.policy import LeftOut
from scanner.store.journal import Journal, is_run

Group = tuple[AppInstance | Cases[vocabulary.AppInstance] | None, Iterable[ChannelFlow | Cases[ChannelFlow]]]
"""An app instance with its flows; or None with flows whose app instance is not to be judged."""

_SPEAKS = re.compile(
    rb"channel_?flow|fallback_?action|app-?instance|AWSTemplateFormatVersion|\bAWS::\w+::", re.IGNORECASE
)
_MAY_DECLARE = re.compile(_SPEAKS.pattern + rb"|Resources|processors|chime|journal_version|\\[uUx]", re.IGNORECASE)
"""What is found in every file that is recognised, or an escape, which may hide it."""
_RESOURCES = re.compile(rb"""^Resources\s*:|(["'])Resources\1\s*:|[{,]\s*Resources\s*:""", re.MULTILINE)
_CALLED = re.compile(
    rb"chime-?sdk-?messaging(?:[^\n]|\\\r?\n){0,200}?(?:\n[ \t]+)?(?:create|update|delete|associate)-?channel-?flow",
    re.IGNORECASE,
)
_DECLARES = re.compile(rb"fallback_?action|AWS::Chime::ChannelFlow|" + _CALLED.pattern, re.IGNORECASE)
_RECORDED = re.compile(
    rb'\{"type":"(?:flows","app_instance_arn|app_instance","app_instance|roles","roles|target","index)"'
)
_SYNTHESIZED = re.compile(rb"aws:cdk:path|AWS::CDK::Metadata|/cdk-bootstrap/")
_OF_CHIME = re.compile(rb"AWS::Chime|chime[-:]|ChannelFlow", re.IGNORECASE)
_LOST = (
    "What cdk synth does not print: the account and the region of the stack, its nested stacks and the other stacks of "
    "the app. Check the folder cdk.out."
)
_TOLD_BY_REQUESTS = frozenset(
    facet for name, facet in facets_of(ChannelFlow).items() if name not in aws_only(ChannelFlow)
)
_TOLD_BY_TEMPLATES = _TOLD_BY_REQUESTS | {
    "all_channels",
    "retries",
    *facets_of(LambdaFunction).values(),
    *facets_of(Role).values(),
}
_TOLD_BY_PLANS = _TOLD_BY_REQUESTS | {"all_channels"}
_FORM = "the channel flows of what this text is made into; check what the tool that fills it in writes"
_ANSWERS = {"ChannelFlows": "a list of channel flows", "ChannelFlow": "a channel flow"}
_REPORT = frozenset({"schema_version", "tool", "findings"})
_OURS = (
    _REPORT,
    frozenset({"id", "severity", "resource", "require"}),  # a rule
    frozenset({"rule_id", "fingerprint", "evidence"}),
    frozenset({"type", "processors", "verdicts"}),  # an item of an inventory
    frozenset({"class_uid", "finding_info"}),  # OCSF
    frozenset({"GeneratorId", "ProductArn"}),  # ASFF
)
_EXPECTED = (
    "expected a request that makes a channel flow, output of list-channel-flows or describe-channel-flow, a "
    "CloudFormation template, or a run of chimeaudit scan"
)


class Document(Struct, frozen=True, kw_only=True):
    """A file that was recognised.

    - `roles`: roles that signed-in users are given, LEFT_OUT for each that is not judged, and gaps.
    - `tells`: the facets that files of this kind can tell.
    - `unread`: parts that may make flows in a form that is not supported.
    - `notes`: sentences on what else was not followed, to be read after the groups.
    - `metadata`: chimeaudit's metadata in a template, with the key of each resource.
    - `covers`: what is judged by this that other files of the run declare, too (scanner.declared.unread.Unread).
    - `gaps`: those of the scan that wrote the file.
    - `parameters`: the names of a template's parameters; None if it is no template.
    - `source`: the text of the file, unless it says what is deployed.
    """

    file: str
    groups: Iterable[Group] = ()
    roles: Iterable[Role | Cases[Role] | LeftOut | Gap] = ()
    tells: frozenset[str] = frozenset()
    unread: tuple[Unread, ...] = ()
    notes: Iterable[str] = ()
    metadata: tuple[tuple[str, Node], ...] = ()
    covers: frozenset[str] = frozenset()
    gaps: frozenset[Gap] = frozenset()
    parameters: frozenset[str] | None = None
    source: Source | None = None


class FileReading(Struct, frozen=True, kw_only=True):
    """The result of reading a file: documents (several for a run), or parts of an unknown form that may make flows.

    `is_read`: the whole file was parsed as JSON or YAML. `is_passed_over`: git ignores it, and it declares nothing.
    """

    documents: tuple[Document, ...] = ()
    unread: tuple[Unread, ...] = ()
    is_read: bool = True
    is_passed_over: bool = False


_UNREAD = FileReading(is_read=False)
_PASSED_OVER = FileReading(is_read=False, is_passed_over=True)


def read(candidate: Candidate, home: Home, mistakes: Mistakes, *, has_to_be: bool) -> FileReading:
    """Read a file. A file that cannot be read is a mistake; one that is not recognised gives no documents.

    `has_to_be`: the user named the file, so that it is a mistake if it is not recognised.
    """
    try:
        reading = _read(candidate, home, mistakes, has_to_be=has_to_be)
        return reading if reading.documents or not candidate.ignored else _PASSED_OVER
    except (OSError, UsageError) as error:
        mistakes.found.append(broken(candidate.name, error))
        return _UNREAD


def broken(name: str, error: OSError | UsageError) -> Mistake:
    """The mistake for a file that cannot be read, or only in part."""
    if isinstance(error, OSError):
        return unreadable(name, f"found a file that cannot be read ({error.strerror}); expected one that can")
    return unreadable(name, f"{error.message.removeprefix(f'{name}: ')}; {error.hint}")


def _read(candidate: Candidate, home: Home, mistakes: Mistakes, *, has_to_be: bool) -> FileReading:
    if candidate.is_folder:
        return FileReading(documents=_run(candidate.path, candidate.name, mistakes))
    if not candidate.is_file:
        if has_to_be:
            raise OSError(0, "it is no file, nor a link to one")
        return _UNREAD
    data = encoding.utf8(candidate.content())
    if _RECORDED.match(data) and not candidate.is_stdin:
        return FileReading(documents=(_recording(candidate),))
    if not candidate.is_stdin and (found_calls := sourcecode.calls(candidate.path, data)):
        return FileReading(unread=found_calls, is_read=False)
    return _declared(candidate, data, home, mistakes, has_to_be=has_to_be)


def _declared(candidate: Candidate, data: bytes, home: Home, mistakes: Mistakes, *, has_to_be: bool) -> FileReading:
    if not has_to_be and _is_beside_the_point(candidate, data):
        return _UNREAD
    is_whole_json = candidate.path.suffix.lower() in JSON_SUFFIXES and len(data) <= MAX_BYTES
    if is_whole_json and not (has_to_be or _MAY_DECLARE.search(data)):
        return FileReading(is_read=jsontext.is_valid(data))
    own = Mistakes(candidate.name)
    root = _parsed(candidate, data, own)
    if root is None:
        mistakes.found += own.found if has_to_be or _is_told(candidate, data) else ()
        is_form = not has_to_be and sourcecode.is_form(candidate.path) and _DECLARES.search(data) is not None
        return FileReading(unread=(Unread(place=START, what=_FORM),), is_read=False) if is_form else _UNREAD
    before = len(mistakes.found)
    documents = _recognised(root, candidate, home, mistakes)
    if candidate.is_stdin and _SYNTHESIZED.search(data) and _OF_CHIME.search(data):
        documents = tuple(structs.replace(each, notes=chain(each.notes, [_LOST])) for each in documents)
    if documents or len(mistakes.found) > before:
        source = Source(candidate.path, candidate.name, data, root)
        if source.is_answer:
            return FileReading(documents=documents)
        return FileReading(documents=tuple(structs.replace(each, source=source) for each in documents))
    if has_to_be:
        mistakes.add(root, f"{_described(root)}; {_EXPECTED}")
    elif _is_likely(candidate) and _DECLARES.search(data) and not _is_ours(root):
        return FileReading(unread=(_of_no_known_form(root, data),))
    return _UNREAD if isinstance(root, Scalar) else FileReading()  # YAML may read a script as one long word


def _parsed(candidate: Candidate, data: bytes, mistakes: Mistakes) -> Node | None:
    root = parse(data, mistakes, only_json=candidate.path.suffix.lower() in JSON_SUFFIXES)
    has_variables = isinstance(root, Table) and not _is_request(root) and serverless.VARIABLE.search(data)
    return serverless.with_holes(root) if root is not None and has_variables else root


def _is_beside_the_point(candidate: Candidate, data: bytes) -> bool:
    """Whether a file need not be parsed: source code and the like, and what git ignores, of which there may be much."""
    if candidate.ignored and len(data) <= MAX_BYTES and not _looks_ours(data):
        return True
    return not _is_likely(candidate) and not _SPEAKS.search(data)


def _is_told(candidate: Candidate, data: bytes) -> bool:
    """Whether a broken file in a folder looks as if it declared flows, so that it must be reported."""
    if not _is_likely(candidate) or _is_ours(parse(data.partition(b"\n")[0], Mistakes(candidate.name), only_json=True)):
        return False
    if len(data) <= MAX_BYTES or candidate.is_stdin:
        return _looks_ours(data)
    with candidate.path.open(encoding=encoding.name(data), errors="replace") as file:
        return any(_looks_ours(line.encode()) for line in iter(lambda: file.readline(1 << 20), ""))


def _looks_ours(data: bytes) -> bool:
    return _SPEAKS.search(data) is not None or _RESOURCES.search(data) is not None


def _is_likely(candidate: Candidate) -> bool:
    return candidate.path.suffix.lower() in SUFFIXES or candidate.is_stdin


def _recognised(root: Node, candidate: Candidate, home: Home, mistakes: Mistakes) -> tuple[Document, ...]:
    if not isinstance(root, Table):
        return _list(root, candidate, home, mistakes)
    entries, name = root.entries, candidate.name
    if (form := _as_template(root, name)) is not None:
        return _template(form, name, home, mistakes)
    if isinstance(flows := entries.get("ChannelFlows"), Listing):
        return (_listed(root, flows, name, home, mistakes),)
    if (answer := next((key for key in _ANSWERS if _is_nothing(entries.get(key))), None)) is not None:
        mistakes.add(entries[answer], f"found nothing; expected {_ANSWERS[answer]}, as AWS answers")
        return ()
    if isinstance(flow := entries.get("ChannelFlow"), Table) and "ChannelFlowArn" in flow.entries:
        return (Document(file=name, groups=[(None, [answers.flow(flow, name, home, mistakes)])]),)
    if _is_request(root):
        return (_request(root, name, home, mistakes),)
    if "journal_version" in entries and is_run(candidate.path.parent):
        return _run(candidate.path.parent, Path(name).parent.as_posix(), mistakes)
    return ()


def _is_nothing(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _is_template(root: Table) -> bool:
    section = root.entries.get("Resources")
    resources = section.entries.values() if isinstance(section, Table) else ()
    types = (each.entries.get("Type") for each in resources if isinstance(each, Table))
    typed = any(isinstance(type_, Scalar) and "::" in type_.text for type_ in types)
    put_in = isinstance(section, Table) and any(key == TRANSFORM or key.startswith(LOOP) for key in section.entries)
    return typed or put_in or "AWSTemplateFormatVersion" in root.entries


def _is_request(root: Table) -> bool:
    """Whether it is a request: it names an app instance or a flow, or has processors with a fallback action."""
    processors = member(root, "Processors")
    if processors is None:
        return False
    if any(member(root, name) is not None for name in ("AppInstanceArn", "ChannelFlowArn")):
        return True
    return isinstance(processors, Listing) and any(member(each, "FallbackAction") for each in processors.items)


def _request(root: Table, name: str, home: Home, mistakes: Mistakes, id_: str = "") -> Document:
    facts = Facts(file=name, id=id_, mistakes=mistakes)
    tells = _TOLD_BY_REQUESTS
    if member(root, "ChannelFlowArn") is not None:
        facts.untold.add("tags")
        tells = frozenset()
    return Document(file=name, groups=[(None, [channel_flow(root, facts, home)])], tells=tells)


def _list(root: Node, candidate: Candidate, home: Home, mistakes: Mistakes) -> tuple[Document, ...]:
    """A list of requests, or the processors of one flow, as `--processors file://` takes them, if a user named it."""
    items = root.items if isinstance(root, Listing) and candidate.named else ()
    tables = [each for each in items if isinstance(each, Table)]
    if len(tables) < len(items) or not tables:
        return ()
    if not all(map(_is_request, tables)):
        if all(member(each, "FallbackAction") is None for each in tables):
            return ()
        tables = [Table(line=root.line, column=root.column, entries={"Processors": root}, keys={})]
    documents = [_request(each, candidate.name, home, mistakes, id_) for id_, each in _identified(tables)]
    flows = tuple(group for each in documents for group in each.groups)
    tells = frozenset.intersection(*(each.tells for each in documents))
    return (structs.replace(documents[0], groups=flows, tells=tells),)


def _identified(requests: Sequence[Table]) -> Iterator[tuple[str, Table]]:
    """The requests by their names, or by their numbers where that is none or another's, too."""
    if len(requests) == 1:
        yield "", requests[0]
        return
    names = [node.text if isinstance(node := member(each, "Name"), Scalar) else "" for each in requests]
    for number, (name, each) in enumerate(zip(names, requests, strict=True)):
        yield (name if name and names.count(name) == 1 else f"[{number}]"), each


def _of_no_known_form(root: Node, data: bytes) -> Unread:
    """What is said of a file that declares flows in another form, at the line of a call in it if there is one."""
    called = call_in(root)
    place = root
    if called is not None and (match := _CALLED.search(data)) is not None:
        place = place_after(data[: match.start()].decode(errors="replace"))
    what = "channel flows in a form that is not known"
    return Unread(place=place, what=what if called is None else f"the channel flows that it makes; it calls {called}")


def _as_template(root: Table, name: str) -> Converted | None:
    """The template that a file is, or as which it can be read; None if it is none."""
    if _is_template(root):
        return Converted(root=sam.transformed(root), is_plan=False)
    return terraform.converted(root) or pulumi.converted(root) or serverless.converted(root, name)


def _template(form: Converted, name: str, home: Home, mistakes: Mistakes) -> tuple[Document, ...]:
    root = form.root
    if not isinstance(root.entries.get("Resources"), Table):
        mistakes.add(
            root.entries.get("Resources", root), "found a template without Resources; expected a mapping of them"
        )
        return ()
    template = Template(root, name, home, mistakes)
    document = Document(
        file=name,
        groups=template.groups(),
        roles=template.roles(),
        tells=_TOLD_BY_PLANS if form.is_plan else _TOLD_BY_TEMPLATES,
        notes=template.notes(),
        unread=(*template.unread.found, *form.unread),
        metadata=tuple(template.metadata),
        covers=form.covers,
        parameters=template.parameters,
    )
    return (document,)


def _listed(root: Table, flows: Listing, name: str, home: Home, mistakes: Mistakes) -> Document:
    """The output of list-channel-flows: all flows of one app instance, unless there are further pages."""
    tables = [flow for flow in flows.items if isinstance(flow, Table)]
    for other in flows.items:
        if not isinstance(other, Table):
            mistakes.add(other, f"{found(other)}; expected a channel flow")
    seen = [answers.flow(flow, name, home, mistakes) for flow in tables]
    more = root.entries.get("NextToken")
    unread: tuple[Unread, ...] = ()
    if isinstance(more, Scalar) and more.value is not None:
        unread = (Unread(place=more, what="channel flows on further pages; it ends with a NextToken"),)
    is_whole = not unread and len(tables) == len(flows.items)
    owner = answers.owner_of(seen, name, root.keys["ChannelFlows"]) if is_whole else None
    return Document(file=name, groups=[(owner, seen)], unread=unread)


def _run(directory: Path, name: str, mistakes: Mistakes) -> tuple[Document, ...]:
    """The documents of a run: its header, and each target whose file is not damaged."""
    journal = Journal.open(directory)
    facets = frozenset(journal.header.facets)
    documents = [Document(file=f"{name}/run.json", tells=facets, gaps=frozenset(journal.header.gaps))]
    for path in sorted(map(journal.target_path, journal.header.targets)):
        file = f"{name}/targets/{path.name}"
        try:
            documents.append(_recorded(Recording(path, file, facets), facets))
        except (OSError, UsageError) as error:
            mistakes.found.append(broken(file, error))
    return tuple(documents)


def _recording(candidate: Candidate) -> Document:
    """The document of one target's file; its facets are those of its run, if the run's header is beside it."""
    directory = candidate.path.parent.parent
    facets = frozenset(Journal.open(directory).header.facets) if is_run(directory) else frozenset()
    return _recorded(Recording(candidate.path.resolve(), candidate.name, facets), facets)


def _recorded(recording: Recording, tells: frozenset[str]) -> Document:
    return Document(
        file=recording.name,
        groups=recording.groups(),
        roles=recording.roles(),
        tells=tells,
        gaps=frozenset(recording.gaps),
    )


def _is_ours(root: Node | None) -> bool:
    """Whether chimeaudit reads or writes files of this kind itself, such as rules, reports and lists of findings."""
    if isinstance(root, Listing):
        return bool(root.items) and all(map(_is_ours, root.items))
    return isinstance(root, Table) and any(keys <= root.entries.keys() for keys in _OURS)


def _described(root: Node) -> str:
    if isinstance(root, Table) and root.entries.keys() >= _REPORT:
        return "found a saved report, which `chimeaudit report` and `chimeaudit diff` read"
    return f"{found(root)} that declares no channel flow" if isinstance(root, Table) else found(root)
