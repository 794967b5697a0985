"""Former reports of checks: they name files, also in fingerprints, by the path from the working directory.

All reports did so before paths started at the top of the repository; reports made outside a repository still do. For
one release, former reports are matched with newer ones. Then this module will be removed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import structs

from scanner.model.report import Finding, Report
from scanner.outcome.carried import remembered

WORKING_DIRECTORY = "working_directory"
"""The recorded option that holds the working directory of a check, relative to the top of its repository."""
_PROCESSOR = re.compile(r"processors\[(\d+)\]")
Identity = tuple[str, str, str | None, str | None]


def is_former(report: Report) -> bool:
    """Whether a report is a former one, whose paths start at the working directory."""
    return report.scope.chosen_by == "files" and report.run.options.get(WORKING_DIRECTORY) is None


def renamed(report: Report, fingerprints: Mapping[str, str], files: Mapping[str, str]) -> Report:
    """The report with fingerprints and names of files replaced, as the mappings say."""

    def with_new_names(finding: Finding) -> Finding:
        at = finding.location
        return structs.replace(
            finding,
            fingerprint=fingerprints.get(finding.fingerprint, finding.fingerprint),
            location=at and structs.replace(at, file=files.get(at.file, at.file)),
        )

    carried = report.carried_over and tuple(
        structs.replace(each, finding=with_new_names(each.finding)) for each in report.carried_over
    )
    return structs.replace(
        report,
        scope=structs.replace(report.scope, files=tuple(files.get(file, file) for file in report.scope.files)),
        carried_over=carried,
        findings=tuple(map(with_new_names, report.findings)),
    )


def aligned(old: Report, new: Report) -> Report:
    """The old report; a former one gets the file names and fingerprints that it would have if it were new.

    A fingerprint does not reveal what it was made from. So findings that agree in rule, file, name and function are
    taken to be the same.
    """
    folder = new.run.options.get(WORKING_DIRECTORY)
    if not is_former(old) or not isinstance(folder, str):
        return old
    seen = set(new.scope.files)
    moved = {file: posixpath.normpath(posixpath.join(folder, file)) for file in old.scope.files if file not in seen}
    files = {file: name for file, name in moved.items() if name in seen}
    names = set(files.values())
    was = _by_identity((entry.finding for entry in remembered(renamed(old, {}, files))), names)
    now = _by_identity(new.findings, names)
    pairs = ((own, now.get(identity, ())) for identity, own in was.items())
    fingerprints = dict(pair for own, others in pairs for pair in zip(own, others, strict=False))
    return renamed(old, fingerprints, files)


def _by_identity(findings: Iterable[Finding], files: Collection[str]) -> dict[Identity, list[str]]:
    """The fingerprints of findings in these files, by identity, in the order of the report."""
    found: dict[Identity, list[str]] = {}
    for finding in findings:
        if finding.location and finding.location.file in files:
            identity = (finding.rule_id, finding.location.file, finding.resource.name, _function(finding))
            found.setdefault(identity, []).append(finding.fingerprint)
    return found


def _function(finding: Finding) -> str | None:
    """The function of the processor that a finding is about; None if it is about no processor."""
    match = _PROCESSOR.match(finding.evidence[0].path) if finding.evidence else None
    index = int(match[1]) if match else len(finding.resource.processors)
    steps = finding.resource.processors[index : index + 1]
    return steps[0].lambda_arn if steps else None
