// What is filtered, as files: a report of our own schema as JSON, or the columns and the guard of scanner/render/csv.py.
// A file that leaves anything out says so: as an option of its run, as a gap, and in what was not examined.
import { button, count, el, number, say, spelled } from "./dom.js";

const A_PIECE = 1_000; // findings; memory holds no more of the file than that, the browser keeps the rest
const SLOW = 20_000; // from so many findings on, progress is shown

export class Exports {
  // `subject()` gives {store, rows, carried, q}: what is listed when an export begins.
  constructor(place, subject) {
    Object.assign(this, { place, subject, cancelled: false });
    for (const [form, pieces, type] of [["csv", csv, "text/csv"], ["json", json, "application/json"]]) {
      place.querySelector(`#export-${form}`).addEventListener("click", () => this.write(form, pieces, type));
    }
  }

  async write(form, pieces, type) {
    const part = new Part(this.subject());
    const opener = document.activeElement;
    const bar = part.rows.length > SLOW ? this.bar(part.rows.length) : null;
    const blobs = [];
    let done = 0;
    this.cancelled = false;
    for (const piece of pieces(part)) {
      blobs.push(new Blob([piece], { type }));
      done += A_PIECE;
      if (!bar) continue;
      bar.progress.value = Math.min(done, part.rows.length);
      bar.words.textContent = `${number(bar.progress.value)} of ${count(part.rows.length, "finding")}`;
      await new Promise((resolve) => { setTimeout(resolve); });
      if (this.cancelled) break;
    }
    bar?.node.remove();
    this.place.hidden = false;
    if (bar) opener?.focus?.({ preventScroll: true });
    if (this.cancelled) return say("The export was cancelled");
    save(new Blob(blobs, { type }), part.fileName(form));
    return say(`Exported ${count(part.rows.length, "finding")}`);
  }

  bar(all) {
    const progress = el("progress", { max: all, value: 0, "aria-label": "Export" });
    const words = el("span", {});
    const cancel = button("Cancel", () => { this.cancelled = true; });
    const node = el("span.exports", {}, "Exporting ", words, progress, cancel);
    this.place.after(node);
    this.place.hidden = true;
    cancel.focus({ preventScroll: true });
    return { node, progress, words };
  }
}

// The report as far as it is listed.
class Part {
  constructor({ store, rows, carried, q }) {
    Object.assign(this, { store, rows, q, report: store.report });
    const all = (this.report.carried_over ?? []);
    const shown = new Set(carried);
    this.carried = all.filter((entry) => entry.not_looked_for || shown.has(entry));
    this.isWhole = rows.length === store.size && this.carried.length === all.length;
  }

  get sentence() {
    const all = this.report.carried_over?.length;
    const carried = all ? ` and ${number(this.carried.length)} of ${number(all)} carried over` : "";
    return `This file is a part of the report: ${number(this.rows.length)} of ${count(this.store.size, "finding")}${carried}, `
      + `those that match the search ${this.q}. It says nothing of the others.`;
  }

  fileName(form) {
    return `chimeaudit-${this.report.run.id}${this.isWhole ? "" : "-part"}.${form}`.replace(/[^\w.-]+/g, "-");
  }

  get coverage() {
    const { coverage } = this.report;
    if (this.isWhole) return coverage;
    const gap = {
      account_id: "unknown", region: null, resource_arn: null, operation: "Export", code: "Filtered", reason: this.sentence, waiver: null,
    };
    return { ...coverage, complete: false, gaps: [...coverage.gaps, gap], not_examined: [...coverage.not_examined, this.sentence] };
  }

  // What is listed alone. What passed, and what controls come to, is known of the whole only.
  get head() {
    const { findings, inventory, ...report } = this.report;
    if (this.isWhole) return report;
    const { controls, ...rest } = report;
    const described = new Set([...this.findings].map(({ rule_id }) => rule_id));
    this.carried.forEach(({ finding }) => described.add(finding.rule_id));
    return {
      ...rest,
      run: { ...report.run, options: { ...report.run.options, filter: this.q } },
      coverage: this.coverage,
      summary: this.summary,
      rules: report.rules.filter(({ id }) => described.has(id)),
      ...(report.carried_over ? { carried_over: this.carried } : {}),
    };
  }

  get findings() { return Array.from(this.rows, (n) => this.store.findings[n]); }

  get summary() {
    const summary = {
      by_severity: zeros(["critical", "high", "medium", "low", "info"]), by_status: zeros(["fail", "unknown", "waived"]),
      by_rule: {}, by_account: {},
    };
    const add = (counts, name) => { counts[name] = (counts[name] ?? 0) + 1; };
    for (const n of this.rows) {
      const { status, severity, rule_id } = this.store.findings[n];
      add(summary.by_status, status);
      if (status !== "fail") continue;
      add(summary.by_severity, severity);
      add(summary.by_rule, rule_id);
      add(summary.by_account, this.store.resource(n).account_id);
    }
    return summary;
  }
}

const zeros = (names) => Object.fromEntries(names.map((name) => [name, 0]));

function* inPieces(rows) {
  for (let start = 0; start < rows.length; start += A_PIECE) yield rows.subarray(start, start + A_PIECE);
}

// In the order of the report.
function* json(part) {
  const { store } = part;
  const members = Object.entries(part.head).map(([name, value]) => `"${name}": ${JSON.stringify(value, null, 2)},\n`);
  yield `{\n${members.join("")}"findings": [`;
  let separator = "\n";
  for (const rows of inPieces(part.rows.slice().sort())) {
    yield separator + Array.from(rows, (n) => JSON.stringify(store.whole(n))).join(",\n");
    separator = ",\n";
  }
  yield "\n]\n}\n";
}

// -- CSV --

const COLUMNS = ["record", "status", "severity", "rule_id", "title", "account_id", "account_name", "region", "app_instance_name",
  "app_instance_arn", "resource_type", "resource_name", "resource_arn", "message", "evidence", "remediation", "references",
  "frameworks", "fingerprint", "change", "first_seen", "waived_until", "waived_by", "waived_because", "location", "last_seen",
  "not_settled_because"];
const PLAIN_LINES = /^[ -~\n]*$/;
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

const cell = (value) => {
  const given = String(value ?? "");
  const text = PLAIN_LINES.test(given) ? given : given.split("\n").map(spelled).join("\n");
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
};

// In the order of the list.
function* csv(part) {
  const { store, coverage } = part;
  const line = (cells) => `${COLUMNS.map((name) => cell(name === "account_name" ? store.names.get(cells.account_id) : cells[name])).join(",")}\r\n`;
  const lines = (records, cells) => records.map((record) => line(cells(record))).join("");
  yield `${COLUMNS.map(cell).join(",")}\r\n`;
  yield lines(coverage.not_examined, (message) => ({ record: "not_examined", message }));
  yield lines(coverage.gaps, gapCells);
  for (const rows of inPieces(part.rows)) yield lines(Array.from(rows, (n) => store.whole(n)), findingCells);
  yield lines(part.carried.filter((entry) => !entry.not_looked_for), carriedCells);
}

const waiverCells = (waiver) =>
  ({ waived_until: waiver?.expires, waived_by: waiver?.owner, waived_because: waiver?.reason });

const gapCells = ({ account_id, region, resource_arn, operation, code, reason, waiver }) => ({
  record: "gap", status: waiver ? "waived" : "not_observed", account_id, region, resource_arn,
  message: `${operation === "ReadFile" ? "" : `${operation}: `}${reason} [${code}]`, ...waiverCells(waiver),
});

const carriedCells = ({ finding, last_seen, reason }) => ({
  ...findingCells(finding), record: "carried_over", status: "carried_over", change: null, last_seen, not_settled_because: reason,
});

const evidenceLine = ({ path, observed, required, gap }) => (gap
  ? `${path} was not observed (${gap.code}), required: ${required}`
  : `${path} is ${JSON.stringify(observed)}, required: ${required}`);

function findingCells(finding) {
  const { resource, location } = finding;
  return {
    ...finding,
    ...waiverCells(finding.waiver),
    record: "finding",
    account_id: resource.account_id,
    region: resource.region,
    app_instance_name: resource.app_instance_name,
    app_instance_arn: resource.app_instance_arn,
    resource_type: resource.type,
    resource_name: resource.name,
    resource_arn: resource.arn,
    evidence: finding.evidence.map(evidenceLine).join("\n"),
    remediation: finding.remediation.trim(),
    references: finding.references.join("\n"),
    frameworks: Object.entries(finding.frameworks).flatMap(([name, ids]) => ids.map((id) => `${name} ${id}`)).join("\n"),
    location: location ? `${location.file}:${location.line}:${location.column}` : null,
  };
}

function save(blob, name) {
  const href = URL.createObjectURL(blob);
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
