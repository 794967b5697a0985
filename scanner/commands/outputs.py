"""``-o [FORMAT:]PATH``: reads where reports go, and writes them, on this machine or in S3."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, UnsetType, structs

from scanner.deliver import destinations
from scanner.deliver.destinations import S3Object
from scanner.errors import OutputError, UsageError
from scanner.model.phrases import nearest_name
from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.render import BESIDE, CONTENT_TYPES, PAGE, SUFFIXES, Format, load, render
from scanner.store import files
from scanner.store.journal import own_files, run_of
from scanner.terminal import encoded, printed

if TYPE_CHECKING:
    from scanner.commands.options.shared import OutputOptions
    from scanner.deliver.s3 import Storing

STDOUT = "-"
_STDOUT_NUMBER = 1
_FORMATS = [form.value for form in Format]
_OF_INVENTORY = ("", ".csv", ".jsonl")


class Output(Struct, frozen=True):
    """A report to be written. The path ``-`` is standard output.

    `in_s3` and `storing` are set for an object in S3: its place, and how it is stored. `for_excel` applies to CSV.
    `as_lines`: an inventory is JSON Lines, not CSV. `beside` is the file's name if it is one that a page loads.
    """

    form: Format
    path: str
    in_s3: S3Object | None = None
    storing: Storing | None = None
    for_excel: bool = False
    as_lines: bool = False
    beside: str | None = None

    @property
    def is_csv(self) -> bool:
        """Whether the report is CSV."""
        return self.form is Format.CSV or (self.form is Format.INVENTORY and not self.as_lines)

    @property
    def content_type(self) -> str:
        """The media type of the report."""
        return BESIDE[self.beside] if self.beside else CONTENT_TYPES[Format.JSONL if self.as_lines else self.form]

    def is_at(self, path: str | None) -> bool:
        """Whether the report is written to that path."""
        if path is None or STDOUT in (path, self.path):
            return False
        return self.path == path or (self.is_file and os.path.realpath(self.path) == os.path.realpath(path))

    @property
    def is_file(self) -> bool:
        """Whether the report is written to a file that exists afterwards."""
        path = Path(self.path)
        return self.path != STDOUT and self.in_s3 is None and (path.is_file() or not path.exists())


def parse_all(options: OutputOptions) -> list[Output]:
    """Read every ``-o``.

    Raises:
        UsageError: one cannot be used, or two have the same path.
    """
    outputs = [_as_wanted(each, options) for value in options.output for each in _whole(parse(value))]
    if options.manifest:
        _check_manifest(options.manifest, outputs)
    keep_apart(outputs, None, options.manifest)
    for place, count in Counter(map(_place, outputs)).items():
        if count > 1:
            shown = "standard output" if place == STDOUT else place
            raise UsageError(f"-o: {count} reports go to {shown}", hint="Give each a place of its own.")
    if options.s3_kms_key and not any(output.in_s3 for output in outputs):
        raise UsageError("--s3-kms-key is for reports in S3, and none goes there", hint="Add -o s3://BUCKET/KEY.")
    if options.csv_excel and not any(output.is_csv for output in outputs):
        raise UsageError("--csv-excel is for reports in CSV, and there is none", hint="Add -o findings.csv.")
    for output in outputs:
        load(output.form)  # a broken installation is reported before anything is judged
    return outputs


def _check_manifest(path: Path, outputs: Sequence[Output]) -> None:
    """Refuse a manifest in a place of something else.

    Raises:
        UsageError: it is standard output, a folder, or where a report goes.
    """
    if str(path) == STDOUT:
        raise UsageError("--manifest -: a manifest is a file, beside what it names", hint="Name a file.")
    if path.is_dir():
        raise UsageError(f"--manifest {path} is a folder", hint="Name a file in it.")
    if any(_place(output) == _real(path) for output in outputs):
        raise UsageError(f"--manifest {path}: a report goes there", hint="Name another file.")


def has_inventory(outputs: Sequence[Output], *, asked: bool) -> bool:
    """Whether the report is to have an inventory, for which an output of its own asks, too."""
    return asked or any(output.form is Format.INVENTORY for output in outputs)


def check_inventory(report: Report, outputs: Sequence[Output], name: str) -> None:
    """Check that a saved report (`name`) has the inventory that is to be written.

    Raises:
        UsageError: it has none.
    """
    if has_inventory(outputs, asked=False) and isinstance(report.inventory, UnsetType):
        hint = "Scan with --inventory, or judge its run again: chimeaudit scan --from RUN -o inventory:flows.csv."
        raise UsageError(f"{name} has no inventory", hint=hint)


def _whole(output: Output) -> Iterator[Output]:
    """An output, after the files that its page loads."""
    if output.form is Format.HTML_FOLDER:
        folder = output.path.removesuffix(PAGE)
        value = f"{output.form}:{folder}"
        yield from (structs.replace(_placed(value, output.form, folder + name), beside=name) for name in BESIDE)
    yield output


def _as_wanted(output: Output, options: OutputOptions) -> Output:
    storing = options.storing() if output.in_s3 else None
    return structs.replace(output, storing=storing, for_excel=options.csv_excel and output.is_csv)


def keep_apart(outputs: Sequence[Output], run_dir: Path | None, manifest: Path | None = None) -> None:
    """Refuse reports and a manifest that would overwrite files of a run: of one that exists, or will be in `run_dir`.

    Raises:
        UsageError: one would.
    """
    new = Path(_real(run_dir)) if run_dir else None
    named = {f"-o {output.path}": output.path for output in outputs if output.is_file}
    for option, written in (named | ({f"--manifest {manifest}": str(manifest)} if manifest else {})).items():
        path = Path(_real(written))
        of_new = new and (path in (new, *new.parents) or any(part in (path, *path.parents) for part in own_files(new)))
        directory = new if of_new else run_of(path)
        if directory:
            message = f"{option}: that is where the run in {directory} is kept"
            raise UsageError(message, hint="Name another file.")


def _place(output: Output) -> str:
    return output.path if output.path == STDOUT or output.in_s3 else _real(output.path)


def _real(path: str | Path) -> str:
    """The path without links.

    Raises:
        UsageError: the path is relative, and the working directory was deleted.
    """
    try:
        return os.path.realpath(path)
    except FileNotFoundError:
        hint = "Go to one that there is, or name an absolute path."
        raise UsageError(f"{path} leads from the working directory, which was deleted", hint=hint) from None


def parse(value: str) -> Output:
    """Read one ``-o``.

    Raises:
        UsageError: the format is missing or unknown, the path is a folder, or it is not an object in S3.
    """
    prefix, colon, path = value.partition(":")
    if (
        not colon
        or value.startswith(destinations.S3)
        or (prefix not in _FORMATS and (not prefix.isalnum() or not path))
    ):
        prefix, path = "", value
    suffix = Path(path).suffix.removeprefix(".").lower()
    form = Format(prefix) if prefix in _FORMATS else None if prefix else SUFFIXES.get(suffix)
    if not path:
        named = prefix or "FORMAT"
        raise UsageError(f"-o {value!r} names no path", hint=f"Write {named}:PATH, or {named}:- for standard output.")
    if form is None:
        raise UsageError(f"-o {value}: {_complaint(prefix or suffix)}", hint=_offer(prefix or suffix))
    as_lines = form is Format.INVENTORY and _has_lines(value, path)
    path = _page_in(value, path) if form is Format.HTML_FOLDER else path
    return structs.replace(_placed(value, form, path), as_lines=as_lines)


def _page_in(value: str, folder: str) -> str:
    """The path of the page in a folder, on this machine or in S3.

    Raises:
        UsageError: it is no folder.
    """
    if folder == STDOUT or (Path(folder).exists() and not Path(folder).is_dir()):
        hint = f"Name a folder: {PAGE} and the {len(BESIDE)} files that it loads are written there."
        raise UsageError(f"-o {value}: {folder} is no folder", hint=hint)
    return f"{folder.removesuffix('/')}/{PAGE}"


def _has_lines(value: str, path: str) -> bool:
    """Whether the suffix of an inventory says JSON Lines; without one it is CSV.

    Raises:
        UsageError: the suffix says neither of them.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _OF_INVENTORY:
        hint = "Name it .csv or .jsonl. With --inventory the JSON report has it, too."
        raise UsageError(f"-o {value}: an inventory is written as CSV or JSON Lines, not as {suffix!r}", hint=hint)
    return suffix == ".jsonl"


def _placed(value: str, form: Format, path: str) -> Output:
    """The output to a path.

    Raises:
        UsageError: the path is a folder or a URL, or it is not an object in S3.
    """
    if path.startswith(destinations.S3):
        return Output(form, path, destinations.s3_object(path))
    if "://" in path:
        raise UsageError(f"-o {value} is a URL", hint="Name a file, or an object as s3://BUCKET/KEY.")
    number = None if path == STDOUT else files.descriptor(Path(path))
    if number is not None:
        return _to_number(form, path, number)
    try:
        if path != STDOUT and Path(path).is_dir():
            raise UsageError(f"-o {value}: {path} is a folder", hint="Name a file in it.")
    except OSError as error:
        raise UsageError(f"-o {value}: {error.strerror}", hint="Name another file.") from None
    return Output(form, path)


def _to_number(form: Format, path: str, number: int) -> Output:
    """An output to a file descriptor. It is checked now, because later a file of our own may have its number."""
    if number == _STDOUT_NUMBER:
        return Output(form, STDOUT)
    try:
        os.fstat(number)
    except OSError as error:
        raise UsageError(f"-o {path}: {error.strerror}", hint="Nothing was opened there; name a file.") from None
    return Output(form, path)


def _complaint(name: str) -> str:
    return f"{name!r} is not a format" if name else "names no format, and has no suffix that does"


def _offer(name: str) -> str:
    near = nearest_name(name, _FORMATS)
    offered = f"Did you mean {near}? " if near else ""
    return f"{offered}Formats: {', '.join(_FORMATS)}; name one as in {Format.JSON}:PATH."


def write(
    report: Report, outputs: Sequence[Output], trend: Trend | None = None
) -> tuple[dict[Output, str], tuple[str, ...]]:
    """Write every report; returns the SHA-256 of each that was written, and a line for each that could not be."""
    digests: dict[Output, str] = {}
    failures: list[str] = []
    for output in outputs:
        hashed = hashlib.sha256()
        failure = _write_one(output, _through(map(encoded, _rendered(report, output, trend)), hashed))
        if failure:
            failures.append(failure)
        else:
            digests[output] = hashed.hexdigest()
    return digests, tuple(failures)


def _through(pieces: Iterable[bytes], hashed: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        hashed.update(piece)
        yield piece


def _rendered(report: Report, output: Output, trend: Trend | None) -> Iterator[str]:
    if output.beside is not None:
        from scanner.render import html_folder

        return iter([html_folder.file(output.beside)])
    if output.form is Format.INVENTORY:
        from scanner.render import inventory

        return inventory.render(report, lines=output.as_lines, for_excel=output.for_excel)
    if output.for_excel:
        from scanner.render import csv

        return csv.render(report, for_excel=True)
    return render(report, output.form, trend)


def _write_one(output: Output, pieces: Iterator[bytes]) -> str | None:
    try:
        if output.path == STDOUT:
            failure = printed(pieces)
            return failure and f"the report on {failure}"
        if output.in_s3 and output.storing:
            output.storing.put(output.in_s3, pieces, output.content_type)
        else:
            path = Path(output.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_whole(path, pieces)
    except OutputError as error:
        return error.message
    except (FileExistsError, NotADirectoryError) as error:
        return f"the report {output.path} could not be written: {error.filename} is no folder"
    except OSError as error:
        return f"the report {output.path} could not be written: {error.strerror}"
    return None
