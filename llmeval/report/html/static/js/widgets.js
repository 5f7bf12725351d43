// Small parts of the page that know nothing of cases.

import { announce, byId, h } from "./dom.js";
import { memory } from "./memory.js";

/** @typedef {import("./dom.js").Child} Child */

/**
 * A labelled choice.
 *
 * @param {string} label
 * @param {[value: string, name: string][]} options
 * @param {(value: string) => void} change
 */
export function choice(label, options, change) {
  const select = h(
    "select",
    { onchange: (/** @type {Event} */ _event) => change(select.value) },
    options.map(([value, name]) => h("option", { value }, name)),
  );
  const node = h("label", { class: "select" }, h("span", { class: "sr" }, label), select);
  return { node, select };
}

/**
 * @param {Child | Child[]} content
 * @param {() => void} action
 * @param {Record<string, import("./dom.js").AttributeValue>} attributes
 */
export function ghostButton(content, action, attributes = {}) {
  return h("button", { type: "button", class: "ghost", onclick: action, ...attributes }, content);
}

/**
 * A modal dialog; `done` runs when its button is pressed.
 *
 * @param {string} title
 * @param {Node[]} body
 * @param {string} word
 * @param {() => void} done
 */
export function dialog(title, body, word, done = () => {}) {
  const node = h("dialog", { "aria-labelledby": "dialog-title" });
  const close = () => {
    node.close();
    done();
  };
  const button = h("button", { type: "button", class: "button", onclick: close }, word);
  node.append(h("h2", { id: "dialog-title" }, title), ...body, h("p", { class: "end" }, button));
  node.addEventListener("close", () => node.remove());
  document.body.append(node);
  node.showModal();
}

/**
 * Show a mark in the answer: scroll to it and highlight it for a moment.
 *
 * @param {string} id
 */
export function flash(id) {
  const node = document.getElementById(id);
  if (!node) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  node.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
  const mark = node.previousElementSibling ?? node;
  mark.classList.add("flash");
  setTimeout(() => mark.classList.remove("flash"), 1600);
}

/**
 * Copy the address of what is shown.
 *
 * @param {HTMLButtonElement} button Shows what happened.
 */
export async function copyAddress(button) {
  let text = "Copied";
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    text = "Copy it from the address bar";
  }
  button.textContent = text;
  announce(text);
}

/** A random id of a record. */
export function newId() {
  // Pages that are not a secure context have no randomUUID.
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}

/** @type {Record<string, string>} */
const THEMES = { auto: "as the system", light: "light", dark: "dark" };

/** The theme button: as the system, light, dark. This browser remembers the choice. */
export function setUpTheme() {
  const button = byId("theme");
  const apply = (/** @type {string} */ name) => {
    if (name === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = name;
    button.textContent = `Theme: ${name}`;
    button.setAttribute("aria-label", `Theme: ${THEMES[name]}`);
  };
  const stored = memory.get("theme") ?? "auto";
  let name = stored in THEMES ? stored : "auto";
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    name = names[(names.indexOf(name) + 1) % names.length];
    memory.set("theme", name);
    apply(name);
  });
  apply(name);
}
