// A table. A short one is there as a whole, so that a browser's own search finds every row of it. Of a long one only the
// rows near the window exist; they are of one height, but for the finding that is open.
//
// Browsers lose their way in pages beyond a height. A list that is taller than `tallest` is given that much of the page:
// scrolling moves its rows as ever, while `shift` says how far they lie above the place they would have on a page that
// is high enough. A leap, such as a drag of the scroll bar, goes to the same part of the list as of the page.
import { el } from "./dom.js";

const MARGIN = 600; // px drawn beyond the window
const TALLEST = 15_000_000; // px of the page; Firefox goes up to 17.9 million
const TALLEST_DRAWN = 30_000_000; // px of the screen; Chromium goes up to 33.5 million
const LEAP = 3; // windows; nobody scrolls as far from one frame to the next
const WHOLE = 500; // rows; more take a browser too long to lay out
const AT_ONCE = 60; // rows of a whole list that are drawn before the browser answers again
const PRINTED = 1_000; // on paper, where a row is a line

export class List {
  // draw(line, open) gives the cells of a row, detail(line) what opens below it, ceiling() where the window begins
  // below what sticks to its top. `share` is how much of the tallest page the list may take.
  constructor(table, body, { draw, detail, ceiling, share = 1 }) {
    Object.assign(this, { table, body, draw, detail, ceiling, share });
    this.lines = new Int32Array();
    this.rows = new Map(); // position -> <tr>
    this.open = -1;
    this.active = 0;
    this.height = 90; // until it is measured
    this.detailRow = null;
    this.detailHeight = 0;
    this.shift = 0;
    this.seen = null; // how far the page was scrolled into the list when it was last drawn; null before that
    this.printing = false;
    this.ready = 0; // how many rows of a whole list are drawn; the others follow
    this.following = 0;
    this.resized = new ResizeObserver(() => this.measure());
    const later = () => { this.frame ??= requestAnimationFrame(() => { this.frame = null; this.update(); }); };
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", () => this.measure());
    table.addEventListener("keydown", (event) => this.key(event));
  }

  // Lines are what `draw` knows them by. `open` is the position of the open one, or -1.
  show(lines, open = -1) {
    // Who is not scrolled into the list sees its beginning; nobody else's place may move.
    this.ready = this.lines.length && this.scrolled() <= 0 ? Math.max(AT_ONCE, open + 1) : Infinity;
    this.lines = lines;
    this.seen = null;
    this.active = Math.max(0, Math.min(this.active, this.lines.length - 1));
    this.open = open < this.lines.length ? open : -1;
    this.clear();
    this.update();
    this.measure();
  }

  // Whether all rows exist, each as high as its text.
  get everything() { return this.printing || this.lines.length <= WHOLE; }

  clear() {
    this.closeDetail();
    this.rows.clear();
    this.body.replaceChildren();
    this.table.classList.toggle("whole", this.everything);
  }

  get tallest() { return this.share * Math.min(TALLEST, TALLEST_DRAWN / devicePixelRatio); }

  get total() { return this.lines.length * this.height + (this.open < 0 ? 0 : this.detailHeight); }

  offset(position) {
    if (this.everything) return (this.rows.get(position)?.getBoundingClientRect().top ?? 0) + this.scrolled();
    return position * this.height + (this.open >= 0 && position > this.open ? this.detailHeight : 0);
  }

  at(y) {
    const last = this.lines.length - 1;
    if (this.everything) return Math.max(0, [...this.rows.keys()].findLastIndex((position) => this.offset(position) <= y));
    let position = Math.floor(y / this.height);
    if (this.open >= 0 && position > this.open) {
      position = Math.max(this.open, Math.floor((y - this.detailHeight) / this.height));
    }
    return Math.max(0, Math.min(position, last));
  }

  // What of the list has no room on the page, in px.
  get excess() { return this.everything ? 0 : Math.max(0, this.total - this.tallest); }

  // How far the page can be scrolled within the list.
  get way() { return Math.max(1, Math.min(this.total, this.tallest) - innerHeight); }

  // How far the page is scrolled into the list; less than 0 above it.
  scrolled() { return -this.body.getBoundingClientRect().top; }

  // The shift that leaves the rows at either end of the list in reach from there: none at the top, all at the bottom.
  bounded(shift, scrolled) {
    const end = MARGIN + this.height + this.detailHeight;
    const pace = this.excess / Math.max(1, this.way / 2 - end);
    const within = (value) => Math.max(0, Math.min(value, this.excess));
    const least = within(this.excess - pace * (this.way - end - scrolled));
    return Math.max(least, Math.min(shift, within(pace * (scrolled - end))));
  }

  follow() {
    const scrolled = this.scrolled();
    const leapt = this.seen === null || Math.abs(scrolled - this.seen) > innerHeight * LEAP;
    this.shift = this.bounded(leapt ? (this.excess * scrolled) / this.way : this.shift, scrolled);
    this.seen = scrolled;
  }

  // Scrolls the list, however far that is.
  move(distance) {
    const before = this.scrolled();
    const wanted = before + this.shift + distance;
    const share = (wanted * this.excess) / (this.way + this.excess);
    this.shift = this.bounded(share, wanted - share);
    this.seen = wanted - this.shift;
    scrollBy({ top: this.seen - before, behavior: "instant" });
  }

  update() {
    const detailRows = this.open < 0 ? 0 : 1;
    this.table.setAttribute("aria-rowcount", String(this.lines.length + 1 + detailRows));
    if (!this.lines.length) return this.pad(0, 0);
    this.follow();
    const top = this.seen + this.shift;
    const first = this.everything ? 0 : this.at(top - MARGIN);
    const last = this.everything ? this.drawn - 1 : this.at(top + innerHeight + MARGIN);
    this.keepFocus(first, last);
    for (const [position, row] of this.rows) {
      if (position < first || position > last) {
        row.remove();
        this.rows.delete(position);
      }
    }
    if (this.open < first || this.open > last) this.closeDetail();
    let next = this.body.firstChild;
    const place = (row) => {
      if (row === next) next = next.nextSibling;
      else this.body.insertBefore(row, next);
    };
    for (let position = first; position <= last; position += 1) {
      if (!this.rows.has(position)) this.rows.set(position, this.row(position));
      place(this.rows.get(position));
      if (position === this.open) place(this.openDetail());
    }
    this.markActive();
    this.followUp();
    if (this.everything) this.pad(0, 0);
    else this.pad(this.offset(first) - this.shift, this.total - this.excess + this.shift - this.offset(last + 1));
  }

  // How many rows of a whole list exist by now.
  get drawn() { return Math.min(this.printed, this.printing ? Infinity : this.ready); }

  followUp() {
    clearTimeout(this.following);
    if (!this.everything || this.drawn === this.printed) return;
    this.following = setTimeout(() => this.reach(this.ready + AT_ONCE - 1));
  }

  // Draws a whole list up to a row at least.
  reach(position) {
    if (!this.everything || position < this.ready) return;
    this.ready = position + 1;
    this.update();
  }

  pad(above, below) {
    this.body.style.paddingBlock = `${above}px ${below}px`;
  }

  row(position) {
    const open = position === this.open;
    const { kind, cells } = this.draw(this.lines[position], open);
    const row = el(`tr.line.${kind}`, { "aria-rowindex": this.rowIndex(position) }, cells);
    row.classList.toggle("open", open);
    row.querySelector("button").addEventListener("focus", () => this.activate(position));
    row.addEventListener("click", (event) => {
      if (getSelection().isCollapsed || event.target.closest("button")) this.chosen(position);
    });
    return row;
  }

  rowIndex(position) { return position + 2 + (this.open >= 0 && position > this.open ? 1 : 0); }

  openDetail() {
    if (!this.detailRow) {
      this.detailRow = el("tr.opened", { "aria-rowindex": this.rowIndex(this.open) + 1 },
        el("td", { colspan: 3 }, this.detail(this.lines[this.open])));
      this.resized.observe(this.detailRow);
    }
    return this.detailRow;
  }

  closeDetail() {
    if (!this.detailRow) return;
    this.resized.unobserve(this.detailRow);
    this.detailRow.remove();
    this.detailRow = null;
  }

  // Heights follow the width of the window and the reader's fonts.
  measure() {
    const row = this.rows.values().next().value;
    if (!row || this.everything) return;
    const { height } = row.getBoundingClientRect();
    const detailHeight = this.detailRow ? this.detailRow.getBoundingClientRect().height : this.detailHeight;
    if (!height || (height === this.height && detailHeight === this.detailHeight)) return;
    Object.assign(this, { height, detailHeight });
    this.update();
  }

  // Opens or closes a finding, and leaves its row where it stands in the window.
  toggle(position, open = position !== this.open) {
    const before = this.rows.get(position)?.getBoundingClientRect().top;
    const focused = this.table.contains(document.activeElement);
    this.open = open ? position : -1;
    this.detailHeight = 0;
    this.active = position;
    this.clear();
    this.update();
    this.measure();
    const after = this.rows.get(position)?.getBoundingClientRect().top;
    if (before !== undefined && after !== undefined) scrollBy({ top: after - before, behavior: "instant" });
    if (focused) this.focus(position);
  }

  // -- keyboard: one row at a time can be tabbed to, the arrow keys go to the others --

  key(event) {
    const onRow = event.target === this.table || event.target.closest(".line");
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: this.lines.length - 1 }[event.key];
    if (!onRow || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.focus(to);
  }

  focus(position) {
    if (!this.lines.length) return;
    this.active = Math.max(0, Math.min(position, this.lines.length - 1));
    this.reach(this.active);
    this.reveal(this.active);
    this.update();
    this.rows.get(this.active)?.querySelector("button").focus({ preventScroll: true });
  }

  reveal(position) {
    const top = this.offset(position) - this.shift - this.scrolled();
    const ceiling = this.ceiling() + 8;
    const floor = innerHeight - (this.everything ? this.rows.get(position)?.offsetHeight ?? 0 : this.height) - 8;
    if (top < ceiling) this.move(top - ceiling);
    else if (top > floor) this.move(top - floor);
  }

  // To the top of the window, with what opens below it in view.
  bring(position) {
    this.focus(position);
    this.move(this.offset(position) - this.shift - this.scrolled() - this.ceiling() - 8);
    this.update();
  }

  activate(position) {
    this.active = position;
    this.markActive();
  }

  markActive() {
    if (!this.rows.has(this.active) && !this.table.contains(document.activeElement)) {
      this.active = this.at(this.ceiling() + this.scrolled() + this.shift);
    }
    for (const [position, row] of this.rows) {
      row.querySelector("button").tabIndex = position === this.active ? 0 : -1;
    }
  }

  // A row that is scrolled away while it has the focus leaves it to the table, whose arrow keys go on from there.
  keepFocus(first, last) {
    const held = this.body.contains(document.activeElement) && document.activeElement.closest(".line, .opened");
    if (!held) return;
    const position = held === this.detailRow ? this.open : [...this.rows].find(([, row]) => row === held)?.[0];
    if (position < first || position > last) this.table.focus({ preventScroll: true });
  }

  // -- paper --

  print(printing) {
    this.printing = printing;
    this.clear();
    this.update();
  }

  get printed() { return Math.min(PRINTED, this.lines.length); }
}

// How far down the window something reaches once it sticks to the top; on a phone not everything does.
export function stuck(node) {
  const { position, top } = getComputedStyle(node);
  return position === "sticky" ? Number.parseFloat(top) + node.offsetHeight : 0;
}
