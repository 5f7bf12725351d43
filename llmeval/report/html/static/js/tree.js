// Any JSON as nested lists of text.

import { h } from "./dom.js";
import { visible } from "./hidden.js";

/** @import { Json } from "./types.js" */

/** Deeper values are shown as JSON text, longer lists are cut: the page must stay quick. */
const DEEPEST = 6;
const MOST_ENTRIES = 200;

/**
 * @param {Json} value
 * @param {number} depth
 * @returns {HTMLElement}
 */
export function tree(value, depth = 0) {
  if (value === null || typeof value !== "object" || depth > DEEPEST) {
    return h("span", { class: "text inline" }, visible(plainText(value)));
  }
  /** @type {[string, Json][]} */
  const entries = Array.isArray(value)
    ? value.map((item, i) => [String(i + 1), item])
    : Object.entries(value);
  if (!entries.length) return h("span", { class: "quiet" }, "none");
  const lines = entries
    .slice(0, MOST_ENTRIES)
    .map(([name, item]) => [
      h("dt", {}, visible(name.replaceAll("_", " "))),
      h("dd", {}, tree(item, depth + 1)),
    ]);
  return h("dl", { class: "tree" }, lines);
}

/**
 * A text as it is, anything else as JSON.
 *
 * @param {Json | undefined} value
 */
export function plainText(value) {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 1) ?? "");
}
