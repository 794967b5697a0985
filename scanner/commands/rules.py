"""``chimeaudit rules``: list, explain, test and write rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import click

from scanner.commands.options import completion, values
from scanner.commands.options.declaring import takes
from scanner.commands.options.shared import RuleListOptions
from scanner.config import SHIPPED, Configuration
from scanner.config import schema as config_schema
from scanner.errors import DisagreementError, OutputError, UsageError
from scanner.judge import selftest
from scanner.judge.page import page
from scanner.language import catalogue, checks, manual, schema, starter
from scanner.model.phrases import nearest, quote
from scanner.model.report import ResourceType
from scanner.render.text import visible_lines
from scanner.render.wording import count
from scanner.store import files
from scanner.terminal import encoded, out

_FORMATS = {"table": catalogue.table, "json": catalogue.as_json, "markdown": catalogue.markdown}
_FRAMEWORKS = "frameworks"
_RESOURCES = get_args(ResourceType)
_SCHEMAS = {"rule": schema.render, "config": config_schema.render}


@click.group("rules", no_args_is_help=True)
def command() -> None:
    """List, explain, test and write rules."""


@command.command("list")
@takes(RuleListOptions)
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMATS, _FRAMEWORKS]),
    default="table",
    show_default=True,
    help="How to print.",
)
def list_(options: RuleListOptions, form: str) -> None:
    """List the rules, or the controls that they support; without --select, the rules of every profile."""
    configured = options.configuration()
    rules = configured.rules
    if form == _FRAMEWORKS:
        _print(catalogue.controls(rules, configured.supports))
        return
    text = _FORMATS[form](rules)
    out(visible_lines(text) if form == "table" else encoded(text if form == "json" else visible_lines(text)))


@command.command("show")
@click.argument("id_", metavar="ID", shell_complete=completion.rule_ids)
@takes(RuleListOptions)
def show(options: RuleListOptions, id_: str) -> None:
    """Explain one rule, with the facets that it reads and the IAM actions that those need."""
    loaded = {rule.info.id: rule for rule in options.configuration().loaded}
    if id_ not in loaded:
        raise UsageError(
            f"there is no rule {quote(id_)}{nearest(id_, loaded)}", hint="`chimeaudit rules list` shows them all."
        )
    _print(catalogue.explained(loaded[id_]))


@command.command("pages")
@click.argument("folder", metavar="FOLDER", type=values.PATH)
@takes(RuleListOptions)
def pages(options: RuleListOptions, folder: Path) -> None:
    """Write rules.md, a list of the rules, into FOLDER, and rules/ID.md for each, a page that explains it."""
    configured = options.configuration()
    texts = {"rules.md": catalogue.markdown(configured.rules, pages="rules")}
    texts |= {f"rules/{rule.info.id}.md": page(rule, configured.supports) for rule in configured.rules}
    for name, text in texts.items():
        file = folder / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            files.write_whole(file, [visible_lines(text).encode()])
        except OSError as error:
            raise OutputError(f"{file} cannot be written: {error.strerror}", hint="Name another folder.") from None
    out(f"{folder} has the pages of {count(len(configured.rules), 'rule')}.\n")


@command.command("test")
@click.argument("paths", nargs=-1, callback=values.local, metavar="[PATH]...", shell_complete=completion.files)
def test(paths: tuple[str, ...]) -> None:
    """Run the tests inside rule files; without PATH, those of the rules that are configured."""
    configured = RuleListOptions(rules=paths).configuration()
    rules = configured.rules
    wrong = list(selftest.disagreements(rules))
    for disagreement in wrong:
        _print(selftest.difference(disagreement))
    tests = f"{sum(len(rule.examples) for rule in rules)} tests in {count(len(rules), 'rule')}"
    tests += "" if paths else f" ({_whose(configured)})"
    if wrong:
        hint = "Mend the rule or the test; - is what the test expects, + what the rule says."
        raise DisagreementError(f"{len(wrong)} of {tests} disagree", hint=hint)
    _print(f"{tests} agree.\n")


def _whose(configured: Configuration) -> str:
    if configured.named == (SHIPPED,):
        return "those that ship"
    return f"{', '.join(configured.named)}, as {configured.file} says"


@command.command("new")
@click.argument("path", metavar="[TOPIC/]ID", type=values.PATH)
@click.option("--topic", metavar="TOPIC", help="The folder for the rule, made if need be, instead of TOPIC/.")
@click.option(
    "--resource",
    type=click.Choice(_RESOURCES),
    default=_RESOURCES[0],
    show_default=True,
    help="What the rule judges.",
)
@click.option("--title", metavar="TEXT", help="What is wrong where the rule fails; without it, the words of the id.")
def new(path: Path, topic: str | None, resource: ResourceType, title: str | None) -> None:
    """Write a rule to start from into the folder TOPIC, and beside it the schema that editors complete its keys by.

    No file is replaced. `chimeaudit rules language` explains the fields and operators.
    """
    id_ = path.name.removesuffix(".yaml")
    for what, word in (("id", id_), *((("topic", topic),) if topic is not None else ())):
        if not checks.SLUG.fullmatch(word):
            raise UsageError(f"{quote(word)} is no {what}", hint="It must be lower-case words joined by hyphens.")
    if title is not None and not (title.strip() and title.isprintable()):
        raise UsageError(f"{quote(title)} is no title", hint="A title is a few words in one line.")
    if topic is not None and path.parent != Path():
        raise UsageError(f"{quote(str(path))} names a topic, and so does --topic", hint="Name one of the two.")
    folder = path.parent if topic is None else Path(topic)
    file, beside = folder / f"{id_}.yaml", folder / starter.SCHEMA_FILE
    if os.path.lexists(file):
        raise UsageError(f"{file} is there already", hint="Name another id.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(beside):
            files.write_whole(beside, [schema.render().encode()])
        files.write_whole(file, [starter.rendered(id_, resource, title).encode()])
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror}", hint="Name another folder.") from None
    out(f"{visible_lines(str(file))} is a rule. Change it, and run: chimeaudit rules test {visible_lines(str(file))}\n")


@command.command("language")
def language() -> None:
    """Print the manual of the rule language: every field, operator and key, with recipes."""
    out(encoded(manual.markdown()))


@command.command("schema")
@click.argument("which", type=click.Choice(list(_SCHEMAS)), default="rule")
def schema_(which: str) -> None:
    """Print the JSON Schema of rule files, or of chimeaudit.yaml."""
    out(encoded(_SCHEMAS[which]()))


def _print(text: str) -> None:
    """Print text of rules, which may come from anywhere."""
    out(visible_lines(text))
