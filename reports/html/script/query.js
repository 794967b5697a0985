// The query language: what is typed becomes a tree. The text of the search field is all there is to know of a filter;
// buttons only rewrite it.
//
//   either = all ("OR" all)*
//   all    = ("AND"? part)*
//   part   = ("-" | "NOT") part | "(" either ")" | field ":" value ("," value)* | word
//
// A value or a word may be "quoted". A term is {field, values: [{value, source}], not}: a word has no field and one value.
// Others are {any: [part, ...], not} and {all: [part, ...], not}. What cannot be meant is read in the friendliest way, and
// `remarks` says so in sentences.
import { spelled } from "./dom.js";

const LONGEST_SEARCH = 10_000; // characters
const MOST_TERMS = 300; // words, fields and signs; each may cost a pass through all findings
const QUOTED = /"([^"]*(?:""[^"]*)*)("?)/y;
const OPERATOR = /(?:OR|AND|NOT)(?=[\s()]|$)/y;

const taken = (pattern, text, at) => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};
const afterSpace = (text, at) => taken(/\s*/y, text, at)[0].length + at;
const asValue = (source) => ({ value: spelled(source).toLowerCase(), source });

export class Language {
  // `fields` are their names; `words` are values that need no field: {critical: "severity"}.
  constructor(fields, words = {}) {
    this.fields = fields;
    this.words = new Map(Object.entries(words));
    this.field = new RegExp(`(${fields.join("|")}):`, "iy");
  }

  // -> {parts, remarks}: all parts must hold.
  read(text) {
    const remarks = [];
    const cut = text.length > LONGEST_SEARCH;
    if (cut) remarks.push(`The search is too long: only its first ${LONGEST_SEARCH.toLocaleString("en-US")} characters were read.`);
    const tokens = this.tokens(cut ? text.slice(0, LONGEST_SEARCH) : text, remarks);
    if (tokens.length > MOST_TERMS) {
      remarks.push(`The search has too many terms: only the first ${MOST_TERMS} were read.`);
      tokens.splice(MOST_TERMS);
    }
    const root = new Parser(tokens, remarks).query();
    const parts = !root ? [] : root.all && !root.not ? root.all : [root];
    if (root?.any?.some(({ all }) => all)) remarks.push(`Read as ${this.text(parts)}: OR stands between all that is on its sides.`);
    return { parts, remarks };
  }

  // Each with the part of the text where it stands: {term, start, end} or {sign, start, end}.
  tokens(text, remarks = []) {
    const found = [];
    let depth = 0;
    for (let at = afterSpace(text, 0); at < text.length; at = afterSpace(text, at)) {
      const start = at;
      const put = (token, end) => { found.push({ ...token, start, end }); at = end; };
      const operator = taken(OPERATOR, text, at)?.[0];
      if (operator) put({ sign: operator }, at + operator.length);
      else if (text[at] === "(") { depth += 1; put({ sign: "(" }, at + 1); }
      else if (text[at] === ")") { depth = Math.max(0, depth - 1); put({ sign: ")" }, at + 1); }
      else if (text[at] === "-") {
        if (/\S/.test(text[at + 1] ?? " ")) put({ sign: "-" }, at + 1);
        else at += 1;
      } else {
        const { term, end, open } = this.term(text, at, depth);
        if (open) remarks.push("A quote is not closed: it was read up to the end.");
        put({ term }, end);
      }
    }
    return found;
  }

  // "rule:last-" -> its field and what follows; null if no field begins the text.
  fieldOf(text) {
    const match = taken(this.field, text, 0);
    return match && { field: match[1].toLowerCase(), rest: text.slice(match[0].length) };
  }

  term(text, start, depth) {
    const field = taken(this.field, text, start)?.[1];
    if (field) return this.values(text, start + field.length + 1, depth, field.toLowerCase());
    const { source, end, open, quoted } = piece(text, start, depth, /\S+/y);
    if (!quoted) {
      const several = source.split(",").filter(Boolean).map(asValue);
      const fields = new Set(several.map(({ value }) => this.words.get(value)));
      const [own] = fields;
      if (fields.size === 1 && own) return { term: { field: own, values: several, not: false, bare: true }, end };
    }
    return { term: { field: null, values: [asValue(source)].filter(({ value }) => value), not: false }, end, open };
  }

  // field:a,"b c", d
  values(text, start, depth, field) {
    const values = [];
    let at = start;
    let open = false;
    for (let more = true; more;) {
      const next = afterSpace(text, at);
      const ended = next === text.length
        || (next > at && (/[-()]/.test(text[next]) || taken(OPERATOR, text, next) || taken(this.field, text, next)));
      if (ended) break;
      const read = text[next] === "," ? { source: "", end: next } : piece(text, next, depth, /[^\s,]+/y);
      open ||= Boolean(read.open);
      if (read.source) values.push(asValue(read.source));
      at = read.end;
      const comma = afterSpace(text, at);
      more = text[comma] === ",";
      if (more) at = comma + 1;
    }
    return { term: { field, values: values.filter(({ value }) => value), not: false }, end: at, open };
  }

  // Parts as they may be typed.
  text(parts) { return parts.map((part) => this.written(part)).join(" "); }

  written(part) {
    const minus = part.not ? "-" : "";
    if (part.any) return `${minus}(${part.any.map((each) => this.written(each)).join(" OR ")})`;
    if (part.all) return `${minus}(${this.text(part.all)})`;
    const [{ value, source }] = part.values;
    if (!part.field) return `${minus}${this.words.has(value) ? quoted(source, /^/) : quoted(source, /^-|^(?:OR|AND|NOT)$|[\s":()]/)}`;
    return `${minus}${part.field}:${part.values.map((each) => quoted(each.source, /[\s",()]/)).join(",")}`;
  }
}

const quoted = (source, needed) => (needed.test(source) ? `"${source.replaceAll('"', '""')}"` : source);

// A quoted text, or what a pattern takes, without the parentheses that close a group around it.
function piece(text, at, depth, pattern) {
  const quoted = taken(QUOTED, text, at);
  if (quoted) {
    const [all, source, end] = quoted;
    return { source: source.replaceAll('""', '"'), end: at + all.length, open: !end, quoted: true };
  }
  let source = taken(pattern, text, at)[0];
  const amount = (sign) => source.split(sign).length;
  for (let left = depth; left && source.length > 1 && source.endsWith(")") && amount(")") > amount("("); left -= 1) {
    source = source.slice(0, -1);
  }
  return { source, end: at + source.length };
}

class Parser {
  constructor(tokens, remarks) {
    Object.assign(this, { tokens, remarks, at: 0, depth: 0 });
  }

  get sign() { return this.tokens[this.at]?.sign; }

  // What a stray parenthesis leaves over is read, too.
  query() {
    const parts = [];
    while (this.at < this.tokens.length) {
      const part = this.either();
      if (part) parts.push(part);
      if (this.at < this.tokens.length) {
        this.remark("A closing parenthesis has no opening one: it was left out.");
        this.at += 1;
      }
    }
    return together("all", parts);
  }

  remark(sentence) {
    if (!this.remarks.includes(sentence)) this.remarks.push(sentence);
  }

  either() {
    const parts = [];
    let isWhole = true;
    for (let more = true; more; this.at += more ? 1 : 0) {
      const part = this.all();
      if (part) parts.push(part);
      isWhole &&= Boolean(part);
      more = this.sign === "OR";
      if (more && !part) isWhole = false;
    }
    if (!isWhole && (parts.length || this.tokens.length)) this.lonely("OR");
    return united(parts);
  }

  lonely(sign) {
    const all = this.tokens.some((token) => token.sign === sign);
    if (all) this.remark(`${sign} needs a term ${sign === "NOT" ? "after it" : "on both sides"}: it was left out.`);
  }

  all() {
    const parts = [];
    let waiting = false;
    for (;;) {
      if (this.sign === "AND") {
        if (waiting || !parts.length) this.lonely("AND");
        waiting = true;
        this.at += 1;
      } else if (this.at >= this.tokens.length || this.sign === "OR" || this.sign === ")") {
        if (waiting) this.lonely("AND");
        return together("all", parts);
      } else {
        const part = this.part();
        if (part) parts.push(part);
        waiting = false;
      }
    }
  }

  part() {
    const { sign, term } = this.tokens[this.at];
    this.at += 1;
    if (term) return this.filled(term);
    if (sign === "(") return this.group();
    let turns = 1;
    for (; this.sign === "NOT" || this.sign === "-"; this.at += 1) turns += 1;
    const ended = this.at >= this.tokens.length || ["OR", "AND", ")"].includes(this.sign);
    if (ended && sign === "NOT") this.lonely("NOT");
    const part = ended ? null : this.part();
    return part && { ...part, not: part.not !== (turns % 2 === 1) };
  }

  filled(term) {
    if (term.values.length) return term;
    if (term.field) this.remark(`${term.field}: has no value yet, and filters nothing.`);
    return null;
  }

  group() {
    const inner = this.either();
    if (this.sign === ")") this.at += 1;
    else this.remark("A parenthesis is not closed: it was read up to the end.");
    return inner;
  }
}

function together(kind, parts) {
  if (parts.length < 2) return parts[0] ?? null;
  return { [kind]: parts, not: false };
}

// Alternatives of one field are one term.
function united(parts) {
  const [first] = parts;
  if (first?.field && parts.every(({ field, not }) => field === first.field && !not)) {
    return { ...first, values: parts.flatMap(({ values }) => values) };
  }
  return together("any", parts);
}
