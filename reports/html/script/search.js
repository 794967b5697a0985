// What a query lists, in which order, and how many each further filter would leave.
import { spelled } from "./dom.js";
import { resourceName, SEVERAL } from "./island.js";
import { allowed } from "./query.js";

export class Search {
  constructor(store) {
    this.store = store;
    this.orders = new Map();
    this.texts = null;
  }

  // -> {rows, counts, allowed}; the count of a value is that under the filters of all other fields.
  run(terms, sort) {
    const { store } = this;
    const fields = store.fieldNames.map((name) => {
      const { values, column } = store.fields[name];
      return { name, column, allowed: allowed(terms, name, values.texts, values.names), counts: new Uint32Array(values.texts.length) };
    });
    const filters = fields.filter((field) => field.allowed);
    const words = terms.filter((term) => !term.field).map((term) => this.word(term));
    words.push(...this.further(terms));
    const order = this.order(sort);
    const rows = new Uint32Array(store.size);
    let length = 0;
    for (const n of order) {
      if (!words.every((matches) => matches(n))) continue;
      let missed = null;
      let misses = 0;
      for (const field of filters) {
        if (!field.allowed[field.column[n]]) {
          missed = field;
          misses += 1;
          if (misses > 1) break;
        }
      }
      if (misses === 0) {
        rows[length] = n;
        length += 1;
        for (const field of fields) field.counts[field.column[n]] += 1;
      } else if (misses === 1) missed.counts[missed.column[n]] += 1;
    }
    const by = (what) => Object.fromEntries(fields.map((field) => [field.name, field[what]]));
    return { rows: rows.subarray(0, length), counts: by("counts"), allowed: by("allowed") };
  }

  // All there is in one order; sorted once, then every search goes through it in it.
  order(sort) {
    if (!this.orders.has(sort)) this.orders.set(sort, this.sorted(sort));
    return this.orders.get(sort);
  }

  // The gravest first, of those of one rank.
  sorted(sort) {
    const { size } = this.store;
    const rank = this.rank(sort);
    // Rank, gravity (below 64) and place in the report as one number: a typed array sorts those without calling back.
    const keys = Float64Array.from({ length: size }, (_, n) => (rank(n) * 64 + this.grave(n)) * size + n);
    return Uint32Array.from(keys.sort(), (key) => key % size);
  }
}

export class FindingSearch extends Search {
  // A word is looked for once in each rule and each resource, then in each message.
  word({ value, not }) {
    const { store } = this;
    this.texts ??= this.lower();
    const inRule = this.texts.rules.map((text) => text.includes(value));
    const inResource = this.texts.resources.map((text) => text.includes(value));
    const { column } = store.fields.rule;
    return (n) => not !== (inRule[column[n]] || inResource[store.resourceOf[n]]
      || this.texts.messages[n].includes(value) || store.findings[n].fingerprint === value);
  }

  further(terms) {
    return SEVERAL.flatMap((name) => [false, true].flatMap((not) =>
      this.among(name, terms.filter((term) => term.field === name && term.not === not), not)));
  }

  // Whether one of the values that are meant is among those of a finding: a gap behind it, a control that its rule supports.
  among(name, terms, not) {
    if (!terms.length) return [];
    const { values, of } = this.store.several[name];
    const meant = allowed(terms.map((term) => ({ ...term, not: false })), name, values.texts);
    return [(n) => not !== of[n].some((place) => meant[place])];
  }

  lower() {
    const { store } = this;
    const joined = (...parts) => parts.filter(Boolean).map(spelled).join("\n").toLowerCase();
    return {
      messages: store.findings.map((finding) => joined(finding.message, finding.title)),
      resources: store.resources.map(({ resource }) => joined(
        resource.name, resource.arn, resource.app_instance_name, resource.account_id, resource.region,
        store.names.get(resource.account_id),
        ...resource.processors.flatMap((step) => [step.name, step.lambda_arn]),
      )),
      rules: [...store.fields.rule.values.places.keys()].map((id) => {
        const rule = store.data.rules[id] ?? {};
        return joined(id, rule.title, rule.topic, ...Object.entries(rule.frameworks ?? {}).flat(2));
      }),
    };
  }

  // Failures before what could not be judged and what was accepted; within them the worst first.
  grave(n) {
    const { severity, status } = this.store.fields;
    return [0, 2, 1][status.column[n]] * 8 + severity.column[n];
  }

  rank(sort) {
    const { store } = this;
    const { rule } = store.fields;
    switch (sort) {
      case "rule": return ranked(rule.values.texts, rule.column);
      case "name": return ranked(store.resources.map(({ resource }) => resourceName(resource)), store.resourceOf);
      case "place": return (n) => store.resourceOf[n]; // the order of the report
      case "age": {
        const times = store.findings.map((finding) => Date.parse(finding.first_seen ?? "") || Infinity);
        const places = new Map([...new Set(times)].sort((a, b) => a - b).map((time, place) => [time, place]));
        return (n) => places.get(times[n]);
      }
      default: return () => 0;
    }
  }
}

// A function from an entry to the place of its value in the alphabet.
export function ranked(texts, column) {
  const { compare } = new Intl.Collator("en", { numeric: true });
  const ranks = new Uint32Array(texts.length);
  [...texts.keys()].sort((a, b) => compare(texts[a], texts[b])).forEach((place, n) => { ranks[place] = n; });
  return (n) => ranks[column[n]];
}
