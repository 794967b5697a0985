// What is filtered, as files. The CSV has the columns and the guard of scanner/render/csv.py.
import { el, spelled } from "./dom.js";

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

const cell = (value) => {
  const text = String(value ?? "").split("\n").map(spelled).join("\n");
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
};

const row = (cells) => `${cells.map(cell).join(",")}\r\n`;

const evidenceLine = ({ path, observed, required, gap }) => (gap
  ? `${path} was not observed (${gap.code}), required: ${required}`
  : `${path} is ${JSON.stringify(observed)}, required: ${required}`);

const columns = (finding, names) => {
  const { resource, location, waiver } = finding;
  return {
    record: "finding",
    status: finding.status,
    severity: finding.severity,
    rule_id: finding.rule_id,
    title: finding.title,
    account_id: resource.account_id,
    account_name: names.get(resource.account_id),
    region: resource.region,
    app_instance_name: resource.app_instance_name,
    app_instance_arn: resource.app_instance_arn,
    resource_type: resource.type,
    resource_name: resource.name,
    resource_arn: resource.arn,
    message: finding.message,
    evidence: finding.evidence.map(evidenceLine).join("\n"),
    remediation: finding.remediation.trim(),
    references: finding.references.join("\n"),
    frameworks: Object.entries(finding.frameworks).flatMap(([name, ids]) => ids.map((id) => `${name} ${id}`)).join("\n"),
    fingerprint: finding.fingerprint,
    change: finding.change,
    first_seen: finding.first_seen,
    waived_until: waiver?.expires,
    waived_by: waiver?.owner,
    waived_because: waiver?.reason,
    location: location ? `${location.file}:${location.line}:${location.column}` : null,
    last_seen: null,
    not_settled_because: null,
  };
};

export function csv(store, rows) {
  const lines = Array.from(rows, (n) => columns(store.whole(n), store.names));
  return [row(Object.keys(lines[0] ?? {})), ...lines.map((line) => row(Object.values(line)))];
}

// The findings as they stand in the JSON report, with what they were filtered by.
export function json(store, rows, query) {
  const { tool, run, schema_version } = store.data;
  const head = JSON.stringify({ schema_version, tool, run, query }).slice(0, -1);
  const separator = (place) => (place ? ",\n" : "\n");
  return [`${head},"findings":[`, ...Array.from(rows, (n, place) => separator(place) + JSON.stringify(store.whole(n))), "\n]}\n"];
}

export function save(pieces, type, name) {
  const href = URL.createObjectURL(new Blob(pieces, { type }));
  el("a", { href, download: name.replace(/[^\w.-]+/g, "-") }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
