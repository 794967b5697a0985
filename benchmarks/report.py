"""Measures the HTML page in Chromium: how long it takes to write, to open and to filter, and how large it is.

    python benchmarks/report.py            a table for 10,000 and 100,000 findings
    python benchmarks/report.py --json     the same as JSON
    python benchmarks/report.py 500 20000  other sizes
    python benchmarks/report.py 10000 --flows 20000   with an inventory of so many flows

The exit code is 1 if a limit is exceeded. Times and memory are the median of three openings.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct, structs
from playwright.sync_api import Browser, sync_playwright

from scanner.model.report import (
    Coverage,
    Evidence,
    Finding,
    InScope,
    InventoryItem,
    Observed,
    PipelineStep,
    Report,
    Resource,
    RuleInfo,
    Run,
    Scope,
    Severity,
    Status,
    Summary,
    Tool,
    Verdict,
    fingerprint,
)
from scanner.render.html import page

SIZES = (10_000, 100_000)
OPENINGS = 3
REGIONS = ("ap-southeast-1", "eu-central-1", "us-east-1")
ACCOUNTS, APPS_OF_A_REGION, FINDINGS_OF_A_FLOW = 40, 25, 3
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUERIES = ("severity:high", "moderate", "-region:us-east-1 app:tenant-1", "account:1000000 latest", "")

# Runs before the page's own script. The list can be used once its search field shows and a row is drawn.
WATCH = """
window.ready = new Promise((done) => {
  const look = () => {
    const field = document.getElementById("query");
    if (field?.checkVisibility() && document.querySelector("#list .line")) done(performance.now());
    else requestAnimationFrame(look);
  };
  look();
});
"""
# The time from the input to the end of the frame that shows its result.
FILTER = """(query) => new Promise((done) => {
  const field = document.getElementById("query");
  const start = performance.now();
  field.value = query;
  field.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


class Limits(Struct, frozen=True, kw_only=True):
    render: float = 5
    megabytes: float
    ready: float
    filter: float
    memory: float = 600


class Measured(Struct, frozen=True, kw_only=True):
    """Sizes in 10^6 bytes and times in seconds. `filter` is the slowest of several queries.

    `memory` is the peak of the page's process, `heap` the part of the script when it is idle.
    """

    findings: int
    flows: int
    render: float
    megabytes: float
    ready: float
    filter: float
    heap: float
    memory: float


LIMITS = {  # by findings and flows of the inventory
    (10_000, 0): Limits(megabytes=1.5, ready=1.0, filter=0.1),
    (10_000, 20_000): Limits(megabytes=3, ready=1.0, filter=0.1),
    (100_000, 0): Limits(megabytes=12, ready=2.0, filter=0.3),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the HTML page in Chromium.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="FINDINGS")
    parser.add_argument("--flows", type=int, default=0, help="flows of the inventory; none is made without")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser's program")
    options = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        measured = []
        for size in options.sizes:
            file = Path(folder) / f"{size}.html"
            render = written(with_inventory(report(size), options.flows), file)
            browser = playwright.chromium.launch(executable_path=options.chromium, args=ARGUMENTS)
            measured.append(opened(browser, file, size, options.flows, render))
            browser.close()
    print_json(measured) if options.json else print_table(measured)
    misses = [miss for one in measured for miss in missed(one)]
    sys.stderr.writelines(f"{miss}\n" for miss in misses)
    return 1 if misses else 0


def written(subject: Report, file: Path) -> float:
    start = time.perf_counter()
    with file.open("w", encoding="utf-8") as output:
        output.writelines(page.render(subject))
    return time.perf_counter() - start


def opened(browser: Browser, file: Path, size: int, flows: int, render: float) -> Measured:
    openings = [open_once(browser, file) for _ in range(OPENINGS)]
    ready, slowest, heap, memory = (statistics.median(values) for values in zip(*openings, strict=True))
    return Measured(
        findings=size,
        flows=flows,
        render=render,
        megabytes=file.stat().st_size / 1e6,
        ready=ready / 1e3,
        filter=slowest / 1e3,
        heap=heap / 1e6,
        memory=memory / 1e6,
    )


def open_once(browser: Browser, file: Path) -> tuple[float, float, float, float]:
    """Milliseconds until the list can be used and for the slowest query; bytes of the heap and of the process."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(file.as_uri(), wait_until="commit")
    ready = page.evaluate("window.ready")
    slowest = max(page.evaluate(FILTER, query) for query in QUERIES)
    session = context.new_cdp_session(page)
    memory = max(map(peak, renderers(browser)))  # there may be an idle process besides the page's
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    context.close()
    return ready, slowest, heap, memory


def renderers(browser: Browser) -> Iterator[int]:
    session = browser.new_browser_cdp_session()
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if process["type"] == "renderer":
            yield process["id"]
    session.detach()


def peak(process: int) -> int:
    """The peak memory of a process in bytes."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def missed(one: Measured) -> Iterator[str]:
    limits = LIMITS.get((one.findings, one.flows))
    for name in limits.__struct_fields__ if limits else ():
        value, limit = getattr(one, name), getattr(limits, name)
        if value > limit:
            yield f"{one.findings:,} findings: {name} is {value:.2f}, and may be {limit:g}"


def print_table(measured: list[Measured]) -> None:
    row = "{:>9}  {:>8}  {:>8}  {:>8}  {:>9}  {:>8}  {:>9}\n".format
    write = sys.stdout.write
    write(row("findings", "render s", "size MB", "ready s", "filter ms", "heap MB", "memory MB"))
    for one in measured:
        numbers = (f"{one.render:.2f}", f"{one.megabytes:.2f}", f"{one.ready:.2f}", f"{one.filter * 1e3:.0f}")
        write(row(f"{one.findings:,}", *numbers, f"{one.heap:.0f}", f"{one.memory:.0f}"))


def print_json(measured: list[Measured]) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(measured), indent=2).decode() + "\n")


# -- a report as a large organisation has it --


def report(size: int) -> Report:
    """A report with `size` findings, in order; it is the same each time."""
    findings = [finding(number) for number in range(size)]
    findings.sort(key=lambda one: (one.resource.account_id, one.resource.region, one.resource.app_instance_arn or ""))
    failed = [one for one in findings if one.status is Status.FAIL]
    accounts = tuple(account(number) for number in range(ACCOUNTS))
    return Report(
        tool=Tool(name="chimeaudit", version="1.0.0", rules_digest="sha256:9f2c41d07ab3"),
        run=Run(
            id="20261122T030012Z-7c1f",
            started_at="2026-11-22T03:00:12Z",
            finished_at="2026-11-22T03:04:47Z",
            options={},
        ),
        scope=Scope(accounts=accounts, regions=REGIONS, chosen_by="a benchmark"),
        coverage=Coverage(
            complete=True,
            in_scope=InScope(accounts=ACCOUNTS, targets=ACCOUNTS * len(REGIONS)),
            observed=Observed(
                accounts=ACCOUNTS,
                targets=ACCOUNTS * len(REGIONS),
                app_instances=1,
                channel_flows=size // FINDINGS_OF_A_FLOW,
            ),
            gaps=(),
            not_examined=(),
        ),
        summary=Summary(
            by_severity=dict(Counter(one.severity.value for one in failed)),
            by_status={**Counter(one.status.value for one in findings), "pass": 5 * size},
            by_rule=dict(Counter(one.rule_id for one in failed)),
            by_account=dict(Counter(one.resource.account_id for one in failed)),
        ),
        rules=RULES,
        findings=findings,
    )


def with_inventory(report: Report, flows: int) -> Report:
    """The report with an inventory of flows, of which those with findings have failed."""
    items = sorted(map(item, range(flows)), key=lambda one: (one.account_id, one.region, one.app_instance_arn, one.arn))
    return structs.replace(report, inventory=items) if flows else report


def item(flow: int) -> InventoryItem:
    of = finding(flow * FINDINGS_OF_A_FLOW)
    verdicts: dict[str, Verdict] = {each.id: "passed" for each in RULES}
    return InventoryItem(
        type="channel_flow",
        arn=of.resource.arn,
        name=of.resource.name,
        account_id=of.resource.account_id,
        region=of.resource.region,
        app_instance_arn=of.resource.app_instance_arn,
        processors=of.resource.processors,
        verdicts=verdicts | {of.rule_id: "failed"},
    )


def rule(name: str, severity: Severity) -> RuleInfo:
    return RuleInfo(
        id=name.lower().replace(" ", "-"),
        topic="benchmark",
        title=name,
        severity=severity,
        status="stable",
        profiles=("default",),
        resource="channel_flow",
        rationale="When this does not hold, messages reach members without what the processor was there to do. " * 3,
        remediation="Change the flow.\naws chime-sdk-messaging update-channel-flow --channel-flow-arn ARN \\\n"
        "  --processors file://processors.json --name NAME",
        references=("https://docs.aws.amazon.com/chime-sdk/latest/dg/processor-setup.html",),
        frameworks={"nist-800-53-r5": ("SC-24", "SI-17"), "soc2": ("CC6.1",)},
    )


RULES = tuple(
    rule(name, severity)
    for name, severity in (
        ("Last processor fails open", Severity.HIGH),
        ("Processor fails open", Severity.MEDIUM),
        ("Unpinned Lambda version", Severity.LOW),
        ("Public Lambda policy", Severity.CRITICAL),
        ("Cross account Lambda", Severity.HIGH),
        ("Callback role too broad", Severity.MEDIUM),
        ("Unused channel flow", Severity.LOW),
        ("Flow name convention", Severity.INFO),
    )
)


def account(number: int) -> str:
    return f"{100000000000 + number * 7919:012}"


def uuid(*parts: object) -> str:
    digest = fingerprint("uuid", "/".join(map(str, parts)))
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def finding(number: int) -> Finding:
    flow = number // FINDINGS_OF_A_FLOW
    app = flow % (ACCOUNTS * APPS_OF_A_REGION * len(REGIONS))
    owner, region = account(app % ACCOUNTS), REGIONS[app // ACCOUNTS % len(REGIONS)]
    app_arn = f"arn:aws:chime:{region}:{owner}:app-instance/{uuid('app', app)}"
    function = f"arn:aws:lambda:{region}:{owner}:function:moderate-{app}:{flow % 9}"
    steps = (
        PipelineStep(name="redact", execution_order=1, fallback_action="CONTINUE", lambda_arn=function),
        PipelineStep(name="moderate", execution_order=2, fallback_action="CONTINUE", lambda_arn=f"{function}0"),
    )
    what = RULES[(number + flow) % len(RULES)]
    arn = f"{app_arn}/channel-flow/{uuid('flow', flow)}"
    return Finding(
        rule_id=what.id,
        title=what.title,
        severity=what.severity,
        status=(Status.FAIL, Status.FAIL, Status.FAIL, Status.UNKNOWN, Status.WAIVED)[number % 5],
        resource=Resource(
            type="channel_flow",
            arn=arn,
            name=f"flow-{flow:06}",
            account_id=owner,
            region=region,
            app_instance_arn=app_arn,
            app_instance_name=f"tenant-{app}",
            processors=steps,
        ),
        message=f"processor moderate of flow-{flow:06} is the last and falls back to CONTINUE: {what.title.lower()}",
        evidence=(Evidence(path="processors[1].fallback_action", observed="CONTINUE", required="equals ABORT"),),
        remediation=what.remediation,
        references=what.references,
        frameworks=what.frameworks,
        fingerprint=fingerprint(what.id, arn, str(number)),
    )


if __name__ == "__main__":
    sys.exit(main())
