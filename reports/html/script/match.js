// Which values a query means, and what to say where it means none.

// Which values of a field pass, as ones and zeros; null where no term speaks of the field.
// A value that exists as it stands is taken for exactly that one; otherwise a part of it, or of its name, will do.
export function allowed(terms, field, values, names = []) {
  const own = terms.filter((term) => term.field === field);
  if (!own.length) return null;
  const lower = lowered(values);
  const matching = ({ value }) => (lower.places.has(value) ? (text) => text === value
    : (text, place) => text.includes(value) || Boolean(names[place]?.toLowerCase().includes(value)));
  const of = (not) => own.filter((term) => term.not === not).flatMap((term) => term.values.map(matching));
  const [wanted, unwanted] = [of(false), of(true)];
  return Uint8Array.from(lower.texts, (text, place) => {
    const in_ = !wanted.length || wanted.some((matches) => matches(text, place));
    return in_ && !unwanted.some((matches) => matches(text, place)) ? 1 : 0;
  });
}

const memory = new WeakMap(); // a field may have 100,000 values

function lowered(values) {
  let own = memory.get(values);
  if (own?.texts.length !== values.length) {
    const texts = values.map((value) => value.toLowerCase());
    memory.set(values, own = { texts, places: new Set(texts) });
  }
  return own;
}

// The parts of a query with one value of a field switched on or off; the others stay as they are.
export function toggled(parts, field, { texts: values, names }, place) {
  const before = allowed(parts, field, values, names);
  const after = before ? Array.from(before) : values.map(() => 0);
  after[place] = after[place] ? 0 : 1;
  const others = parts.filter((part) => part.field !== field);
  if (after.every(Boolean)) return others;
  const chosen = values.filter((_, n) => after[n]);
  return [...others, ...chosen.map((source) => ({ field, values: [{ value: source.toLowerCase(), source }], not: false }))];
}

// All terms of a query, however deep.
export function* termsOf(parts) {
  for (const part of parts) {
    if (part.values) yield part;
    else yield* termsOf(part.any ?? part.all);
  }
}

// The text that is most like what was typed; null if none is.
export function nearest(typed, texts) {
  const most = Math.min(3, Math.floor(typed.length / 2.5));
  let best = null;
  let least = most + 1;
  for (const text of texts) {
    const lower = text.toLowerCase();
    if (Math.abs(lower.length - typed.length) >= least || typed.length > 64) continue;
    const steps = distance(typed, lower);
    if (steps < least) [best, least] = [text, steps];
  }
  return best ?? (typed.length > 2 ? texts.find((text) => text && typed.includes(text.toLowerCase())) : null) ?? null;
}

// How many letters must be put in, left out, replaced, or swapped with the next one.
function distance(a, b) {
  let [before, last, row] = [[], [], Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i += 1) {
    [before, last, row] = [last, row, [i]];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.length];
}
