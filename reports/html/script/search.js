// What a query lists, in which order, and how many each further filter would leave.
import { spelled } from "./dom.js";
import { resourceName } from "./island.js";
import { allowed } from "./match.js";

export class Search {
  constructor(store) {
    this.store = store;
    this.orders = new Map();
    this.texts = null;
  }

  // -> {rows, counts, allowed}; the count of a value is that under the filters of all other fields.
  run(parts, sort) {
    const { store } = this;
    const fields = store.fieldNames.map((name) => {
      const { values, column } = store.fields[name];
      return { name, column, allowed: allowed(parts, name, values.texts, values.names), counts: new Uint32Array(values.texts.length) };
    });
    const filters = fields.filter((field) => field.allowed);
    const others = this.tests(parts.filter(({ field }) => !field || !store.fields[field]));
    const order = this.order(sort);
    const rows = new Uint32Array(store.size);
    let length = 0;
    for (const n of order) {
      let missed = null;
      let misses = 0;
      for (const field of filters) {
        if (!field.allowed[field.column[n]]) {
          missed = field;
          misses += 1;
          if (misses > 1) break;
        }
      }
      if (misses > 1 || !others.every((matches) => matches(n))) continue;
      if (misses === 0) {
        rows[length] = n;
        length += 1;
        for (const field of fields) field.counts[field.column[n]] += 1;
      } else missed.counts[missed.column[n]] += 1;
    }
    const by = (what) => Object.fromEntries(fields.map((field) => [field.name, field[what]]));
    return { rows: rows.subarray(0, length), counts: by("counts"), allowed: by("allowed") };
  }

  // Functions from an entry to whether it passes; all of them must. Terms of one field are alternatives.
  tests(parts) {
    const fields = new Set(parts.map(({ field }) => field).filter(Boolean));
    return [
      ...parts.filter(({ field }) => !field).map((part) => this.test(part)),
      ...[...fields].flatMap((field) => this.inField(field, parts.filter((part) => part.field === field))),
    ];
  }

  test({ any, all, values, not }) {
    if (values) return this.word(values[0].value, not);
    const tests = any ? any.map((part) => both(this.tests([part]))) : this.tests(all);
    return any ? (n) => not !== tests.some((matches) => matches(n)) : (n) => not !== tests.every((matches) => matches(n));
  }

  // Of a field of which an entry may have several values, or none, one that is meant must be among them.
  inField(name, terms) {
    const { values, column } = this.store.fields[name] ?? {};
    if (column) {
      const passing = allowed(terms, name, values.texts, values.names);
      return [(n) => passing[column[n]]];
    }
    const { values: { texts, names }, of } = this.several(name);
    return [false, true].flatMap((not) => {
      const own = terms.filter((term) => term.not === not).map((term) => ({ ...term, not: false }));
      const meant = allowed(own, name, texts, names);
      return meant ? [(n) => not !== of(n).some((place) => meant[place])] : [];
    });
  }

  several(name) { return this.store.several(name); }

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

const both = (tests) => (tests.length === 1 ? tests[0] : (n) => tests.every((matches) => matches(n)));

export class FindingSearch extends Search {
  // A word is looked for once in each rule and each resource, then in each message.
  word(value, not) {
    const { store } = this;
    this.texts ??= this.lower();
    const inRule = this.texts.rules.map((text) => text.includes(value));
    const inResource = this.texts.resources.map((text) => text.includes(value));
    const { column } = store.fields.rule;
    return (n) => not !== (inRule[column[n]] || inResource[store.resourceOf[n]]
      || this.texts.messages[n].includes(value) || store.findings[n].fingerprint === value);
  }

  lower() {
    const { store } = this;
    const lower = (text) => spelled(text).toLowerCase();
    const joined = (...parts) => parts.filter(Boolean).map(lower).join("\n");
    return {
      messages: store.findings.map(({ message, title }) => (title ? joined(message, title) : lower(message))),
      resources: store.resources.map(({ resource }) => joined(
        resource.name, resource.arn, resource.app_instance_name, resource.account_id, resource.region,
        store.names.get(resource.account_id),
        ...resource.processors.flatMap((step) => [step.name, step.lambda_arn]),
      )),
      rules: [...store.fields.rule.values.places.keys()].map((id) => {
        const rule = store.rules.get(id) ?? {};
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
