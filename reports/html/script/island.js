// The findings: unpacked from the page, then laid out in columns of small numbers that a search goes through quickly.
import { spelled } from "./dom.js";
import { filled } from "./remedy.js";

export const FIELDS = ["severity", "status", "change", "rule", "account", "region", "app", "type", "file"];
export const SEVERAL = ["name", "function", "framework", "control", "gap"]; // of which a finding may have several, or none
export const SEVERITIES = ["critical", "high", "medium", "low", "info"];
export const STATUSES = ["failed", "waived", "unknown"];
export const CHANGES = ["new", "existing"];

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

// moderate:live of arn:aws:lambda:us-east-1:111122223333:function:moderate:live; an ARN of another form as it is
export const functionNames = ({ processors }) => [...new Set((processors ?? []).flatMap(({ lambda_arn: arn }) =>
  (arn ? [arn.split(":function:")[1] || arn] : [])))];

// Controls are found with and without their framework.
export const controls = (frameworks) =>
  Object.entries(frameworks).flatMap(([name, ids]) => ids.flatMap((id) => [id, `${name} ${id}`]));

// In the words by which the coverage of the page links here (scanner/render/html_coverage.py).
export const gapText = ({ operation, code, account_id, region, resource_arn }) =>
  [operation, code, account_id, region, resource_arn].filter(Boolean).join(" ");

export class Store {
  constructor(data) {
    this.data = data;
    this.report = data.report; // without its findings
    this.rules = new Map(data.report.rules.map((rule) => [rule.id, { ...rule, ...data.rules[rule.id] }]));
    this.fieldNames = FIELDS;
    this.resources = data.resources;
    this.names = new Map(Object.entries(data.report.scope.account_names ?? {})); // of accounts, by id
    this.findings = data.resources.flatMap((resource) => resource.findings);
    this.size = this.findings.length;
    this.resourceOf = new Uint32Array(this.size);
    this.fields = {};
    for (const field of FIELDS) {
      const known = { severity: SEVERITIES, status: STATUSES, change: [...CHANGES, ""] }[field];
      this.fields[field] = { values: new Values(known), column: new Uint32Array(this.size) };
    }
    // Two app instances may share a name: they are filtered by it together, and grouped apart.
    this.apps = { values: new Values(), column: new Uint32Array(this.size) };
    this.listed = new Map(); // what `several` has made
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
        this.apps.column[n] = own;
        file.column[n] = file.values.place(finding.location?.file ?? "");
        n += 1;
      }
    });
  }

  // The values of a field of SEVERAL, and a function from a finding to the places of its own. Made when it is needed.
  several(name) {
    if (!this.listed.has(name)) {
      const values = new Values();
      this.listed.set(name, { values, of: this.placing(name, (texts) => texts.map((text) => values.place(text))) });
    }
    return this.listed.get(name);
  }

  placing(name, places) {
    const ofResource = (texts) => {
      const own = this.resources.map(({ resource }) => places(texts(resource)));
      return (n) => own[this.resourceOf[n]];
    };
    switch (name) {
      case "name": return ofResource((resource) => [resourceName(resource)]);
      case "function": return ofResource(functionNames);
      case "gap": {
        const own = this.findings.map(({ evidence }) => places(evidence.flatMap(({ gap }) => (gap ? [gapText(gap)] : []))));
        return (n) => own[n];
      }
      default: {
        const made = new Map(); // by the frameworks of a rule, which its findings share
        const own = this.findings.map((_, n) => {
          const frameworks = this.said(n, "frameworks") ?? {};
          if (!made.has(frameworks)) made.set(frameworks, places(name === "framework" ? Object.keys(frameworks) : controls(frameworks)));
          return made.get(frameworks);
        });
        return (n) => own[n];
      }
    }
  }

  get noun() { return "finding"; }

  // Whether any finding is known to be new or existing.
  get isCompared() {
    this.compared ??= this.fields.change.column.some((place) => place !== CHANGES.length);
    return this.compared;
  }

  valuesOf(name) { return this.fields[name]?.values ?? this.several(name).values; }

  // What the run was about, whether it has findings or not.
  inScope(field) {
    const { scope } = this.report;
    return { rule: [...this.rules.keys()], account: scope.accounts, region: scope.regions, file: scope.files }[field] ?? [];
  }

  // The number of a finding; null if there is none.
  byFingerprint(fingerprint) {
    if (fingerprint !== this.asked?.fingerprint) {
      this.asked = { fingerprint, place: this.findings.findIndex((finding) => finding.fingerprint === fingerprint) };
    }
    return fingerprint && this.asked.place >= 0 ? this.asked.place : null;
  }

  resource(n) { return this.resources[this.resourceOf[n]].resource; }

  account(id) { return namedAccount(id, this.names); }

  // Whether any finding is in a file, as those of a check are.
  get inFiles() { return this.fields.file.values.texts.some(Boolean); }

  outcomes(n) { return this.resources[this.resourceOf[n]].outcomes; }

  rule(n) { return this.rules.get(this.findings[n].rule_id) ?? {}; }

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
      first_seen: rest.first_seen ?? null, location: rest.location ?? null, ...(rest.edits ? { edits: rest.edits } : {}),
    };
  }
}
