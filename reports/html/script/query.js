// The query language: the text of the search field is all there is to know of a filter; buttons only rewrite it.
import { spelled } from "./dom.js";
import { FIELDS, SEVERAL } from "./island.js";

// "severity:high -us-east-1" -> [{field, value, not}, ...]; a term that is still being typed says nothing.
export function parser(fields) {
  const term = new RegExp(`(-)?(?:(${fields.join("|")}):)?("(?:[^"]|"")*"?|\\S*)\\s*`, "iy");
  return (text) => {
    const terms = [];
    const rest = text.trim();
    term.lastIndex = 0;
    while (term.lastIndex < rest.length) {
      const [, minus, field, raw] = term.exec(rest);
      const bare = raw.startsWith('"') ? raw.slice(1).replace(/"$/, "").replaceAll('""', '"') : raw;
      const value = spelled(bare).toLowerCase();
      if (value) terms.push({ field: field?.toLowerCase() ?? null, value, not: Boolean(minus), source: bare });
    }
    return terms;
  };
}

export const parsed = parser([...FIELDS, ...SEVERAL]);

const written = ({ field, source, not }) => {
  const quoted = /[\s"]/.test(source) || (!field && /^-|:/.test(source)) ? `"${source.replaceAll('"', '""')}"` : source;
  return `${not ? "-" : ""}${field ? `${field}:` : ""}${quoted}`;
};

export const text = (terms) => terms.map(written).join(" ");

// Which values of a field pass, as ones and zeros; null where the query does not speak of the field.
// A value is found by a part of its name, too, if it has one.
export function allowed(terms, field, values, names = []) {
  const own = terms.filter((term) => term.field === field);
  if (!own.length) return null;
  const lower = values.map((value) => value.toLowerCase());
  const matching = (value) => (lower.includes(value) ? (text) => text === value
    : (text, place) => text.includes(value) || Boolean(names[place]?.toLowerCase().includes(value)));
  const wanted = own.filter((term) => !term.not).map((term) => matching(term.value));
  const unwanted = own.filter((term) => term.not).map((term) => matching(term.value));
  return Uint8Array.from(lower, (value, place) => {
    const in_ = !wanted.length || wanted.some((matches) => matches(value, place));
    return in_ && !unwanted.some((matches) => matches(value, place)) ? 1 : 0;
  });
}

// The query with one value of a field switched on or off; the others stay as they are.
export function toggled(terms, field, { texts: values, names }, place) {
  const before = allowed(terms, field, values, names);
  const after = before ? Array.from(before) : values.map(() => 0);
  after[place] = after[place] ? 0 : 1;
  const others = terms.filter((term) => term.field !== field);
  if (after.every(Boolean)) return others;
  const chosen = values.filter((_, n) => after[n]).map((value) => ({ field, source: value, not: false }));
  return [...others, ...chosen];
}
