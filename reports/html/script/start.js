// The page says what it has to without scripts. This puts the lists of everything in place of the first few.
import { Address, stateOf } from "./address.js";
import { byId, el, moment } from "./dom.js";
import { commandCopier } from "./finding.js";
import { Inventory } from "./inventory.js";
import { Store, unpacked } from "./island.js";
import { Page } from "./page.js";

const INVENTORY_SHARE = 1 / 3; // of the tallest page

// What the overview counts leads to the findings that it counted.
function linkCounts() {
  for (const node of document.querySelectorAll("[data-query]")) {
    const href = `#${new URLSearchParams({ q: node.dataset.query })}`;
    if (node.tagName === "A") node.href = href;
    else {
      const link = el("a", { href, "aria-label": node.dataset.name });
      link.append(...node.childNodes);
      node.append(link);
    }
  }
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// A chart is one stop of the Tab key on the way to the search; the arrow keys go through what it leads to.
function oneStop(chart) {
  const links = [...chart.querySelectorAll("a")];
  links.slice(1).forEach((link) => { link.tabIndex = -1; });
  if (links.length > 1) chart.querySelector("caption")?.append(el("span.hidden", {}, " The arrow keys go through its links."));
  chart.addEventListener("keydown", (event) => {
    const from = links.indexOf(event.target);
    const to = links[from + STEPS[event.key]];
    if (from < 0 || !to) return;
    event.preventDefault();
    links[from].tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
}

// -- where the address leads --

// To the element that it names; what is folded around it opens. Whether there is one.
function land(id) {
  const place = id && byId(id);
  if (!place) return false;
  for (let node = place; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  (place.closest("details.rule") ?? place).scrollIntoView(); // with its title
  return true;
}

// A page grows while its lists open: what was named stays where it is, until the reader moves on.
class Landing {
  constructor(id) {
    this.id = decoded_(id);
    for (const sign of ["wheel", "touchstart", "pointerdown", "keydown"]) {
      addEventListener(sign, () => { this.id = null; }, { once: true, passive: true });
    }
  }

  again() { if (this.id) land(this.id); }
}

function decoded_(text) {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return text;
  }
}

// -- links that lead nowhere --

// What a link names that is not here, with all that is known of it.
class Lost {
  constructor(report) {
    this.report = report;
    this.notes = [];
  }

  show({ open, rule }, place) {
    this.notes.forEach((note) => note.remove());
    this.notes = [];
    if (open) this.put("findings", this.ofFinding(open, rule));
    const [, id] = /^rule-(.+)$/s.exec(place ?? "") ?? [];
    if (id) this.put("rules", `The link leads to the rule ${id}, which did not run: this report says nothing of it.`);
  }

  put(section, sentence) {
    const note = el("p.lost", { role: "alert", tabindex: "-1" }, sentence);
    byId(`${section}-title`)?.after(note);
    this.notes.push(note);
    note.scrollIntoView({ block: "center" });
  }

  ofFinding(fingerprint, rule) {
    const { run, rules, coverage, carried_over: carried = [] } = this.report;
    const title = rules.find(({ id }) => id === rule)?.title;
    const entry = carried.find(({ finding }) => finding.fingerprint === fingerprint);
    const of = entry ? ` “${entry.finding.title}”` : title ? ` “${title}” (${rule})` : rule ? ` of the rule ${rule}` : "";
    const named = `The link leads to a finding${of} that is not in this report (fingerprint ${fingerprint}).`;
    if (entry) return `${named} It could not be settled: ${entry.reason}. It was last seen at ${moment(entry.last_seen)}.`;
    if (run.options.filter ?? run.options.framework) return `${named} This is a part of a report, and may leave it out.`;
    if (rule && !title) return `${named} That rule did not run.`;
    const hidden = coverage.complete ? "" : ", or lie in what was not observed";
    return `${named} It may have been fixed${hidden}.`;
  }
}

// -- the lists --

async function openInventory(address) {
  const [island, opening, view] = ["island", "opening", "view"].map((part) => byId(`inventory-${part}`));
  if (!island) return null;
  try {
    const data = await unpacked(island);
    view.hidden = false;
    const inventory = new Inventory(data, address, INVENTORY_SHARE);
    opening.remove();
    return inventory;
  } catch {
    view.hidden = true;
    opening.textContent = "The inventory could not be opened: this file may be cut short. The JSON report has it.";
    return null;
  }
}

// The list opens on what failed, as the tiles and charts count it; with nothing failed, on all there is.
const initial = ({ findings }) => (findings.some(({ status }) => status === "fail")
  && findings.some(({ status }) => status !== "fail") ? { q: "status:failed" } : {});

async function openFindings() {
  const [island, opening, explorer] = ["island", "opening", "explorer"].map(byId);
  if (explorer) {
    opening.hidden = false;
    opening.textContent = "Opening the list of findings.";
  }
  try {
    const store = new Store(await unpacked(island));
    const address = new Address(store.report.run.id, initial(store));
    const place = address.arrive();
    const page = explorer && new Page(store, address, byId("inventory-island") ? 1 - INVENTORY_SHARE : 1);
    return { store, address, place, page };
  } catch {
    if (!explorer) return null;
    document.documentElement.classList.remove("opening");
    opening.textContent = "The list of all findings could not be opened: this file may be cut short. These are the first.";
    return null;
  }
}

async function openPage() {
  if (!("DecompressionStream" in window)) return;
  window.isOpening = true; // early.js asks
  const opened = await openFindings();
  if (!opened) return;
  const { store, address, place, page } = opened;
  const lost = new Lost(store.report);
  const isLost = ({ open: fingerprint }) => Boolean(fingerprint) && store.byFingerprint(fingerprint) === null;
  let inventory = null;
  if (page) {
    byId("listed").remove();
    byId("opening").remove();
    byId("explorer").hidden = false;
    linkCounts();
    document.querySelectorAll(".bars, .heat").forEach(oneStop);
    page.opened = new Set(address.groups);
    page.apply();
  }
  const landing = new Landing(place);
  const arrive = (named) => {
    if (isLost(address.state)) lost.show(address.state, null);
    else if (named !== null && !byId(named)) lost.show({}, named);
    else lost.show({}, null);
  };
  if (page && !isLost(address.state) && stateOf(location.hash)) page.arrive({ focus: false });
  arrive(landing.id);
  landing.again();
  address.listen(({ isNew, named }) => {
    if (named !== null) land(named);
    else page?.went({ isNew: isNew && !isLost(address.state) });
    inventory?.apply();
    arrive(named);
  });
  inventory = await openInventory(address);
  landing.again();
}

for (const command of document.querySelectorAll(".rule .command")) command.append(commandCopier(command.querySelector("code")));
openPage();
