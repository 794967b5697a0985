// The findings: unpacked from the page, then laid out in columns of small numbers that a search goes through quickly.
import { spelled } from "./dom.js";
import { filled } from "./remedy.js";

export const FIELDS = ["severity", "status", "change", "rule", "account", "region", "app", "type", "file"];
export const SEVERAL = ["gap", "framework", "control"]; // of which a finding may have several, or none
export const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const STATUSES = ["failed", "waived", "unknown"];

export async function unpacked(element) {
  const bytes = decoded(element.textContent.trim());
  element.remove();
  return new Response(new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"))).json();
}

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let n = 0; n < bytes.length; n += 1) bytes[n] = text.charCodeAt(n);
  return bytes;
}

// Each distinct value of a field once; a column then holds its place in this list.
export class Values {
  constructor(known = []) {
    this.texts = [];
    this.names = []; // by which a value is found, too
    this.places = new Map();
    known.forEach((value) => this.place(value));
  }

  place(value) {
    let place = this.places.get(value);
    if (place === undefined) {
      place = this.texts.push(spelled(value)) - 1;
      this.places.set(value, place);
    }
    return place;
  }
}

const tail = (arn) => (arn ?? "").slice((arn ?? "").lastIndexOf("/") + 1);
export const resourceName = (resource) => resource.name || tail(resource.arn) || "unnamed";
export const appName = (resource) => (resource.type === "role" ? "no app instance"
  : resource.app_instance_name || tail(resource.app_instance_arn) || "not observed");

const MOST_NAME = 64;

// An account by its id and, where it is known, its name; scanner/model/phrases.py has the same form.
export function namedAccount(id, names) {
  const name = names.get(id);
  const shown = name && [...name].length > MOST_NAME ? `${[...name].slice(0, MOST_NAME - 1).join("")}…` : name;
  return shown ? `${id} (${shown})` : id;
}

// In the words by which the coverage of the page links here (scanner/render/html_coverage.py).
const gapText = ({ operation, code, account_id, region, resource_arn }) =>
  [operation, code, account_id, region, resource_arn].filter(Boolean).join(" ");

export class Store {
  constructor(data) {
    this.data = data;
    this.fieldNames = FIELDS;
    this.resources = data.resources;
    this.names = new Map(Object.entries(data.account_names)); // of accounts, by id
    this.findings = data.resources.flatMap((resource) => resource.findings);
    this.size = this.findings.length;
    this.resourceOf = new Uint32Array(this.size);
    this.fields = {};
    for (const field of FIELDS) {
      const known = { severity: SEVERITIES, status: STATUSES, change: ["new", "existing", ""] }[field];
      this.fields[field] = { values: new Values(known), column: new Uint32Array(this.size) };
    }
    // Two app instances may share a name: they are filtered by it together, and grouped apart.
    this.apps = { values: new Values(), column: new Uint32Array(this.size) };
    this.several = Object.fromEntries(SEVERAL.map((name) => [name, { values: new Values(), of: new Array(this.size) }]));
    this.supported = new Map();
    this.fill();
  }

  fill() {
    const { severity, status, change, rule, account, region, app, type, file } = this.fields;
    let n = 0;
    this.resources.forEach(({ resource, findings }, place) => {
      const inAccount = account.values.place(resource.account_id);
      const inRegion = region.values.place(resource.region);
      const inApp = app.values.place(appName(resource));
      const ofType = type.values.place(resource.type);
      const own = this.apps.values.place(resource.app_instance_arn ?? `${resource.account_id} ${resource.region}`);
      account.values.names[inAccount] = spelled(this.names.get(resource.account_id) ?? "");
      for (const finding of findings) {
        this.resourceOf[n] = place;
        severity.column[n] = severity.values.place(finding.severity);
        status.column[n] = status.values.place(finding.status === "fail" ? "failed" : finding.status);
        change.column[n] = change.values.place(finding.change ?? "");
        rule.column[n] = rule.values.place(finding.rule_id);
        account.column[n] = inAccount;
        region.column[n] = inRegion;
        app.column[n] = inApp;
        type.column[n] = ofType;
        file.column[n] = file.values.place(finding.location?.file ?? "");
        this.apps.column[n] = own;
        const { gap: gaps, framework, control } = this.several;
        gaps.of[n] = finding.evidence.flatMap(({ gap }) => (gap ? [gaps.values.place(gapText(gap))] : []));
        [framework.of[n], control.of[n]] = this.supports(this.said(n, "frameworks"));
        n += 1;
      }
    });
  }

  // The places of frameworks and of controls, which are found with and without their framework; once for each rule.
  supports(frameworks = {}) {
    if (!this.supported.has(frameworks)) {
      const { framework, control } = this.several;
      const named = Object.entries(frameworks).flatMap(([name, controls]) => controls.flatMap((id) => [id, `${name} ${id}`]));
      const places = ({ values }, texts) => texts.map((text) => values.place(text));
      this.supported.set(frameworks, [places(framework, Object.keys(frameworks)), places(control, named)]);
    }
    return this.supported.get(frameworks);
  }

  resource(n) { return this.resources[this.resourceOf[n]].resource; }

  account(id) { return namedAccount(id, this.names); }

  // Whether any finding is in a file, as those of a check are.
  get inFiles() { return this.fields.file.values.texts.some(Boolean); }

  outcomes(n) { return this.resources[this.resourceOf[n]].outcomes; }

  rule(n) { return this.data.rules[this.findings[n].rule_id] ?? {}; }

  // A finding's own text, else its rule's.
  said(n, what) {
    const said = this.findings[n][what] ?? this.rule(n)[what];
    if (!this.findings[n].filled) return said;
    if (what === "remediation") return this.filled(n, said);
    return what === "remedy" ? said.map(({ text, ...rest }) => ({ ...rest, text: this.filled(n, text) })) : said;
  }

  filled(n, text) { return filled(text, this.resource(n), this.findings[n].evidence); }

  // As it stands in the JSON report.
  whole(n) {
    const { rule_id, severity, status, message, evidence, fingerprint, ...rest } = this.findings[n];
    return {
      rule_id, title: this.said(n, "title"), severity, status, resource: this.resource(n), message, evidence,
      remediation: this.said(n, "remediation"), references: this.said(n, "references"),
      frameworks: this.said(n, "frameworks"), fingerprint, waiver: rest.waiver ?? null, change: rest.change ?? null,
      first_seen: rest.first_seen ?? null, location: rest.location ?? null,
    };
  }
}
