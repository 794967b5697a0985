// What to say of a search: no list is empty, and no word left out, without a sentence that says why.
import { count, listing } from "./dom.js";
import { allowed, nearest, termsOf } from "./match.js";

const BY_VERDICT = ["failed", "unknown", "waived", "passed"];
const NOUNS = { ...Object.fromEntries(BY_VERDICT.map((verdict) => [verdict, `rule that came to ${verdict}`])), app: "app instance", name: "resource", type: "type of resource", change: "change" };
const FEW = 8; // values that are named where none is like the one that was typed
const WITHOUT = 3;
const LONGEST_QUOTE = 60;

const brief = (text) => (text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);

// -> [{text, fixes: [{label, q}]}]; a fix is another search.
export function remarks(search, language, read, sort, found) {
  const values = [...unknownValues(search.store, language, read.parts)];
  const said = [
    ...read.remarks.map((text) => ({ text, fixes: [] })),
    ...values,
    ...unknownFields(language, read.parts),
    ...withoutBaseline(search.store, read.parts),
  ];
  if (!found && !values.length) said.push(...withoutOne(search, language, read.parts, sort), ...smallOperators(language, read.parts));
  return [...said, ...bare(language, read.parts)];
}

function* unknownValues(store, language, parts) {
  for (const { field, values } of termsOf(parts)) {
    if (!field) continue;
    const { texts, names } = store.valuesOf(field);
    const present = texts.filter(Boolean);
    for (const each of values) {
      if (allowed([{ field, values: [each], not: false }], field, texts, names).some(Boolean)) continue;
      const like = nearest(each.value, present);
      const fixes = like ? [{ label: `Did you mean ${brief(like)}?`, q: language.text(replaced(parts, each, [like])) }] : [];
      yield { text: unknown(store, field, each, like ? "" : few(present)), fixes };
    }
  }
}

function unknown(store, field, { source, value }, others) {
  if (store.inScope(field).some((text) => text.toLowerCase() === value)) return `${brief(source)} has no ${store.noun}s.`;
  if (field === "gap") return `No gap that hides an answer has ${brief(source)} in it.`;
  return `No ${NOUNS[field] ?? field} is called ${brief(source)}.${others}`;
}

function few(texts) {
  if (!texts.length) return " There is none.";
  return texts.length > FEW ? "" : ` There ${texts.length === 1 ? "is" : "are"} ${listing(texts.map(brief))}.`;
}

// The parts with the words or values of a term replaced.
function replaced(parts, one, sources) {
  return parts.map((part) => {
    if (!part.values) return { ...part, [part.any ? "any" : "all"]: replaced(part.any ?? part.all, one, sources) };
    const put = sources.map((source) => ({ source, value: source.toLowerCase() }));
    return { ...part, values: part.values.flatMap((value) => (value === one ? put : [value])) };
  });
}

// What looks like a field, and is none, was searched for as text.
function* unknownFields(language, parts) {
  for (const { field, values: [{ source }] } of termsOf(parts)) {
    const [, name, rest] = (field ? null : /^([a-z][\w-]{2,30}):(.*)$/is.exec(source)) ?? [];
    if (!name) continue;
    const like = nearest(name.toLowerCase(), language.fields);
    if (like) {
      const term = { field: like, values: [{ source: rest, value: rest.toLowerCase() }], not: false };
      const put = (all) => all.map((part) => (part.values?.[0].source === source && !part.field ? { ...term, not: part.not }
        : part.values ? part : { ...part, [part.any ? "any" : "all"]: put(part.any ?? part.all) }));
      const fixes = rest ? [{ label: `Did you mean ${like}:${brief(rest)}?`, q: language.text(put(parts)) }] : [];
      yield { text: `There is no field ${name}: ${brief(source)} was searched for as text.${rest ? "" : ` There is ${like}:`}`, fixes };
    }
  }
}

function withoutBaseline(store, parts) {
  const asked = store.isCompared === false && [...termsOf(parts)].some(({ field }) => field === "change");
  return asked ? [{ text: "This report was not compared with a baseline: nothing is known to be new or existing.", fixes: [] }] : [];
}

// Where all terms together find nothing: what fewer of them would find.
function withoutOne(search, language, parts, sort) {
  if (parts.length < 2 || parts.length > 12) return [];
  const fixes = parts.flatMap((part) => {
    const left = parts.filter((other) => other !== part);
    const { length } = search.run(left, sort).rows;
    return length ? [{ label: `Without ${brief(language.written(part))}: ${count(length, search.store.noun)}`, q: language.text(left), length }] : [];
  });
  return fixes.length ? [{ text: "Nothing matches all of it.", fixes: fixes.sort((a, b) => b.length - a.length).slice(0, WITHOUT) }] : [];
}

function smallOperators(language, parts) {
  const words = [...termsOf(parts)].filter(({ field, values: [{ source }] }) => !field && /^(?:or|and|not)$/.test(source));
  return words.length ? [{ text: `${words[0].values[0].source} is a word here: operators are OR, AND and NOT in capitals.`, fixes: [] }] : [];
}

// A word that is the value of a field was taken for that, and may have been meant as a word.
function bare(language, parts) {
  const terms = [...termsOf(parts)].filter((term) => term.bare);
  if (!terms.length) return [];
  const as = (all) => all.flatMap((part) => (part.bare ? part.values.map((value) => ({ field: null, values: [value], not: part.not }))
    : part.values ? [part] : [{ ...part, [part.any ? "any" : "all"]: as(part.any ?? part.all) }]));
  const each = terms.flatMap(({ values }) => values.map(({ source }) => `“${source}”`));
  const words = listing(each);
  const fields = listing([...new Set(terms.map(({ field }) => field))]);
  return [{ text: `${brief(words)} ${each.length === 1 ? "filters" : "filter"} by ${fields}.`, fixes: [{ label: `Search the text for ${brief(words)}`, q: language.text(as(parts)) }] }];
}
