// A search field with what is to be said of the search, and suggestions: the ARIA pattern of a combobox with a list
// (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).
import { button, el } from "./dom.js";

const SUGGESTED = 8;
const LOW = 2 / 3; // of the window
const SAID_AFTER = 400; // ms without a key before anything is said

export class SearchBox {
  // `part(name)` gives the elements, `search` is asked what there is, `changed(q, typing)` is told, `leave()` goes to the list.
  constructor(part, { language, search, changed, leave }) {
    Object.assign(this, { language, search, changed, leave });
    [this.field, this.list, this.said] = ["query", "suggestions", "remarks"].map(part);
    this.options = [];
    this.active = -1;
    this.field.addEventListener("input", () => {
      this.bringUp();
      this.changed(this.field.value.trim(), true);
      this.suggest();
    });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", ({ target }) => {
      const place = [...this.list.children].indexOf(target.closest("[role=option]"));
      if (place >= 0) this.take(place);
    });
  }

  // What is found stands below the field: at the foot of the window nobody would see it.
  bringUp() {
    if (this.field.getBoundingClientRect().bottom > innerHeight * LOW) this.field.closest("section").scrollIntoView();
  }

  get isOpen() { return this.options.length > 0; }

  // Spaces on the way to the next term stay.
  show(q) {
    if (this.field.value.trim() !== q) this.field.value = q;
  }

  // -- what is to be said --

  // `remarks()` may take longer than a key.
  remark(remarks, { typing = false } = {}) {
    clearTimeout(this.later);
    const put = () => {
      const said = remarks();
      this.said.replaceChildren(...said.map(({ text, fixes }) =>
        el("p", {}, text, fixes.flatMap(({ label, q }) => [" ", button(label, () => this.fix(q))]))));
      this.said.hidden = !said.length;
    };
    if (typing) this.later = setTimeout(put, SAID_AFTER);
    else put();
  }

  fix(q) {
    this.changed(q, false);
    this.field.focus();
  }

  // -- suggestions --

  suggest() {
    const { value, selectionStart: caret } = this.field;
    const token = caret > 2_000 ? null : this.language.tokens(value).find(({ start, end }) => start < caret && caret <= end);
    this.close();
    if (!token?.term) return;
    const typed = value.slice(token.start, caret);
    const own = this.language.fieldOf(typed);
    const proposed = own ? this.values(own.field, own.rest, token) : this.names(typed.toLowerCase(), token);
    this.options = proposed.filter(({ insert }) => insert.trim() !== value.slice(token.start, token.end)).slice(0, SUGGESTED);
    this.list.replaceChildren(...this.options.map(({ text, hint }, place) =>
      el("li", { role: "option", id: `${this.list.id}-${place}`, "aria-selected": "false" }, el("code", {}, text), " ",
        hint ? el("span.quiet", {}, hint) : null)));
    this.list.hidden = !this.isOpen;
    this.field.setAttribute("aria-expanded", String(this.isOpen));
  }

  // The values of a field of which the last one is being typed.
  values(field, rest, { start, end }) {
    const before = rest.slice(0, rest.lastIndexOf(",") + 1);
    const typed = rest.slice(before.length).replace(/^\s*"?/, "").toLowerCase();
    const { texts, names } = this.search.store.valuesOf(field);
    return ordered(texts, names, typed).map((text) => {
      const own = this.language.written({ field, values: [{ source: text, value: text.toLowerCase() }], not: false });
      return { text: own, hint: names[texts.indexOf(text)] ?? "", insert: `${field}:${before}${own.slice(field.length + 1)} `, start, end };
    });
  }

  // Names of fields, and values that need no field.
  names(typed, { start, end }) {
    const fields = this.language.fields.filter((field) => field.startsWith(typed))
      .map((field) => ({ text: `${field}:`, hint: "", insert: `${field}:`, start, end }));
    const words = [...this.language.words].filter(([word]) => word.startsWith(typed))
      .map(([word, field]) => ({ text: `${field}:${word}`, hint: "", insert: `${field}:${word} `, start, end }));
    return [...words, ...fields];
  }

  take(place) {
    const { insert, start, end } = this.options[place];
    const { value } = this.field;
    this.field.value = value.slice(0, start) + insert + value.slice(end).trimStart();
    this.field.setSelectionRange(start + insert.length, start + insert.length);
    this.close();
    this.changed(this.field.value.trim(), true);
    if (insert.endsWith(":")) this.suggest();
  }

  // Whether suggestions were open, and are no more.
  close() {
    const was = this.isOpen;
    this.options = [];
    this.active = -1;
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
    return was;
  }

  move(place) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = place;
    const option = this.list.children[place];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  // Down goes through the suggestions, and from the last one to the list.
  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const { key } = event;
    if (key === "ArrowDown" && event.altKey) this.suggest();
    else if (key === "ArrowDown" && this.active + 1 < this.options.length) this.move(this.active + 1);
    else if (key === "ArrowUp" && this.isOpen) this.move(Math.max(-1, this.active - 1));
    else if (key === "Enter" && this.active >= 0) this.take(this.active);
    else if (key === "ArrowDown" || key === "Enter") {
      this.close();
      this.leave();
    } else return;
    event.preventDefault();
  }
}

// What begins with the text, then what has it anywhere.
function ordered(texts, names, typed) {
  const found = [[], []];
  for (const [place, text] of texts.entries()) {
    if (!text) continue;
    const lower = text.toLowerCase();
    if (lower.startsWith(typed)) found[0].push(text);
    else if (lower.includes(typed) || names[place]?.toLowerCase().includes(typed)) found[1].push(text);
    if (found[0].length >= SUGGESTED) break;
  }
  return found.flat().slice(0, SUGGESTED);
}
