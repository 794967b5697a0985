// The list of all findings: its search, its filters, its groups, and what of them the address keeps.
import { byId, count, el, number } from "./dom.js";
import { Exports } from "./export.js";
import { Facets } from "./facets.js";
import { breakable, cells, detail } from "./finding.js";
import { CHANGES, FIELDS, SEVERAL, SEVERITIES, STATUSES, appName } from "./island.js";
import { List, stuck } from "./list.js";
import { toggled } from "./match.js";
import { Others } from "./others.js";
import { Language } from "./query.js";
import { remarks } from "./remarks.js";
import { FindingSearch } from "./search.js";
import { SearchBox } from "./searchbox.js";

const MAKEUP = [...SEVERITIES, "waived", "unknown"];

const inField = (field, values) => values.map((value) => [value, field]);

const languageOf = (store) => new Language([...FIELDS, ...SEVERAL], Object.fromEntries([
  ...inField("severity", SEVERITIES), ...inField("status", STATUSES), ...(store.isCompared ? inField("change", CHANGES) : []),
]));

export class Page {
  // `share` is how much of the tallest page the list may take.
  constructor(store, address, share) {
    Object.assign(this, { store, address });
    this.search = new FindingSearch(store);
    this.language = languageOf(store);
    this.others = new Others(byId("others"), store);
    this.opened = new Set(); // the groups that are open
    this.box = new SearchBox(byId, {
      language: this.language, search: this.search,
      changed: (q, typing) => this.set({ q, open: "", rule: "" }, { typing }),
      leave: () => this.list.focus(0),
    });
    this.facets = new Facets(byId("facets"), store, (field, place, byPointer) => {
      this.set({ q: this.language.text(toggled(this.read.parts, field, store.fields[field].values, place)) });
      if (byPointer) this.list.focus(0);
    });
    this.list = new List(byId("list"), byId("rows"), {
      draw: (line, open) => this.line(line, open),
      detail: (line) => detail(store, line, () => address.href),
      ceiling: () => Math.max(...[".contents", ".finder"].map((place) => stuck(document.querySelector(place)))),
      share,
    });
    this.list.chosen = (position) => this.chosen(position);
    if (!store.inFiles) for (const id of ["group", "sort"]) byId(id).querySelector("[value=file]")?.remove();
    this.exports = new Exports(byId("exports"), () => ({
      store, rows: this.result.rows, carried: this.others.carried, q: this.state.q,
    }));
    this.listen();
  }

  // -- state: the address keeps it --

  get state() {
    const { q, group, sort, open } = this.address.state;
    const among = (id, value) => ([...byId(id).options].some((option) => option.value === value) ? value : "");
    return { q: q ?? "", group: among("group", group), sort: among("sort", sort), open: this.store.byFingerprint(open) };
  }

  set(changes, { typing = false } = {}) {
    if ("group" in changes) this.opened.clear();
    this.address.put(changes, [...this.opened], { typing });
    this.apply({ typing });
  }

  apply({ typing = false } = {}) {
    const { q, group, sort } = this.state;
    this.box.show(q);
    byId("group").value = group;
    byId("sort").value = sort;
    this.read = this.language.read(q);
    this.result = this.search.run(this.read.parts, sort);
    this.show();
    this.facets.update(this.result);
    const found = this.result.rows.length;
    const all = count(this.store.size, "finding");
    byId("count").textContent = found === this.store.size ? all : `${number(found)} of ${all}`;
    byId("none").hidden = found > 0 || this.store.size === 0; // the section says so itself
    byId("list").hidden = found === 0;
    this.others.show(this.read.parts, found);
    this.box.remark(() => remarks(this.search, this.language, this.read, sort, found + this.others.found), { typing });
  }

  // The browser has gone to another entry of its history, or a link led here.
  went({ isNew }) {
    this.opened = new Set(this.address.groups);
    this.apply();
    if (isNew) this.arrive();
  }

  // Shows what the address names: an open finding, whatever the filter, else the list.
  arrive({ focus = true } = {}) {
    const { open } = this.state;
    if (open !== null) {
      if (!this.result.rows.includes(open)) this.set({ q: "" });
      this.openGroupOf(open);
      this.list.bring(this.list.open);
    } else {
      byId("findings").scrollIntoView();
      if (focus) this.focus();
    }
  }

  focus() {
    if (this.result.rows.length) this.list.focus(0);
    else this.box.field.focus();
  }

  show() {
    const lines = this.lines();
    const { open } = this.state;
    this.list.show(lines, open === null ? -1 : lines.indexOf(open));
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
    this.address.put({}, [...this.opened]);
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
      file: () => [breakable(this.store.fields.file.values.texts[key] || "in no file"), ""],
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
      const { fingerprint, rule_id } = this.store.findings[line];
      const isOpen = this.state.open === line;
      this.address.put({ open: isOpen ? "" : fingerprint, rule: isOpen ? "" : rule_id }, [...this.opened]);
      this.list.toggle(position);
      return;
    }
    const { key } = this.groups[~line];
    if (!this.opened.delete(key)) this.opened.add(key);
    this.address.put({}, [...this.opened]);
    this.show();
    this.list.focus(this.list.lines.indexOf(line));
  }

  // -- events --

  listen() {
    byId("group").addEventListener("change", ({ target }) => this.set({ group: target.value }));
    byId("sort").addEventListener("change", ({ target }) => this.set({ sort: target.value }));
    byId("none").querySelector("button").addEventListener("click", () => {
      this.set({ q: "" });
      this.box.field.focus();
    });
    addEventListener("keydown", (event) => this.key(event));
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
      this.box.field.focus();
      this.box.field.select();
      byId("findings").scrollIntoView();
    } else if (event.key === "Escape") this.escape(event);
  }

  // Closes what is nearest: a list of choices, the search, the open finding.
  escape(event) {
    const help = document.querySelector(".help[open]");
    if (help) help.open = false;
    else if (this.facets.close() || this.box.close()) return;
    else if (event.target === this.box.field) {
      event.preventDefault();
      if (this.state.q) this.set({ q: "" });
      else this.box.field.blur();
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
