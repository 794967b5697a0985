"""Finds calls that make or unmake channel flows in source code: scripts, programs, and configurations of Terraform.

Code is not run, so it is only known that there is a call. What it declares may be judged from what it produces: a plan
of Terraform, or a cloud assembly of the CDK.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from scanner.declared.unread import Unread
from scanner.model import encoding
from scanner.model.yamltree import Node

ASSEMBLY = "a cloud assembly"
"""What source code of the CDK is covered by."""
_SUFFIXES = frozenset(
    {
        *(".py", ".ipynb", ".sh", ".bash", ".zsh", ".ksh", ".ps1", ".bat", ".cmd", ".mk"),
        *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"),
        *(".java", ".kt", ".scala", ".go", ".rb", ".rs", ".php", ".cs", ".swift"),
        *(".tf", ".tofu", ".hcl"),
    }
)
_NAMES = frozenset({"makefile", "dockerfile", "jenkinsfile", "justfile"})
_MAY_CALL = re.compile(rb"channel[-_]?flow", re.IGNORECASE)
_IS_CHIME = re.compile(r"chime|app_?instance_?arn|fallback_?action|CHMMG|boto|\bclient\b|\baws\b", re.IGNORECASE)
_VERB = "(?:create|update|delete|disassociate|associate)"
_CALL = re.compile(
    rf"(?<!def )(?<!func )(?<!function )(?<![\w:$-]){_VERB}_?channel_?flow(?:command|async|request|input)?\s*(?=\()"
    rf"|(?<![\w:/-]){_VERB}-channel-flow(?![\w-])"
    rf"|(?<=[\"']){_VERB}_channel_flow(?=[\"'])"
    r"|\b(?:New|Update|Remove|Add)-CHMMGChannelFlow\w*",
    re.IGNORECASE,
)
_CDK = re.compile(r"\bCfnChannelFlow\s*(?=\()|\bnew\s+(?:\w+\.)?ChannelFlow\s*(?=\()|\bChannelFlow(?=\(\s*self\b)")
_HCL = re.compile(r'\bresource\s+"(awscc_chime_channel_flow)"\s+"([\w-]+)"')
_COMMENT = re.compile(r"\s*(?:#|//|/?\*|<!--|::|REM\b)")
_LINE_END = re.compile(r"\n")
_SHOWN = 4
"""How many calls of a file are told."""


def calls(path: Path, data: bytes) -> tuple[Unread, ...]:
    """The calls in a file of source code: one that tells all of a kind, and each resource of Terraform."""
    if not _is_code(path, data) or _MAY_CALL.search(data) is None:
        return ()
    text = encoding.utf8(data).decode(errors="replace")
    if _IS_CHIME.search(text) is None:
        return ()
    code = _Code(text)
    return (*code.resources(), *code.of_cdk(), *code.calls())


def _is_code(path: Path, data: bytes) -> bool:
    name = path.name.lower()
    if name.endswith((".d.ts", ".d.mts", ".d.cts")):
        return False  # types without code
    return path.suffix.lower() in _SUFFIXES or name in _NAMES or (not path.suffix and data.startswith(b"#!"))


class _Code:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def resources(self) -> Iterator[Unread]:
        for match in self._found(_HCL):
            address = f"{match[1]}.{match[2]}"
            how = "terraform plan -out=tfplan && terraform show -json tfplan > plan.json"
            what = f"the channel flow {address}; check its plan, which these commands make: {how}"
            yield Unread(place=self._place(match), what=what, unless=address)

    def of_cdk(self) -> Iterator[Unread]:
        for match in [*self._found(_CDK)][:1]:
            what = "the channel flows of this CDK app; check the templates that cdk synth writes to cdk.out"
            yield Unread(place=self._place(match), what=what, unless=ASSEMBLY)

    def calls(self) -> Iterator[Unread]:
        found = [(match[0].strip(), self._place(match)) for match in self._found(_CALL)]
        if found:
            others = [f"{call} in line {place.line}" for call, place in found[1:_SHOWN]]
            more = f", as well as {', '.join(others)}{' and others' if found[_SHOWN:] else ''}" if others else ""
            what = f"the channel flows that this code may make or unmake; it calls {found[0][0]}{more}"
            yield Unread(place=found[0][1], what=what)

    def _found(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What matches outside of lines that are comments."""
        for match in pattern.finditer(self._text):
            if not _COMMENT.match(self._text, self._lines[self._place(match).line - 1]):
                yield match

    def _place(self, match: re.Match[str]) -> Node:
        line = bisect_right(self._lines, match.start())
        return Node(line=line, column=match.start() - self._lines[line - 1] + 1)
