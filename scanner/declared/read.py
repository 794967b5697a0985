"""What a file is, told by its content, and the channel flows in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scanner.declaration import Declaration, Spot
from scanner.declared.documents import MAX_BYTES, parse
from scanner.declared.files import STDIN_NAME, Candidate, is_run, unreadable
from scanner.declared.journals import Recording, recordings
from scanner.declared.requests import Facts, Home, channel_flow, member
from scanner.declared.template import Template
from scanner.errors import UsageError
from scanner.inventory import NOT_YET, AppInstance, ChannelFlow, Gap
from scanner.source import Listing, Mistakes, Node, Scalar, Table, found

Group = tuple[AppInstance | None, Iterable[ChannelFlow]]
"""An app instance with its flows; None, and flows of app instances that are not there to be judged."""

SUFFIXES = frozenset({".json", ".yaml", ".yml", ".template", ".jsonl"})
"""A broken file that ends so, in a folder, is told where it looks like a template or speaks of channel flows."""
_SPEAKS = re.compile(
    rb"channel_?flow|fallback_?action|app-?instance|AWSTemplateFormatVersion|\bAWS::\w+::", re.IGNORECASE
)
_RECORDED = re.compile(rb'\{"type":"(?:flows|app_instance|target)"')
_TELLS_TAGS = frozenset({"tags"})
_TELLS_FUNCTIONS = frozenset({"tags", "function", "callback_role"})
_EXPECTED = (
    "expected a request that makes a channel flow, output of list-channel-flows or describe-channel-flow, a "
    "CloudFormation template, or a run of chimeaudit scan"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One file that was recognised.

    `tells` names the facets that such files hold, `unseen` says what of it is not followed, `metadata` is what a
    template holds for us, by the key of the resource, and `gaps` are those of the scan that wrote it.
    """

    files: tuple[str, ...]
    groups: Iterable[Group]
    tells: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()
    metadata: tuple[tuple[str, Node], ...] = ()
    gaps: frozenset[Gap] = field(default=frozenset())


def read(candidate: Candidate, home: Home, mistakes: Mistakes) -> Document | None:
    """The file, or None: it is nothing of ours, or cannot be read, which is a mistake.

    What makes up a folder need not be ours; what a user names has to be.
    """
    try:
        return _read(candidate, home, mistakes)
    except OSError as error:
        told = f"found a file that cannot be read ({error.strerror}); expected one that can"
        mistakes.found.append(unreadable(candidate.name, told))
    except UsageError as error:
        mistakes.found.append(unreadable(candidate.name, f"{error.message}; {error.hint}"))
    return None


def _read(candidate: Candidate, home: Home, mistakes: Mistakes) -> Document | None:
    if candidate.path.is_dir():
        return _run(candidate.path, candidate.name)
    data = candidate.content()
    if _RECORDED.match(data) and candidate.name != STDIN_NAME:
        return _recording(candidate)
    if not candidate.named and not _is_likely(candidate) and not _SPEAKS.search(data):
        return None  # source code and the like; there may be much of it
    own = Mistakes(candidate.name)
    root = parse(data, own)
    if root is None:
        mistakes.found += own.found if candidate.named or _is_told(candidate, data) else ()
        return None
    before = len(mistakes.found)
    document = _recognised(root, candidate, home, mistakes)
    if document is None and candidate.named and len(mistakes.found) == before:
        mistakes.add(root, f"{_described(root)}; {_EXPECTED}")
    return document


def _is_told(candidate: Candidate, data: bytes) -> bool:
    """Whether a broken file of a folder looks like one of ours."""
    if not _is_likely(candidate):
        return False
    if len(data) <= MAX_BYTES:
        return _SPEAKS.search(data) is not None
    with candidate.path.open("rb") as file:
        return any(_SPEAKS.search(line) for line in iter(lambda: file.readline(1 << 20), b""))


def _is_likely(candidate: Candidate) -> bool:
    return candidate.path.suffix.lower() in SUFFIXES


def _recognised(root: Node, candidate: Candidate, home: Home, mistakes: Mistakes) -> Document | None:
    if not isinstance(root, Table):
        return None
    entries = root.entries
    if _is_template(root):
        return _template(root, candidate.name, home, mistakes)
    if isinstance(flows := entries.get("ChannelFlows"), Listing):
        return _listed(root, flows, candidate.name, home, mistakes)
    if isinstance(flow := entries.get("ChannelFlow"), Table) and "ChannelFlowArn" in flow.entries:
        described = _described_flow(flow, candidate.name, home, mistakes)
        return Document(files=(candidate.name,), groups=[(None, [described])])
    if _is_request(root):
        facts = Facts(file=candidate.name, id="", mistakes=mistakes)
        tells = _TELLS_TAGS
        if member(root, "ChannelFlowArn") is not None:
            facts.untold.add("tags")
            tells = frozenset()
        groups: list[Group] = [(None, [channel_flow(root, facts, home)])]
        return Document(files=(candidate.name,), groups=groups, tells=tells)
    if "journal_version" in entries and is_run(candidate.path.parent):
        return _run(candidate.path.parent, Path(candidate.name).parent.as_posix())
    return None


def _is_template(root: Table) -> bool:
    section = root.entries.get("Resources")
    resources = section.entries.values() if isinstance(section, Table) else ()
    types = (each.entries.get("Type") for each in resources if isinstance(each, Table))
    typed = any(isinstance(type_, Scalar) and "::" in type_.text for type_ in types)
    return typed or "AWSTemplateFormatVersion" in root.entries


def _is_request(root: Table) -> bool:
    """A request names an app instance or a flow, or at least has processors that fall back."""
    processors = member(root, "Processors")
    if processors is None:
        return False
    if any(member(root, name) is not None for name in ("AppInstanceArn", "ChannelFlowArn")):
        return True
    return isinstance(processors, Listing) and any(member(each, "FallbackAction") for each in processors.items)


def _template(root: Table, name: str, home: Home, mistakes: Mistakes) -> Document | None:
    if not isinstance(root.entries.get("Resources"), Table):
        mistakes.add(
            root.entries.get("Resources", root), "found a template without Resources; expected a mapping of them"
        )
        return None
    template = Template(root, name, home, mistakes)
    return Document(
        files=(name,),
        groups=template.groups(),
        tells=_TELLS_FUNCTIONS,
        unseen=tuple(template.unseen),
        metadata=tuple(template.metadata),
    )


def _listed(root: Table, flows: Listing, name: str, home: Home, mistakes: Mistakes) -> Document:
    """What list-channel-flows printed: one app instance's flows, all of them unless more was to follow."""
    seen = [_described_flow(flow, name, home, mistakes) for flow in flows.items if isinstance(flow, Table)]
    more = root.entries.get("NextToken")
    unseen: tuple[str, ...] = ()
    if isinstance(more, Scalar) and more.value is not None:
        unseen = (f"{name}: channel flows on further pages; it ends with a NextToken.",)
    owner = None if unseen else _owner_of(seen, name, root.keys["ChannelFlows"])
    return Document(files=(name,), groups=[(owner, seen)], unseen=unseen)


def _owner_of(flows: list[ChannelFlow], name: str, place: Node) -> AppInstance | None:
    """The app instance that all flows of a list belong to: its ARN is all that is told of it."""
    owners = {flow.app_instance for flow in flows}
    owner = owners.pop() if len(owners) == 1 else None
    if owner is None or owner.arn is NOT_YET:
        return None
    return AppInstance(
        arn=owner.arn,
        id=owner.id,
        account_id=flows[0].account_id,
        region=flows[0].region,
        partition=flows[0].partition,
        declared=Declaration(
            file=name,
            id=owner.arn,
            spots={"": Spot(line=place.line, column=place.column)},
            written={"name": owner.arn},
            untold=frozenset({"name", "tags", "failure_alert"}),
        ),
    )


def _described_flow(flow: Table, name: str, home: Home, mistakes: Mistakes) -> ChannelFlow:
    arn = flow.entries.get("ChannelFlowArn")
    facts = Facts(file=name, id=arn.text if isinstance(arn, Scalar) else "", mistakes=mistakes)
    facts.untold.add("tags")
    return channel_flow(flow, facts, home)


def _run(directory: Path, name: str) -> Document:
    journal, found = recordings(directory, name)
    return _recorded(found, frozenset(journal.header.facets), frozenset(journal.header.gaps))


def _recording(candidate: Candidate) -> Document:
    """One target's file; whether its run collected facets, the run says."""
    directory = candidate.path.parent.parent
    if is_run(directory):
        journal, _ = recordings(directory, candidate.name)
        facets = frozenset(journal.header.facets)
    else:
        facets = frozenset()
    return _recorded([Recording(candidate.path, candidate.name, facets)], facets, frozenset())


def _recorded(found: list[Recording], tells: frozenset[str], gaps: frozenset[Gap]) -> Document:
    def groups() -> Iterator[Group]:
        for recording in found:
            yield from recording.groups()

    return Document(
        files=tuple(recording.name for recording in found),
        groups=groups(),
        tells=tells,
        gaps=gaps.union(*(recording.gaps for recording in found)),
    )


def _described(root: Node) -> str:
    if isinstance(root, Table) and {"schema_version", "tool", "findings"} <= root.entries.keys():
        return "found a saved report, which `chimeaudit report` and `chimeaudit diff` read"
    return f"{found(root)} that declares no channel flow" if isinstance(root, Table) else found(root)
