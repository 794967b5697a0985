// What to say of a search: no list is empty, and no word left out, without a sentence that says why.
import { count, listing, number } from "./dom.js";
import { allowed, nearest, termsOf } from "./match.js";

const BY_VERDICT = ["failed", "unknown", "waived", "passed"];
const NOUNS = {
  ...Object.fromEntries(BY_VERDICT.map((verdict) => [verdict, `rule that came to ${verdict}`])),
  app: "app instance", name: "resource", type: "type of resource",
};
const MOST_SAID = 6;
const FEW = 8; // values that are named where none is like the one that was typed
const WITHOUT = 3;
const MOST_PARTS = 8; // without each of which a search is made
const LONGEST_QUOTE = 60;

const brief = (text) => (text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);

// -> [{text, fixes: [{label, q}]}]; a fix is another search.
export function remarks(search, language, read, sort, found) {
  const values = [...unknownValues(search.store, language, read.parts)];
  const said = [
    ...read.remarks.map((text) => ({ text, fixes: [] })),
    ...values,
    ...unknownFields(language, read.parts, found),
    ...withoutBaseline(search.store, read.parts),
  ];
  if (!found && !values.length) said.push(...withoutOne(search, language, read.parts, sort), ...smallOperators(language, read.parts));
  said.push(...bare(language, read.parts));
  const more = said.length - MOST_SAID;
  return more > 0 ? [...said.slice(0, MOST_SAID), { text: `And ${number(more)} more of this kind.`, fixes: [] }] : said;
}

function* unknownValues(store, language, parts) {
  for (const term of termsOf(parts)) {
    const { field, values } = term;
    if (!field) continue;
    const { texts, names } = store.valuesOf(field);
    const present = texts.filter(Boolean);
    for (const each of values) {
      if (allowed([{ field, values: [each], not: false }], field, texts, names).some(Boolean)) continue;
      const like = nearest(each.value, present);
      const fixes = like ? [{ label: `Did you mean ${brief(like)}?`, q: language.text(exchanged(parts, term, [withValue(term, each, like)])) }] : [];
      yield { text: unknown(store, field, each, like ? "" : few(present)), fixes };
    }
  }
}

const withValue = (term, one, source) =>
  ({ ...term, values: term.values.map((value) => (value === one ? { source, value: source.toLowerCase() } : value)) });

function unknown(store, field, { source, value }, others) {
  if (store.inScope(field).some((text) => text.toLowerCase() === value)) return `${brief(source)} has no ${store.noun}s.`;
  if (field === "gap") return `No gap that hides an answer has ${brief(source)} in it.`;
  return `No ${NOUNS[field] ?? field} is called ${brief(source)}.${others}`;
}

function few(texts) {
  if (!texts.length) return " There is none.";
  return texts.length > FEW ? "" : ` There ${texts.length === 1 ? "is" : "are"} ${listing(texts.map(brief))}.`;
}

// What looks like a field, and is none, was searched for as text.
function* unknownFields(language, parts, found) {
  for (const term of termsOf(parts)) {
    const [, name, rest] = (term.field ? null : /^([a-z][\w-]{2,30}):(.*)$/is.exec(term.values[0].source)) ?? [];
    if (!name) continue;
    const like = nearest(name.toLowerCase(), language.fields);
    const text = `There is no field ${name}: ${brief(term.values[0].source)} was searched for as text.`;
    if (like && rest) {
      const meant = { ...term, field: like, values: [{ source: rest, value: rest.toLowerCase() }] };
      yield { text, fixes: [{ label: `Did you mean ${like}:${brief(rest)}?`, q: language.text(exchanged(parts, term, [meant])) }] };
    } else if (like) yield { text: `${text} There is ${like}:`, fixes: [] };
    else if (!found) yield { text: `${text} There are ${listing(language.fields)}.`, fixes: [] };
  }
}

// The parts with others in place of one, however deep it is.
function exchanged(parts, one, others) {
  return parts.flatMap((part) => {
    if (part === one) return others;
    return part.values ? [part] : [{ ...part, [part.any ? "any" : "all"]: exchanged(part.any ?? part.all, one, others) }];
  });
}

function withoutBaseline(store, parts) {
  const asked = store.isCompared === false && [...termsOf(parts)].some(({ field }) => field === "change");
  return asked ? [{ text: "This report was not compared with a baseline: nothing is known to be new or existing.", fixes: [] }] : [];
}

// Where all terms together find nothing: what fewer of them would find.
function withoutOne(search, language, parts, sort) {
  if (parts.length < 2 || parts.length > MOST_PARTS) return [];
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
  const asWords = terms.reduce((all, term) =>
    exchanged(all, term, term.values.map((value) => ({ field: null, values: [value], not: term.not }))), parts);
  const each = terms.flatMap(({ values }) => values.map(({ source }) => `“${source}”`));
  const words = listing(each);
  const fields = listing([...new Set(terms.map(({ field }) => field))]);
  return [{ text: `${brief(words)} ${each.length === 1 ? "filters" : "filter"} by ${fields}.`, fixes: [{ label: `Search the text for ${brief(words)}`, q: language.text(asWords) }] }];
}
