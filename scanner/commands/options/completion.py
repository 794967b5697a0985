"""Completion in bash, zsh and fish: the scripts that shells load, and what they may offer at the cursor.

Click finds the parameter. The shells' part is our own: bash takes ``topic:fal`` and ``--select=x`` apart at each colon
and equals sign, and a path may follow a format (``json:out/``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from scanner.errors import ChimeauditError, UsageError
from scanner.render import Format

VARIABLE = "_CHIMEAUDIT_COMPLETE"
if TYPE_CHECKING:
    Items = list[CompletionItem[str]]  # a generic type from click 8.5 on

_OPEN = "open"
"""The type of what is not whole yet: no space follows it."""
_ASSIGNMENT = re.compile(r"\w+=")

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            *) COMPREPLY+=("$(printf '%%q' "$value")"); [[ $type == open ]] && compopt -o nospace ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local type value help
    local -a whole open described
    while IFS= read -r type && IFS= read -r value && IFS= read -r help; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files ;;
            open) open+=("$value") ;;
            *) if [[ $help == _ ]]; then whole+=("$value"); else described+=("${value//:/\\\\:}:$help"); fi ;;
        esac
    done < <(env COMP_LINE="${(j: :)words[1,CURRENT-1]} $PREFIX" \\
        %(complete_var)s=zsh_complete "$words[1]" 2>/dev/null)
    (( $#described )) && _describe -V option described -U
    (( $#whole )) && compadd -U -V whole -a whole
    (( $#open )) && compadd -U -S '' -V open -a open
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = """\
function %(complete_func)s
    set -l typed (commandline -cp | string collect)
    for line in (env COMP_LINE="$typed" %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l part (string split -m 1 , -- $line)
        switch $part[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case '*'
                echo $part[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


class _Completer(ShellComplete):
    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor's word, and that word up to the cursor."""
        line = os.environ.get("COMP_LINE")
        if line is None:  # click's own scripts count the words
            words, at = split_arg_string(os.environ.get("COMP_WORDS", "")), os.environ.get("COMP_CWORD", "")
            position = int(at) if at.isdecimal() else len(words) - bool(at)
            return words[1:position], "".join(words[position : position + 1])
        words = split_arg_string(line)
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        if line[-1:].isspace():
            words.append("")
        return words[1:-1], "".join(words[-1:])

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        found = super().get_completions(args, incomplete)
        option, equals, value = incomplete.partition("=")
        if not equals or not option.startswith("--"):
            return found
        shells_own = any(item.type in ("dir", "file") for item in found)
        found = paths(value) if shells_own else found
        return [CompletionItem(f"{option}={item.value}", item.type, item.help) for item in found]


class _Bash(_Completer):
    name = "bash"
    source_template = _BASH

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        """Bash replaces only what follows the last word break."""
        breaks = set(os.environ.get("COMP_WORDBREAKS", "")) & {":", "="}
        begun = 1 + max((incomplete.rfind(char) for char in breaks), default=-1)
        return [
            CompletionItem(item.value if item.type in ("dir", "file") else item.value[begun:], item.type)
            for item in super().get_completions(args, incomplete)
        ]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type},{item.value}"


class _Zsh(_Completer):
    name = "zsh"
    source_template = _ZSH

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type}\n{item.value}\n{_line(item.help) or '_'}"


class _Fish(_Completer):
    name = "fish"
    source_template = _FISH

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type},{item.value}" + (f"\t{_line(item.help)}" if item.help else "")


_SHELLS = {kind.name: kind for kind in (_Bash, _Zsh, _Fish)}


def answer(program: click.Command, instruction: str) -> str:
    """The script that a shell loads (``bash_source``), or what it may offer (``bash_complete``).

    Raises:
        UsageError: the instruction is unknown.
    """
    shell, _, what = instruction.partition("_")
    if shell not in _SHELLS or what not in ("source", "complete"):
        known = ", ".join(f"{name}_source" for name in _SHELLS)
        raise UsageError(f"{VARIABLE}: {instruction!r} is no shell's", hint=f"Set it to one of {known}, or unset it.")
    completer = _SHELLS[shell](program, {}, "chimeaudit", VARIABLE)
    if what == "source":
        return completer.source()
    offered = completer.complete()
    return f"{offered}\n" if offered else ""


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Files. The shell lists them itself."""
    return [CompletionItem(incomplete, "file")]


def directories(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Folders. The shell lists them itself."""
    return [CompletionItem(incomplete, "dir")]


def outputs(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Formats, and files with or without a format in front."""
    form, colon, path = incomplete.partition(":")
    if colon and form in list(Format):
        return [CompletionItem(f"{form}:{item.value}", item.type) for item in paths(path)]
    return [*_matching((f"{form.value}:" for form in Format), incomplete), *paths(incomplete)]


def paths(incomplete: str) -> Items:
    """Files and folders that begin with the text; hidden ones only if it begins with a dot."""
    folder, name = os.path.split(incomplete)
    try:
        found = sorted(Path(folder or ".").iterdir())
    except OSError:
        return []
    shown = [each for each in found if each.name.startswith(name) and (name or not each.name.startswith("."))]
    begun = incomplete.removesuffix(name)
    return [
        CompletionItem(f"{begun}{each.name}/", _OPEN) if each.is_dir() else CompletionItem(f"{begun}{each.name}")
        for each in shown
        if each.name.isprintable()
    ]


def rule_ids(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Ids of the rules that are loaded."""
    return _matching((each for each in _selectors(context) if ":" not in each), incomplete)


def selectors(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Values of --select: after a comma the next one, and a kind (``topic:``) before its values."""
    before, comma, last = incomplete.rpartition(",")
    known = _selectors(context)
    if ":" not in last:
        known = dict.fromkeys(re.sub(":.*", ":", each) for each in known)
    return [CompletionItem(f"{before}{comma}{item.value}", item.type) for item in _matching(known, last)]


def profiles(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Names of AWS profiles in the configuration files.

    https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    before, comma, last = incomplete.rpartition(",")
    found = [f"{before}{comma}{name}" for name in sorted(set(_profiles())) if name.startswith(last)]
    return _matching(found, incomplete)


def _profiles() -> Iterator[str]:
    import configparser

    for variable, name in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        read = configparser.RawConfigParser(strict=False)
        try:
            read.read(Path(os.environ.get(variable) or f"~/.aws/{name}").expanduser(), encoding="utf-8")
        except (OSError, RuntimeError, UnicodeDecodeError, configparser.Error):
            continue
        for section in read.sections():
            kind, _, rest = section.partition(" ")
            if kind == "profile" or not rest:
                yield rest.strip() or section


def _selectors(context: click.Context) -> Iterable[str]:
    """The selectors of the rules that the command would load, or of the shipped rules if those cannot be loaded."""
    from scanner import config
    from scanner.commands.options.shared import RuleOptions
    from scanner.language import selection

    chosen = RuleOptions(config=context.params.get("config"), rules=context.params.get("rules") or ())
    try:
        loaded = chosen.configuration().loaded
    except ChimeauditError:
        loaded = config.load(None).loaded
    return selection.selectors(loaded)


def _matching(known: Iterable[str], incomplete: str) -> Items:
    return [
        CompletionItem(each, _OPEN if each.endswith(":") else "plain") for each in known if each.startswith(incomplete)
    ]


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
