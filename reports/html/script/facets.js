// Filters with counts. They have no state of their own: each shows and rewrites the query.
import { el, number } from "./dom.js";

const CHIPS = { severity: "Severity", status: "Status", change: "Baseline" };
const LISTS = { file: "File", rule: "Rule", account: "Account", region: "Region", app: "App instance" };
const NOT_KNOWN = new Set(["", "unknown", "not observed"]);
const LISTED = 60;

export class Facets {
  constructor(place, store, choose, { chips = CHIPS, lists: listed = LISTS } = {}) {
    Object.assign(this, { store, choose, result: null });
    this.chips = Object.entries(chips).flatMap(([field, label]) => this.chipGroup(place, field, label));
    const lists = el("div.lists");
    const told = Object.entries(listed).filter(([field]) => !this.values(field).every((text) => NOT_KNOWN.has(text)));
    this.lists = told.map(([field, label]) => this.list(lists, field, label));
    place.append(lists);
  }

  values(field) { return this.store.fields[field].values.texts; }

  chipGroup(place, field, label) {
    const present = new Set(this.store.fields[field].column);
    const shown = this.values(field).flatMap((text, value) => (present.has(value) && text ? [{ field, text, value }] : []));
    if (shown.length < (field === "severity" ? 1 : 2)) return [];
    const group = el("div.chips", { role: "group", "aria-label": label }, el("span.label", { "aria-hidden": "true" }, label));
    for (const chip of shown) {
      chip.count = el("span.amount");
      chip.node = el(`button.chip.${field === "severity" ? chip.text : "plain"}`, { type: "button" }, `${chip.text} `, chip.count);
      // A key leaves the focus on the chip, which may be one of several to be pressed.
      chip.node.addEventListener("click", ({ detail }) => this.choose(field, chip.value, detail > 0));
      group.append(chip.node);
    }
    place.append(group);
    return shown;
  }

  list(place, field, label) {
    const chosen = el("span.amount");
    const panel = el("div.panel", { role: "group", "aria-label": label });
    const node = el("details.drop", { name: "facet" }, el("summary", {}, `${label} `, chosen), panel);
    const list = { field, node, panel, chosen, boxes: [] };
    node.addEventListener("toggle", () => this.fill(list));
    place.append(node);
    return list;
  }

  // Filled when it is opened: an organisation may have thousands of app instances. The order then stays.
  fill(list) {
    list.boxes = [];
    list.panel.replaceChildren();
    if (!list.node.open) return;
    const counts = this.result.counts[list.field];
    const allowed = this.result.allowed[list.field];
    const weight = (value) => (allowed?.[value] ? Infinity : counts[value]);
    const texts = this.values(list.field);
    const shown = (text) => (list.field === "account" ? this.store.account(text) : text);
    const order = [...counts.keys()].sort((a, b) => (weight(a) === weight(b)
      ? counts[b] - counts[a] || texts[a].localeCompare(texts[b], "en", { numeric: true }) : weight(b) - weight(a)));
    for (const value of order.slice(0, LISTED)) {
      const box = el("input", { type: "checkbox" });
      const count = el("span.amount");
      box.addEventListener("change", () => this.choose(list.field, value));
      list.panel.append(el("label.choice", {}, box, el("span", {}, shown(texts[value])), count));
      list.boxes.push({ value, box, count });
    }
    const more = order.length - LISTED;
    if (more > 0) list.panel.append(el("p.cut", {}, `and ${number(more)} more: search for ${list.field}:…`));
    this.update(this.result);
  }

  update(result) {
    this.result = result;
    for (const { field, value, node, count } of this.chips) {
      node.setAttribute("aria-pressed", String(Boolean(result.allowed[field]?.[value])));
      node.classList.toggle("none", !result.counts[field][value]);
      count.textContent = number(result.counts[field][value]);
    }
    for (const { field, chosen, node, boxes } of this.lists) {
      const picked = result.allowed[field]?.reduce((sum, one) => sum + one, 0) ?? 0;
      chosen.textContent = picked ? number(picked) : "";
      node.classList.toggle("chosen", picked > 0);
      for (const { value, box, count } of boxes) {
        box.checked = Boolean(result.allowed[field]?.[value]);
        count.textContent = number(result.counts[field][value]);
      }
    }
  }

  // Whether a list was open, and is no more.
  close() {
    const open = this.lists.find(({ node }) => node.open);
    if (open) {
      open.node.open = false;
      open.node.querySelector("summary").focus();
    }
    return Boolean(open);
  }
}
