"""``chimeaudit check``: judges what files declare, before it is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from scanner.commands import fixing, github, inputs, manifest, outputs
from scanner.commands.options import completion, values
from scanner.commands.options.check import CheckOptions
from scanner.commands.options.declaring import takes
from scanner.commands.options.shared import severity
from scanner.commands.outputs import Output
from scanner.commands.reporting import Published, inheriting, publish, publish_mistakes, tell_next
from scanner.config import Configuration, inline_waivers
from scanner.declared.assembly import Assemblies
from scanner.declared.candidates import Candidate, find
from scanner.declared.documents import MAX_BYTES
from scanner.declared.elsewhere import Elsewhere
from scanner.declared.narrowing import Narrowing, narrowed
from scanner.declared.read import Document, FileReading, broken, read
from scanner.declared.requests import Home
from scanner.declared.source import Source
from scanner.declared.sourcecode import ASSEMBLY
from scanner.declared.unread import Unread
from scanner.errors import InvalidFilesError, Mistake, NothingJudgedError, OutputError, UsageError
from scanner.judge.preview import Preview
from scanner.language.rule import reads_of_flows
from scanner.model.facts import partition_of
from scanner.model.moments import stamp
from scanner.model.report import Finding, Report, Run
from scanner.model.yamltree import Mistakes
from scanner.outcome import former
from scanner.outcome.gate import gate_files
from scanner.outcome.waivers import Waivers
from scanner.render import Format, asff
from scanner.render.wording import count
from scanner.store import repository, runs
from scanner.store.repository import shown, working_directory
from scanner.terminal import Log, say

_EXIT_CODES = """\b
Exit codes:
    0  no finding reaches --fail-on
    1  a finding reaches --fail-on
    2  a bad option, configuration or file; the other files are judged
    3  no finding reaches --fail-on, but a file may make flows in a form that is not read, or a run
       did not observe everything
   70  a fault of chimeaudit, or a report could not be written"""


_UNREAD = f"no JSON or YAML document of at most {MAX_BYTES >> 20} MB"


@click.command("check", epilog=_EXIT_CODES)
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    callback=values.local,
    metavar="PATH...",
    shell_complete=completion.files,
)
@takes(CheckOptions)
def command(options: CheckOptions, paths: tuple[str, ...]) -> int:
    """Judge channel flows before they are deployed, without AWS.

    PATH is a file, a folder or a pattern; '-' is standard input. What a file is, its content tells: CreateChannelFlow
    and UpdateChannelFlow requests, output of list-channel-flows and describe-channel-flow, CloudFormation templates
    (those of CDK, SAM and Serverless Framework, too), plans of Terraform and Pulumi as JSON, and runs of chimeaudit
    scan. Code that calls the API is named as not seen. Other files of a folder are skipped.
    """
    wanted = outputs.parse_all(options)
    baseline = _baseline(options)
    configured = options.configuration()
    sources = manifest.of_sources(options.manifest, configured, options.baseline)
    inventory = outputs.has_inventory(wanted, asked=options.inventory)
    settled = options.settled(configured, options.fail_on) | {"inventory": inventory}

    def judged() -> _Checking:
        checking = _Checking(configured, baseline, options, inventory=inventory)
        checking.judge(paths, skip_others=options.skip_others)
        _refuse_strangers(checking)
        return checking

    log = Log(verbose=options.verbose, quiet=options.quiet)
    if options.fix or options.diff:
        fixing.check_paths(paths)
    checking = judged()
    if options.fix and not options.diff and fixing.fix(checking.report({}), checking.sources, log):
        checking = judged()
    report = checking.report(
        {
            "paths": tuple(map(shown, paths)),
            former.WORKING_DIRECTORY: working_directory(),
            **options.recorded,
            **settled,
            "baseline": shown(options.baseline) if options.baseline else None,
        }
    )
    if baseline:
        report = inheriting(report, former.renamed(baseline, checking.former, {}), configured.is_rule, log)
    if configured.file and not options.config:
        log.tell("configuration", f"Configuration: {configured.file}")
    published = _publish(report, wanted, checking, options, log)
    failures = list(published.failures)
    if options.on_github:
        annotated = not checking.is_refused
        failures += github.tell(report, wanted, lambda line: log.tell("warning", line), annotated=annotated)
    failures += manifest.write(options.manifest, report, published.digests, sources, log=log)
    _refuse(failures, checking, skip_others=options.skip_others)
    code = gate_files(report, severity(settled["fail_on"]), ignore_gaps=options.allow_gaps)
    return tell_next("check", code, log)


def _baseline(options: CheckOptions) -> Report | None:
    path = options.baseline
    return inputs.as_baseline(inputs.report(path, options.storing), path) if path else None


def _publish(
    report: Report, wanted: Sequence[Output], checking: _Checking, options: CheckOptions, log: Log
) -> Published:
    """Print and write the report."""
    instead = fixing.diffs(report, checking.sources) if options.diff else () if options.summary_only else None
    published = (
        publish_mistakes(report, wanted, log) if checking.is_refused else publish(report, wanted, log, instead=instead)
    )
    if options.fix or options.diff:
        fixing.tell_unedited(checking.unedited)
    if checking.skipped:
        log.tell("skipped", f"Skipped   {count(checking.skipped, 'file')}, in which no channel flow is declared")
    if checking.passed_over:
        log.tell(
            "skipped", f"Skipped   {count(checking.passed_over, 'file')} that git ignores (--no-gitignore reads all)"
        )
    if checking.unread:
        log.tell("unread", f"Not read  {count(checking.unread, 'file')}: {_UNREAD} (-v names them)")
    if any(output.form is Format.ASFF for output in wanted) and (lacking := asff.left_out(report)):
        where = "whose account or region is not known; give --account and --region"
        log.tell("warning", f"Warning: the ASFF report lacks {count(lacking, 'finding')} {where}")
    for warning in checking.waivers.warnings(report):
        log.tell("warning", f"Warning: {warning}")
    return published


def _refuse(failures: Sequence[str], checking: _Checking, *, skip_others: bool) -> None:
    """End with what went wrong, after the report is written.

    Raises:
        OutputError: a report could not be written.
        InvalidFilesError: a file could not be read; NothingJudgedError if no file could.
        UsageError: no file declares a channel flow, and one has to.
    """
    if failures:
        raise OutputError("\n".join(failures), hint="Make room, or name another place with -o.")
    if checking.is_refused:
        raise NothingJudgedError(checking.mistakes)
    if checking.mistakes:
        raise InvalidFilesError(checking.mistakes)
    if not (checking.recognised or checking.has_unread or checking.is_unchanged or skip_others):
        hint = "Name requests, templates, output of list-channel-flows or runs; chimeaudit check --help says more."
        raise UsageError("none of the files declares a channel flow", hint=hint)


def _refuse_strangers(checking: _Checking) -> None:
    """Refuse values for parameters that no template has.

    Raises:
        UsageError: the command line names one itself; those in files are mistakes.
    """
    if checking.is_unchanged:
        return  # the template that has it may be one that has not changed
    if (wrong := checking.given.unknown(checking.parameters)) is not None:
        raise UsageError(f"--parameter: {wrong}", hint="Name a parameter of a template that is checked.")
    checking.mistakes += checking.given.mistakes(checking.parameters)


class _Checking:
    """Reads one file after the other, and judges it.

    `given` are the values that the user gives to parameters, and `parameters` the names that templates have, by file.
    `sources` are the files in which something may be edited.
    """

    def __init__(
        self,
        configured: Configuration,
        baseline: Report | None,
        options: CheckOptions,
        *,
        inventory: bool,
    ) -> None:
        self.mistakes: list[Mistake] = []
        self.recognised = self.skipped = self.unread = self.passed_over = 0
        self.is_unchanged = False
        self._unread: list[tuple[Mistake, str | None]] = []
        self._configured = configured
        self.waivers = Waivers(configured.waivers, today=datetime.now(UTC).date())
        self.sources: dict[str, Source] = {}
        self._home = _home(options, configured)
        self._assemblies = Assemblies()
        self._covered: set[str] = set()
        self.given = inputs.values_given(options.parameter, options.parameters, configured.parameters)
        self.parameters: dict[str, frozenset[str]] = {}
        self._elsewhere: Elsewhere | None = None
        self._narrowing = _narrowing(options, configured)
        self._started = datetime.now(UTC)
        self._verbose = options.verbose
        self._edits = options.fix or options.diff
        self._former_files = set(baseline.scope.files) if baseline and former.is_former(baseline) else set()
        self._preview = Preview(configured.rules, self.waivers, self._started, configured.supports, inventory=inventory)

    @property
    def is_refused(self) -> bool:
        """Whether nothing was judged because of mistakes, which the error lists."""
        return bool(self.mistakes) and not self.recognised and not self.has_unread

    @property
    def has_unread(self) -> bool:
        """Whether a file may make flows in a form that cannot be read."""
        return bool(self._unread)

    @property
    def unedited(self) -> Sequence[tuple[Finding, str]]:
        """The failures that might be edited but are not to be, each with the reason."""
        return self._preview.unedited

    @property
    def former(self) -> Mapping[str, str]:
        """Today's fingerprints by those that a baseline of the former kind has."""
        return self._preview.former

    def judge(self, paths: Sequence[str], *, skip_others: bool) -> None:
        """Judge every file that the paths lead to.

        With `skip_others`, a file that is named may be skipped as one in a folder may.
        """
        missing: list[Mistake] = []
        found = find(paths, missing)
        left = narrowed(found, dict.fromkeys(missing), self._narrowing)
        self.mistakes += left.mistakes
        self.is_unchanged = left.unchanged > 0
        self._preview.not_examined += left.notes(self._narrowing)
        self._elsewhere = Elsewhere(left.known, self._home_of)
        for candidate in left.candidates:
            own = Mistakes(candidate.name)
            if candidate.name not in self._former_files and candidate.former in self._former_files:
                self._preview.former_files[candidate.name] = candidate.former
            reading = self._read(candidate, own, skip_others=skip_others)
            for document in reading.documents:
                self._judge(document, own)
            if self._assemblies.is_template(candidate):
                self._covered.add(ASSEMBLY)
            self._note(candidate.name, reading.unread)
            self.recognised += len(reading.documents)
            if reading.is_passed_over:
                self.passed_over += not own.found
            elif not (reading.documents or reading.unread or own.found):
                self.skipped += reading.is_read
                self.unread += not reading.is_read
            self.mistakes += own.found
            if self._verbose:
                say(f"{candidate.name} {_came_to(reading, own)}")

    def _read(self, candidate: Candidate, mistakes: Mistakes, *, skip_others: bool) -> FileReading:
        if self._assemblies.declares_nothing(candidate):
            return FileReading()
        return read(candidate, self._home_of(candidate), mistakes, has_to_be=candidate.named and not skip_others)

    def _home_of(self, candidate: Candidate) -> Home:
        home = self._assemblies.home(candidate, self._home)
        return structs.replace(home, values=self.given.of(candidate.name), elsewhere=self._elsewhere)

    def _judge(self, document: Document, mistakes: Mistakes) -> None:
        for key, node in document.metadata:
            self.waivers.add(inline_waivers(node, key, self._configured, mistakes))
        self._note(document.file, document.unread)
        self._covered |= document.covers
        if document.source and self._edits:
            self.sources[document.file] = document.source
        if document.parameters is not None:
            self.parameters[document.file] = document.parameters
        self._preview.gaps |= document.gaps
        try:
            editable = None if document.source is None else document.source.edit
            self._preview.file(document.file, document.tells, document.groups, document.roles, editable)
        except (OSError, UsageError) as error:  # a damaged journal is noticed only while it is read
            mistakes.found.append(broken(document.file, error))
        self._preview.not_examined += document.notes

    def _note(self, file: str, unread: Iterable[Unread]) -> None:
        self._unread += (
            (Mistake(file=file, line=each.place.line, column=each.place.column, message=each.what), each.unless)
            for each in unread
        )

    def report(self, options: dict[str, Any]) -> Report:
        now = stamp(datetime.now(UTC))
        run = Run(
            id=runs.new_id(self._started),
            started_at=stamp(self._started),
            finished_at=now,
            options=options,
        )
        judged = self._preview.files | self._covered
        unread = [place for place, unless in self._unread if unless not in judged]
        return self._preview.report(run, self.mistakes, unread)


def _came_to(reading: FileReading, mistakes: Mistakes) -> str:
    if mistakes.found:
        return "could not be judged"
    if reading.documents:
        return "has been judged"
    if reading.unread:
        return "is in no form that is known"
    if reading.is_passed_over:
        return "is skipped, as git ignores it"
    return "is skipped" if reading.is_read else f"is not read: {_UNREAD}"


def _narrowing(options: CheckOptions, configured: Configuration) -> Narrowing:
    return Narrowing(
        exclude=(*options.exclude, *configured.exclude),
        reads_ignored=options.no_gitignore,
        changed_since=options.changed_since,
        settings=() if options.changed_since is None else _settings(options, configured),
    )


def _settings(options: CheckOptions, configured: Configuration) -> set[str]:
    """The names of the files that all templates hang on."""
    rules = {repository.name_within(Path(rule.file)) for rule in configured.loaded}
    own = {parameters.file for pattern in configured.parameters for parameters in pattern.sets}
    return {*rules, *own, *map(repository.name, options.parameters), configured.file or ""}


def _home(options: CheckOptions, configured: Configuration) -> Home:
    own: dict[str, Any] = {"reads_of_flows": reads_of_flows(configured.rules)}
    if options.account:
        own["account_id"] = (options.account,)
    if options.region:
        own |= {"region": (options.region,), "partition": (partition_of(options.region),)}
    return Home(**own)
