"""Measures `chimeaudit check` as users run it: its own process, CPU time and peak memory.

    python -m benchmarks.check             templates of 50 and of 600 flows, then folders of 100 and of 1,000 templates
    python -m benchmarks.check --json      {"template_cpu_seconds": N, ...}
    python -m benchmarks.check --beside cfn-lint FOLDER     the folder by both; goal: half of its CPU time

Each of the 600 flows has its own function, alias, permission and role. The exit code is 1 if a limit is exceeded: 0.5 s
of CPU for 50 flows, 3 s for 600, 20 s for 1,000 templates, and 20 MB more memory for these than for 100.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHIMEAUDIT = str(Path(sys.executable).with_name("chimeaudit"))
FLOWS, MANY_FLOWS = 50, 600
FEW, MANY, FLOWS_OF_MANY = 100, 1_000, 5
MOST_CPU, MOST_CPU_OF_MANY_FLOWS, MOST_SECONDS, MOST_GROWTH_MB = 0.5, 3.0, 20.0, 20.0


def main() -> int:
    """Measure and print; return exit code 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--beside", nargs=2, metavar=("CFN-LINT", "FOLDER"), help="the path of cfn-lint, and templates")
    arguments = parser.parse_args()
    if arguments.beside:
        return beside(*arguments.beside)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        one = quickest(written(folder / "one", [template(0, FLOWS)]))
        large = quickest(written(folder / "large", [with_functions_of_their_own(template(0, MANY_FLOWS))]))
        few = measured(written(folder / "few", [template(number, FLOWS_OF_MANY) for number in range(FEW)]))
        many = measured(written(folder / "many", [template(number, FLOWS_OF_MANY) for number in range(MANY)]))
    figures = {
        "template_cpu_seconds": round(one.cpu, 3),
        "large_template_cpu_seconds": round(large.cpu, 3),
        "folder_seconds": round(many.seconds, 2),
        "folder_cpu_seconds": round(many.cpu, 2),
        "few_peak_mb": round(few.peak_mb, 1),
        "folder_peak_mb": round(many.peak_mb, 1),
    }
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    grown = many.peak_mb - few.peak_mb
    quick = one.cpu < MOST_CPU and large.cpu < MOST_CPU_OF_MANY_FLOWS and many.seconds < MOST_SECONDS
    return 0 if quick and grown < MOST_GROWTH_MB else 1


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of the command."""

    seconds: float
    cpu: float
    peak_mb: float


def beside(linter: str, folder: str) -> int:
    """Measure a check of a folder and cfn-lint in turn, twice; print the share of the CPU time that the check takes."""
    both = [CHIMEAUDIT, "check", folder], [linter, "--template", f"{folder}/**/*.yaml", f"{folder}/**/*.json"]
    ours, theirs = (min(ended(command)[0].cpu for _ in range(2)) for command in both)
    print(f"chimeaudit {ours:.2f} s, cfn-lint {theirs:.2f} s of CPU: {ours / theirs:.0%}")
    return 0 if ours < theirs / 2 else 1


def quickest(folder: Path) -> Measured:
    """The fastest of three runs."""
    return min((measured(folder) for _ in range(3)), key=lambda each: each.cpu)


def measured(folder: Path) -> Measured:
    """Measure a check of a folder, with a JSON report."""
    measured, code = ended([CHIMEAUDIT, "check", str(folder), "-o", f"json:{folder}.report"])
    assert code == 1, "every template has something to find"
    return measured


def ended(command: list[str]) -> tuple[Measured, int]:
    """Measure a command, and give its exit code."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    if sys.platform != "win32":
        _, status, usage = os.wait4(process.pid, 0)
        seconds, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
        return Measured(seconds=seconds, cpu=cpu, peak_mb=usage.ru_maxrss / 1024), os.waitstatus_to_exitcode(status)
    raise NotImplementedError("benchmarks need POSIX")


def written(folder: Path, templates: Iterable[dict[str, Any]]) -> Path:
    """Write half of the templates as JSON and half as YAML; return the folder."""
    folder.mkdir(exist_ok=True)
    for number, each in enumerate(templates):
        text = json.dumps(each, indent=2)
        if number % 2:  # YAML that is not JSON
            text = f"# template {number}\n{text}"
        (folder / f"{number:04}.template.{'yaml' if number % 2 else 'json'}").write_text(text)
    return folder


def with_functions_of_their_own(shared: dict[str, Any]) -> dict[str, Any]:
    """The template with a copy of its function, and of all that belongs to it, for each flow."""
    resources = {}
    for id_, resource in shared["Resources"].items():
        if id_.startswith("Flow"):
            for name in ("Role", "Moderate", "Live", "Invoke"):
                resources[f"{name}{id_}"] = _renamed(shared["Resources"][name], id_)
            resources[id_] = _renamed(resource, id_)
    return {**shared, "Resources": {"Chat": shared["Resources"]["Chat"], **resources}}


def _renamed(resource: dict[str, Any], suffix: str) -> Any:
    text = json.dumps(resource)
    for name in ("Role", "Moderate", "Live"):
        text = text.replace(f'"Ref": "{name}"', f'"Ref": "{name}{suffix}"').replace(
            f'["{name}",', f'["{name}{suffix}",'
        )
    return json.loads(text)


def template(number: int, flows: int) -> dict[str, Any]:
    """A template with an app instance, a function that it may invoke, and flows, every fifth of them with a fault."""
    resources: dict[str, Any] = {
        "Chat": custom("AppInstance", {"name": f"chat {number}"}),
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"Policies": [{"PolicyName": "callback", "PolicyDocument": policy()}]},
        },
        "Moderate": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Runtime": "python3.13", "Role": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"FunctionName": {"Ref": "Moderate"}, "FunctionVersion": "1", "Name": "live"},
        },
        "Invoke": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Live"},
                "Action": "lambda:InvokeFunction",
                "Principal": "messaging.chime.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": {"Fn::GetAtt": ["Chat", "appInstanceArn"]},
            },
        },
    }
    for index in range(flows):
        resources[f"Flow{index}"] = custom("ChannelFlow", request(index))
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def policy() -> dict[str, Any]:
    """The policy that a processor's role needs."""
    arn = {"Fn::Sub": "${Chat.appInstanceArn}/channel/*"}
    statement = {"Effect": "Allow", "Action": "chime:ChannelFlowCallback", "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [statement]}


def custom(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A custom resource as cdk-amazon-chime-resources synthesizes it."""
    return {
        "Type": "AWS::CloudFormation::CustomResource",
        "Properties": {
            "ServiceToken": {"Fn::GetAtt": ["Provider", "Arn"]},
            "resourceType": kind,
            "properties": properties,
        },
    }


def request(index: int) -> dict[str, Any]:
    """A request for a flow with one processor."""
    return {
        "name": f"flow {index}",
        "appInstanceArn": {"Fn::GetAtt": ["Chat", "appInstanceArn"]},
        "processors": [
            {
                "name": "moderate",
                "executionOrder": 1,
                "fallbackAction": "ABORT" if index % 5 else "CONTINUE",
                "configuration": {"lambda": {"resourceArn": {"Ref": "Live"}, "invocationType": "ASYNC"}},
            }
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
