// The page says what it has to without scripts. This puts the list of all findings in place of the first few.
import { count, el, number } from "./dom.js";
import { csv, json, save } from "./export.js";
import { Facets } from "./facets.js";
import { cells, commandCopier, detail } from "./finding.js";
import { SEVERITIES, Store, appName, unpacked } from "./island.js";
import { Inventory } from "./inventory.js";
import { List, stuck } from "./list.js";
import { parsed, text, toggled } from "./query.js";
import { FindingSearch } from "./search.js";

const MAKEUP = [...SEVERITIES, "waived", "unknown"];

const INVENTORY_SHARE = 1 / 3; // of the tallest page

const byId = (id) => document.getElementById(id);

class Page {
  constructor(store) {
    this.store = store;
    this.search = new FindingSearch(store);
    this.state = { q: "", group: "", sort: "", open: null };
    this.opened = new Set(); // the groups that are open
    this.query = byId("query");
    this.facets = new Facets(byId("facets"), store, (field, place) => {
      this.set({ q: text(toggled(parsed(this.state.q), field, store.fields[field].values, place)) });
    });
    this.list = new List(byId("list"), byId("rows"), {
      draw: (line, open) => this.line(line, open),
      detail: (line) => detail(store, line, () => `${location.href.split("#")[0]}#${fragment(this.state)}`),
      ceiling: () => Math.max(...[".contents", ".finder"].map((place) => stuck(document.querySelector(place)))),
      share: byId("inventory-island") ? 1 - INVENTORY_SHARE : 1,
    });
    this.list.chosen = (position) => this.chosen(position);
    if (!store.inFiles) for (const id of ["group", "sort"]) byId(id).querySelector("[value=file]")?.remove();
    this.listen();
  }

  // -- state: the fragment of the address keeps it --

  set(changes, { write = true } = {}) {
    if ("group" in changes && changes.group !== this.state.group) this.opened.clear();
    Object.assign(this.state, changes);
    if (this.query.value !== this.state.q && parsedText(this.query.value) !== this.state.q) this.query.value = this.state.q;
    byId("group").value = this.state.group;
    byId("sort").value = this.state.sort;
    this.result = this.search.run(parsed(this.state.q), this.state.sort);
    this.show();
    this.facets.update(this.result);
    const found = this.result.rows.length;
    const all = count(this.store.size, "finding");
    byId("count").textContent = found === this.store.size ? all : `${number(found)} of ${all}`;
    byId("none").hidden = found > 0;
    byId("list").hidden = found === 0;
    if (write) this.write();
  }

  show() {
    const lines = this.lines();
    this.list.show(lines, this.state.open === null ? -1 : lines.indexOf(this.state.open));
  }

  write() {
    const kept = fragment(this.state);
    try {
      history.replaceState(null, "", kept ? `#${kept}` : location.href.split("#")[0]);
    } catch { /* a viewer that forbids it still filters */ }
  }

  // The fragment may name a filter, a finding, or an ordinary place on the page, which changes nothing here.
  read({ arriving = false } = {}) {
    const kept = location.hash.slice(1);
    const [, fingerprint] = /^finding-(.+)$/.exec(kept) ?? [];
    if (!fingerprint && !/^(q|group|sort|open)=/.test(kept)) {
      if (arriving) this.set({}, { write: false });
      return;
    }
    const given = new URLSearchParams(fingerprint ? { open: fingerprint } : kept);
    const among = (id, value) => ([...byId(id).options].some((option) => option.value === value) ? value : "");
    const open = given.has("open") ? this.store.findings.findIndex((finding) => finding.fingerprint === given.get("open")) : -1;
    const state = {
      q: given.get("q") ?? "", group: among("group", given.get("group")), sort: among("sort", given.get("sort")),
      open: open < 0 ? null : open,
    };
    this.set(state, { write: false });
    if (open >= 0 && !this.result.rows.includes(open)) this.set({ q: "" });
    if (open >= 0) {
      this.openGroupOf(open);
      this.list.bring(this.list.open);
    } else byId("findings").scrollIntoView();
  }

  // -- lines of the list: a finding by its number, a group by ~number --

  lines() {
    const { rows } = this.result;
    if (!this.state.group) return Int32Array.from(rows);
    this.groups = this.grouped(rows);
    return Int32Array.from(this.groups.flatMap((group, n) => (this.opened.has(group.key) ? [~n, ...group.rows] : [~n])));
  }

  column() {
    const { store } = this;
    return this.state.group === "app" ? store.apps.column : store.fields[this.state.group].column;
  }

  // The groups with the worst findings first, then the largest.
  grouped(rows) {
    const column = this.column();
    const { severity, status } = this.store.fields;
    const groups = new Map();
    for (const n of rows) {
      const key = column[n];
      let group = groups.get(key);
      if (!group) groups.set(key, group = { key, rows: [], makeup: MAKEUP.map(() => 0) });
      group.rows.push(n);
      // Only what failed counts by its severity.
      group.makeup[status.column[n] ? 4 + status.column[n] : severity.column[n]] += 1;
    }
    const worst = (group) => group.makeup.findIndex(Boolean);
    return [...groups.values()].sort((a, b) => worst(a) - worst(b) || b.rows.length - a.rows.length);
  }

  openGroupOf(n) {
    if (!this.state.group) return;
    this.opened.add(this.column()[n]);
    this.show();
  }

  line(line, open) {
    return line < 0 ? { kind: "group-line", cells: this.groupCells(this.groups[~line]) }
      : { kind: this.kind(this.store.findings[line]), cells: cells(this.store, line, open) };
  }

  kind({ status, severity }) { return status === "unknown" ? "unsure" : severity; }

  groupCells({ key, rows, makeup }) {
    const [n] = rows;
    const resource = this.store.resource(n);
    const [name, more] = {
      rule: () => [this.store.said(n, "title"), this.store.findings[n].rule_id],
      account: () => [this.store.account(resource.account_id), ""],
      file: () => [this.store.fields.file.values.texts[key] || "in no file", ""],
      app: () => [appName(resource), `${this.store.account(resource.account_id)} · ${resource.region}`],
    }[this.state.group]();
    const opener = el("button.title", { type: "button", "aria-expanded": String(this.opened.has(key)) }, name);
    const bar = el("span.makeup", { "aria-hidden": "true" });
    const words = makeup.flatMap((amount, kind) => {
      if (!amount) return [];
      const part = el(`span.${MAKEUP[kind]}`);
      part.style.flexGrow = String(amount);
      bar.append(part);
      return [`${number(amount)} ${MAKEUP[kind]}`];
    });
    return [
      el("th", { scope: "rowgroup" }, opener, more ? el("span.message", {}, more) : null),
      el("td.makeup-cell", {}, bar, el("span.where", {}, words.join(", "))),
      el("td.amount", {}, number(rows.length)),
    ];
  }

  chosen(position) {
    const line = this.list.lines[position];
    if (line >= 0) {
      this.state.open = this.state.open === line ? null : line;
      this.list.toggle(position);
      this.write();
      return;
    }
    const { key } = this.groups[~line];
    if (!this.opened.delete(key)) this.opened.add(key);
    this.show();
    this.list.focus(this.list.lines.indexOf(line));
  }

  // -- events --

  listen() {
    this.query.addEventListener("input", () => this.set({ q: parsedText(this.query.value), open: null }));
    this.query.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        this.list.focus(0);
      }
    });
    byId("group").addEventListener("change", ({ target }) => this.set({ group: target.value }));
    byId("sort").addEventListener("change", ({ target }) => this.set({ sort: target.value }));
    byId("none").querySelector("button").addEventListener("click", () => {
      this.set({ q: "" });
      this.query.focus();
    });
    const name = (suffix) => `chimeaudit-${this.store.data.run}.${suffix}`;
    byId("export-csv").addEventListener("click", () =>
      save(csv(this.store, this.result.rows), "text/csv", name("csv")));
    byId("export-json").addEventListener("click", () =>
      save(json(this.store, this.result.rows, this.state.q), "application/json", name("json")));
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.read());
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    document.addEventListener("click", ({ target }) => {
      for (const drop of document.querySelectorAll("details.drop[open]")) if (!drop.contains(target)) drop.open = false;
    });
  }

  key(event) {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.query.focus();
      this.query.select();
      byId("findings").scrollIntoView();
    } else if (event.key === "Escape") this.escape(event);
  }

  // Closes what is nearest: a list of choices, the search, the open finding.
  escape(event) {
    const help = document.querySelector(".help[open]");
    if (help) help.open = false;
    else if (this.facets.close()) return;
    else if (event.target === this.query) {
      event.preventDefault();
      if (this.state.q) this.set({ q: "" });
      else this.query.blur();
    } else if (this.state.open !== null && this.list.open >= 0) {
      const position = this.list.open;
      this.chosen(position);
      this.list.focus(position);
    }
  }

  print(printing) {
    this.list.print(printing);
    const { rows } = this.result;
    const cut = this.list.lines.length > this.list.printed
      ? `The first ${number(this.list.printed)} of ${number(this.list.lines.length)} rows are printed; the page itself holds them all. ` : "";
    const filter = this.state.q ? ` Filter: ${this.state.q}` : "";
    byId("printed").textContent = `${cut}${number(rows.length)} of ${count(this.store.size, "finding")}.${filter}`;
  }
}

// As the state keeps a query: without the spaces that are only on the way to the next term.
const parsedText = (typed) => typed.trim();

function fragment({ q, group, sort, open }) {
  const kept = new URLSearchParams();
  if (q) kept.set("q", q);
  if (group) kept.set("group", group);
  if (sort) kept.set("sort", sort);
  if (open !== null) kept.set("open", page.store.findings[open].fingerprint);
  return kept.toString();
}

// What the overview counts leads to the findings that it counted.
function linkCounts() {
  for (const node of document.querySelectorAll("[data-query]")) {
    const href = `#${new URLSearchParams({ q: node.dataset.query })}`;
    if (node.tagName === "A") node.href = href;
    else {
      const link = el("a", { href });
      link.append(...node.childNodes);
      node.append(link);
    }
  }
}

let page = null;

async function openInventory() {
  const [island, opening, view] = ["island", "opening", "view"].map((part) => byId(`inventory-${part}`));
  if (!island || !("DecompressionStream" in window)) return;
  try {
    const data = await unpacked(island);
    view.hidden = false;
    new Inventory(data, INVENTORY_SHARE);
    opening.remove();
  } catch {
    view.hidden = true;
    opening.textContent = "The inventory could not be opened: this file may be cut short. The JSON report has it.";
  }
}

async function openFindings() {
  const [island, opening, listed] = ["island", "opening", "listed"].map(byId);
  if (!island || !("DecompressionStream" in window)) return;
  listed.hidden = true;
  opening.hidden = false;
  opening.textContent = "Opening the list of findings.";
  try {
    page = new Page(new Store(await unpacked(island)));
  } catch {
    listed.hidden = false;
    opening.textContent = "The list of all findings could not be opened: this file may be cut short. These are the first.";
    return;
  }
  listed.remove();
  opening.remove();
  byId("explorer").hidden = false;
  linkCounts();
  page.read({ arriving: true });
}

for (const command of document.querySelectorAll(".rule .command")) command.append(commandCopier(command.querySelector("code")));
openFindings().then(openInventory);
