"""What to do about a finding: its rule's remediation, with the facts of the resource in place of placeholders.

People paste commands into a shell, and names in AWS may be hostile. A value of harmless characters is filled in as it
is. Any other name is quoted for the shell and the AWS CLI. A name is left out if it cannot be printed, or if the CLI
would read it as an option or an address (``file://``). A placeholder that is left open looks like ``<FLOW_NAME>`` and
stands outside quotes, so that a shell fails on it and runs nothing. The script of the HTML page does the same
(reports/html/script/remedy.js).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from scanner.model.facts import GLOBAL
from scanner.model.report import UNKNOWN, Evidence, Finding, PipelineStep, Resource

PLACEHOLDERS = (
    *("REGION", "ACCOUNT_ID", "APP_INSTANCE_ARN", "APP_INSTANCE_ID", "CHANNEL_FLOW_ARN", "FLOW_NAME", "PROCESSORS"),
    *("PROCESSOR_NAME", "EXECUTION_ORDER", "FALLBACK_ACTION", "FUNCTION_ARN", "FUNCTION_NAME", "FUNCTION_REGION"),
    *("OTHER_PROCESSORS", "ROLE_NAME"),
)
"""All placeholders; CONTRIBUTING.md explains each."""
_PLACEHOLDER = re.compile(
    r"( OTHER_PROCESSORS(?!\w)|(?<!\w)(?:REGION|PROCESSORS|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?!\w))", re.ASCII
)
_COMMAND = re.compile(r"(?<!\\)\n")
_LEADS_TO_COMMAND = re.compile(r"(?<=\.) (?:The call|These|This|Until then)\b[^.]*:$")
_HARMLESS = re.compile(r"(?!.*//)[A-Za-z0-9_][A-Za-z0-9_.:/-]*(?: [A-Za-z0-9_][A-Za-z0-9_.:/-]*)*")
_MISTAKEN = re.compile(r"-|(file|fileb|https?)://")
_PROCESSOR = re.compile(r"processors\[([0-9]{1,9})\]")


class _Gap(Struct, frozen=True):
    """A placeholder, and whether it stands within quotes, as a whole word, or as the name of a processor."""

    name: str
    quoted: bool
    alone: bool
    named: bool

    @property
    def marked(self) -> str:
        space = " " * self.name.startswith(" ")
        mark = f"{space}<{self.name.strip()}>"
        return f"'{mark}'" if self.quoted else mark


def filled(text: str, resource: Resource | None = None, evidence: Iterable[Evidence] = ()) -> str:
    """Fill in a rule's remediation for a finding; without a resource, all placeholders stay open."""
    at = None if resource is None else _processor(evidence, resource.processors)
    words = []
    for piece in _pieces(text):
        if isinstance(piece, str):
            words.append(piece)
            continue
        value = None if resource is None else _value(piece, resource, at)
        words.append(piece.marked if value is None else value)
    return "".join(words)


def in_file(finding: Finding, edits: Sequence[str]) -> str:
    """What to do about a finding in a file: the edits or, where there are none, the place; then the rule's prose."""
    prose = without_commands(finding.remediation)
    if edits or finding.location is None:
        return "\n\n".join((";\n".join(edits), prose))
    return f"line {finding.location.line}: {prose}"


def has_commands(text: str) -> bool:
    """Whether a remediation has a command."""
    return any(map(_is_command, _COMMAND.split(text)))


def _is_command(line: str) -> bool:
    return line.lstrip().startswith("aws ")


@lru_cache(maxsize=256)
def without_commands(text: str) -> str:
    """A remediation without its commands, and without the sentences that lead to them."""
    kept = ""
    for part in _COMMAND.split(text.strip()):
        if _is_command(part):
            kept = _LEADS_TO_COMMAND.sub("", kept).rstrip()
            kept = f"{kept[:-1]}." if kept.endswith(":") else kept
        else:
            goes_on = kept.endswith(".") and part[:1].islower()
            kept = f"{kept[:-1] if goes_on else kept} {part}".strip()
    return kept


@lru_cache(maxsize=256)
def _pieces(text: str) -> tuple[str | _Gap, ...]:
    """Split a text at placeholders: the known ones and, in commands, all words in capitals with an underscore."""
    pieces: list[str | _Gap] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        command = _COMMAND.split(text[: match.start()])[-1].lstrip()
        if match[0].strip() not in PLACEHOLDERS and not command.startswith("aws "):
            continue
        before, after = text[: match.start()], text[match.end() :]
        gap = _Gap(
            name=match[0],
            quoted=command.startswith("aws ") and command.count("'") % 2 == 1,
            alone=f" {before}"[-1].isspace() and f"{after} "[0].isspace(),
            named=before.endswith("Name=") and after.startswith(","),
        )
        pieces += [text[end : match.start()], gap]
        end = match.end()
    return (*pieces, text[end:])


def _value(gap: _Gap, resource: Resource, at: int | None) -> str | None:
    if gap.name.startswith(" "):
        return _others(resource.processors, at)
    if gap.name.endswith("_NAME") and (name := _name(gap.name, resource, at)) is not None:
        return _in_shorthand(name) if gap.named and gap.quoted else _as_word(name, gap)
    return _of_resource(gap.name, resource, at)


def _name(placeholder: str, resource: Resource, at: int | None) -> str | None:
    if placeholder == "FLOW_NAME" and resource.type == "channel_flow":
        return resource.name
    if placeholder == "ROLE_NAME" and resource.type == "role":
        return resource.name if resource.arn else None  # before deployment it may be the logical id
    return resource.processors[at].name if placeholder == "PROCESSOR_NAME" and at is not None else None


def _as_word(name: str, gap: _Gap) -> str | None:
    """The name as a word of a shell command; None if it cannot be one safely."""
    if _HARMLESS.fullmatch(name) and not (" " in name and gap.alone):
        return name
    if not gap.alone or gap.quoted or not _printable(name) or _MISTAKEN.match(name):
        return None
    return "'" + _escaped(name) + "'"


def _in_shorthand(name: str) -> str | None:
    """The name in the AWS CLI's shorthand syntax, inside single quotes of the shell; None if it cannot be printed.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
    """
    if _HARMLESS.fullmatch(name):
        return name
    if not _printable(name):
        return None
    quoted = name.replace("\\", r"\\").replace('"', r"\"")
    return _escaped(f'"{quoted}"')


def _printable(name: str) -> bool:
    return bool(name) and name.isprintable()


def _escaped(text: str) -> str:
    """The text, escaped for use inside single quotes of the shell."""
    return text.replace("'", r"'\''")


def _of_resource(name: str, resource: Resource, at: int | None) -> str | None:
    match name:
        case "REGION":
            return None if resource.region == GLOBAL else _harmless(_known(resource.region))
        case "ACCOUNT_ID":
            return _harmless(_known(resource.account_id))
        case "APP_INSTANCE_ARN":
            return _harmless(resource.app_instance_arn)
        case "APP_INSTANCE_ID":
            return _harmless((resource.app_instance_arn or "").rpartition("/")[2])
        case "CHANNEL_FLOW_ARN" if resource.type == "channel_flow":
            return _harmless(resource.arn)
        case "PROCESSORS":
            return _shorthand(resource.processors) or None
    return None if at is None else _of_processor(name, resource.processors[at])


def _known(text: str) -> str | None:
    return None if text == UNKNOWN else text


def _of_processor(name: str, step: PipelineStep) -> str | None:
    arn = (step.lambda_arn or "").split(":")
    match name:
        case "EXECUTION_ORDER":
            return _harmless(step.execution_order)
        case "FALLBACK_ACTION":
            return _harmless(step.fallback_action)
        case "FUNCTION_ARN":
            return _function_arn(step)
        case "FUNCTION_NAME":
            return _harmless("".join(arn[6:7]))
        case "FUNCTION_REGION":
            return _harmless("".join(arn[3:4]))
    return None


def _others(steps: Sequence[PipelineStep], at: int | None) -> str | None:
    """The processors other than `at`, after a space; empty if there are none, None if one is not known."""
    others = None if at is None else _shorthand((*steps[:at], *steps[at + 1 :]))
    return f" {others}" if others else others


def _processor(evidence: Iterable[Evidence], steps: Sequence[PipelineStep]) -> int | None:
    """The index of the processor that evidence is about; None if it is about none or several."""
    found = {int(match[1]) for item in evidence if (match := _PROCESSOR.match(item.path))}
    at = found.pop() if len(found) == 1 else len(steps)
    return at if at < len(steps) else None


def _shorthand(steps: Iterable[PipelineStep]) -> str | None:
    """Processors in the AWS CLI's shorthand syntax; None unless all are fully known and their names can be printed."""
    words: list[str] = []
    for step in steps:
        known = (_in_shorthand(step.name or ""), _harmless(step.execution_order), _harmless(step.fallback_action))
        name, order, fallback, function = (*known, _function_arn(step))
        if None in (name, order, fallback, function):
            return None
        words.append(
            f"'Name={name},ExecutionOrder={order},FallbackAction={fallback},"
            f"Configuration={{Lambda={{ResourceArn={function},InvocationType=ASYNC}}}}'"
        )
    return " ".join(words)


def _function_arn(step: PipelineStep) -> str | None:
    """The function's ARN without $LATEST, which is the default."""
    return _harmless((step.lambda_arn or "").removesuffix(":$LATEST"))


def _harmless(value: str | int | None) -> str | None:
    text = "" if value is None else str(value)
    return text if _HARMLESS.fullmatch(text) else None
