// Everything that was seen, with the verdict of every rule: a list with a search and filters of its own.
import { byId, copier, count, el, heading, number, spelled } from "./dom.js";
import { Facets } from "./facets.js";
import { arnCode, badge, fact, kind } from "./finding.js";
import { pipeline } from "./flow.js";
import { Values, appName, namedAccount, resourceName } from "./island.js";
import { List, stuck } from "./list.js";
import { allowed, toggled } from "./match.js";
import { Language } from "./query.js";
import { remarks } from "./remarks.js";
import { Search, ranked } from "./search.js";
import { SearchBox } from "./searchbox.js";

const VERDICTS = ["failed", "unknown", "waived", "passed", "not applicable", "not judged"]; // worst first
const BY_RULE = ["failed", "unknown", "waived", "passed"];
const ITEM_FIELDS = ["verdict", "type", "account", "region", "app"];
const ITEM_LISTS = { account: "Account", region: "Region", app: "App instance" };

const itemLanguage = new Language([...ITEM_FIELDS, ...BY_RULE], Object.fromEntries(VERDICTS.map((verdict) => [verdict, "verdict"])));
const rankOf = (verdict) => VERDICTS.indexOf(verdict.replace("_", " "));

// What of an inventory a search needs, in columns; the rest is looked up when an item is shown.
class Items {
  constructor({ items, verdicts, outcomes, rules, account_names }) {
    Object.assign(this, { verdicts, outcomes, rules, fieldNames: ITEM_FIELDS, size: items.length });
    this.items = items;
    this.names = new Map(Object.entries(account_names)); // of accounts, by id
    this.worst = verdicts.map((each) => Object.values(each).reduce((worst, one) => Math.min(worst, rankOf(one)), 5));
    this.fields = Object.fromEntries(ITEM_FIELDS.map((name) => [name, {
      values: new Values(name === "verdict" ? VERDICTS : []), column: new Uint32Array(items.length),
    }]));
    this.apps = new Map(items.flatMap(([type, arn, name]) => (type === "app_instance" && arn ? [[arn, name]] : [])));
    items.forEach((item, n) => {
      const resource = this.resource(n);
      const { verdict, type, account, region, app } = this.fields;
      verdict.column[n] = this.worst[item[6]];
      type.column[n] = type.values.place(resource.type);
      account.column[n] = account.values.place(resource.account_id);
      account.values.names[account.column[n]] = spelled(this.names.get(resource.account_id) ?? "");
      region.column[n] = region.values.place(resource.region);
      app.column[n] = app.values.place(appName(resource));
    });
  }

  get noun() { return "resource"; }

  inScope() { return []; }

  valuesOf(name) { return this.fields[name]?.values ?? this.several(name).values; }

  // failed:RULE and the like: the rules that came to that verdict. What is in `verdicts` is looked at once.
  several(name) {
    const texts = Object.keys(this.rules);
    const places = new Map(texts.map((id, place) => [id, place]));
    const of = this.verdicts.map((each) => Object.entries(each).flatMap(([id, own]) => (own === name ? [places.get(id)] : [])));
    return { values: { texts, names: Object.values(this.rules) }, of: (n) => of[this.items[n][6]] };
  }

  resource(n) {
    const [type, arn, name, account_id, region, app_instance_arn] = this.items[n];
    const app_instance_name = type === "app_instance" ? name : this.apps.get(app_instance_arn) ?? null;
    return { type, arn, name, account_id, region, app_instance_arn, app_instance_name };
  }

  account(id) { return namedAccount(id, this.names); }

  verdictsOf(n) { return this.verdicts[this.items[n][6]]; }

  verdict(n) { return VERDICTS[this.fields.verdict.column[n]]; }

  // null if they were not observed
  processors(n) {
    return this.items[n][7]?.map(([name, execution_order, fallback_action, lambda_arn]) =>
      ({ name, execution_order, fallback_action, lambda_arn })) ?? null;
  }

  outcomesOf(n) { return this.items[n][7].map(([,,,, outcome]) => this.outcomes[outcome]); }

  location(n) { return this.items[n][8]; }

  // How many rules came to each verdict: [failed, unknown, ...]
  counts(n) {
    const counts = VERDICTS.map(() => 0);
    for (const verdict of Object.values(this.verdictsOf(n))) counts[rankOf(verdict)] += 1;
    return counts;
  }
}

class ItemSearch extends Search {
  word(value, not) {
    const { store } = this;
    this.texts ??= store.items.map(([, arn, name, account, region,,, steps], n) =>
      [arn, name, store.account(account), region, appName(store.resource(n)), ...(steps ?? []).flatMap(([own,,, lambda]) => [own, lambda])]
        .filter(Boolean).map(spelled).join("\n").toLowerCase());
    return (n) => not !== this.texts[n].includes(value);
  }

  grave(n) { return this.store.fields.verdict.column[n]; }

  rank(sort) {
    const { store } = this;
    switch (sort) {
      case "name": {
        const names = store.items.map((_, n) => resourceName(store.resource(n)));
        return ranked(names, Uint32Array.from(names.keys()));
      }
      case "place": return (n) => n; // the order of the report
      default: return () => 0;
    }
  }
}

export class Inventory {
  constructor(data, address, share) {
    const store = new Items(data);
    Object.assign(this, { store, address, search: new ItemSearch(store), open: null });
    this.part = (name) => byId(`inventory-${name}`);
    this.box = new SearchBox(this.part, {
      language: itemLanguage, search: this.search,
      changed: (q, typing) => this.set({ iq: q }, { typing }),
      leave: () => this.list.focus(0),
    });
    this.facets = new Facets(this.part("facets"), store, (field, value, byPointer) => {
      this.set({ iq: itemLanguage.text(toggled(this.read.parts, field, store.fields[field].values, value)) });
      if (byPointer) this.list.focus(0);
    }, { chips: { verdict: "Verdict", type: "Type" }, lists: ITEM_LISTS });
    this.list = new List(this.part("list"), this.part("rows"), {
      draw: (n, open) => ({ kind: `verdict-${dashed(store.verdict(n))}`, cells: itemCells(store, n, open) }),
      detail: (n) => itemDetail(store, n),
      ceiling: () => Math.max(...[".contents", "#inventory .finder"].map((each) => stuck(document.querySelector(each)))),
      share,
    });
    this.list.chosen = (position) => {
      const line = this.list.lines[position];
      this.open = this.open === line ? null : line;
      this.list.toggle(position);
    };
    this.part("sort").addEventListener("change", ({ target }) => this.set({ isort: target.value }));
    this.part("none").querySelector("button").addEventListener("click", () => {
      this.set({ iq: "" });
      this.box.field.focus();
    });
    // What is pressed in the inventory is about the inventory.
    byId("inventory").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.escape(event);
    });
    this.apply();
  }

  // The address keeps the search and the order.
  set(changes, { typing = false } = {}) {
    this.open = null;
    this.address.put(changes, this.address.groups, { typing });
    this.apply({ typing });
  }

  apply({ typing = false } = {}) {
    const { iq = "", isort = "" } = this.address.state;
    const sort = this.part("sort");
    sort.value = isort;
    if (sort.selectedIndex < 0) sort.value = "";
    this.box.show(iq);
    this.read = itemLanguage.read(iq);
    const result = this.search.run(this.read.parts, sort.value);
    this.list.show(Int32Array.from(result.rows), this.open === null ? -1 : result.rows.indexOf(this.open));
    this.facets.update(result);
    const found = result.rows.length;
    const all = count(this.store.size, "resource");
    this.part("count").textContent = found === this.store.size ? all : `${number(found)} of ${all}`;
    this.part("none").hidden = found > 0;
    this.part("list").hidden = found === 0;
    this.box.remark(() => remarks(this.search, itemLanguage, this.read, sort.value, found), { typing });
  }

  // Closes what is nearest: the help, a list of choices, the search, the open item.
  escape(event) {
    const help = document.querySelector("#inventory .help[open]");
    if (help) help.open = false;
    else if (this.facets.close() || this.box.close()) return;
    else if (event.target === this.box.field) {
      event.preventDefault();
      if (this.box.field.value) this.set({ iq: "" });
      else this.box.field.blur();
    } else if (this.list.open >= 0) {
      const position = this.list.open;
      this.list.chosen(position);
      this.list.focus(position);
    }
  }
}

const dashed = (verdict) => verdict.replace(" ", "-");
const inWords = (counts) => counts.flatMap((amount, n) => (amount ? [`${number(amount)} ${VERDICTS[n]}`] : [])).join(", ");

function itemCells(store, n, open) {
  const resource = store.resource(n);
  const opener = el("button.title", { type: "button", "aria-expanded": String(open) }, resourceName(resource));
  const steps = store.processors(n);
  const path = steps === null ? "processors not observed" : steps.map((step) => step.name ?? "name not observed").join(" → ");
  const told = [path, inWords(store.counts(n))].filter(Boolean).join(" · ");
  return [
    el("td.summary-badges", {}, badge(store.verdict(n), `verdict-${dashed(store.verdict(n))}`)),
    el("th", { scope: "row" }, opener, el("span.message", {}, told)),
    el("td.summary-place", {}, el("span.name", {}, resource.type === "channel_flow" ? appName(resource) : kind(resource)),
      el("span.where", {}, `${store.account(resource.account_id)} · ${resource.region}`)),
  ];
}

function itemDetail(store, n) {
  const resource = { ...store.resource(n), processors: store.processors(n) ?? [] };
  const arn = resource.arn === null ? null : arnCode(resource.arn);
  const location = store.location(n);
  return el("div.detail", {},
    el("p.said", {}, el("b", {}, resourceName(resource))),
    arn && el("p.actions", {}, copier("Copy ARN", () => resource.arn, arn)),
    pipeline(resource, resource.processors.length ? store.outcomesOf(n) : [], new Set(), null),
    BY_RULE.concat("not applicable").map((verdict) => ofVerdict(store, n, verdict)),
    Object.keys(store.verdictsOf(n)).length ? null : el("p.quiet", {}, "No rule was applied to it."),
    heading("Reference"),
    el("dl.facts", {},
      fact(kind(resource), arn ?? el("span.quiet", {}, "no ARN")),
      resource.type === "channel_flow" && resource.app_instance_arn !== null
        ? fact("App instance", arnCode(resource.app_instance_arn)) : null,
      [...new Set(resource.processors.map((step) => step.lambda_arn).filter(Boolean))].map((function_) =>
        fact("Function", arnCode(function_))),
      location === null ? null : fact("File", el("code", {}, location))));
}

function ofVerdict(store, n, verdict) {
  const ids = Object.entries(store.verdictsOf(n)).flatMap(([id, own]) => (own.replace("_", " ") === verdict ? [id] : []));
  if (!ids.length) return null;
  const title = { "not applicable": "Did not apply" }[verdict] ?? `${verdict[0].toUpperCase()}${verdict.slice(1)}`;
  return [heading(`${title} (${number(ids.length)})`), el("ul.verdicts", {}, ids.map((id) => el("li", {},
    el("a", { href: `#rule-${id}` }, store.rules[id] ?? id), " ", el("code.quiet", {}, id),
    findingsOf(id, store.items[n][1], verdict))))];
}

// Only what did not pass has findings.
function findingsOf(id, arn, verdict) {
  if (arn === null || !["failed", "unknown", "waived"].includes(verdict)) return null;
  return [" ", el("a", { href: `#${new URLSearchParams({ q: `rule:"${id}" "${arn.replaceAll('"', '""')}"` })}` }, "in the list of findings")];
}
