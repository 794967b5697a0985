// The address holds what is searched for and which finding is open; the entry of the browser's history holds, besides,
// which groups are open. So Back and Forward, a reload and a copied link lead to what was there, each tab for itself.

const KEPT = ["q", "group", "sort", "open", "rule", "iq", "isort"];
const OUR_FRAGMENT = new RegExp(`^(?:${KEPT.join("|")})=`);
const NOTED_AFTER = 300; // ms; browsers refuse to note many changes a second

export class Address {
  // `run` is the id of the report's run: what was noted of another one is not for this page.
  // `initial` is what a state has where an address does not say it.
  constructor(run, initial = {}) {
    Object.assign(this, { run, initial, state: { ...initial }, groups: [], typing: false, pending: null });
    addEventListener("pagehide", () => this.flush());
  }

  // Takes over what the page was opened with -> the element that the address names, or null.
  arrive() {
    const given = stateOf(location.hash);
    this.take(this.noted() ?? { state: { ...this.initial, ...given }, groups: [] });
    this.write("replaceState", location.href);
    return given ? null : namedPlace();
  }

  // Tells when the browser has gone to another entry: `isNew` where a link led there, `named` an element that it names.
  listen(changed) {
    addEventListener("popstate", () => {
      clearTimeout(this.pending);
      this.pending = null;
      this.typing = false;
      const [noted, given] = [this.noted(), stateOf(location.hash)];
      const { iq, isort } = this.state;
      if (noted) this.take(noted);
      else if (given) this.take({ state: { ...this.initial, iq, isort, ...given }, groups: [] });
      if (!noted) this.write("replaceState", location.href);
      changed({ isNew: !noted, named: noted || given ? null : namedPlace() });
    });
  }

  // A new entry for each step; what is typed in one go is one step.
  put(changes, groups, { typing = false } = {}) {
    const state = { ...this.state, ...changes };
    const isSame = this.written(state) === this.written(this.state);
    const isStep = !isSame && !(typing && this.typing);
    if (isStep) this.flush();
    this.take({ state, groups });
    this.typing = typing;
    if (isStep) this.write("pushState");
    else this.pending ??= setTimeout(() => this.flush(), NOTED_AFTER);
  }

  flush() {
    if (!this.pending) return;
    clearTimeout(this.pending);
    this.pending = null;
    this.write("replaceState");
  }

  // Only what differs from the initial state.
  written(state) {
    const kept = new URLSearchParams();
    for (const name of KEPT) if ((state[name] ?? "") !== (this.initial[name] ?? "")) kept.set(name, state[name] ?? "");
    return kept.toString();
  }

  // The address of the state as it is now.
  get href() {
    const fragment = this.written(this.state);
    return location.href.split("#")[0] + (fragment && `#${fragment}`);
  }

  write(how, href = this.href) {
    try {
      history[how]({ run: this.run, state: this.state, groups: this.groups }, "", href);
    } catch { /* a viewer that forbids it still filters */ }
  }

  noted() {
    const { state: noted } = history;
    return noted?.run === this.run ? noted : null;
  }

  take({ state, groups }) { Object.assign(this, { state, groups }); }
}

const namedPlace = () => location.hash.slice(1) || null;

// A fragment as a state; null if it names a place on the page. #finding-FINGERPRINT is a link, too.
export function stateOf(hash) {
  const kept = hash.slice(1);
  const [, fingerprint] = /^finding-(.+)$/.exec(kept) ?? [];
  if (fingerprint) return { open: fingerprint };
  const [, severity] = /^severity-(\w+)$/.exec(kept) ?? []; // where a tile leads without scripts
  if (severity) return { q: `status:failed severity:${severity}` };
  if (!OUR_FRAGMENT.test(kept)) return null;
  const given = new URLSearchParams(kept);
  return Object.fromEntries(KEPT.flatMap((name) => (given.has(name) ? [[name, given.get(name)]] : [])));
}
