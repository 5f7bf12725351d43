// Showing a model's text: hidden characters by name, parts of it marked.

import { h, number } from "./dom.js";
import { appendText } from "./hidden.js";

/** @import { Mark } from "./types.js" */
/** @typedef {import("./dom.js").AttributeValue} AttributeValue */

/** Texts a little longer than this many UTF-16 units are cut; a button shows the rest. */
const LONG = 20000;

/**
 * Code point offsets as UTF-16 offsets: records count code points, JavaScript UTF-16 units.
 *
 * @param {string} text
 * @param {number[]} points Sorted.
 */
export function utf16(text, points) {
  if (!/[\ud800-\udbff]/.test(text)) return points.map((point) => Math.min(point, text.length));
  let unit = 0;
  let at = 0;
  return points.map((point) => {
    while (at < point && unit < text.length) {
      unit += Number(text.codePointAt(unit)) > 0xffff ? 2 : 1;
      at += 1;
    }
    return unit;
  });
}

/**
 * Spans in code points as spans in UTF-16 units.
 *
 * @template {{ start: number, end: number }} Span
 * @param {string} text
 * @param {Span[]} spans
 * @returns {Span[]}
 */
export function toUtf16(text, spans) {
  const points = [...new Set(spans.flatMap((span) => [span.start, span.end]))];
  points.sort((a, b) => a - b);
  const units = utf16(text, points);
  const at = new Map(points.map((point, i) => [point, units[i]]));
  return spans.map((span) => ({
    ...span,
    start: /** @type {number} */ (at.get(span.start)),
    end: /** @type {number} */ (at.get(span.end)),
  }));
}

/**
 * A block that shows `text` with its marks.
 *
 * @param {string} text
 * @param {Mark[]} marks
 * @param {Record<string, AttributeValue>} attributes
 */
export function textBlock(text, marks = [], attributes = {}) {
  const block = h("div", { class: "text", dir: "auto", ...attributes });
  const size = shownSize(text, marks);
  fill(block, text, marks, size);
  if (size < text.length) {
    const label = `Show all ${number(text.length)} characters`;
    const more = h("button", { type: "button", class: "more" }, label);
    more.addEventListener("click", () => {
      block.replaceChildren();
      fill(block, text, marks, text.length);
    });
    block.append("… ", more);
  }
  if (!text) block.append(h("span", { class: "quiet" }, "(empty)"));
  return block;
}

/**
 * How much of a text is shown at first: of a long one as much as its last numbered mark needs,
 * within limits.
 *
 * @param {string} text
 * @param {Mark[]} marks
 */
function shownSize(text, marks) {
  if (text.length <= LONG * 1.2) return text.length;
  const ends = marks.filter((mark) => mark.number).map((mark) => mark.end);
  return Math.max(LONG, Math.min(Math.max(0, ...ends), LONG * 3));
}

/**
 * Cut the text at every edge of a mark, so that overlapping marks nest.
 *
 * @param {HTMLElement} block
 * @param {string} text
 * @param {Mark[]} marks
 * @param {number} size
 */
function fill(block, text, marks, size) {
  const shown = marks.filter((mark) => mark.start < size);
  const cuts = edgesOf(shown, size);
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [start, end] = [cuts[i], cuts[i + 1]];
    const inside = shown.filter(
      (mark) => mark.start <= start && mark.end >= end && mark.end > mark.start,
    );
    const node = inside.length ? marked(block, inside) : block;
    appendText(node, text.slice(start, end), start ? text[start - 1] : "");
    for (const mark of shown) {
      if (mark.number && Math.min(mark.end, size) === end) block.append(reference(mark));
    }
  }
  for (const mark of shown) if (mark.number && mark.end === 0) block.prepend(reference(mark));
}

/**
 * Where marks begin and end, in order.
 *
 * @param {Mark[]} marks
 * @param {number} size
 */
function edgesOf(marks, size) {
  const edges = new Set([0, size]);
  for (const mark of marks) edges.add(mark.start).add(Math.min(mark.end, size));
  return [...edges].sort((a, b) => a - b);
}

/** @param {Mark} mark */
function reference(mark) {
  return h("sup", { class: "ref", id: mark.id }, mark.number);
}

/**
 * @param {HTMLElement} block
 * @param {Mark[]} marks
 */
function marked(block, marks) {
  const kinds = new Set(marks.flatMap((mark) => mark.class.split(" ")));
  const tag = kinds.has("del") ? "del" : kinds.has("ins") ? "ins" : "mark";
  const titles = marks.map((mark) => mark.title).filter(Boolean);
  const node = h(tag, { class: [...kinds].join(" "), title: titles.join("\n") || null });
  block.append(node);
  return node;
}
