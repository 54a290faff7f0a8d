"use strict";
// The data, and how it is written: in elements, in plots, in files. Nothing here, or below, makes elements from text.

const data = JSON.parse(document.getElementById("data").textContent);
const size = data.rows.key.length;
const every = [...Array(size).keys()];
const varied = data.axes.filter(axis => axis.varies);

const once = ({texts, codes}) => place => texts[codes[place]];
const outcomeOf = once(data.rows.outcome);
const messageOf = once(data.rows.message);
const sweepOf = once(data.rows.sweep);
const valueOf = (axis, place) => axis.codes[place] === null ? "" : axis.texts[axis.codes[place]];
const finite = value => typeof value === "number";

// Text on one line, with escapes for what is no character to see, or would turn the others round.
const shown = text => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, each => "\\u{" + each.codePointAt(0).toString(16) + "}");
// Both ends of a text that is longer: it may be a path.
function short(text, most) {
  const all = [...text];
  const tail = (most - 1) >> 1;
  return all.length > most ? [...all.slice(0, most - 1 - tail), "…", ...all.slice(-tail)].join("") : text;
}
// In a plot, where < and & would begin markup.
const plain = (text, most = 24) =>
  short(shown(text), most).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

// Makes an element; attributes that are functions are handlers, and those that are false are left out.
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const find = id => document.getElementById(id);

function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  make("a", {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Copies a text; where the browser does not let us, selects it for the reader to copy.
async function copy(text, button, element) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(element());
    button.textContent = "Selected: press Ctrl-C";
  }
  setTimeout(() => { button.textContent = before; }, 2000);
}
