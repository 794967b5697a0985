// Making elements. Text becomes text nodes, never markup; the page's policy refuses anything else.

// What draws nothing or reorders a line is spelled out, so that a name is what it looks like (scanner/render/text.py).
const PLAIN = /^[ -~]*$/;
const HIDDEN =
  /((?:(?! )[\p{C}\p{Z}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}])+)/u;

const escapes = (run) => Array.from(run, (char) => {
  const code = char.codePointAt(0);
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}).join("");

export function spelled(text) {
  if (PLAIN.test(text)) return text;
  return text.split(HIDDEN).map((piece, n) => (n % 2 ? escapes(piece) : piece)).join("");
}

function* shown(text) {
  if (PLAIN.test(text)) return yield text;
  for (const [n, piece] of text.split(HIDDEN).entries()) {
    if (n % 2) yield el("span.esc", {}, escapes(piece));
    else if (piece) yield piece;
  }
}

export const byId = (id) => document.getElementById(id);

// el("p.quiet", {id: "x"}, "text", other, null)
export function el(kind, attributes = {}, ...children) {
  const [name, ...classes] = kind.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) made.setAttribute(attribute, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    if (typeof child === "object") made.append(child);
    else made.append(...shown(String(child)));
  }
  return made;
}

// Titles of findings stand in a table, not in headings; these are the next level below the section's own.
export const heading = (text) => el("h3.h4", {}, text);

export function button(label, act, attributes = {}) {
  const made = el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", () => act(made));
  return made;
}

// What happened is said aloud where a button only changes its face. A reader hears changes of what was there before.
const said = el("p.hidden", { role: "status" });
document.body.append(said);
let forgotten = 0;

export function say(text) {
  said.textContent = text;
  clearTimeout(forgotten);
  forgotten = setTimeout(() => { said.textContent = ""; }, 5000);
}

// Without a clipboard (a page served without TLS has none) the text is selected, to be copied by hand.
export function copier(label, text, node, { done = "Copied" } = {}) {
  return button(label, (made) => {
    const copied = navigator.clipboard ? navigator.clipboard.writeText(text()) : Promise.reject();
    copied.then(() => {
      made.textContent = "Copied";
      say(done);
      setTimeout(() => { made.textContent = label; }, 1500);
    }, () => {
      if (!node) return say("This browser does not let the page copy");
      getSelection().selectAllChildren(node);
      return say("Selected, to be copied by hand");
    });
  });
}

const { format } = new Intl.NumberFormat("en-US");
export const number = (value) => format(value);
export const count = (value, one, more = `${one}s`) => `${number(value)} ${value === 1 ? one : more}`;

// a; a and b; a, b and c
export const listing = (texts) => (texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`);

export function moment(text) {
  const time = new Date(text);
  return Number.isNaN(time.valueOf()) ? text : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
