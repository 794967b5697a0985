// A finding as a row and in full.
import { copier, count, el, heading, moment } from "./dom.js";
import { failing, pipeline } from "./flow.js";
import { appName, resourceName } from "./island.js";
import { pieces } from "./remedy.js";

export const badge = (text, kind) => el(`span.badge.${kind}`, {}, text);

const isUnknown = ({ status }) => status === "unknown";

// What could not be judged is no finding of a severity: it would be one, if it failed.
export const badges = (finding) => [
  isUnknown(finding) ? [badge("unknown", "hollow"), " ", el("span.if-so", {}, `${finding.severity}, if so`)]
    : badge(finding.severity, finding.severity),
  finding.status === "waived" ? badge("waived", "accepted") : null,
  finding.change === "new" ? badge("new", "new") : null,
];

// Of a function's ARN its name and qualifier, of a role's its name. The detail has the whole ARN.
const ARN = /\barn:[a-z0-9-]+:(?:lambda:[a-z0-9-]*:\d*:function:([\w$-]+(?::[\w$-]+)?)|iam::\d*:role\/(?:[\w+=,.@-]*\/)*([\w+=,.@-]*\w))/g;

export const short = (message) => message.replace(ARN, (_, name, role) => name ?? role);

export const heads = (store, n) => store.said(n, isUnknown(store.findings[n]) ? "doubt" : "title");

// -> the cells of a row
export function cells(store, n, open) {
  const finding = store.findings[n];
  const resource = store.resource(n);
  const opener = el("button.title", {
    type: "button", id: `title-${n}`, "aria-expanded": String(open), "aria-labelledby": `title-${n} name-${n}`,
  }, heads(store, n));
  const more = { channel_flow: `App instance ${appName(resource)}`, role: "IAM role" }[resource.type];
  return [
    el("td.summary-badges", {}, badges(finding)),
    el("th", { scope: "row" }, opener, el("span.message", {}, short(finding.message))),
    el("td.summary-place", {}, el("span.name", { id: `name-${n}` }, resourceName(resource)),
      el("span.where", {}, where(store, n)),
      more ? el("span.app", {}, more) : null),
  ];
}

function where(store, n) {
  const { location } = store.findings[n];
  if (location) return `${location.file}:${location.line}`;
  const { account_id, region } = store.resource(n);
  return [`${store.account(account_id)} · `, el("span.region", {}, region)];
}

export const kind = ({ type }) => `${type[0].toUpperCase()}${type.slice(1).replace("_", " ")}`;

export function detail(store, n, link) {
  const finding = store.findings[n];
  const resource = store.resource(n);
  const arn = resource.arn === null ? null : arnCode(resource.arn);
  return el(isUnknown(finding) ? "div.detail.unsure" : "div.detail", { id: `finding-${finding.fingerprint}` },
    // In full: its row cuts what is long.
    el("p.said", {}, el("b", {}, heads(store, n)), el("span", {}, breakable(finding.message)),
      el("span.quiet", {}, resourceName(resource))),
    el("p.actions", {},
      arn && copier("Copy ARN", () => resource.arn, arn),
      copier("Copy link", link)),
    finding.waiver ? waiver(finding.waiver) : null,
    pipeline(resource, store.outcomes(n), failing(finding), finding.status),
    evidence(finding),
    el("div.columns", {},
      isUnknown(finding) ? section("What to do", closing(store, finding)) : null,
      section("Why it matters", blocks(store.rule(n).rationale ?? [])),
      isUnknown(finding) ? null : section("What to do", blocks(store.said(n, "remedy")))),
    heading("Reference"),
    el("dl.facts", {},
      fact("Rule", el("code", {}, finding.rule_id)),
      fact(kind(resource), arn ?? el("span.quiet", {}, "no ARN")),
      resource.type === "channel_flow" && resource.app_instance_arn !== null
        ? fact("App instance", arnCode(resource.app_instance_arn)) : null,
      facts("Function", functions(resource).map(arnCode)),
      finding.location ? fact("File", el("code", {}, place(finding.location))) : null,
      finding.change ? fact("Baseline", finding.change === "new" ? "new since then" : "already known") : null,
      finding.first_seen ? fact("First seen", firstSeen(finding)) : null,
      Object.entries(store.said(n, "frameworks")).map(([name, controls]) =>
        fact(name, controls.map((control) => el("span.control", {}, control)))),
      facts("See", store.said(n, "links").map(reference)),
      fact("Fingerprint", el("code", {}, finding.fingerprint))));
}

// An ARN breaks after a colon or slash, not in the middle of a name.
export const breakable = (text) => text.split(/(?<=[:/])/).flatMap((part) => [part, el("wbr")]);
export const arnCode = (arn) => el("code.arn", {}, breakable(arn));

// A name and each of its values; nothing where there is none.
const facts = (name, values) => (values.length ? [el("dt", {}, name), values.map((value) => el("dd", {}, value))] : null);
export const fact = (name, value) => facts(name, [value]);
const functions = ({ processors }) => [...new Set(processors.map((step) => step.lambda_arn).filter((arn) => arn !== null))];
const firstSeen = ({ first_seen, age_days: age }) =>
  `${moment(first_seen)}${age ? ` (${age} ${age === 1 ? "day" : "days"} ago)` : ""}`;
const place = ({ file, line, column }) => `${file}:${line}:${column}`;
const section = (title, content) => (content.length ? el("div", {}, heading(title), content) : null);

const reference = ({ text, href }) => (href === null ? text : el("a", { href, rel: "noreferrer noopener" }, text));

const waiver = ({ reason, owner, expires }) =>
  el("p.waiver", {}, badge("waived", "accepted"), ` ${reason} `, el("span.quiet", {}, `by ${owner}, until ${expires}`));

// What settles an unknown finding: to close the gaps behind it, or else to say what its file leaves open.
function closing({ data }, { causes = [], location }) {
  const steps = causes.map((place) => data.closing[place]);
  if (!steps.length) steps.push(location ? "Say in the file, or by --parameter, what it leaves open; or scan what is deployed." : "Scan again.");
  return steps.map((step) => el("p", {}, step));
}

function blocks(items) {
  return items.map(({ kind, text, effect }) => {
    if (kind === "text") return el("p", {}, text);
    const code = el("code", {}, pieces(text).map(([piece, isOpen]) => (isOpen ? el("mark", {}, piece) : lines(piece))));
    return el("div.command", {}, el("p.effect", {}, effect), el("pre", { tabindex: 0 }, code), commandCopier(code));
  });
}

const lines = (text) => text.split("\n").flatMap((line, n) => (n ? [document.createTextNode("\n"), line] : [line]));

// What is copied is what is shown: hidden characters are spelled out in both.
export function commandCopier(code) {
  const open = new Set([...code.querySelectorAll("mark")].map((mark) => mark.textContent));
  const label = open.size ? `Copy, fill in ${count(open.size, "value")}` : "Copy";
  const names = [...open].map((name) => name.slice(1, -1)).join(", ");
  return copier(label, () => code.textContent, code, { done: open.size ? `Copied. Fill in ${names} before you run it` : "Copied" });
}

function evidence({ evidence: items }) {
  if (!items.length) return null;
  const row = ({ path, observed, required, gap }) => el("tr", {},
    el("td", {}, el("code", {}, path)),
    el("td", {}, gap ? el("span.quiet", {}, `not observed (${gap.operation}: ${gap.code})`)
      : el("code.observed", {}, valueText(observed))),
    el("td", {}, el("code", {}, required)));
  return [heading("Evidence"), el("div.scroll", { tabindex: 0, role: "group", "aria-label": "Evidence" },
    el("table.evidence", {},
      el("thead", {}, el("tr", {}, ["What was looked at", "Observed", "Required"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, items.map(row))))];
}

function valueText(value) {
  if (value === null) return "none";
  return Array.isArray(value) ? `[${value.map(valueText).join(", ")}]` : String(value);
}
