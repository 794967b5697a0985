// What a search finds besides the list of findings: gaps, and what is carried over from an earlier report.
import { count, el, number, spelled } from "./dom.js";
import { Values, appName, controls, functionNames, gapText, namedAccount, resourceName } from "./island.js";
import { Search } from "./search.js";

const SHOWN_OTHERS = 50;

export class Others extends Search {
  constructor(place, { report, names }) {
    const records = [
      ...report.coverage.gaps.map((gap) => ofGap(gap, names)),
      ...(report.carried_over ?? []).filter((entry) => !entry.not_looked_for).map((entry) => ofCarried(entry, names)),
    ];
    super({ records, size: records.length, fieldNames: [], fields: {} });
    Object.assign(this, { place, records });
    this.fields = new Map();
    this.show([], 0);
  }

  // What of an earlier report matches, as the report has it.
  get carried() { return this.matching.flatMap(({ entry }) => entry ?? []); }

  show(parts, among) {
    this.matching = Array.from(this.run(parts, "").rows, (n) => this.records[n]);
    this.found = parts.length ? this.matching.length : 0;
    this.place.hidden = !this.found;
    this.place.replaceChildren();
    if (!this.found) return;
    const gaps = this.matching.filter(({ entry }) => !entry).length;
    const kinds = [gaps ? count(gaps, "gap") : "", this.found > gaps ? `${number(this.found - gaps)} carried over` : ""];
    const more = this.found - SHOWN_OTHERS;
    this.place.append(el("details.more", { open: !among },
      el("summary", {}, `${kinds.filter(Boolean).join(" and ")} ${this.found === 1 ? "matches" : "match"}${among ? ", too" : ""}`),
      el("ul.others", {}, this.matching.slice(0, SHOWN_OTHERS).map(({ line, where }) => el("li", {}, el("span.quiet", {}, where), " ", line))),
      more > 0 ? el("p.cut", {}, `and ${number(more)} more, which an export has.`) : null));
  }

  several(name) {
    if (!this.fields.has(name)) {
      const values = new Values();
      const own = this.records.map((record) => (record.values[name] ?? []).filter(Boolean).map((text) => values.place(text)));
      this.fields.set(name, { values, of: (n) => own[n] });
    }
    return this.fields.get(name);
  }

  word(value, not) { return (n) => not !== this.records[n].text.includes(value); }

  grave() { return 0; }

  rank() { return () => 0; }
}

const lowerText = (...texts) => texts.filter(Boolean).map(spelled).join("\n").toLowerCase();

function ofGap(gap, names) {
  const account = namedAccount(gap.account_id, names);
  const file = gap.location?.file;
  return {
    where: "Gap",
    line: `${[account, gap.region, file].filter(Boolean).join(" · ")}: ${gap.operation} ended in ${gap.code}: ${gap.reason}`,
    text: lowerText(account, gap.region, gap.resource_arn, gap.operation, gap.code, gap.reason, file),
    values: { account: [gap.account_id, names.get(gap.account_id)], region: [gap.region], gap: [gapText(gap)], file: [file] },
  };
}

function ofCarried(entry, names) {
  const { finding, last_seen: seen, reason } = entry;
  const { resource, frameworks } = finding;
  const account = namedAccount(resource.account_id, names);
  const name = resourceName(resource);
  return {
    entry,
    where: "Carried over",
    line: `${finding.title}, ${name}, ${account} · ${resource.region}: last seen ${seen.slice(0, 10)}: ${reason}`,
    text: lowerText(finding.title, finding.rule_id, finding.message, name, resource.arn, account, resource.region,
      resource.app_instance_name, finding.fingerprint, reason),
    values: {
      severity: [finding.severity], status: ["carried over"], rule: [finding.rule_id], type: [resource.type], name: [name],
      account: [resource.account_id, names.get(resource.account_id)], region: [resource.region], app: [appName(resource)],
      file: [finding.location?.file], function: functionNames(resource),
      framework: Object.keys(frameworks), control: controls(frameworks),
    },
  };
}
