"""Finds calls that make or unmake channel flows in source code: scripts, programs, and configurations of Terraform.

Code is not run, so it is only known that there is a call. What it declares may be judged from what it produces: a plan
of Terraform, or a cloud assembly of the CDK.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from scanner.declared.unread import Unread
from scanner.model import encoding
from scanner.model.yamltree import Node

ASSEMBLY = "a cloud assembly"
"""What source code of the CDK is covered by."""
PREVIEW = "a preview of Pulumi"
"""What a program of Pulumi is covered by."""
_SUFFIXES = frozenset(
    {
        *(".py", ".ipynb", ".sh", ".bash", ".zsh", ".ksh", ".ps1", ".bat", ".cmd", ".mk"),
        *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"),
        *(".vue", ".svelte", ".java", ".kt", ".kts", ".scala", ".groovy", ".gradle", ".go", ".rb", ".rs", ".php"),
        *(".cs", ".fs", ".vb", ".swift", ".dart", ".ex", ".exs", ".pl", ".lua", ".fish", ".nu", ".http", ".rest"),
        *(".tf", ".tofu", ".hcl"),
    }
)
_NAMES = frozenset({"makefile", "dockerfile", "jenkinsfile", "justfile"})
_FORMS = frozenset(
    {".j2", ".jinja", ".jinja2", ".tpl", ".tftpl", ".tmpl", ".gotmpl", ".erb", ".ejs", ".hbs", ".mustache"}
)
"""Suffixes of texts with holes that another tool fills, such as `deploy.sh.j2`."""
_MAY_CALL = re.compile(rb"channel[-_]?flow|chime-?sdk-?messaging", re.IGNORECASE)
_IS_CHIME = re.compile(r"chime|app_?instance_?arn|fallback_?action|CHMMG|boto|\bclient\b|\baws\b", re.IGNORECASE)
_VERB = "(?:create|update|delete|disassociate|associate)"
_CALL = re.compile(
    rf"(?<!def )(?<!func )(?<!function )(?<![\w:$-]){_VERB}_?channel_?flow(?:command|async|request|input)?\s*(?=\()"
    rf"|(?<![\w:/-]){_VERB}-channel-flow(?![\w-])"
    rf"|(?<=[\"']){_VERB}_channel_flow(?=[\"'])"
    rf"|(?<=\.){_VERB}_channel_flow\b(?!\s*(?:[.=(]))"
    r"|\b(?:New|Update|Remove|Add)-CHMMGChannelFlow\w*",
    re.IGNORECASE,
)
_UPPER = "(?:Create|Update|Delete|Disassociate|Associate)"
_LOWER = "(?:create|update|delete|disassociate|associate)"
_INDIRECT = re.compile(
    rf"\b{_UPPER}ChannelFlowCommand\b(?=\s+as\s|\s*[\]:;]|\s*=(?!=))"
    rf"|(?<=\[[\"'`]){_LOWER}ChannelFlow(?=[\"'`]\])"
    rf"|\b{_LOWER}ChannelFlow\b(?=[^(){{}}]{{0,200}}\}}\s*=)"
    rf"|\baction[\"']?\s*[:=]\s*[\"'`]{_UPPER}ChannelFlow(?:Command)?(?=[\"'`])"
    rf"|\baction[\"']?\s*[:=]\s*[\"'`]{_LOWER}ChannelFlow(?=[\"'`])"
    r"|\bgetattr\([^()\n]*channel_flow[^()\n]*(?=\))"
    r"|\[`\$\{\w+\}ChannelFlow`\]"
)
"""Calls by another name, and SDK calls that the CDK hands on."""
_MADE_CALL = re.compile(rf"(?<=[\"']){_UPPER}ChannelFlow(?=[\"'])")
_BY_NAME = re.compile(r"\b_make_api_call\b")
"""What calls an operation by its name: see botocore.client.BaseClient."""
_OPEN_COMMAND = re.compile(r"\baws\w*\b[^\n|;&]*\bchime-sdk-messaging\s+(?:\\\r?\n\s*)?[\"']?(?:\$|\{\{|%\w|<)\S*")
_ADDRESS = re.compile(r"(?<=/)channel-flows?(?![\w-])")
_ENDPOINT = re.compile(r"\bmessaging-chime\b")
_TYPE = re.compile(r"AWS::Chime::ChannelFlow\b")
_BY_TYPE = re.compile(
    r"cloud_?-?control|create_?-?resource|desired_?state|type_?-?name|template_?body|create_?-?stack|\bResources\b|Cfn_?Resource",
    re.IGNORECASE,
)
"""What makes a resource of a type that is given as text."""
_CDK = re.compile(
    r"\b(?:New)?CfnChannelFlow\s*(?=\()|\bCfnChannelFlow\.Builder\b|\bnew\s+(?:\w+\.)*ChannelFlow\s*(?=\()"
    r"|(?<![.\w])(?:\w+\.)*(?:New)?ChannelFlow(?=\(\s*(?:self|this|stack|scope)\b)|\bChannelFlow\.Builder\.create\b"
)
_PULUMI = re.compile(r"\bpulumi", re.IGNORECASE)
_PULUMI_FLOW = re.compile(r"\bchime\.(?:New)?ChannelFlow\s*(?=\()|\bnew\s+(?:\w+\.)*ChannelFlow\s*(?=\()")
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
    return (*code.resources(), *code.of_pulumi(), *code.of_cdk(), *code.calls())


def is_form(path: Path) -> bool:
    """Whether a file is a text that another tool has to fill in, by its name."""
    return path.suffix.lower() in _FORMS


def _is_code(path: Path, data: bytes) -> bool:
    path = path.with_suffix("") if is_form(path) else path
    name = path.name.lower()
    if name.endswith((".d.ts", ".d.mts", ".d.cts")):
        return False  # types without code
    return path.suffix.lower() in _SUFFIXES or name in _NAMES or (not path.suffix and data.startswith(b"#!"))


class _Code:
    def __init__(self, text: str) -> None:
        self._text = text
        self._is_pulumi = _PULUMI.search(text) is not None
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def resources(self) -> Iterator[Unread]:
        for match in self._found(_HCL):
            address = f"{match[1]}.{match[2]}"
            how = "terraform plan -out=tfplan && terraform show -json tfplan > plan.json"
            what = f"the channel flow {address}; check its plan, which these commands make: {how}"
            yield Unread(place=self._place(match), what=what, unless=address)

    def of_pulumi(self) -> Iterator[Unread]:
        for match in [*self._found(_PULUMI_FLOW)][:1] if self._is_pulumi else ():
            what = "the channel flows of this Pulumi program; check what pulumi preview --json writes"
            yield Unread(place=self._place(match), what=what, unless=PREVIEW)

    def of_cdk(self) -> Iterator[Unread]:
        for match in () if self._is_pulumi else [*self._found(_CDK)][:1]:
            what = "the channel flows of this CDK app; check the templates that cdk synth writes to cdk.out"
            yield Unread(place=self._place(match), what=what, unless=ASSEMBLY)

    def calls(self) -> Iterator[Unread]:
        matches = sorted(self._calling(), key=lambda match: match.start())
        found = [(" ".join(match[0].split()), self._place(match)) for match in matches]
        if found:
            others = [f"{call} in line {place.line}" for call, place in found[1:_SHOWN]]
            more = f", as well as {', '.join(others)}{' and others' if found[_SHOWN:] else ''}" if others else ""
            what = f"the channel flows that this code may make or unmake; it calls {found[0][0]}{more}"
            yield Unread(place=found[0][1], what=what)

    def _calling(self) -> Iterator[re.Match[str]]:
        ways = [_CALL, _INDIRECT, _OPEN_COMMAND]
        ways += [_MADE_CALL] if _BY_NAME.search(self._text) else []
        ways += [_ADDRESS] if _ENDPOINT.search(self._text) else []
        ways += [_TYPE] if _BY_TYPE.search(self._text) else []
        return chain.from_iterable(map(self._found, ways))

    def _found(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What matches outside of lines that are comments."""
        for match in pattern.finditer(self._text):
            if not _COMMENT.match(self._text, self._lines[self._place(match).line - 1]):
                yield match

    def _place(self, match: re.Match[str]) -> Node:
        line = bisect_right(self._lines, match.start())
        return Node(line=line, column=match.start() - self._lines[line - 1] + 1)
