"""What to do about a finding: its rule's remediation, with what is known of the resource in place of placeholders.

A command is copied into a shell, and names in AWS are hostile. So only values of harmless characters are filled in,
each word of which begins like a word, not like an option, and none of which the AWS CLI would take for an address to
read from (``file://``); for any other the placeholder stays. The script of the HTML page does the same
(reports/html/script/remedy.js).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from scanner.finding import UNKNOWN, Evidence, PipelineStep, Resource

PLACEHOLDERS = (
    *("REGION", "ACCOUNT_ID", "APP_INSTANCE_ARN", "CHANNEL_FLOW_ARN", "FLOW_NAME", "PROCESSORS"),
    *("PROCESSOR_NAME", "EXECUTION_ORDER", "FALLBACK_ACTION", "FUNCTION_ARN", "FUNCTION_NAME", "FUNCTION_REGION"),
    "OTHER_PROCESSORS",
)
"""All that can be filled in; CONTRIBUTING.md says what each stands for."""
_PLACEHOLDER = re.compile(rf"( OTHER_PROCESSORS(?!\w)|(?<!\w)(?:{'|'.join(PLACEHOLDERS)})(?!\w))", re.ASCII)
_HARMLESS = re.compile(r"(?!.*//)[A-Za-z0-9_][A-Za-z0-9_.:/-]*(?: [A-Za-z0-9_][A-Za-z0-9_.:/-]*)*")
_PROCESSOR = re.compile(r"processors\[([0-9]{1,9})\]")


def filled(text: str, resource: Resource, evidence: Iterable[Evidence]) -> str:
    """The remediation `text` of a rule, for a finding on this resource with this evidence."""
    at = _processor(evidence, resource.processors)
    pieces = _pieces(text)
    words = list(pieces)
    for n in range(1, len(pieces), 2):
        name = pieces[n]
        found = _others(resource.processors, at) if name.startswith(" ") else _of_resource(name, resource, at)
        if found is not None:
            quoted = " " in found and name.endswith("_NAME") and _stands_alone(pieces[n - 1], pieces[n + 1])
            words[n] = f"'{found}'" if quoted else found
    return "".join(words)


@lru_cache(maxsize=256)
def _pieces(text: str) -> tuple[str, ...]:
    """The text around placeholders, and every other one a placeholder."""
    return tuple(_PLACEHOLDER.split(text))


def _stands_alone(before: str, after: str) -> bool:
    """Whether what stands between them is a word of the shell's."""
    return f" {before}"[-1].isspace() and f"{after} "[0].isspace()


def _of_resource(name: str, resource: Resource, at: int | None) -> str | None:
    match name:
        case "REGION":
            return _harmless(_known(resource.region))
        case "ACCOUNT_ID":
            return _harmless(_known(resource.account_id))
        case "APP_INSTANCE_ARN":
            return _harmless(resource.app_instance_arn)
        case "CHANNEL_FLOW_ARN" | "FLOW_NAME" if resource.type == "channel_flow":
            return _harmless(resource.arn if name == "CHANNEL_FLOW_ARN" else resource.name)
        case "PROCESSORS":
            return _shorthand(resource.processors) or None
    return None if at is None else _of_processor(name, resource.processors[at])


def _known(place: str) -> str | None:
    return None if place == UNKNOWN else place


def _of_processor(name: str, step: PipelineStep) -> str | None:
    arn = (step.lambda_arn or "").split(":")
    match name:
        case "PROCESSOR_NAME":
            return _harmless(step.name)
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
    """The other processors, with the space before them, which goes where there are none."""
    others = None if at is None else _shorthand((*steps[:at], *steps[at + 1 :]))
    return f" {others}" if others else others


def _processor(evidence: Iterable[Evidence], steps: Sequence[PipelineStep]) -> int | None:
    """The processor that evidence speaks of, where it is one alone."""
    found = {int(match[1]) for item in evidence if (match := _PROCESSOR.match(item.path))}
    at = found.pop() if len(found) == 1 else len(steps)
    return at if at < len(steps) else None


def _shorthand(steps: Iterable[PipelineStep]) -> str | None:
    """Processors as the AWS CLI takes them; None unless each is wholly known and harmless."""
    words: list[str] = []
    for step in steps:
        known = (_harmless(step.name), _harmless(step.execution_order), _harmless(step.fallback_action))
        name, order, fallback, function = (*known, _function_arn(step))
        if None in (name, order, fallback, function):
            return None
        words.append(
            f"'Name={name},ExecutionOrder={order},FallbackAction={fallback},"
            f"Configuration={{Lambda={{ResourceArn={function},InvocationType=ASYNC}}}}'"
        )
    return " ".join(words)


def _function_arn(step: PipelineStep) -> str | None:
    """Without $LATEST, which it means anyway."""
    return _harmless((step.lambda_arn or "").removesuffix(":$LATEST"))


def _harmless(value: str | int | None) -> str | None:
    text = "" if value is None else str(value)
    return text if _HARMLESS.fullmatch(text) else None
