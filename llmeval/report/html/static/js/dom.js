// Elements without markup: text only ever becomes text nodes, whatever it holds.

/** @import { Tone } from "./types.js" */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Child | Child[] | Child[][]} Children */
/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} AttributeValue */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<Tone, [string, Record<string, string | number>][]>} */
const SHAPES = {
  pass: [
    ["circle", { class: "fill", cx: 12, cy: 12, r: 11 }],
    ["path", { class: "mark", d: "M6.8 12.4l3.6 3.6 6.8-7.6" }],
  ],
  fail: [
    ["path", { class: "fill", d: "M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z" }],
    ["path", { class: "mark", d: "M8 8l8 8M16 8l-8 8" }],
  ],
  unsure: [
    ["rect", { class: "fill", x: 1, y: 1, width: 22, height: 22, rx: 5 }],
    ["path", { class: "mark", d: "M8.9 9.2a3.1 3.1 0 1 1 4.5 2.8c-.9.5-1.4 1-1.4 2M12 17.9v.1" }],
  ],
  invalid: [
    ["path", { class: "fill", d: "M12 1.5L23.5 22.5H.5z" }],
    ["path", { class: "mark", d: "M12 9v6M12 18.6v.1" }],
  ],
  plain: [
    ["circle", { class: "ring", cx: 12, cy: 12, r: 9.8 }],
    ["path", { class: "dash", d: "M8 12h8" }],
  ],
};

/**
 * An element. `on…` attributes are listeners; null, undefined and false leave an attribute out;
 * true sets it to the empty string. Empty children are left out, lists of children are flattened.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, AttributeValue>} attributes
 * @param {...Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (isEmpty(value)) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(2)) {
    if (!isEmpty(child)) node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/**
 * @param {unknown} value
 * @returns {value is null | undefined | false}
 */
function isEmpty(value) {
  return value === null || value === undefined || value === false;
}

/**
 * The sign of a status: each tone has its own shape, so that colour is never the only sign.
 *
 * @param {Tone} tone
 */
export function shape(tone) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `shape ${tone}`);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of SHAPES[tone]) {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, String(value));
    svg.append(part);
  }
  return svg;
}

/**
 * A status as shape and word.
 *
 * @param {Tone} tone
 * @param {string} word
 * @param {string | undefined} title A tooltip.
 */
export function status(tone, word, title = undefined) {
  return h("span", { class: `status ${tone}`, title }, shape(tone), " ", word);
}

/**
 * An element that the template always has.
 *
 * @param {string} id
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no element #${id}.`);
  return node;
}

/**
 * Tell screen readers about a change that sighted people see.
 *
 * @param {string} text
 */
export function announce(text) {
  byId("live").textContent = text;
}

/** @param {number} value */
export const number = (value) => value.toLocaleString("en");
