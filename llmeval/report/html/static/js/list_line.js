// One line of the list: a case, or the head of a group.

import { h, number, shape } from "./dom.js";
import { visible } from "./hidden.js";
import { QUEUES, rowName, STATES } from "./vocabulary.js";

/** @typedef {import("./data.js").Data} Data */
/** @typedef {import("./vocabulary.js").Named} Named */

/**
 * @typedef {object} LineView
 * @property {number} at Position in the list, from 0.
 * @property {boolean} selected
 * @property {boolean} hidden Whether verdicts are hidden.
 * @property {Named | null} mark What the reader said about the row.
 */

/**
 * @param {Data} data
 * @param {number} row
 * @param {LineView} view
 */
export function listLine({ columns, meta }, row, view) {
  const { id, rep, queue, state, ask, why, now, was } = columns;
  const { at, hidden, mark } = view;
  const { word, tone } = mark ?? nameOf(rowName(meta, QUEUES[queue[row]], state[row]), hidden);
  const reason = hidden ? (mark?.word ?? "verdict hidden") : why[row];
  const name = visible(id[row]) + (rep[row] ? ` ·${rep[row]}` : "");
  return h(
    "div",
    {
      class: "row",
      role: "row",
      id: `row-${at}`,
      "data-at": at,
      "aria-rowindex": at + 1,
      "aria-selected": String(view.selected),
    },
    h(
      "div",
      { role: "gridcell", class: "sign", title: word },
      shape(tone),
      h("span", { class: "sr" }, word),
    ),
    h(
      "div",
      { role: "gridcell", class: "what" },
      h("span", { class: "ask", dir: "auto" }, ask[row] || "(no question)"),
      h("span", { class: "why", dir: "auto" }, reason),
    ),
    h(
      "div",
      { role: "gridcell", class: "id" },
      h("code", {}, name),
      hidden && !mark ? null : dots(meta.metrics, now[row], was[row]),
    ),
  );
}

/**
 * @param {Named} named
 * @param {boolean} hidden
 * @returns {Named}
 */
function nameOf(named, hidden) {
  return hidden ? { word: "hidden", tone: "plain" } : named;
}

/**
 * @param {number} at
 * @param {{ name: string, count: number }} group
 */
export function groupHead(at, { name, count }) {
  const cell = h(
    "div",
    { role: "gridcell" },
    h("strong", {}, visible(name)),
    " ",
    h("span", { class: "quiet" }, number(count)),
  );
  return h("div", { class: "ghead", role: "row", "aria-rowindex": at + 1 }, cell);
}

/**
 * A dot for each metric.
 *
 * @param {string[]} metrics
 * @param {string} now
 * @param {string} was
 */
function dots(metrics, now, was) {
  const letters = [...now];
  const texts = letters.map((letter, i) => {
    const before = was[i] && was[i] !== letter ? ` (was ${STATES[was[i]].word})` : "";
    return `${metrics[i]}: ${STATES[letter].word}${before}`;
  });
  const marks = letters.map((letter, i) => {
    const moved = was[i] && was[i] !== "-" && was[i] !== letter;
    return h("i", { class: `dot ${STATES[letter].tone}${moved ? " moved" : ""}` });
  });
  return h(
    "span",
    { class: "dots", title: texts.join("\n") },
    marks,
    h("span", { class: "sr" }, texts.join(", ")),
  );
}
